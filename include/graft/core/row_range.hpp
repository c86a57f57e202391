// A half-open range of rows or columns.
#pragma once

#include <cstdint>
#include <limits>

namespace graft {

/// Rows (or columns) begin, begin + 1, ..., end - 1. The default means all of them.
///
/// Operators with a `row_range` compute those rows and leave the others empty; parts over disjoint ranges,
/// joined by `merge_top_k`, equal the whole bit for bit.
struct RowRange {
  std::int64_t begin = 0;
  std::int64_t end = std::numeric_limits<std::int64_t>::max();  ///< clipped to the number of rows
};

}  // namespace graft
