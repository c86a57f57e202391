// What the fuzz targets share: inputs as files, numbers drawn from an input, .npy and .zip bytes, and how a broken
// promise ends the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <initializer_list>
#include <iostream>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <graft/core/error.hpp>

/// Ends the process, with the place, unless `condition` holds.
#define FUZZ_REQUIRE(condition)                                                    \
  do {                                                                             \
    if (!(condition)) graft::fuzz::broken_promise(#condition, __FILE__, __LINE__); \
  } while (false)

/// What libFuzzer and the replay call.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace graft::fuzz {

[[noreturn]] inline void broken_promise(const char* condition, const char* file, int line) {
  std::cerr << file << ":" << line << ": does not hold: " << condition << std::endl;
  std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Calls `function`; false if it throws one of graft's own exceptions. Any other exception ends the process.
template <class Function>
bool accepts(const Function& function) {
  try {
    function();
    return true;
  } catch (const Error& error) {
    FUZZ_REQUIRE(std::strlen(error.what()) > 0);
    return false;
  }
}

/// A file in memory, rewritten for every input.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) { FUZZ_REQUIRE(descriptor_ >= 0); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  MemoryFile(MemoryFile&&) = delete;
  MemoryFile& operator=(MemoryFile&&) = delete;
  ~MemoryFile() { ::close(descriptor_); }

  void write(std::string_view bytes) const {
    FUZZ_REQUIRE(::ftruncate(descriptor_, 0) == 0);
    FUZZ_REQUIRE(::pwrite(descriptor_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  }
  [[nodiscard]] std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

/// The input of the target, as a file.
inline std::filesystem::path input_file(std::string_view bytes) {
  static const MemoryFile file;
  file.write(bytes);
  return file.path();
}

/// Where a target writes: a name in a directory of the process, in memory where there is such, removed at the end.
inline std::filesystem::path output_file(const char* name) {
  class Directory {
   public:
    Directory() {
      std::error_code none;
      const std::filesystem::path memory = "/dev/shm";
      const bool has_memory = std::filesystem::is_directory(memory, none);
      std::string path = ((has_memory ? memory : std::filesystem::temp_directory_path()) / "fuzz-XXXXXX").string();
      FUZZ_REQUIRE(::mkdtemp(path.data()) != nullptr);
      path_ = path;
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    Directory(Directory&&) = delete;
    Directory& operator=(Directory&&) = delete;
    ~Directory() {
      std::error_code ignored;
      std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

   private:
    std::filesystem::path path_;
  };
  static const Directory directory;
  return directory.path() / name;
}

/// Numbers from the bytes of an input; zeros when they are used up.
class Source {
 public:
  explicit Source(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] bool empty() const { return bytes_.empty(); }

  template <class T>
  T number() {
    T value{};
    const std::string_view piece = take(sizeof(T));
    std::memcpy(&value, piece.data(), piece.size());
    return value;
  }
  /// A number in [0, most].
  std::int64_t up_to(std::uint8_t most) { return number<std::uint8_t>() % (most + 1); }

  std::string_view take(std::size_t size) {
    const std::string_view piece = bytes_.substr(0, size);
    bytes_.remove_prefix(piece.size());
    return piece;
  }
  std::string_view rest() { return take(bytes_.size()); }

 private:
  std::string_view bytes_;
};

template <class T>
void append_number(std::string& bytes, T value) {
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));  // the targets run on little-endian machines, as the formats are
  bytes.append(raw, sizeof(T));
}

/// A .npy file with right lengths around a header's dict and elements, parted by the first line end. Bytes that begin
/// as a .npy file are one already.
inline std::string npy_bytes(std::string_view described) {
  if (described.starts_with("\x93NUMPY")) return std::string(described);
  const std::size_t end = std::min(described.find('\n'), described.size());
  const std::string_view dict = described.substr(0, end);
  const std::string_view elements = described.substr(std::min(end + 1, described.size()));
  const bool wide = dict.size() % 2 == 1;  // versions 2 and 3 have 32-bit lengths
  std::string bytes = wide ? std::string("\x93NUMPY\x02\x00", 8) : std::string("\x93NUMPY\x01\x00", 8);
  if (wide) {
    append_number(bytes, static_cast<std::uint32_t>(dict.size() + 1));
  } else {
    append_number(bytes, static_cast<std::uint16_t>(dict.size() + 1));
  }
  return bytes.append(dict).append("\n").append(elements);
}

/// Builds a zip archive, with right sizes and checksums.
class ZipBuilder {
 public:
  void add(std::string_view name, std::string_view content, bool deflated) {
    const std::string packed = deflated ? deflate(content) : std::string(content);
    std::string common;
    append_number(common, std::uint16_t{20});  // version needed
    append_number(common, std::uint16_t{0});   // flags
    append_number(common, static_cast<std::uint16_t>(deflated ? 8 : 0));
    append_number(common, std::uint32_t{0x00210000});  // 1980-01-01
    const auto* const bytes = reinterpret_cast<const unsigned char*>(content.data());
    append_number(common, static_cast<std::uint32_t>(content.empty() ? 0 : ::crc32_z(0, bytes, content.size())));
    append_number(common, static_cast<std::uint32_t>(packed.size()));
    append_number(common, static_cast<std::uint32_t>(content.size()));
    append_number(common, static_cast<std::uint16_t>(name.size()));
    append_number(common, std::uint16_t{0});  // extra field

    directory_.append("PK\x01\x02").append("\x14\x03", 2).append(common);
    directory_.append(10, '\0');  // comment, disk, attributes
    append_number(directory_, static_cast<std::uint32_t>(members_.size()));
    directory_.append(name);
    members_.append("PK\x03\x04").append(common).append(name).append(packed);
    ++count_;
  }

  [[nodiscard]] std::string bytes() const {
    std::string bytes = members_ + directory_ + std::string("PK\x05\x06\0\0\0\0", 8);
    append_number(bytes, count_);
    append_number(bytes, count_);
    append_number(bytes, static_cast<std::uint32_t>(directory_.size()));
    append_number(bytes, static_cast<std::uint32_t>(members_.size()));
    append_number(bytes, std::uint16_t{0});  // comment
    return bytes;
  }

 private:
  static std::string deflate(std::string_view content) {
    z_stream stream = {};
    FUZZ_REQUIRE(::deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string packed(::deflateBound(&stream, content.size()), '\0');
    stream.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(content.data()));
    stream.avail_in = static_cast<unsigned>(content.size());
    stream.next_out = reinterpret_cast<unsigned char*>(packed.data());
    stream.avail_out = static_cast<unsigned>(packed.size());
    FUZZ_REQUIRE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
    packed.resize(packed.size() - stream.avail_out);
    ::deflateEnd(&stream);
    return packed;
  }

  std::string members_;
  std::string directory_;
  std::uint16_t count_ = 0;
};

}  // namespace graft::fuzz
