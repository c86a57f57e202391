#include <graft/core/pipe.hpp>

#include <doctest/doctest.h>

#include <type_traits>

#include <graft/ops/add.hpp>
#include <graft/ops/binarize.hpp>
#include <graft/ops/drop_self_loops.hpp>
#include <graft/ops/normalize.hpp>
#include <graft/ops/scale.hpp>
#include <graft/ops/symmetrize.hpp>
#include <graft/ops/threshold.hpp>
#include <graft/ops/top_k.hpp>
#include <support/graphs.hpp>

namespace pipe_test {
namespace {

using graft::Context;
using graft::Graph;
using graft::GraphView;
using graft::Normalization;
using graft::Symmetrization;

TEST_CASE("pipe: every short form equals its function") {
  const Graph graph = graft::test::random_graph(200, 20, 42);
  CHECK((graph | graft::threshold(0.25F)) == graft::threshold(graph, 0.25F));
  CHECK((graph | graft::binarize()) == graft::binarize(graph));
  CHECK((graph | graft::scale(0.5F)) == graft::scale(graph, 0.5F));
  CHECK((graph | graft::drop_self_loops()) == graft::drop_self_loops(graph));
  CHECK((graph | graft::top_k(3)) == graft::top_k(graph, 3));
  CHECK((graph | graft::symmetrize()) == graft::symmetrize(graph));
  CHECK((graph | graft::symmetrize(Symmetrization::min)) == graft::symmetrize(graph, Symmetrization::min));
  CHECK((graph | graft::add(graph)) == graft::add(graph, graph));
  CHECK((graph | graft::normalize()) == graft::normalize(graph));
  CHECK((graph | graft::normalize(Normalization::row)) == graft::normalize(graph, Normalization::row));
  const graft::NormalizeOptions options{.normalization = Normalization::row, .epsilon = 0.5F};
  CHECK((graph | graft::normalize(options)) == graft::normalize(graph, options));
}

TEST_CASE("pipe: steps chain from a graph, a view and a temporary alike") {
  const Graph graph = graft::test::random_graph(100, 20, 43);
  const auto steps = [](auto&& start) {
    return std::forward<decltype(start)>(start) | graft::threshold(0.0F) | graft::top_k(4) | graft::normalize();
  };
  const Graph expected = graft::normalize(graft::top_k(graft::threshold(graph, 0.0F), 4));
  CHECK(steps(graph) == expected);
  CHECK(steps(graph.view()) == expected);
  CHECK(steps(Graph(graph)) == expected);
}

TEST_CASE("pipe: a step may be kept, used again and outlive what it was made from") {
  const auto step = [] {
    Graph other = Graph::identity(50);
    return graft::add(std::move(other));
  }();
  const Graph graph = graft::test::random_graph(50, 5, 44);
  CHECK((graph | step) == graft::add(graph, Graph::identity(50)));
  CHECK((Graph(50) | step | step) == Graph::identity(50, 2.0F));
}

TEST_CASE("pipe: a bound context is the one that runs") {
  const Context context;
  context.cancel.cancel();
  CHECK_THROWS_AS(Graph(3) | graft::threshold(0.5F, context), graft::Cancelled);
  CHECK_THROWS_AS(Graph(3) | graft::scale(0.5F, context), graft::Cancelled);
  CHECK_THROWS_AS(Graph(3) | graft::top_k(1, context), graft::Cancelled);
  CHECK_THROWS_AS(Graph(3) | graft::symmetrize(Symmetrization::max, context), graft::Cancelled);
  CHECK_THROWS_AS(Graph(3) | graft::normalize(Normalization::row, context), graft::Cancelled);
}

TEST_CASE("pipe: errors of a step reach the caller") {
  CHECK_THROWS_AS(Graph(3) | graft::top_k(0), graft::InvalidArgument);
  CHECK_THROWS_AS(Graph(3) | graft::add(Graph(4)), graft::InvalidArgument);
}

static_assert(!std::is_convertible_v<Graph, GraphView>, "a view of a temporary graph would dangle");
static_assert(std::is_convertible_v<const Graph&, GraphView>);
static_assert(std::is_convertible_v<Graph, graft::GraphInput>, "operators take temporaries");

}  // namespace
}  // namespace pipe_test
