// Strict readers of option values: every refusal names the option, the value and what is allowed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <graft/core/interactions.hpp>

#include "exit_code.hpp"

namespace graft::cli {

/// "OPTION = VALUE: what is allowed"
UsageError bad_value(std::string_view option, std::string_view value, std::string_view allowed);

/// A decimal number in the whole of `text`, "nan" and "inf" included.
std::optional<double> as_number(std::string_view text);

/// @throws UsageError unless `text` is a whole decimal number in [least, most]
std::int64_t parse_integer(std::string_view option, std::string_view text, std::int64_t least,
                           std::int64_t most = std::numeric_limits<std::int64_t>::max());

/// @throws UsageError unless `number`, spelled `text`, is finite and lies in [least, most]
float checked_real(std::string_view option, std::string_view text, double number, double least,
                   double most = std::numeric_limits<float>::max());

/// @throws UsageError unless `text` is a finite decimal number in [least, most]
float parse_real(std::string_view option, std::string_view text, double least,
                 double most = std::numeric_limits<float>::max());

/// The value of --threads. @throws UsageError unless `text` is a whole number in [0, 1024]
int parse_threads(std::string_view text);

/// Bytes: a whole number and, optionally, one of B KB MB GB (powers of 1000) KiB MiB GiB (powers of 1024), in any case.
/// @throws UsageError
std::int64_t parse_bytes(std::string_view option, std::string_view text);

/// One spelling of a choice.
template <class Value>
struct Choice {
  std::string_view spelling;
  Value value;
};

/// @throws UsageError naming the choices
template <class Value, std::size_t N>
Value parse_choice(std::string_view option, std::string_view text, const Choice<Value> (&choices)[N]) {
  std::string allowed;
  for (const auto& choice : choices) {
    if (choice.spelling == text) return choice.value;
    allowed.append(allowed.empty() ? "must be one of " : ", ").append(choice.spelling);
  }
  throw bad_value(option, text, allowed);
}

/// The spelling of a value that `parse_choice` gave.
template <class Value, std::size_t N>
std::string_view spelling(Value value, const Choice<Value> (&choices)[N]) {
  for (const auto& choice : choices) {
    if (choice.value == value) return choice.spelling;
  }
  return "";
}

inline constexpr Choice<Split> kSplits[] = {
    {"train", Split::train}, {"valid", Split::valid}, {"test", Split::test}, {"all", Split::all}};

/// PATH[:WEIGHT[:THRESHOLD]]
struct WeightedPath {
  std::string path;
  float weight = 1.0F;
  std::optional<float> threshold;
};

/// A `:` suffix counts only if numbers follow it: paths may contain colons.
/// @throws UsageError (empty path, weight not finite or negative, threshold outside [-1, 1])
WeightedPath parse_weighted_path(std::string_view option, std::string_view text);

}  // namespace graft::cli
