// AVX2 + FMA vectors.
#pragma once

#include <immintrin.h>

namespace graft::detail::kernels::avx2 {

struct Vec {
  static constexpr int width = 8;
  using reg = __m256;
  static reg zero() { return _mm256_setzero_ps(); }
  static reg load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, reg v) { _mm256_storeu_ps(p, v); }
  static reg broadcast(const float* p) { return _mm256_broadcast_ss(p); }
  static reg multiply_add(reg acc, reg a, reg b) { return _mm256_fmadd_ps(a, b, acc); }
  static reg subtract_square(reg acc, reg a, reg b) {
    const reg d = _mm256_sub_ps(a, b);
    return _mm256_fnmadd_ps(d, d, acc);
  }
  static unsigned at_least(reg v, reg t) {
    return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(v, t, _CMP_GE_OQ)));
  }
};

/// 4 x 24 scores: 12 accumulators, 3 column vectors and a broadcast fill the 16 registers.
inline constexpr int kRows = 4;
inline constexpr int kVectors = 3;

}  // namespace graft::detail::kernels::avx2
