// CSV and TSV are read by hand: columns are known only at run time, messages need the line of a record, and a file may
// have more rows than memory holds text.
#include "interaction_log_records.hpp"

#include <cstring>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <graft/detail/file_handle.hpp>

namespace graft::data {
namespace {

/// Fields of one record that has quotes, line by line.
class QuotedFields {
 public:
  enum class Step {
    complete,
    open,      ///< a quote is open at the end of the line: the record goes on
    misplaced  ///< something follows a closing quote
  };

  explicit QuotedFields(char delimiter) : delimiter_(delimiter) {}

  void start() {
    text_.clear();
    ends_.clear();
    state_ = State::field_start;
  }

  Step add(std::string_view line) {
    for (std::size_t at = 0; at < line.size(); ++at) {
      const bool last = at + 1 == line.size();
      if (last && line[at] == '\r' && state_ != State::quoted) break;
      if (!take(line[at])) return Step::misplaced;
    }
    if (state_ == State::quoted) {
      text_ += '\n';
      return Step::open;
    }
    end_field();
    return Step::complete;
  }

  [[nodiscard]] std::size_t bytes() const { return text_.size(); }

  void fields(std::vector<std::string_view>& result) const {
    result.clear();
    std::size_t begin = 0;
    for (const std::size_t end : ends_) {
      result.push_back(std::string_view(text_).substr(begin, end - begin));
      begin = end;
    }
  }

 private:
  enum class State { field_start, plain, quoted, quote_in_quoted };

  void end_field() {
    ends_.push_back(text_.size());
    state_ = State::field_start;
  }

  bool take(char c) {
    if (state_ == State::quoted) {
      if (c == '"') {
        state_ = State::quote_in_quoted;
      } else {
        text_ += c;
      }
      return true;
    }
    if (c == delimiter_) {
      end_field();
      return true;
    }
    if (c == '"' && state_ != State::plain) {
      if (state_ == State::quote_in_quoted) text_ += '"';
      state_ = State::quoted;
      return true;
    }
    if (state_ == State::quote_in_quoted) return false;
    state_ = State::plain;  // a quote within a plain field stands for itself
    text_ += c;
    return true;
  }

  char delimiter_;
  std::string text_;               ///< all fields, one after another
  std::vector<std::size_t> ends_;  ///< of each field in text_
  State state_ = State::field_start;
};

/// CSV and TSV.
class DelimitedRecords final : public RecordSource {
 public:
  DelimitedRecords(LineReader& lines, const LogOptions& options, LogFormat format)
      : lines_(lines),
        delimiter_(format == LogFormat::tsv ? '\t' : ','),
        quotes_(format == LogFormat::csv),
        quoted_(delimiter_) {
    if (!read_fields()) lines_.fail("is empty: must hold interactions");
    field_count_ = fields_.size();
    first_line_ = line_;
    const ColumnSearch search{lines_, line_, fields_, options.columns};
    header_ = options.header == LogHeader::yes ||
              (options.header == LogHeader::automatic && looks_like_header(fields_, options.columns));
    places_ = header_ ? columns_by_name(search, true) : columns_by_place(search);
    describe();
    first_is_record_ = !header_;
  }

  bool next(Record& record) override {
    if (!std::exchange(first_is_record_, false)) {
      if (!read_fields()) return false;
      if (fields_.size() != field_count_) {
        lines_.fail(line_, "", "",
                    fmt::format("has {} field(s), must have {} as line {}", fields_.size(), field_count_, first_line_));
      }
    }
    record.line = line_;
    for (const Role role : kRoles) {
      const std::optional<std::size_t>& place = places_[index_of(role)];
      record.values[index_of(role)] = place ? fields_[*place] : std::string_view();
    }
    return true;
  }

  [[nodiscard]] bool has(Role role) const override { return places_[index_of(role)].has_value(); }
  [[nodiscard]] std::string description() const override { return description_; }

 private:
  bool read_fields() {
    std::string_view line;
    if (!next_text_line(lines_, line)) return false;
    line_ = lines_.line();
    if (line.front() == '{' && line.back() == '}' && line.find("\":") != std::string_view::npos) {
      lines_.fail(line_, "", line, "is JSON in a file of separated fields: a file must have one format");
    }
    if (quotes_ && std::memchr(line.data(), '"', line.size()) != nullptr) {
      read_quoted(line);
      return true;
    }
    fields_.clear();
    for (const char *at = line.data(), *const end = at + line.size();;) {
      const void* const found = std::memchr(at, delimiter_, static_cast<std::size_t>(end - at));
      const char* const stop = found == nullptr ? end : static_cast<const char*>(found);
      fields_.emplace_back(at, static_cast<std::size_t>(stop - at));
      if (stop == end) return true;
      at = stop + 1;
    }
  }

  void read_quoted(std::string_view line) {
    quoted_.start();
    for (;;) {
      const QuotedFields::Step step = quoted_.add(line);
      if (step == QuotedFields::Step::complete) break;
      if (step == QuotedFields::Step::misplaced) {
        lines_.fail(lines_.line(), "", line,
                    "has text after a closing quote; within a quoted field a quote must be doubled");
      }
      if (quoted_.bytes() > LineReader::kMostLine || !lines_.next(line)) {
        lines_.fail(line_, "", "", "opens a quote that is never closed");
      }
    }
    quoted_.fields(fields_);
  }

  void describe() {
    description_ = fmt::format("{} {}", quotes_ ? "CSV" : "TSV", header_ ? "with header" : "without header");
    if (!header_) description_ += fmt::format(" (line {} is a row: {})", line_, fmt::join(shown_fields(), ", "));
    const char* separator = ": ";
    for (const Role role : kRoles) {
      const std::optional<std::size_t>& place = places_[index_of(role)];
      if (!place) continue;
      const std::string column = fmt::format("column {}", *place + 1);
      description_ += fmt::format("{}{} = {}", separator, name(role),
                                  header_ ? fmt::format("{} ({})", fields_[*place], column) : column);
      separator = ", ";
    }
  }

  [[nodiscard]] std::vector<std::string> shown_fields() const {
    std::vector<std::string> shown;
    shown.reserve(fields_.size());
    for (const std::string_view field : fields_) shown.push_back(detail::quote(field));
    return shown;
  }

  LineReader& lines_;
  char delimiter_;
  bool quotes_;
  QuotedFields quoted_;
  std::vector<std::string_view> fields_;
  std::size_t field_count_ = 0;
  std::int64_t line_ = 0;        ///< of the current record
  std::int64_t first_line_ = 0;  ///< of the first record or the header
  ColumnPlaces places_;
  bool header_ = false;
  bool first_is_record_ = false;
  std::string description_;
};

LogFormat format_by_content(LineReader& lines) {
  std::string_view line;
  if (!next_text_line(lines, line)) lines.fail("is empty: must hold interactions");
  lines.give_back();
  if (line.front() == '{' || line.front() == '[') return LogFormat::jsonl;
  if (line.find('\t') != std::string_view::npos) return LogFormat::tsv;
  if (line.find(',') != std::string_view::npos) return LogFormat::csv;
  lines.fail(lines.line(), "", line,
             "has no comma, no tab and no \"{\": must be CSV, TSV or JSON lines; convert other separators");
}

}  // namespace

bool next_text_line(LineReader& lines, std::string_view& line) {
  while (lines.next(line)) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) return true;
  }
  return false;
}

std::unique_ptr<RecordSource> open_records(LineReader& lines, const LogOptions& options) {
  const LogFormat format = options.format == LogFormat::automatic ? format_by_content(lines) : options.format;
  if (format == LogFormat::jsonl) return open_json_records(lines, options);
  return std::make_unique<DelimitedRecords>(lines, options, format);
}

}  // namespace graft::data
