#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/ops/jaccard.hpp>
#include <graft/ops/knn.hpp>

#include "autodiff/tape.hpp"
#include "train/item_graph.hpp"
#include "train/model.hpp"
#include "train/trainer.hpp"

#include "../support/check.hpp"
#include "../support/files.hpp"
#include "gradient_check.hpp"
#include "model_bench.hpp"

namespace graft::training::models {

training::ModelEntry lattice_model();

namespace lattice_test {
namespace {

using autodiff::Tape;
using test::dense;
using test::Dense;
using test::difference;
using test::expect_error;
using test::ModelBench;
using test::Triples;
using training::GraphKind;

using Assignments = std::vector<std::string>;

constexpr std::int64_t kUsers = 14;
constexpr std::int64_t kItems = 11;

/// Without equal or empty rows: central differences want neighbours that stay the same.
ModelBench small_bench() {
  ModelBench bench = ModelBench::random(41, kUsers, kItems);
  std::uint64_t stream = 0;
  for (auto& [name, features] : bench.features) {
    data::RandomStream random(41, stream++);
    float* values = features.mutable_view().data();
    for (std::int64_t i = 0; i < features.rows() * features.cols(); ++i) {
      values[i] = static_cast<float>(random.normal());
    }
  }
  return bench;
}

Triples small_triples() { return test::random_triples(42, kUsers, kItems, 9); }
Assignments with(Assignments more) {
  more.insert(more.begin(), {"embedding_size=5", "feat_embed_dim=4", "knn_k=3"});
  return more;
}

// Dense arithmetic
// ------------------------------------------------------------------------------------------------------------------

Dense zeros(std::size_t rows, std::size_t cols) { return Dense(rows, std::vector<double>(cols, 0.0)); }

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

Dense product(const Dense& a, const Dense& b) {
  Dense result = zeros(a.size(), b.front().size());
  for (std::size_t r = 0; r < a.size(); ++r) {
    for (std::size_t k = 0; k < b.size(); ++k) {
      for (std::size_t c = 0; c < b[k].size(); ++c) result[r][c] += a[r][k] * b[k][c];
    }
  }
  return result;
}

void add_scaled(Dense& a, double factor, const Dense& b) {
  for (std::size_t r = 0; r < a.size(); ++r) {
    for (std::size_t c = 0; c < a[r].size(); ++c) a[r][c] += factor * b[r][c];
  }
}

Dense unit_rows(Dense rows) {
  for (auto& row : rows) {
    const double norm = std::sqrt(dot(row, row));
    for (double& value : row) value /= norm;
  }
  return rows;
}

/// The k largest cosines of every row, self among them.
Dense knn_oracle(const Dense& features, std::size_t k) {
  const Dense unit = unit_rows(features);
  Dense result = zeros(unit.size(), unit.size());
  for (std::size_t a = 0; a < unit.size(); ++a) {
    std::vector<std::pair<double, std::size_t>> order;
    order.reserve(unit.size());
    for (std::size_t b = 0; b < unit.size(); ++b) order.emplace_back(a == b ? -2.0 : -dot(unit[a], unit[b]), b);
    std::sort(order.begin(), order.end());
    for (std::size_t place = 0; place < std::min(k, order.size()); ++place) {
      const std::size_t b = order[place].second;
      result[a][b] = dot(unit[a], unit[b]);
    }
  }
  return result;
}

Dense lap_oracle(Dense graph) {
  std::vector<double> factors;
  for (const auto& row : graph) {
    const double sum = std::accumulate(row.begin(), row.end(), 0.0);
    factors.push_back(sum > 0.0 ? 1.0 / std::sqrt(sum) : 0.0);
  }
  for (std::size_t a = 0; a < graph.size(); ++a) {
    for (std::size_t b = 0; b < graph.size(); ++b) graph[a][b] *= factors[a] * factors[b];
  }
  return graph;
}

/// D^-1 (A + I) over users and items.
Dense self_loop_oracle(const Interactions& train) {
  const auto users = static_cast<std::size_t>(train.users());
  const std::size_t nodes = users + static_cast<std::size_t>(train.items());
  Dense square = zeros(nodes, nodes);
  for (std::size_t u = 0; u < users; ++u) {
    for (const std::int32_t item : train.history(static_cast<std::int64_t>(u))) {
      const std::size_t i = users + static_cast<std::size_t>(item);
      square[u][i] = square[i][u] = 1.0;
    }
  }
  for (std::size_t n = 0; n < nodes; ++n) {
    square[n][n] = 1.0;
    const double sum = std::accumulate(square[n].begin(), square[n].end(), 0.0);
    for (double& value : square[n]) value /= sum;
  }
  return square;
}

struct Sides {
  Dense users;
  Dense items;
};

/// What the whole model does.
class Oracle {
 public:
  Oracle(ModelBench& bench, std::vector<std::string> modalities) : bench_(bench), modalities_(std::move(modalities)) {}

  std::size_t knn_k = 3;
  double lambda = 0.9;
  int user_item_layers = 2;
  int item_layers = 1;
  double learned_alpha = -1.0;  ///< of the learned graph
  Dense audience = {};          ///< weight C, or weight lap(C) where `apart`
  bool apart = false;
  Dense frozen = {};  ///< in place of O

  [[nodiscard]] Dense raw(const std::string& modality) const {
    const Matrix& features = bench_.features.at(modality);
    Dense rows;
    for (std::int64_t r = 0; r < features.rows(); ++r) {
      rows.emplace_back(features.view().row(r), features.view().row(r) + features.cols());
    }
    return rows;
  }

  [[nodiscard]] Dense projected(const std::string& modality) const {
    const Dense features = bench_.value(modality + "_features");
    const Dense weight = bench_.value(modality + "_weight");
    const std::vector<double> bias = bench_.value(modality + "_bias").front();
    Dense result = zeros(features.size(), weight.size());
    for (std::size_t r = 0; r < result.size(); ++r) {
      for (std::size_t c = 0; c < weight.size(); ++c) result[r][c] = dot(features[r], weight[c]) + bias[c];
    }
    return result;
  }

  [[nodiscard]] std::vector<double> shares() const {
    if (modalities_.size() == 1) return {1.0};
    std::vector<double> result = bench_.value("modal_weight").front();
    double total = 0.0;
    for (double& value : result) total += value = std::exp(value);
    for (double& value : result) value /= total;
    return result;
  }

  [[nodiscard]] Dense graph() const {
    const auto items = static_cast<std::size_t>(bench_.train.items());
    Dense learned = zeros(items, items);
    Dense original = zeros(items, items);
    const std::vector<double> beta = shares();
    for (std::size_t m = 0; m < modalities_.size(); ++m) {
      Dense similar = knn_oracle(projected(modalities_[m]), knn_k);
      for (auto& row : similar) {
        for (double& weight : row) weight = weight < learned_alpha ? 0.0 : weight;
      }
      add_scaled(learned, beta[m], similar);
      add_scaled(original, beta[m], lap_oracle(knn_oracle(raw(modalities_[m]), knn_k)));
    }
    if (!audience.empty() && !apart) add_scaled(learned, 1.0, audience);
    Dense result = zeros(items, items);
    add_scaled(result, 1.0 - lambda, lap_oracle(learned));
    if (!audience.empty() && apart) add_scaled(result, 1.0 - lambda, audience);
    add_scaled(result, lambda, frozen.empty() ? original : frozen);
    return result;
  }

  [[nodiscard]] Sides vectors(const Dense& item_graph) const {
    const Dense users = bench_.value("user_embedding");
    const Dense items = bench_.value("item_embedding");
    Dense layer = users;
    layer.insert(layer.end(), items.begin(), items.end());
    Dense total = layer;
    const Dense mean = self_loop_oracle(bench_.train);
    for (int l = 0; l < user_item_layers; ++l) add_scaled(total, 1.0, layer = product(mean, layer));
    for (auto& row : total) {
      for (double& value : row) value /= user_item_layers + 1;
    }
    Dense content = items;
    for (int l = 0; l < item_layers; ++l) content = product(item_graph, content);
    const auto cut = total.begin() + static_cast<std::ptrdiff_t>(users.size());
    Sides result{Dense(total.begin(), cut), Dense(cut, total.end())};
    add_scaled(result.items, 1.0, unit_rows(content));
    return result;
  }

 private:
  ModelBench& bench_;
  std::vector<std::string> modalities_;
};

double loss_oracle(const Sides& all, const Triples& triples, double reg_weight, double batch_size) {
  double ranking = 0.0;
  double squares = 0.0;
  for (std::size_t t = 0; t < triples.users.size(); ++t) {
    const auto& user = all.users[static_cast<std::size_t>(triples.users[t])];
    const auto& positive = all.items[static_cast<std::size_t>(triples.positives[t])];
    const auto& negative = all.items[static_cast<std::size_t>(triples.negatives[t])];
    ranking += std::log1p(std::exp(dot(user, negative) - dot(user, positive)));
    squares += dot(user, user) + dot(positive, positive) + dot(negative, negative);
  }
  return ranking / static_cast<double>(triples.users.size()) + reg_weight * 0.5 * squares / batch_size;
}

Sides represented(ModelBench& bench, training::Model& model) {
  Tape tape(*bench.backend);
  const training::Representations all = model.represent(tape);
  return {bench.dense(tape.evaluate(all.users)), bench.dense(tape.evaluate(all.items))};
}

/// One batch, with gradients.
double step(ModelBench& bench, training::Model& model, const Triples& triples) {
  Tape tape(*bench.backend);
  return tape.backward(model.loss(tape, triples.batch(bench.train.users(), bench.train.items())));
}

void begin(training::Model& model, std::int64_t epoch) {
  data::RandomStream random(1, 2);
  model.begin_epoch(epoch, random);
}

/// Moves every element of a parameter, each by another amount.
void disturb(ModelBench& bench, const std::string& name, double by = 0.3) {
  const autodiff::Tensor& value = bench.parameter(name).value;
  std::vector<double> values = bench.backend->download(value);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] += by * std::sin(static_cast<double>(3 * i + 1));
  bench.backend->upload(value, values);
}

// The model
// ------------------------------------------------------------------------------------------------------------------

TEST_CASE("lattice: the frozen graph keeps cosines and is normalised by its row sums") {
  ModelBench bench = ModelBench::worked_example();
  bench.make(lattice_model(), {"knn_k=2"});
  REQUIRE(bench.graphs.size() == 2);
  CHECK(bench.graphs[0].name == "image");
  CHECK(difference(dense(bench.graphs[0].graph), test::model_golden()["lattice_lap_K2"].get<Dense>(), 1e-7) == "");
}

TEST_CASE("lattice: the user-item graph is the row mean with self loops") {
  ModelBench bench = ModelBench::worked_example();
  const Dense mean = self_loop_oracle(bench.train);
  CHECK(difference({mean[0]}, {test::model_golden()["lattice_B_row0"].get<std::vector<double>>()}, 1e-8) == "");
  CHECK(difference({mean[6]}, {test::model_golden()["lattice_B_row6_item1"].get<std::vector<double>>()}, 1e-8) == "");
  // the model's, by unit vectors of all nodes
  const auto model = bench.make(lattice_model(), {"embedding_size=9", "n_ui_layers=1", "knn_k=2"});
  std::vector<double> unit(81, 0.0);
  for (std::size_t n = 0; n < 9; ++n) unit[n * 9 + n] = 1.0;
  bench.backend->upload(bench.parameter("user_embedding").value, std::span(unit).first(45));
  bench.backend->upload(bench.parameter("item_embedding").value, std::span(unit).subspan(45));
  const Sides all = represented(bench, *model);
  for (std::size_t c = 0; c < 9; ++c) CHECK(all.users[0][c] == doctest::Approx((mean[0][c] + (c == 0)) / 2.0));
  for (std::size_t c = 0; c < 5; ++c) CHECK(all.items[1][c] == doctest::Approx(mean[6][c] / 2.0));
}

TEST_CASE("lattice: final vectors and losses are those of dense arithmetic, with any number of layers") {
  for (const int layers : {1, 2}) {
    CAPTURE(layers);
    ModelBench bench = small_bench();
    const auto model =
        bench.make(lattice_model(), with({"n_ui_layers=" + std::to_string(3 - layers), "lambda_coeff=0.6",
                                          "n_layers=" + std::to_string(layers), "reg_weight=0.7"}));
    disturb(bench, "modal_weight");
    Oracle oracle(bench, {"image", "text"});
    oracle.lambda = 0.6;
    oracle.user_item_layers = 3 - layers;
    oracle.item_layers = layers;
    const Sides expected = oracle.vectors(oracle.graph());
    const Sides all = represented(bench, *model);
    CHECK(difference(all.users, expected.users, 1e-12) == "");
    CHECK(difference(all.items, expected.items, 1e-6) == "");
    const double loss = loss_oracle(expected, small_triples(), 0.7, 2048.0);
    begin(*model, 0);
    CHECK(step(bench, *model, small_triples()) == doctest::Approx(loss).epsilon(1e-6));  // through the learned graph
    CHECK(step(bench, *model, small_triples()) == doctest::Approx(loss).epsilon(1e-6));  // with it as a constant
  }
}

TEST_CASE("lattice: gr_learned prunes the learned graph and adds the audience graph, before or after normalising") {
  for (const bool apart : {false, true}) {
    CAPTURE(apart);
    ModelBench bench = small_bench();
    const auto model =
        bench.make(lattice_model(),
                   with({"lambda_coeff=0.3", "gr_learned=true", "gr_threshold=0.4", "gr_jaccard_k=2",
                         "gr_enhancement_weight=0.5", std::string("gr_normalize_parts=") + (apart ? "true" : "false")}),
                   GraphKind::refined);
    Oracle oracle(bench, {"image", "text"});
    oracle.lambda = 0.3;
    oracle.learned_alpha = 0.4;
    oracle.apart = apart;
    const std::int64_t items = bench.train.items();
    oracle.audience = zeros(static_cast<std::size_t>(items), static_cast<std::size_t>(items));
    const Dense c = dense(jaccard_graph(bench.train, {.k = 2, .identical = Identical::reference}));
    add_scaled(oracle.audience, 0.5, apart ? lap_oracle(c) : c);
    oracle.frozen = dense(bench.graphs[0].graph);  // item_graph_test has what these are
    for (auto& row : oracle.frozen) {
      for (double& weight : row) weight *= 0.5;
    }
    add_scaled(oracle.frozen, 0.5, dense(bench.graphs[1].graph));
    const Sides expected = oracle.vectors(oracle.graph());
    const Sides all = represented(bench, *model);
    CHECK(difference(all.items, expected.items, 1e-6) == "");
    const double loss = loss_oracle(expected, small_triples(), 0.0, 2048.0);
    begin(*model, 0);
    CHECK(step(bench, *model, small_triples()) == doctest::Approx(loss).epsilon(1e-6));  // through the learned graph
    CHECK(step(bench, *model, small_triples()) == doctest::Approx(loss).epsilon(1e-6));  // with it as a constant
  }
}

TEST_CASE("lattice: cf_model=mf leaves the user-item graph out") {
  ModelBench bench = small_bench();
  const auto model = bench.make(lattice_model(), with({"cf_model=mf"}));
  Oracle oracle(bench, {"image", "text"});
  oracle.user_item_layers = 0;
  const Sides expected = oracle.vectors(oracle.graph());
  const Sides all = represented(bench, *model);
  CHECK(difference(all.users, expected.users, 0.0) == "");
  CHECK(difference(all.items, expected.items, 1e-6) == "");
}

TEST_CASE("lattice: a modality that stands alone has the whole share, more than two begin with equal ones") {
  ModelBench alone = small_bench();
  alone.features.erase("image");
  const auto model = alone.make(lattice_model(), with({}));
  CHECK(alone.parameter_names() ==
        Assignments{"user_embedding", "item_embedding", "text_features", "text_weight", "text_bias"});
  Oracle oracle(alone, {"text"});
  CHECK(difference(represented(alone, *model).items, oracle.vectors(oracle.graph()).items, 1e-6) == "");
  begin(*model, 0);
  CHECK(std::isfinite(step(alone, *model, small_triples())));

  ModelBench three = small_bench();
  three.features["audio"] = three.features.at("image");
  three.features["motion"] = three.features.at("text");
  three.features.erase("image");
  const auto other = three.make(lattice_model(), with({}));
  CHECK(three.value("modal_weight").front() == std::vector<double>(3, static_cast<double>(1.0F / 3.0F)));
  Oracle of_three(three, {"audio", "motion", "text"});
  CHECK(difference(represented(three, *other).items, of_three.vectors(of_three.graph()).items, 1e-6) == "");
}

TEST_CASE("lattice: gradients of an epoch's first batch reach all parameters, through the learned graph") {
  const auto errors = [](ModelBench bench, const Assignments& more, GraphKind graph) {
    const auto model = bench.make(lattice_model(), with(more), graph);
    if (bench.features.size() > 1) disturb(bench, "modal_weight");
    const training::Batch batch = small_triples().batch(kUsers, kItems);
    std::int64_t epoch = 0;
    return test::gradient_difference(*bench.backend, bench.parameters.all(), [&](Tape& tape) {
      begin(*model, epoch++);
      return model->loss(tape, batch);
    });
  };
  for (const GraphKind graph : {GraphKind::vanilla, GraphKind::refined}) {
    CAPTURE(static_cast<int>(graph));
    CHECK(errors(small_bench(), {"reg_weight=0.3", "lambda_coeff=0.5"}, graph) == "");
    CHECK(errors(small_bench(), {"n_layers=2", "cf_model=mf"}, graph) == "");
    CHECK(errors(small_bench(), {"lambda_coeff=0.2", "gr_learned=true", "gr_jaccard_k=3"}, graph) == "");
    CHECK(errors(small_bench(), {"lambda_coeff=0.2", "gr_learned=true", "gr_normalize_parts=true"}, graph) == "");
    ModelBench one = small_bench();
    one.features.erase("image");
    CHECK(errors(std::move(one), {"reg_weight=0.3"}, graph) == "");
  }
}

TEST_CASE("lattice: later batches of an epoch train the tables alone, on the graph of its first batch") {
  ModelBench bench = small_bench();
  const auto model = bench.make(lattice_model(), with({"reg_weight=0.3"}));
  begin(*model, 0);
  step(bench, *model, small_triples());
  CHECK(static_cast<bool>(bench.parameter("image_weight").gradient.values));
  const Dense graph = Oracle(bench, {"image", "text"}).graph();
  for (const char* name : {"image_weight", "text_features", "modal_weight", "text_bias"}) disturb(bench, name);
  for (autodiff::Parameter& parameter : bench.parameters.all()) parameter.gradient = {};
  const Triples triples = test::random_triples(43, kUsers, kItems, 7);
  const Oracle oracle(bench, {"image", "text"});
  CHECK(step(bench, *model, triples) ==
        doctest::Approx(loss_oracle(oracle.vectors(graph), triples, 0.3, 2048.0)).epsilon(1e-6));
  for (const autodiff::Parameter& parameter : bench.parameters.all()) {
    CAPTURE(parameter.name);
    CHECK(static_cast<bool>(parameter.gradient.values) == parameter.name.ends_with("_embedding"));
  }
  const training::Batch batch = triples.batch(kUsers, kItems);
  std::vector<std::reference_wrapper<autodiff::Parameter>> tables(bench.parameters.all().begin(),
                                                                  bench.parameters.all().begin() + 2);
  CHECK(test::gradient_difference(*bench.backend, tables, [&](Tape& tape) { return model->loss(tape, batch); }) == "");
  // evaluation and the next epoch see the parameters as they are
  const Sides now = oracle.vectors(oracle.graph());
  CHECK(difference(represented(bench, *model).items, now.items, 1e-6) == "");
  CHECK(step(bench, *model, triples) != doctest::Approx(loss_oracle(now, triples, 0.3, 2048.0)).epsilon(1e-6));
  begin(*model, 1);
  CHECK(step(bench, *model, triples) == doctest::Approx(loss_oracle(now, triples, 0.3, 2048.0)).epsilon(1e-6));
}

TEST_CASE("lattice: refined without pruning and enhancement has the bits of vanilla") {
  const auto outcome = [](const Assignments& more, GraphKind graph) {
    ModelBench bench = small_bench();
    const auto model = bench.make(lattice_model(), with(more), graph);
    begin(*model, 0);
    const double first = step(bench, *model, small_triples());
    const double second = step(bench, *model, small_triples());
    return std::pair(std::vector<double>{first, second}, represented(bench, *model).items);
  };
  const auto own = outcome({}, GraphKind::vanilla);
  CHECK(own == outcome({"gr_threshold=-1", "gr_jaccard_k=0"}, GraphKind::refined));
  CHECK(own == outcome({"gr_threshold=-1", "gr_jaccard_k=0", "gr_learned=true"}, GraphKind::refined));
  CHECK(own != outcome({}, GraphKind::refined));
}

TEST_CASE("lattice: the refined prior is graft's graph of each modality, in place of O_m") {
  const Assignments more{"gr_threshold_image=0.1", "gr_jaccard_k=4", "gr_weights=cosine"};
  for (const Assignments& parts :
       {Assignments{}, Assignments{"gr_normalize_parts=true", "gr_enhancement_weight=0.5"}}) {
    Assignments all = more;
    all.insert(all.end(), parts.begin(), parts.end());
    ModelBench bench = small_bench();
    bench.make(lattice_model(), with(all), GraphKind::refined);
    REQUIRE(bench.graphs.size() == 2);
    Dense mean = zeros(kItems, kItems);
    for (const training::NamedGraph& part : bench.graphs) {
      add_scaled(mean, 0.5, dense(part.graph));
      CHECK(test::contains(part.description, {"refined", "alpha", "common audience (k 4)"}));
    }
    ModelBench mixed = small_bench();
    mixed.set(lattice_model(), with(all));
    const training::ModelInputs inputs = mixed.inputs(GraphKind::refined);
    const Graph whole = training::item_graph(inputs, training::item_modalities(inputs, 0.5),
                                             {.knn_k = 3, .weights = Weights::similarity});
    CHECK(difference(mean, dense(whole), 1e-6) == "");
  }
  ModelBench bench = small_bench();
  expect_error<InvalidArgument>([&] { bench.make(lattice_model(), with({"gr_after_mix=true"}), GraphKind::refined); },
                                {"settings = gr_after_mix=true", "must be false"});
}

TEST_CASE("lattice: an item with features of zeros only, and items with equal ones, train all the same") {
  ModelBench bench = small_bench();
  for (auto& [name, features] : bench.features) {
    const auto view = features.mutable_view();
    std::fill_n(view.row(3), view.cols(), 0.0F);
    std::copy_n(view.row(5), view.cols(), view.row(6));
  }
  const auto model = bench.make(lattice_model(), with({}));
  CHECK(bench.graphs.at(0).graph.row_columns(3).empty());
  bench.backend->fill(bench.parameter("image_bias").value, 0.0);  // and so does the projection
  begin(*model, 0);
  CHECK(std::isfinite(step(bench, *model, small_triples())));
  for (const autodiff::Parameter& parameter : bench.parameters.all()) {
    CAPTURE(parameter.name);
    for (const double g : test::dense_gradient(*bench.backend, parameter)) CHECK(std::isfinite(g));
  }
  for (const auto& row : represented(bench, *model).items) {
    for (const double value : row) CHECK(std::isfinite(value));
  }
}

TEST_CASE("lattice: a modality without features is refused") {
  ModelBench bench = small_bench();
  bench.similarities.emplace("text", knn_graph(bench.features.at("text"), {.k = 4}));
  bench.make(lattice_model(), with({}));  // both: the graph is the prior, the features are learned from
  CHECK(test::contains(bench.graphs.at(1).description, {"ready similarity graph"}));
  ModelBench without = small_bench();
  without.similarities = bench.similarities;
  without.features.erase("text");
  expect_error<InvalidArgument>([&] { without.make(lattice_model(), with({})); },
                                {"similarity = text", "features of the modality"});
}

TEST_CASE("lattice: projected features that are not finite end training in words") {
  ModelBench bench = small_bench();
  const auto model = bench.make(lattice_model(), with({}));
  bench.backend->fill(bench.parameter("text_bias").value, std::numeric_limits<double>::quiet_NaN());
  expect_error<training::NotFinite>([&] { represented(bench, *model); },
                                    {"projected features of text", "learning_rate"});
}

TEST_CASE("lattice: the graph of an epoch is a state that goes to another model and back") {
  ModelBench bench = small_bench();
  const auto model = bench.make(lattice_model(), with({}));
  CHECK(model->save_state().empty());
  begin(*model, 5);
  CHECK(model->save_state().empty());
  step(bench, *model, small_triples());
  const std::vector<std::byte> state = model->save_state();
  const double expected = step(bench, *model, small_triples());
  ModelBench other_bench = small_bench();
  const auto other = other_bench.make(lattice_model(), with({}));
  disturb(other_bench, "image_weight");
  other->load_state(state);
  begin(*other, 5);
  CHECK(other->save_state() == state);
  CHECK(step(other_bench, *other, small_triples()) == expected);
  begin(*other, 6);
  CHECK(other->save_state().empty());
  CHECK(step(other_bench, *other, small_triples()) != expected);
  for (const std::size_t size : {std::size_t{1}, std::size_t{8}, state.size() - 1}) {
    CHECK_THROWS_AS(other->load_state(std::span(state).first(size)), InvalidArgument);
  }
  other->load_state({});
  CHECK(other->save_state().empty());
}

}  // namespace
}  // namespace lattice_test
}  // namespace graft::training::models
