// Records of a file of interactions, whatever its format.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "interaction_log_columns.hpp"

namespace graft::data {

/// The values of one record, by role; empty where the file has none, or has null.
struct Record {
  std::int64_t line = 0;  ///< its first
  std::array<std::string_view, kRoleCount> values;

  [[nodiscard]] std::string_view of(Role role) const { return values[index_of(role)]; }
};

/// Reads one file record by record.
class RecordSource {
 public:
  RecordSource() = default;
  RecordSource(const RecordSource&) = delete;
  RecordSource& operator=(const RecordSource&) = delete;
  RecordSource(RecordSource&&) = delete;
  RecordSource& operator=(RecordSource&&) = delete;
  virtual ~RecordSource() = default;

  /// Values are valid until the next call. @return false at the end of the file
  /// @throws FormatError naming file and line, IoError, Cancelled
  virtual bool next(Record& record) = 0;

  [[nodiscard]] virtual bool has(Role role) const = 0;

  /// What was taken for what, e.g. "CSV with header: user = userId (column 1), ...".
  [[nodiscard]] virtual std::string description() const = 0;
};

/// Finds format and columns by the first record. `lines` must outlive the result.
/// @throws FormatError naming file and line, IoError, Cancelled
std::unique_ptr<RecordSource> open_records(LineReader& lines, const LogOptions& options);

/// JSON lines; the same for the file of one format.
std::unique_ptr<RecordSource> open_json_records(LineReader& lines, const LogOptions& options);

/// The next line that is not blank, without the carriage return at its end. @return false at the end of the file
bool next_text_line(LineReader& lines, std::string_view& line);

}  // namespace graft::data
