// The .npy format: headers, and elements of any dtype that graft reads.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <graft/detail/bytes.hpp>
#include <graft/detail/checked.hpp>
#include <graft/detail/file_reader.hpp>
#include <graft/detail/half.hpp>

namespace graft::detail {

/// A simple dtype: '<f4' is kind 'f', size 4.
struct NpyType {
  std::string text;       ///< as the file writes it
  char kind = '?';        ///< b bool, i u integers, f float, S bytes, U unicode; '?' anything else
  std::int64_t size = 0;  ///< bytes an element
  bool swapped = false;   ///< big-endian
};

struct NpyHeader {
  NpyType type;
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
  std::int64_t count = 0;  ///< product of the shape; count * type.size bytes follow
};

inline constexpr std::string_view kNpyMagic = "\x93NUMPY";

/// Headers are padded so that the elements start at a multiple of this, as NumPy's are.
inline constexpr std::size_t kNpyAlignment = 64;

/// No array that graft reads needs a longer header (NumPy itself refuses more than 10,000 bytes).
inline constexpr std::uint32_t kMostNpyHeader = 65536;

/// The dtype written as `text`.
inline NpyType parse_npy_type(std::string_view text) {
  NpyType type{.text = std::string(text)};
  if (text.starts_with('<') || text.starts_with('>') || text.starts_with('|') || text.starts_with('=')) {
    type.swapped = text.front() == '>';
    text.remove_prefix(1);
  }
  if (text.empty()) return type;
  const char kind = text.front();
  text.remove_prefix(1);
  if (kind == 'O') {
    type.kind = 'O';
    return type;
  }
  constexpr std::string_view kKinds = "biufSU";
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (kKinds.find(kind) == std::string_view::npos || error != std::errc() || end != text.data() + text.size() ||
      number < 0 || number > (std::int64_t{1} << 40)) {
    return type;
  }
  type.kind = kind;
  type.size = kind == 'U' ? 4 * number : number;
  return type;
}

/// Parses the Python dict of a header: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class NpyDict {
 public:
  NpyDict(const ByteSource& source, std::string_view text) : source_(source), text_(text) {}

  NpyHeader parse() {
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted_text();
      expect(':');
      entry(key);
      if (accept(',')) continue;
      expect('}');
      break;
    }
    skip_space();
    if (at_ != text_.size()) fail("must end after the dict");
    for (std::size_t k = 0; k < kKeys.size(); ++k) {
      if (!seen_[k]) fail("must have the key '" + std::string(kKeys[k]) + "'");
    }
    return header_;
  }

 private:
  static constexpr std::array<std::string_view, 3> kKeys = {"descr", "fortran_order", "shape"};

  void entry(const std::string& key) {
    const auto* const known = std::find(kKeys.begin(), kKeys.end(), key);
    if (known == kKeys.end()) fail("has the unknown key " + quote(key));
    bool& seen = seen_[static_cast<std::size_t>(known - kKeys.begin())];
    if (seen) fail("has the key '" + key + "' twice");
    seen = true;
    if (key == "descr") return descr();
    if (key == "fortran_order") return fortran_order();
    shape();
  }

  void descr() {
    skip_space();
    if (at_ < text_.size() && text_[at_] == '[') {
      source_.fail("dtype", "structured", "must be a plain number type; save one field alone");
    }
    header_.type = parse_npy_type(quoted_text());
  }

  void fortran_order() {
    skip_space();
    for (const std::string_view word : {"True", "False"}) {
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      header_.fortran_order = word == "True";
      return;
    }
    fail("'fortran_order' must be True or False");
  }

  void shape() {
    expect('(');
    while (!accept(')')) {
      skip_space();
      std::int64_t dimension = 0;
      const char* const begin = text_.data() + at_;
      const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), dimension);
      if (error != std::errc() || dimension < 0) fail("'shape' must hold integers in [0, 2^63)");
      at_ += static_cast<std::size_t>(end - begin);
      if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // a long of Python 2
      header_.shape.push_back(dimension);
      if (accept(',')) continue;
      expect(')');
      break;
    }
  }

  std::string quoted_text() {
    skip_space();
    const char mark = at_ < text_.size() ? text_[at_] : '\0';
    if (mark != '\'' && mark != '"') fail("must have a quoted string here");
    const std::size_t end = text_.find(mark, at_ + 1);
    if (end == std::string_view::npos) fail("has a string without end");
    const std::string_view inner = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return std::string(inner);
  }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  bool accept(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(std::string("must have '") + c + "' here");
  }
  [[noreturn]] void fail(const std::string& allowed) const {
    source_.fail("npy header at byte " + std::to_string(at_), quote(text_.substr(std::min(at_, text_.size()))),
                 allowed);
  }

  const ByteSource& source_;
  std::string_view text_;
  std::size_t at_ = 0;
  std::array<bool, kKeys.size()> seen_{};
  NpyHeader header_;
};

inline std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text = "(";
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (d == 6) return text + ", ...)";
    text.append(d == 0 ? "" : ", ").append(std::to_string(shape[d]));
  }
  return text.append(shape.size() == 1 ? ",)" : ")");
}

/// Number of elements, and the check that just as many bytes follow the header.
inline void check_npy_length(const ByteSource& source, NpyHeader& header) {
  const bool empty = std::find(header.shape.begin(), header.shape.end(), 0) != header.shape.end();
  std::int64_t count = empty ? 0 : 1;
  std::int64_t bytes = 0;
  bool overflow = false;
  if (!empty) {
    for (const std::int64_t dimension : header.shape) {
      overflow = overflow || __builtin_mul_overflow(count, dimension, &count);
    }
  }
  overflow = overflow || __builtin_mul_overflow(count, header.type.size, &bytes);
  if (overflow) source.fail("shape", shape_text(header.shape), "its elements must be countable in 63 bits");
  if (bytes != source.remaining()) {
    source.fail(
        "length", std::to_string(source.remaining()) + " bytes after the header",
        "shape " + shape_text(header.shape) + " of dtype '" + header.type.text + "' needs " + std::to_string(bytes));
  }
  header.count = count;
}

/// Reads a header and checks that the bytes left in `source` are its elements. @throws FormatError
inline NpyHeader read_npy_header(ByteSource& source) {
  std::array<std::byte, 12> prefix = {};
  const auto least = std::min<std::int64_t>(source.remaining(), 10);
  source.read(std::span(prefix).first(as_size(least)));
  const std::string_view start(reinterpret_cast<const char*>(prefix.data()), as_size(least));
  if (start.substr(0, kNpyMagic.size()) != kNpyMagic) {
    source.fail("first bytes", quote(start.substr(0, kNpyMagic.size())), R"(is not a .npy array ("\x93NUMPY"))");
  }
  if (least < 10) source.fail("length", std::to_string(least) + " bytes", "is too short for a .npy header");
  const auto major = std::to_integer<int>(prefix[6]);
  const auto minor = std::to_integer<int>(prefix[7]);
  if (major < 1 || major > 3 || minor != 0) {
    source.fail("npy format version", std::to_string(major) + "." + std::to_string(minor), "must be 1.0, 2.0 or 3.0");
  }
  std::uint32_t length = load_little<std::uint16_t>(prefix.data() + 8);
  if (major > 1) {
    source.read(std::span(prefix).subspan(10));
    length = load_little<std::uint32_t>(prefix.data() + 8);
  }
  if (std::int64_t{length} > source.remaining()) {
    source.fail("npy header length", std::to_string(length),
                "must not be more than the " + std::to_string(source.remaining()) + " bytes that follow");
  }
  if (length > kMostNpyHeader) {
    source.fail("npy header length", std::to_string(length), "must be at most " + std::to_string(kMostNpyHeader));
  }
  std::string text(length, ' ');
  source.read(std::as_writable_bytes(std::span(text)));
  NpyHeader header = NpyDict(source, text).parse();
  if (header.type.kind == 'O') {
    source.fail("dtype", "'" + header.type.text + "'",
                "pickled Python objects are never loaded; save a numeric array (x.astype('float32'))");
  }
  if (header.type.kind == '?') {
    source.fail("dtype", quote(header.type.text), "is not a type that graft reads; save x.astype('float32')");
  }
  check_npy_length(source, header);
  return header;
}

/// The bytes of a version 1.0 header for a C-order array.
inline Bytes npy_header(std::string_view descr, std::span<const std::int64_t> shape) {
  std::string dict = "{'descr': '" + std::string(descr) + "', 'fortran_order': False, 'shape': (";
  for (std::size_t d = 0; d < shape.size(); ++d) {
    dict += std::to_string(shape[d]);
    if (d + 1 < shape.size()) dict += ", ";
  }
  if (shape.size() == 1) dict += ",";
  dict += "), }";
  constexpr std::size_t kPrefix = 10;
  const std::size_t unpadded = kPrefix + dict.size() + 1;
  dict.append((kNpyAlignment - unpadded % kNpyAlignment) % kNpyAlignment, ' ').push_back('\n');
  Bytes bytes;
  append_text(bytes, kNpyMagic);
  append_text(bytes, std::string_view("\x01\x00", 2));
  append_little(bytes, static_cast<std::uint16_t>(dict.size()));
  append_text(bytes, dict);
  return bytes;
}

/// One stored element, whose unsigned twin is `Bits`, as T.
template <class Stored, class T>
T element(const std::byte* at, bool swapped) {
  using Bits =
      std::conditional_t<sizeof(Stored) == 8, std::uint64_t,
                         std::conditional_t<sizeof(Stored) == 4, std::uint32_t,
                                            std::conditional_t<sizeof(Stored) == 2, std::uint16_t, std::uint8_t>>>;
  const auto bits = load_little<Bits>(at);
  return static_cast<T>(std::bit_cast<Stored>(swapped ? swap_bytes(bits) : bits));
}

/// Converts packed elements to T.
template <class T>
using NpyConvert = void (*)(std::span<const std::byte> packed, bool swapped, T* out);

template <class Stored, class T>
void convert_elements(std::span<const std::byte> packed, bool swapped, T* out) {
  const std::size_t count = packed.size() / sizeof(Stored);
  for (std::size_t e = 0; e < count; ++e) out[e] = element<Stored, T>(packed.data() + e * sizeof(Stored), swapped);
}

/// A bool as NumPy reads it: any byte but 0 is true.
struct NpyBool {
  std::uint8_t byte = 0;
  explicit operator float() const { return byte == 0 ? 0.0F : 1.0F; }
};

/// How to read a type as float; null if it is no floating point type of 2, 4 or 8 bytes.
inline NpyConvert<float> float_conversion(const NpyType& type) {
  if (type.kind != 'f') return nullptr;
  if (type.size == 2) return convert_elements<Half, float>;
  if (type.size == 4) return convert_elements<float, float>;
  if (type.size == 8) return convert_elements<double, float>;
  return nullptr;
}

/// How to read a type as float; null if it is no real number, integer or bool.
inline NpyConvert<float> number_conversion(const NpyType& type) {
  if (type.kind == 'f') return float_conversion(type);
  if (type.kind == 'b') return type.size == 1 ? convert_elements<NpyBool, float> : nullptr;
  if (type.kind != 'i' && type.kind != 'u') return nullptr;
  const bool is_signed = type.kind == 'i';
  if (type.size == 1) return is_signed ? convert_elements<std::int8_t, float> : convert_elements<std::uint8_t, float>;
  if (type.size == 2) return is_signed ? convert_elements<std::int16_t, float> : convert_elements<std::uint16_t, float>;
  if (type.size == 4) return is_signed ? convert_elements<std::int32_t, float> : convert_elements<std::uint32_t, float>;
  if (type.size == 8) return is_signed ? convert_elements<std::int64_t, float> : convert_elements<std::uint64_t, float>;
  return nullptr;
}

/// How to read a type as int64; null if it is not int32 or int64.
inline NpyConvert<std::int64_t> index_conversion(const NpyType& type) {
  if (type.kind != 'i') return nullptr;
  if (type.size == 4) return convert_elements<std::int32_t, std::int64_t>;
  if (type.size == 8) return convert_elements<std::int64_t, std::int64_t>;
  return nullptr;
}

/// Elements converted at once: their bytes stay in the cache.
inline constexpr std::int64_t kNpyPiece = 32768;

/// Reads `header.count` elements in order: piece(first, values) for each run of converted ones.
template <class T, class Piece>
void read_npy_elements(ByteSource& source, const NpyHeader& header, NpyConvert<T> convert, const Piece& piece) {
  const std::int64_t most = std::min(kNpyPiece, header.count);
  Bytes packed(as_size(most * header.type.size));
  std::vector<T> values(as_size(most));
  for (std::int64_t first = 0; first < header.count; first += most) {
    const std::int64_t count = std::min(most, header.count - first);
    const auto bytes = std::span(packed).first(as_size(count * header.type.size));
    source.read(bytes);
    convert(bytes, header.type.swapped, values.data());
    piece(first, std::span<const T>(values).first(as_size(count)));
  }
}

}  // namespace graft::detail
