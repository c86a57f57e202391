// refine: options, presets on ready graphs, several modalities, the summary and the errors.
#include <graft/ops/refine.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <graft/ops/add.hpp>
#include <graft/ops/binarize.hpp>
#include <graft/ops/drop_self_loops.hpp>
#include <graft/ops/jaccard.hpp>
#include <graft/ops/knn.hpp>
#include <graft/ops/mix.hpp>
#include <graft/ops/normalize.hpp>
#include <graft/ops/scale.hpp>

#include "../support/check.hpp"

namespace refine_test {
namespace {

using namespace graft;
using graft::test::columns_of;
using graft::test::contains;
using graft::test::message_of;
using graft::test::weight_of;
using Columns = std::vector<std::int32_t>;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

const std::vector<float> kFeatures = {2, 0, 0, 4, 3, 0, 3, 4, 0, 0, 3, 4};
MatrixView<const float> features() { return {kFeatures.data(), 4, 3}; }

Interactions interactions(std::int64_t items = 4) {
  const std::vector<std::int32_t> users = {0, 0, 0, 1, 1, 1, 2, 3, 4, 4};
  const std::vector<std::int32_t> item_ids = {0, 1, 2, 0, 1, 2, 1, 1, 1, 3};
  return Interactions::from_pairs(users, item_ids, 5, items);
}

RefineOptions raw(Preset preset) {
  return {.preset = preset, .knn_k = 2, .jaccard_k = 2, .normalization = Normalization::none};
}

/// Neighbours 0 -> {1: 0.9, 2: 0.8, 3: 0.7}, 1 -> {0: 0.9, 3: 0.4}, 2 -> {}, 3 -> {0: -0.2}; the diagonal, where
/// asked for, holds 0.5.
Graph ready_graph(bool diagonal) {
  if (!diagonal) return Graph(4, {0, 3, 5, 5, 6}, {1, 2, 3, 0, 3, 0}, {0.9F, 0.8F, 0.7F, 0.9F, 0.4F, -0.2F});
  return Graph(4, {0, 4, 7, 8, 10}, {0, 1, 2, 3, 0, 1, 3, 2, 0, 3},
               {0.5F, 0.9F, 0.8F, 0.7F, 0.9F, 0.5F, 0.4F, 0.5F, -0.2F, 0.5F});
}

TEST_CASE("refine: defaults are those of the documentation") {
  const RefineOptions options;
  CHECK(options.preset == Preset::noself);
  CHECK(options.knn_k == 10);
  CHECK(options.threshold == 0.5F);
  CHECK(options.jaccard_k == 10);
  CHECK(options.min_support == 1);
  CHECK(options.weights == Weights::binary);
  CHECK(!options.symmetrize.has_value());
  CHECK(!options.add_self_loops);
  CHECK(options.normalization == Normalization::symmetric);
  CHECK(options.epsilon == 0.0F);
  CHECK(!options.normalize_parts);
  CHECK(options.enhancement_weight == 1.0F);
  CHECK(std::string(name(Preset::noself)) == "noself");
  CHECK(std::string(name(Preset::reference)) == "reference");
  CHECK(std::string(name(Preset::paper)) == "paper");
}

TEST_CASE("refine: the two graphs may be normalised apart, and the second weighted") {
  RefineOptions options = raw(Preset::noself);
  const Graph similar = knn_graph(features(), {.k = 2, .min_similarity = 0.5F, .weights = Weights::binary});
  const Graph audience = jaccard_graph(interactions(), {.k = 2});
  options.enhancement_weight = 0.5F;
  CHECK(refine(features(), interactions(), options) == add(similar, scale(audience, 0.5F)));
  options.normalization = Normalization::symmetric;
  CHECK(refine(features(), interactions(), options) == normalize(add(similar, scale(audience, 0.5F))));
  options.normalize_parts = true;
  CHECK(refine(features(), interactions(), options) == add(normalize(similar), scale(normalize(audience), 0.5F)));
  options.enhancement_weight = 0.0F;
  RefineSummary summary;
  CHECK(refine(features(), interactions(), options, {}, &summary) == normalize(similar));
  CHECK(summary.jaccard_edges == 0);
}

TEST_CASE("refine: min_support leaves out edges of the second graph that rest on fewer users") {
  RefineOptions options = raw(Preset::noself);
  const Graph similar = knn_graph(features(), {.k = 2, .min_similarity = 0.5F, .weights = Weights::binary});
  options.min_support = 2;
  RefineSummary summary;
  const Graph graph = refine(features(), interactions(), options, {}, &summary);
  // users 0 and 1 have items 0, 1 and 2; of items 1 and 3 user 4 alone
  const Graph shared(4, {0, 2, 4, 6, 6}, {1, 2, 0, 2, 0, 1}, {0.4F, 1.0F, 0.4F, 0.4F, 1.0F, 0.4F});
  CHECK(graph == add(similar, shared));
  CHECK(summary.jaccard_edges == 6);
  options.normalize_parts = true;
  options.normalization = Normalization::symmetric;
  CHECK(refine(features(), interactions(), options) == add(normalize(similar), normalize(shared)));
  options.min_support = 3;
  CHECK(refine(features(), interactions(), options) == normalize(similar));
}

TEST_CASE("refine: min_support asks it of self loops too") {
  for (const Preset preset : {Preset::reference, Preset::paper}) {
    RefineOptions options = raw(preset);
    CHECK(weight_of(refine(features(), interactions(), options), 3, 3) > 1.9F);
    options.min_support = 2;
    CHECK(weight_of(refine(features(), interactions(), options), 3, 3) == 1.0F);
    CHECK(weight_of(refine(features(), interactions(), options), 1, 1) == (preset == Preset::paper ? 2.0F : 1.0F));
  }
}

TEST_CASE("refine: jaccard_k = 0 switches enhancement off") {
  RefineOptions options = raw(Preset::noself);
  options.jaccard_k = 0;
  RefineSummary summary;
  const Graph graph = refine(features(), interactions(), options, {}, &summary);
  CHECK(graph == knn_graph(features(), {.k = 2, .min_similarity = 0.5F, .weights = Weights::binary}));
  CHECK(summary.jaccard_edges == 0);
}

TEST_CASE("refine: threshold = -1 switches denoising off, for features and ready graphs") {
  RefineOptions options = raw(Preset::noself);
  options.jaccard_k = 0;
  options.threshold = -1.0F;
  RefineSummary summary;
  CHECK(refine(features(), interactions(), options, {}, &summary) ==
        knn_graph(features(), {.k = 2, .weights = Weights::binary}));
  CHECK(summary.similarity.edges_before == 8);
  CHECK(summary.similarity.edges_after == 8);
  CHECK(weight_of(refine(ready_graph(false), interactions(), options), 3, 0) == 1.0F);
}

TEST_CASE("refine: a threshold of 0 or below does not turn absent entries into edges") {
  for (const float threshold : {-1.0F, -0.5F, 0.0F}) {
    RefineOptions options = raw(Preset::reference);
    options.jaccard_k = 0;
    options.threshold = threshold;
    const Graph graph = refine(features(), interactions(), options);
    for (std::int64_t r = 0; r < 4; ++r) CHECK(graph.row_columns(r).size() == 2);
  }
}

TEST_CASE("refine: cosine weights can be kept") {
  RefineOptions options = raw(Preset::paper);
  options.jaccard_k = 0;
  options.weights = Weights::similarity;
  const Graph graph = refine(features(), interactions(), options);
  CHECK(weight_of(graph, 0, 0) == 1.0F);
  CHECK(weight_of(graph, 0, 1) == doctest::Approx(0.8));
  CHECK(weight_of(graph, 1, 2) == doctest::Approx(0.96));
}

TEST_CASE("refine: of a ready graph noself drops the diagonal and keeps k true neighbours") {
  RefineOptions options = raw(Preset::noself);
  options.jaccard_k = 0;
  for (const bool diagonal : {false, true}) {
    const Graph graph = refine(ready_graph(diagonal), interactions(), options);
    CHECK(columns_of(graph, 0) == Columns{1, 2});
    CHECK(columns_of(graph, 1) == Columns{0});
    CHECK(columns_of(graph, 2).empty());
    CHECK(columns_of(graph, 3).empty());
  }
}

TEST_CASE("refine: of a ready graph reference and paper put self first with cosine 1, stored or not") {
  for (const Preset preset : {Preset::reference, Preset::paper}) {
    for (const bool diagonal : {false, true}) {
      RefineOptions options = raw(preset);
      options.jaccard_k = 0;
      options.weights = Weights::similarity;
      options.threshold = 0.85F;
      const Graph graph = refine(ready_graph(diagonal), interactions(), options);
      CHECK(columns_of(graph, 0) == Columns{0, 1});
      CHECK(columns_of(graph, 1) == Columns{0, 1});
      CHECK(columns_of(graph, 2) == Columns{2});
      CHECK(columns_of(graph, 3) == Columns{3});
      for (std::int64_t r = 0; r < 4; ++r) CHECK(weight_of(graph, r, r) == 1.0F);
      options.knn_k = 1;
      CHECK(refine(ready_graph(diagonal), interactions(), options) == Graph::identity(4));
    }
  }
}

TEST_CASE("refine: a ready graph may be a view or a temporary") {
  const Graph ready = ready_graph(true);
  const Graph expected = refine(ready, interactions());
  CHECK(refine(ready.view(), interactions()) == expected);
  CHECK(refine(ready_graph(true), interactions()) == expected);
}

TEST_CASE("refine: modalities are thresholded apart and summed with weights scaled to 1") {
  const Graph ready = ready_graph(false);
  RefineOptions options = raw(Preset::noself);
  const Graph enhancement = jaccard_graph(interactions(), {.k = 2});
  options.jaccard_k = 2;
  std::array<Modality, 2> modalities;
  modalities[0].features = features();
  modalities[0].weight = 6.0F;
  modalities[1].similarity = ready.view();
  modalities[1].weight = 2.0F;
  modalities[1].threshold = 0.85F;
  const Graph first = knn_graph(features(), {.k = 2, .min_similarity = 0.5F, .weights = Weights::binary});
  const Graph second = Graph(4, {0, 1, 2, 2, 2}, {1, 0}, {1.0F, 1.0F});
  const std::array<GraphView, 2> parts{first, second};
  constexpr std::array<float, 2> kShares{0.75F, 0.25F};
  RefineSummary summary;
  const Graph graph = refine(modalities, interactions(), options, {}, &summary);
  CHECK(graph == add(mix(parts, kShares), enhancement));
  CHECK(weight_of(graph, 1, 2) == 0.75F + 0.4F);
  CHECK(summary.similarity.edges_before == 8 + 5);
  CHECK(summary.similarity.edges_after == 6 + 2);
  CHECK(summary.similarity_edges == 6);
  CHECK(summary.jaccard_edges == enhancement.edges());
  for (Modality& modality : modalities) modality.weight *= 0.001F;
  const auto scaled = graft::test::difference(graft::test::dense(refine(modalities, interactions(), options)),
                                              graft::test::dense(graph), 1e-6);
  CHECK_MESSAGE(scaled.empty(), scaled);
}

TEST_CASE("refine: one modality is the same as features or a ready graph, whatever its weight") {
  std::array<Modality, 1> one;
  one[0].features = features();
  one[0].weight = 0.3F;
  CHECK(refine(one, interactions()) == refine(features(), interactions()));
  const Graph ready = ready_graph(true);
  std::array<Modality, 1> graph;
  graph[0].similarity = ready.view();
  CHECK(refine(graph, interactions()) == refine(ready, interactions()));
}

TEST_CASE("refine: equal modalities give what one gives") {
  std::array<Modality, 2> two;
  for (Modality& modality : two) modality.features = features();
  CHECK(refine(two, interactions()) == refine(features(), interactions()));
}

TEST_CASE("refine: the summary counts edges without self loops, and items without any neighbour") {
  const std::vector<float> values = {1, 0, 1, 0, 0, 1, 0, 0, -1, 0};
  const MatrixView<const float> five(values.data(), 5, 2);
  const Interactions none = Interactions::from_pairs({}, {}, 3, 5);
  RefineSummary summary;
  RefineOptions options{.preset = Preset::paper, .knn_k = 3};
  Graph graph = refine(five, none, options, {}, &summary);
  CHECK(summary.similarity.edges_before == 8);  // four rows with two neighbours; the zero row has none
  CHECK(summary.similarity.edges_after == 2);
  CHECK(summary.similarity_edges == 6);
  CHECK(summary.jaccard_edges == 0);
  CHECK(summary.edges == 6);
  CHECK(summary.self_loops == 4);
  CHECK(summary.isolated_items == 3);
  options.add_self_loops = true;
  graph = refine(five, none, options, {}, &summary);
  CHECK(summary.self_loops == 5);
  CHECK(summary.isolated_items == 3);
  CHECK(summary.edges == 7);
  CHECK(graph.edges() == 7);
}

TEST_CASE("refine: self loops are added and W is made symmetric before normalisation") {
  RefineOptions options = raw(Preset::noself);
  options.add_self_loops = true;
  options.symmetrize = Symmetrization::max;
  const Graph graph = refine(features(), interactions(), options);
  for (std::int64_t r = 0; r < 4; ++r) {
    CHECK(weight_of(graph, r, r) == 1.0F);
    for (const std::int32_t c : graph.row_columns(r)) CHECK(weight_of(graph, c, r) == weight_of(graph, r, c));
  }
  CHECK(weight_of(graph, 1, 3) == 0.2F);
  options.preset = Preset::paper;
  CHECK(weight_of(refine(features(), interactions(), options), 0, 0) == 3.0F);
}

TEST_CASE("refine: empty inputs are valid") {
  const Interactions none;
  CHECK(refine(MatrixView<const float>(nullptr, 0, 3), none).items() == 0);
  CHECK(refine(Graph(), none).items() == 0);
  for (const Preset preset : {Preset::noself, Preset::reference, Preset::paper}) {
    const Graph graph = refine(MatrixView<const float>(nullptr, 3, 0), Interactions::from_pairs({}, {}, 0, 3),
                               RefineOptions{.preset = preset});
    CHECK(graph.items() == 3);
    CHECK(graph.edges() == 0);
  }
}

TEST_CASE("refine: sizes that differ are both named") {
  const auto of_features = message_of<InvalidArgument>([] { refine(features(), interactions(7)); });
  CHECK_MESSAGE(contains(of_features, {"refine", "4", "7"}), of_features);
  const auto of_graph = message_of<InvalidArgument>([] { refine(ready_graph(true), interactions(7)); });
  CHECK_MESSAGE(contains(of_graph, {"refine", "4", "7"}), of_graph);
  std::array<Modality, 2> modalities;
  modalities[0].features = features();
  modalities[1].features = MatrixView<const float>(kFeatures.data(), 3, 4);
  const auto of_second = message_of<InvalidArgument>([&] { refine(modalities, interactions()); });
  CHECK_MESSAGE(contains(of_second, {"refine", "modalities[1]", "3", "4"}), of_second);
}

TEST_CASE("refine: options out of range are refused with argument and value") {
  const auto refused = [](const RefineOptions& options, std::initializer_list<const char*> parts) {
    const auto text = message_of<InvalidArgument>([&] { refine(features(), interactions(), options); });
    CHECK_MESSAGE(contains(text, parts), text);
    const auto ready = message_of<InvalidArgument>([&] { refine(ready_graph(true), interactions(), options); });
    CHECK_MESSAGE(contains(ready, parts), ready);
  };
  refused({.knn_k = 0}, {"refine", "knn_k = 0", ">= 1"});
  refused({.threshold = 1.01F}, {"refine", "threshold = 1.01", "[-1, 1]"});
  refused({.threshold = -1.01F}, {"refine", "threshold = -1.01", "[-1, 1]"});
  refused({.threshold = kNan}, {"refine", "threshold", "nan"});
  refused({.jaccard_k = -1}, {"refine", "jaccard_k = -1", ">= 0"});
  refused({.min_support = 0}, {"refine", "min_support = 0", ">= 1"});
  refused({.jaccard_k = 0, .min_support = -2}, {"refine", "min_support = -2", ">= 1"});
  refused({.epsilon = -0.5F}, {"epsilon = -0.5", ">= 0"});
  refused({.epsilon = kNan}, {"epsilon", "nan"});
  refused({.enhancement_weight = -1.0F}, {"enhancement_weight = -1", ">= 0"});
  refused({.enhancement_weight = kNan}, {"enhancement_weight", "nan"});
}

TEST_CASE("refine: modalities that make no sense are refused by place") {
  const Graph ready = ready_graph(false);
  const auto refused = [](std::span<const Modality> modalities, std::initializer_list<const char*> parts) {
    const auto text = message_of<InvalidArgument>([&] { refine(modalities, interactions()); });
    CHECK_MESSAGE(contains(text, parts), text);
  };
  refused({}, {"refine", "modalities", "one"});
  std::array<Modality, 2> two;
  for (Modality& modality : two) modality.features = features();
  two[1].similarity = ready.view();
  refused(two, {"refine", "modalities[1]", "one of the two"});
  two[1].similarity.reset();
  two[1].weight = -1.0F;
  refused(two, {"refine", "modalities[1]", "weight = -1"});
  two[1].weight = kNan;
  refused(two, {"refine", "modalities[1]", "weight", "nan"});
  two[0].weight = 0.0F;
  two[1].weight = 0.0F;
  refused(two, {"refine", "weight", "0"});
  two[1].weight = 1.0F;
  two[1].threshold = 3.0F;
  refused(two, {"refine", "modalities[1]", "threshold = 3"});
  two[1].threshold.reset();
  two[1].features = {};
  refused(two, {"refine", "modalities[1]"});
}

TEST_CASE("refine: a feature that is not finite is refused by row") {
  std::vector<float> bad = kFeatures;
  bad[7] = kNan;
  const auto text =
      message_of<InvalidArgument>([&] { refine(MatrixView<const float>(bad.data(), 4, 3), interactions()); });
  CHECK_MESSAGE(contains(text, {"row 2", "finite"}), text);
}

}  // namespace
}  // namespace refine_test
