// Everything that a finished or stopped run tells, in one place: its files and its report are made from it.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/train/evaluation.hpp>
#include <graft/train/train.hpp>

#include "train/dataset.hpp"
#include "train/model.hpp"

namespace graft::training {

struct RunRecord {
  nlohmann::ordered_json config = {};   ///< as config.json
  nlohmann::ordered_json metrics = {};  ///< as metrics.json
  std::vector<EpochReport> log = {};
  Evaluation evaluation = {};           ///< of the best epoch, with groups and catalogue
  std::vector<NamedGraph> graphs = {};  ///< that the model used
  std::vector<std::string> notices = {};
};

/// report.html: curves, metrics, groups, the item graphs' inspection, configuration. Self-contained; the same record
/// gives the same bytes.
std::string run_report(const RunRecord& record, const Dataset& data, const Context& context = {});

}  // namespace graft::training
