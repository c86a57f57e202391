// One weight for both directions of a pair, the same arithmetic on the processor and on a device.
#pragma once

#include <bit>
#include <cstdint>

#include <graft/detail/host_device.hpp>
#include <graft/ops/types.hpp>

namespace graft::detail {

/// The weight where both directions are stored; the same bits whichever comes first, also for +0 and -0.
GRAFT_HOST_DEVICE inline float combine(float a, float b, Symmetrization how) {
  const bool negative = std::bit_cast<std::int32_t>(a) < 0;
  if (how == Symmetrization::max) return a > b || (a == b && !negative) ? a : b;
  if (how == Symmetrization::min) return a < b || (a == b && negative) ? a : b;
  return static_cast<float>((static_cast<double>(a) + static_cast<double>(b)) * 0.5);
}

/// The weight where one direction is.
GRAFT_HOST_DEVICE inline float combine_one(float weight, Symmetrization how) {
  return how == Symmetrization::mean ? weight * 0.5F : weight;
}

}  // namespace graft::detail
