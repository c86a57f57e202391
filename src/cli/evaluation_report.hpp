// Ranking quality for a person and for a machine: what `graft train` and `graft evaluate` share.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <graft/train/evaluation.hpp>

namespace graft::cli {

/// A line for each split and measure, a column for each cutoff.
std::string metrics_table(const std::vector<std::pair<std::string, const Metrics*>>& splits);

/// Splits, groups of users and items, catalogue.
std::string evaluation_text(const Evaluation& evaluation);

/// Every number, as metrics.json has them: "candidates", "valid", "test", "groups" and
/// "catalogue".
nlohmann::ordered_json evaluation_json(const Evaluation& evaluation);

}  // namespace graft::cli
