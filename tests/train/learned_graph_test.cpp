#include "train/learned_graph.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/ops/knn.hpp>
#include <graft/ops/normalize.hpp>

#include "train/graph_bytes.hpp"

#include "../support/check.hpp"
#include "../support/files.hpp"
#include "gradient_check.hpp"
#include "model_bench.hpp"

namespace graft::training {
namespace learned_graph_test {
namespace {

using autodiff::Parameter;
using autodiff::Tape;
using autodiff::Var;
using test::Dense;
using test::dense;
using test::difference;

/// Column vector of a backend.
autodiff::Tensor column(autodiff::Backend& backend, const std::vector<double>& values) {
  autodiff::Tensor tensor = backend.allocate(static_cast<std::int64_t>(values.size()), 1);
  backend.upload(tensor, values);
  return tensor;
}

Graph directed() { return {4, {0, 2, 3, 3, 5}, {1, 2, 0, 0, 3}, {0.5F, 2.0F, -1.0F, 3.0F, 0.25F}}; }

std::vector<double> doubles(std::span<const float> values) { return {values.begin(), values.end()}; }

TEST_CASE("edge_union: the edges of all graphs, and where those of each stand") {
  const std::vector<Graph> graphs{directed(), Graph(4, {0, 1, 3, 4, 4}, {2, 0, 3, 1}, {1.0F, 1.0F, 1.0F, 1.0F})};
  const EdgeUnion all = edge_union(graphs);
  CHECK(all.pattern == Graph(4, {0, 2, 4, 5, 7}, {1, 2, 0, 3, 1, 0, 3}, std::vector<float>(7, 0.0F)));
  const auto ids = [](const autodiff::Indices& list) {
    return std::vector<std::int32_t>(list->ids().begin(), list->ids().end());
  };
  CHECK(ids(all.edges.rows) == std::vector<std::int32_t>{0, 0, 1, 1, 2, 3, 3});
  CHECK(ids(all.edges.columns) == std::vector<std::int32_t>{1, 2, 0, 3, 1, 0, 3});
  CHECK(ids(all.places.at(0)) == std::vector<std::int32_t>{0, 1, 2, 5, 6});
  CHECK(ids(all.places.at(1)) == std::vector<std::int32_t>{1, 2, 3, 4});
  CHECK(all.places[0]->bound() == 7);
}

TEST_CASE("edge_union: of graphs without edges") {
  const EdgeUnion none = edge_union(std::vector<Graph>{Graph(3), Graph(3)});
  CHECK(none.pattern == Graph(3));
  CHECK(none.places.at(1)->size() == 0);
}

TEST_CASE("learned graph: cosines and their normalisation are those of the operators") {
  test::ModelBench bench = test::ModelBench::worked_example();
  Tape tape(*bench.backend);
  const Graph nearest = knn_graph(bench.features.at("image"), {.k = 2, .self = Self::keep});
  const EdgeList edges = edge_list(nearest);
  const Var cosines = edge_similarities(normalize_rows(tape.constant(bench.features.at("image").view())), edges);
  const Var weights = normalized_edges(cosines, edges);
  const Graph graph = with_weights(nearest, *bench.backend, tape.evaluate(weights));
  CHECK(difference(dense(graph), test::model_golden()["lattice_lap_K2"].get<Dense>(), 1e-7) == "");
  CHECK(difference(dense(with_weights(nearest, *bench.backend, tape.evaluate(cosines))), dense(nearest), 1e-7) == "");
}

TEST_CASE("edge_product: the graph's product with a matrix") {
  const auto backend = autodiff::cpu_reference_backend();
  Tape tape(*backend);
  const Graph graph = directed();
  const Matrix vectors = test::matrix_of({{1, 2}, {3, 4}, {5, 6}, {7, 8}});
  const Var x = tape.constant(vectors.view());
  const Var y = edge_product(tape.constant(column(*backend, doubles(graph.weights()))), edge_list(graph), x);
  CHECK(backend->download(tape.evaluate(y)) == std::vector<double>{11.5, 14.0, -1.0, -2.0, 0.0, 0.0, 4.75, 8.0});
}

TEST_CASE("normalized_edges: rows without a positive sum have factor 0 and finite gradients") {
  const auto backend = autodiff::cpu_reference_backend();
  const Graph graph = directed();  // row sums 2.5, -1, none, 3.25
  const EdgeList edges = edge_list(graph);
  Parameter weights{"weights", column(*backend, doubles(graph.weights()))};
  Tape tape(*backend);
  const Var result = normalized_edges(tape.parameter(weights), edges);
  const Graph normalized = with_weights(graph, *backend, tape.evaluate(result));
  CHECK(difference(dense(normalized), dense(normalize(graph)), 1e-7) == "");
  tape.backward(sum(square(result)));
  for (const double g : backend->download(weights.gradient.values)) CHECK(std::isfinite(g));

  backend->fill(weights.value, 0.0);
  Tape zeros(*backend);
  CHECK(zeros.backward(sum(square(normalized_edges(zeros.parameter(weights), edges)))) == 0.0);
  for (const double g : backend->download(weights.gradient.values)) CHECK(g == 0.0);
}

TEST_CASE("learned graph: gradients of similarities, normalisation and product") {
  const auto backend = autodiff::cpu_reference_backend();
  const Graph graph(4, {0, 3, 5, 6, 8}, {0, 1, 2, 0, 1, 2, 0, 3}, std::vector<float>(8, 0.0F));
  const EdgeList edges = edge_list(graph);
  std::vector<Parameter> parameters{{"features", backend->allocate(4, 3)}, {"vectors", backend->allocate(4, 2)}};
  backend->upload(parameters[0].value, std::vector<double>{1, .2, .1, .8, .5, -.1, .3, .9, .4, .7, .1, .6});
  backend->upload(parameters[1].value, std::vector<double>{.5, -1, 2, .3, -.7, .9, 1.2, .4});
  CHECK(test::gradient_difference(*backend, parameters, [&](Tape& tape) {
          const Var cosines = edge_similarities(normalize_rows(tape.parameter(parameters[0])), edges);
          return sum(square(edge_product(normalized_edges(cosines, edges), edges, tape.parameter(parameters[1]))));
        }) == "");
}

TEST_CASE("graph_bytes: a graph comes back to the bit; no other length is taken") {
  const Graph graph = directed();
  const detail::Bytes bytes = graph_bytes(graph);
  CHECK(graph_of_bytes(bytes) == graph);
  for (const Graph& empty : {Graph(0), Graph(3)}) CHECK(graph_of_bytes(graph_bytes(empty)) == empty);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_THROWS_AS(graph_of_bytes(std::span(bytes).first(size)), InvalidArgument);
  }
  detail::Bytes longer = bytes;
  longer.push_back(std::byte{0});
  test::expect_error<InvalidArgument>([&] { graph_of_bytes(longer); }, {"bytes", "must be those of a graph"});
  for (std::size_t at = 0; at < 16; ++at) {  // counts that were made up
    detail::Bytes other = bytes;
    other[at] = std::byte{0xEE};
    CHECK_THROWS_AS(graph_of_bytes(other), InvalidArgument);
  }
}

}  // namespace
}  // namespace learned_graph_test
}  // namespace graft::training
