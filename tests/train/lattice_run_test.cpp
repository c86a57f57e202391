// Whole runs of lattice: threads, stops, what the optimiser does between first batches.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/io/npy.hpp>
#include <graft/train/train.hpp>

#include "autodiff/tape.hpp"
#include "train/model.hpp"
#include "train/trainer.hpp"
#include "train/trainer_settings.hpp"

#include "../support/files.hpp"
#include "model_bench.hpp"
#include "run_bench.hpp"

namespace graft::training::models {

training::ModelEntry lattice_model();

namespace lattice_run_test {
namespace {

using autodiff::Tape;
using test::ModelBench;
using test::TempDir;

using Assignments = std::vector<std::string>;

/// The bench's data with features of both modalities.
std::filesystem::path lattice_data(const TempDir& directory) {
  const std::filesystem::path data = test::bench_data(directory);
  const ModelBench drawn = ModelBench::random(44, 3, test::kBenchItems);
  for (const auto& [name, features] : drawn.features) write_npy(data / (name + "_feat.npy"), features.view());
  return data;
}

/// Lattice that can be told to stop, as the bench's model can.
class Stoppable : public training::Model {
 public:
  explicit Stoppable(const training::ModelInputs& inputs) : model_(lattice_model().make(inputs)) {}

  void begin_epoch(std::int64_t epoch, data::RandomStream& random) override { model_->begin_epoch(epoch, random); }
  [[nodiscard]] std::vector<std::byte> save_state() const override { return model_->save_state(); }
  void load_state(std::span<const std::byte> state) override { model_->load_state(state); }
  autodiff::Var loss(Tape& tape, const training::Batch& batch) override {
    test::BenchControls& controls = test::bench_controls();
    if (controls.losses++ == controls.cancel_at_loss) controls.cancel.cancel();
    return model_->loss(tape, batch);
  }
  training::Representations represent(Tape& tape) override { return model_->represent(tape); }

 private:
  std::unique_ptr<training::Model> model_;
};

Run train_stoppable(const TrainOptions& options, test::BenchControls controls = {}, int threads = 2) {
  training::ModelEntry entry = lattice_model();
  entry.make = [](const training::ModelInputs& inputs) -> std::unique_ptr<training::Model> {
    return std::make_unique<Stoppable>(inputs);
  };
  training::ModelRegistry registry;
  registry.add(std::move(entry));
  test::bench_controls() = std::move(controls);
  return training::train(options, registry, {.threads = threads, .cancel = test::bench_controls().cancel});
}

TrainOptions lattice_options(const std::filesystem::path& data, const std::filesystem::path& out) {
  return {.model = "lattice",
          .data = data,
          .out = out,
          .settings = {"train_batch_size=32", "epochs=2", "embedding_size=8", "feat_embed_dim=8", "knn_k=4",
                       "learning_rate=0.02", "reg_weight=0.01"}};
}

TEST_CASE("lattice: a run does not depend on the number of threads") {
  const TempDir directory;
  const auto data = lattice_data(directory);
  train_stoppable(lattice_options(data, directory / "one"), {}, 1);
  train_stoppable(lattice_options(data, directory / "two"), {}, 2);
  CHECK(test::facts_of(directory / "one") == test::facts_of(directory / "two"));
}

TEST_CASE("lattice: a run that was stopped after any batch goes on to the same bits") {
  const TempDir directory;
  const auto data = lattice_data(directory);
  train_stoppable(lattice_options(data, directory / "whole"));
  const std::string expected = test::facts_of(directory / "whole");
  for (std::int64_t stop = 0; stop < 2 * test::kBenchBatches; ++stop) {
    INFO("cancelled in batch ", stop);
    TrainOptions options = lattice_options(data, directory / ("stopped" + std::to_string(stop)));
    CHECK_THROWS_AS(train_stoppable(options, {.cancel_at_loss = stop}), Cancelled);
    options.resume = true;
    train_stoppable(options);
    CHECK(test::facts_of(options.out) == expected);
  }
  TrainOptions always = lattice_options(data, directory / "always");
  always.resume = true;
  for (std::int64_t batch = 0; batch < 2 * test::kBenchBatches; ++batch) {
    CHECK_THROWS_AS(train_stoppable(always, {.cancel_at_loss = 0}), Cancelled);
  }
  train_stoppable(always);
  CHECK(test::facts_of(always.out) == expected);
}

/// How much a parameter's elements move in each batch of the first epoch, at most.
std::vector<double> moves(const std::string& parameter, const Assignments& more) {
  const TempDir directory;
  const training::Dataset data = training::load_dataset({.directory = lattice_data(directory)});
  const training::ModelEntry entry = lattice_model();
  Assignments assignments = lattice_options({}, {}).settings;
  assignments.insert(assignments.end(), more.begin(), more.end());
  assignments.emplace_back("epochs=1");
  const training::Settings settings = training::settings_with(entry, assignments);
  const auto backend = autodiff::cpu_backend(1);
  training::Trainer trainer(data, entry, settings, *backend, {}, {.threads = 1});
  const auto value = [&] {
    trainer.settled_adam();
    for (const autodiff::Parameter& candidate : trainer.parameters().all()) {
      if (candidate.name == parameter) return backend->download(candidate.value);
    }
    return std::vector<double>{};
  };
  std::vector<double> before = value();
  std::vector<double> result;
  trainer.run({.on_safe_point = [&](bool epoch_done) {
    if (epoch_done) return;
    const std::vector<double> after = value();
    double largest = 0.0;
    for (std::size_t i = 0; i < after.size(); ++i) largest = std::max(largest, std::abs(after[i] - before[i]));
    result.push_back(largest);
    before = after;
  }});
  return result;
}

TEST_CASE("lattice: between first batches the projection moves by momentum, or waits") {
  for (const std::string name : {"image_weight", "text_features", "modal_weight"}) {
    CAPTURE(name);
    const std::vector<double> moved = moves(name, {});
    REQUIRE(moved.size() == static_cast<std::size_t>(test::kBenchBatches));
    for (const double largest : moved) CHECK(largest > 0.0);
    const std::vector<double> waited = moves(name, {"skip_missing_gradients=true"});
    CHECK(waited.front() == moved.front());
    CHECK(std::count(waited.begin(), waited.end(), 0.0) == test::kBenchBatches - 1);
  }
}

TEST_CASE("lattice: the learning rate decays by 0.96 in 50 epochs, as published") {
  const training::Settings settings = training::settings_with(lattice_model(), Assignments{});
  CHECK(settings.real("learning_rate_decay") == 0.96);
  CHECK(settings.integer("learning_rate_decay_epochs") == 50);
  CHECK_FALSE(settings.flag("skip_missing_gradients"));
}

}  // namespace
}  // namespace lattice_run_test
}  // namespace graft::training::models
