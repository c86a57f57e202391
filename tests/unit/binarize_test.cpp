#include <graft/ops/binarize.hpp>

#include <doctest/doctest.h>

#include <support/graphs.hpp>

namespace binarize_test {
namespace {

using graft::binarize;
using graft::Context;
using graft::Graph;
using graft::GraphView;
using graft::test::Edge;
using graft::test::edges_of;

TEST_CASE("binarize: every stored edge weighs 1, those of weight 0 and below included") {
  const Graph graph = graft::test::graph_of(3, {{0, 0, 0.0F}, {0, 2, -3.0F}, {2, 1, 1e30F}});
  CHECK(edges_of(binarize(graph)) == std::vector<Edge>{{0, 0, 1.0F}, {0, 2, 1.0F}, {2, 1, 1.0F}});
}

TEST_CASE("binarize: empty graphs") {
  graft::test::check_empty_graphs([](const GraphView& graph) { return binarize(graph); });
}

TEST_CASE("binarize: equal bits for any number of threads; cancelled before the call") {
  const Graph graph = graft::test::random_graph(graft::test::kManyItems, 30, 2);
  graft::test::check_operator_contract([&](const Context& context) { return binarize(graph, context); });
}

}  // namespace
}  // namespace binarize_test
