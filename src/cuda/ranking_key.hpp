// What the device's selection adds to ranking keys.
#pragma once

#include <graft/detail/host_device.hpp>
#include <graft/detail/ranking_key.hpp>

namespace graft::cuda {

using graft::detail::id_of;
using graft::detail::key_of;
using graft::detail::RankingKey;
using graft::detail::value_of;

inline constexpr RankingKey kNoKey = 0;

/// The key that all pairs with at least this score rank before, and no other does. @param least  not NaN
GRAFT_HOST_DEVICE inline RankingKey bar_below(float least) {
  return RankingKey{graft::detail::ordered_bits(least)} << 32U;
}

struct KeyBefore {
  GRAFT_HOST_DEVICE bool operator()(RankingKey a, RankingKey b) const { return a > b; }
};

}  // namespace graft::cuda
