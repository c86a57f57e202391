// IEEE 754 binary16 (NumPy's float16).
#pragma once

#include <bit>
#include <cstdint>

namespace graft::detail {

/// The bits of a half; converts to float without rounding, for every half is a float.
struct Half {
  std::uint16_t bits = 0;

  explicit operator float() const {
    const std::uint32_t sign = (std::uint32_t{bits} & 0x8000U) << 16U;
    const std::uint32_t exponent = (std::uint32_t{bits} >> 10U) & 0x1FU;
    const std::uint32_t fraction = std::uint32_t{bits} & 0x3FFU;
    if (exponent == 0) {  // zero or subnormal: fraction * 2^-24
      const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
      return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
    }
    const std::uint32_t wide = exponent == 0x1FU ? 0xFFU : exponent + (127U - 15U);
    return std::bit_cast<float>(sign | (wide << 23U) | (fraction << 13U));
  }
};

}  // namespace graft::detail
