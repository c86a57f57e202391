// (score, id) as one integer that orders as rows do: score descending, then id ascending.
#pragma once

#include <bit>
#include <cstdint>

#include <graft/detail/host_device.hpp>

namespace graft::detail {

/// Larger keys rank before smaller ones. No pair has the key 0.
using RankingKey = std::uint64_t;

/// Floats but NaN as integers of the same order; -0 and 0 are one.
GRAFT_HOST_DEVICE inline std::uint32_t ordered_bits(float value) {
  constexpr std::uint32_t kSign = 0x80000000U;
  const auto bits = std::bit_cast<std::uint32_t>(value + 0.0F);
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

GRAFT_HOST_DEVICE inline RankingKey key_of(float value, std::int32_t id) {
  return RankingKey{ordered_bits(value)} << 32U | (0xFFFFFFFFU - static_cast<std::uint32_t>(id));
}

/// 0 where the score was -0.
GRAFT_HOST_DEVICE inline float value_of(RankingKey key) {
  constexpr std::uint32_t kSign = 0x80000000U;
  const auto bits = static_cast<std::uint32_t>(key >> 32U);
  return std::bit_cast<float>((bits & kSign) != 0 ? bits & ~kSign : ~bits);
}

GRAFT_HOST_DEVICE inline std::int32_t id_of(RankingKey key) {
  return static_cast<std::int32_t>(0xFFFFFFFFU - static_cast<std::uint32_t>(key));
}

}  // namespace graft::detail
