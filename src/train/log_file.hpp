// log.csv: a row an epoch.
//
// Columns: epoch, loss, learning_rate, valid_METRIC ..., test_METRIC ..., train_seconds, evaluation_seconds. Numbers
// are the shortest that read back as the same double (seconds: milliseconds). Metrics of an epoch without evaluation,
// or of a split without rows, are empty.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include <graft/train/train.hpp>

namespace graft::training {

/// Replaces the file: a header and these rows. @throws IoError
void write_log(const std::filesystem::path& path, std::span<const EpochReport> log);

/// Adds a row at the end. @throws IoError
void append_to_log(const std::filesystem::path& path, const EpochReport& report);

/// Reads a log back; `best` is worked out anew. @throws IoError, FormatError naming file, line and column
std::vector<EpochReport> read_log(const std::filesystem::path& path);

}  // namespace graft::training
