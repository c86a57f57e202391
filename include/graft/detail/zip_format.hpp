// Signatures and sizes of zip records (PKWARE APPNOTE 6.3.9).
#pragma once

#include <cstddef>
#include <cstdint>

namespace graft::detail {

inline constexpr std::uint32_t kZipLocal = 0x04034b50;
inline constexpr std::uint32_t kZipCentral = 0x02014b50;
inline constexpr std::uint32_t kZipEnd = 0x06054b50;
inline constexpr std::uint32_t kZip64End = 0x06064b50;
inline constexpr std::uint32_t kZip64Locator = 0x07064b50;
inline constexpr std::uint16_t kZip64Extra = 1;

// Fixed parts of the records, in bytes.
inline constexpr std::int64_t kZipLocalSize = 30;
inline constexpr std::size_t kZipCentralSize = 46;
inline constexpr std::int64_t kZipEndSize = 22;
inline constexpr std::int64_t kZip64EndSize = 56;
inline constexpr std::int64_t kZip64LocatorSize = 20;
inline constexpr std::int64_t kMostZipComment = 65535;

/// All ones in a 32-bit field: the number stands in a zip64 record instead.
inline constexpr std::uint32_t kZipNarrowMost = 0xFFFFFFFF;

inline constexpr std::uint16_t kZipStored = 0;
inline constexpr std::uint16_t kZipDeflated = 8;

/// Deflate spends at least 2 bits on at most 258 bytes.
inline constexpr std::int64_t kMostDeflateRatio = 1032;

}  // namespace graft::detail
