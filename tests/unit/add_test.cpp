#include <graft/ops/add.hpp>

#include <doctest/doctest.h>

#include <support/graphs.hpp>

namespace add_test {
namespace {

using graft::add;
using graft::Context;
using graft::Graph;
using graft::GraphView;
using graft::test::graph_of;

TEST_CASE("add: W = S~ + C~ of the worked example") {
  const Graph similarity = graph_of({{1, 1, 0, 0}, {0, 1, 1, 0}, {0, 1, 1, 0}, {0, 0, 0, 1}});
  const Graph audience = graph_of({{1, 0, 1, 0}, {.4F, 1, 0, 0}, {1, 0, 1, 0}, {0, .2F, 0, 1}});
  CHECK(add(similarity, audience) == graph_of({{2, 1, 1, 0}, {.4F, 2, 1, 0}, {1, 1, 2, 0}, {0, .2F, 0, 2}}));
}

TEST_CASE("add: the two orders give the same bits, and the pipe form the same as the function") {
  const Graph a = graft::test::random_graph(200, 20, 17);
  const Graph b = graft::test::random_graph(200, 20, 18);
  CHECK(add(a, b) == add(b, a));
  CHECK((a | add(b)) == add(a, b));
  CHECK(add(a, Graph(200)) == a);
}

TEST_CASE("add: sizes that differ are refused") {
  const std::string text = graft::test::message_of<graft::InvalidArgument>([] { add(Graph(3), Graph(4)); });
  CHECK(graft::test::contains(text, {"items = 4", "items = 3"}));
}

TEST_CASE("add: empty graphs") {
  graft::test::check_empty_graphs([](const GraphView& graph) { return add(graph, graph); });
}

TEST_CASE("add: equal bits for any number of threads; cancelled before the call") {
  const Graph a = graft::test::random_graph(graft::test::kManyItems, 20, 19);
  const Graph b = graft::test::random_graph(graft::test::kManyItems, 20, 20);
  graft::test::check_operator_contract([&](const Context& context) { return add(a, b, context); });
}

}  // namespace
}  // namespace add_test
