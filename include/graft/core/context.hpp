// Where and how an operator runs.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include <graft/core/config.hpp>

namespace graft {

/// Which innermost loops compute similarities. Results have equal bits within a path; `avx2` and `avx512` are one
/// path ("fma") in that sense.
enum class NumericPath {
  automatic,    ///< the fastest that this build and this processor have
  header_only,  ///< compiled into the user's program with the user's flags (only without graft::compiled)
  baseline,     ///< x86-64 baseline or portable C++: multiply, then add
  avx2,         ///< AVX2 + FMA
  avx512        ///< AVX-512F
};

/// Where an operator runs.
enum class Backend {
  cpu,
  cuda,      ///< a CUDA device; BackendUnavailable says what is missing
  automatic  ///< the device where it is there, has the operator, and the work is big enough; else the CPU
};

/// How far a call has come.
struct Progress {
  const char* operation = "";  ///< name of the operator, e.g. "knn_graph"
  std::int64_t done = 0;       ///< units done, never falling while an operator runs; units are tiles or row blocks
  std::int64_t total = 0;      ///< units in all
};

/// Lets another thread, or a signal handler, stop a running call. Copies share one flag.
class CancelToken {
 public:
  CancelToken() : flag_(std::make_shared<std::atomic<bool>>(false)) {}
  /// Asks running calls to stop; noticed within about 100 ms. Async-signal-safe.
  void cancel() const noexcept { flag_->store(true, std::memory_order_relaxed); }
  /// Makes the token usable again.
  void reset() const noexcept { flag_->store(false, std::memory_order_relaxed); }
  [[nodiscard]] bool cancelled() const noexcept { return flag_->load(std::memory_order_relaxed); }

 private:
  std::shared_ptr<std::atomic<bool>> flag_;
};

/// Bytes of workspace, beyond inputs and outputs, that an operator may use on the CPU unless told otherwise.
inline constexpr std::int64_t kDefaultMemoryBudget = std::int64_t{64} << 20;

/// The same on a device, where what a call reads counts too: it has to be copied there.
inline constexpr std::int64_t kDefaultDeviceMemoryBudget = std::int64_t{4} << 30;

/// Executor, memory budget, progress and cancellation of a call: the only place for them. The result of a call
/// does not depend on `threads`, `memory_budget`, `device_memory_budget` or `progress`.
///
///     graft::Context context{.threads = 4, .memory_budget = 256 << 20};
///     graft::Context on_device = graft::Context::cuda();
struct Context {
  /// Worker threads; 0 = one a core. More cost memory (a tile buffer each) and never change a bit. They are threads of
  /// the oneTBB arena that the call is made in, so they run at most as many at a time as that has.
  int threads = 0;
  /// Workspace in bytes beyond inputs and outputs; an operator that cannot work within it throws OutOfMemory and
  /// names the least it needs. More lets large inputs be packed in fewer, larger pieces.
  std::int64_t memory_budget = kDefaultMemoryBudget;
  /// Forces the numeric path of the CPU; BackendUnavailable if this build or processor lacks it.
  NumericPath path = NumericPath::automatic;
  /// Called at most about 10 times a second, never concurrently, from any worker thread. What it throws ends the
  /// call and reaches the caller.
  std::function<void(const Progress&)> progress = {};
  /// Cancel it to end the call with Cancelled.
  CancelToken cancel = {};
  Backend backend = Backend::cpu;
  /// CUDA ordinal of the device.
  int device = 0;
  /// Bytes on the device: inputs, workspace and what of the result is held at once. Inputs that do not fit are streamed
  /// in pieces; what cannot be cut smaller throws OutOfMemory and names the least.
  std::int64_t device_memory_budget = kDefaultDeviceMemoryBudget;

  /// The defaults, on a CUDA device.
  static Context cuda(int ordinal = 0);
  /// The defaults, on the device where that pays.
  static Context automatic();
};

inline Context Context::cuda(int ordinal) {
  Context context;
  context.backend = Backend::cuda;
  context.device = ordinal;
  return context;
}

inline Context Context::automatic() {
  Context context;
  context.backend = Backend::automatic;
  return context;
}

/// The path that a call with this context takes. @throws BackendUnavailable if a forced path is absent
NumericPath resolve_numeric_path(const Context& context = {});

/// "header-only", "baseline", "avx2", "avx512" or "automatic".
const char* name(NumericPath path);

/// "cpu", "cuda" or "automatic".
const char* name(Backend backend);

}  // namespace graft

#ifndef GRAFT_COMPILED
#include <graft/detail/context_impl.hpp>
#endif
