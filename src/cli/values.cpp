#include "values.hpp"

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace graft::cli {
namespace {

/// The number after the last colon, and what stands before that colon.
struct Suffix {
  std::string_view before;
  std::string_view text;
  double number = 0.0;
};

std::optional<Suffix> number_suffix(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view tail = text.substr(colon + 1);
  const std::optional<double> number = as_number(tail);
  if (!number) return std::nullopt;
  return Suffix{text.substr(0, colon), tail, *number};
}

/// Bytes in one unit, or 0 for an unknown unit.
std::int64_t unit_bytes(std::string_view unit) {
  std::string upper;
  for (const char letter : unit) upper += static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 8> kUnits{{{"", 1},
                                                                             {"B", 1},
                                                                             {"KB", 1'000},
                                                                             {"KIB", std::int64_t{1} << 10},
                                                                             {"MB", 1'000'000},
                                                                             {"MIB", std::int64_t{1} << 20},
                                                                             {"GB", 1'000'000'000},
                                                                             {"GIB", std::int64_t{1} << 30}}};
  for (const auto& [name, bytes] : kUnits) {
    if (name == upper) return bytes;
  }
  return 0;
}

}  // namespace

UsageError bad_value(std::string_view option, std::string_view value, std::string_view allowed) {
  return UsageError(fmt::format("{} = {}: {}", option, value, allowed));
}

std::optional<double> as_number(std::string_view text) {
  double number = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::int64_t parse_integer(std::string_view option, std::string_view text, std::int64_t least, std::int64_t most) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    const bool bounded = most != std::numeric_limits<std::int64_t>::max();
    throw bad_value(option, text,
                    bounded ? fmt::format("must be a whole number in [{}, {}]", least, most)
                            : fmt::format("must be a whole number >= {} (of 64 bits)", least));
  }
  return number;
}

float checked_real(std::string_view option, std::string_view text, double number, double least, double most) {
  if (!std::isfinite(number) || number < least || number > most) {
    const bool bounded = most < static_cast<double>(std::numeric_limits<float>::max());
    throw bad_value(option, text,
                    bounded ? fmt::format("must be a number in [{}, {}]", least, most)
                            : fmt::format("must be a finite number >= {} (of 32-bit floating point)", least));
  }
  return static_cast<float>(number);
}

float parse_real(std::string_view option, std::string_view text, double least, double most) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  return checked_real(option, text, as_number(text).value_or(nan), least, most);
}

int parse_threads(std::string_view text) {
  constexpr std::int64_t kMostThreads = 1024;
  return static_cast<int>(parse_integer("--threads", text, 0, kMostThreads));
}

std::int64_t parse_bytes(std::string_view option, std::string_view text) {
  constexpr std::string_view kAllowed =
      "must be a whole number >= 1 and a unit: B, KB, KiB, MB, MiB, GB or GiB (none = bytes), e.g. 64MiB";
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || count < 1) throw bad_value(option, text, kAllowed);
  const std::int64_t unit = unit_bytes(text.substr(static_cast<std::size_t>(end - text.data())));
  if (unit == 0) throw bad_value(option, text, kAllowed);
  std::int64_t bytes = 0;
  if (__builtin_mul_overflow(count, unit, &bytes)) throw bad_value(option, text, "must be below 2^63 bytes");
  return bytes;
}

WeightedPath parse_weighted_path(std::string_view option, std::string_view text) {
  WeightedPath result;
  std::optional<Suffix> weight = number_suffix(text);
  std::optional<Suffix> threshold;
  if (weight) {
    if (const std::optional<Suffix> before = number_suffix(weight->before)) {
      threshold = weight;
      weight = before;
    }
  }
  result.path = std::string(weight ? weight->before : text);
  if (result.path.empty()) throw bad_value(option, fmt::format("'{}'", text), "must start with the path of a file");
  if (weight) {
    result.weight = checked_real(fmt::format("{} = {}: weight", option, text), weight->text, weight->number, 0.0);
  }
  if (threshold) {
    result.threshold =
        checked_real(fmt::format("{} = {}: threshold", option, text), threshold->text, threshold->number, -1.0, 1.0);
  }
  return result;
}

}  // namespace graft::cli
