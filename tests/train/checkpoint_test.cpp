#include "train/checkpoint.hpp"

#include <doctest/doctest.h>
#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/train/train.hpp>

#include "train/trainer_settings.hpp"

#include "../support/files.hpp"
#include "run_bench.hpp"

namespace graft::training {
namespace checkpoint_test {
namespace {

using test::bench_data;
using test::bench_options;
using test::BenchControls;
using test::expect_error;
using test::facts_of;
using test::kBenchBatches;
using test::Killed;
using test::read_bytes;
using test::TempDir;
using test::train_bench;

constexpr std::int64_t kEpochs = 4;

TrainOptions resumed(TrainOptions options) {
  options.resume = true;
  return options;
}

TEST_CASE("checkpoint: a run that was stopped after any batch goes on to the same bits") {
  const TempDir directory;
  const auto data = bench_data(directory);
  train_bench(bench_options(data, directory / "whole"));
  const std::string expected = facts_of(directory / "whole");
  for (std::int64_t stop = 0; stop < kEpochs * kBenchBatches; ++stop) {
    INFO("cancelled in batch ", stop);
    const TrainOptions options = bench_options(data, directory / ("stopped" + std::to_string(stop)));
    CHECK_THROWS_AS(train_bench(options, {.cancel_at_loss = stop}), Cancelled);
    CHECK(test::bench_controls().losses == stop + 1);  // the batch is finished, no other is begun
    CHECK_THROWS_AS(Run::open(options.out), FormatError);
    train_bench(resumed(options));
    CHECK(test::bench_controls().losses == kEpochs * kBenchBatches - stop - 1);
    CHECK(facts_of(options.out) == expected);
  }
}

TEST_CASE("checkpoint: a run that is stopped after every single batch comes to the same bits") {
  const TempDir directory;
  const auto data = bench_data(directory);
  train_bench(bench_options(data, directory / "whole"));
  const TrainOptions options = resumed(bench_options(data, directory / "stopped"));
  for (std::int64_t batch = 0; batch < kEpochs * kBenchBatches; ++batch) {
    CHECK_THROWS_AS(train_bench(options, {.cancel_at_loss = 0}), Cancelled);
  }
  train_bench(options);
  CHECK(test::bench_controls().losses == 0);
  CHECK(facts_of(options.out) == facts_of(directory / "whole"));
}

TEST_CASE("checkpoint: a run that was stopped in an evaluation goes on with it") {
  const TempDir directory;
  const auto data = bench_data(directory);
  train_bench(bench_options(data, directory / "whole"));
  for (std::int64_t evaluation = 0; evaluation <= kEpochs; ++evaluation) {  // the last: of the finished run
    INFO("cancelled in evaluation ", evaluation);
    const TrainOptions options = bench_options(data, directory / ("stopped" + std::to_string(evaluation)));
    CHECK_THROWS_AS(train_bench(options, {.cancel_at_represent = evaluation}), Cancelled);
    train_bench(resumed(options));
    CHECK(facts_of(options.out) == facts_of(directory / "whole"));
  }
}

TEST_CASE("checkpoint: a killed run goes on from its last checkpoint, whatever the log holds beyond it") {
  const TempDir directory;
  const auto data = bench_data(directory);
  train_bench(bench_options(data, directory / "whole"));
  for (std::int64_t kill = 0; kill < kEpochs * kBenchBatches; kill += 5) {
    INFO("killed in batch ", kill);
    TrainOptions options = bench_options(data, directory / ("killed" + std::to_string(kill)));
    options.checkpoint_seconds = 0.0;
    CHECK_THROWS_AS(train_bench(options, {.throw_at_loss = kill}), Killed);
    const std::int64_t saved = kill / kBenchBatches * kBenchBatches;  // after every epoch
    CHECK(std::filesystem::exists(options.out / "checkpoint.bin") == (saved > 0));
    train_bench(resumed(options));
    CHECK(test::bench_controls().losses == kEpochs * kBenchBatches - saved);
    CHECK(facts_of(options.out) == facts_of(directory / "whole"));
  }
}

TEST_CASE("checkpoint: a run that was killed between the log's row and the checkpoint has its log cut back") {
  const TempDir directory;
  const auto data = bench_data(directory);
  train_bench(bench_options(data, directory / "whole"));
  TrainOptions options = bench_options(data, directory / "killed");
  options.checkpoint_seconds = 0.0;
  options.on_epoch = [](const EpochReport& report) {
    if (report.epoch == 2) throw Killed();
  };
  CHECK_THROWS_AS(train_bench(options), Killed);
  const std::string log = read_bytes(options.out / "log.csv");
  CHECK(std::count(log.begin(), log.end(), '\n') == 4);
  test::write_bytes(options.out / ".graft-1-0.tmp", "half a checkpoint");
  options.on_epoch = {};
  train_bench(resumed(options));
  CHECK(facts_of(options.out) == facts_of(directory / "whole"));
  CHECK_FALSE(std::filesystem::exists(options.out / ".graft-1-0.tmp"));
}

TEST_CASE("checkpoint: it is written within an epoch when its time has come") {
  const TempDir directory;
  TrainOptions options = bench_options(bench_data(directory), directory / "run");
  options.checkpoint_seconds = 1e-9;
  CHECK_THROWS_AS(train_bench(options, {.throw_at_loss = 8}), Killed);
  train_bench(resumed(options));
  CHECK(test::bench_controls().losses == kEpochs * kBenchBatches - 8);
  options.out = directory / "rare";
  options.checkpoint_seconds = 1e9;
  CHECK_THROWS_AS(train_bench(options, {.throw_at_loss = 20}), Killed);
  CHECK_FALSE(std::filesystem::exists(options.out / "checkpoint.bin"));
}

TEST_CASE("checkpoint: a finished run goes on where epochs or patience are raised, as if they had been so before") {
  const TempDir directory;
  const auto data = bench_data(directory);
  SUBCASE("epochs") {
    train_bench(bench_options(data, directory / "whole", "epochs=7"));
    const TrainOptions options = bench_options(data, directory / "run", "epochs=3");
    CHECK(train_bench(options).epochs() == 3);
    TrainOptions longer = resumed(bench_options(data, directory / "run", "epochs=7"));
    CHECK(train_bench(longer).epochs() == 7);
    CHECK(test::bench_controls().losses == 4 * kBenchBatches);
  }
  SUBCASE("stopping_step") {
    TrainOptions options = bench_options(data, directory / "whole", "epochs=12");
    options.settings.emplace_back("learning_rate=0");  // the first epoch stays the best
    options.settings.emplace_back("stopping_step=5");
    CHECK(train_bench(options).epochs() == 7);
    options.out = directory / "run";
    options.settings.back() = "stopping_step=2";
    CHECK(train_bench(options).epochs() == 4);
    CHECK(train_bench(resumed(options)).epochs() == 4);
    CHECK(test::bench_controls().losses == 0);
    options.settings.back() = "stopping_step=5";
    CHECK(train_bench(resumed(options)).epochs() == 7);
    CHECK(test::bench_controls().losses == 3 * kBenchBatches);
  }
  CHECK(facts_of(directory / "run") == facts_of(directory / "whole"));
}

/// A trainer over the bench's data that has trained a little.
struct Bench {
  explicit Bench(const TempDir& directory, ModelEntry model = test::bench_entry())
      : data(load_dataset({.directory = directory / "bench"})),
        entry(std::move(model)),
        settings(settings_with(entry, std::vector<std::string>{"epochs=2"})),
        backend(autodiff::cpu_backend(1)),
        trainer(data, entry, settings, *backend, {}, {.threads = 1}) {
    test::bench_controls() = {};
  }

  Dataset data;
  ModelEntry entry;
  Settings settings;
  std::unique_ptr<autodiff::Backend> backend;
  Trainer trainer;
};

/// Puts another format version in, and a checksum that agrees.
std::string with_version(std::string bytes, char version) {
  bytes[8] = version;
  const std::size_t end = bytes.size() - 4;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): zlib's type of a byte
  const auto crc = static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), end));
  std::memcpy(bytes.data() + end, &crc, sizeof(crc));
  return bytes;
}

TEST_CASE("checkpoint: what is no whole checkpoint of this run is refused in words") {
  const TempDir directory;
  bench_data(directory);
  Bench bench(directory);
  const auto path = directory / "checkpoint.bin";
  save_checkpoint(path, "this run", bench.trainer);
  CHECK_NOTHROW(load_checkpoint(path, "this run", bench.trainer));
  const std::string valid = read_bytes(path);
  const auto load = [&] { load_checkpoint(path, "this run", bench.trainer); };
  const auto load_other = [&] { load_checkpoint(path, "that run", bench.trainer); };
  expect_error<FormatError>(load_other, {"checkpoint.bin", "another run"});
  test::write_bytes(path, "PK" + valid.substr(2));
  expect_error<FormatError>(load, {"checkpoint.bin", "no checkpoint of graft"});
  test::write_bytes(path, with_version(valid, 2));
  expect_error<FormatError>(load, {"checkpoint.bin", "format version 2", "reads 1"});
  test::write_bytes(path, valid.substr(0, valid.size() / 2));
  expect_error<FormatError>(load, {"checkpoint.bin", "is damaged"});
  test::write_bytes(path, valid.substr(0, 11));
  expect_error<FormatError>(load, {"checkpoint.bin", "too short"});
  std::filesystem::remove(path);
  expect_error<IoError>(load, {"checkpoint.bin"});
  CHECK(directory.entries() == 1);
}

TEST_CASE("checkpoint: any changed, missing or added byte is noticed") {
  const TempDir directory;
  bench_data(directory);
  Bench bench(directory);
  const auto path = directory / "checkpoint.bin";
  save_checkpoint(path, "this run", bench.trainer);
  const std::string valid = read_bytes(path);
  const std::size_t refused = test::read_damaged(
      path, valid, [&](const auto& damaged) { load_checkpoint(damaged, "this run", bench.trainer); });
  CHECK(refused == 5 * valid.size() + 1);
}

TEST_CASE("checkpoint: one of a model with other parameters is refused") {
  const TempDir directory;
  bench_data(directory);
  Bench bench(directory);
  const auto path = directory / "checkpoint.bin";
  save_checkpoint(path, "this run", bench.trainer);
  struct Wider : test::BenchModel {
    explicit Wider(const ModelInputs& inputs) : BenchModel(inputs) {
      inputs.parameters.add("more", 2, 3, Initializer::zeros);
    }
  };
  ModelEntry wider = test::bench_entry();
  wider.make = [](const ModelInputs& inputs) -> std::unique_ptr<Model> { return std::make_unique<Wider>(inputs); };
  Bench other(directory, wider);
  expect_error<FormatError>([&] { load_checkpoint(path, "this run", other.trainer); },
                            {"parameter 4 = none", "more [2 x 3]", "another version of the model"});
}

/// Hands its state to whoever looks.
struct Stateful : test::BenchModel {
  using BenchModel::BenchModel;
  [[nodiscard]] std::vector<std::byte> save_state() const override { return state; }
  void load_state(std::span<const std::byte> given) override { state.assign(given.begin(), given.end()); }
  std::vector<std::byte> state;
};

TEST_CASE("checkpoint: within an epoch it holds the model's state, which the same model alone takes back") {
  const TempDir directory;
  bench_data(directory);
  ModelEntry stateful = test::bench_entry();
  stateful.make = [](const ModelInputs& inputs) -> std::unique_ptr<Model> {
    return std::make_unique<Stateful>(inputs);
  };
  Bench bench(directory, stateful);
  auto& state = dynamic_cast<Stateful&>(bench.trainer.model()).state;
  const std::vector<std::byte> kept{std::byte{1}, std::byte{0}, std::byte{255}};
  const auto path = directory / "checkpoint.bin";
  state = kept;
  save_checkpoint(path, "this run", bench.trainer);
  load_checkpoint(path, "this run", bench.trainer);
  CHECK(state.empty());  // no epoch had begun
  state = kept;
  TrainingState within;
  within.batch = 1;
  bench.trainer.set_state(within);
  save_checkpoint(path, "this run", bench.trainer);
  state.clear();
  load_checkpoint(path, "this run", bench.trainer);
  CHECK(state == kept);
  Bench other(directory);
  expect_error<FormatError>([&] { load_checkpoint(path, "this run", other.trainer); },
                            {"model state = 3 bytes", "another version of the model"});
}

}  // namespace
}  // namespace checkpoint_test
}  // namespace graft::training
