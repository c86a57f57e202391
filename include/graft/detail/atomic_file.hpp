// Writing files so that a reader sees the old content or the new one, never a part.
#pragma once

#include <fcntl.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): POSIX signal masks
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <graft/core/error.hpp>
#include <graft/detail/file_handle.hpp>

namespace graft::detail {

/// Turns the signal of a file size limit (`ulimit -f`) into the error EFBIG of the write, as other errors are.
class FileSizeSignalBlock {
 public:
  FileSizeSignalBlock() : was_pending_(pending()) {
    sigemptyset(&limit_);
    sigaddset(&limit_, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &limit_, &before_);
  }
  FileSizeSignalBlock(const FileSizeSignalBlock&) = delete;
  FileSizeSignalBlock& operator=(const FileSizeSignalBlock&) = delete;
  FileSizeSignalBlock(FileSizeSignalBlock&&) = delete;
  FileSizeSignalBlock& operator=(FileSizeSignalBlock&&) = delete;
  ~FileSizeSignalBlock() {
    if (!was_pending_ && pending()) {
      int taken = 0;
      sigwait(&limit_, &taken);
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  static bool pending() {
    sigset_t set = {};
    sigpending(&set);
    return sigismember(&set, SIGXFSZ) == 1;
  }

  sigset_t limit_ = {};
  sigset_t before_ = {};
  bool was_pending_;
};

/// Where a path leads through symbolic links; the last name need not exist.
inline std::filesystem::path resolve_links(const char* operation, const std::filesystem::path& path) {
  constexpr int kMostLinks = 40;  // as Linux
  std::filesystem::path target = path;
  for (int links = 0; links <= kMostLinks; ++links) {
    std::error_code error;
    if (!std::filesystem::is_symlink(std::filesystem::symlink_status(target, error))) return target;
    const std::filesystem::path next = std::filesystem::read_symlink(target, error);
    if (error) throw io_error(operation, path, "cannot follow the symbolic link", error.value());
    target = target.parent_path() / next;
  }
  throw io_error(operation, path, "cannot follow the symbolic link", ELOOP);
}

/// A file under construction: a temporary file beside the target, which takes the target's place on commit() and
/// vanishes without it. Symbolic links are written through; an existing file keeps its mode; a target that is no
/// regular file (a directory, a device) is refused.
class AtomicFile {
 public:
  /// @throws IoError
  AtomicFile(const char* operation, const std::filesystem::path& path) : operation_(operation), path_(path) {
    target_ = resolve_links(operation, path);
    const std::optional<mode_t> mode = existing_mode();
    create_temporary();
    if (mode) keep_mode(*mode);
  }
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  AtomicFile(AtomicFile&&) = delete;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile() {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
  }

  /// Appends. @throws IoError
  void write(std::span<const std::byte> bytes) {
    put(position_, bytes);
    position_ += static_cast<std::int64_t>(bytes.size());
  }
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

  /// Replaces bytes that were written before. @throws IoError
  void write_at(std::int64_t offset, std::span<const std::byte> bytes) { put(offset, bytes); }

  /// Bytes appended so far.
  [[nodiscard]] std::int64_t position() const { return position_; }

  /// Makes the content permanent and puts it in the target's place. Call it once, last. @throws IoError
  void commit() {
    const std::filesystem::path folder = directory();  // now: once renamed, nothing may fail for want of memory
    sync(handle_.get(), "cannot write");
    if (::close(handle_.release()) != 0 && errno != EINTR) throw io_error(operation_, path_, "cannot write", errno);
    if (std::rename(temporary_.c_str(), target_.c_str()) != 0) {
      throw io_error(operation_, path_, "cannot replace", errno);
    }
    temporary_.clear();
    sync_directory(folder);
  }

 private:
  [[nodiscard]] std::filesystem::path directory() const {
    return target_.has_parent_path() ? target_.parent_path() : std::filesystem::path(".");
  }

  /// The mode of the file to be replaced; nothing if there is none.
  [[nodiscard]] std::optional<mode_t> existing_mode() const {
    if (path_.empty()) throw io_error(operation_, path_, "cannot write", ENOENT);
    struct stat status = {};
    if (::stat(target_.c_str(), &status) != 0) {
      if (errno != ENOENT) throw io_error(operation_, path_, "cannot write", errno);
      if (!target_.has_filename()) throw io_error(operation_, path_, "cannot write", EISDIR);
      return std::nullopt;
    }
    if (S_ISDIR(status.st_mode)) throw io_error(operation_, path_, "cannot write", EISDIR);
    if (!S_ISREG(status.st_mode)) {
      throw IoError(message(operation_, path_.string() + ": cannot write", "",
                            "exists and is no regular file, so it must not be replaced"));
    }
    // A rename would replace a file that its owner made read-only.
    if (::faccessat(AT_FDCWD, target_.c_str(), W_OK, AT_EACCESS) != 0) {
      throw io_error(operation_, path_, "cannot write", errno);
    }
    return status.st_mode & mode_t{0777};
  }

  void create_temporary() {
    const std::filesystem::path folder = directory();
    const std::string stem = ".graft-" + std::to_string(::getpid()) + "-";
    for (int attempt = 0;; ++attempt) {
      temporary_ = folder / (stem + std::to_string(attempt) + ".tmp");
      const int descriptor = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t{0666});
      if (descriptor >= 0) {
        handle_ = FileHandle(descriptor);
        return;
      }
      if (errno == EEXIST || errno == EINTR) continue;
      const int error = errno;
      temporary_.clear();
      throw io_error(operation_, path_, "cannot create a file in " + folder.string(), error);
    }
  }

  void keep_mode(mode_t mode) {
    struct stat status = {};
    if (::fstat(handle_.get(), &status) == 0 && (status.st_mode & mode_t{0777}) == mode) return;
    if (::fchmod(handle_.get(), mode) == 0) return;
    const int error = errno;
    ::unlink(temporary_.c_str());  // called from the constructor: no destructor runs
    throw io_error(operation_, path_, "cannot keep the mode of the file", error);
  }

  void put(std::int64_t offset, std::span<const std::byte> bytes) {
    constexpr std::size_t kMostAtOnce = std::size_t{1} << 30U;
    const FileSizeSignalBlock block;
    while (!bytes.empty()) {
      const ssize_t done = ::pwrite(handle_.get(), bytes.data(), std::min(bytes.size(), kMostAtOnce), off_t{offset});
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) throw io_error(operation_, path_, "cannot write", done < 0 ? errno : ENOSPC);
      bytes = bytes.subspan(static_cast<std::size_t>(done));
      offset += done;
    }
  }

  void sync(int descriptor, const char* failed) const {
    while (::fsync(descriptor) != 0) {
      if (errno == EINTR) continue;
      if (errno == EINVAL || errno == ENOTSUP) return;  // a file system that cannot
      throw io_error(operation_, path_, failed, errno);
    }
  }

  /// The new name is permanent once its directory is; a directory that may be written but not read cannot be asked.
  void sync_directory(const std::filesystem::path& path) const {
    const FileHandle folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.open()) sync(folder.get(), "was replaced, but the directory cannot be made permanent");
  }

  const char* operation_;
  std::filesystem::path path_;       ///< as the caller named it, for messages
  std::filesystem::path target_;     ///< what will be replaced
  std::filesystem::path temporary_;  ///< empty once it is gone
  FileHandle handle_;
  std::int64_t position_ = 0;
};

/// Replaces the content of a file, or creates it, at once. @throws IoError
inline void write_file_atomically(const std::filesystem::path& path, std::string_view content,
                                  const char* operation = "write") {
  AtomicFile file(operation, path);
  file.write(content);
  file.commit();
}

}  // namespace graft::detail
