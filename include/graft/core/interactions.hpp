// The binary user x item matrix, held by user and by item.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <graft/core/config.hpp>

namespace graft {

/// Who interacted with what. Binary: repeated pairs are merged and counted.
///
/// `audience(i)` is U_i, the users of item i (ascending); `degree(i)` = |U_i|; `history(u)` the items of user u.
/// Memory: 8 bytes an interaction plus 8 a user and 8 an item.
class Interactions {
 public:
  /// No user, no item.
  Interactions() : user_offsets_(1, 0), item_offsets_(1, 0) {}

  /// From pairs (user_ids[e], item_ids[e]), in any order.
  /// @param users, items  sizes of the matrix; -1 takes the largest id + 1. Trailing users or items without
  ///                      interactions are fine.
  /// @throws InvalidArgument if the spans differ in length, an id is negative or not below its size
  static Interactions from_pairs(std::span<const std::int32_t> user_ids, std::span<const std::int32_t> item_ids,
                                 std::int64_t users = -1, std::int64_t items = -1);

  /// From a user x item CSR (values, if any, are ignored: a stored entry is an interaction).
  /// @param row_offsets [users + 1], monotone from 0   @param columns item ids, in any order within a row
  /// @throws InvalidArgument naming the array, the position and the value
  static Interactions from_csr(std::int64_t users, std::int64_t items, std::span<const std::int64_t> row_offsets,
                               std::span<const std::int32_t> columns);
  static Interactions from_csr(std::int64_t users, std::int64_t items, std::span<const std::int32_t> row_offsets,
                               std::span<const std::int32_t> columns);

  [[nodiscard]] std::int64_t users() const { return rows_of(user_offsets_); }
  [[nodiscard]] std::int64_t items() const { return rows_of(item_offsets_); }
  /// Distinct (user, item) pairs.
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(user_items_.size()); }
  /// Pairs that were given more than once and merged: given pairs - size().
  [[nodiscard]] std::int64_t duplicates() const { return duplicates_; }

  [[nodiscard]] std::span<const std::int32_t> audience(std::int64_t item) const& {
    return slice(item_offsets_, item_users_, item);
  }
  [[nodiscard]] std::span<const std::int32_t> history(std::int64_t user) const& {
    return slice(user_offsets_, user_items_, user);
  }
  [[nodiscard]] std::int64_t degree(std::int64_t item) const {
    return item_offsets_[static_cast<std::size_t>(item) + 1] - item_offsets_[static_cast<std::size_t>(item)];
  }

  [[nodiscard]] std::span<const std::int64_t> user_offsets() const& { return user_offsets_; }
  [[nodiscard]] std::span<const std::int32_t> user_items() const& { return user_items_; }
  [[nodiscard]] std::span<const std::int64_t> item_offsets() const& { return item_offsets_; }
  [[nodiscard]] std::span<const std::int32_t> item_users() const& { return item_users_; }

 private:
  static std::int64_t rows_of(const std::vector<std::int64_t>& offsets) {
    return offsets.empty() ? 0 : static_cast<std::int64_t>(offsets.size()) - 1;  // empty: moved from
  }
  static std::span<const std::int32_t> slice(const std::vector<std::int64_t>& offsets,
                                             const std::vector<std::int32_t>& ids, std::int64_t row) {
    const auto begin = static_cast<std::size_t>(offsets[static_cast<std::size_t>(row)]);
    const auto end = static_cast<std::size_t>(offsets[static_cast<std::size_t>(row) + 1]);
    return std::span<const std::int32_t>(ids).subspan(begin, end - begin);
  }
  void merge_rows_and_transpose(std::int64_t items);

  std::vector<std::int64_t> user_offsets_;
  std::vector<std::int32_t> user_items_;
  std::vector<std::int64_t> item_offsets_;
  std::vector<std::int32_t> item_users_;
  std::int64_t duplicates_ = 0;
};

}  // namespace graft

#ifndef GRAFT_COMPILED
#include <graft/detail/interactions_impl.hpp>
#endif
