#include <graft/ops/top_k.hpp>

#include <doctest/doctest.h>

#include <algorithm>

#include <graft/detail/select_neighbours.hpp>
#include <support/graphs.hpp>

namespace top_k_test {
namespace {

using graft::Context;
using graft::Graph;
using graft::GraphView;
using graft::InvalidArgument;
using graft::Self;
using graft::top_k;
using graft::detail::select_neighbours;
using graft::test::contains;
using graft::test::Edge;
using graft::test::edges_of;
using graft::test::graph_of;
using graft::test::message_of;

/// Slow and obvious: sorts the row by (weight descending, column ascending) and cuts it.
Graph oracle(const Graph& graph, std::int64_t k) {
  std::vector<Edge> kept;
  for (std::int64_t r = 0; r < graph.items(); ++r) {
    std::vector<Edge> row;
    for (std::size_t e = 0; e < graph.row_columns(r).size(); ++e) {
      row.push_back({r, graph.row_columns(r)[e], graph.row_weights(r)[e]});
    }
    std::sort(row.begin(), row.end(), [](const Edge& a, const Edge& b) {
      return a.weight != b.weight ? a.weight > b.weight : a.column < b.column;
    });
    row.resize(std::min(row.size(), static_cast<std::size_t>(k)));
    kept.insert(kept.end(), row.begin(), row.end());
  }
  return graph_of(graph.items(), kept);
}

TEST_CASE("top_k: keeps the heaviest; equal weights keep the smaller column") {
  const Graph graph = graph_of({{.1F, .9F, .5F, .9F}, {-1.F, -2.F, -3.F, -2.F}, {0, 0, 0, 0}, {.4F, .4F, .4F, .4F}});
  CHECK(top_k(graph, 2) == graph_of({{0, .9F, 0, .9F}, {-1.F, -2.F, 0, 0}, {0, 0, 0, 0}, {.4F, .4F, 0, 0}}));
  CHECK(top_k(graph, 3) == graph_of({{0, .9F, .5F, .9F}, {-1.F, -2.F, 0, -2.F}, {0, 0, 0, 0}, {.4F, .4F, .4F, 0}}));
}

TEST_CASE("top_k: k at or above the row size keeps all") {
  const Graph graph = graft::test::random_graph(50, 10, 5);
  CHECK(top_k(graph, 50) == graph);
  CHECK(top_k(graph, std::int64_t{1} << 40) == graph);
}

TEST_CASE("top_k: +0 and -0 tie") {
  CHECK(edges_of(top_k(graph_of(2, {{0, 0, -0.0F}, {0, 1, 0.0F}}), 1)) == std::vector<Edge>{{0, 0, -0.0F}});
}

TEST_CASE("top_k: equals a full sort of every row") {
  const Graph graph = graft::test::random_graph(500, 80, 6);
  for (const std::int64_t k : {1, 2, 7, 40, 79, 80, 81}) {
    CAPTURE(k);
    CHECK(top_k(graph, k) == oracle(graph, k));
  }
}

TEST_CASE("top_k: k below 1 is refused") {
  for (const std::int64_t k : {0, -3}) {
    CHECK(contains(message_of<InvalidArgument>([&] { top_k(Graph(2), k); }), {"top_k: k = ", "must be >= 1"}));
    CHECK(contains(message_of<InvalidArgument>([&] { select_neighbours(GraphView{}, k, Self::drop, {}); }),
                   {"k = ", "must be >= 1"}));
  }
}

TEST_CASE("top_k: empty graphs") {
  graft::test::check_empty_graphs([](const GraphView& graph) { return top_k(graph, 3); });
}

TEST_CASE("top_k: equal bits for any number of threads; cancelled before the call") {
  const Graph graph = graft::test::random_graph(graft::test::kManyItems, 30, 7);
  graft::test::check_operator_contract([&](const Context& context) { return top_k(graph, 5, context); });
}

// The rule by which `refine` reads a ready similarity graph.

TEST_CASE("select_neighbours: drop ignores the stored diagonal and keeps k others") {
  const Graph graph = graph_of({{1.F, .8F, .6F, .7F}, {.8F, 0, .96F, .36F}, {.6F, .96F, 1.F, .48F}, {0, 0, 0, 1.F}});
  CHECK(select_neighbours(graph, 2, Self::drop, {}) ==
        graph_of({{0, .8F, 0, .7F}, {.8F, 0, .96F, 0}, {.6F, .96F, 0, 0}, {0, 0, 0, 0}}));
  CHECK(select_neighbours(graph, 9, Self::drop, {}) ==
        graph_of({{0, .8F, .6F, .7F}, {.8F, 0, .96F, .36F}, {.6F, .96F, 0, .48F}, {0, 0, 0, 0}}));
}

TEST_CASE("select_neighbours: keep puts self first with weight 1, stored or not, and k - 1 others") {
  const Graph graph = graph_of({{.2F, .8F, .6F, .7F}, {.8F, 0, .96F, .36F}, {0, 0, 0, 0}, {2.F, 3.F, 2.F, 0}});
  CHECK(select_neighbours(graph, 1, Self::keep, {}) == Graph::identity(4));
  CHECK(select_neighbours(graph, 2, Self::keep, {}) ==
        graph_of({{1.F, .8F, 0, 0}, {0, 1.F, .96F, 0}, {0, 0, 1.F, 0}, {0, 3.F, 0, 1.F}}));
  CHECK(select_neighbours(graph, 9, Self::keep, {}) ==
        graph_of({{1.F, .8F, .6F, .7F}, {.8F, 1.F, .96F, .36F}, {0, 0, 1.F, 0}, {2.F, 3.F, 2.F, 1.F}}));
}

TEST_CASE("select_neighbours: k others, dropping self, is k + 1 places, keeping it, without the diagonal") {
  const Graph graph = graft::test::random_graph(300, 40, 8);
  for (const std::int64_t k : {1, 3, 12}) {
    std::vector<Edge> others = edges_of(select_neighbours(graph, k + 1, Self::keep, {}));
    std::erase_if(others, [](const Edge& edge) { return edge.row == edge.column; });
    CHECK(edges_of(select_neighbours(graph, k, Self::drop, {})) == others);
  }
}

TEST_CASE("select_neighbours: empty graphs and threads") {
  CHECK(select_neighbours(GraphView{}, 2, Self::keep, {}) == Graph());
  const Graph without_edges(3);
  CHECK(select_neighbours(without_edges, 2, Self::drop, {}) == without_edges);
  CHECK(select_neighbours(without_edges, 2, Self::keep, {}) == Graph::identity(3));
  const Graph graph = graft::test::random_graph(graft::test::kManyItems, 30, 9);
  graft::test::check_operator_contract(
      [&](const Context& context) { return select_neighbours(graph, 4, Self::keep, context); });
}

}  // namespace
}  // namespace top_k_test
