// From files of interactions to a dataset directory with a split.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <graft/core/context.hpp>

#include "dataset_writer.hpp"
#include "interaction_log.hpp"
#include "kcore.hpp"
#include "split.hpp"

namespace graft::data {

/// Rows that say again what an earlier row says; the first is kept.
enum class Duplicates {
  triple,  ///< removed where user, item and time repeat; without times: where user and item do
  pair,    ///< removed where user and item repeat
  keep
};

struct SplitDatasetOptions {
  /// The .inter file is called NAME.inter. Empty: the base name of the directory.
  std::string name = {};
  LogOptions log = {};
  Duplicates duplicates = Duplicates::triple;
  /// Every user and every item keeps this many rows at least (see k_core); 0 or 1: no row is removed.
  std::int64_t k_core = 5;
  SplitOptions split = {};
};

struct TableCounts {
  std::int64_t rows = 0;
  std::int64_t users = 0;  ///< with a row
  std::int64_t items = 0;  ///< with a row
};

/// One split of the result.
struct SplitPart {
  TableCounts counts;
  std::int64_t new_items = 0;      ///< items of its rows that have no training row
  std::int64_t new_user_rows = 0;  ///< its rows whose user has no training row: evaluation leaves them out
};

struct SplitDatasetSummary {
  SplitDatasetOptions options;    ///< with the name filled in
  std::vector<FileFacts> inputs;  ///< base names
  std::vector<std::string> read_as;
  std::int64_t rows_read = 0;
  std::int64_t without_user = 0;  ///< rows left out, as in InteractionLog
  std::int64_t without_item = 0;
  std::int64_t without_time = 0;
  std::int64_t below_min_rating = 0;
  TableCounts complete;             ///< what is left then
  std::int64_t repeated = 0;        ///< rows removed as duplicates
  std::int64_t repeated_pairs = 0;  ///< rows kept though an earlier row has their user and item
  std::vector<KCoreRound> rounds;
  TableCounts kept;                ///< after the k-core: the dataset
  std::array<SplitPart, 3> parts;  ///< train, valid, test
  std::string train_sha256;        ///< sha256_of(Interactions) of the training rows
  std::vector<FileFacts> files;    ///< all but dataset.json
  std::vector<std::string> notices;
};

/// Makes a whole dataset directory from files of interactions, or leaves nothing. Steps, as in the preprocessing of the
/// MMRec family: read (rows without user, item or time are left out); remove duplicates; k-core; number users and
/// items from 0 by first appearance in what is left; split.
///
/// Files: NAME.inter (`userID itemID`, `rating` and `timestamp` where there are such, `x_label`; by ascending user,
/// train before valid before test), u_id_mapping.csv (`user_id userID`) and i_id_mapping.csv (`asin itemID`: the id in
/// the input, whatever it is, and its number) and dataset.json (options, counts of each step, SHA-256 of inputs and
/// outputs, hash of the training rows). Tabs separate; an id with a tab, a quote or a line end is quoted as in RFC 4180
/// (pandas and Python's csv read it back). The same inputs and options give the same bytes.
/// @throws as read_interaction_log, k_core, split_rows and DatasetWriter do; InvalidArgument if no row is left (names
///         the largest k-core that leaves one), if a temporal protocol has no times, or for a bad name
/// @param tell  called with each notice as soon as it is known, also in a run that fails later
SplitDatasetSummary split_dataset(const std::filesystem::path& directory, std::span<const std::filesystem::path> files,
                                  const SplitDatasetOptions& options, const Context& context = {},
                                  const std::function<void(const std::string&)>& tell = {});

/// The content of dataset.json.
std::string split_description(const SplitDatasetSummary& summary);

/// The spellings of the command line and of dataset.json.
const char* name(Protocol protocol);
const char* name(Duplicates duplicates);

}  // namespace graft::data
