#include "train/held_out_groups.hpp"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include <graft/detail/checked.hpp>

namespace graft::training {

std::vector<ValueRange> equal_ranges(std::vector<std::int64_t> values, std::int64_t groups) {
  std::sort(values.begin(), values.end());
  const auto all = static_cast<std::int64_t>(values.size());
  std::vector<ValueRange> ranges;
  std::int64_t last_group = -1;
  for (std::int64_t begin = 0; begin < all;) {
    const std::int64_t value = values[detail::as_size(begin)];
    const std::int64_t end = std::upper_bound(values.begin() + begin, values.end(), value) - values.begin();
    const std::int64_t group = (begin + end) * groups / (2 * all);
    if (group != last_group) ranges.push_back({value, value});
    ranges.back().most = value;
    last_group = group;
    begin = end;
  }
  return ranges;
}

namespace {

std::string range_label(const char* who, const ValueRange& range, const char* what) {
  if (range.least < range.most) return fmt::format("{} with {} to {} {}s", who, range.least, range.most, what);
  return fmt::format("{} with {} {}{}", who, range.least, what, range.least == 1 ? "" : "s");
}

}  // namespace

std::string activity_label(const ValueRange& range) { return range_label("users", range, "training item"); }

std::string popularity_label(const ValueRange& range) {
  if (range.most == 0) return "items never seen in training";
  return range_label("items", range, "training interaction");
}

HeldOut part_of(const HeldOut& held, const std::function<bool(std::int32_t user, std::int32_t item)>& wanted) {
  HeldOut part;
  for (std::size_t e = 0; e < held.users.size(); ++e) {
    for (std::int64_t row = held.offsets[e]; row < held.offsets[e + 1]; ++row) {
      const std::int32_t item = held.items[detail::as_size(row)];
      if (wanted(held.users[e], item)) part.items.push_back(item);
    }
    if (part.size() == part.offsets.back()) continue;
    part.users.push_back(held.users[e]);
    part.offsets.push_back(part.size());
  }
  return part;
}

std::int64_t distinct_items(const HeldOut& held) {
  std::vector<std::int32_t> items(held.items);
  std::sort(items.begin(), items.end());
  return std::unique(items.begin(), items.end()) - items.begin();
}

}  // namespace graft::training
