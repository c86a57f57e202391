// The settings that every model has: those of the training protocol.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "train/model.hpp"
#include "train/settings.hpp"

namespace graft::training {

/// Defaults of the trainer, then of the model, which may replace the trainer's.
Settings default_settings(const ModelEntry& entry);

/// The defaults with "key=value" texts on top. @throws InvalidArgument as Settings::assign; eval_step above epochs
Settings settings_with(const ModelEntry& entry, std::span<const std::string> assignments);

/// learning_rate * learning_rate_decay^(epoch / learning_rate_decay_epochs), epoch 0-based.
double learning_rate_of(const Settings& settings, std::int64_t epoch);

}  // namespace graft::training
