// Rows of a table gathered by a key, e.g. the rows of each user.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <graft/detail/checked.hpp>

namespace graft::data {

/// Row numbers by key, ascending within a key until the caller puts them in another order. 8 bytes a row and a key.
class RowGroups {
 public:
  /// @param keys  one a row, in [0, key_count)
  RowGroups(std::span<const std::int32_t> keys, std::int64_t key_count)
      : offsets_(detail::make_vector<std::int64_t>("RowGroups", key_count + 1)),
        rows_(detail::make_vector<std::int64_t>("RowGroups", static_cast<std::int64_t>(keys.size()))) {
    for (const std::int32_t key : keys) ++offsets_[detail::as_size(key) + 1];
    for (std::size_t k = 1; k < offsets_.size(); ++k) offsets_[k] += offsets_[k - 1];
    std::vector<std::int64_t> next(offsets_);
    for (std::size_t r = 0; r < keys.size(); ++r) {
      rows_[detail::as_size(next[detail::as_size(keys[r])]++)] = static_cast<std::int64_t>(r);
    }
  }

  [[nodiscard]] std::int64_t keys() const { return static_cast<std::int64_t>(offsets_.size()) - 1; }
  [[nodiscard]] std::span<std::int64_t> rows(std::int64_t key) {
    const auto begin = detail::as_size(offsets_[detail::as_size(key)]);
    return std::span(rows_).subspan(begin, detail::as_size(offsets_[detail::as_size(key) + 1]) - begin);
  }
  /// All rows, ascending by key. Leaves the groups empty.
  std::vector<std::int64_t> take() { return std::move(rows_); }

 private:
  std::vector<std::int64_t> offsets_;
  std::vector<std::int64_t> rows_;
};

}  // namespace graft::data
