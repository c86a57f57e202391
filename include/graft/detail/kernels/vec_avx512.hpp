// AVX-512F vectors.
#pragma once

#include <immintrin.h>

namespace graft::detail::kernels::avx512 {

struct Vec {
  static constexpr int width = 16;
  using reg = __m512;
  static reg zero() { return _mm512_setzero_ps(); }
  static reg load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, reg v) { _mm512_storeu_ps(p, v); }
  static reg broadcast(const float* p) { return _mm512_set1_ps(*p); }
  static reg multiply_add(reg acc, reg a, reg b) { return _mm512_fmadd_ps(a, b, acc); }
  static reg subtract_square(reg acc, reg a, reg b) {
    const reg d = _mm512_sub_ps(a, b);
    return _mm512_fnmadd_ps(d, d, acc);
  }
  static unsigned at_least(reg v, reg t) { return _mm512_cmp_ps_mask(v, t, _CMP_GE_OQ); }
};

/// 8 x 48 scores: 24 accumulators, 3 column vectors and a broadcast in 32 registers.
inline constexpr int kRows = 8;
inline constexpr int kVectors = 3;

}  // namespace graft::detail::kernels::avx512
