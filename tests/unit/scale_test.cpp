#include <graft/ops/scale.hpp>

#include <doctest/doctest.h>

#include <limits>

#include <support/graphs.hpp>

namespace scale_test {
namespace {

using graft::Context;
using graft::Graph;
using graft::GraphView;
using graft::InvalidArgument;
using graft::scale;
using graft::test::contains;
using graft::test::Edge;
using graft::test::edges_of;
using graft::test::graph_of;
using graft::test::message_of;

TEST_CASE("scale: multiplies every weight; 1 changes no bit and 0 keeps the edges") {
  const Graph graph = graph_of(3, {{0, 0, 0.5F}, {0, 2, -3.0F}, {2, 1, 0.1F}});
  CHECK(edges_of(scale(graph, -2.0F)) == std::vector<Edge>{{0, 0, -1.0F}, {0, 2, 6.0F}, {2, 1, -0.2F}});
  CHECK(scale(graph, 1.0F) == graph);
  CHECK(scale(graph, 0.0F).edges() == 3);
}

TEST_CASE("scale: a factor that is not finite is refused") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), kInfinity, -kInfinity}) {
    CHECK(contains(message_of<InvalidArgument>([&] { scale(Graph(2), bad); }), {"scale: factor", "must be finite"}));
  }
}

TEST_CASE("scale: overflow names the first row, whatever the threads do") {
  std::vector<Edge> edges;
  for (std::int64_t r = 0; r < graft::test::kManyItems; ++r) edges.push_back({r, 0, r < 4321 ? 1.0F : 1e30F});
  const Graph graph = graph_of(graft::test::kManyItems, edges);
  for (const int threads : {1, 7}) {
    const std::string text = message_of<InvalidArgument>([&] { scale(graph, 1e20F, Context{.threads = threads}); });
    CHECK(contains(text, {"scale", "row 4321:", "smaller factor"}));
  }
}

TEST_CASE("scale: empty graphs") {
  graft::test::check_empty_graphs([](const GraphView& graph) { return scale(graph, 2.0F); });
}

TEST_CASE("scale: equal bits for any number of threads; cancelled before the call") {
  const Graph graph = graft::test::random_graph(graft::test::kManyItems, 30, 3);
  graft::test::check_operator_contract([&](const Context& context) { return scale(graph, 0.3F, context); });
}

}  // namespace
}  // namespace scale_test
