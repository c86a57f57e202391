#include <graft/ops/mix.hpp>

#include <doctest/doctest.h>

#include <array>
#include <limits>

#include <support/graphs.hpp>

namespace mix_test {
namespace {

using graft::Context;
using graft::Graph;
using graft::GraphInput;
using graft::GraphView;
using graft::InvalidArgument;
using graft::mix;
using graft::test::contains;
using graft::test::Edge;
using graft::test::edges_of;
using graft::test::graph_of;
using graft::test::message_of;

Graph mixed(const std::vector<GraphInput>& graphs, const std::vector<float>& coefficients,
            const Context& context = {}) {
  return mix(std::vector<GraphView>(graphs.begin(), graphs.end()), coefficients, context);
}

TEST_CASE("mix: weighted union of edges") {
  const Graph a = graph_of({{1.F, 2.F, 0}, {0, 0, 0}, {0, 4.F, 0}});
  const Graph b = graph_of({{0, 8.F, 16.F}, {2.F, 0, 0}, {0, 4.F, 0}});
  const Graph c = graph_of({{0, 0, 1.F}, {0, 0, 0}, {3.F, 1.F, 5.F}});
  CHECK(mixed({a, b, c}, {0.5F, 0.25F, -2.0F}) == graph_of({{.5F, 3.F, 2.F}, {.5F, 0, 0}, {-6.F, 1.F, -10.F}}));
}

TEST_CASE("mix: edges stay where a coefficient is 0 or terms cancel") {
  const Graph a = graph_of(2, {{0, 1, 3.0F}});
  const Graph b = graph_of(2, {{0, 1, 3.0F}, {1, 1, 1.0F}});
  CHECK(edges_of(mixed({a, b}, {1.0F, -1.0F})) == std::vector<Edge>{{0, 1, 0.0F}, {1, 1, -1.0F}});
  CHECK(edges_of(mixed({a, b}, {1.0F, 0.0F})) == std::vector<Edge>{{0, 1, 3.0F}, {1, 1, 0.0F}});
}

TEST_CASE("mix: one graph with coefficient 1 keeps its bits, -0 included") {
  const Graph graph = graph_of(2, {{0, 0, -0.0F}, {0, 1, 0.1F}, {1, 0, 1e-44F}});
  CHECK(mixed({graph}, {1.0F}) == graph);
}

TEST_CASE("mix: terms are added in the order of the graphs, in float32") {
  const Graph big = graph_of(1, {{0, 0, 1e8F}});
  const Graph small = graph_of(1, {{0, 0, 1.0F}});
  CHECK(mixed({big, small, big}, {1.0F, 1.0F, -1.0F}).weights()[0] == 0.0F);
  CHECK(mixed({big, big, small}, {1.0F, -1.0F, 1.0F}).weights()[0] == 1.0F);
}

TEST_CASE("mix: agrees with the dense sum") {
  const std::vector<Graph> graphs{graft::test::random_graph(90, 20, 12), graft::test::random_graph(90, 50, 13),
                                  graft::test::random_graph(90, 5, 14)};
  const Graph result = mixed({graphs[0], graphs[1], graphs[2]}, {0.5F, 2.0F, -1.0F});
  graft::test::Dense expected(90, std::vector<double>(90, 0.0));
  const std::array<double, 3> coefficients{0.5, 2.0, -1.0};
  std::int64_t stored = 0;
  for (std::int64_t r = 0; r < 90; ++r) {
    for (std::int64_t c = 0; c < 90; ++c) {
      bool edge = false;
      for (std::size_t g = 0; g < 3; ++g) {
        const float weight = graft::test::weight_of(graphs[g], r, c);
        if (std::isnan(weight)) continue;
        edge = true;
        expected[static_cast<std::size_t>(r)][static_cast<std::size_t>(c)] +=
            coefficients[g] * static_cast<double>(weight);
      }
      stored += edge ? 1 : 0;
    }
  }
  CHECK(result.edges() == stored);
  CHECK(graft::test::difference(graft::test::dense(result), expected, 0.0) == "");
}

TEST_CASE("mix: refuses no graph, sizes that differ, and bad coefficients") {
  CHECK(contains(message_of<InvalidArgument>([] { mixed({}, {}); }), {"mix: graphs", "one or more"}));
  CHECK(contains(message_of<InvalidArgument>([] { mixed({Graph(3), Graph(5)}, {1.0F, 1.0F}); }),
                 {"graphs[1].items = 5", "graphs[0].items = 3"}));
  CHECK(contains(message_of<InvalidArgument>([] { mixed({Graph(3)}, {1.0F, 1.0F}); }),
                 {"coefficients = 2 entries", "one a graph, 1"}));
  CHECK(contains(
      message_of<InvalidArgument>([] { mixed({Graph(3), Graph(3)}, {1.0F, std::numeric_limits<float>::quiet_NaN()}); }),
      {"coefficients[1] = nan", "finite"}));
}

TEST_CASE("mix: a sum that overflows names its row") {
  const Graph graph = graph_of(3, {{0, 0, 1.0F}, {2, 1, 3e38F}});
  CHECK(contains(message_of<InvalidArgument>([&] { mixed({graph, graph}, {1.0F, 1.0F}); }), {"mix", "row 2:"}));
  CHECK(contains(message_of<InvalidArgument>([&] { mixed({graph}, {2.0F}); }), {"mix", "row 2:"}));
}

TEST_CASE("mix: empty graphs") {
  graft::test::check_empty_graphs([](const GraphView& graph) { return mixed({graph, graph}, {1.0F, 2.0F}); });
}

TEST_CASE("mix: equal bits for any number of threads; cancelled before the call") {
  const Graph a = graft::test::random_graph(graft::test::kManyItems, 30, 15);
  const Graph b = graft::test::random_graph(graft::test::kManyItems, 10, 16);
  graft::test::check_operator_contract(
      [&](const Context& context) { return mixed({a, b, a}, {0.1F, 0.7F, 0.2F}, context); });
}

}  // namespace
}  // namespace mix_test
