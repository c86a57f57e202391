#include <graft/io/npy.hpp>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <graft/detail/half.hpp>

#include "../support/files.hpp"

using graft::FormatError;
using graft::IoError;
using graft::Matrix;
using graft::MatrixView;
using graft::read_npy;
using graft::write_npy;
using graft::test::expect_error;
using graft::test::read_bytes;
using graft::test::TempDir;
using graft::test::write_bytes;

namespace npy_test {
namespace {

/// A .npy file of the given parts, whether they make sense or not.
std::string npy(std::string_view dict, std::string_view data, char major = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += major;
  bytes += '\0';
  const auto length = static_cast<unsigned>(dict.size());
  for (unsigned b = 0; b < (major == 1 ? 2U : 4U); ++b) bytes += static_cast<char>((length >> (8 * b)) & 0xFFU);
  return bytes.append(dict).append(data);
}

std::string dict(std::string_view descr, std::string_view shape, bool fortran = false) {
  return "{'descr': '" + std::string(descr) + "', 'fortran_order': " + (fortran ? "True" : "False") +
         ", 'shape': " + std::string(shape) + ", }\n";
}

template <class T>
std::string raw(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

/// Each element's bytes reversed.
std::string reversed(std::string bytes, std::size_t size) {
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                 bytes.begin() + static_cast<std::ptrdiff_t>(at + size));
  }
  return bytes;
}

Matrix read_back(const std::string& bytes) {
  const TempDir dir;
  write_bytes(dir / "a.npy", bytes);
  return read_npy(dir / "a.npy");
}

void refused(const std::string& bytes, std::initializer_list<const char*> parts) {
  const TempDir dir;
  write_bytes(dir / "bad.npy", bytes);
  expect_error<FormatError>([&] { read_npy(dir / "bad.npy"); }, {"read_npy", "bad.npy"});
  expect_error<FormatError>([&] { read_npy(dir / "bad.npy"); }, parts);
}

std::vector<float> values_of(const Matrix& matrix) { return {matrix.values().begin(), matrix.values().end()}; }

const std::string kFour = raw<float>({1.0F, 2.0F, 3.0F, 4.0F});

}  // namespace

TEST_CASE("write_npy: the bytes are NumPy's, with elements at a multiple of 64") {
  const TempDir dir;
  const std::vector<float> values = {1.0F, -2.5F, 0.0F, 3.0F, 4.0F, 5.0F};
  write_npy(dir / "a.npy", MatrixView<const float>(values.data(), 2, 3));
  const std::string bytes = read_bytes(dir / "a.npy");
  std::string expected = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  expected.append(128 - 10 - 1 - expected.size(), ' ').push_back('\n');
  CHECK(bytes == npy(expected, raw(values)));
  CHECK(bytes.size() == 128 + 24);
  CHECK(dir.entries() == 1);
}

TEST_CASE("write_npy: rows with gaps are packed, over several pieces too") {
  const TempDir dir;
  constexpr std::int64_t kRows = 700;
  constexpr std::int64_t kCols = 1000;
  constexpr std::int64_t kStride = 1003;
  std::vector<float> values(kRows * kStride);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  write_npy(dir / "a.npy", MatrixView<const float>(values.data(), kRows, kCols, kStride));
  const Matrix matrix = read_npy(dir / "a.npy");
  REQUIRE(matrix.rows() == kRows);
  REQUIRE(matrix.cols() == kCols);
  std::int64_t wrong = 0;
  for (std::int64_t r = 0; r < kRows; ++r) {
    for (std::int64_t c = 0; c < kCols; ++c) wrong += matrix(r, c) == static_cast<float>(r * kStride + c) ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("npy: matrices without rows or columns keep their shape") {
  const TempDir dir;
  for (const auto& [rows, cols] : {std::pair<std::int64_t, std::int64_t>{0, 0}, {0, 5}, {5, 0}, {0, 1}}) {
    const Matrix empty(rows, cols);
    write_npy(dir / "a.npy", empty);
    const Matrix back = read_npy(dir / "a.npy");
    CHECK(back.rows() == rows);
    CHECK(back.cols() == cols);
  }
}

TEST_CASE("read_npy: float16, float32 and float64 in either byte order give the same matrix") {
  const std::vector<float> expected = {1.0F, -2.0F, 0.5F, 65504.0F};
  const std::string half = raw<std::uint16_t>({0x3C00, 0xC000, 0x3800, 0x7BFF});
  const std::string single = raw(expected);
  const std::string twice = raw<double>({1.0, -2.0, 0.5, 65504.0});
  CHECK(values_of(read_back(npy(dict("<f2", "(2, 2)"), half))) == expected);
  CHECK(values_of(read_back(npy(dict("<f4", "(2, 2)"), single))) == expected);
  CHECK(values_of(read_back(npy(dict("<f8", "(2, 2)"), twice))) == expected);
  CHECK(values_of(read_back(npy(dict("=f4", "(2, 2)"), single))) == expected);
  CHECK(values_of(read_back(npy(dict(">f2", "(2, 2)"), reversed(half, 2)))) == expected);
  CHECK(values_of(read_back(npy(dict(">f4", "(2, 2)"), reversed(single, 4)))) == expected);
  CHECK(values_of(read_back(npy(dict(">f8", "(2, 2)"), reversed(twice, 8)))) == expected);
}

TEST_CASE("read_npy: versions 1, 2 and 3, and one dimension as a column") {
  for (const char version : {'\1', '\2', '\3'}) {
    CHECK(values_of(read_back(npy(dict("<f4", "(2, 2)"), kFour, version))) == std::vector<float>{1, 2, 3, 4});
  }
  const Matrix column = read_back(npy(dict("<f4", "(4,)"), kFour));
  CHECK(column.rows() == 4);
  CHECK(column.cols() == 1);
  CHECK(values_of(read_back(npy(dict("<f4", "(2L, 2L)"), kFour))) == std::vector<float>{1, 2, 3, 4});
  CHECK(values_of(read_back(npy("{\"shape\":(4,),\"descr\":\"<f4\",\"fortran_order\":False}", kFour))) ==
        std::vector<float>{1, 2, 3, 4});
}

TEST_CASE("read_npy: Fortran order is transposed, over tile borders too") {
  CHECK(values_of(read_back(npy(dict("<f4", "(2, 2)", true), kFour))) == std::vector<float>{1, 3, 2, 4});
  constexpr std::int64_t kRows = 4099;
  constexpr std::int64_t kCols = 19;
  std::vector<double> columns;
  for (std::int64_t c = 0; c < kCols; ++c) {
    for (std::int64_t r = 0; r < kRows; ++r) columns.push_back(static_cast<double>(r * kCols + c));
  }
  const Matrix matrix = read_back(npy(dict("<f8", "(4099, 19)", true), raw(columns)));
  std::int64_t wrong = 0;
  for (std::int64_t e = 0; e < kRows * kCols; ++e) {
    wrong += matrix.values()[static_cast<std::size_t>(e)] == static_cast<float>(e) ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("read_npy: doubles beyond float32 become infinite, NaN and signed zero stay") {
  const Matrix matrix = read_back(npy(dict("<f8", "(4,)"), raw<double>({1e300, -1e300, std::nan(""), -0.0})));
  CHECK(matrix.values()[0] == std::numeric_limits<float>::infinity());
  CHECK(matrix.values()[1] == -std::numeric_limits<float>::infinity());
  CHECK(std::isnan(matrix.values()[2]));
  CHECK(std::signbit(matrix.values()[3]));
}

TEST_CASE("Half: every bit pattern has the value that IEEE 754 gives it") {
  std::int64_t wrong = 0;
  for (std::uint32_t bits = 0; bits < 0x10000U; ++bits) {
    const auto value = static_cast<float>(graft::detail::Half{static_cast<std::uint16_t>(bits)});
    const auto exponent = static_cast<int>((bits >> 10U) & 0x1FU);
    const auto fraction = static_cast<double>(bits & 0x3FFU);
    const double sign = (bits & 0x8000U) != 0 ? -1.0 : 1.0;
    bool right = std::signbit(value) == (sign < 0);
    if (exponent == 31) {
      right = right && (fraction == 0 ? std::isinf(value) : std::isnan(value));
    } else {
      const double expected = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024.0 + fraction, exponent - 25);
      right = right && static_cast<double>(value) == sign * expected;
    }
    wrong += right ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("read_npy: what is no .npy file is refused") {
  refused("", {"first bytes", "not a .npy array"});
  refused("PK\x03\x04 whatever follows", {"PK\\x03\\x04", "not a .npy array"});
  refused("\x93NUMPY", {"6 bytes", "too short"});
  refused(npy(dict("<f4", "(4,)"), kFour, 4), {"version", "4.0"});
  refused(npy(dict("<f4", "(4,)"), kFour, 0), {"version", "0.0"});
}

TEST_CASE("read_npy: header and length must agree, and both are named") {
  refused(npy(dict("<f4", "(4,)"), kFour.substr(1)), {"15 bytes", "(4,)", "<f4", "needs 16"});
  refused(npy(dict("<f4", "(4,)"), kFour + "x"), {"17 bytes", "needs 16"});
  refused(npy(dict("<f4", "(2, 3)"), kFour), {"16 bytes", "(2, 3)", "needs 24"});
  refused(npy(dict("<f4", "(4,)"), ""), {"0 bytes", "needs 16"});
  std::string longer_header = npy(dict("<f4", "(4,)"), kFour);
  longer_header[9] = '\x10';
  refused(longer_header, {"header length", "must not be more than"});
  refused(npy(dict("<f4", "(4,)") + std::string(70000, ' '), kFour, 2), {"header length", "at most 65536"});
}

TEST_CASE("read_npy: huge shapes are refused without allocating") {
  refused(npy(dict("<f4", "(4611686018427387904, 4)"), kFour), {"shape", "63 bits"});
  refused(npy(dict("<f4", "(4294967296, 4294967296)"), kFour), {"shape", "63 bits"});
  refused(npy(dict("<f4", "(9223372036854775807,)"), kFour), {"shape", "63 bits"});
  refused(npy(dict("<f4", "(99999999999999999999,)"), kFour), {"'shape' must hold integers"});
  refused(npy(dict("<f4", "(1000000000, 1000)"), kFour), {"16 bytes", "needs 4000000000000"});
  refused(npy(dict("<f4", "(4294967296, 0)"), ""), {"shape", "at most 2147483647"});
  refused(npy(dict("<f4", "(-4,)"), kFour), {"'shape' must hold integers"});
}

TEST_CASE("read_npy: other dtypes and dimensions are refused with a way to mend") {
  refused(npy(dict("|O", "(1,)"), "pickle"), {"pickled", "astype('float32')"});
  refused(npy(dict("O", "(1,)"), "pickle"), {"pickled"});
  refused(npy(dict("<i4", "(4,)"), kFour), {"dtype = '<i4'", "float16, float32 or float64"});
  refused(npy(dict("|b1", "(4,)"), "abcd"), {"dtype = '|b1'"});
  refused(npy(dict("<f16", "(1,)"), kFour), {"dtype = '<f16'"});
  refused(npy(dict("<f0", "(1,)"), ""), {"dtype = '<f0'"});
  refused(npy(dict("<c8", "(2,)"), kFour), {"<c8"});
  refused(npy(dict("", "(4,)"), kFour), {"dtype"});
  refused(npy(dict("<U1", "(4,)"), kFour), {"dtype = '<U1'"});
  refused(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,), }", kFour), {"structured"});
  refused(npy(dict("<f4", "()"), kFour.substr(0, 4)), {"shape = ()", "1 or 2 dimensions"});
  refused(npy(dict("<f4", "(1, 2, 2)"), kFour), {"(1, 2, 2)", "1 or 2 dimensions"});
}

TEST_CASE("read_npy: headers that are no such dict are refused") {
  refused(npy("", kFour), {"npy header at byte 0"});
  refused(npy("{", kFour), {"npy header"});
  refused(npy("{}", kFour), {"must have the key 'descr'"});
  refused(npy("{'descr': '<f4', 'fortran_order': False}", kFour), {"must have the key 'shape'"});
  refused(npy("{'descr': '<f4', 'descr': '<f4'}", kFour), {"'descr' twice"});
  refused(npy("{'descr': '<f4', 'other': 3}", kFour), {"unknown key", "other"});
  refused(npy("{'descr': '<f4", kFour), {"without end"});
  refused(npy("{'descr': <f4}", kFour), {"quoted string"});
  refused(npy("{'descr': '<f4', 'fortran_order': Maybe, 'shape': (4,)}", kFour), {"True or False"});
  refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4, x)}", kFour), {"integers"});
  refused(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4 4)}", kFour), {"must have ')'"});
  refused(npy(dict("<f4", "(4,)") + "import os", kFour), {"must end after the dict"});
  refused(npy(std::string("{'descr'\0: '<f4'}", 17), kFour), {"\\x00"});
}

TEST_CASE("read_npy: paths that are no readable regular file are I/O errors") {
  const TempDir dir;
  expect_error<IoError>([&] { read_npy(dir / "absent.npy"); }, {"read_npy", "absent.npy", "No such file"});
  expect_error<IoError>([&] { read_npy(dir.path()); }, {"Is a directory"});
  REQUIRE(::mkfifo((dir / "pipe.npy").c_str(), 0600) == 0);
  expect_error<IoError>([&] { read_npy(dir / "pipe.npy"); }, {"pipe.npy", "regular file"});
  expect_error<IoError>([] { read_npy("/dev/zero"); }, {"/dev/zero", "regular file"});
}

TEST_CASE("read_npy: no damage to a file does worse than a graft::Error") {
  const TempDir dir;
  for (const std::string& valid : {npy(dict("<f4", "(2, 2)"), kFour), npy(dict("<f8", "(1, 2)", true), kFour),
                                   npy(dict("<f2", "(8,)"), kFour, 2)}) {
    const std::size_t refused_copies =
        graft::test::read_damaged(dir / "a.npy", valid, [](const auto& path) { return read_npy(path); });
    CHECK(refused_copies > 2 * valid.size());  // every cut, and most changes outside the elements
  }
}

}  // namespace npy_test
