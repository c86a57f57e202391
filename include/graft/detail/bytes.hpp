// Numbers in files: little-endian bytes to and from memory.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace graft::detail {

static_assert(std::endian::native == std::endian::little, "graft's readers and writers need a little-endian machine");

using Bytes = std::vector<std::byte>;

/// The little-endian number at `at`, which need not be aligned.
template <std::unsigned_integral T>
T load_little(const std::byte* at) {
  T value = 0;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

/// Appends a number, little-endian.
template <std::unsigned_integral T>
void append_little(Bytes& bytes, T value) {
  const std::size_t end = bytes.size();
  bytes.resize(end + sizeof(T));
  std::memcpy(bytes.data() + end, &value, sizeof(T));
}

inline void append_text(Bytes& bytes, std::string_view text) {
  const std::size_t end = bytes.size();
  bytes.resize(end + text.size());
  if (!text.empty()) std::memcpy(bytes.data() + end, text.data(), text.size());
}

template <std::unsigned_integral T>
T swap_bytes(T value) {
  if constexpr (sizeof(T) == 8) {
    return __builtin_bswap64(value);
  } else if constexpr (sizeof(T) == 4) {
    return __builtin_bswap32(value);
  } else if constexpr (sizeof(T) == 2) {
    return __builtin_bswap16(value);
  } else {
    return value;
  }
}

}  // namespace graft::detail
