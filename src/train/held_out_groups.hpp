// Held-out rows in groups: by how active their user is, by how popular their item is.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "train/dataset.hpp"

namespace graft::training {

/// Consecutive values, both ends included.
struct ValueRange {
  std::int64_t least = 0;
  std::int64_t most = 0;

  [[nodiscard]] bool holds(std::int64_t value) const { return least <= value && value <= most; }
  friend bool operator==(const ValueRange&, const ValueRange&) = default;
};

/// Cuts values into at most `groups` ranges that hold about equally many: all are lined up in equal parts, and a value
/// goes where the middle of its equals falls. So equal values stay together; no range is empty.
std::vector<ValueRange> equal_ranges(std::vector<std::int64_t> values, std::int64_t groups);

/// "users with 3 to 4 training items"
std::string activity_label(const ValueRange& range);
/// "items with 3 to 4 training interactions", "items never seen in training"
std::string popularity_label(const ValueRange& range);

/// The rows that are wanted, and the users that have any, in the same order.
HeldOut part_of(const HeldOut& held, const std::function<bool(std::int32_t user, std::int32_t item)>& wanted);

std::int64_t distinct_items(const HeldOut& held);

}  // namespace graft::training
