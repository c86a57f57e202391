#include <graft/ops/normalize.hpp>

#include <doctest/doctest.h>

#include <limits>

#include <support/graphs.hpp>

namespace normalize_test {
namespace {

using graft::Context;
using graft::Graph;
using graft::GraphView;
using graft::InvalidArgument;
using graft::Normalization;
using graft::normalize;
using graft::NormalizeOptions;
using graft::OutOfMemory;
using graft::test::contains;
using graft::test::Dense;
using graft::test::dense;
using graft::test::difference;
using graft::test::Edge;
using graft::test::edges_of;
using graft::test::graph_of;
using graft::test::message_of;

constexpr double kGoldenTolerance = 2e-6;

TEST_CASE("normalize: symmetric gives the worked example of the paper preset") {
  const Graph w = graph_of({{2, 1, 1, 0}, {.4F, 2, 1, 0}, {1, 1, 2, 0}, {0, .2F, 0, 2}});
  const Dense expected{{0.500000, 0.271163, 0.250000, 0},
                       {0.108465, 0.588235, 0.271163, 0},
                       {0.250000, 0.271163, 0.500000, 0},
                       {0, 0.073127, 0, 0.909091}};
  CHECK(difference(dense(normalize(w)), expected, kGoldenTolerance) == "");
}

TEST_CASE("normalize: symmetric gives the worked examples of the reference preset") {
  const Graph w = graph_of({{1, 1.4F, 0, 0}, {.4F, 1, 1.4F, 0}, {0, 1.4F, 1, 0}, {0, .2F, 0, 1.99999988F}});
  const Dense expected{{0.416667, 0.540062, 0, 0},
                       {0.154303, 0.357143, 0.540062, 0},
                       {0, 0.540062, 0.416667, 0},
                       {0, 0.080582, 0, 0.909091}};
  CHECK(difference(dense(normalize(w)), expected, kGoldenTolerance) == "");

  const Graph other = graph_of({{1, 1.4F, 0, 0}, {.4F, 1, 1, 0}, {0, 1.4F, 1, 0}, {0, 0, 1, 1.99999988F}});
  const Dense other_expected{
      {.416667, .583333, 0, 0}, {.166667, .416667, .416667, 0}, {0, .583333, .416667, 0}, {0, 0, .372678, .666667}};
  CHECK(difference(dense(normalize(other)), other_expected, kGoldenTolerance) == "");
}

TEST_CASE("normalize: symmetric gives the worked example of the noself preset") {
  const Graph w = graph_of({{0, 1.4F, 2, 0}, {1.4F, 0, 1.4F, 0}, {2, 1.4F, 0, 0}, {0, .2F, 0, 0}});
  const Dense expected{
      {0, .453743, .588235, 0}, {.453743, 0, .453743, 0}, {.588235, .453743, 0, 0}, {0, .267261, 0, 0}};
  CHECK(difference(dense(normalize(w, Normalization::symmetric)), expected, kGoldenTolerance) == "");
}

TEST_CASE("normalize: row divides by the row sum") {
  const Graph w = graph_of({{0, 1, 3}, {2, 0, 0}, {0, 0, 0}});
  CHECK(normalize(w, Normalization::row) == graph_of({{0, .25F, .75F}, {1, 0, 0}, {0, 0, 0}}));
}

TEST_CASE("normalize: epsilon is added to positive row sums only") {
  const Graph w = graph_of({{0, 3}, {8, 0}});
  const NormalizeOptions row{.normalization = Normalization::row, .epsilon = 1.0F};
  CHECK(difference(dense(normalize(w, row)), {{0, 3.0 / 4}, {8.0 / 9, 0}}, 1e-7) == "");
  const NormalizeOptions symmetric{.normalization = Normalization::symmetric, .epsilon = 1.0F};
  CHECK(difference(dense(normalize(w, symmetric)), {{0, 3.0 / 6}, {8.0 / 6, 0}}, 1e-7) == "");
  // without epsilon the factor of row 0 is 0; epsilon does not bring it back
  const Graph zero_sum = graph_of(2, {{0, 0, 1.0F}, {0, 1, -1.0F}, {1, 1, 2.0F}});
  CHECK(normalize(zero_sum, row).row_weights(0)[0] == 0.0F);
  CHECK(normalize(zero_sum, symmetric).row_weights(0)[0] == 0.0F);
}

TEST_CASE("normalize: a row sum that is not positive has factor 0, and its edges stay") {
  const Graph w = graph_of(4, {{0, 1, 1.0F}, {0, 2, 1.0F}, {1, 0, -1.0F}, {1, 1, 0.5F}, {3, 1, 4.0F}, {3, 3, 0.0F}});
  const Graph symmetric = normalize(w);
  CHECK(edges_of(symmetric) == std::vector<Edge>{{0, 1, 0.0F},
                                                 {0, 2, 0.0F},  // item 2 has no edges: row sum 0
                                                 {1, 0, 0.0F},
                                                 {1, 1, 0.0F},
                                                 {3, 1, 0.0F},
                                                 {3, 3, 0.0F}});
  CHECK(edges_of(normalize(w, Normalization::row)) ==
        std::vector<Edge>{{0, 1, 0.5F}, {0, 2, 0.5F}, {1, 0, 0.0F}, {1, 1, 0.0F}, {3, 1, 1.0F}, {3, 3, 0.0F}});
}

TEST_CASE("normalize: sums run in double, so small weights beside large ones count") {
  // 2^24 + 1 + 1 is 2^24 in float32 when added one by one
  const Graph w = graph_of(3, {{0, 0, 16777216.0F}, {0, 1, 1.0F}, {0, 2, 1.0F}});
  CHECK(normalize(w, Normalization::row).weights()[1] == static_cast<float>(1.0 / 16777218.0));
}

TEST_CASE("normalize: none copies, without looking at the budget") {
  const Graph graph = graft::test::random_graph(100, 10, 21);
  CHECK(normalize(graph, Normalization::none, Context{.memory_budget = 0}) == graph);
}

TEST_CASE("normalize: a bad epsilon is refused") {
  for (const float bad : {-1e-7F, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const std::string text =
        message_of<InvalidArgument>([&] { normalize(Graph(2), NormalizeOptions{.epsilon = bad}); });
    CHECK(contains(text, {"normalize: epsilon", ">= 0"}));
  }
}

TEST_CASE("normalize: weights that overflow over a tiny row sum are refused by row") {
  const Graph w = graph_of(4, {{0, 1, 1.0F}, {2, 0, 1e30F}, {2, 1, -1e30F}, {2, 2, 1e-20F}});
  CHECK(contains(message_of<InvalidArgument>([&] { normalize(w, Normalization::row); }), {"normalize", "row 2:"}));
}

TEST_CASE("normalize: a budget below 8 bytes an item is refused, naming the least") {
  const Graph graph = Graph::identity(1000);
  const auto call = [&](const Context& context) { return normalize(graph, Normalization::symmetric, context); };
  CHECK(graft::test::least_budget(call, {}) == 8000);
}

TEST_CASE("normalize: empty graphs") {
  for (const auto how : {Normalization::symmetric, Normalization::row, Normalization::none}) {
    graft::test::check_empty_graphs([how](const GraphView& graph) { return normalize(graph, how); });
  }
}

TEST_CASE("normalize: equal bits for any number of threads; cancelled before the call") {
  const Graph graph = graft::test::random_graph(graft::test::kManyItems, 30, 22);
  for (const auto how : {Normalization::symmetric, Normalization::row, Normalization::none}) {
    graft::test::check_operator_contract([&](const Context& context) { return normalize(graph, how, context); });
  }
}

}  // namespace
}  // namespace normalize_test
