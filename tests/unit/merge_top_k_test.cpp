#include <graft/ops/merge_top_k.hpp>

#include <doctest/doctest.h>

#include <graft/ops/drop_self_loops.hpp>
#include <graft/ops/top_k.hpp>
#include <support/graphs.hpp>

namespace merge_top_k_test {
namespace {

using graft::Context;
using graft::Graph;
using graft::GraphInput;
using graft::GraphView;
using graft::InvalidArgument;
using graft::merge_top_k;
using graft::test::contains;
using graft::test::Edge;
using graft::test::edges_of;
using graft::test::graph_of;
using graft::test::message_of;

Graph merged(const std::vector<GraphInput>& parts, std::int64_t k, const Context& context = {}) {
  return merge_top_k(std::vector<GraphView>(parts.begin(), parts.end()), k, context);
}

/// The edges of a graph for which part_of(row, column) is `part`.
template <class PartOf>
Graph part(const Graph& graph, std::int64_t part, const PartOf& part_of) {
  std::vector<Edge> edges = edges_of(graph);
  std::erase_if(edges, [&](const Edge& edge) { return part_of(edge.row, edge.column) != part; });
  return graph_of(graph.items(), edges);
}

TEST_CASE("merge_top_k: parts over disjoint rows are joined as they are") {
  const Graph graph = graft::test::random_graph(100, 10, 38);
  const auto by_row = [](std::int64_t row, std::int32_t) { return row / 40; };
  const std::vector<Graph> parts{part(graph, 0, by_row), part(graph, 1, by_row), part(graph, 2, by_row)};
  CHECK(merged({parts[2], parts[0], parts[1]}, 100) == graph);
}

TEST_CASE("merge_top_k: parts over disjoint columns are merged by weight, then column") {
  const Graph left = graph_of(5, {{4, 0, 0.5F}, {4, 1, 0.9F}, {3, 0, -1.0F}});
  const Graph right = graph_of(5, {{4, 2, 0.9F}, {4, 3, 0.5F}, {3, 2, -0.5F}});
  CHECK(edges_of(merged({right, left}, 3)) ==
        std::vector<Edge>{{3, 0, -1.0F}, {3, 2, -0.5F}, {4, 0, 0.5F}, {4, 1, 0.9F}, {4, 2, 0.9F}});
  CHECK(edges_of(merged({right, left}, 1)) == std::vector<Edge>{{3, 2, -0.5F}, {4, 1, 0.9F}});
}

TEST_CASE("merge_top_k: top_k of column parts, merged, is top_k of the whole") {
  const Graph graph = graft::drop_self_loops(graft::test::random_graph(400, 60, 39));
  const auto by_column = [](std::int64_t, std::int32_t column) { return std::int64_t{column} % 4; };
  for (const std::int64_t k : {1, 5, 17, 100}) {
    std::vector<Graph> parts;
    std::vector<GraphInput> views;
    for (std::int64_t p = 0; p < 4; ++p) parts.push_back(graft::top_k(part(graph, p, by_column), k));
    for (const Graph& one : parts) views.emplace_back(one);
    CHECK(merged(views, k) == graft::top_k(graph, k));
  }
}

TEST_CASE("merge_top_k: a self loop comes first, whatever it weighs") {
  const Graph left = graph_of(3, {{0, 0, -1.0F}, {0, 1, 0.5F}, {1, 0, 0.7F}});
  const Graph right = graph_of(3, {{0, 2, 0.9F}, {1, 1, 1.0F}, {1, 2, 1.0F}});
  CHECK(edges_of(merged({left, right}, 2)) ==
        std::vector<Edge>{{0, 0, -1.0F}, {0, 2, 0.9F}, {1, 1, 1.0F}, {1, 2, 1.0F}});
  CHECK(edges_of(merged({left, right}, 1)) == std::vector<Edge>{{0, 0, -1.0F}, {1, 1, 1.0F}});
}

TEST_CASE("merge_top_k: the same edge with the same weight is one edge") {
  const Graph graph = graft::test::random_graph(200, 20, 40);
  CHECK(merged({graph, graph, graph}, 1000) == graph);
  CHECK(merged({graph, graph}, 3) == merged({graph}, 3));
}

TEST_CASE("merge_top_k: the same edge with different weights names the first edge and both weights") {
  std::vector<Edge> left{{4321, 7, 1.5F}};
  std::vector<Edge> right{{4321, 3, 9.0F}, {4321, 7, 2.5F}};
  for (std::int64_t r = 5000; r < graft::test::kManyItems; ++r) {
    left.push_back({r, 1, 1.0F});
    right.push_back({r, 1, 2.0F});
  }
  const Graph a = graph_of(graft::test::kManyItems, left);
  const Graph b = graph_of(graft::test::kManyItems, right);
  for (const int threads : {1, 7}) {
    const std::string text = message_of<InvalidArgument>([&] { merged({a, b}, 2, Context{.threads = threads}); });
    CHECK(contains(text, {"merge_top_k", "row 4321", "column 7", "1.5", "2.5"}));
  }
}

TEST_CASE("merge_top_k: no part, sizes that differ and k below 1 are refused") {
  CHECK(contains(message_of<InvalidArgument>([] { merged({}, 3); }), {"merge_top_k: parts", "one or more"}));
  CHECK(contains(message_of<InvalidArgument>([] { merged({Graph(2), Graph(2), Graph(7)}, 3); }),
                 {"parts[2].items = 7", "parts[0].items = 2"}));
  CHECK(contains(message_of<InvalidArgument>([] { merged({Graph(2)}, 0); }), {"merge_top_k: k = 0", ">= 1"}));
}

TEST_CASE("merge_top_k: empty graphs") {
  graft::test::check_empty_graphs([](const GraphView& graph) { return merged({graph, graph}, 2); });
}

TEST_CASE("merge_top_k: equal bits for any number of threads; cancelled before the call") {
  const Graph graph = graft::test::random_graph(graft::test::kManyItems, 30, 41);
  const auto by_column = [](std::int64_t, std::int32_t column) { return std::int64_t{column} % 2; };
  const Graph even = part(graph, 0, by_column);
  const Graph odd = part(graph, 1, by_column);
  graft::test::check_operator_contract([&](const Context& context) { return merged({odd, even}, 6, context); });
}

}  // namespace
}  // namespace merge_top_k_test
