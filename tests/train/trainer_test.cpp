#include "train/trainer.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/core/error.hpp>
#include <graft/io/npy.hpp>
#include <graft/train/train.hpp>

#include "train/early_stopping.hpp"

#include "../support/files.hpp"
#include "run_bench.hpp"

namespace graft::training {
namespace trainer_test {
namespace {

using test::bench_data;
using test::bench_options;
using test::expect_error;
using test::facts_of;
using test::kBenchBatches;
using test::kBenchItems;
using test::kBenchUsers;
using test::read_bytes;
using test::TempDir;
using test::train_bench;
using Json = nlohmann::ordered_json;

TEST_CASE("early stopping: ends when the evaluations without a new best exceed the patience") {
  EarlyStopping stopping(2);
  CHECK(stopping.best_epoch() == -1);
  CHECK(stopping.observe(0, 0.0));  // above -1
  CHECK(stopping.observe(1, 0.1));
  CHECK_FALSE(stopping.observe(2, 0.1));
  CHECK_FALSE(stopping.observe(3, 0.05));
  CHECK_FALSE(stopping.exhausted());
  CHECK(stopping.observe(4, 0.2));  // starts the count anew
  CHECK_FALSE(stopping.observe(5, 0.2));
  CHECK_FALSE(stopping.observe(6, 0.2));
  CHECK_FALSE(stopping.exhausted());
  CHECK_FALSE(stopping.observe(7, 0.2));
  CHECK(stopping.exhausted());
  CHECK(stopping.best_epoch() == 4);
}

TEST_CASE("early stopping: values are compared after rounding to four decimals") {
  EarlyStopping stopping(20);
  CHECK(stopping.observe(0, 0.09996));        // 0.1000
  CHECK_FALSE(stopping.observe(1, 0.10004));  // 0.1000
  CHECK(stopping.observe(2, 0.10006));        // 0.1001
  CHECK_FALSE(stopping.observe(3, 0.1001));
  CHECK_FALSE(stopping.observe(4, std::numeric_limits<double>::quiet_NaN()));
  CHECK(stopping.best_epoch() == 2);
}

TEST_CASE("early stopping: patience 0 ends at the first evaluation without a new best") {
  EarlyStopping stopping(0);
  CHECK(stopping.observe(0, 0.5));
  CHECK_FALSE(stopping.exhausted());
  stopping.observe(1, 0.5);
  CHECK(stopping.exhausted());
}

constexpr std::int64_t kScriptUsers = 30;
constexpr std::int64_t kScriptItems = 60;

/// User u has u for training, 30 + u for validation and 30 + (u + 1) % 30 for testing.
std::filesystem::path script_data(const TempDir& directory) {
  std::string text = "userID\titemID\tx_label\n";
  const auto row = [&](std::int64_t user, std::int64_t item, int label) {
    text += std::to_string(user) + "\t" + std::to_string(item) + "\t" + std::to_string(label) + "\n";
  };
  for (std::int64_t user = 0; user < kScriptUsers; ++user) {
    row(user, user, 0);
    row(user, kScriptUsers + user, 1);
    row(user, kScriptUsers + (user + 1) % kScriptUsers, 2);
  }
  std::filesystem::create_directory(directory / "script");
  test::write_bytes(directory / "script" / "script.inter", text);
  return directory / "script";
}

/// Epoch e finds the validation items of users 0 ... hits[e] - 1, and the test items of the others.
std::vector<std::int64_t>& script() {
  static std::vector<std::int64_t> hits;
  return hits;
}

/// Reads the epoch from its weights: with one batch an epoch and a constant gradient, Adam takes exactly one learning
/// rate an epoch off the clock. So the restored weights tell which epoch they are of.
class ScriptedModel : public Model {
 public:
  explicit ScriptedModel(const ModelInputs& inputs)
      : backend_(inputs.parameters.backend()), clock_(inputs.parameters.add("clock", 1, 1, Initializer::zeros)) {}

  autodiff::Var loss(autodiff::Tape& tape, const Batch& /*batch*/) override { return sum(tape.parameter(clock_)); }

  Representations represent(autodiff::Tape& tape) override {
    const double clock = backend_.download(tape.evaluate(tape.parameter(clock_)))[0];
    const auto epoch = static_cast<std::size_t>(std::lround(-clock / kRate)) - 1;
    Matrix users(kScriptUsers, kScriptUsers);
    Matrix items(kScriptItems, kScriptUsers);
    for (std::int64_t user = 0; user < kScriptUsers; ++user) {
      users.mutable_view()(user, user) = 1.0F;
      const bool valid = user < script().at(epoch);
      items.mutable_view()(kScriptUsers + user, user) = valid ? 1.0F : -1.0F;
      items.mutable_view()(kScriptUsers + (user + 1) % kScriptUsers, user) = valid ? -1.0F : 1.0F;
    }
    return {tape.constant(users.view()), tape.constant(items.view())};
  }

  static constexpr double kRate = 0.125;

 private:
  autodiff::Backend& backend_;
  autodiff::Parameter& clock_;
};

Run train_script(const std::filesystem::path& data, const std::filesystem::path& out, std::vector<std::int64_t> hits,
                 std::vector<std::string> settings) {
  script() = std::move(hits);
  ModelRegistry registry;
  registry.add({.name = "scripted",
                .description = "of the tests",
                .settings = {{"learning_rate", ScriptedModel::kRate, ""}, {"stopping_step", std::int64_t{2}, ""}},
                .make = [](const ModelInputs& inputs) -> std::unique_ptr<Model> {
                  return std::make_unique<ScriptedModel>(inputs);
                }});
  return train({.model = "scripted", .data = data, .out = out, .settings = std::move(settings)}, registry);
}

std::string stopped(const Run& run) { return Json::parse(run.metrics_json()).at("stopped").get<std::string>(); }

TEST_CASE("trainer: stops by patience and keeps the first of the best epochs") {
  const TempDir directory;
  const auto data = script_data(directory);
  const Run run = train_script(data, directory / "run", {3, 9, 9, 6, 12, 12, 11, 0, 30, 30}, {});
  CHECK(run.epochs() == 8);
  CHECK(run.best_epoch() == 4);
  CHECK(stopped(run) == "patience");
  CHECK(run.valid().at("recall@20") == doctest::Approx(12.0 / 30).epsilon(1e-12));
  CHECK(run.test().at("recall@20") == doctest::Approx(18.0 / 30).epsilon(1e-12));
  std::vector<std::int64_t> best;
  for (const EpochReport& report : run.log()) {
    if (report.best) best.push_back(report.epoch);
  }
  CHECK(best == std::vector<std::int64_t>{0, 1, 4});
}

TEST_CASE("trainer: the vectors of the best epoch are kept, not the last") {
  const TempDir directory;
  const Run run = train_script(script_data(directory), directory / "run", {3, 12, 6, 0}, {"epochs=4"});
  REQUIRE(run.best_epoch() == 1);
  for (std::int64_t user = 0; user < kScriptUsers; ++user) {
    CHECK(run.item_embeddings()(kScriptUsers + user, user) == (user < 12 ? 1.0F : -1.0F));
  }
}

TEST_CASE("trainer: ends with the epochs") {
  const TempDir directory;
  const Run run = train_script(script_data(directory), directory / "run", {1, 2, 3}, {"epochs=3"});
  CHECK(run.epochs() == 3);
  CHECK(run.best_epoch() == 2);
  CHECK(stopped(run) == "epochs");
}

TEST_CASE("trainer: eval_step evaluates every so many epochs, and patience counts evaluations") {
  const TempDir directory;
  const Run run =
      train_script(script_data(directory), directory / "run", {0, 9, 30, 8, 30, 7, 30, 6, 30, 5, 30}, {"eval_step=2"});
  CHECK(run.epochs() == 8);  // evaluated: 1, 3, 5, 7
  CHECK(run.best_epoch() == 1);
  for (const EpochReport& report : run.log()) {
    CHECK(report.valid.empty() == (report.epoch % 2 == 0));
    CHECK(report.test.empty() == (report.epoch % 2 == 0));
  }
}

TEST_CASE("trainer: the result is the same for any number of threads, and another for another seed") {
  const TempDir directory;
  const auto data = bench_data(directory);
  for (const int threads : {1, 2, 8}) {
    train_bench(bench_options(data, directory / std::to_string(threads)), {}, threads);
  }
  CHECK(facts_of(directory / "1") == facts_of(directory / "2"));
  CHECK(facts_of(directory / "1") == facts_of(directory / "8"));
  TrainOptions options = bench_options(data, directory / "other");
  options.seed = 1000;
  train_bench(options);
  CHECK(read_bytes(directory / "1" / "user_embeddings.npy") != read_bytes(directory / "other" / "user_embeddings.npy"));
}

TEST_CASE("trainer: a model that can learn does") {
  const TempDir directory;
  const Run run = train_bench(bench_options(bench_data(directory), directory / "run", "epochs=60"));
  CHECK(run.log().back().loss < 0.8 * run.log().front().loss);
  CHECK(run.valid().at("ndcg@20") > 0.4);  // by chance 0.2
}

TEST_CASE("trainer: calls back before, during and after training") {
  const TempDir directory;
  TrainOptions options = bench_options(bench_data(directory), directory / "run");
  std::vector<std::int64_t> epochs;
  std::vector<std::string> starts;
  options.on_start = [&](const std::string& config) { starts.push_back(config); };
  options.on_epoch = [&](const EpochReport& report) {
    CHECK(starts.size() == 1);
    CHECK(report.valid.contains("recall@20"));
    CHECK(std::isfinite(report.loss));
    CHECK(report.learning_rate == 0.02);
    epochs.push_back(report.epoch);
  };
  const Run run = train_bench(options);
  CHECK(epochs == std::vector<std::int64_t>{0, 1, 2, 3});
  CHECK(starts.front() == run.config_json());
}

TEST_CASE("trainer: a loss that is not finite ends the run and names where; the best epoch stays usable") {
  const TempDir directory;
  const auto data = bench_data(directory);
  const TrainOptions options = bench_options(data, directory / "run");
  const auto train_to_nan = [&] { train_bench(options, {.nan_at_loss = 2 * kBenchBatches + 1}); };
  expect_error<Error>(train_to_nan, {"train: loss = nan at ", "epoch 2, batch 1", "gradient of users", "learning_rate",
                                     "best epoch so far"});
  const Run run = Run::open(directory / "run");
  CHECK(stopped(run) == "not finite");
  CHECK(run.epochs() == 2);
  CHECK(run.log().size() == 2);
  const Run whole = train_bench(bench_options(data, directory / "whole", "epochs=2"));
  CHECK(run.valid() == whole.valid());
  CHECK(read_bytes(directory / "run" / "item_embeddings.npy") ==
        read_bytes(directory / "whole" / "item_embeddings.npy"));
}

TEST_CASE("trainer: a loss that is not finite before the first evaluation leaves nothing to open") {
  const TempDir directory;
  const TrainOptions options = bench_options(bench_data(directory), directory / "run");
  expect_error<Error>([&] { train_bench(options, {.nan_at_loss = 0}); }, {"train: loss = ", "epoch 0, batch 0"});
  CHECK_THROWS_AS(Run::open(options.out), FormatError);
}

TEST_CASE("trainer: final vectors that are not finite end the run as a loss does") {
  const TempDir directory;
  const TrainOptions options = bench_options(bench_data(directory), directory / "run");
  expect_error<Error>([&] { train_bench(options, {.nan_at_represent = 2}); },
                      {"train: the vector of item 0 is not finite after epoch 2", "learning_rate"});
  CHECK(stopped(Run::open(options.out)) == "not finite");
}

TEST_CASE("trainer: what cannot be trained is refused before anything is written") {
  const TempDir directory;
  const auto data = bench_data(directory);
  const TrainOptions good = bench_options(data, directory / "run");
  const auto with = [&](auto change) {
    return [&, change] {
      TrainOptions options = good;
      change(options);
      train_bench(options);
    };
  };
  expect_error<InvalidArgument>(with([](TrainOptions& o) { o.model = "bnech"; }),
                                {"train: model = bnech", "did you mean bench?"});
  expect_error<InvalidArgument>(with([](TrainOptions& o) { o.settings.emplace_back("lr=1"); }),
                                {"train: settings = lr=1", "no such setting"});
  expect_error<InvalidArgument>(with([](TrainOptions& o) { o.graph = "finest"; }),
                                {"train: graph = finest", "vanilla or refined"});
  expect_error<InvalidArgument>(with([](TrainOptions& o) { o.graph = "refined"; }),
                                {"train: graph = refined", "bench", "no item graph"});
  expect_error<InvalidArgument>(with([](TrainOptions& o) { o.checkpoint_seconds = -1.0; }),
                                {"checkpoint_seconds = -1", ">= 0"});
  expect_error<InvalidArgument>(with([](TrainOptions& o) { o.checkpoint_seconds = std::nan(""); }),
                                {"checkpoint_seconds = nan", ">= 0"});
  CHECK_THROWS_AS(with([&](TrainOptions& o) { o.data = directory / "nowhere"; })(), Error);
  CHECK_THROWS_AS(train_bench(good, {.cancel_at_loss = 0}), Cancelled);  // the one that gets as far as training
  CHECK(directory.entries() == 2);
}

TEST_CASE("trainer: cancelled before training it leaves nothing") {
  const TempDir directory;
  const TrainOptions options = bench_options(bench_data(directory), directory / "run");
  const CancelToken cancel;
  cancel.cancel();
  CHECK_THROWS_AS(train(options, test::bench_registry(), {.cancel = cancel}), Cancelled);
  CHECK(directory.entries() == 1);
}

TEST_CASE("trainer: a model whose vectors do not fit the data is refused by name") {
  const TempDir directory;
  struct Short : test::BenchModel {
    using BenchModel::BenchModel;
    Representations represent(autodiff::Tape& tape) override {
      const Representations whole = BenchModel::represent(tape);
      return {whole.users, slice_rows(whole.items, 0, kBenchItems - 1)};
    }
  };
  struct Narrow : test::BenchModel {
    using BenchModel::BenchModel;
    Representations represent(autodiff::Tape& tape) override {
      const Representations whole = BenchModel::represent(tape);
      return {slice_columns(whole.users, 0, 2), whole.items};
    }
  };
  const TrainOptions options = bench_options(bench_data(directory), directory / "run");
  const auto run_with = [&](auto make) {
    return [&options, make] {
      ModelRegistry registry;
      ModelEntry entry = test::bench_entry();
      entry.make = make;
      registry.add(entry);
      TrainOptions again = options;
      again.resume = true;
      train(again, registry);
    };
  };
  expect_error<InvalidArgument>(
      run_with([](const ModelInputs& i) -> std::unique_ptr<Model> { return std::make_unique<Short>(i); }),
      {"model bench", "rows of item vectors = 39", "must be 40"});
  expect_error<InvalidArgument>(
      run_with([](const ModelInputs& i) -> std::unique_ptr<Model> { return std::make_unique<Narrow>(i); }),
      {"model bench", "dims of item vectors = 6", "user vectors, 2"});
}

static_assert(kBenchUsers < kBenchItems, "rows of users and items must not be mistaken for each other");

}  // namespace
}  // namespace trainer_test
}  // namespace graft::training
