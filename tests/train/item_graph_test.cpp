#include "train/item_graph.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/ops/drop_self_loops.hpp>
#include <graft/ops/jaccard.hpp>
#include <graft/ops/knn.hpp>
#include <graft/ops/mix.hpp>
#include <graft/ops/refine.hpp>

#include "../support/check.hpp"
#include "../support/files.hpp"
#include "../support/oracle_audience.hpp"
#include "model_bench.hpp"

namespace graft::training {
namespace item_graph_test {
namespace {

using test::contains;
using test::dense;
using test::Dense;
using test::difference;
using test::expect_error;
using test::ModelBench;

/// FREEDOM's.
constexpr ItemGraphFamily kFamily{.knn_k = 4, .normalization = {.epsilon = 1e-7F}};

ModelEntry entry_for(Weights weights = Weights::binary) {
  return {.name = "bench", .description = "", .settings = refinement_settings(weights), .uses_item_graph = true};
}

Graph built(ModelBench& bench, GraphKind kind, const std::vector<std::string>& settings, double image_weight,
            const ItemGraphFamily& family) {
  bench.set(entry_for(family.weights), settings);
  bench.graphs.clear();
  bench.notices.clear();
  const ModelInputs inputs = bench.inputs(kind);
  return item_graph(inputs, item_modalities(inputs, image_weight), family);
}

Graph vanilla(ModelBench& bench, double image_weight = 0.1, const ItemGraphFamily& family = kFamily) {
  return built(bench, GraphKind::vanilla, {}, image_weight, family);
}

Graph refined(ModelBench& bench, const std::vector<std::string>& settings, double image_weight = 0.1,
              const ItemGraphFamily& family = kFamily) {
  return built(bench, GraphKind::refined, settings, image_weight, family);
}

const NamedGraph& graph_named(const ModelBench& bench, const std::string& name) {
  const auto found = std::find_if(bench.graphs.begin(), bench.graphs.end(),
                                  [&](const NamedGraph& graph) { return graph.name == name; });
  REQUIRE_MESSAGE(found != bench.graphs.end(), "no graph " << name);
  return *found;
}

TEST_CASE("item_graph: vanilla of the worked example is FREEDOM's") {
  ModelBench bench = ModelBench::worked_example();
  bench.features.erase("text");
  const Graph graph = vanilla(bench, 0.1, {.knn_k = 2, .normalization = {.epsilon = 1e-7F}});
  CHECK(difference(dense(graph), test::model_golden()["freedom_M_K2"].get<Dense>(), 1e-7) == "");
  CHECK(bench.graphs.size() == 1);
  CHECK(graph_named(bench, "items").graph == graph);
}

TEST_CASE("item_graph: vanilla with cosine weights and no epsilon is LATTICE's") {
  ModelBench bench = ModelBench::worked_example();
  bench.features.erase("text");
  const Graph graph = vanilla(bench, 0.1, {.knn_k = 2, .weights = Weights::similarity});
  CHECK(difference(dense(graph), test::model_golden()["lattice_lap_K2"].get<Dense>(), 1e-6) == "");
}

TEST_CASE("item_graph: refined without pruning and enhancement has the bits of vanilla") {
  const std::vector<std::vector<std::string>> ways{{},
                                                   {"gr_normalize_parts=true"},
                                                   {"gr_normalize_parts=true", "gr_enhancement_weight=3"},
                                                   {"gr_preset=paper"},
                                                   {"gr_threshold_image=-1"},
                                                   {"gr_threshold_quantile=0"}};
  for (const Weights weights : {Weights::binary, Weights::similarity}) {
    for (const double image_weight : {0.0, 0.1, 0.5, 1.0}) {
      for (const auto& way : ways) {
        ModelBench bench = ModelBench::random(31, 60, 50);
        bench.similarities.emplace("text", knn_graph(bench.features.at("text"), {.k = 6}));
        const ItemGraphFamily family{.knn_k = 4, .weights = weights, .normalization = {.epsilon = 1e-7F}};
        std::vector<std::string> settings{"gr_threshold=-1", "gr_jaccard_k=0"};
        settings.insert(settings.end(), way.begin(), way.end());
        CAPTURE(image_weight);
        CHECK(refined(bench, settings, image_weight, family) == vanilla(bench, image_weight, family));
      }
    }
  }
}

TEST_CASE("item_graph: a model that drops self has the bits of preset noself") {
  ModelBench bench = ModelBench::random(32, 60, 50);
  const ItemGraphFamily family{.knn_k = 4, .self = Self::drop, .normalization = {.epsilon = 1e-7F}};
  const Graph own = vanilla(bench, 0.3, family);
  CHECK(own == refined(bench, {"gr_threshold=-1", "gr_jaccard_k=0", "gr_preset=noself"}, 0.3, family));
  for (std::int64_t row = 0; row < own.items(); ++row) {
    const auto columns = own.row_columns(row);
    CHECK(std::find(columns.begin(), columns.end(), static_cast<std::int32_t>(row)) == columns.end());
  }
}

TEST_CASE("item_graph: refined is, per modality, the operator refine with the model's normalisation, then mixed") {
  for (const Preset preset : {Preset::reference, Preset::noself, Preset::paper}) {
    for (const bool binary : {true, false}) {
      const std::string preset_setting = std::string("gr_preset=") + name(preset);
      CAPTURE(preset_setting);
      CAPTURE(binary);
      ModelBench bench = ModelBench::random(33, 80, 60);
      const Graph graph =
          refined(bench, {preset_setting, binary ? "gr_weights=binary" : "gr_weights=cosine", "gr_threshold=0.3",
                          "gr_threshold_image=0.15", "gr_jaccard_k=5", "gr_min_support=2"});
      RefineOptions options{.preset = preset,
                            .knn_k = 4,
                            .threshold = 0.15F,
                            .jaccard_k = 5,
                            .min_support = 2,
                            .weights = binary ? Weights::binary : Weights::similarity,
                            .epsilon = 1e-7F};
      const Graph image = refine(bench.features.at("image"), bench.train, options);
      options.threshold = 0.3F;
      const Graph text = refine(bench.features.at("text"), bench.train, options);
      const std::array<GraphView, 2> parts{image, text};
      CHECK(graph == mix(parts, std::array<float, 2>{0.1F, 0.9F}));
      CHECK(graph_named(bench, "image").graph == image);
      CHECK(graph_named(bench, "text").graph == text);
      CHECK(graph_named(bench, "items").graph == graph);
    }
  }
}

TEST_CASE("item_graph: gr_after_mix is the operator refine on all modalities") {
  ModelBench bench = ModelBench::random(34, 80, 60);
  const Graph graph = refined(bench, {"gr_after_mix=true", "gr_threshold=0.3"}, 0.25);
  const std::array<Modality, 2> modalities{Modality{.features = bench.features.at("image"), .weight = 0.25F},
                                           Modality{.features = bench.features.at("text"), .weight = 0.75F}};
  const RefineOptions options{
      .preset = Preset::reference, .knn_k = 4, .threshold = 0.3F, .jaccard_k = 10, .epsilon = 1e-7F};
  CHECK(graph == refine(modalities, bench.train, options));
}

TEST_CASE("item_graph: gr_min_support leaves out edges by audience that rest on fewer users") {
  for (const std::int64_t support : {1, 2, 3}) {
    CAPTURE(support);
    ModelBench bench = ModelBench::random(40, 80, 60);
    bench.features.erase("text");
    const std::vector<std::string> none{"gr_preset=noself", "gr_threshold=1", "gr_jaccard_k=0"};
    const Graph similar = refined(bench, none);  // of twins
    const Graph graph = refined(
        bench, {"gr_preset=noself", "gr_threshold=1", "gr_jaccard_k=80", "gr_min_support=" + std::to_string(support)});
    for (std::int64_t i = 0; i < graph.items(); ++i) {
      for (std::int64_t j = 0; j < graph.items(); ++j) {
        const bool by_audience = i != j && test::common(bench.train, i, j) >= support;
        const bool expected = by_audience || !std::isnan(test::weight_of(similar, i, j));
        CHECK(std::isnan(test::weight_of(graph, i, j)) != expected);
      }
    }
  }
}

TEST_CASE("item_graph: gr_normalize_parts normalises similarity and audience apart, then adds with a weight") {
  for (const bool after_mix : {false, true}) {
    CAPTURE(after_mix);
    ModelBench bench = ModelBench::random(35, 80, 60);
    const Graph graph =
        refined(bench, {"gr_normalize_parts=true", "gr_enhancement_weight=0.5", "gr_threshold=0.3", "gr_jaccard_k=6",
                        std::string("gr_after_mix=") + (after_mix ? "true" : "false")});
    const NormalizeOptions normalization{.epsilon = 1e-7F};
    const RefineOptions bare{.preset = Preset::reference,
                             .knn_k = 4,
                             .threshold = 0.3F,
                             .jaccard_k = 0,
                             .normalization = after_mix ? Normalization::none : Normalization::symmetric,
                             .epsilon = 1e-7F};
    const Graph image = refine(bench.features.at("image"), bench.train, bare);
    const Graph text = refine(bench.features.at("text"), bench.train, bare);
    Graph similar = mix(std::array<GraphView, 2>{image, text}, std::array<float, 2>{0.1F, 0.9F});
    if (after_mix) similar = normalize(similar, normalization);
    const Graph audience =
        normalize(jaccard_graph(bench.train, {.k = 6, .identical = Identical::reference}), normalization);
    CHECK(graph == mix(std::array<GraphView, 2>{similar, audience}, std::array<float, 2>{1.0F, 0.5F}));
  }
}

TEST_CASE("item_graph: gr_threshold_quantile prunes about that share of the edges that are no self loops") {
  for (const double share : {0.0, 0.1, 0.5, 1.0}) {
    CAPTURE(share);
    ModelBench bench = ModelBench::random(36, 40, 200);
    const std::string setting = "gr_threshold_quantile_image=" + std::to_string(share);
    refined(bench, {setting, "gr_threshold=-1", "gr_jaccard_k=0", "gr_preset=noself"}, 0.5);
    const Graph before = knn_graph(bench.features.at("image"), {.k = 4});
    const auto edges = static_cast<double>(before.edges());
    const auto kept = static_cast<double>(graph_named(bench, "image").graph.edges());
    if (share < 1.0) {
      CHECK(kept == doctest::Approx((1.0 - share) * edges).epsilon(0.05));
    } else {
      CHECK(kept < 0.2 * edges);
    }
    CHECK(graph_named(bench, "text").graph.edges() == knn_graph(bench.features.at("text"), {.k = 4}).edges());
  }
}

TEST_CASE("item_graph: descriptions tell alpha and the share of edges that it pruned, self loops left out") {
  ModelBench bench = ModelBench::worked_example();
  refined(bench, {"gr_threshold=0.5", "gr_threshold_text=0.7", "gr_jaccard_k=2"}, 0.1, {.knn_k = 2});
  // one true neighbour each: image cosines .8, .96, .96, .48; text .6, .8, .8, .6
  CHECK(contains(graph_named(bench, "image").description, {"image", "alpha 0.5 prunes 1 of 4 edges (25.0 %)"}));
  CHECK(contains(graph_named(bench, "text").description, {"text", "alpha 0.7 prunes 2 of 4 edges (50.0 %)"}));
  CHECK(contains(graph_named(bench, "items").description,
                 {"refined", "reference", "0.1 image", "0.9 text", "6 edges by common audience (k 2)"}));
  refined(bench, {"gr_jaccard_k=2", "gr_min_support=2"}, 0.1, {.knn_k = 2});
  // users 0 and 1 have items 0, 1 and 2; `reference` drops the twins 0 and 2, and item 3 has one user
  CHECK(
      contains(graph_named(bench, "items").description, {"4 edges by common audience (k 2, at least 2 common users)"}));
  vanilla(bench);
  CHECK(contains(graph_named(bench, "items").description, {"vanilla"}));
  CHECK(graph_named(bench, "text").description.find("alpha") == std::string::npos);
}

TEST_CASE("item_graph: one modality has one graph, whose description tells all") {
  ModelBench bench = ModelBench::worked_example();
  bench.features.erase("image");
  refined(bench, {"gr_threshold=0.7"}, 0.1, {.knn_k = 2});
  CHECK(bench.graphs.size() == 1);
  CHECK(contains(graph_named(bench, "items").description, {"text", "alpha 0.7 prunes 2 of 4 edges"}));
}

TEST_CASE("item_graph: a ready graph without its diagonal gives what the features give") {
  ModelBench from_features = ModelBench::random(37, 60, 50);
  ModelBench from_graphs = ModelBench::random(37, 60, 50);
  for (const std::string name : {"image", "text"}) {
    // zero rows have no cosine, so no self loop from features; a ready graph knows of no zero rows
    Matrix& features = from_features.features.at(name);
    for (std::int64_t row = 0; row < features.rows(); ++row) features.mutable_view()(row, 0) += 0.5F;
    from_graphs.similarities.emplace(name, knn_graph(features, {.k = 9}));
  }
  from_graphs.features.clear();
  CHECK(vanilla(from_graphs) == vanilla(from_features));
  const std::vector<std::string> settings{"gr_threshold=0.4", "gr_threshold_quantile_image=0.2", "gr_weights=cosine"};
  CHECK(refined(from_graphs, settings) == refined(from_features, settings));
}

TEST_CASE("item_graph: gr_ settings are noticed where the graph is vanilla") {
  ModelBench bench = ModelBench::worked_example();
  built(bench, GraphKind::vanilla, {"gr_threshold=0.5", "gr_jaccard_k=3", "gr_threshold_text=0.5"}, 0.1, kFamily);
  REQUIRE(bench.notices.size() == 2);  // 0.5 is the default
  CHECK(contains(bench.notices[0], {"gr_jaccard_k", "graph is not refined"}));
  CHECK(contains(bench.notices[1], {"gr_threshold_text", "graph is not refined"}));
  built(bench, GraphKind::vanilla, {"gr_min_support=2"}, 0.1, kFamily);
  REQUIRE(bench.notices.size() == 1);
  CHECK(contains(bench.notices[0], {"gr_min_support", "graph is not refined"}));
  refined(bench, {"gr_jaccard_k=3"});
  CHECK(bench.notices.empty());
}

TEST_CASE("item_modalities: image and text share by weight, others are left out with a notice") {
  ModelBench bench = ModelBench::worked_example();
  bench.features["image_text"] = bench.features["text"];
  bench.set(entry_for());
  const auto modalities = item_modalities(bench.inputs(), 0.1);
  REQUIRE(modalities.size() == 2);
  CHECK(modalities[0].name == "image");
  CHECK(modalities[0].share == 0.1F);
  CHECK(modalities[1].name == "text");
  CHECK(modalities[1].share == 0.9F);
  REQUIRE(bench.notices.size() == 1);
  CHECK(contains(bench.notices[0], {"image_text", "left out"}));
}

TEST_CASE("item_modalities: one alone has all, other names share alike") {
  ModelBench bench = ModelBench::worked_example();
  bench.set(entry_for());
  bench.features.erase("image");
  CHECK(item_modalities(bench.inputs(), 0.1).at(0).share == 1.0F);
  bench.features["audio"] = bench.features["text"];
  bench.similarities.emplace("covers", Graph(4));
  const auto modalities = item_modalities(bench.inputs(), 0.1);
  REQUIRE(modalities.size() == 3);
  CHECK(modalities[0].name == "audio");
  CHECK(modalities[1].name == "covers");
  CHECK_FALSE(modalities[1].has_features());
  CHECK(modalities[1].similarity.has_value());
  CHECK(modalities[2].has_features());
  for (const ItemModality& modality : modalities) CHECK(modality.share == doctest::Approx(1.0 / 3.0));
  CHECK(bench.notices.empty());
}

TEST_CASE("item_modalities: errors name what is missing and how to give it") {
  ModelBench bench = ModelBench::worked_example();
  bench.set(entry_for(), {"gr_threshold_txt=0.3"});
  expect_error<InvalidArgument>([&] { item_modalities(bench.inputs(), 0.1); }, {"settings = gr_threshold_txt", "text"});
  bench.features.clear();
  expect_error<InvalidArgument>([&] { item_modalities(bench.inputs(), 0.1); },
                                {"modalities = none", "features or similarity"});
}

TEST_CASE("item_graph: cancelling reaches the operators") {
  ModelBench bench = ModelBench::random(38, 60, 50);
  bench.set(entry_for());
  ModelInputs inputs = bench.inputs(GraphKind::refined);
  inputs.context.cancel.cancel();
  const auto modalities = item_modalities(inputs, 0.1);
  CHECK_THROWS_AS(item_graph(inputs, modalities, kFamily), Cancelled);
}

TEST_CASE("as_csr: the same matrix") {
  ModelBench bench = ModelBench::random(39, 60, 50);
  const Graph graph = vanilla(bench);
  CHECK(difference(dense(as_csr(graph)), dense(graph), 0.0) == "");
}

}  // namespace
}  // namespace item_graph_test
}  // namespace graft::training
