#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/ops/knn.hpp>

#include "autodiff/tape.hpp"
#include "train/model.hpp"

#include "../support/check.hpp"
#include "../support/files.hpp"
#include "gradient_check.hpp"
#include "model_bench.hpp"

namespace graft::training::models {

training::ModelEntry vbpr_model();

namespace vbpr_test {
namespace {

using autodiff::Tape;
using test::Dense;
using test::difference;
using test::expect_error;
using test::ModelBench;
using test::Triples;

constexpr std::int64_t kUsers = 14;
constexpr std::int64_t kItems = 11;
ModelBench small_bench() { return ModelBench::random(31, kUsers, kItems); }
Triples small_triples() { return test::random_triples(32, kUsers, kItems, 9); }

/// Features of the modalities side by side.
Dense joined(const ModelBench& bench, const std::vector<std::string>& names) {
  Dense rows(static_cast<std::size_t>(kItems));
  for (const std::string& name : names) {
    const Matrix& features = bench.features.at(name);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const float* row = features.view().row(static_cast<std::int64_t>(r));
      rows[r].insert(rows[r].end(), row, row + features.cols());
    }
  }
  return rows;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double result = 0.0;
  for (std::size_t c = 0; c < a.size(); ++c) result += a[c] * b[c];
  return result;
}

/// The free part of every item, then its features times weight plus bias.
Dense item_oracle(ModelBench& bench, const std::vector<std::string>& names) {
  const Dense features = joined(bench, names);
  const Dense weight = bench.value("feature_weight");
  const std::vector<double> bias = bench.value("feature_bias").front();
  Dense items = bench.value("item_embedding");
  for (std::size_t i = 0; i < items.size(); ++i) {
    for (std::size_t d = 0; d < weight.size(); ++d) items[i].push_back(dot(features[i], weight[d]) + bias[d]);
  }
  return items;
}

Dense represented_items(ModelBench& bench, training::Model& model) {
  Tape tape(*bench.backend);
  return bench.dense(tape.evaluate(model.represent(tape).items));
}

/// Gives a parameter that starts at zero values to be seen by.
void fill(ModelBench& bench, const std::string& name) {
  const autodiff::Tensor& value = bench.parameter(name).value;
  std::vector<double> values(static_cast<std::size_t>(value.size()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.25 * static_cast<double>(i) - 0.5;
  bench.backend->upload(value, values);
}

TEST_CASE("vbpr: an item is its free vector and its projected features, text before image") {
  ModelBench bench = small_bench();
  const auto model = bench.make(vbpr_model(), {"embedding_size=4"});
  fill(bench, "feature_bias");
  CHECK(difference(represented_items(bench, *model), item_oracle(bench, {"text", "image"}), 1e-12) == "");
  Tape tape(*bench.backend);
  CHECK(difference(bench.dense(tape.evaluate(model->represent(tape).users)), bench.value("user_embedding"), 0.0) == "");
  CHECK(bench.parameter("user_embedding").value.cols() == 8);
  CHECK(bench.parameter("feature_weight").value.rows() == 4);
  CHECK(bench.parameter("feature_weight").value.cols() == 5 + 9);
  CHECK(bench.graphs.empty());
}

TEST_CASE("vbpr: one modality stands alone, others follow by name") {
  ModelBench bench = small_bench();
  bench.features["audio"] = bench.features.at("text");
  bench.features["video"] = bench.features.at("image");
  bench.features.erase("text");
  const auto model = bench.make(vbpr_model(), {"embedding_size=4"});
  CHECK(difference(represented_items(bench, *model), item_oracle(bench, {"image", "audio", "video"}), 1e-12) == "");

  ModelBench alone = small_bench();
  alone.features.erase("image");
  const auto text_model = alone.make(vbpr_model(), {"embedding_size=4"});
  CHECK(difference(represented_items(alone, *text_model), item_oracle(alone, {"text"}), 1e-12) == "");
}

TEST_CASE("vbpr: features of more rows than a block are all there") {
  constexpr std::int64_t kMany = 2500;
  ModelBench bench = ModelBench::random(33, 30, kMany);
  const auto model = bench.make(vbpr_model(), {"embedding_size=1"});
  const Dense items = represented_items(bench, *model);
  const Dense weight = bench.value("feature_weight");
  for (const std::int64_t item : {std::int64_t{0}, std::int64_t{1023}, std::int64_t{1024}, kMany - 1}) {
    double expected = 0.0;
    for (std::int64_t c = 0; c < 5; ++c) {
      expected += static_cast<double>(bench.features.at("text")(item, c)) * weight[0][static_cast<std::size_t>(c)];
    }
    for (std::int64_t c = 0; c < 9; ++c) {
      expected += static_cast<double>(bench.features.at("image")(item, c)) * weight[0][static_cast<std::size_t>(5 + c)];
    }
    CHECK(items[static_cast<std::size_t>(item)][1] == doctest::Approx(expected).epsilon(1e-12));
  }
}

TEST_CASE("vbpr: the loss is BPR and the unsquared norms of the batch's whole vectors") {
  ModelBench bench = small_bench();
  const auto model = bench.make(vbpr_model(), {"embedding_size=4", "reg_weight=0.7"});
  fill(bench, "feature_bias");
  const Triples triples = small_triples();
  const Dense users = bench.value("user_embedding");
  const Dense items = item_oracle(bench, {"text", "image"});
  double ranking = 0.0;
  double user_squares = 0.0;
  double positive_squares = 0.0;
  double negative_squares = 0.0;
  for (std::size_t t = 0; t < triples.users.size(); ++t) {
    const auto& user = users[static_cast<std::size_t>(triples.users[t])];
    const auto& positive = items[static_cast<std::size_t>(triples.positives[t])];
    const auto& negative = items[static_cast<std::size_t>(triples.negatives[t])];
    ranking += std::log1p(std::exp(dot(user, negative) - dot(user, positive)));
    user_squares += dot(user, user);
    positive_squares += dot(positive, positive);
    negative_squares += dot(negative, negative);
  }
  const double norms = std::sqrt(user_squares) + std::sqrt(positive_squares) + std::sqrt(negative_squares);
  const double expected = (ranking + 0.7 * norms) / static_cast<double>(triples.users.size());
  Tape tape(*bench.backend);
  CHECK(tape.scalar(model->loss(tape, triples.batch(kUsers, kItems))) == doctest::Approx(expected).epsilon(1e-12));
}

TEST_CASE("vbpr: gradients") {
  for (const std::string reg_weight : {"0", "0.5"}) {
    ModelBench bench = small_bench();
    const auto model = bench.make(vbpr_model(), {"embedding_size=3", "reg_weight=" + reg_weight});
    fill(bench, "feature_bias");
    const training::Batch batch = small_triples().batch(kUsers, kItems);
    const auto loss = [&](Tape& tape) { return model->loss(tape, batch); };
    CHECK(test::gradient_difference(*bench.backend, bench.parameters.all(), loss, {.every_parameter = false}) == "");
  }
}

TEST_CASE("vbpr: a step changes free vectors of the batch's users and items, and the projection") {
  ModelBench bench = small_bench();
  const auto model = bench.make(vbpr_model(), {"embedding_size=3"});
  const Triples triples{.users = {2, 2}, .positives = {0, 4}, .negatives = {5, 4}};
  Tape tape(*bench.backend);
  tape.backward(model->loss(tape, triples.batch(kUsers, kItems)));
  const auto touched = [&](const std::string& name) {
    const auto rows = bench.parameter(name).gradient.rows;
    return rows ? std::vector<std::int32_t>(rows->distinct().begin(), rows->distinct().end())
                : std::vector<std::int32_t>{};
  };
  CHECK(touched("user_embedding") == std::vector<std::int32_t>{2});
  CHECK(touched("item_embedding") == std::vector<std::int32_t>{0, 4, 5});
  CHECK(bench.parameter("feature_weight").gradient.values.rows() == 3);
}

TEST_CASE("vbpr: initial values: uniform tables, a normal projection, no bias") {
  ModelBench bench = ModelBench::random(34, 300, 200);
  bench.make(vbpr_model());
  const auto spread = [&](const std::string& name) {
    double squares = 0.0;
    double largest = 0.0;
    const Dense rows = bench.value(name);
    for (const auto& row : rows) {
      squares += dot(row, row);
      for (const double value : row) largest = std::max(largest, std::abs(value));
    }
    return std::pair(squares / static_cast<double>(rows.size() * rows.front().size()), largest);
  };
  const auto [user_variance, user_largest] = spread("user_embedding");
  CHECK(user_variance == doctest::Approx(2.0 / (300.0 + 128.0)).epsilon(0.05));
  CHECK(user_largest <= std::sqrt(6.0 / (300.0 + 128.0)));
  CHECK(spread("item_embedding").second <= std::sqrt(6.0 / (200.0 + 64.0)));
  const auto [weight_variance, weight_largest] = spread("feature_weight");
  CHECK(weight_variance == doctest::Approx(2.0 / (64.0 + 14.0)).epsilon(0.15));
  CHECK(weight_largest > std::sqrt(6.0 / (64.0 + 14.0)));  // tails that a uniform distribution lacks
  CHECK(spread("feature_bias").second == 0.0);
}

TEST_CASE("vbpr: ready similarity graphs are no features") {
  ModelBench bench = small_bench();
  bench.similarities.emplace("text", knn_graph(bench.features.at("text"), {.k = 4}));
  bench.features.erase("text");
  bench.make(vbpr_model());
  REQUIRE(bench.notices.size() == 1);
  CHECK(test::contains(bench.notices.front(), {"similarity text: not used"}));
  CHECK(bench.parameter("feature_weight").value.cols() == 9);

  ModelBench none = small_bench();
  none.features.clear();
  expect_error<InvalidArgument>([&] { none.make(vbpr_model()); }, {"features = none", "given as features"});
}

}  // namespace
}  // namespace vbpr_test
}  // namespace graft::training::models
