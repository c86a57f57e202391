// Small and random graphs, and the checks that every Graph -> Graph operator shares.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <graft/core/context.hpp>
#include <graft/core/error.hpp>
#include <graft/core/graph.hpp>
#include <support/check.hpp>

namespace graft::test {

struct Edge {
  std::int64_t row;
  std::int32_t column;
  float weight;

  friend bool operator==(const Edge&, const Edge&) = default;
};

/// A graph of edges given in any order.
inline Graph graph_of(std::int64_t items, const std::vector<Edge>& edges) {
  std::vector<std::vector<Edge>> rows(static_cast<std::size_t>(items));
  for (const Edge& edge : edges) rows[static_cast<std::size_t>(edge.row)].push_back(edge);
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> columns;
  std::vector<float> weights;
  for (const std::vector<Edge>& row : rows) {
    for (const Edge& edge : row) {
      columns.push_back(edge.column);
      weights.push_back(edge.weight);
    }
    offsets.push_back(static_cast<std::int64_t>(columns.size()));
  }
  return Graph(items, std::move(offsets), std::move(columns), std::move(weights), Unsorted::sort_and_sum);
}

/// A graph of a small dense matrix; 0 is no edge.
inline Graph graph_of(const std::vector<std::vector<float>>& matrix) {
  std::vector<Edge> edges;
  for (std::size_t r = 0; r < matrix.size(); ++r) {
    for (std::size_t c = 0; c < matrix.size(); ++c) {
      if (matrix[r][c] != 0.0F) {
        edges.push_back({static_cast<std::int64_t>(r), static_cast<std::int32_t>(c), matrix[r][c]});
      }
    }
  }
  return graph_of(static_cast<std::int64_t>(matrix.size()), edges);
}

/// Rows of 0 ... max_row edges, self loops and ties among them: weights are multiples of 1/8 in [-1, 1].
inline Graph random_graph(std::int64_t items, std::int64_t max_row, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<std::int64_t> row_size(0, std::min(max_row, items));
  std::uniform_int_distribution<std::int32_t> column(0, static_cast<std::int32_t>(items - 1));
  std::uniform_int_distribution<int> weight(-8, 8);
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> columns;
  std::vector<float> weights;
  for (std::int64_t r = 0; r < items; ++r) {
    std::vector<std::int32_t> row;
    for (std::int64_t e = row_size(random); e > 0; --e) row.push_back(column(random));
    if (r % 3 == 0) row.push_back(static_cast<std::int32_t>(r));
    std::sort(row.begin(), row.end());
    row.erase(std::unique(row.begin(), row.end()), row.end());
    for (const std::int32_t c : row) {
      columns.push_back(c);
      weights.push_back(static_cast<float>(weight(random)) / 8.0F);
    }
    offsets.push_back(static_cast<std::int64_t>(columns.size()));
  }
  return Graph(items, std::move(offsets), std::move(columns), std::move(weights));
}

/// Stored edges, row by row.
inline std::vector<Edge> edges_of(const GraphInput& graph) {
  std::vector<Edge> edges;
  for (std::int64_t r = 0; r < graph.items; ++r) {
    for (std::int64_t e = graph.row_begin(r); e < graph.row_end(r); ++e) {
      edges.push_back({r, graph.columns[static_cast<std::size_t>(e)], graph.weights[static_cast<std::size_t>(e)]});
    }
  }
  return edges;
}

/// Number of items of the graphs that determinism is checked on: more row blocks than threads.
inline constexpr std::int64_t kManyItems = 20000;

/// call(context) must give valid graphs of equal bits for 1, 2 and 7 threads, and throw Cancelled where the context
/// was cancelled before.
template <class Call>
void check_operator_contract(const Call& call) {
  const Graph expected = call(Context{.threads = 1});
  CHECK_NOTHROW(validate(expected.view()));
  for (const int threads : {2, 7}) {
    CAPTURE(threads);
    CHECK(call(Context{.threads = threads}) == expected);
  }
  const Context cancelled;
  cancelled.cancel.cancel();
  CHECK_THROWS_AS(call(cancelled), Cancelled);
  CHECK(contains(message_of<InvalidArgument>([&] { call(Context{.threads = -1}); }), {"threads", "-1"}));
}

/// call(graph) must take graphs without nodes, in both spellings, and without edges.
template <class Call>
void check_empty_graphs(const Call& call) {
  CHECK(call(GraphView{}) == Graph());
  for (const std::int64_t items : {0, 1, 5}) {
    const Graph graph(items);
    CHECK(call(graph.view()) == graph);
  }
}

}  // namespace graft::test
