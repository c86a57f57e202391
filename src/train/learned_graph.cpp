#include "train/learned_graph.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <graft/detail/checked.hpp>

namespace graft::training {

using autodiff::IndexList;
using autodiff::Indices;
using autodiff::Var;
using detail::as_id;
using detail::as_size;

EdgeList edge_list(const GraphView& graph) {
  std::vector<std::int32_t> rows;
  rows.reserve(graph.columns.size());
  for (std::int64_t row = 0; row < graph.items; ++row) {
    rows.insert(rows.end(), as_size(graph.row_size(row)), as_id(row));
  }
  return {IndexList::make(std::move(rows), graph.items),
          IndexList::make({graph.columns.begin(), graph.columns.end()}, graph.items)};
}

EdgeUnion edge_union(std::span<const Graph> graphs) {
  const std::int64_t items = graphs.front().items();
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> columns;
  std::vector<std::vector<std::int32_t>> places(graphs.size());
  std::vector<std::int32_t> row_columns;
  for (std::int64_t row = 0; row < items; ++row) {
    row_columns.clear();
    for (const Graph& graph : graphs) {
      const auto own = graph.row_columns(row);
      row_columns.insert(row_columns.end(), own.begin(), own.end());
    }
    std::sort(row_columns.begin(), row_columns.end());
    row_columns.erase(std::unique(row_columns.begin(), row_columns.end()), row_columns.end());
    for (std::size_t m = 0; m < graphs.size(); ++m) {
      for (const std::int32_t column : graphs[m].row_columns(row)) {
        const auto found = std::lower_bound(row_columns.begin(), row_columns.end(), column);
        places[m].push_back(as_id(offsets.back() + (found - row_columns.begin())));
      }
    }
    columns.insert(columns.end(), row_columns.begin(), row_columns.end());
    offsets.push_back(static_cast<std::int64_t>(columns.size()));
  }
  const std::int64_t edges = offsets.back();
  EdgeUnion result;
  result.pattern = Graph(items, std::move(offsets), std::move(columns), std::vector<float>(as_size(edges), 0.0F));
  result.edges = edge_list(result.pattern);
  for (std::vector<std::int32_t>& own : places) result.places.push_back(IndexList::make(std::move(own), edges));
  return result;
}

Var edge_similarities(Var x, const EdgeList& edges) { return row_dot(rows(x, edges.rows), rows(x, edges.columns)); }

Var normalized_edges(Var weights, const EdgeList& edges) {
  constexpr double kLeastSum = 1e-12;
  const Var sums = sum_by(weights, edges.rows);
  const Var positive = at_least(sums, kLeastSum);
  const Var factors = relu(sums) / (positive * square_root(positive));  // r^-1/2; 0 for r <= 0
  return weights * rows(factors, edges.rows) * rows(factors, edges.columns);
}

Var edge_product(Var weights, const EdgeList& edges, Var x) {
  return sum_by(rows(x, edges.columns) * weights, edges.rows);
}

Graph with_weights(const Graph& pattern, autodiff::Backend& backend, const autodiff::Tensor& weights) {
  std::vector<float> values(as_size(weights.size()));
  backend.download(weights, MatrixView<float>(values.data(), weights.rows(), weights.cols()));
  return {pattern.items(),
          {pattern.row_offsets().begin(), pattern.row_offsets().end()},
          {pattern.columns().begin(), pattern.columns().end()},
          std::move(values)};
}

}  // namespace graft::training
