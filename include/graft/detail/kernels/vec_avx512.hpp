// AVX-512F vectors.
#pragma once

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 warns falsely of the intrinsics' own placeholders (GCC bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
// GCC 12 takes the vectors that its own header leaves undefined on purpose for mistakes (its bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#pragma GCC diagnostic pop
#else
#include <immintrin.h>
#endif

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

  static reg load_part(const float* p, int count) { return _mm512_maskz_loadu_ps(first(count), p); }
  static void store_part(float* p, reg v, int count) { _mm512_mask_storeu_ps(p, first(count), v); }
  static reg add(reg a, reg b) { return _mm512_add_ps(a, b); }
  static reg subtract(reg a, reg b) { return _mm512_sub_ps(a, b); }
  static reg multiply(reg a, reg b) { return _mm512_mul_ps(a, b); }
  static reg divide(reg a, reg b) { return _mm512_div_ps(a, b); }
  static reg square_root(reg a) { return _mm512_sqrt_ps(a); }
  static reg minimum(reg bound, reg v) { return _mm512_min_ps(bound, v); }
  static reg maximum(reg bound, reg v) { return _mm512_max_ps(bound, v); }
  static reg where_greater(reg v, reg t, reg yes, reg no) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(v, t, _CMP_GT_OQ), no, yes);
  }
  static reg where_less(reg v, reg t, reg yes, reg no) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(v, t, _CMP_LT_OQ), no, yes);
  }
  static reg absolute(reg v) { return _mm512_abs_ps(v); }
  static reg power_of_two(reg shifted) {
    const __m512i bits = _mm512_add_epi32(_mm512_castps_si512(shifted), _mm512_set1_epi32(127));
    return _mm512_castsi512_ps(_mm512_slli_epi32(bits, 23));
  }
  static void transpose(reg* r) {
    reg t[width];
    for (int i = 0; i < width; i += 4) {
      const reg low_a = _mm512_unpacklo_ps(r[i], r[i + 1]);
      const reg high_a = _mm512_unpackhi_ps(r[i], r[i + 1]);
      const reg low_b = _mm512_unpacklo_ps(r[i + 2], r[i + 3]);
      const reg high_b = _mm512_unpackhi_ps(r[i + 2], r[i + 3]);
      t[i] = _mm512_shuffle_ps(low_a, low_b, 0x44);
      t[i + 1] = _mm512_shuffle_ps(low_a, low_b, 0xEE);
      t[i + 2] = _mm512_shuffle_ps(high_a, high_b, 0x44);
      t[i + 3] = _mm512_shuffle_ps(high_a, high_b, 0xEE);
    }
    for (int c = 0; c < 4; ++c) {  // now 4 x 4 blocks move: quarter q of t[4 i + c] is column 4 q + c of rows 4 i...
      const reg even_a = _mm512_shuffle_f32x4(t[c], t[4 + c], 0x88);
      const reg odd_a = _mm512_shuffle_f32x4(t[c], t[4 + c], 0xDD);
      const reg even_b = _mm512_shuffle_f32x4(t[8 + c], t[12 + c], 0x88);
      const reg odd_b = _mm512_shuffle_f32x4(t[8 + c], t[12 + c], 0xDD);
      r[c] = _mm512_shuffle_f32x4(even_a, even_b, 0x88);
      r[4 + c] = _mm512_shuffle_f32x4(odd_a, odd_b, 0x88);
      r[8 + c] = _mm512_shuffle_f32x4(even_a, even_b, 0xDD);
      r[12 + c] = _mm512_shuffle_f32x4(odd_a, odd_b, 0xDD);
    }
  }

 private:
  static __mmask16 first(int count) { return static_cast<__mmask16>((1U << static_cast<unsigned>(count)) - 1U); }
};

/// 8 x 48 scores: 24 accumulators, 3 column vectors and a broadcast in 32 registers.
inline constexpr int kRows = 8;
inline constexpr int kVectors = 3;

}  // namespace graft::detail::kernels::avx512
