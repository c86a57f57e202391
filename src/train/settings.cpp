#include "train/settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <graft/core/error.hpp>

#include "train/invalid_option.hpp"
#include "train/nearest_name.hpp"

namespace graft::training {
namespace {

[[noreturn]] void refuse(std::string_view key, std::string_view value, const std::string& allowed) {
  throw InvalidOption("settings", fmt::format("{}={}", key, value), allowed);
}

std::string range_words(const SettingSpec& spec) {
  const bool below = std::isfinite(spec.most);
  const bool above = std::isfinite(spec.least);
  if (above && below) return fmt::format(" in [{}, {}]", spec.least, spec.most);
  if (above) return fmt::format(" >= {}", spec.least);
  if (below) return fmt::format(" <= {}", spec.most);
  return "";
}

template <class Number>
Number parse_number(const SettingSpec& spec, std::string_view key, std::string_view text, const char* kind) {
  Number number{};
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [stopped, error] = std::from_chars(begin, end, number);
  const auto real = static_cast<double>(number);
  const bool read = error == std::errc() && stopped == end && !text.empty() && std::isfinite(real);
  if (!read || real < spec.least || real > spec.most) {
    refuse(key, text, fmt::format("must be {}{}", kind, range_words(spec)));
  }
  return number;
}

bool parse_flag(std::string_view key, std::string_view text) {
  constexpr std::array<std::string_view, 4> kYes = {"true", "yes", "on", "1"};
  constexpr std::array<std::string_view, 4> kNo = {"false", "no", "off", "0"};
  if (std::find(kYes.begin(), kYes.end(), text) != kYes.end()) return true;
  if (std::find(kNo.begin(), kNo.end(), text) != kNo.end()) return false;
  refuse(key, text, "must be true or false (also yes/no, on/off, 1/0)");
}

SettingValue parse(const SettingSpec& spec, std::string_view key, std::string_view text) {
  if (std::holds_alternative<bool>(spec.default_value)) return parse_flag(key, text);
  if (std::holds_alternative<std::int64_t>(spec.default_value)) {
    return parse_number<std::int64_t>(spec, key, text, "a whole number");
  }
  if (std::holds_alternative<double>(spec.default_value)) return parse_number<double>(spec, key, text, "a number");
  const bool known = std::find(spec.choices.begin(), spec.choices.end(), text) != spec.choices.end();
  if (!spec.choices.empty() && !known) {
    refuse(key, text, fmt::format("must be one of: {}", fmt::join(spec.choices, ", ")));
  }
  return std::string(text);
}

/// "threshold_image" is "threshold" for the modality "image".
bool names_modality_of(const SettingSpec& spec, std::string_view key) {
  return spec.per_modality && key.size() > spec.name.size() + 1 && key.starts_with(spec.name) &&
         key[spec.name.size()] == '_';
}

/// The spec that `key` names with a modality: the one with the longest name. Null: none.
const SettingSpec* modality_spec(std::span<const SettingSpec> specs, std::string_view key) {
  const SettingSpec* found = nullptr;
  for (const SettingSpec& spec : specs) {
    const bool longer = found == nullptr || spec.name.size() > found->name.size();
    if (names_modality_of(spec, key) && longer) found = &spec;
  }
  return found;
}

double as_real(const SettingValue& value, std::string_view name) {
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  throw std::logic_error(fmt::format("setting {} is no number", name));
}

}  // namespace

Settings::Settings(std::vector<SettingSpec> specs) {
  for (SettingSpec& spec : specs) {
    const auto same = std::find_if(specs_.begin(), specs_.end(), [&](const auto& s) { return s.name == spec.name; });
    if (same == specs_.end()) {
      specs_.push_back(std::move(spec));
    } else {
      *same = std::move(spec);
    }
  }
  for (const SettingSpec& spec : specs_) values_.push_back(spec.default_value);
}

void Settings::assign(std::string_view key_and_value) {
  const std::size_t equals = key_and_value.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    throw InvalidOption("settings", std::string(key_and_value), "must be key=value, e.g. learning_rate=0.001");
  }
  assign(key_and_value.substr(0, equals), key_and_value.substr(equals + 1));
}

void Settings::assign(std::string_view key, std::string_view value) {
  for (std::size_t s = 0; s < specs_.size(); ++s) {
    if (specs_[s].name != key) continue;
    values_[s] = parse(specs_[s], key, value);
    return;
  }
  if (const SettingSpec* spec = modality_spec(specs_, key)) {
    SettingValue parsed = parse(*spec, key, value);
    const auto at = std::lower_bound(modality_values_.begin(), modality_values_.end(), key,
                                     [](const auto& entry, std::string_view name) { return entry.first < name; });
    if (at != modality_values_.end() && at->first == key) {
      at->second = std::move(parsed);
    } else {
      modality_values_.emplace(at, std::string(key), std::move(parsed));
    }
    return;
  }
  std::vector<std::string> names;
  names.reserve(specs_.size());
  for (const SettingSpec& spec : specs_) names.push_back(spec.name);
  refuse(key, value, fmt::format("no such setting; {}", name_hint(key, names)));
}

void Settings::check_modalities(std::span<const std::string> modalities) const {
  for (const auto& [key, value] : modality_values_) {
    const std::string modality = key.substr(modality_spec(specs_, key)->name.size() + 1);
    if (std::find(modalities.begin(), modalities.end(), modality) != modalities.end()) continue;
    refuse(key, text_of(value), fmt::format("no such modality; {}", name_hint(modality, modalities)));
  }
}

const SettingValue& Settings::value(std::string_view name) const {
  for (std::size_t s = 0; s < specs_.size(); ++s) {
    if (specs_[s].name == name) return values_[s];
  }
  throw std::logic_error(fmt::format("there is no setting {}", name));
}

bool Settings::flag(std::string_view name) const { return std::get<bool>(value(name)); }

std::int64_t Settings::integer(std::string_view name) const { return std::get<std::int64_t>(value(name)); }

double Settings::real(std::string_view name) const { return as_real(value(name), name); }

const std::string& Settings::word(std::string_view name) const { return std::get<std::string>(value(name)); }

double Settings::real(std::string_view name, std::string_view modality) const {
  const std::string key = fmt::format("{}_{}", name, modality);
  for (const auto& [given, value] : modality_values_) {
    // "threshold_quantile_image" is of threshold_quantile, not of threshold for a modality quantile_image.
    if (given == key && modality_spec(specs_, key)->name == name) return as_real(value, key);
  }
  return real(name);
}

std::vector<std::pair<std::string, SettingValue>> Settings::values() const {
  std::vector<std::pair<std::string, SettingValue>> result;
  result.reserve(specs_.size() + modality_values_.size());
  for (std::size_t s = 0; s < specs_.size(); ++s) result.emplace_back(specs_[s].name, values_[s]);
  result.insert(result.end(), modality_values_.begin(), modality_values_.end());
  return result;
}

std::string text_of(const SettingValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *whole);
  if (const auto* real = std::get_if<double>(&value)) return fmt::format("{}", *real);
  return std::get<std::string>(value);
}

}  // namespace graft::training
