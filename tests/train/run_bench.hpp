// Runs of the tests: a small dataset directory, a small model that can be told to stop or to fail, and what two equal
// runs must have in common.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <graft/core/context.hpp>
#include <graft/train/train.hpp>

#include "autodiff/tape.hpp"
#include "train/model.hpp"
#include "train/trainer.hpp"

#include "../support/files.hpp"

namespace graft::test {

inline constexpr int kBenchGroups = 4;
inline constexpr int kBenchUsers = 24;
inline constexpr int kBenchItems = 40;

/// Users like the items of their own group: seven of ten for training, one for validation, two for testing.
inline std::filesystem::path bench_data(const TempDir& directory, const std::string& name = "bench") {
  constexpr int kEach = kBenchItems / kBenchGroups;
  std::string text = "userID\titemID\tx_label\n";
  for (int user = 0; user < kBenchUsers; ++user) {
    for (int place = 0; place < kEach; ++place) {
      const int item = (user / kBenchGroups + 3 * place) % kEach * kBenchGroups + user % kBenchGroups;
      const int label = place < 7 ? 0 : (place == 7 ? 1 : 2);
      text += std::to_string(user) + "\t" + std::to_string(item) + "\t" + std::to_string(label) + "\n";
    }
  }
  const std::filesystem::path data = directory / name;
  std::filesystem::create_directory(data);
  write_bytes(data / (name + ".inter"), text);
  return data;
}

/// What the bench's model shall do, and what it did: a model of the list is made by a plain function, which takes
/// nothing from the test but this.
struct BenchControls {
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  CancelToken cancel = {};
  std::int64_t cancel_at_loss = kNever;  ///< cancels while it computes this loss, counted from 0
  std::int64_t cancel_at_represent = kNever;
  std::int64_t throw_at_loss = kNever;  ///< as if the process had been killed
  std::int64_t nan_at_loss = kNever;
  std::int64_t nan_at_represent = kNever;
  std::int64_t models = 0;
  std::int64_t losses = 0;
  std::int64_t represents = 0;
};

inline BenchControls& bench_controls() {
  static BenchControls controls;
  return controls;
}

struct Killed : std::runtime_error {
  Killed() : std::runtime_error("killed") {}
};

/// Matrix factorisation with all that a resumed run could get wrong: dropout, a draw in every epoch, a parameter with
/// dense gradients, and one that has gradients in even epochs alone.
class BenchModel : public training::Model {
 public:
  explicit BenchModel(const training::ModelInputs& inputs)
      : users_(inputs.parameters.add("users", inputs.users, kDims, training::Initializer::xavier_uniform)),
        items_(inputs.parameters.add("items", inputs.items, kDims, training::Initializer::xavier_normal)),
        shift_(inputs.parameters.add("shift", 1, kDims, training::Initializer::zeros)),
        rare_(inputs.parameters.add("rare", 1, kDims, training::Initializer::torch_linear, kDims)) {
    ++bench_controls().models;
  }

  void begin_epoch(std::int64_t epoch, data::RandomStream& random) override {
    even_ = epoch % 2 == 0;
    weight_ = 0.5 + random.uniform();
  }

  autodiff::Var loss(autodiff::Tape& tape, const training::Batch& batch) override {
    BenchControls& controls = bench_controls();
    const std::int64_t number = controls.losses++;
    if (number == controls.throw_at_loss) throw Killed();
    if (number == controls.cancel_at_loss) controls.cancel.cancel();
    const autodiff::Var users = dropout(rows(tape.parameter(users_), batch.users), 0.2);
    const autodiff::Var items = rows(tape.parameter(items_) + tape.parameter(shift_), batch.items);
    autodiff::Var loss = bpr_loss(row_dot(users, slice_rows(items, 0, batch.size)),
                                  row_dot(users, slice_rows(items, batch.size, batch.size)));
    if (even_) loss = loss + 0.01 * sum(square(tape.parameter(rare_)));
    if (number == controls.nan_at_loss) return loss * logarithm(-loss);
    return weight_ * loss;
  }

  training::Representations represent(autodiff::Tape& tape) override {
    BenchControls& controls = bench_controls();
    const std::int64_t number = controls.represents++;
    if (number == controls.cancel_at_represent) controls.cancel.cancel();
    autodiff::Var items = tape.parameter(items_) + (tape.parameter(shift_) + tape.parameter(rare_));
    if (number == controls.nan_at_represent) items = logarithm(-square(items));
    return {tape.parameter(users_), items};
  }

 private:
  static constexpr std::int64_t kDims = 6;
  autodiff::Parameter& users_;
  autodiff::Parameter& items_;
  autodiff::Parameter& shift_;
  autodiff::Parameter& rare_;
  bool even_ = false;
  double weight_ = 1.0;
};

inline training::ModelEntry bench_entry() {
  return {.name = "bench",
          .description = "of the tests",
          .settings = {{"learning_rate", 0.02, "faster than usual"}},
          .make = [](const training::ModelInputs& inputs) -> std::unique_ptr<training::Model> {
            return std::make_unique<BenchModel>(inputs);
          }};
}

inline training::ModelRegistry bench_registry() {
  training::ModelRegistry registry;
  registry.add(bench_entry());
  return registry;
}

/// Six batches an epoch.
inline TrainOptions bench_options(const std::filesystem::path& data, const std::filesystem::path& out,
                                  const char* epochs = "epochs=4") {
  return {.model = "bench", .data = data, .out = out, .settings = {"train_batch_size=32", epochs}};
}
inline constexpr std::int64_t kBenchBatches = 6;

/// Trains the bench's model; `controls` say what shall go wrong. They are reset first.
inline Run train_bench(const TrainOptions& options, BenchControls controls = {}, int threads = 2) {
  bench_controls() = std::move(controls);
  return training::train(options, bench_registry(), {.threads = threads, .cancel = bench_controls().cancel});
}

/// A text without the numbers that differ from run to run: the lines of seconds in JSON, the two last columns of a CSV.
inline std::string without_seconds(const std::string& text) {
  std::string result;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size() - 1);
    std::string line = text.substr(begin, end + 1 - begin);
    begin = end + 1;
    if (line.find("seconds_per_epoch") != std::string::npos) continue;
    if (line.front() != ' ' && line.find(',') != std::string::npos) {
      line.resize(line.rfind(',', line.rfind(',') - 1));
      line += '\n';
    }
    result += line;
  }
  return result;
}

/// What must be alike in the directories of two equal runs, as one text.
inline std::string facts_of(const std::filesystem::path& run) {
  return without_seconds(read_bytes(run / "metrics.json")) + without_seconds(read_bytes(run / "log.csv")) +
         read_bytes(run / "config.json") + read_bytes(run / "user_embeddings.npy") +
         read_bytes(run / "item_embeddings.npy");
}

}  // namespace graft::test
