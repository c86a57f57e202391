#include <graft/ops/drop_self_loops.hpp>

#include <doctest/doctest.h>

#include <support/graphs.hpp>

namespace drop_self_loops_test {
namespace {

using graft::Context;
using graft::drop_self_loops;
using graft::Graph;
using graft::GraphView;
using graft::test::Edge;
using graft::test::edges_of;
using graft::test::graph_of;

TEST_CASE("drop_self_loops: removes by index, whatever the weight") {
  const Graph graph = graph_of(4, {{0, 0, 0.0F}, {0, 1, 1.0F}, {1, 0, 1.0F}, {1, 1, 0.2F}, {1, 3, 0.1F}, {3, 3, 1.0F}});
  CHECK(edges_of(drop_self_loops(graph)) == std::vector<Edge>{{0, 1, 1.0F}, {1, 0, 1.0F}, {1, 3, 0.1F}});
  CHECK(drop_self_loops(Graph::identity(7)) == Graph(7));
}

TEST_CASE("drop_self_loops: empty graphs") {
  graft::test::check_empty_graphs([](const GraphView& graph) { return drop_self_loops(graph); });
}

TEST_CASE("drop_self_loops: equal bits for any number of threads; cancelled before the call") {
  const Graph graph = graft::test::random_graph(graft::test::kManyItems, 30, 4);
  graft::test::check_operator_contract([&](const Context& context) { return drop_self_loops(graph, context); });
}

}  // namespace
}  // namespace drop_self_loops_test
