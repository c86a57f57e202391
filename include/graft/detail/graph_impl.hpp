// Bodies of core/graph.hpp.
#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/core/graph.hpp>
#include <graft/detail/checked.hpp>
#include <graft/detail/csr_check.hpp>

namespace graft {

GRAFT_INLINE void validate(const GraphView& graph) {
  if (graph.items == 0 && graph.row_offsets.empty() && graph.columns.empty() && graph.weights.empty()) return;
  detail::check_csr<std::int64_t>("Graph", graph.items, graph.items, graph.row_offsets, graph.columns, graph.weights,
                                  true);
  detail::require_ascending(graph.row_offsets, graph.columns);
}

namespace detail {

inline bool holds_invariants(const GraphView& graph) {
  try {
    validate(graph);
    return true;
  } catch (const InvalidArgument&) {
    return false;
  }
}

/// Places of the arrays are the caller's, which the check of the CSR could not name. @throws InvalidArgument
inline void check_edges(std::int64_t items, std::span<const std::int32_t> rows, std::span<const std::int32_t> columns,
                        std::span<const float> weights) {
  constexpr const char* kOperation = "Graph::from_coo";
  if (rows.size() != columns.size() || rows.size() != weights.size()) {
    throw InvalidArgument(message(kOperation, "rows, columns, weights",
                                  std::to_string(rows.size()) + ", " + std::to_string(columns.size()) + ", " +
                                      std::to_string(weights.size()) + " elements",
                                  "must be equally long"));
  }
  const auto refuse = [](const char* array, std::size_t place, const std::string& value, const std::string& allowed) {
    throw InvalidArgument(message(kOperation, array + ("[" + std::to_string(place) + "]"), value, allowed));
  };
  const std::string in_range = "must lie in [0, " + std::to_string(items) + ")";
  for (std::size_t e = 0; e < rows.size(); ++e) {
    if (rows[e] < 0 || rows[e] >= items) refuse("rows", e, std::to_string(rows[e]), in_range);
    if (columns[e] < 0 || columns[e] >= items) refuse("columns", e, std::to_string(columns[e]), in_range);
    if (!std::isfinite(weights[e])) refuse("weights", e, std::to_string(weights[e]), "must be finite");
  }
}

}  // namespace detail

GRAFT_INLINE Graph::Graph(std::int64_t items) {
  detail::check_node_count("Graph", "items", items);
  row_offsets_ = detail::make_vector<std::int64_t>("Graph", items + 1);
}

GRAFT_INLINE Graph::Graph(std::int64_t items, std::vector<std::int64_t> row_offsets, std::vector<std::int32_t> columns,
                          std::vector<float> weights, Unsorted unsorted)
    : row_offsets_(std::move(row_offsets)), columns_(std::move(columns)), weights_(std::move(weights)) {
  detail::check_csr<std::int64_t>("Graph", items, items, row_offsets_, columns_, weights_, true);
  if (unsorted == Unsorted::refuse) {
    detail::require_ascending(row_offsets_, columns_);
  } else if (detail::first_unsorted_row(row_offsets_, columns_) >= 0) {
    detail::sort_and_sum_rows(row_offsets_, columns_, weights_);
  }
}

GRAFT_INLINE Graph::Graph(detail::Trusted, std::vector<std::int64_t> row_offsets, std::vector<std::int32_t> columns,
                          std::vector<float> weights)
    : row_offsets_(std::move(row_offsets)), columns_(std::move(columns)), weights_(std::move(weights)) {
  assert(detail::holds_invariants(view()));
}

GRAFT_INLINE Graph Graph::from_csr(std::int64_t items, std::span<const std::int32_t> row_offsets,
                                   std::span<const std::int32_t> columns, std::span<const float> weights,
                                   Unsorted unsorted) {
  return Graph(items, detail::copy_array<std::int64_t>("Graph", row_offsets),
               detail::copy_array<std::int32_t>("Graph", columns), detail::copy_array<float>("Graph", weights),
               unsorted);
}

GRAFT_INLINE Graph Graph::from_csr(std::int64_t items, std::span<const std::int64_t> row_offsets,
                                   std::span<const std::int32_t> columns, std::span<const float> weights,
                                   Unsorted unsorted) {
  return Graph(items, detail::copy_array<std::int64_t>("Graph", row_offsets),
               detail::copy_array<std::int32_t>("Graph", columns), detail::copy_array<float>("Graph", weights),
               unsorted);
}

GRAFT_INLINE Graph Graph::from_coo(std::int64_t items, std::span<const std::int32_t> rows,
                                   std::span<const std::int32_t> columns, std::span<const float> weights) {
  detail::check_node_count("Graph::from_coo", "items", items);
  detail::check_edges(items, rows, columns, weights);
  std::vector<std::int64_t> offsets = detail::make_vector<std::int64_t>("Graph::from_coo", items + 1);
  for (const std::int32_t row : rows) ++offsets[static_cast<std::size_t>(row) + 1];
  std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
  std::vector<std::int64_t> next(offsets.begin(), offsets.end() - 1);
  const auto edges = static_cast<std::int64_t>(rows.size());
  std::vector<std::int32_t> sorted_columns = detail::make_vector<std::int32_t>("Graph::from_coo", edges);
  std::vector<float> sorted_weights = detail::make_vector<float>("Graph::from_coo", edges);
  for (std::size_t e = 0; e < rows.size(); ++e) {
    const auto place = static_cast<std::size_t>(next[static_cast<std::size_t>(rows[e])]++);
    sorted_columns[place] = columns[e];
    sorted_weights[place] = weights[e];
  }
  return Graph(items, std::move(offsets), std::move(sorted_columns), std::move(sorted_weights), Unsorted::sort_and_sum);
}

GRAFT_INLINE Graph Graph::copy_of(const GraphView& view) {
  if (view.items == 0 && view.row_offsets.empty() && view.columns.empty() && view.weights.empty()) return {};
  return from_csr(view.items, view.row_offsets, view.columns, view.weights);
}

GRAFT_INLINE Graph Graph::identity(std::int64_t items, float weight) {
  detail::check_node_count("Graph::identity", "items", items);
  if (!std::isfinite(weight)) {
    throw InvalidArgument(detail::message("Graph::identity", "weight", std::to_string(weight), "must be finite"));
  }
  std::vector<std::int64_t> offsets = detail::make_vector<std::int64_t>("Graph::identity", items + 1);
  std::vector<std::int32_t> columns = detail::make_vector<std::int32_t>("Graph::identity", items);
  std::vector<float> weights = detail::make_vector<float>("Graph::identity", items);
  std::iota(offsets.begin(), offsets.end(), std::int64_t{0});
  std::iota(columns.begin(), columns.end(), std::int32_t{0});
  std::fill(weights.begin(), weights.end(), weight);
  return Graph(detail::Trusted{}, std::move(offsets), std::move(columns), std::move(weights));
}

}  // namespace graft
