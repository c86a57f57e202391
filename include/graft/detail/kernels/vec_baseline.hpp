// Vectors of the baseline: SSE2 on x86-64, the compiler's 16-byte vectors elsewhere. Multiply, then add.
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace graft::detail::kernels::baseline {

#if defined(__SSE2__)
struct Vec {
  static constexpr int width = 4;
  using reg = __m128;
  static reg zero() { return _mm_setzero_ps(); }
  static reg load(const float* p) { return _mm_loadu_ps(p); }
  static void store(float* p, reg v) { _mm_storeu_ps(p, v); }
  static reg broadcast(const float* p) { return _mm_set1_ps(*p); }
  static reg multiply_add(reg acc, reg a, reg b) { return _mm_add_ps(acc, _mm_mul_ps(a, b)); }
  static reg subtract_square(reg acc, reg a, reg b) {
    const reg d = _mm_sub_ps(a, b);
    return _mm_sub_ps(acc, _mm_mul_ps(d, d));
  }
  static unsigned at_least(reg v, reg t) { return static_cast<unsigned>(_mm_movemask_ps(_mm_cmpge_ps(v, t))); }
};
#else
struct Vec {
  static constexpr int width = 4;
  using reg __attribute__((vector_size(16))) = float;
  static reg zero() { return reg{}; }
  static reg load(const float* p) {
    reg v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
  }
  static void store(float* p, reg v) { __builtin_memcpy(p, &v, sizeof v); }
  static reg broadcast(const float* p) { return reg{*p, *p, *p, *p}; }
  static reg multiply_add(reg acc, reg a, reg b) { return acc + a * b; }
  static reg subtract_square(reg acc, reg a, reg b) {
    const reg d = a - b;
    return acc - d * d;
  }
  static unsigned at_least(reg v, reg t) {
    unsigned mask = 0;
    for (int lane = 0; lane < width; ++lane) mask |= static_cast<unsigned>(v[lane] >= t[lane]) << lane;
    return mask;
  }
};
#endif

/// 4 x 8 scores: 8 accumulators, 2 column vectors, a broadcast and a product in 16 registers.
inline constexpr int kRows = 4;
inline constexpr int kVectors = 2;

}  // namespace graft::detail::kernels::baseline
