// What config.json of a run says.
#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include <graft/train/evaluation.hpp>

namespace graft::cli {

/// Model, data with hashes, settings: aligned lines.
std::string config_text(const nlohmann::ordered_json& config);

/// The dataset directory, and the hash of its split.
std::filesystem::path data_directory(const nlohmann::ordered_json& config);
std::string split_sha256(const nlohmann::ordered_json& config);

/// What the run's own evaluations ranked.
Candidates candidates(const nlohmann::ordered_json& config);

}  // namespace graft::cli
