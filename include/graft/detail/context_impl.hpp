// Bodies of core/context.hpp and kernel_table.hpp: which kernels run.
#pragma once

#include <string>

#include <graft/core/context.hpp>
#include <graft/core/error.hpp>
#include <graft/detail/kernel_table.hpp>

#if defined(GRAFT_COMPILED)
#include <graft/detail/kernels/dispatch.hpp>
#else
#include <graft/detail/kernels/tile.hpp>
#if defined(__AVX512F__)
#include <graft/detail/kernels/vec_avx512.hpp>
#elif defined(__AVX2__) && defined(__FMA__)
#include <graft/detail/kernels/vec_avx2.hpp>
#else
#include <graft/detail/kernels/vec_baseline.hpp>
#endif
#endif

namespace graft {
namespace detail {

#if defined(GRAFT_COMPILED)

GRAFT_INLINE bool is_available(NumericPath path) {
  switch (path) {
    case NumericPath::automatic:
    case NumericPath::baseline:
      return true;
#if defined(__x86_64__)
    case NumericPath::avx2:
      return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
    case NumericPath::avx512:
      return __builtin_cpu_supports("avx512f") != 0;
#endif
    default:
      return false;
  }
}

inline NumericPath best_path() {
  for (const NumericPath path : {NumericPath::avx512, NumericPath::avx2}) {
    if (is_available(path)) return path;
  }
  return NumericPath::baseline;
}

GRAFT_INLINE const kernels::KernelTable& kernel_table(const Context& context) {
  switch (resolve_numeric_path(context)) {
#if defined(__x86_64__)
    case NumericPath::avx512:
      return kernels::kAvx512;
    case NumericPath::avx2:
      return kernels::kAvx2;
#endif
    default:
      return kernels::kBaseline;
  }
}

#else

#if defined(__AVX512F__)
namespace native = kernels::avx512;
#elif defined(__AVX2__) && defined(__FMA__)
namespace native = kernels::avx2;
#else
namespace native = kernels::baseline;
#endif

inline bool is_available(NumericPath path) {
  return path == NumericPath::automatic || path == NumericPath::header_only;
}

inline NumericPath best_path() { return NumericPath::header_only; }

inline const kernels::KernelTable& kernel_table(const Context& context) {
  static constexpr kernels::KernelTable kTable =
      kernels::make_table<native::Vec, native::kRows, native::kVectors>("header-only");
  static_cast<void>(resolve_numeric_path(context));  // refuses a forced path that is absent
  return kTable;
}

#endif

}  // namespace detail

GRAFT_INLINE NumericPath resolve_numeric_path(const Context& context) {
  if (context.path == NumericPath::automatic) return detail::best_path();
  if (!detail::is_available(context.path)) {
    throw BackendUnavailable(detail::message(
        "Context", "path", name(context.path),
        "this build or this processor lacks it; the path taken here is " + std::string(name(detail::best_path()))));
  }
  return context.path;
}

GRAFT_INLINE const char* name(NumericPath path) {
  switch (path) {
    case NumericPath::automatic:
      return "automatic";
    case NumericPath::header_only:
      return "header-only";
    case NumericPath::baseline:
      return "baseline";
    case NumericPath::avx2:
      return "avx2";
    case NumericPath::avx512:
      return "avx512";
  }
  return "unknown";
}

GRAFT_INLINE const char* name(Backend backend) {
  switch (backend) {
    case Backend::cpu:
      return "cpu";
    case Backend::cuda:
      return "cuda";
    case Backend::automatic:
      return "automatic";
  }
  return "unknown";
}

}  // namespace graft
