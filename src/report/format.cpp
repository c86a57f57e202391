#include "report/format.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <fmt/format.h>

#include <graft/detail/unicode.hpp>

namespace graft::report {
namespace {

constexpr const char* kNotDefined = "n/a";
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Commas between the thousands of a run of digits.
std::string grouped(std::string digits) {
  constexpr std::ptrdiff_t kGroup = 3;
  const std::ptrdiff_t first = digits.starts_with('-') ? 1 : 0;
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - kGroup; at > first; at -= kGroup) {
    digits.insert(digits.begin() + at, ',');
  }
  return digits;
}

/// Bytes of the character that the text begins with; 0 if it is not UTF-8 or may not be printed.
std::size_t printable_length(std::string_view text) {
  const std::size_t length = detail::utf8_length(static_cast<unsigned char>(text.front()));
  if (length == 0 || length > text.size()) return 0;
  const auto points = detail::decode_utf8(text.substr(0, length));
  if (!points) return 0;
  const char32_t point = points->front();
  const bool blank = point == U'\t' || point == U'\n';
  const bool control = point < U' ' || (point >= 0x7FU && point < 0xA0U);
  const bool no_character = (point & 0xFFFEU) == 0xFFFEU;
  return (control && !blank) || no_character ? 0 : length;
}

}  // namespace

std::string count_text(std::int64_t count) { return grouped(std::to_string(count)); }

std::string percent_text(double share) {
  if (std::isnan(share)) return kNotDefined;
  const double percent = 100.0 * share;
  const double size = std::abs(percent);
  if (size == 0.0) return "0%";
  if (share == 1.0) return "100%";
  if (share < 1.0 && percent >= 99.95) return ">99.9%";
  if (size >= 0.995) return fmt::format("{:.1f}%", percent);
  if (size >= 0.0995) return fmt::format("{:.2f}%", percent);
  return fmt::format("{:.1g}%", percent);
}

std::string number_text(double value) {
  if (std::isnan(value)) return kNotDefined;
  constexpr double kMostDigits = 1e15;
  constexpr double kThousand = 1000.0;
  const double size = std::abs(value);
  if (size < kMostDigits && (size >= kThousand || value == std::floor(value))) {
    return count_text(static_cast<std::int64_t>(std::llround(value)));
  }
  return fmt::format("{:.4g}", value);
}

std::string compact_text(double value) {
  constexpr double kThousand = 1e3;
  constexpr double kMillion = 1e6;
  constexpr double kBillion = 1e9;
  const double size = std::abs(value);
  if (size >= kBillion) return fmt::format("{:.3g}G", value / kBillion);
  if (size >= kMillion) return fmt::format("{:.3g}M", value / kMillion);
  if (size >= 10.0 * kThousand) return fmt::format("{:.3g}k", value / kThousand);
  return number_text(value);
}

std::string counted(std::int64_t count, std::string_view one) {
  return fmt::format("{} {}{}", count_text(count), one, count == 1 ? "" : "s");
}

std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t length = printable_length(text);
    result += length == 0 ? kReplacement : text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result;
}

std::size_t width_of(std::string_view text) {
  constexpr unsigned kContinuation = 0x80;
  constexpr unsigned kLeadMask = 0xC0;
  constexpr unsigned kWideLead = 0xE3;  // U+3000 and above
  std::size_t columns = 0;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if ((byte & kLeadMask) == kContinuation) continue;
    columns += byte >= kWideLead ? 2 : 1;
  }
  return columns;
}

std::string shortened(const std::string& text, std::size_t most) {
  std::string result = printable(text);
  if (width_of(result) <= most) return result;
  while (width_of(result) >= most) {
    result.pop_back();
    // the rest of a character goes with its last byte
    while (!result.empty() && detail::decode_utf8(result) == std::nullopt) result.pop_back();
  }
  return result + "…";
}

std::string padded(const std::string& text, std::size_t columns) {
  const std::size_t width = width_of(text);
  return text + std::string(width < columns ? columns - width : 0, ' ');
}

}  // namespace graft::report
