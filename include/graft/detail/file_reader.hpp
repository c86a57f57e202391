// Reading files: positioned reads of regular files, and the stream that parsers see.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <graft/core/error.hpp>
#include <graft/detail/file_handle.hpp>

namespace graft::detail {

/// A regular file, open for positioned reads.
class FileReader {
 public:
  /// @throws IoError if the file cannot be opened or is no regular file (a pipe would block, a directory has no bytes)
  FileReader(const char* operation, std::filesystem::path path) : operation_(operation), path_(std::move(path)) {
    int descriptor = -1;
    do {
      descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // non-blocking: a pipe has no writer yet
    } while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0) throw io_error(operation_, path_, "cannot open", errno);
    handle_ = FileHandle(descriptor);
    struct stat status = {};
    if (::fstat(descriptor, &status) != 0) throw io_error(operation_, path_, "cannot open", errno);
    if (S_ISDIR(status.st_mode)) throw io_error(operation_, path_, "cannot read", EISDIR);
    if (!S_ISREG(status.st_mode)) {
      throw io_error(operation_, path_, "cannot read: must be a regular file, not a pipe, socket or device", ESPIPE);
    }
    size_ = std::int64_t{status.st_size};
  }

  /// Length of the file when it was opened.
  [[nodiscard]] std::int64_t size() const { return size_; }

  /// Fills `out` from byte `offset` on. @throws IoError if reading fails or the file ends before
  void read_at(std::int64_t offset, std::span<std::byte> out) const {
    constexpr std::size_t kMostAtOnce = std::size_t{1} << 30U;
    while (!out.empty()) {
      const ssize_t got = ::pread(handle_.get(), out.data(), std::min(out.size(), kMostAtOnce), off_t{offset});
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw io_error(operation_, path_, "cannot read", errno);
      if (got == 0) {
        throw IoError(
            message(operation_, path_.string() + ": ends at byte", std::to_string(offset),
                    "had " + std::to_string(size_) + " bytes when it was opened; do not write to it meanwhile"));
      }
      out = out.subspan(static_cast<std::size_t>(got));
      offset += got;
    }
  }

  /// @throws FormatError "operation: path: where = value: allowed"
  [[noreturn]] void fail(std::string_view where, std::string_view value, std::string_view allowed) const {
    throw FormatError(message(operation_, path_.string() + ": " + std::string(where), value, allowed));
  }

  [[nodiscard]] const char* operation() const { return operation_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  const char* operation_;
  std::filesystem::path path_;
  FileHandle handle_;
  std::int64_t size_ = 0;
};

/// Bytes in order: a file, or a member of an archive.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  ByteSource(ByteSource&&) = delete;
  ByteSource& operator=(ByteSource&&) = delete;

  /// Fills `out`, which must not be longer than remaining().
  void read(std::span<std::byte> out) {
    if (out.size() > static_cast<std::size_t>(remaining_)) {
      fail("length", std::to_string(remaining_) + " bytes left",
           "at least " + std::to_string(out.size()) + " expected");
    }
    if (out.empty()) return;
    read_exactly(out);
    remaining_ -= static_cast<std::int64_t>(out.size());
  }

  [[nodiscard]] std::int64_t remaining() const { return remaining_; }
  [[nodiscard]] const char* operation() const { return file_.operation(); }

  /// @throws FormatError naming the file, the member if there is one, and `where`
  [[noreturn]] void fail(std::string_view where, std::string_view value, std::string_view allowed) const {
    file_.fail(label_.empty() ? std::string(where) : label_ + ": " + std::string(where), value, allowed);
  }

 protected:
  ByteSource(const FileReader& file, std::string label, std::int64_t size)
      : file_(file), label_(std::move(label)), remaining_(size) {}

  /// Fills `out`, which is not empty and not longer than remaining().
  virtual void read_exactly(std::span<std::byte> out) = 0;
  [[nodiscard]] const FileReader& file() const { return file_; }

 private:
  const FileReader& file_;
  std::string label_;
  std::int64_t remaining_;
};

/// A whole file from its beginning.
class FileSource final : public ByteSource {
 public:
  explicit FileSource(const FileReader& file) : ByteSource(file, "", file.size()) {}

 private:
  void read_exactly(std::span<std::byte> out) override { file().read_at(file().size() - remaining(), out); }
};

}  // namespace graft::detail
