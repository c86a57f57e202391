// An open file descriptor, and the words of messages about files.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <graft/core/error.hpp>

namespace graft::detail {

/// Owns a file descriptor.
class FileHandle {
 public:
  FileHandle() = default;
  explicit FileHandle(int descriptor) : descriptor_(descriptor) {}
  FileHandle(FileHandle&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileHandle& operator=(FileHandle&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;
  ~FileHandle() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  [[nodiscard]] int get() const { return descriptor_; }
  [[nodiscard]] bool open() const { return descriptor_ >= 0; }
  /// Gives the descriptor up.
  int release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_ = -1;
};

/// "operation: path: cannot write: No space left on device"
inline IoError io_error(const char* operation, const std::filesystem::path& path, std::string_view failed,
                        int error_number) {
  return IoError(message(operation, path.string() + ": " + std::string(failed), "",
                         std::generic_category().message(error_number)));
}

/// A piece of a file for a message: in quotes, shortened, bytes outside printable ASCII escaped.
inline std::string quote(std::string_view text) {
  constexpr std::size_t kShown = 40;
  constexpr char kDigits[] = "0123456789abcdef";
  std::string result = "\"";
  for (const char c : text.substr(0, kShown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20U && byte < 0x7FU) {
      if (c == '"' || c == '\\') result.push_back('\\');
      result.push_back(c);
    } else {
      result.append("\\x").push_back(kDigits[byte >> 4U]);
      result.push_back(kDigits[byte & 0xFU]);
    }
  }
  result.append(text.size() > kShown ? "...\"" : "\"");
  return result;
}

}  // namespace graft::detail
