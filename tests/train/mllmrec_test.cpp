// MLLMRec against the worked example and dense arithmetic in double, and its gradients against central differences.
#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/core/error.hpp>

#include "autodiff/tape.hpp"
#include "train/model.hpp"

#include "../support/check.hpp"
#include "../support/files.hpp"
#include "gradient_check.hpp"
#include "model_bench.hpp"

namespace graft::training::models {

ModelEntry mllmrec_model();

namespace mllmrec_test {
namespace {

using autodiff::Tape;
using test::contains;
using test::Dense;
using test::difference;
using test::expect_error;
using test::ModelBench;
using test::Triples;

using Settings = std::vector<std::string>;

const nlohmann::json& refinement_golden() {
  static const nlohmann::json json = [] {
    const auto path = std::filesystem::path(__FILE__).parent_path().parent_path() / "golden" / "graph_refinement.json";
    std::ifstream file(path);
    REQUIRE(file.good());
    return nlohmann::json::parse(file);
  }();
  return json;
}

struct Sides {
  Dense users;
  Dense items;
};

Sides represented(ModelBench& bench, training::Model& model) {
  Tape tape(*bench.backend);
  const Representations all = model.represent(tape);
  const autodiff::Tensor users = tape.evaluate(all.users);
  return {bench.dense(users), bench.dense(tape.evaluate(all.items))};
}

Dense layer(const Dense& x, const Dense& weight, const Dense& bias, double slope) {
  Dense y;
  for (const auto& row : x) {
    std::vector<double> out = bias.front();
    for (std::size_t o = 0; o < out.size(); ++o) {
      for (std::size_t c = 0; c < row.size(); ++c) out[o] += weight[o][c] * row[c];
      if (out[o] < 0.0) out[o] *= slope;
    }
    y.push_back(out);
  }
  return y;
}

/// What MLP `name` of the bench's model makes of x.
Dense tower(ModelBench& bench, const std::string& name, const Dense& x) {
  const Dense hidden = layer(x, bench.value(name + "_weight1"), bench.value(name + "_bias1"), 0.01);
  return layer(hidden, bench.value(name + "_weight2"), bench.value(name + "_bias2"), 1.0);
}

Dense rows_of(const Matrix& matrix) {
  Dense rows;
  for (std::int64_t r = 0; r < matrix.rows(); ++r) {
    rows.emplace_back();
    for (std::int64_t c = 0; c < matrix.cols(); ++c) rows.back().push_back(static_cast<double>(matrix(r, c)));
  }
  return rows;
}

std::vector<double> unit(std::vector<double> x) {
  double squares = 0.0;
  for (const double value : x) squares += value * value;
  for (double& value : x) value /= std::max(1e-12, std::sqrt(squares));
  return x;
}

Dense units(Dense x) {
  for (auto& row : x) row = unit(row);
  return x;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double result = 0.0;
  for (std::size_t c = 0; c < a.size(); ++c) result += a[c] * b[c];
  return result;
}

/// Sum of the normalised features of some items, scaled to length 1.
std::vector<double> mean_profile(const Dense& unit_items, const std::vector<std::int32_t>& items) {
  std::vector<double> sum(unit_items.front().size(), 0.0);
  for (const std::int32_t item : items) {
    for (std::size_t c = 0; c < sum.size(); ++c) sum[c] += unit_items[static_cast<std::size_t>(item)][c];
  }
  return unit(sum);
}

std::vector<std::int32_t> history_of(const Interactions& train, std::int64_t user) {
  const auto history = train.history(user);
  return {history.begin(), history.end()};
}

Dense mean_profiles(const ModelBench& bench, const std::string& modality) {
  Dense profiles;
  for (std::int64_t user = 0; user < bench.train.users(); ++user) {
    profiles.push_back(mean_profile(units(rows_of(bench.features.at(modality))), history_of(bench.train, user)));
  }
  return profiles;
}

constexpr std::int64_t kUsers = 14;
constexpr std::int64_t kItems = 11;

ModelBench one_modality() {
  ModelBench bench = ModelBench::random(31, kUsers, kItems);
  bench.features.erase("image");
  return bench;
}

/// Training pairs, as a sampler gives them.
Triples training_triples(const Interactions& train) {
  Triples triples;
  for (std::int32_t user = 0; user < train.users(); ++user) {
    for (const std::int32_t item : train.history(user)) {
      if ((user + item) % 3 == 0) continue;
      triples.users.push_back(user);
      triples.positives.push_back(item);
      triples.negatives.push_back(static_cast<std::int32_t>((item + 5) % train.items()));
    }
  }
  return triples;
}

TEST_CASE("mllmrec: items are MLP_I of E*, which is that of the worked example in every reading") {
  for (const auto& [key, preset] :
       {std::pair("reference_f32", "reference"), std::pair("paper_literal", "paper"), std::pair("noself", "noself")}) {
    for (const std::string layers : {"1", "2"}) {
      ModelBench bench = ModelBench::worked_example();
      bench.features.erase("text");
      const auto model = bench.make(mllmrec_model(),
                                    {"knn_k=2", "gr_threshold=0.5", "gr_jaccard_k=2", "n_ii_layers=" + layers,
                                     std::string("gr_preset=") + preset},
                                    GraphKind::refined);
      const auto expected = refinement_golden()[key]["Estar" + layers].get<Dense>();
      const std::string problem = difference(represented(bench, *model).items, tower(bench, "item", expected), 2e-5);
      CHECK_MESSAGE(problem.empty(), key << ", " << layers << " layers: " << problem);
    }
  }
}

TEST_CASE("mllmrec: without the item graph E* is E_I, and graph refined says that it has no effect") {
  for (const char* const off : {"gcn_ii=false", "n_ii_layers=0"}) {
    ModelBench bench = one_modality();
    const auto model = bench.make(mllmrec_model(), {off}, GraphKind::refined);
    CHECK(difference(represented(bench, *model).items, tower(bench, "item", rows_of(bench.features.at("text"))),
                     1e-6) == "");
    CHECK(bench.graphs.empty());
    REQUIRE(bench.notices.size() == 1);
    CHECK(contains(bench.notices.front(), {"graph refined", "no effect"}));
  }
}

TEST_CASE("mllmrec: the vanilla graph is the refined one without pruning and without enhancement, to the bit") {
  ModelBench vanilla = one_modality();
  ModelBench refined = one_modality();
  const auto model = vanilla.make(mllmrec_model(), {"knn_k=3"});
  const auto same = refined.make(mllmrec_model(), {"knn_k=3", "gr_threshold=-1", "gr_jaccard_k=0"}, GraphKind::refined);
  CHECK(difference(represented(vanilla, *model).items, represented(refined, *same).items, 0.0) == "");
  ModelBench other = one_modality();
  const auto enhanced = other.make(mllmrec_model(), {"knn_k=3", "gr_threshold=-1"}, GraphKind::refined);
  CHECK(difference(represented(vanilla, *model).items, represented(other, *enhanced).items, 1e-9) != "");
}

TEST_CASE("mllmrec: image_text comes first; several modalities are normalised, scaled and concatenated") {
  ModelBench both = ModelBench::random(31, kUsers, kItems);
  const auto model = both.make(mllmrec_model(), {"gcn_ii=false"});
  const Dense image = units(rows_of(both.features.at("image")));
  const Dense text = units(rows_of(both.features.at("text")));
  Dense joined;
  for (std::size_t i = 0; i < image.size(); ++i) {
    joined.push_back(image[i]);
    joined.back().insert(joined.back().end(), text[i].begin(), text[i].end());
    for (double& value : joined.back()) value /= std::sqrt(2.0);
  }
  CHECK(difference(represented(both, *model).items, tower(both, "item", joined), 1e-6) == "");
  ModelBench three = ModelBench::random(31, kUsers, kItems);
  three.features["image_text"] = three.features.at("text");
  const auto preferred = three.make(mllmrec_model(), {"gcn_ii=false"});
  CHECK(difference(represented(three, *preferred).items, tower(three, "item", rows_of(three.features.at("text"))),
                   1e-6) == "");
  CHECK(three.notices.size() == 2);
}

TEST_CASE("mllmrec: needs features") {
  ModelBench bench = one_modality();
  bench.features.clear();
  expect_error<InvalidArgument>([&] { bench.make(mllmrec_model()); }, {"features = none", "given as features"});
  ModelBench wrong = ModelBench::random(31, kUsers, kItems);
  expect_error<InvalidArgument>([&] { wrong.make(mllmrec_model(), {"gr_threshold_image=0.2"}, GraphKind::refined); },
                                {"gr_threshold_image"});
}

TEST_CASE("mllmrec: users are MLP_U of profiles, of a file or of random directions, or a trained table") {
  ModelBench bench = one_modality();
  const auto model = bench.make(mllmrec_model());
  CHECK(difference(represented(bench, *model).users, tower(bench, "user", mean_profiles(bench, "text")), 1e-5) == "");
  CHECK(bench.parameter_names() == std::vector<std::string>{"item_weight1", "item_bias1", "item_weight2", "item_bias2",
                                                            "user_weight1", "user_bias1", "user_weight2",
                                                            "user_bias2"});

  ModelBench file = one_modality();
  const Matrix vectors = ModelBench::random(5, 3, kUsers).features.at("image");  // 9 wide, other than the items
  file.user_input = {.profile = UserProfile::file, .vectors = vectors.view()};
  const auto given = file.make(mllmrec_model());
  CHECK(difference(represented(file, *given).users, tower(file, "user", rows_of(vectors)), 1e-6) == "");

  ModelBench setting = one_modality();
  ModelBench option = one_modality();
  option.user_input.profile = UserProfile::random;
  const auto by_setting = setting.make(mllmrec_model(), {"user_vectors=random"});
  const auto by_option = option.make(mllmrec_model());
  CHECK(difference(represented(setting, *by_setting).users, represented(option, *by_option).users, 0.0) == "");

  ModelBench table = one_modality();
  const auto trained = table.make(mllmrec_model(), {"user_vectors=table", "feat_embed_dim=6"});
  CHECK(table.parameter_names().back() == "user_embedding");
  CHECK(table.value("user_embedding").front().size() == 6);
  CHECK(difference(represented(table, *trained).users, table.value("user_embedding"), 0.0) == "");
}

TEST_CASE("mllmrec: at the published size there are 230016 numbers to train, initialised as asked") {
  ModelBench bench(test::interactions_of({{1, 0}, {0, 1}, {1, 1}}));
  bench.features["image_text"] = Matrix(2, 384);
  bench.make(mllmrec_model(), {"knn_k=1"});
  std::int64_t size = 0;
  for (const auto& parameter : bench.parameters.all()) size += parameter.value.size();
  CHECK(size == 230016);
  const auto largest = [](const Dense& rows) {
    double most = 0.0;
    for (const auto& row : rows) {
      for (const double value : row) most = std::max(most, std::abs(value));
    }
    return most;
  };
  CHECK(largest(bench.value("item_weight1")) == doctest::Approx(1.0 / std::sqrt(384.0)).epsilon(0.01));
  CHECK(largest(bench.value("item_bias2")) == doctest::Approx(1.0 / std::sqrt(256.0)).epsilon(0.05));
  ModelBench xavier(test::interactions_of({{1, 0}, {0, 1}, {1, 1}}));
  xavier.features["image_text"] = Matrix(2, 384);
  xavier.make(mllmrec_model(), {"knn_k=1", "init=xavier"});
  CHECK(largest(xavier.value("user_weight1")) == doctest::Approx(std::sqrt(6.0 / (384 + 256))).epsilon(0.01));
  CHECK(largest(xavier.value("user_bias1")) == 0.0);
}

TEST_CASE("mllmrec: the loss is BPR with profiles that leave the positive out") {
  ModelBench bench = one_modality();
  const auto model = bench.make(mllmrec_model());
  const Triples triples = training_triples(bench.train);
  const Dense unit_items = units(rows_of(bench.features.at("text")));
  Dense profiles;
  for (std::size_t t = 0; t < triples.users.size(); ++t) {
    std::vector<std::int32_t> others = history_of(bench.train, triples.users[t]);
    std::erase(others, triples.positives[t]);
    profiles.push_back(mean_profile(unit_items, others));
  }
  const Dense users = tower(bench, "user", profiles);
  const Dense items = represented(bench, *model).items;
  double expected = 0.0;
  for (std::size_t t = 0; t < users.size(); ++t) {
    const double margin = dot(users[t], items[static_cast<std::size_t>(triples.positives[t])]) -
                          dot(users[t], items[static_cast<std::size_t>(triples.negatives[t])]);
    expected += std::log1p(std::exp(-margin)) / static_cast<double>(users.size());
  }
  Tape tape(*bench.backend);
  CHECK(tape.scalar(model->loss(tape, triples.batch(kUsers, kItems))) == doctest::Approx(expected).epsilon(1e-6));
  CHECK(expected == doctest::Approx(std::log(2.0)).epsilon(0.05));  // little is known at the start
}

TEST_CASE("mllmrec: gcn_ui adds two layers of the user-item graph over unit vectors to users and items") {
  ModelBench bench = one_modality();
  const auto model = bench.make(mllmrec_model(), {"gcn_ui=true", "feat_embed_dim=4"});
  ModelBench plain = one_modality();
  const auto without = plain.make(mllmrec_model(), {"feat_embed_dim=4"});
  const Sides own = represented(plain, *without);
  Sides z{units(own.users), units(own.items)};
  Sides expected = own;
  const auto add = [](Dense& to, const Dense& x) {
    for (std::size_t r = 0; r < to.size(); ++r) {
      for (std::size_t c = 0; c < to[r].size(); ++c) to[r][c] += x[r][c];
    }
  };
  for (int l = 0; l < 3; ++l) {
    add(expected.users, z.users);
    add(expected.items, z.items);
    Sides next{Dense(z.users.size(), std::vector<double>(4)), Dense(z.items.size(), std::vector<double>(4))};
    for (std::int64_t u = 0; u < kUsers; ++u) {
      for (const std::int32_t i : bench.train.history(u)) {
        const double weight = 1.0 / std::sqrt((static_cast<double>(bench.train.history(u).size()) + 1e-7) *
                                              (static_cast<double>(bench.train.degree(i)) + 1e-7));
        for (std::size_t c = 0; c < 4; ++c) {
          next.users[static_cast<std::size_t>(u)][c] += weight * z.items[static_cast<std::size_t>(i)][c];
          next.items[static_cast<std::size_t>(i)][c] += weight * z.users[static_cast<std::size_t>(u)][c];
        }
      }
    }
    z = next;
  }
  const Sides actual = represented(bench, *model);
  CHECK(difference(actual.users, expected.users, 1e-5) == "");
  CHECK(difference(actual.items, expected.items, 1e-5) == "");
}

/// Empty if all parameters have the gradients that central differences give. The item MLP's last bias is the only one
/// that may be without a part in the loss: it cancels in the difference of two scores.
std::string gradient_errors(ModelBench bench, Settings settings, GraphKind graph = GraphKind::vanilla) {
  settings.insert(settings.end(), {"feat_embed_dim=2", "knn_k=3"});
  const auto model = bench.make(mllmrec_model(), settings, graph);
  const training::Batch batch = training_triples(bench.train).batch(kUsers, kItems);
  const auto loss = [&](Tape& tape) { return model->loss(tape, batch); };
  std::vector<std::reference_wrapper<autodiff::Parameter>> biases;
  std::vector<std::reference_wrapper<autodiff::Parameter>> others;
  for (autodiff::Parameter& parameter : bench.parameters.all()) {
    (parameter.name == "item_bias2" ? biases : others).emplace_back(parameter);
  }
  const std::string error = test::gradient_difference(*bench.backend, biases, loss, {.every_parameter = false});
  return error.empty() ? test::gradient_difference(*bench.backend, others, loss) : error;
}

TEST_CASE("mllmrec: gradients, with every switch") {
  for (const Settings& settings :
       {Settings{}, Settings{"gcn_ii=false"}, Settings{"gcn_ui=true"}, Settings{"user_vectors=table"},
        Settings{"user_vectors=random"}, Settings{"profile_training=half"}, Settings{"profile_training=whole"},
        Settings{"n_ii_layers=2"}, Settings{"gcn_ui=true", "profile_training=whole"}}) {
    const std::string problem = gradient_errors(one_modality(), settings);
    CHECK_MESSAGE(problem.empty(), (settings.empty() ? "defaults" : settings.front()) << ": " << problem);
  }
}

TEST_CASE("mllmrec: gradients, refined, and with sums and vectors of a file") {
  CHECK(gradient_errors(one_modality(), {"gr_threshold=0.1", "gr_jaccard_k=2"}, GraphKind::refined) == "");
  CHECK(gradient_errors(one_modality(), {"gr_jaccard_k=0"}, GraphKind::refined) == "");
  ModelBench sums = one_modality();
  sums.user_input.profile = UserProfile::sum;
  CHECK(gradient_errors(std::move(sums), {}) == "");
  ModelBench file = one_modality();
  const Matrix vectors = ModelBench::random(5, 3, kUsers).features.at("image");
  file.user_input = {.profile = UserProfile::file, .vectors = vectors.view()};
  CHECK(gradient_errors(std::move(file), {}) == "");
}

}  // namespace
}  // namespace mllmrec_test
}  // namespace graft::training::models
