// An inspection for a person at a terminal, for a machine, and as a page to keep and share.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "report/inspection.hpp"

namespace graft::report {

/// What the inputs are called in texts and pages.
struct InspectionNames {
  std::string graph = {};   ///< e.g. the base name of its file
  std::string before = {};  ///< of the graph that it is compared with
  std::string interactions = {};
  std::string split = {};  ///< of the interactions: "train", "valid", "test" or "all"
  std::string labels = {};
};

/// Every number, with keys that stay. A number that is not defined is null.
nlohmann::ordered_json inspection_json(const Inspection& inspection);

/// Aligned lines.
std::string inspection_text(const Inspection& inspection, const InspectionNames& names);

/// A page of its own (html.hpp).
std::string inspection_html(const Inspection& inspection, const InspectionNames& names);

/// The most telling facts in whole sentences.
std::string inspection_reading(const Inspection& inspection, const InspectionNames& names);

}  // namespace graft::report
