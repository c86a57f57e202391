// Files of the tests: a temporary directory, bytes in and out, damaged copies, expected errors.
#pragma once

#include <doctest/doctest.h>
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <graft/core/error.hpp>

#include "check.hpp"

namespace graft::test {

/// A fresh directory, removed with everything in it.
class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "graft-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

  /// Names in the directory; a forgotten temporary file shows here.
  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::filesystem::path path_;
};

inline void write_bytes(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  REQUIRE(file.good());
}

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Checks that `function` throws `Expected` with a message that holds every part.
template <class Expected, class Function>
void expect_error(Function&& function, std::initializer_list<const char*> parts) {
  const std::string text = message_of<Expected>(function);
  INFO("message: ", text);
  for (const char* part : parts) {
    INFO("must hold: ", std::string(part));
    CHECK(contains(text, {part}));
  }
}

/// Reads copies of a valid file with each byte changed in four ways, cut at each length, and with a byte too many.
/// Each must be read, or refused with an exception of graft. Returns how many were refused.
template <class Read>
std::size_t read_damaged(const std::filesystem::path& path, const std::string& valid, const Read& read) {
  std::size_t refused = 0;
  const auto attempt = [&](const std::string& bytes) {
    std::filesystem::remove(path);  // truncating a file makes some file systems wait for the disk
    write_bytes(path, bytes);
    try {
      read(path);
    } catch (const Error&) {
      ++refused;
    }
  };
  for (std::size_t at = 0; at < valid.size(); ++at) {
    for (const unsigned change : {0x01U, 0x10U, 0x80U, 0xFFU}) {
      std::string bytes = valid;
      bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ change);
      attempt(bytes);
    }
    attempt(valid.substr(0, at));
  }
  attempt(valid + valid.back());
  return refused;
}

}  // namespace graft::test
