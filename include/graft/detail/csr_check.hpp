// Checks of CSR arrays that come from outside.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/detail/checked.hpp>

namespace graft::detail {

inline std::string at(const char* array, std::int64_t position) {
  return std::string(array) + "[" + std::to_string(position) + "]";
}

/// Sizes, offsets, ids and (where there are any) weights of a CSR matrix; the order of columns is not looked at.
/// @throws InvalidArgument naming the array, the position and the value
template <class Offset>
void check_csr(const char* operation, std::int64_t rows, std::int64_t cols, std::span<const Offset> row_offsets,
               std::span<const std::int32_t> columns, std::span<const float> weights, bool weighted) {
  check_node_count(operation, "rows", rows);
  check_node_count(operation, "cols", cols);
  const auto stored = static_cast<std::int64_t>(columns.size());
  if (static_cast<std::int64_t>(row_offsets.size()) != rows + 1) {
    throw InvalidArgument(message(operation, "row_offsets", std::to_string(row_offsets.size()) + " entries",
                                  "must have rows + 1 = " + std::to_string(rows + 1)));
  }
  if (weighted && weights.size() != columns.size()) {
    throw InvalidArgument(message(operation, "weights", std::to_string(weights.size()) + " entries",
                                  "must have one for each of the " + std::to_string(stored) + " columns"));
  }
  if (row_offsets.front() != 0) {
    throw InvalidArgument(message(operation, "row_offsets[0]", std::to_string(row_offsets.front()), "must be 0"));
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    if (row_offsets[as_size(r + 1)] < row_offsets[as_size(r)]) {
      throw InvalidArgument(
          message(operation, at("row_offsets", r + 1), std::to_string(row_offsets[as_size(r + 1)]),
                  "must not fall below the offset before it, " + std::to_string(row_offsets[as_size(r)])));
    }
  }
  if (static_cast<std::int64_t>(row_offsets.back()) != stored) {
    throw InvalidArgument(message(operation, at("row_offsets", rows), std::to_string(row_offsets.back()),
                                  "must be the number of columns, " + std::to_string(stored)));
  }
  for (std::int64_t e = 0; e < stored; ++e) {
    if (columns[as_size(e)] < 0 || columns[as_size(e)] >= cols) {
      throw InvalidArgument(message(operation, at("columns", e), std::to_string(columns[as_size(e)]),
                                    "must lie in [0, " + std::to_string(cols) + ")"));
    }
  }
  if (!weighted) return;
  for (std::int64_t e = 0; e < stored; ++e) {
    if (!std::isfinite(weights[as_size(e)])) {
      throw InvalidArgument(
          message(operation, at("weights", e), std::to_string(weights[as_size(e)]), "must be finite"));
    }
  }
}

/// First row whose columns do not ascend strictly, or -1.
inline std::int64_t first_unsorted_row(std::span<const std::int64_t> row_offsets,
                                       std::span<const std::int32_t> columns) {
  for (std::size_t r = 0; r + 1 < row_offsets.size(); ++r) {
    for (std::int64_t e = row_offsets[r] + 1; e < row_offsets[r + 1]; ++e) {
      if (columns[as_size(e)] <= columns[as_size(e - 1)]) return static_cast<std::int64_t>(r);
    }
  }
  return -1;
}

/// Refuses rows whose columns do not ascend strictly.
inline void require_ascending(std::span<const std::int64_t> row_offsets, std::span<const std::int32_t> columns) {
  const std::int64_t row = first_unsorted_row(row_offsets, columns);
  if (row < 0) return;
  throw InvalidArgument(message("Graph", "columns of row " + std::to_string(row), "",
                                "must ascend without repeats; Unsorted::sort_and_sum mends a copy"));
}

/// Sorts every row by column and sums the weights of repeated columns, in place.
/// @throws InvalidArgument naming row and column if a sum is not finite
inline void sort_and_sum_rows(std::vector<std::int64_t>& row_offsets, std::vector<std::int32_t>& columns,
                              std::vector<float>& weights) {
  struct Entry {
    std::int32_t column;
    float weight;
    std::int64_t place;  // repeated columns are summed in the order given
  };
  std::vector<Entry> row;
  std::int64_t written = 0;
  std::int64_t begin = 0;
  for (std::size_t r = 0; r + 1 < row_offsets.size(); ++r) {
    const std::int64_t end = row_offsets[r + 1];
    row.clear();
    for (std::int64_t e = begin; e < end; ++e) row.push_back({columns[as_size(e)], weights[as_size(e)], e});
    std::sort(row.begin(), row.end(), [](const Entry& a, const Entry& b) {
      return a.column < b.column || (a.column == b.column && a.place < b.place);
    });
    const std::int64_t row_start = written;
    for (const auto& [column, weight, place] : row) {
      if (written == row_start || columns[as_size(written - 1)] != column) {
        columns[as_size(written)] = column;
        weights[as_size(written)] = weight;
        ++written;
        continue;
      }
      float& sum = weights[as_size(written - 1)];
      sum += weight;
      if (!std::isfinite(sum)) {
        throw InvalidArgument(message("Graph", "weights of row " + std::to_string(r) + ", repeated column",
                                      std::to_string(column), "must have a sum that is finite in float32"));
      }
    }
    row_offsets[r] = row_start;
    begin = end;
  }
  row_offsets.back() = written;
  columns.resize(as_size(written));
  weights.resize(as_size(written));
}

/// A copy of a user's array, widened where T is wider; a refusal of the system becomes OutOfMemory.
template <class T, class Source>
std::vector<T> copy_array(const char* operation, std::span<const Source> source) {
  std::vector<T> copy = make_vector<T>(operation, static_cast<std::int64_t>(source.size()));
  std::copy(source.begin(), source.end(), copy.begin());
  return copy;
}

}  // namespace graft::detail
