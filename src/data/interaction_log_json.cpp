// JSON lines: the keys that matter are picked while the text is parsed; no tree is built but for the first line.
#include <bitset>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "interaction_log_records.hpp"

namespace graft::data {
namespace {

using Json = nlohmann::ordered_json;

/// The library's words without its name and its line, which is always 1 here.
std::string parse_words(std::string_view what) {
  constexpr std::string_view kBefore = "parse error at line 1, ";
  const std::size_t at = what.find(kBefore);
  return std::string(at == std::string_view::npos ? what : what.substr(at + kBefore.size()));
}

/// The key of each role.
struct RoleKeys {
  std::array<std::string, kRoleCount> names;
  std::bitset<kRoleCount> present;
};

/// Picks the values of some keys of one object.
class RolePicker final : public nlohmann::json_sax<Json> {
 public:
  explicit RolePicker(RoleKeys keys) : keys_(std::move(keys)) {}

  void start() {
    depth_ = 0;
    role_.reset();
    seen_.reset();
    problem_.clear();
  }

  /// What is wrong with the object; empty if nothing is.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] bool has(Role role) const { return keys_.present[index_of(role)]; }
  [[nodiscard]] const std::string& key_of(Role role) const { return keys_.names[index_of(role)]; }
  [[nodiscard]] bool seen(Role role) const { return seen_[index_of(role)]; }
  [[nodiscard]] std::string_view value(Role role) const { return values_[index_of(role)]; }

  bool null() override { return take("", true); }
  bool boolean(bool /*value*/) override { return take("", false); }
  bool number_integer(number_integer_t value) override { return take(std::to_string(value), true); }
  bool number_unsigned(number_unsigned_t value) override { return take(std::to_string(value), true); }
  bool number_float(number_float_t /*value*/, const string_t& text) override {
    // a whole number over 64 bits comes here too, as it was written
    const bool is_id = role_ == Role::user || role_ == Role::item;
    return take(text, !is_id || text.find_first_not_of("-0123456789") == std::string::npos);
  }
  bool string(string_t& value) override {
    if (role_ && depth_ == 1 && value.find('\0') != std::string::npos) {
      return stop(fmt::format("\"{}\" holds a zero byte", key_of(*role_)));
    }
    return take(value, true);
  }
  bool binary(binary_t& /*value*/) override { return take("", false); }

  bool start_object(std::size_t /*elements*/) override {
    if (depth_ > 0 && !take("", false)) return false;
    ++depth_;
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool start_array(std::size_t /*elements*/) override {
    if (!take("", false)) return false;
    ++depth_;
    return true;
  }
  bool end_array() override {
    --depth_;
    return true;
  }

  bool key(string_t& text) override {
    if (depth_ != 1) return true;
    role_.reset();
    for (const Role role : kRoles) {
      if (has(role) && key_of(role) == text) role_ = role;
    }
    if (!role_) return true;
    if (seen(*role_)) return stop(fmt::format("has the key \"{}\" twice", text));
    seen_.set(index_of(*role_));
    return true;
  }

  bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) override {
    return stop(fmt::format("is not JSON: {}", parse_words(error.what())));
  }

 private:
  bool stop(std::string why) {
    problem_ = std::move(why);
    return false;
  }

  /// A value of the current key, or of something that does not matter.
  bool take(std::string text, bool allowed) {
    if (depth_ == 0) return stop("must be a JSON object, one a line");
    if (depth_ > 1 || !role_) return true;
    if (!allowed) {
      const bool is_id = role_ == Role::user || role_ == Role::item;
      return stop(fmt::format("\"{}\" must be {}", key_of(*role_), is_id ? "a string or a whole number" : "a number"));
    }
    values_[index_of(*role_)] = std::move(text);
    return true;
  }

  RoleKeys keys_;
  std::array<std::string, kRoleCount> values_;
  std::bitset<kRoleCount> seen_;
  std::optional<Role> role_;  ///< of the last key of the object itself
  std::int64_t depth_ = 0;
  std::string problem_;
};

/// The keys of the first object by role.
RoleKeys find_keys(LineReader& lines, const LogOptions& options) {
  std::string_view line;
  if (!next_text_line(lines, line)) lines.fail("is empty: must hold interactions");
  Json object;
  try {
    object = Json::parse(line);
  } catch (const nlohmann::json::exception& error) {
    lines.fail(lines.line(), "", "", fmt::format("is not JSON, one object a line: {}", parse_words(error.what())));
  }
  if (!object.is_object()) lines.fail(lines.line(), "", "", "must be a JSON object, one a line");
  std::vector<std::string_view> names;
  for (const auto& member : object.items()) names.emplace_back(member.key());
  const ColumnPlaces places = columns_by_name({lines, lines.line(), names, options.columns}, false);
  RoleKeys keys;
  for (const Role role : kRoles) {
    const std::optional<std::size_t>& place = places[index_of(role)];
    if (!place) continue;
    keys.names[index_of(role)] = names[*place];
    keys.present.set(index_of(role));
  }
  lines.give_back();
  return keys;
}

class JsonRecords final : public RecordSource {
 public:
  JsonRecords(LineReader& lines, const LogOptions& options) : lines_(lines), picker_(find_keys(lines, options)) {}

  bool next(Record& record) override {
    std::string_view line;
    if (!next_text_line(lines_, line)) return false;
    picker_.start();
    if (!Json::sax_parse(line, &picker_)) lines_.fail(lines_.line(), "", "", picker_.problem());
    record.line = lines_.line();
    for (const Role role : kRoles) {
      if (!picker_.has(role)) continue;
      if (!picker_.seen(role)) {
        lines_.fail(lines_.line(), "", "",
                    fmt::format("has no key \"{}\", as the first line has", picker_.key_of(role)));
      }
      record.values[index_of(role)] = picker_.value(role);
    }
    return true;
  }

  [[nodiscard]] bool has(Role role) const override { return picker_.has(role); }

  [[nodiscard]] std::string description() const override {
    std::string text = "JSON lines";
    const char* separator = ": ";
    for (const Role role : kRoles) {
      if (!picker_.has(role)) continue;
      text += fmt::format("{}{} = {}", std::exchange(separator, ", "), name(role), picker_.key_of(role));
    }
    return text;
  }

 private:
  LineReader& lines_;
  RolePicker picker_;
};

}  // namespace

std::unique_ptr<RecordSource> open_json_records(LineReader& lines, const LogOptions& options) {
  return std::make_unique<JsonRecords>(lines, options);
}

}  // namespace graft::data
