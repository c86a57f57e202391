#include <graft/ops/threshold.hpp>

#include <doctest/doctest.h>

#include <limits>

#include <support/graphs.hpp>

namespace threshold_test {
namespace {

using graft::Context;
using graft::Graph;
using graft::GraphView;
using graft::threshold;
using graft::test::Edge;
using graft::test::edges_of;
using graft::test::graph_of;

TEST_CASE("threshold: the bound is inclusive and weights are unchanged") {
  const Graph graph = graph_of(3, {{0, 0, 1.0F}, {0, 1, 0.5F}, {0, 2, 0.49999997F}, {2, 0, -0.5F}, {2, 1, 0.7F}});
  CHECK(edges_of(threshold(graph, 0.5F)) == std::vector<Edge>{{0, 0, 1.0F}, {0, 1, 0.5F}, {2, 1, 0.7F}});
  CHECK(threshold(graph, -0.5F) == graph);
  CHECK(threshold(graph, 2.0F) == Graph(3));
}

TEST_CASE("threshold: a bound of zero or less never creates an edge, and keeps stored zeros") {
  const Graph graph = graph_of(2, {{0, 1, 0.0F}, {1, 0, -0.25F}});
  CHECK(edges_of(threshold(graph, 0.0F)) == std::vector<Edge>{{0, 1, 0.0F}});
  CHECK(threshold(graph, -1.0F) == graph);
}

TEST_CASE("threshold: NaN and infinity are refused") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), kInfinity, -kInfinity}) {
    const std::string text = graft::test::message_of<graft::InvalidArgument>([&] { threshold(Graph(2), bad); });
    CHECK(graft::test::contains(text, {"threshold: min_similarity", "must be finite"}));
  }
}

TEST_CASE("threshold: empty graphs") {
  graft::test::check_empty_graphs([](const GraphView& graph) { return threshold(graph, 0.5F); });
}

TEST_CASE("threshold: equal bits for any number of threads; cancelled before the call") {
  const Graph graph = graft::test::random_graph(graft::test::kManyItems, 30, 1);
  graft::test::check_operator_contract([&](const Context& context) { return threshold(graph, 0.125F, context); });
}

}  // namespace
}  // namespace threshold_test
