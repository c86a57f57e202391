// Bodies of core/interactions.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <graft/core/interactions.hpp>
#include <graft/detail/checked.hpp>
#include <graft/detail/csr_check.hpp>

namespace graft {
namespace detail {

/// Counting-sort transpose of a CSR pattern: rows of the result list their columns ascending, whatever the order
/// within the rows of the input.
inline void transpose_pattern(std::span<const std::int64_t> offsets, std::span<const std::int32_t> columns,
                              std::int64_t cols, std::vector<std::int64_t>& out_offsets,
                              std::vector<std::int32_t>& out_columns) {
  out_offsets = make_vector<std::int64_t>("Interactions", cols + 1);
  out_columns = make_vector<std::int32_t>("Interactions", static_cast<std::int64_t>(columns.size()));
  for (const std::int32_t column : columns) ++out_offsets[as_size(column) + 1];
  for (std::int64_t c = 0; c < cols; ++c) out_offsets[as_size(c + 1)] += out_offsets[as_size(c)];
  std::vector<std::int64_t> next =
      copy_array<std::int64_t>("Interactions", std::span<const std::int64_t>(out_offsets).first(as_size(cols)));
  for (std::size_t r = 0; r + 1 < offsets.size(); ++r) {
    for (std::int64_t e = offsets[r]; e < offsets[r + 1]; ++e) {
      out_columns[as_size(next[as_size(columns[as_size(e)])]++)] = static_cast<std::int32_t>(r);
    }
  }
}

/// Size of one side of the matrix. @param size  as the caller gave it; -1 takes the largest id + 1
inline std::int64_t checked_size(const char* size_name, std::int64_t size, const char* ids_name,
                                 std::span<const std::int32_t> ids) {
  if (size < -1 || size > kMaxNodes) {
    throw InvalidArgument(message("Interactions", size_name, std::to_string(size),
                                  "must lie in [0, 2147483647], or be -1 to take the largest id + 1"));
  }
  const std::int64_t limit = size >= 0 ? size : kMaxNodes;
  std::int64_t needed = 0;
  for (std::size_t e = 0; e < ids.size(); ++e) {
    if (ids[e] < 0 || ids[e] >= limit) {
      throw InvalidArgument(message("Interactions", at(ids_name, static_cast<std::int64_t>(e)), std::to_string(ids[e]),
                                    "must lie in [0, " + std::to_string(limit) + ")"));
    }
    needed = std::max(needed, std::int64_t{ids[e]} + 1);
  }
  return size >= 0 ? size : needed;
}

}  // namespace detail

GRAFT_INLINE void Interactions::merge_rows_and_transpose(std::int64_t items) {
  // Transposing twice sorts every row; repeated pairs are then neighbours.
  detail::transpose_pattern(user_offsets_, user_items_, items, item_offsets_, item_users_);
  const std::int64_t users = this->users();
  detail::transpose_pattern(item_offsets_, item_users_, users, user_offsets_, user_items_);
  std::int64_t written = 0;
  std::int64_t begin = 0;
  for (std::int64_t u = 0; u < users; ++u) {
    const std::int64_t end = user_offsets_[detail::as_size(u + 1)];
    const std::int64_t row_start = written;
    for (std::int64_t e = begin; e < end; ++e) {
      const std::int32_t item = user_items_[detail::as_size(e)];
      if (written > row_start && user_items_[detail::as_size(written - 1)] == item) continue;
      user_items_[detail::as_size(written++)] = item;
    }
    user_offsets_[detail::as_size(u)] = row_start;
    begin = end;
  }
  user_offsets_[detail::as_size(users)] = written;
  duplicates_ = static_cast<std::int64_t>(user_items_.size()) - written;
  if (duplicates_ == 0) return;
  user_items_.resize(detail::as_size(written));
  detail::transpose_pattern(user_offsets_, user_items_, items, item_offsets_, item_users_);
}

GRAFT_INLINE Interactions Interactions::from_pairs(std::span<const std::int32_t> user_ids,
                                                   std::span<const std::int32_t> item_ids, std::int64_t users,
                                                   std::int64_t items) {
  if (user_ids.size() != item_ids.size()) {
    throw InvalidArgument(detail::message("Interactions", "item_ids", std::to_string(item_ids.size()) + " entries",
                                          "must be as many as user_ids, " + std::to_string(user_ids.size())));
  }
  users = detail::checked_size("users", users, "user_ids", user_ids);
  items = detail::checked_size("items", items, "item_ids", item_ids);
  Interactions result;
  result.user_offsets_ = detail::make_vector<std::int64_t>("Interactions", users + 1);
  for (const std::int32_t user : user_ids) ++result.user_offsets_[detail::as_size(user) + 1];
  for (std::int64_t u = 0; u < users; ++u) {
    result.user_offsets_[detail::as_size(u + 1)] += result.user_offsets_[detail::as_size(u)];
  }
  result.user_items_ = detail::make_vector<std::int32_t>("Interactions", static_cast<std::int64_t>(item_ids.size()));
  std::vector<std::int64_t> next = detail::copy_array<std::int64_t>(
      "Interactions", std::span<const std::int64_t>(result.user_offsets_).first(detail::as_size(users)));
  for (std::size_t e = 0; e < user_ids.size(); ++e) {
    result.user_items_[detail::as_size(next[detail::as_size(user_ids[e])]++)] = item_ids[e];
  }
  result.merge_rows_and_transpose(items);
  return result;
}

GRAFT_INLINE Interactions Interactions::from_csr(std::int64_t users, std::int64_t items,
                                                 std::span<const std::int64_t> row_offsets,
                                                 std::span<const std::int32_t> columns) {
  detail::check_csr<std::int64_t>("Interactions", users, items, row_offsets, columns, {}, false);
  Interactions result;
  result.user_offsets_ = detail::copy_array<std::int64_t>("Interactions", row_offsets);
  result.user_items_ = detail::copy_array<std::int32_t>("Interactions", columns);
  result.merge_rows_and_transpose(items);
  return result;
}

GRAFT_INLINE Interactions Interactions::from_csr(std::int64_t users, std::int64_t items,
                                                 std::span<const std::int32_t> row_offsets,
                                                 std::span<const std::int32_t> columns) {
  const std::vector<std::int64_t> wide = detail::copy_array<std::int64_t>("Interactions", row_offsets);
  return from_csr(users, items, wide, columns);
}

}  // namespace graft
