#include "interaction_log.hpp"

#include <charconv>
#include <cmath>
#include <system_error>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include <graft/core/error.hpp>
#include <graft/detail/file_handle.hpp>

#include "interaction_log_lines.hpp"
#include "interaction_log_records.hpp"

namespace graft::data {
namespace {

template <class Number>
std::optional<Number> whole_text(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// A whole number, also one that is spelled as a fraction (1370000000.0).
std::optional<std::int64_t> as_time(std::string_view text) {
  if (const auto number = whole_text<std::int64_t>(text)) return number;
  constexpr double kExact = 0x1p53;
  const auto number = whole_text<double>(text);
  if (!number || std::fabs(*number) > kExact || std::trunc(*number) != *number) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

/// Ids of one kind, and where each stood first.
class IdColumn {
 public:
  IdColumn(IdTable& table, Role role) : table_(table), role_(role) {}

  /// @throws FormatError if the id differs by blanks only from another
  std::int32_t number(std::string_view text, const LineReader& lines, std::int64_t file, std::int64_t line) {
    const std::int32_t id = table_.insert(text);
    if (id < static_cast<std::int64_t>(places_.size())) return id;
    places_.push_back({file, line});
    const std::string_view core = trimmed(text);
    if (core.size() != text.size()) {
      check_alone(table_.find(core), id, lines);
      const auto [twin, added] = padded_.emplace(core, id);
      if (!added) check_alone(twin->second, id, lines);
    } else if (!padded_.empty()) {
      const auto twin = padded_.find(std::string(text));
      if (twin != padded_.end()) check_alone(twin->second, id, lines);
    }
    return id;
  }

  void name_file(std::string path) { files_.push_back(std::move(path)); }

  /// Ids with blanks around them.
  [[nodiscard]] std::int64_t padded() const { return static_cast<std::int64_t>(padded_.size()); }

 private:
  struct Place {
    std::int64_t file = 0;
    std::int64_t line = 0;
  };

  void check_alone(std::int32_t twin, std::int32_t id, const LineReader& lines) const {
    if (twin == IdTable::kAbsent) return;
    const Place& place = places_[static_cast<std::size_t>(twin)];
    lines.fail(places_.back().line, fmt::format("{} id", name(role_)), table_.text(id),
               fmt::format("differs by blanks only from {} ({}:{}); make such ids one (trim_ids), or correct them",
                           detail::quote(table_.text(twin)), files_[static_cast<std::size_t>(place.file)], place.line));
  }

  IdTable& table_;
  Role role_;
  std::vector<std::string> files_;
  std::vector<Place> places_;
  std::unordered_map<std::string, std::int32_t> padded_;  ///< ids with blanks around them, by what is within
};

class LogReader {
 public:
  LogReader(const LogOptions& options, const Context& context) : options_(options), context_(context) {}

  void read(const std::filesystem::path& path) {
    LineReader lines(path, context_);
    for (IdColumn* ids : {&user_ids_, &item_ids_}) ids->name_file(path.string());
    const std::unique_ptr<RecordSource> records = open_records(lines, options_);
    log_.read_as.push_back(records->description());
    check_columns(lines, *records);
    Record record;
    while (records->next(record)) add(record, lines);
    ++file_;
  }

  InteractionLog finish() {
    log_.padded_users = user_ids_.padded();
    log_.padded_items = item_ids_.padded();
    return std::move(log_);
  }

 private:
  /// All files must tell the same of a row.
  void check_columns(const LineReader& lines, const RecordSource& records) {
    const bool times = records.has(Role::time);
    const bool ratings = records.has(Role::rating);
    if (file_ == 0) {
      has_times_ = times;
      has_ratings_ = ratings;
      first_path_ = lines.path().string();
    }
    for (const auto& [role, here, before] :
         {std::tuple{Role::time, times, has_times_}, std::tuple{Role::rating, ratings, has_ratings_}}) {
      if (here == before) continue;
      lines.fail(fmt::format("has {} {} column, other than {}; name it as {}, or set {} to none", here ? "a" : "no",
                             name(role), first_path_, name(role), name(role)));
    }
    if (options_.min_rating && !ratings) {
      lines.fail(fmt::format("min_rating = {}: there is no rating column; name it (rating)", *options_.min_rating));
    }
  }

  void add(const Record& record, const LineReader& lines) {
    ++log_.rows_read;
    std::string_view user = record.of(Role::user);
    std::string_view item = record.of(Role::item);
    const std::string_view user_core = trimmed(user);
    const std::string_view item_core = trimmed(item);
    const std::string_view time = trimmed(record.of(Role::time));
    if (user_core.empty()) return void(++log_.without_user);
    if (item_core.empty()) return void(++log_.without_item);
    if (has_times_ && time.empty()) return void(++log_.without_time);
    const std::int64_t when = has_times_ ? checked_time(time, record, lines) : 0;
    const double rating = has_ratings_ ? checked_rating(record, lines) : 0.0;
    // an absent rating is NaN, which is not above anything
    if (options_.min_rating && !(rating >= *options_.min_rating)) return void(++log_.below_min_rating);
    if (options_.trim_ids) {
      user = user_core;
      item = item_core;
    }
    log_.users.push_back(user_ids_.number(user, lines, file_, record.line));
    log_.items.push_back(item_ids_.number(item, lines, file_, record.line));
    if (has_times_) log_.times.push_back(when);
    if (has_ratings_) log_.ratings.push_back(rating);
  }

  static std::int64_t checked_time(std::string_view text, const Record& record, const LineReader& lines) {
    const std::optional<std::int64_t> when = as_time(text);
    if (when) return *when;
    lines.fail(record.line, "time", text,
               fmt::format("must be a whole number, e.g. seconds since 1970{}",
                           record.line == 1 ? "; if this line is a header, set header to yes" : ""));
  }

  static double checked_rating(const Record& record, const LineReader& lines) {
    const std::string_view text = trimmed(record.of(Role::rating));
    if (text.empty()) return std::numeric_limits<double>::quiet_NaN();
    const std::optional<double> rating = whole_text<double>(text);
    if (rating && std::isfinite(*rating)) return *rating;
    lines.fail(record.line, "rating", text,
               fmt::format("must be a finite number{}",
                           record.line == 1 ? "; if this line is a header, set header to yes" : ""));
  }

  const LogOptions& options_;
  const Context& context_;
  InteractionLog log_;
  IdColumn user_ids_{log_.user_ids, Role::user};
  IdColumn item_ids_{log_.item_ids, Role::item};
  std::int64_t file_ = 0;
  std::string first_path_;
  bool has_times_ = false;
  bool has_ratings_ = false;
};

}  // namespace

InteractionLog read_interaction_log(std::span<const std::filesystem::path> files, const LogOptions& options,
                                    const Context& context) {
  if (files.empty()) throw InvalidArgument(detail::message(kReadOperation, "files", "", "name one file at least"));
  LogReader reader(options, context);
  for (const std::filesystem::path& file : files) reader.read(file);
  return reader.finish();
}

}  // namespace graft::data
