// Interaction files (.inter) in the format of the MMRec framework.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <graft/core/config.hpp>
#include <graft/core/interactions.hpp>

namespace graft {

/// Which rows of a split file to take: x_label 0, 1, 2.
enum class Split : std::int8_t { train = 0, valid = 1, test = 2, all = 3 };

struct InterOptions {
  /// Rows to take. Graphs and refinement must see training rows only, hence the default.
  Split split = Split::train;
  /// Number of items, e.g. rows of the features; an itemID that is not below it, in any split, is then an error.
  /// -1: the largest itemID of ALL splits + 1.
  std::int64_t items = -1;
  /// Number of users; a userID that is not below it, in any split, is then an error. -1: the largest userID of ALL
  /// splits + 1.
  std::int64_t users = -1;
};

/// Rows of a .inter file in the file's order, all splits.
struct InterTable {
  std::vector<std::int32_t> users;
  std::vector<std::int32_t> items;
  std::vector<Split> labels;                 ///< one a row
  bool has_labels = false;                   ///< whether the file has x_label; without it every row is train
  std::int64_t user_count = 0;               ///< largest userID + 1, over all splits
  std::int64_t item_count = 0;               ///< largest itemID + 1, over all splits
  std::array<std::int64_t, 3> split_rows{};  ///< rows of train, valid, test

  /// Things a person should know and no error: no x_label column, no row.
  std::vector<std::string> notices;
};

/// Reads a tab-separated file with a header. Required columns `userID` and `itemID`, in any order; optional `x_label`
/// (0 train, 1 validation, 2 test); others are ignored. Accepted: LF or CRLF, a UTF-8 byte-order mark, blank lines at
/// the end, no newline at the end, a header without rows (with a notice), leading zeros of an id.
/// @throws IoError; FormatError naming file, line and field: empty file, one of those columns missing or repeated, a
///         row with another number of fields than the header, a blank line before a row, a line over 2^20 bytes, an id
///         that is not a decimal integer in [0, 2^31 - 2] (no sign, blank or fraction), x_label outside 0-2, an id
///         over max(2^20, 64 x rows of the file) (re-index such ids: `graft prepare split`)
/// Memory: 9 bytes a row, a few times that while the rows are not yet counted, and 2 MiB: the file is read in pieces.
InterTable read_inter_table(const std::filesystem::path& path);

/// Reads one split as Interactions: of the training rows unless told otherwise. Repeated pairs are merged
/// (Interactions::duplicates()). Errors as above, and an id not below options.items or options.users, with its line.
Interactions read_inter(const std::filesystem::path& path, const InterOptions& options = {});

/// The same from a table that was read before. @throws InvalidArgument if an id is not below a given size, or the table
/// has not as many items and labels as users
Interactions interactions_of(const InterTable& table, const InterOptions& options = {});

}  // namespace graft

#ifndef GRAFT_COMPILED
#include <graft/detail/inter_impl.hpp>
#endif
