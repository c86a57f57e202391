// Writing zip archives, member by member, with the same bytes for the same content.
#pragma once

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/detail/atomic_file.hpp>
#include <graft/detail/bytes.hpp>
#include <graft/detail/checked.hpp>
#include <graft/detail/zip_format.hpp>

namespace graft::detail {

/// Streams members into an AtomicFile. The sizes and the checksum of a member are written into its header when they
/// are known. Dates are 1980-01-01, so that equal content gives equal bytes.
class ZipWriter {
 public:
  /// @param zip64_from  sizes and offsets from here on take zip64 records; lower only in tests
  ZipWriter(const char* operation, AtomicFile& file, std::uint32_t zip64_from = kZipNarrowMost)
      : operation_(operation), file_(file), zip64_from_(zip64_from) {}
  ZipWriter(const ZipWriter&) = delete;
  ZipWriter& operator=(const ZipWriter&) = delete;
  ZipWriter(ZipWriter&&) = delete;
  ZipWriter& operator=(ZipWriter&&) = delete;
  ~ZipWriter() { end_deflating(); }

  /// Starts a member of `size` bytes.
  void begin_member(std::string_view name, std::int64_t size, bool compressed) {
    member_ = Member{.name = std::string(name), .offset = file_.position(), .size = size, .compressed = compressed};
    // Deflate may expand a little; the room for wide sizes has to be there before that is known.
    member_.wide = size + size / 1024 + 1024 >= zip64_from_;
    written_ = 0;
    file_.write(local_header());
    if (!compressed) return;
    // The fastest level: column ids and weights do not compress better with more effort, only slower.
    if (::deflateInit2(&stream_, Z_BEST_SPEED, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
      throw OutOfMemory(message(operation_, "memory", "", "zlib could not start to deflate"));
    }
    deflating_ = true;
  }

  /// Appends to the member.
  void write(std::span<const std::byte> bytes) {
    if (bytes.empty()) return;  // its pointer may be null, which zlib takes for a fresh checksum
    constexpr std::size_t kMostAtOnce = std::size_t{1} << 30U;  // zlib counts in 32 bits
    written_ += static_cast<std::int64_t>(bytes.size());
    member_.crc = static_cast<std::uint32_t>(
        ::crc32_z(member_.crc, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
    while (!bytes.empty()) {
      const auto piece = bytes.first(std::min(bytes.size(), kMostAtOnce));
      if (member_.compressed) {
        deflate(piece, Z_NO_FLUSH);
      } else {
        store(piece);
      }
      bytes = bytes.subspan(piece.size());
    }
  }

  /// Ends the member, of which exactly the announced bytes were written.
  void end_member() {
    assert(written_ == member_.size);
    if (member_.compressed) {
      deflate({}, Z_FINISH);
      end_deflating();
    }
    file_.write_at(member_.offset, local_header());
    members_.push_back(std::move(member_));
  }

  /// Writes the directory; the archive is then complete.
  void finish() {
    const std::int64_t offset = file_.position();
    for (const Member& member : members_) file_.write(central_record(member));
    const std::int64_t size = file_.position() - offset;
    file_.write(end_records(offset, size));
  }

 private:
  struct Member {
    std::string name;
    std::int64_t offset = 0;
    std::int64_t size = 0;
    std::int64_t packed_size = 0;
    std::uint32_t crc = 0;
    bool compressed = false;
    bool wide = false;
  };

  static constexpr std::uint16_t kDate = (1U << 5U) | 1U;  // 1980-01-01
  static constexpr std::uint16_t kVersion = 20;            // deflate
  static constexpr std::uint16_t kWideVersion = 45;        // zip64

  static std::uint32_t narrow(std::int64_t value, bool wide) {
    return wide ? kZipNarrowMost : static_cast<std::uint32_t>(value);
  }

  /// From the version needed to the sizes: the part that local headers and directory records share.
  static void append_common(Bytes& bytes, const Member& member, bool wide_record) {
    append_little(bytes, wide_record ? kWideVersion : kVersion);
    append_little(bytes, std::uint16_t{0});  // flags
    append_little(bytes, member.compressed ? kZipDeflated : kZipStored);
    append_little(bytes, std::uint16_t{0});  // time
    append_little(bytes, kDate);
    append_little(bytes, member.crc);
    append_little(bytes, narrow(member.packed_size, member.wide));
    append_little(bytes, narrow(member.size, member.wide));
    append_little(bytes, static_cast<std::uint16_t>(member.name.size()));
  }

  static void append_wide_sizes(Bytes& bytes, const Member& member) {
    append_little(bytes, static_cast<std::uint64_t>(member.size));
    append_little(bytes, static_cast<std::uint64_t>(member.packed_size));
  }

  [[nodiscard]] Bytes local_header() const {
    Bytes bytes;
    append_little(bytes, kZipLocal);
    append_common(bytes, member_, member_.wide);
    append_little(bytes, static_cast<std::uint16_t>(member_.wide ? 20 : 0));
    append_text(bytes, member_.name);
    if (member_.wide) {
      append_little(bytes, kZip64Extra);
      append_little(bytes, std::uint16_t{16});
      append_wide_sizes(bytes, member_);
    }
    return bytes;
  }

  [[nodiscard]] Bytes central_record(const Member& member) const {
    constexpr std::uint16_t kUnix = 3U << 8U;
    constexpr std::uint32_t kRegularFile = 0100644U << 16U;
    const bool far = member.offset >= zip64_from_;
    const auto extra = static_cast<std::uint16_t>((member.wide ? 16 : 0) + (far ? 8 : 0));
    Bytes bytes;
    append_little(bytes, kZipCentral);
    append_little(bytes, static_cast<std::uint16_t>(kUnix | kWideVersion));
    append_common(bytes, member, member.wide || far);
    append_little(bytes, static_cast<std::uint16_t>(extra > 0 ? extra + 4 : 0));
    append_little(bytes, std::uint16_t{0});  // comment
    append_little(bytes, std::uint16_t{0});  // disk
    append_little(bytes, std::uint16_t{0});  // internal attributes
    append_little(bytes, kRegularFile);
    append_little(bytes, narrow(member.offset, far));
    append_text(bytes, member.name);
    if (extra > 0) {
      append_little(bytes, kZip64Extra);
      append_little(bytes, extra);
      if (member.wide) append_wide_sizes(bytes, member);
      if (far) append_little(bytes, static_cast<std::uint64_t>(member.offset));
    }
    return bytes;
  }

  [[nodiscard]] Bytes end_records(std::int64_t offset, std::int64_t size) const {
    const std::size_t count = members_.size();
    const bool many = count >= 0xFFFFU;
    const bool wide = many || offset >= zip64_from_ || size >= zip64_from_;
    Bytes bytes;
    if (wide) {
      append_little(bytes, kZip64End);
      append_little(bytes, static_cast<std::uint64_t>(kZip64EndSize - 12));
      append_little(bytes, kWideVersion);
      append_little(bytes, kWideVersion);
      append_little(bytes, std::uint64_t{0});  // two disk numbers
      append_little(bytes, std::uint64_t{count});
      append_little(bytes, std::uint64_t{count});
      append_little(bytes, static_cast<std::uint64_t>(size));
      append_little(bytes, static_cast<std::uint64_t>(offset));
      append_little(bytes, kZip64Locator);
      append_little(bytes, std::uint32_t{0});  // disk
      append_little(bytes, static_cast<std::uint64_t>(offset + size));
      append_little(bytes, std::uint32_t{1});  // disks
    }
    append_little(bytes, kZipEnd);
    append_little(bytes, std::uint32_t{0});  // two disk numbers
    append_little(bytes, static_cast<std::uint16_t>(many ? 0xFFFFU : count));
    append_little(bytes, static_cast<std::uint16_t>(many ? 0xFFFFU : count));
    append_little(bytes, narrow(size, wide));
    append_little(bytes, narrow(offset, wide));
    append_little(bytes, std::uint16_t{0});  // comment
    return bytes;
  }

  void store(std::span<const std::byte> packed) {
    file_.write(packed);
    member_.packed_size += static_cast<std::int64_t>(packed.size());
  }

  void deflate(std::span<const std::byte> bytes, int flush) {
    // zlib does not write through next_in
    stream_.next_in = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(bytes.data()));
    stream_.avail_in = static_cast<unsigned>(bytes.size());
    int result = Z_OK;
    do {
      stream_.next_out = reinterpret_cast<unsigned char*>(output_.data());
      stream_.avail_out = static_cast<unsigned>(output_.size());
      result = ::deflate(&stream_, flush);
      store(std::span(output_).first(output_.size() - stream_.avail_out));
    } while (flush == Z_FINISH ? result != Z_STREAM_END : stream_.avail_out == 0);
  }

  void end_deflating() {
    if (deflating_) ::deflateEnd(&stream_);
    deflating_ = false;
  }

  const char* operation_;
  AtomicFile& file_;
  std::uint32_t zip64_from_;
  std::vector<Member> members_;
  Member member_;  ///< the one being written
  std::int64_t written_ = 0;
  bool deflating_ = false;
  z_stream stream_ = {};
  std::array<std::byte, 65536> output_ = {};
};

}  // namespace graft::detail
