// The models against dense arithmetic in double, and their gradients against central differences.
#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/ops/knn.hpp>

#include "autodiff/tape.hpp"
#include "train/item_graph.hpp"
#include "train/model.hpp"
#include "train/user_item_graph.hpp"

#include "../support/check.hpp"
#include "../support/files.hpp"
#include "gradient_check.hpp"
#include "model_bench.hpp"

namespace graft::training::models {

training::ModelEntry bpr_model();
training::ModelEntry lightgcn_model();
training::ModelEntry freedom_model();

namespace models_test {
namespace {

using autodiff::Tape;
using test::contains;
using test::dense;
using test::Dense;
using test::difference;
using test::expect_error;
using test::ModelBench;
using test::Triples;
using training::GraphKind;
using training::ModelEntry;
using training::Representations;

using Settings = std::vector<std::string>;

Dense product(const Dense& a, const Dense& b) {
  Dense result(a.size(), std::vector<double>(b.front().size(), 0.0));
  for (std::size_t r = 0; r < a.size(); ++r) {
    for (std::size_t k = 0; k < b.size(); ++k) {
      for (std::size_t c = 0; c < b[k].size(); ++c) result[r][c] += a[r][k] * b[k][c];
    }
  }
  return result;
}

Dense sum(Dense a, const Dense& b) {
  for (std::size_t r = 0; r < a.size(); ++r) {
    for (std::size_t c = 0; c < a[r].size(); ++c) a[r][c] += b[r][c];
  }
  return a;
}

Dense transposed(const Dense& a) {
  Dense result(a.front().size(), std::vector<double>(a.size()));
  for (std::size_t r = 0; r < a.size(); ++r) {
    for (std::size_t c = 0; c < a[r].size(); ++c) result[c][r] = a[r][c];
  }
  return result;
}

/// Users over items.
struct Sides {
  Dense users;
  Dense items;
};

/// The mean of the layers, with the whole square matrix [[0, B], [B^T, 0]].
Sides light_oracle(const Dense& block, const Sides& ego, int layers) {
  const std::size_t users = block.size();
  const std::size_t nodes = users + block.front().size();
  Dense square(nodes, std::vector<double>(nodes, 0.0));
  for (std::size_t u = 0; u < users; ++u) {
    for (std::size_t i = 0; i < block[u].size(); ++i) square[u][users + i] = square[users + i][u] = block[u][i];
  }
  Dense layer = ego.users;
  layer.insert(layer.end(), ego.items.begin(), ego.items.end());
  Dense total = layer;
  for (int l = 0; l < layers; ++l) {
    layer = product(square, layer);
    total = sum(total, layer);
  }
  for (auto& row : total) {
    for (double& value : row) value /= layers + 1;
  }
  const auto cut = total.begin() + static_cast<std::ptrdiff_t>(users);
  return {Dense(total.begin(), cut), Dense(cut, total.end())};
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double result = 0.0;
  for (std::size_t c = 0; c < a.size(); ++c) result += a[c] * b[c];
  return result;
}

double bpr_oracle(const Sides& all, const Triples& triples) {
  double total = 0.0;
  for (std::size_t t = 0; t < triples.users.size(); ++t) {
    const auto& user = all.users[static_cast<std::size_t>(triples.users[t])];
    const double margin = dot(user, all.items[static_cast<std::size_t>(triples.positives[t])]) -
                          dot(user, all.items[static_cast<std::size_t>(triples.negatives[t])]);
    total -= std::log(1e-10 + 1.0 / (1.0 + std::exp(-margin)));
  }
  return total / static_cast<double>(triples.users.size());
}

double norm_of(const Dense& table, const std::vector<std::int32_t>& ids) {
  double squares = 0.0;
  for (const std::int32_t id : ids)
    squares += dot(table[static_cast<std::size_t>(id)], table[static_cast<std::size_t>(id)]);
  return std::sqrt(squares);
}

double norms_oracle(const Sides& all, const Triples& triples) {
  return (norm_of(all.users, triples.users) + norm_of(all.items, triples.positives) +
          norm_of(all.items, triples.negatives)) /
         static_cast<double>(triples.users.size());
}

Sides embeddings(ModelBench& bench) { return {bench.value("user_embedding"), bench.value("item_embedding")}; }

Sides represented(ModelBench& bench, training::Model& model) {
  Tape tape(*bench.backend);
  const Representations all = model.represent(tape);
  const autodiff::Tensor users = tape.evaluate(all.users);
  return {bench.dense(users), bench.dense(tape.evaluate(all.items))};
}

double loss_of(ModelBench& bench, training::Model& model, const Triples& triples) {
  Tape tape(*bench.backend);
  return tape.scalar(model.loss(tape, triples.batch(bench.train.users(), bench.train.items())));
}

constexpr std::int64_t kUsers = 14;
constexpr std::int64_t kItems = 11;
ModelBench small_bench() { return ModelBench::random(21, kUsers, kItems); }
Triples small_triples() { return test::random_triples(22, kUsers, kItems, 9); }

/// Empty if all parameters have the gradients that central differences give, and each has a part in the loss but
/// biases of projections: they cancel in the difference of two scores.
std::string gradient_errors(const ModelEntry& entry, ModelBench bench, Settings settings,
                            GraphKind graph = GraphKind::vanilla) {
  settings.emplace_back("embedding_size=3");
  const auto model = bench.make(entry, settings, graph);
  data::RandomStream random(1, 2);
  model->begin_epoch(0, random);
  const training::Batch batch = small_triples().batch(kUsers, kItems);
  const auto loss = [&](Tape& tape) { return model->loss(tape, batch); };
  std::vector<std::reference_wrapper<autodiff::Parameter>> biases;
  std::vector<std::reference_wrapper<autodiff::Parameter>> others;
  for (autodiff::Parameter& parameter : bench.parameters.all()) {
    (parameter.name.ends_with("_bias") ? biases : others).emplace_back(parameter);
  }
  const std::string error = test::gradient_difference(*bench.backend, biases, loss, {.every_parameter = false});
  return error.empty() ? test::gradient_difference(*bench.backend, others, loss) : error;
}

TEST_CASE("bpr: vectors are the tables, the loss is BPR and the unsquared norms of the batch") {
  ModelBench bench = small_bench();
  const auto model = bench.make(bpr_model(), {"embedding_size=8", "reg_weight=0.7"});
  const Sides tables = embeddings(bench);
  const Sides all = represented(bench, *model);
  CHECK(difference(all.users, tables.users, 0.0) == "");
  CHECK(difference(all.items, tables.items, 0.0) == "");
  const Triples triples = small_triples();
  CHECK(loss_of(bench, *model, triples) ==
        doctest::Approx(bpr_oracle(tables, triples) + 0.7 * norms_oracle(tables, triples)).epsilon(1e-9));
}

TEST_CASE("bpr: tables are drawn with the variance of xavier_normal, 64 wide") {
  ModelBench bench = ModelBench::random(23, 300, 200);
  bench.make(bpr_model());
  const Sides tables = embeddings(bench);
  for (const Dense* table : {&tables.users, &tables.items}) {
    double squares = 0.0;
    for (const auto& row : *table) squares += dot(row, row);
    const auto rows = static_cast<double>(table->size());
    CHECK(table->front().size() == 64);
    CHECK(squares / (rows * 64.0) == doctest::Approx(2.0 / (rows + 64.0)).epsilon(0.05));
  }
}

TEST_CASE("bpr: gradients") {
  CHECK(gradient_errors(bpr_model(), small_bench(), {"reg_weight=0"}) == "");
  CHECK(gradient_errors(bpr_model(), small_bench(), {"reg_weight=0.5"}) == "");
}

TEST_CASE("lightgcn: the mean of the layers of the whole square matrix") {
  for (const int layers : {0, 1, 2, 3}) {
    CAPTURE(layers);
    ModelBench bench = small_bench();
    const auto model = bench.make(lightgcn_model(), {"embedding_size=5", "n_layers=" + std::to_string(layers)});
    const Sides all = represented(bench, *model);
    const Sides expected = light_oracle(dense(training::normalized_block(bench.train)), embeddings(bench), layers);
    CHECK(difference(all.users, expected.users, 1e-12) == "");
    CHECK(difference(all.items, expected.items, 1e-12) == "");
  }
}

TEST_CASE("lightgcn: scores come from the propagated vectors, norms from layer 0") {
  ModelBench bench = small_bench();
  const auto model = bench.make(lightgcn_model(), {"embedding_size=5", "reg_weight=0.4"});
  const Sides ego = embeddings(bench);
  const Triples triples = small_triples();
  const Sides all = light_oracle(dense(training::normalized_block(bench.train)), ego, 2);
  CHECK(loss_of(bench, *model, triples) ==
        doctest::Approx(bpr_oracle(all, triples) + 0.4 * norms_oracle(ego, triples)).epsilon(1e-9));
}

TEST_CASE("lightgcn: gradients") {
  for (const std::string layers : {"0", "1", "2", "3"}) {
    CAPTURE(layers);
    CHECK(gradient_errors(lightgcn_model(), small_bench(), {"n_layers=" + layers, "reg_weight=0.3"}) == "");
  }
  CHECK(gradient_errors(lightgcn_model(), small_bench(), {"reg_weight=0"}) == "");
}

TEST_CASE("lightgcn: an item graph is plugged in as freedom has its own") {
  const Settings common{"embedding_size=5", "knn_k=3", "n_mm_layers=2", "gr_threshold=0.2", "gr_jaccard_k=2"};
  const auto with = [&](Settings more) {
    more.insert(more.end(), common.begin(), common.end());
    return more;
  };
  for (const GraphKind graph : {GraphKind::vanilla, GraphKind::refined}) {
    CAPTURE(static_cast<int>(graph));
    ModelBench bench = small_bench();
    const auto model = bench.make(lightgcn_model(), with({"n_layers=2"}), graph);
    ModelBench peer = small_bench();
    const auto freedom = peer.make(freedom_model(), with({"n_ui_layers=2", "dropout=0"}), graph);
    const Sides all = represented(bench, *model);
    const Sides expected = represented(peer, *freedom);
    CHECK(difference(all.users, expected.users, 1e-12) == "");
    CHECK(difference(all.items, expected.items, 1e-12) == "");
    CHECK(gradient_errors(lightgcn_model(), small_bench(), with({"reg_weight=0.3"}), graph) == "");
  }
}

TEST_CASE("lightgcn: needs no modality without an item graph, and says that refinement is idle") {
  ModelBench bench = small_bench();
  bench.features.clear();
  const auto model = bench.make(lightgcn_model(), {"embedding_size=5"}, GraphKind::refined);
  REQUIRE(bench.notices.size() == 1);
  CHECK(contains(bench.notices.front(), {"setting n_mm_layers=1"}));
  CHECK(bench.graphs.empty());
  ModelBench asked = small_bench();
  asked.features.clear();
  expect_error<InvalidArgument>([&] { asked.make(lightgcn_model(), {"n_mm_layers=1"}); }, {"modalities = none"});
}

/// U and I + M^layers I, with the given user-item block.
Sides freedom_oracle(ModelBench& bench, const Dense& block, int item_layers) {
  const Dense mixed = dense(bench.graphs.back().graph);
  const Sides ego = embeddings(bench);
  Sides all = light_oracle(block, ego, 2);
  Dense content = ego.items;
  for (int layer = 0; layer < item_layers; ++layer) content = product(mixed, content);
  all.items = sum(all.items, content);
  return all;
}

TEST_CASE("freedom: vectors are light convolution over all edges plus the item graph's") {
  for (const int item_layers : {0, 1, 2}) {
    CAPTURE(item_layers);
    ModelBench bench = small_bench();
    const auto model =
        bench.make(freedom_model(), {"embedding_size=5", "knn_k=3", "n_mm_layers=" + std::to_string(item_layers)});
    data::RandomStream random(1, 2);
    model->begin_epoch(0, random);  // prunes for training only
    const Sides all = represented(bench, *model);
    const Sides expected = freedom_oracle(bench, dense(training::normalized_block(bench.train)), item_layers);
    CHECK(difference(all.users, expected.users, 1e-12) == "");
    CHECK(difference(all.items, expected.items, 1e-12) == "");
  }
}

TEST_CASE("freedom: the item graph is uniform over self and the knn_k - 1 nearest, image with mm_image_weight") {
  ModelBench bench = ModelBench::worked_example();
  bench.make(freedom_model(), {"knn_k=2", "mm_image_weight=0.25"});
  const Dense image = test::model_golden()["freedom_M_K2"].get<Dense>();
  CHECK(difference(dense(bench.graphs.at(0).graph), image, 1e-7) == "");
  const Dense text{{.5, 0, 0, .5}, {0, .5, .5, 0}, {0, .5, .5, 0}, {.5, 0, 0, .5}};
  CHECK(difference(dense(bench.graphs.at(1).graph), text, 1e-7) == "");
  Dense mixed = image;
  for (std::size_t r = 0; r < 4; ++r) {
    for (std::size_t c = 0; c < 4; ++c) mixed[r][c] = 0.25 * image[r][c] + 0.75 * text[r][c];
  }
  CHECK(difference(dense(bench.graphs.at(2).graph), mixed, 1e-7) == "");
}

TEST_CASE("freedom: an epoch's loss propagates over the edges that its stream draws") {
  ModelBench bench = small_bench();
  const auto model = bench.make(freedom_model(), {"embedding_size=5", "knn_k=3", "dropout=0.5"});
  const Triples triples = small_triples();
  const training::EdgePruning pruning(bench.train, 0.5);
  std::vector<double> losses;
  for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
    data::RandomStream random(9, static_cast<std::uint64_t>(epoch));
    data::RandomStream same = random;
    model->begin_epoch(epoch, random);
    losses.push_back(loss_of(bench, *model, triples));
    const Sides all = freedom_oracle(bench, dense(pruning.draw(same)), 1);
    CHECK(losses.back() == doctest::Approx(bpr_oracle(all, triples)).epsilon(1e-9));
  }
  CHECK(losses[0] != losses[1]);
  data::RandomStream again(9, 0);
  model->begin_epoch(0, again);
  CHECK(loss_of(bench, *model, triples) == losses[0]);
}

TEST_CASE("freedom: without dropout training and evaluation use one graph") {
  ModelBench bench = small_bench();
  const auto model = bench.make(freedom_model(), {"embedding_size=5", "knn_k=3", "dropout=0"});
  data::RandomStream random(9, 0);
  model->begin_epoch(0, random);
  const Triples triples = small_triples();
  CHECK(loss_of(bench, *model, triples) ==
        doctest::Approx(bpr_oracle(represented(bench, *model), triples)).epsilon(1e-9));
}

TEST_CASE("freedom: reg_weight adds BPR of the convolved users with projected features of each modality") {
  for (const std::string frozen : {"false", "true"}) {
    CAPTURE(frozen);
    ModelBench bench = small_bench();
    const auto model = bench.make(
        freedom_model(), {"embedding_size=5", "knn_k=3", "dropout=0", "reg_weight=0.3", "freeze_feats=" + frozen});
    const Triples triples = small_triples();
    const Sides all = represented(bench, *model);
    double expected = bpr_oracle(all, triples);
    for (const std::string name : {"image", "text"}) {
      const Matrix& features = bench.features.at(name);
      Dense raw(static_cast<std::size_t>(features.rows()));
      for (std::size_t r = 0; r < raw.size(); ++r) {
        const float* row = features.view().row(static_cast<std::int64_t>(r));
        raw[r].assign(row, row + features.cols());
      }
      Dense projected = product(raw, transposed(bench.value(name + "_weight")));
      for (auto& row : projected) row = sum({row}, bench.value(name + "_bias")).front();
      expected += 0.3 * bpr_oracle({all.users, projected}, triples);
    }
    CHECK(loss_of(bench, *model, triples) == doctest::Approx(expected).epsilon(1e-6));
  }
}

TEST_CASE("freedom: only what takes part in the loss is a parameter") {
  const std::vector<std::string> tables{"user_embedding", "item_embedding"};
  ModelBench plain = small_bench();
  plain.make(freedom_model(), {"embedding_size=5"});
  CHECK(plain.parameter_names() == tables);

  ModelBench frozen = small_bench();
  frozen.make(freedom_model(), {"embedding_size=5", "reg_weight=0.1", "freeze_feats=true"});
  CHECK(frozen.parameter_names() == std::vector<std::string>{"user_embedding", "item_embedding", "image_weight",
                                                             "image_bias", "text_weight", "text_bias"});

  ModelBench trained = small_bench();
  trained.make(freedom_model(), {"embedding_size=5", "reg_weight=0.1"});
  CHECK(trained.parameter_names().size() == 8);
  CHECK(trained.parameter("image_weight").value.rows() == 5);
  CHECK(trained.parameter("image_weight").value.cols() == 9);
  CHECK(trained.parameter("image_features").value.rows() == kItems);
}

TEST_CASE("freedom: ready similarity graphs are enough without the loss on features") {
  ModelBench bench = small_bench();
  bench.similarities.emplace("text", knn_graph(bench.features.at("text"), {.k = 4}));
  bench.features.erase("text");
  const auto model = bench.make(freedom_model(), {"embedding_size=5"});
  CHECK(std::isfinite(loss_of(bench, *model, small_triples())));

  ModelBench asked = small_bench();
  asked.similarities.emplace("text", knn_graph(asked.features.at("text"), {.k = 4}));
  asked.features.erase("text");
  expect_error<InvalidArgument>([&] { asked.make(freedom_model(), {"reg_weight=0.001"}); },
                                {"settings = reg_weight=0.001", "modality text", "or reg_weight=0"});
}

TEST_CASE("freedom: no modality is an error that names the options") {
  ModelBench bench = small_bench();
  bench.features.clear();
  expect_error<InvalidArgument>([&] { bench.make(freedom_model()); }, {"modalities = none", "given as features"});
}

TEST_CASE("freedom: refined without pruning and enhancement trains on the graph of vanilla") {
  ModelBench own = small_bench();
  own.make(freedom_model(), {"embedding_size=5", "knn_k=3"});
  ModelBench refined = small_bench();
  refined.make(freedom_model(), {"embedding_size=5", "knn_k=3", "gr_threshold=-1", "gr_jaccard_k=0"},
               GraphKind::refined);
  CHECK(own.graphs.back().graph == refined.graphs.back().graph);
  ModelBench changed = small_bench();
  changed.make(freedom_model(), {"embedding_size=5", "knn_k=3"}, GraphKind::refined);
  CHECK_FALSE(own.graphs.back().graph == changed.graphs.back().graph);
}

TEST_CASE("freedom: gradients") {
  const Settings base{"knn_k=3", "dropout=0.5"};
  const auto with = [&](Settings more) {
    more.insert(more.end(), base.begin(), base.end());
    return more;
  };
  for (const GraphKind graph : {GraphKind::vanilla, GraphKind::refined}) {
    CAPTURE(static_cast<int>(graph));
    CHECK(gradient_errors(freedom_model(), small_bench(), with({}), graph) == "");
    CHECK(gradient_errors(freedom_model(), small_bench(), with({"reg_weight=0.4"}), graph) == "");
    CHECK(gradient_errors(freedom_model(), small_bench(), with({"reg_weight=0.4", "freeze_feats=true"}), graph) == "");
    CHECK(gradient_errors(freedom_model(), small_bench(), with({"n_mm_layers=2", "n_ui_layers=1"}), graph) == "");
    ModelBench one = small_bench();
    one.features.erase("image");
    CHECK(gradient_errors(freedom_model(), std::move(one), with({"reg_weight=0.4"}), graph) == "");
  }
  CHECK(gradient_errors(freedom_model(), small_bench(),
                        with({"reg_weight=0.4", "gr_normalize_parts=true", "gr_after_mix=true"}),
                        GraphKind::refined) == "");
}

TEST_CASE("ModelRegistry: the built-in models are those under src/models") {
  const training::ModelRegistry registry = training::ModelRegistry::with_built_in();
  for (const std::string name : {"bpr", "lightgcn", "freedom"}) {
    const ModelEntry& entry = registry.find(name);
    CHECK(entry.name == name);
    CHECK_FALSE(entry.description.empty());
    CHECK(entry.uses_item_graph == (name != "bpr"));
  }
}

}  // namespace
}  // namespace models_test
}  // namespace graft::training::models
