// Bodies of io/inter.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <graft/detail/checked.hpp>
#include <graft/detail/file_reader.hpp>
#include <graft/io/inter.hpp>

namespace graft {
namespace detail {

/// Bytes read at once.
inline constexpr std::size_t kInterPiece = std::size_t{1} << 20;
/// A longer line is an error: no line of this format comes near, and memory stays bounded.
inline constexpr std::size_t kMostInterLine = std::size_t{1} << 20;
/// Ids up to here are fine in a file of any length; above, at most kIdsPerRow times the rows.
inline constexpr std::int64_t kSmallId = std::int64_t{1} << 20;
inline constexpr std::int64_t kIdsPerRow = 64;

inline constexpr std::string_view kSplitHint = "re-index the ids with `graft prepare split`";

/// Splits a .inter file into rows. Blank lines may only stand at the end, so row r is line r + 2.
class InterParser {
 public:
  explicit InterParser(const FileReader& file) : file_(file) {}

  /// The next line, without its newline.
  void line(std::string_view text) {
    ++line_;
    if (text.size() > kMostInterLine) too_long();
    if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    if (line_ == 1) return header(text);
    if (text.empty()) {
      if (blank_ == 0) blank_ = line_;
      return;
    }
    if (blank_ != 0) file_.fail("line " + std::to_string(blank_), "", "is blank; blank lines may only end the file");
    row(text);
  }

  [[noreturn]] void line_without_end() {
    ++line_;
    too_long();
  }

  /// Room for the rows of the whole file, judged by its first `bytes`.
  void expect_rows(std::int64_t bytes) {
    const std::int64_t rows = std::max<std::int64_t>(static_cast<std::int64_t>(table_.users.size()), 1);
    const auto all =
        as_size(std::min(file_.size() / kLeastRow, (file_.size() / std::max<std::int64_t>(bytes, 1) + 1) * rows));
    table_.users.reserve(all);
    table_.items.reserve(all);
    table_.labels.reserve(all);
  }

  InterTable finish() {
    if (line_ == 0) file_.fail("length", "0 bytes", "must have a header line with userID and itemID");
    check_gigantic("userID", table_.users, table_.user_count);
    check_gigantic("itemID", table_.items, table_.item_count);
    if (!table_.has_labels) {
      table_.notices.push_back(file_.path().string() + ": no x_label column: every row counts as training");
    }
    if (table_.users.empty()) table_.notices.push_back(file_.path().string() + ": no row");
    return std::move(table_);
  }

 private:
  static constexpr std::size_t kUser = 0;
  static constexpr std::size_t kItem = 1;
  static constexpr std::size_t kLabel = 2;
  static constexpr std::size_t kColumns = 3;
  static constexpr std::array<std::string_view, kColumns> kNames = {"userID", "itemID", "x_label"};
  static constexpr std::size_t kAbsent = static_cast<std::size_t>(-1);
  static constexpr std::int64_t kLeastRow = 4;  // "0\t0\n"

  [[nodiscard]] std::string here() const { return "line " + std::to_string(line_); }
  [[noreturn]] void too_long() const {
    file_.fail(here(), "", "is longer than " + std::to_string(kMostInterLine) + " bytes; is this a .inter file?");
  }

  void header(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // byte-order mark
    const std::string_view whole = text;
    for (fields_ = 0;; ++fields_) {
      const std::size_t end = std::min(text.find('\t'), text.size());
      const auto* const name = std::find(kNames.begin(), kNames.end(), text.substr(0, end));
      if (name != kNames.end()) {
        std::size_t& place = places_[static_cast<std::size_t>(name - kNames.begin())];
        if (place != kAbsent) file_.fail(here(), quote(whole), "has the column " + std::string(*name) + " twice");
        place = fields_;
      }
      if (end == text.size()) break;
      text.remove_prefix(end + 1);
    }
    ++fields_;
    for (const std::size_t column : {kUser, kItem}) {
      if (places_[column] != kAbsent) continue;
      file_.fail(here(), quote(whole),
                 "must name the column " + std::string(kNames[column]) + "; columns are separated by tabs");
    }
    table_.has_labels = places_[kLabel] != kAbsent;
  }

  void row(std::string_view text) {
    std::array<std::string_view, kColumns> values = {};
    std::size_t field = 0;
    for (const char *at = text.data(), *const end = at + text.size();; ++field) {
      const void* const tab = std::memchr(at, '\t', static_cast<std::size_t>(end - at));
      const char* const stop = tab == nullptr ? end : static_cast<const char*>(tab);
      for (std::size_t c = 0; c < kColumns; ++c) {
        if (places_[c] == field) values[c] = std::string_view(at, static_cast<std::size_t>(stop - at));
      }
      if (stop == end) break;
      at = stop + 1;
    }
    if (++field != fields_) {
      file_.fail(here(), quote(text),
                 "has " + std::to_string(field) + " tab-separated field(s), must have " + std::to_string(fields_) +
                     " as the header");
    }
    const std::int32_t user = id(kUser, values[kUser]);
    const std::int32_t item = id(kItem, values[kItem]);
    const Split split = table_.has_labels ? label(values[kLabel]) : Split::train;
    table_.users.push_back(user);
    table_.items.push_back(item);
    table_.labels.push_back(split);
    table_.user_count = std::max(table_.user_count, std::int64_t{user} + 1);
    table_.item_count = std::max(table_.item_count, std::int64_t{item} + 1);
    ++table_.split_rows[static_cast<std::size_t>(split)];
  }

  std::int32_t id(std::size_t column, std::string_view text) const {
    std::int64_t value = 0;
    for (const char c : text) {
      if (c < '0' || c > '9') bad_id(column, text);
      value = std::min(value * 10 + (c - '0'), kMaxNodes);
    }
    if (text.empty()) bad_id(column, text);
    if (value >= kMaxNodes) {
      file_.fail(here() + ": " + std::string(kNames[column]), quote(text),
                 "must be at most " + std::to_string(kMaxNodes - 1) + "; " + std::string(kSplitHint));
    }
    return as_id(value);
  }

  [[noreturn]] void bad_id(std::size_t column, std::string_view text) const {
    file_.fail(here() + ": " + std::string(kNames[column]), quote(text),
               "must be a non-negative decimal integer (no sign, blank or fraction); " + std::string(kSplitHint));
  }

  [[nodiscard]] Split label(std::string_view text) const {
    if (text.size() != 1 || text[0] < '0' || text[0] > '2') {
      file_.fail(here() + ": x_label", quote(text), "must be 0 (train), 1 (validation) or 2 (test)");
    }
    return static_cast<Split>(text[0] - '0');
  }

  /// Matrices are as large as the largest id: one that the number of rows cannot explain is a mistake.
  void check_gigantic(const char* column, std::span<const std::int32_t> ids, std::int64_t count) const {
    const auto rows = static_cast<std::int64_t>(ids.size());
    const std::int64_t most = std::max(kSmallId, kIdsPerRow * rows);
    if (count - 1 <= most) return;
    const auto found = std::find_if(ids.begin(), ids.end(), [&](std::int32_t value) { return value > most; });
    file_.fail("line " + std::to_string(found - ids.begin() + 2) + ": " + column, std::to_string(*found),
               "must be at most " + std::to_string(most) + " in a file of " + std::to_string(rows) + " rows; " +
                   std::string(kSplitHint));
  }

  const FileReader& file_;
  InterTable table_;
  std::array<std::size_t, kColumns> places_ = {kAbsent, kAbsent, kAbsent};
  std::size_t fields_ = 0;
  std::int64_t line_ = 0;
  std::int64_t blank_ = 0;  ///< first blank line of a run, 0 = none
};

/// Feeds the lines of a file to `parser`, in pieces; the begin of a line that a piece cuts is carried over.
inline void parse_lines(const FileReader& file, InterParser& parser) {
  const auto size = as_size(file.size());
  std::string buffer(std::min(size, kInterPiece + kMostInterLine), '\0');
  std::size_t carried = 0;
  for (std::size_t read = 0; read < size;) {
    const std::size_t count = std::min(size - read, std::min(kInterPiece, buffer.size() - carried));
    file.read_at(static_cast<std::int64_t>(read), std::as_writable_bytes(std::span(buffer).subspan(carried, count)));
    const bool first = read == 0;
    read += count;
    std::string_view rest = std::string_view(buffer).substr(0, carried + count);
    for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      parser.line(rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
    if (first && read < size) parser.expect_rows(static_cast<std::int64_t>(count));
    if (read == size) {
      if (!rest.empty()) parser.line(rest);
    } else if (rest.size() > kMostInterLine) {
      parser.line_without_end();
    }
    carried = rest.size();
    std::memmove(buffer.data(), rest.data(), carried);
  }
}

inline InterTable read_table(const FileReader& file) {
  InterParser parser(file);
  parse_lines(file, parser);
  return parser.finish();
}

inline void check_inter_options(const InterOptions& options) {
  for (const auto& [name, size] : {std::pair{"options.users", options.users}, {"options.items", options.items}}) {
    if (size < -1 || size > kMaxNodes) {
      throw InvalidArgument(message("read_inter", name, std::to_string(size),
                                    "must lie in [0, 2147483647], or be -1 for the file's own"));
    }
  }
  const auto split = static_cast<int>(options.split);
  if (split < static_cast<int>(Split::train) || split > static_cast<int>(Split::all)) {
    throw InvalidArgument(message("read_inter", "options.split", std::to_string(split), "must be a value of Split"));
  }
}

/// Position of the first id that a given size does not allow, or -1.
inline std::int64_t first_out_of_size(std::span<const std::int32_t> ids, std::int64_t size) {
  if (size < 0) return -1;
  const auto found = std::find_if(ids.begin(), ids.end(), [&](std::int32_t value) { return value >= size; });
  return found == ids.end() ? -1 : found - ids.begin();
}

}  // namespace detail

GRAFT_INLINE InterTable read_inter_table(const std::filesystem::path& path) {
  return detail::read_table(detail::FileReader("read_inter", path));
}

GRAFT_INLINE Interactions read_inter(const std::filesystem::path& path, const InterOptions& options) {
  detail::check_inter_options(options);
  const detail::FileReader file("read_inter", path);
  const InterTable table = detail::read_table(file);
  const auto check = [&](const char* column, std::span<const std::int32_t> ids, std::int64_t size, const char* what) {
    const std::int64_t row = detail::first_out_of_size(ids, size);
    if (row < 0) return;
    file.fail("line " + std::to_string(row + 2) + ": " + column, std::to_string(ids[detail::as_size(row)]),
              "must be below the number of " + std::string(what) + ", " + std::to_string(size));
  };
  check("userID", table.users, options.users, "users");
  check("itemID", table.items, options.items, "items");
  return interactions_of(table, options);
}

GRAFT_INLINE Interactions interactions_of(const InterTable& table, const InterOptions& options) {
  detail::check_inter_options(options);
  if (table.items.size() != table.users.size() || table.labels.size() != table.users.size()) {
    throw InvalidArgument(detail::message("interactions_of", "table", std::to_string(table.users.size()) + " users",
                                          "must have as many items and labels"));
  }
  const std::int64_t users = options.users >= 0 ? options.users : table.user_count;
  const std::int64_t items = options.items >= 0 ? options.items : table.item_count;
  const auto check = [](const char* name, std::span<const std::int32_t> ids, std::int64_t size) {
    const std::int64_t row = detail::first_out_of_size(ids, size);
    if (row < 0) return;
    throw InvalidArgument(detail::message("interactions_of", name + ("[" + std::to_string(row)) + "]",
                                          std::to_string(ids[detail::as_size(row)]),
                                          "must be below " + std::to_string(size)));
  };
  check("table.users", table.users, users);
  check("table.items", table.items, items);
  if (options.split == Split::all) return Interactions::from_pairs(table.users, table.items, users, items);
  std::vector<std::int32_t> user_ids;
  std::vector<std::int32_t> item_ids;
  for (std::size_t r = 0; r < table.users.size(); ++r) {
    if (table.labels[r] != options.split) continue;
    user_ids.push_back(table.users[r]);
    item_ids.push_back(table.items[r]);
  }
  return Interactions::from_pairs(user_ids, item_ids, users, items);
}

}  // namespace graft
