// Vectors of the baseline: SSE2 on x86-64, the compiler's 16-byte vectors elsewhere. Multiply, then add.
#pragma once

#include <stdint.h>

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

  static reg load_part(const float* p, int count) {
    float lanes[width] = {};
    for (int lane = 0; lane < count; ++lane) lanes[lane] = p[lane];
    return load(lanes);
  }
  static void store_part(float* p, reg v, int count) {
    float lanes[width];
    store(lanes, v);
    for (int lane = 0; lane < count; ++lane) p[lane] = lanes[lane];
  }
  static reg add(reg a, reg b) { return _mm_add_ps(a, b); }
  static reg subtract(reg a, reg b) { return _mm_sub_ps(a, b); }
  static reg multiply(reg a, reg b) { return _mm_mul_ps(a, b); }
  static reg divide(reg a, reg b) { return _mm_div_ps(a, b); }
  static reg square_root(reg a) { return _mm_sqrt_ps(a); }
  static reg minimum(reg bound, reg v) { return _mm_min_ps(bound, v); }
  static reg maximum(reg bound, reg v) { return _mm_max_ps(bound, v); }
  static reg where_greater(reg v, reg t, reg yes, reg no) { return where(_mm_cmpgt_ps(v, t), yes, no); }
  static reg where_less(reg v, reg t, reg yes, reg no) { return where(_mm_cmplt_ps(v, t), yes, no); }
  static reg absolute(reg v) { return _mm_andnot_ps(_mm_set1_ps(-0.0F), v); }
  static reg power_of_two(reg shifted) {
    const __m128i bits = _mm_add_epi32(_mm_castps_si128(shifted), _mm_set1_epi32(127));
    return _mm_castsi128_ps(_mm_slli_epi32(bits, 23));
  }
  static void transpose(reg* r) { _MM_TRANSPOSE4_PS(r[0], r[1], r[2], r[3]); }

 private:
  static reg where(reg mask, reg yes, reg no) { return _mm_or_ps(_mm_and_ps(mask, yes), _mm_andnot_ps(mask, no)); }
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

  static reg load_part(const float* p, int count) {
    reg v{};
    for (int lane = 0; lane < count; ++lane) v[lane] = p[lane];
    return v;
  }
  static void store_part(float* p, reg v, int count) {
    for (int lane = 0; lane < count; ++lane) p[lane] = v[lane];
  }
  static reg add(reg a, reg b) { return a + b; }
  static reg subtract(reg a, reg b) { return a - b; }
  static reg multiply(reg a, reg b) { return a * b; }
  static reg divide(reg a, reg b) { return a / b; }
  static reg square_root(reg a) {
    for (int lane = 0; lane < width; ++lane) a[lane] = __builtin_sqrtf(a[lane]);
    return a;
  }
  static reg minimum(reg bound, reg v) {
    for (int lane = 0; lane < width; ++lane) v[lane] = bound[lane] < v[lane] ? bound[lane] : v[lane];
    return v;
  }
  static reg maximum(reg bound, reg v) {
    for (int lane = 0; lane < width; ++lane) v[lane] = bound[lane] > v[lane] ? bound[lane] : v[lane];
    return v;
  }
  static reg where_greater(reg v, reg t, reg yes, reg no) {
    for (int lane = 0; lane < width; ++lane) no[lane] = v[lane] > t[lane] ? yes[lane] : no[lane];
    return no;
  }
  static reg where_less(reg v, reg t, reg yes, reg no) { return where_greater(t, v, yes, no); }
  static reg absolute(reg v) {
    for (int lane = 0; lane < width; ++lane) v[lane] = __builtin_fabsf(v[lane]);
    return v;
  }
  static reg power_of_two(reg shifted) {
    for (int lane = 0; lane < width; ++lane) {
      uint32_t bits;
      __builtin_memcpy(&bits, &shifted[lane], sizeof bits);
      bits = (bits + 127U) << 23U;
      float power;
      __builtin_memcpy(&power, &bits, sizeof power);
      shifted[lane] = power;
    }
    return shifted;
  }
  static void transpose(reg* r) {
    for (int i = 0; i < width; ++i) {
      for (int j = i + 1; j < width; ++j) {
        const float upper = r[i][j];
        r[i][j] = r[j][i];
        r[j][i] = upper;
      }
    }
  }
};
#endif

/// 4 x 8 scores: 8 accumulators, 2 column vectors, a broadcast and a product in 16 registers.
inline constexpr int kRows = 4;
inline constexpr int kVectors = 2;

}  // namespace graft::detail::kernels::baseline
