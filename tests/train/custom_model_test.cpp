// A model of one's own, written as one file: added to the list of models, trained like any other.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include <graft/core/error.hpp>
#include <graft/train/train.hpp>

#include "train/model.hpp"
#include "train/trainer.hpp"

#include "../support/files.hpp"

namespace graft::training {
namespace models {

ModelEntry biased_factors_model();  // models/biased_factors.cpp, in biased_factors_test.cpp

}  // namespace models

namespace custom_model_test {
namespace {

using test::TempDir;

constexpr int kGroups = 16;
constexpr int kUsers = 160;
constexpr int kLiked = 10;  ///< items of a group

/// Users like the items of their own group alone: eight for training, one for validation, one for testing.
std::filesystem::path planted_data(const TempDir& directory) {
  std::string text = "userID\titemID\tx_label\n";
  for (int user = 0; user < kUsers; ++user) {
    for (int place = 0; place < kLiked; ++place) {
      const int item = (user / kGroups + place) % kLiked * kGroups + user % kGroups;
      const int label = place < 8 ? 0 : place - 7;
      text += std::to_string(user) + "\t" + std::to_string(item) + "\t" + std::to_string(label) + "\n";
    }
  }
  const std::filesystem::path data = directory / "planted";
  std::filesystem::create_directory(data);
  test::write_bytes(data / "planted.inter", text);
  return data;
}

ModelRegistry with_biased_factors() {
  ModelRegistry registry = ModelRegistry::with_built_in();
  registry.add(models::biased_factors_model());
  return registry;
}

TEST_CASE("a custom model: added to the list, it trains, is evaluated and leaves a run") {
  const TempDir directory;
  const TrainOptions options{.model = "biased_factors",
                             .data = planted_data(directory),
                             .out = directory / "run",
                             .settings = {"train_batch_size=128", "epochs=40", "embedding_size=8"}};
  const Run run = train(options, with_biased_factors());
  CHECK(run.model() == "biased_factors");
  CHECK(run.test().at("recall@20") > 0.9);  // by chance 20 of 152
  CHECK(run.log().size() == static_cast<std::size_t>(run.epochs()));
  CHECK(run.log().back().loss < 0.5 * run.log().front().loss);
  CHECK(run.item_embeddings().cols() == 9);
  for (std::int64_t user = 0; user < kUsers; ++user) CHECK(run.user_embeddings()(user, 8) == 1.0F);
}

TEST_CASE("a custom model: its settings stand beside the trainer's and are checked alike") {
  const TempDir directory;
  TrainOptions options{.model = "biased_factors", .data = planted_data(directory), .out = directory / "run"};
  options.settings = {"embeding_size=8"};
  test::expect_error<InvalidArgument>([&] { train(options, with_biased_factors()); },
                                      {"train: settings = embeding_size", "embedding_size"});
  options.settings = {};
  options.model = "biased_factor";
  test::expect_error<InvalidArgument>([&] { train(options, with_biased_factors()); },
                                      {"model = biased_factor", "biased_factors"});
}

TEST_CASE("a custom model: a name that is taken is refused") {
  ModelRegistry registry = with_biased_factors();
  test::expect_error<InvalidArgument>([&] { registry.add(models::biased_factors_model()); }, {"biased_factors"});
}

}  // namespace
}  // namespace custom_model_test
}  // namespace graft::training
