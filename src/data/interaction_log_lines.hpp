// Lines of a text file, plain or gzip, for readers that must name the line of what they refuse.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <graft/core/context.hpp>

namespace graft::data {

/// Reads UTF-8 text in pieces and gives it line by line; memory does not grow with the file.
class LineReader {
 public:
  /// @param path  a regular file; one that begins as gzip does is unpacked on the way
  /// @throws IoError
  LineReader(std::filesystem::path path, const Context& context);

  /// The next line without its line feed (a carriage return before it stays); valid until the next call. A byte-order
  /// mark at the beginning is left out. @return false at the end of the file
  /// @throws IoError, Cancelled, FormatError naming file and line (not UTF-8, a zero byte, over kMostLine bytes)
  bool next(std::string_view& line);

  /// Makes next() give the current line once more.
  void give_back() { given_back_ = true; }

  /// Number of the current line, from 1; 0 before the first.
  [[nodiscard]] std::int64_t line() const { return line_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  /// @throws FormatError "read_interaction_log: FILE:LINE: what = value: allowed"; an empty value is left out
  [[noreturn]] void fail(std::int64_t line, std::string_view what, std::string_view value,
                         std::string_view allowed) const;
  /// The same without a line.
  [[noreturn]] void fail(std::string_view allowed) const;

  /// A longer line, or a record of several lines that is longer, is an error: memory stays bounded.
  static constexpr std::size_t kMostLine = std::size_t{4} << 20U;

 private:
  struct CloseGzip {
    void operator()(void* file) const;
  };

  /// Appends a piece of the file to what is not yet given. @return false at the end of the file
  bool fill();
  void report();
  void check(std::string_view text) const;

  std::filesystem::path path_;
  const Context& context_;
  std::int64_t size_ = 0;                  ///< bytes on the disk
  std::unique_ptr<void, CloseGzip> file_;  ///< gzFile
  std::string buffer_;
  std::size_t begin_ = 0;  ///< of what is not yet given
  bool at_end_ = false;
  bool given_back_ = false;
  std::string_view current_;
  std::int64_t line_ = 0;
  std::chrono::steady_clock::time_point last_report_;
};

/// How messages of this reader begin.
inline constexpr const char* kReadOperation = "read_interaction_log";

}  // namespace graft::data
