#include <graft/ops/symmetrize.hpp>

#include <doctest/doctest.h>

#include <limits>

#include <support/graphs.hpp>

namespace symmetrize_test {
namespace {

using graft::Context;
using graft::Graph;
using graft::GraphView;
using graft::Symmetrization;
using graft::symmetrize;
using graft::test::Edge;
using graft::test::edges_of;
using graft::test::graph_of;

constexpr auto kAll = {Symmetrization::max, Symmetrization::mean, Symmetrization::min};

TEST_CASE("symmetrize: max, mean and min of the two directions") {
  const Graph graph = graph_of({{2.F, .5F, .25F, 0}, {.75F, 0, 0, -1.F}, {0, 0, -3.F, 0}, {0, -2.F, 0, 0}});
  CHECK(symmetrize(graph, Symmetrization::max) ==
        graph_of({{2.F, .75F, .25F, 0}, {.75F, 0, 0, -1.F}, {.25F, 0, -3.F, 0}, {0, -1.F, 0, 0}}));
  CHECK(symmetrize(graph, Symmetrization::mean) ==
        graph_of({{2.F, .625F, .125F, 0}, {.625F, 0, 0, -1.5F}, {.125F, 0, -3.F, 0}, {0, -1.5F, 0, 0}}));
  CHECK(symmetrize(graph, Symmetrization::min) ==
        graph_of({{2.F, .5F, 0, 0}, {.5F, 0, 0, -2.F}, {0, 0, -3.F, 0}, {0, -2.F, 0, 0}}));
}

TEST_CASE("symmetrize: an absent direction takes no part in max, even beside a negative weight") {
  CHECK(edges_of(symmetrize(graph_of(2, {{0, 1, -0.5F}}), Symmetrization::max)) ==
        std::vector<Edge>{{0, 1, -0.5F}, {1, 0, -0.5F}});
}

TEST_CASE("symmetrize: the default is max") {
  const Graph graph = graph_of({{0, 1.F}, {3.F, 0}});
  CHECK(symmetrize(graph) == symmetrize(graph, Symmetrization::max));
}

TEST_CASE("symmetrize: a self loop keeps its weight, also where doubling it would overflow") {
  const Graph graph = Graph::identity(3, std::numeric_limits<float>::max());
  for (const Symmetrization how : kAll) CHECK(symmetrize(graph, how) == graph);
}

TEST_CASE("symmetrize: zeros of both signs give the same bits in both directions") {
  for (const Symmetrization how : kAll) {
    const Graph graph = symmetrize(graph_of(2, {{0, 1, 0.0F}, {1, 0, -0.0F}}), how);
    CHECK(std::signbit(graph.weights()[0]) == std::signbit(graph.weights()[1]));
  }
}

TEST_CASE("symmetrize: agrees with the dense definition, and repeating it changes nothing") {
  const Graph graph = graft::test::random_graph(120, 20, 10);
  const auto stored = [&](std::int64_t r, std::int64_t c) { return !std::isnan(graft::test::weight_of(graph, r, c)); };
  for (const Symmetrization how : kAll) {
    const Graph result = symmetrize(graph, how);
    for (std::int64_t r = 0; r < 120; ++r) {
      for (std::int64_t c = 0; c < 120; ++c) {
        const float a = stored(r, c) ? graft::test::weight_of(graph, r, c) : 0.0F;
        const float b = stored(c, r) ? graft::test::weight_of(graph, c, r) : 0.0F;
        const bool both = stored(r, c) && stored(c, r);
        const bool edge = how == Symmetrization::min ? both : stored(r, c) || stored(c, r);
        const float actual = graft::test::weight_of(result, r, c);
        REQUIRE(std::isnan(actual) == !edge);
        if (!edge) continue;
        const float one = stored(r, c) ? a : b;
        const float expected = how == Symmetrization::mean  ? (a + b) / 2.0F
                               : !both                      ? one
                               : how == Symmetrization::max ? std::max(a, b)
                                                            : std::min(a, b);
        REQUIRE(actual == expected);
      }
    }
    CHECK(symmetrize(result, how) == result);
  }
}

TEST_CASE("symmetrize: empty graphs") {
  for (const Symmetrization how : kAll) {
    graft::test::check_empty_graphs([how](const GraphView& graph) { return symmetrize(graph, how); });
  }
}

TEST_CASE("symmetrize: equal bits for any number of threads; cancelled before the call") {
  const Graph graph = graft::test::random_graph(graft::test::kManyItems, 30, 11);
  for (const Symmetrization how : kAll) {
    graft::test::check_operator_contract([&](const Context& context) { return symmetrize(graph, how, context); });
  }
}

}  // namespace
}  // namespace symmetrize_test
