// Reading zip archives: the directory, and members stored or deflated.
#pragma once

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/detail/bytes.hpp>
#include <graft/detail/checked.hpp>
#include <graft/detail/file_reader.hpp>
#include <graft/detail/zip_format.hpp>

namespace graft::detail {

/// What the central directory says of a member; the local headers are only checked against it.
struct ZipMember {
  std::string name;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t crc = 0;
  std::int64_t packed_size = 0;
  std::int64_t size = 0;
  std::int64_t header_offset = 0;
};

/// The directory of an archive. Checked once: it lies within the file, names are unique, members do not overlap (so
/// all members together justify no more than deflate's ratio times the file's length).
class ZipReader {
 public:
  /// @throws FormatError, IoError
  explicit ZipReader(const FileReader& file) : file_(file) {
    const Directory directory = find_directory();
    Bytes records(as_size(directory.size));
    file_.read_at(directory.offset, records);
    directory_offset_ = directory.offset;
    parse_directory(records, directory.entries);
    check_overlap();
  }

  /// Null if there is none of this name.
  [[nodiscard]] const ZipMember* find(const std::string& name) const {
    const auto found = members_.find(name);
    return found == members_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] const std::map<std::string, ZipMember>& members() const { return members_; }
  [[nodiscard]] const FileReader& file() const { return file_; }
  /// Where members end and the directory begins.
  [[nodiscard]] std::int64_t directory_offset() const { return directory_offset_; }

 private:
  struct Directory {
    std::int64_t offset = 0;
    std::int64_t size = 0;
    std::int64_t entries = 0;
  };

  [[noreturn]] void fail_no_zip() const {
    std::array<std::byte, 6> start = {};
    const auto length = std::min<std::int64_t>(file_.size(), 6);
    file_.read_at(0, std::span(start).first(as_size(length)));
    const std::string_view text(reinterpret_cast<const char*>(start.data()), as_size(length));
    if (text.starts_with("PK")) {
      file_.fail("zip directory", "missing at the end", "the archive is truncated or has trailing bytes");
    }
    file_.fail("first bytes", quote(text), "is not a zip archive (.npz)");
  }

  /// The record at the very end of the file, behind which only its own comment may stand.
  Directory find_directory() const {
    const std::int64_t tail_size = std::min<std::int64_t>(file_.size(), kZipEndSize + kMostZipComment);
    if (tail_size < kZipEndSize) fail_no_zip();
    Bytes tail(as_size(tail_size));
    file_.read_at(file_.size() - tail_size, tail);
    for (std::int64_t at = tail_size - kZipEndSize; at >= 0; --at) {
      const std::byte* const record = tail.data() + at;
      if (load_little<std::uint32_t>(record) != kZipEnd) continue;
      if (at + kZipEndSize + load_little<std::uint16_t>(record + 20) != tail_size) continue;
      return read_end(record, file_.size() - tail_size + at);
    }
    fail_no_zip();
  }

  Directory read_end(const std::byte* record, std::int64_t record_offset) const {
    const auto disks = load_little<std::uint16_t>(record + 4) | load_little<std::uint16_t>(record + 6);
    Directory directory{.offset = load_little<std::uint32_t>(record + 16),
                        .size = load_little<std::uint32_t>(record + 12),
                        .entries = load_little<std::uint16_t>(record + 10)};
    std::int64_t end = record_offset;
    std::array<std::byte, kZip64LocatorSize> locator = {};
    if (record_offset >= kZip64LocatorSize) file_.read_at(record_offset - kZip64LocatorSize, locator);
    if (load_little<std::uint32_t>(locator.data()) == kZip64Locator) {
      end = static_cast<std::int64_t>(load_little<std::uint64_t>(locator.data() + 8));
      directory = read_zip64_end(end, record_offset - kZip64LocatorSize);
    } else if (disks != 0) {
      file_.fail("zip disk number", std::to_string(disks), "must be 0: archives in several parts are not read");
    }
    if (directory.offset < 0 || directory.size < 0 || directory.offset > end ||
        directory.size != end - directory.offset) {
      file_.fail("zip directory", std::to_string(directory.size) + " bytes at " + std::to_string(directory.offset),
                 "must end where its end record begins, at " + std::to_string(end));
    }
    return directory;
  }

  Directory read_zip64_end(std::int64_t offset, std::int64_t locator_offset) const {
    std::array<std::byte, kZip64EndSize> record = {};
    if (offset < 0 || offset > locator_offset || locator_offset - offset < kZip64EndSize) {
      file_.fail("zip64 end record", std::to_string(offset), "must lie before its locator");
    }
    file_.read_at(offset, record);
    if (load_little<std::uint32_t>(record.data()) != kZip64End) {
      file_.fail("zip64 end record at", std::to_string(offset), "has a wrong signature");
    }
    return {.offset = static_cast<std::int64_t>(load_little<std::uint64_t>(record.data() + 48)),
            .size = static_cast<std::int64_t>(load_little<std::uint64_t>(record.data() + 40)),
            .entries = static_cast<std::int64_t>(load_little<std::uint64_t>(record.data() + 32))};
  }

  void parse_directory(std::span<const std::byte> records, std::int64_t entries) {
    std::int64_t parsed = 0;
    while (!records.empty()) {
      records = records.subspan(parse_member(records));
      ++parsed;
    }
    if (parsed != entries) {
      file_.fail("zip directory", std::to_string(parsed) + " members",
                 "must be the " + std::to_string(entries) + " that its end record names");
    }
  }

  /// Adds the member whose record begins `records`; the record's length.
  std::size_t parse_member(std::span<const std::byte> records) {
    const std::byte* const at = records.data();
    if (records.size() < kZipCentralSize || load_little<std::uint32_t>(at) != kZipCentral) {
      file_.fail("zip directory", "member " + std::to_string(members_.size()), "has a wrong signature or is cut off");
    }
    const std::size_t name_size = load_little<std::uint16_t>(at + 28);
    const std::size_t extra_size = load_little<std::uint16_t>(at + 30);
    const std::size_t total = kZipCentralSize + name_size + extra_size + load_little<std::uint16_t>(at + 32);
    if (total > records.size()) {
      file_.fail("zip directory", "member " + std::to_string(members_.size()), "reaches over the directory's end");
    }
    ZipMember member;
    member.name.assign(reinterpret_cast<const char*>(at + kZipCentralSize), name_size);
    member.flags = load_little<std::uint16_t>(at + 8);
    member.method = load_little<std::uint16_t>(at + 10);
    member.crc = load_little<std::uint32_t>(at + 16);
    member.packed_size = load_little<std::uint32_t>(at + 20);
    member.size = load_little<std::uint32_t>(at + 24);
    member.header_offset = load_little<std::uint32_t>(at + 42);
    read_wide_sizes(member, records.subspan(kZipCentralSize + name_size, extra_size));
    const std::string name = member.name;
    if (!members_.emplace(name, std::move(member)).second) {
      file_.fail("zip directory", quote(name), "is there twice");
    }
    return total;
  }

  /// Sizes that are all ones stand in the zip64 extra field instead, in this order.
  void read_wide_sizes(ZipMember& member, std::span<const std::byte> extra) const {
    std::span<const std::byte> wide;
    while (extra.size() >= 4) {
      const auto id = load_little<std::uint16_t>(extra.data());
      const std::size_t length = load_little<std::uint16_t>(extra.data() + 2);
      if (length > extra.size() - 4) break;
      if (id == kZip64Extra) wide = extra.subspan(4, length);
      extra = extra.subspan(4 + length);
    }
    for (std::int64_t* const size : {&member.size, &member.packed_size, &member.header_offset}) {
      if (*size != kZipNarrowMost) continue;
      if (wide.size() < 8) file_.fail("zip member", quote(member.name), "lacks its zip64 sizes");
      *size = static_cast<std::int64_t>(load_little<std::uint64_t>(wide.data()));
      wide = wide.subspan(8);
    }
  }

  void check_overlap() const {
    std::vector<const ZipMember*> order;
    order.reserve(members_.size());
    for (const auto& [name, member] : members_) order.push_back(&member);
    std::sort(order.begin(), order.end(),
              [](const ZipMember* a, const ZipMember* b) { return a->header_offset < b->header_offset; });
    for (std::size_t m = 0; m < order.size(); ++m) {
      const ZipMember& member = *order[m];
      const std::int64_t end = m + 1 < order.size() ? order[m + 1]->header_offset : directory_offset_;
      const std::int64_t header = kZipLocalSize + static_cast<std::int64_t>(member.name.size());
      if (member.header_offset < 0 || member.packed_size < 0 || member.size < 0 || member.header_offset > end ||
          header > end - member.header_offset || member.packed_size > end - member.header_offset - header) {
        file_.fail("zip member", quote(member.name),
                   std::to_string(member.packed_size) + " bytes at " + std::to_string(member.header_offset) +
                       " must lie before the next member or the directory, at " + std::to_string(end));
      }
    }
  }

  const FileReader& file_;
  std::int64_t directory_offset_ = 0;
  std::map<std::string, ZipMember> members_;
};

/// The content of one member, in order. Call finish() after the last byte.
class ZipMemberSource final : public ByteSource {
 public:
  /// @throws FormatError if the member is encrypted, of an unknown method, or of a size that it cannot have
  ZipMemberSource(const ZipReader& zip, const ZipMember& member)
      : ByteSource(zip.file(), "member " + member.name, member.size), member_(member), begin_(data_offset(zip)) {
    if (member_.method != kZipDeflated) return;
    if (::inflateInit2(&stream_, -MAX_WBITS) != Z_OK) {
      throw OutOfMemory(message(operation(), "memory", "", "zlib could not start to inflate"));
    }
  }
  ZipMemberSource(const ZipMemberSource&) = delete;
  ZipMemberSource& operator=(const ZipMemberSource&) = delete;
  ZipMemberSource(ZipMemberSource&&) = delete;
  ZipMemberSource& operator=(ZipMemberSource&&) = delete;
  ~ZipMemberSource() override {
    if (member_.method == kZipDeflated) ::inflateEnd(&stream_);
  }

  /// Checks that the content ended where it should and has the checksum that was recorded. @throws FormatError
  void finish() {
    if (remaining() != 0) fail("length", std::to_string(member_.size), "has unread bytes at its end");
    if (member_.method == kZipDeflated) finish_inflating();
    if (crc_ != member_.crc) {
      fail("CRC-32", std::to_string(crc_), "must be the recorded " + std::to_string(member_.crc) + "; file is damaged");
    }
  }

 private:
  void check_claims() const {
    constexpr std::uint16_t kEncrypted = 0x1U | 0x40U | 0x2000U;
    if ((member_.flags & kEncrypted) != 0) fail("encryption", "", "encrypted members are not read");
    if (member_.method != kZipStored && member_.method != kZipDeflated) {
      fail("compression method", std::to_string(member_.method), "must be 0 (stored) or 8 (deflated)");
    }
    if (member_.method == kZipStored && member_.size != member_.packed_size) {
      fail("length", std::to_string(member_.size), "must be the stored length, " + std::to_string(member_.packed_size));
    }
    if (member_.size > saturating_multiply(member_.packed_size, kMostDeflateRatio)) {
      fail("length", std::to_string(member_.size),
           "cannot come from " + std::to_string(member_.packed_size) + " deflated bytes (at most " +
               std::to_string(kMostDeflateRatio) + " times as many)");
    }
  }

  /// Where the packed bytes begin, once the headers are found to be sound.
  std::int64_t data_offset(const ZipReader& zip) const {
    check_claims();
    std::array<std::byte, kZipLocalSize> header = {};
    file().read_at(member_.header_offset, header);  // within the file: checked with the directory
    if (load_little<std::uint32_t>(header.data()) != kZipLocal) {
      fail("local header", "byte " + std::to_string(member_.header_offset), "has a wrong signature");
    }
    const std::size_t name_size = load_little<std::uint16_t>(header.data() + 26);
    std::string name(name_size, ' ');
    if (name_size == member_.name.size()) {
      file().read_at(member_.header_offset + kZipLocalSize, std::as_writable_bytes(std::span(name)));
    }
    if (name != member_.name) fail("local header", "", "has another name than the directory");
    if (load_little<std::uint16_t>(header.data() + 8) != member_.method) {
      fail("local header", "", "has another compression method than the directory");
    }
    const std::int64_t begin = member_.header_offset + kZipLocalSize + static_cast<std::int64_t>(name_size) +
                               load_little<std::uint16_t>(header.data() + 28);
    if (begin > zip.directory_offset() || member_.packed_size > zip.directory_offset() - begin) {
      fail("length", std::to_string(member_.packed_size), "reaches over the end of the members");
    }
    return begin;
  }

  void read_exactly(std::span<std::byte> out) override {
    if (member_.method == kZipStored) {
      file().read_at(begin_ + taken_, out);
      taken_ += static_cast<std::int64_t>(out.size());
    } else {
      constexpr std::size_t kMostAtOnce = std::size_t{1} << 30U;  // zlib counts in 32 bits
      for (std::size_t done = 0; done < out.size(); done += kMostAtOnce) {
        inflate_exactly(out.subspan(done, std::min(kMostAtOnce, out.size() - done)));
      }
    }
    crc_ = static_cast<std::uint32_t>(::crc32_z(crc_, reinterpret_cast<const unsigned char*>(out.data()), out.size()));
  }

  void inflate_exactly(std::span<std::byte> out) {
    stream_.next_out = reinterpret_cast<unsigned char*>(out.data());
    stream_.avail_out = static_cast<unsigned>(out.size());
    while (stream_.avail_out > 0) {
      if (ended_) fail("length", std::to_string(member_.size), "inflates to fewer bytes");
      inflate_step();
    }
  }

  /// One call of inflate, with more input if it has none. Progress or an exception.
  void inflate_step() {
    if (stream_.avail_in == 0 && taken_ < member_.packed_size) {
      const auto size = std::min<std::int64_t>(static_cast<std::int64_t>(input_.size()), member_.packed_size - taken_);
      file().read_at(begin_ + taken_, std::span(input_).first(as_size(size)));
      taken_ += size;
      stream_.next_in = reinterpret_cast<unsigned char*>(input_.data());
      stream_.avail_in = static_cast<unsigned>(size);
    }
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    if (result == Z_STREAM_END) {
      ended_ = true;
    } else if (result == Z_MEM_ERROR) {
      throw OutOfMemory(message(operation(), "memory", "", "zlib could not inflate"));
    } else if (result == Z_BUF_ERROR) {
      fail("deflated data", "", "ends early");
    } else if (result != Z_OK) {
      fail("deflated data", "", "is damaged");
    }
  }

  void finish_inflating() {
    std::byte spare{};
    stream_.next_out = reinterpret_cast<unsigned char*>(&spare);
    stream_.avail_out = 1;
    while (!ended_ && stream_.avail_out > 0) inflate_step();
    if (stream_.avail_out == 0) fail("length", std::to_string(member_.size), "inflates to more bytes");
    if (stream_.avail_in != 0 || taken_ != member_.packed_size) {
      fail("deflated data", "", "has trailing bytes");
    }
  }

  ZipMember member_;
  std::int64_t begin_;      ///< offset of the packed bytes
  std::int64_t taken_ = 0;  ///< packed bytes read from the file
  bool ended_ = false;
  std::uint32_t crc_ = 0;
  z_stream stream_ = {};
  std::array<std::byte, 65536> input_ = {};
};

}  // namespace graft::detail
