// The k-core of a table of interactions: what is left when rare users and items are removed again and again.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <graft/core/context.hpp>

namespace graft::data {

/// One round: what it found below k in the table as the rounds before had left it.
struct KCoreRound {
  std::int64_t users = 0;  ///< users with fewer than k rows
  std::int64_t items = 0;  ///< items with fewer than k rows
  std::int64_t rows = 0;   ///< rows of such a user or of such an item: removed

  bool operator==(const KCoreRound&) const = default;
};

struct KCore {
  std::vector<std::int64_t> rows;  ///< rows that stay, ascending
  std::vector<KCoreRound> rounds;  ///< rounds that removed something
};

/// The largest part of the table in which every user and every item has at least k rows.
///
/// Each round counts the rows of every user and every item of the current table, then removes the rows of all users
/// and items below k at once. Rows count, not distinct pairs. What is left at the end is the same for any order of
/// removal; the rounds are not.
/// @param users, items  ids of each row, in [0, user_count) and [0, item_count)
/// @param k             >= 0; 0 and 1 keep every row
/// @throws InvalidArgument (k, spans of different length), Cancelled
/// Cost: O(rows left) a round; 8 bytes a row, a user and an item.
KCore k_core(std::span<const std::int32_t> users, std::span<const std::int32_t> items, std::int64_t user_count,
             std::int64_t item_count, std::int64_t k, const Context& context = {});

/// The largest k in [0, most] whose k-core has a row. Arguments and errors as above. Cost: log2(most) k-cores.
std::int64_t largest_core(std::span<const std::int32_t> users, std::span<const std::int32_t> items,
                          std::int64_t user_count, std::int64_t item_count, std::int64_t most,
                          const Context& context = {});

}  // namespace graft::data
