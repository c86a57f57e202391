#include "train/trainer_settings.hpp"

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "train/invalid_option.hpp"

namespace graft::training {
namespace {

std::vector<SettingSpec> trainer_specs() {
  constexpr double kNoLimit = std::numeric_limits<double>::infinity();
  constexpr double kMostRows = 1 << 29;    // the ids of a batch's positives and negatives are 32-bit positions
  constexpr double kMostEpochs = 1 << 28;  // what the number of a random stream has room for
  return {
      {"learning_rate", 1e-3, "step size of Adam", 0.0, kNoLimit},
      {"weight_decay", 0.0, "times the weights, added to their gradients (coupled L2)", 0.0, kNoLimit},
      {"learning_rate_decay", 1.0,
       "epoch e trains with learning_rate * learning_rate_decay^(e / learning_rate_decay_epochs)", 0.0, kNoLimit},
      {"learning_rate_decay_epochs", std::int64_t{50}, "epochs in which the learning rate decays once", 1.0, kNoLimit},
      {"train_batch_size", std::int64_t{2048}, "training rows in a step", 1.0, kMostRows},
      {"epochs", std::int64_t{1000}, "passes through the training rows, at most", 1.0, kMostEpochs},
      {"stopping_step", std::int64_t{20}, "ends when more evaluations than this in a row bring no better recall@20",
       0.0, kNoLimit},
      {.name = "candidates",
       .default_value = std::string("all"),
       .description = "items that evaluation ranks: all, or each split's items without a training row (cold)",
       .choices = {"all", "cold"}},
      {"eval_step", std::int64_t{1}, "epochs from one evaluation to the next, at most epochs", 1.0, kNoLimit},
  };
}

}  // namespace

Settings default_settings(const ModelEntry& entry) {
  std::vector<SettingSpec> specs = trainer_specs();
  specs.insert(specs.end(), entry.settings.begin(), entry.settings.end());
  return Settings(std::move(specs));
}

Settings settings_with(const ModelEntry& entry, std::span<const std::string> assignments) {
  Settings settings = default_settings(entry);
  for (const std::string& assignment : assignments) settings.assign(assignment);
  const std::int64_t step = settings.integer("eval_step");
  const std::int64_t epochs = settings.integer("epochs");
  if (step > epochs) {
    throw InvalidOption("settings", fmt::format("eval_step={}", step),
                        fmt::format("must be at most epochs = {}: nothing would be evaluated", epochs));
  }
  return settings;
}

double learning_rate_of(const Settings& settings, std::int64_t epoch) {
  const double steps = static_cast<double>(epoch) / static_cast<double>(settings.integer("learning_rate_decay_epochs"));
  return settings.real("learning_rate") * std::pow(settings.real("learning_rate_decay"), steps);
}

}  // namespace graft::training
