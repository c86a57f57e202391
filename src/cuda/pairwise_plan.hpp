// How a pairwise call is cut to fit a device: tiles to its cache, rows and columns to its budget.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include <graft/detail/checked.hpp>

namespace graft::cuda {

using graft::detail::saturating_add;
using graft::detail::saturating_multiply;

/// Columns of a tile of scores: wide enough to amortise a launch.
inline constexpr std::int64_t kTileColumns = 4096;
inline constexpr std::int64_t kMostTileRows = 4096;
/// Rows of a tile go down to this for the cache's sake; below it the matrix units starve.
inline constexpr std::int64_t kLeastCachedRows = 256;
/// Candidates that are held for a row: this, or twice the k wanted. More certify more rows and score more pairs twice.
inline constexpr std::int64_t kLeastShortlist = 64;
/// Most places that a warp sorts in shared memory; above, a block works on a row, in global memory.
inline constexpr std::int64_t kMostWarpPlaces = 128;
inline constexpr int kSelectThreads = 256;

constexpr std::int64_t rounded_up(std::int64_t value, std::int64_t step) { return (value + step - 1) / step * step; }

/// Elements between rows: float32 is read four at once, float16 as cuBLAS likes it. At least one element, so that a row
/// without dimensions has scores.
constexpr std::int64_t exact_stride(std::int64_t dims) { return rounded_up(std::max<std::int64_t>(dims, 1), 4); }
constexpr std::int64_t short_stride(std::int64_t dims) { return rounded_up(std::max<std::int64_t>(dims, 1), 16); }

/// Sizes of the lists that a row's selection works on.
struct ListSizes {
  std::int64_t places = 0;     ///< k wanted
  std::int64_t shortlist = 0;  ///< candidates kept by approximate value
  std::int64_t capacity = 0;   ///< entries of a row's list, a power of two
  bool by_warp = true;
};

constexpr ListSizes list_sizes(std::int64_t places) {
  ListSizes sizes;
  sizes.places = places;
  sizes.shortlist = std::max(kLeastShortlist, 2 * places);
  sizes.by_warp = sizes.shortlist <= kMostWarpPlaces;
  // a group's threads offer at once beyond what is kept; and results of earlier columns join those of these
  const std::int64_t least = 2 * sizes.shortlist + (sizes.by_warp ? 32 : kSelectThreads);
  sizes.capacity = 1;
  while (sizes.capacity < least) sizes.capacity *= 2;
  return sizes;
}

struct PairwiseSizes {
  std::int64_t query_rows = 0;  ///< rows of the matrix of queries
  std::int64_t item_rows = 0;   ///< rows of the matrix of items
  std::int64_t rows = 0;        ///< queries to serve
  std::int64_t columns = 0;     ///< candidates
  std::int64_t dims = 0;
  std::int64_t places = 0;
  bool same = false;             ///< one matrix
  std::int64_t extra_bytes = 0;  ///< exclusions and whatever else is held throughout
};

struct DevicePlan {
  ListSizes lists;
  std::int64_t tile_rows = 0;
  std::int64_t tile_columns = 0;
  bool resident = false;          ///< one matrix, on the device as a whole
  std::int64_t row_group = 0;     ///< queries on the device at once
  std::int64_t column_group = 0;  ///< items on the device at once
  std::int64_t least_bytes = 0;   ///< budget that would do
  bool fits = false;
};

/// Bytes of a prepared row: float32, float16, its errors, exponent, terms.
constexpr std::int64_t side_bytes(std::int64_t dims) {
  return saturating_add(
      saturating_add(saturating_multiply(4, exact_stride(dims)), saturating_multiply(2, short_stride(dims))), 32);
}

/// Bytes of a row's results: keys, then ids and values, counts, its terms, its place in the list of rows to redo.
constexpr std::int64_t result_bytes(std::int64_t places) { return saturating_add(saturating_multiply(16, places), 24); }

/// Divides the budget. The result of the call does not depend on it.
inline DevicePlan plan_on_device(const PairwiseSizes& sizes, std::int64_t budget, std::int64_t cache_bytes,
                                 std::int64_t blas_bytes) {
  DevicePlan plan;
  plan.lists = list_sizes(sizes.places);
  plan.tile_columns = std::min(kTileColumns, rounded_up(std::max<std::int64_t>(sizes.columns, 1), 4));
  const std::int64_t row_bytes = 4 * plan.tile_columns + saturating_multiply(8, plan.lists.capacity) + 16;
  const std::int64_t held = saturating_add(8 * (sizes.query_rows + (sizes.same ? 0 : sizes.item_rows)),
                                           saturating_add(blas_bytes, sizes.extra_bytes));
  const std::int64_t a_row = saturating_add(side_bytes(sizes.dims), result_bytes(sizes.places));
  const std::int64_t a_column = side_bytes(sizes.dims);
  plan.least_bytes = saturating_add(saturating_add(held, row_bytes), saturating_add(a_row, a_column));
  if (budget < plan.least_bytes) return plan;
  plan.fits = true;
  // half of the cache for scores: the other half is for the rows that they are made of
  const std::int64_t cached = cache_bytes / 2 / (4 * plan.tile_columns) / kLeastCachedRows * kLeastCachedRows;
  plan.tile_rows = std::clamp(cached, kLeastCachedRows, kMostTileRows);
  plan.tile_rows = std::min(plan.tile_rows, std::max<std::int64_t>(sizes.rows, 1));
  const std::int64_t affordable = (budget - held - a_row - a_column) / 4 / row_bytes;
  plan.tile_rows = std::max<std::int64_t>(1, std::min(plan.tile_rows, affordable));
  const std::int64_t free = budget - held - plan.tile_rows * row_bytes;
  const std::int64_t results = saturating_multiply(sizes.rows, result_bytes(sizes.places));
  if (sizes.same && saturating_add(saturating_multiply(sizes.query_rows, a_column), results) <= free) {
    plan.resident = true;
    plan.row_group = sizes.rows;
    plan.column_group = sizes.columns;
    return plan;
  }
  const std::int64_t all_columns = saturating_multiply(sizes.columns, a_column);
  // half for columns, or all of it but one row where a row's results take more than that
  const std::int64_t for_columns = std::min(free / 2, free - a_row);
  plan.column_group = all_columns <= for_columns ? sizes.columns : std::max<std::int64_t>(1, for_columns / a_column);
  const std::int64_t for_rows = free - plan.column_group * a_column;
  plan.row_group = std::clamp<std::int64_t>(for_rows / a_row, 1, std::max<std::int64_t>(sizes.rows, 1));
  return plan;
}

}  // namespace graft::cuda
