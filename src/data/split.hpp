// Splitting interactions into training, validation and test rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <graft/core/context.hpp>
#include <graft/io/inter.hpp>

namespace graft::data {

/// Rows of one user, or of a whole table, by split.
struct SplitCounts {
  std::int64_t train = 0;
  std::int64_t valid = 0;
  std::int64_t test = 0;

  bool operator==(const SplitCounts&) const = default;
};

/// How many of a user's `rows` (>= 0) go to each split: the rule of the published splits of the MMRec family.
/// From 10 rows on v = floor(rows / 5) are held out, floor(v / 2) of them for validation; below 10, one row for
/// validation and one for test. Users with fewer than 3 rows are not in those splits: a user keeps at least one
/// training row, and a test row comes before a validation row (1 -> 1, 0, 0; 2 -> 1, 0, 1).
constexpr SplitCounts per_user_counts(std::int64_t rows) {
  if (rows < 2) return {rows, 0, 0};
  if (rows == 2) return {1, 0, 1};
  if (rows < 10) return {rows - 2, 1, 1};
  const std::int64_t held_out = rows / 5;
  return {rows - held_out, held_out / 2, held_out - held_out / 2};
}

/// How rows are divided. Each leaves the rows of a split where the table had them: nothing is invented or dropped.
enum class Protocol {
  random,         ///< each user's rows in random order, counts by per_user_counts: the published splits' algorithm
  temporal,       ///< one cut through time for all users: the earliest 80 % of the rows train, the next 10 % validate
  temporal_user,  ///< each user's rows by time, counts by per_user_counts: the latest is the test
  cold_item       ///< items are divided, and each row goes where its item does: held-out items never train
};

struct SplitOptions {
  Protocol protocol = Protocol::random;
  /// Another seed gives another random or cold_item split; the temporal ones have no chance in them.
  std::uint64_t seed = 999;
  /// cold_item: share of the items that are held out, in [0, 1]; floor(share * items) items, half of them (floor) for
  /// validation, the others for the test. Chosen uniformly.
  double cold_share = 0.2;
};

/// A table of interactions; ids are dense.
struct RowsView {
  std::span<const std::int32_t> users;
  std::span<const std::int32_t> items;
  std::span<const std::int64_t> times;  ///< any unit; empty where there are none
  std::int64_t user_count = 0;
  std::int64_t item_count = 0;
};

struct RowSplit {
  std::vector<Split> labels;        ///< of each row of the table
  std::vector<std::int64_t> order;  ///< the rows as they are to be written: by user, train before valid before test
};

/// Divides the rows of a table.
///
/// random: the order of a user's rows depends on the seed, the user's number and the number of rows alone. Written in
/// that order. temporal: with n rows, training ends with the ceil(0.8 n)-th time and validation with the
/// ceil(0.9 n)-th; rows of equal time stay together, on the earlier side of a cut, so no split sees a moment that an
/// earlier one lacks. temporal and temporal_user: equal times are ordered as in the table.
/// @throws InvalidArgument (a temporal protocol without times; spans of different length; cold_share, or too few items
///         for it), Cancelled
/// Cost: O(rows log(rows of a user)); 9 bytes a row beyond the result.
RowSplit split_rows(const RowsView& rows, const SplitOptions& options, const Context& context = {});

/// Marks with 0 the rows that repeat an earlier row of the table, with 1 all others.
/// @param times  two rows are then the same if user, item and time are; empty: if user and item are
/// @throws Cancelled
std::vector<char> first_occurrences(std::span<const std::int32_t> users, std::span<const std::int32_t> items,
                                    std::span<const std::int64_t> times, std::int64_t user_count,
                                    const Context& context = {});

}  // namespace graft::data
