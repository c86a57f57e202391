// Users that two items share, counted for many pairs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <graft/core/interactions.hpp>
#include <graft/detail/checked.hpp>

#include "report/inspection.hpp"

namespace graft::report {

/// Adds what `part` counted.
inline void operator+=(CommonUsers& sum, const CommonUsers& part) {
  sum.edges += part.edges;
  sum.confirmed += part.confirmed;
  sum.jaccard_sum += part.jaccard_sum;
}

/// Counts the common users of a fixed item and others: marks its audience once. One a thread: 4 bytes a user.
class CommonUserCounter {
 public:
  explicit CommonUserCounter(const Interactions& interactions)
      : interactions_(interactions), marks_(detail::as_size(interactions.users()), kNobody) {}

  /// From now on the fixed item is `item`.
  void fix(std::int64_t item) {
    item_ = item;
    for (const std::int32_t user : interactions_.audience(item)) marks_[detail::as_size(user)] = detail::as_id(item);
  }

  /// An edge between the fixed item and `other`.
  [[nodiscard]] CommonUsers edge_to(std::int64_t other) const {
    const std::int64_t common = common_with(other);
    const std::int64_t joint = interactions_.degree(item_) + interactions_.degree(other) - common;
    return {.edges = 1,
            .confirmed = common > 0 ? 1 : 0,
            .jaccard_sum = joint == 0 ? 0.0 : static_cast<double>(common) / static_cast<double>(joint)};
  }

 private:
  static constexpr std::int32_t kNobody = -1;

  [[nodiscard]] std::int64_t common_with(std::int64_t other) const {
    const std::span<const std::int32_t> mine = interactions_.audience(item_);
    const std::span<const std::int32_t> theirs = interactions_.audience(other);
    constexpr std::size_t kMuchLonger = 16;  // then searching is cheaper than walking
    if (theirs.size() / kMuchLonger > mine.size()) {
      return std::count_if(mine.begin(), mine.end(),
                           [&](std::int32_t user) { return std::binary_search(theirs.begin(), theirs.end(), user); });
    }
    const std::int32_t mark = detail::as_id(item_);
    return std::count_if(theirs.begin(), theirs.end(),
                         [&](std::int32_t user) { return marks_[detail::as_size(user)] == mark; });
  }

  const Interactions& interactions_;
  std::vector<std::int32_t> marks_;  ///< the last item that was fixed among those of the user
  std::int64_t item_ = 0;
};

}  // namespace graft::report
