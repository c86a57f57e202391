// Rows of jaccard_graph by what they cost, and how they are cut into chunks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace graft::cuda {

/// A row's cost, its counter increments, bounds the columns it touches. Rows up to these costs count in a hash table in
/// shared memory, twice as large; the others in a counter a column, block of columns after block of columns.
inline constexpr std::int64_t kSmallRowCost = 256;
inline constexpr std::int64_t kMediumRowCost = 1024;

/// Increments of a chunk: some tens of milliseconds, so that cancelling is noticed.
inline constexpr std::int64_t kIncrementsPerChunk = std::int64_t{1} << 28;

/// Rows, counted from the chunk's first, by bin. Rows without cost are in none.
struct RowBins {
  std::vector<std::int32_t> small;
  std::vector<std::int32_t> medium;
  std::vector<std::int32_t> large;  ///< the costliest first: what starts last should end soon
};

inline RowBins bin_rows(const std::int64_t* row_cost, std::int64_t rows) {
  RowBins bins;
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t cost = row_cost[r];
    if (cost == 0) continue;
    std::vector<std::int32_t>& costly = cost <= kMediumRowCost ? bins.medium : bins.large;
    std::vector<std::int32_t>& bin = cost <= kSmallRowCost ? bins.small : costly;
    bin.push_back(static_cast<std::int32_t>(r));
  }
  std::stable_sort(bins.large.begin(), bins.large.end(),
                   [&](std::int32_t a, std::int32_t b) { return row_cost[a] > row_cost[b]; });
  return bins;
}

/// End of the chunk that starts at row `begin`: as many rows as keep edges and increments within their limits, at least
/// one. @param row_capacity  [rows + 1], where rows' edges start
inline std::int64_t chunk_end(const std::int64_t* row_cost, const std::int64_t* row_capacity, std::int64_t begin,
                              std::int64_t rows, std::int64_t most_edges) {
  std::int64_t increments = 0;
  std::int64_t end = begin;
  while (end < rows) {
    increments += row_cost[end];
    if (end > begin && (increments > kIncrementsPerChunk || row_capacity[end + 1] - row_capacity[begin] > most_edges)) {
      break;
    }
    ++end;
  }
  return end;
}

}  // namespace graft::cuda
