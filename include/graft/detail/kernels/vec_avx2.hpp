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

  static reg load_part(const float* p, int count) { return _mm256_maskload_ps(p, first(count)); }
  static void store_part(float* p, reg v, int count) { _mm256_maskstore_ps(p, first(count), v); }
  static reg add(reg a, reg b) { return _mm256_add_ps(a, b); }
  static reg subtract(reg a, reg b) { return _mm256_sub_ps(a, b); }
  static reg multiply(reg a, reg b) { return _mm256_mul_ps(a, b); }
  static reg divide(reg a, reg b) { return _mm256_div_ps(a, b); }
  static reg square_root(reg a) { return _mm256_sqrt_ps(a); }
  static reg minimum(reg bound, reg v) { return _mm256_min_ps(bound, v); }
  static reg maximum(reg bound, reg v) { return _mm256_max_ps(bound, v); }
  static reg where_greater(reg v, reg t, reg yes, reg no) {
    return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(v, t, _CMP_GT_OQ));
  }
  static reg where_less(reg v, reg t, reg yes, reg no) {
    return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(v, t, _CMP_LT_OQ));
  }
  static reg absolute(reg v) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), v); }
  static reg power_of_two(reg shifted) {
    const __m256i bits = _mm256_add_epi32(_mm256_castps_si256(shifted), _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(bits, 23));
  }
  static void transpose(reg* r) {
    reg t[width];
    for (int i = 0; i < width; i += 4) {
      const reg low_a = _mm256_unpacklo_ps(r[i], r[i + 1]);
      const reg high_a = _mm256_unpackhi_ps(r[i], r[i + 1]);
      const reg low_b = _mm256_unpacklo_ps(r[i + 2], r[i + 3]);
      const reg high_b = _mm256_unpackhi_ps(r[i + 2], r[i + 3]);
      t[i] = _mm256_shuffle_ps(low_a, low_b, 0x44);
      t[i + 1] = _mm256_shuffle_ps(low_a, low_b, 0xEE);
      t[i + 2] = _mm256_shuffle_ps(high_a, high_b, 0x44);
      t[i + 3] = _mm256_shuffle_ps(high_a, high_b, 0xEE);
    }
    for (int c = 0; c < 4; ++c) {
      r[c] = _mm256_permute2f128_ps(t[c], t[4 + c], 0x20);
      r[4 + c] = _mm256_permute2f128_ps(t[c], t[4 + c], 0x31);
    }
  }

 private:
  static __m256i first(int count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
};

/// 4 x 24 scores: 12 accumulators, 3 column vectors and a broadcast fill the 16 registers.
inline constexpr int kRows = 4;
inline constexpr int kVectors = 3;

}  // namespace graft::detail::kernels::avx2
