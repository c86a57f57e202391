// UTF-8 and single code points.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace graft::detail {

inline bool is_code_point(std::uint32_t value) { return value <= 0x10FFFFU && (value < 0xD800U || value > 0xDFFFU); }

/// Bytes of the code point that begins with `lead`; 0 if none does.
inline std::size_t utf8_length(unsigned char lead) {
  if (lead < 0x80U) return 1;
  if (lead < 0xC0U || lead > 0xF4U) return 0;
  if (lead < 0xE0U) return 2;
  return lead < 0xF0U ? 3 : 4;
}

/// UTF-8 as code points; nothing if the text is not UTF-8 (overlong forms and surrogates are not).
inline std::optional<std::u32string> decode_utf8(std::string_view text) {
  std::u32string points;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = utf8_length(lead);
    if (length == 0 || length > text.size() - i) return std::nullopt;
    std::uint32_t value = length == 1 ? lead : lead & (0x7FU >> length);
    for (std::size_t j = 1; j < length; ++j) {
      const auto next = static_cast<unsigned char>(text[i + j]);
      if ((next & 0xC0U) != 0x80U) return std::nullopt;
      value = (value << 6U) | (next & 0x3FU);
    }
    constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < kLeast[length] || !is_code_point(value)) return std::nullopt;
    points.push_back(static_cast<char32_t>(value));
    i += length;
  }
  return points;
}

/// Appends a code point as UTF-8.
inline void append_utf8(std::string& text, std::uint32_t point) {
  const auto tail = [&](unsigned shift) { text.push_back(static_cast<char>(0x80U | ((point >> shift) & 0x3FU))); };
  if (point < 0x80U) {
    text.push_back(static_cast<char>(point));
  } else if (point < 0x800U) {
    text.push_back(static_cast<char>(0xC0U | (point >> 6U)));
    tail(0);
  } else if (point < 0x10000U) {
    text.push_back(static_cast<char>(0xE0U | (point >> 12U)));
    tail(6);
    tail(0);
  } else {
    text.push_back(static_cast<char>(0xF0U | (point >> 18U)));
    tail(12);
    tail(6);
    tail(0);
  }
}

}  // namespace graft::detail
