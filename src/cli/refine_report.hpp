// What `graft refine` says of its result: to a person, to a machine, and in the file itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <graft/core/context.hpp>
#include <graft/core/interactions.hpp>
#include <graft/io/npz.hpp>
#include <graft/ops/refine.hpp>

#include "refine_options.hpp"

namespace graft::cli {

/// A source file as it was read.
struct SourceFacts {
  std::int64_t rows = 0;
  std::int64_t cols = 0;  ///< dims of features; items of a graph
  std::string sha256;     ///< of the file's bytes
};

/// Everything there is to say after a run.
struct RefineReport {
  std::vector<SourceFacts> sources;  ///< in the order of RefineJob::sources
  std::int64_t items = 0;
  std::int64_t users = 0;
  std::int64_t interactions = 0;
  std::int64_t duplicates = 0;
  std::string interactions_sha256;
  Backend backend = Backend::cpu;             ///< that did the work
  NumericPath path = NumericPath::automatic;  ///< of the CPU
  int threads = 0;
  RefineSummary summary;
  std::vector<std::string> notices;
  double read_seconds = 0.0;
  double refine_seconds = 0.0;
  double write_seconds = 0.0;
};

/// The facts stored with the graph. A function of the inputs' content and base names, and of the options that change
/// the result: no time, no thread count, no folder.
Provenance provenance_of(const RefineJob& job, const RefineReport& report);

/// Aligned lines for a person.
std::string summary_text(const RefineJob& job, const RefineReport& report);

/// The same and more as JSON.
nlohmann::ordered_json summary_json(const RefineJob& job, const RefineReport& report);

}  // namespace graft::cli
