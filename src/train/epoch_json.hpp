// Epochs and metrics as JSON.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/train/evaluation.hpp>
#include <graft/train/train.hpp>

namespace graft::training {

/// Names of metrics as files list them: by measure (recall and ndcg first), then by ascending cutoff.
std::vector<std::string> ordered_names(const Metrics& metrics);

nlohmann::ordered_json metrics_json(const Metrics& metrics);
/// @throws nlohmann::json::exception
Metrics metrics_of(const nlohmann::ordered_json& json);

nlohmann::ordered_json epoch_json(const EpochReport& report);
/// @throws nlohmann::json::exception
EpochReport epoch_of(const nlohmann::ordered_json& json);

}  // namespace graft::training
