#include "train/nearest_name.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace graft::training {

std::int64_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::int64_t> two_above(b.size() + 1);
  std::vector<std::int64_t> above(b.size() + 1);
  std::vector<std::int64_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = static_cast<std::int64_t>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = static_cast<std::int64_t>(i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::int64_t substitution = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, substitution});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], two_above[j - 2] + 1);
    }
    std::swap(two_above, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

std::string name_hint(std::string_view given, std::span<const std::string> names) {
  if (names.empty()) return "there are none";
  const auto distance = [&](const std::string& name) { return edit_distance(given, name); };
  const auto nearest = std::min_element(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    return distance(a) < distance(b);
  });
  std::string list = fmt::format("there are: {}", fmt::join(names, ", "));
  // Beyond a third of the letters the names have nothing to do with each other.
  const auto near = static_cast<std::int64_t>(std::max<std::size_t>(2, std::max(given.size(), nearest->size()) / 3));
  if (distance(*nearest) > near) return list;
  return fmt::format("did you mean {}? ({})", *nearest, list);
}

}  // namespace graft::training
