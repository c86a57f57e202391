// The scores that decide: one accumulator over ascending dimensions, as the processor's fused path has it.
#pragma once

#include <cstdint>

namespace graft::cuda {

/// One more dimension: acc + x y, or acc - (x - y)^2.
template <bool kL2>
__device__ float exact_step(float acc, float x, float y) {
  if constexpr (kL2) {
    const float d = __fsub_rn(x, y);
    return __fmaf_rn(-d, d, acc);
  } else {
    return __fmaf_rn(x, y, acc);
  }
}

/// Score of two prepared rows of `width` elements, a multiple of 4 with 0 beyond the dimensions: those steps change
/// nothing.
template <bool kL2>
__device__ float exact_score(const float* x, const float* y, std::int64_t width) {
  float acc = 0.0F;
  for (std::int64_t k = 0; k < width; k += 4) {
    const float4 a = *reinterpret_cast<const float4*>(x + k);
    const float4 b = *reinterpret_cast<const float4*>(y + k);
    acc = exact_step<kL2>(acc, a.x, b.x);
    acc = exact_step<kL2>(acc, a.y, b.y);
    acc = exact_step<kL2>(acc, a.z, b.z);
    acc = exact_step<kL2>(acc, a.w, b.w);
  }
  return acc;
}

}  // namespace graft::cuda
