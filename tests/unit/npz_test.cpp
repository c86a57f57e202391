#include <graft/io/npz.hpp>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <graft/detail/npy_format.hpp>
#include <graft/detail/zip_reader.hpp>
#include <graft/detail/zip_writer.hpp>

#include "../support/files.hpp"

namespace fs = std::filesystem;
using graft::FormatError;
using graft::Graph;
using graft::InvalidArgument;
using graft::IoError;
using graft::load_npz;
using graft::load_npz_with_provenance;
using graft::Provenance;
using graft::save_npz;
using graft::StoredGraph;
using graft::Unsorted;
using graft::test::expect_error;
using graft::test::read_bytes;
using graft::test::TempDir;
using graft::test::write_bytes;

namespace npz_test {
namespace {

/// scipy.sparse.save_npz (SciPy 1.17, NumPy 2.4) of csr_array [[0, .5, 0], [0, 0, 0], [1, 0, 2]], float32.
constexpr std::string_view kFromScipy =
    "504b03042d000000080000002100f3a0b2feffffffffffffffff0b001400696e64696365732e6e7079010010008c000000000000004a"
    "000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9369a2aea3a09e965f54529498179f5f94920a12774bcc294e"
    "058a17672416a402f91ac63a9a3a0ab50a14002e46060860026200504b03042d0000000800000021001d73915affffffffffffffff0a"
    "001400696e647074722e6e70790100100090000000000000004c000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a0"
    "6e9369a2aea3a09e965f54529498179f5f94920a12774bcc294e058a17672416a402f91a263a9a3a0ab50a14002e0620608462662006"
    "00504b03042d000000080000002100a3c37497ffffffffffffffff0a001400666f726d61742e6e707901001000830000000000000045"
    "000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a05e136cacaea3a09e965f54529498179f5f94920a12774bcc294e"
    "058a17672416a402f91a9a3a0ab50a1401aee4e22200504b03042d000000080000002100f1d916a2ffffffffffffffff090014007368"
    "6170652e6e707901001000900000000000000049000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9369a1aea3"
    "a09e965f54529498179f5f94920a12774bcc294e058a17672416a402f91a463a9a3a0ab50a14002e66060880d100504b03042d000000"
    "080000002100b5830ea2ffffffffffffffff08001400646174612e6e7079010010008c000000000000004f000000000000009bec17ea"
    "1b10c9c850c650ad9e925a9c5ca46ea5a06e9366a2aea3a09e965f54529498179f5f94920a12774bcc294e058a17672416a402f91ac6"
    "3a9a3a0ab50a14002e0606067b0686062066700000504b03042d000000080000002100822df8d3ffffffffffffffff0d0014005f6973"
    "5f61727261792e6e707901001000810000000000000043000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a05e9364"
    "a8aea3a09e965f54529498179f5f94920a12774bcc294e058a17672416a402f91a9a3a0ab50a14012e4600504b01022d032d00000008"
    "0000002100f3a0b2fe4a0000008c0000000b0000000000000000000000800100000000696e64696365732e6e7079504b01022d032d00"
    "00000800000021001d73915a4c000000900000000a0000000000000000000000800187000000696e647074722e6e7079504b01022d03"
    "2d000000080000002100a3c3749745000000830000000a000000000000000000000080010f010000666f726d61742e6e7079504b0102"
    "2d032d000000080000002100f1d916a2490000009000000009000000000000000000000080019001000073686170652e6e7079504b01"
    "022d032d000000080000002100b5830ea24f0000008c000000080000000000000000000000800114020000646174612e6e7079504b01"
    "022d032d000000080000002100822df8d343000000810000000d000000000000000000000080019d0200005f69735f61727261792e6e"
    "7079504b05060000000006000600510100001f0300000000";

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t at = 0; at < hex.size(); at += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(at, 2)), nullptr, 16)));
  }
  return bytes;
}

template <class T>
std::string raw(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::string npy(std::string_view descr, const std::vector<std::int64_t>& shape, const std::string& data) {
  const graft::detail::Bytes header = graft::detail::npy_header(descr, shape);
  return std::string(reinterpret_cast<const char*>(header.data()), header.size()) + data;
}

std::string reversed(std::string bytes, std::size_t size) {
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                 bytes.begin() + static_cast<std::ptrdiff_t>(at + size));
  }
  return bytes;
}

/// Members of an .npz file; a test replaces or removes one.
using Members = std::map<std::string, std::string>;

/// [[0, .5, 0], [0, 0, 0], [1, 0, 2]]
Members good() {
  return {{"format.npy", npy("|S3", {}, "csr")},
          {"shape.npy", npy("<i8", {2}, raw<std::int64_t>({3, 3}))},
          {"indptr.npy", npy("<i4", {4}, raw<std::int32_t>({0, 1, 1, 3}))},
          {"indices.npy", npy("<i4", {3}, raw<std::int32_t>({1, 0, 2}))},
          {"data.npy", npy("<f4", {3}, raw<float>({0.5F, 1.0F, 2.0F}))}};
}

Graph good_graph() { return Graph(3, {0, 1, 1, 3}, {1, 0, 2}, {0.5F, 1.0F, 2.0F}); }

Members with(const std::string& name, const std::string& content) {
  Members members = good();
  members[name] = content;
  return members;
}

void write_zip(const fs::path& path, const Members& members, bool compressed,
               std::uint32_t zip64_from = graft::detail::kZipNarrowMost) {
  graft::detail::AtomicFile file("test", path);
  graft::detail::ZipWriter zip("test", file, zip64_from);
  for (const auto& [name, content] : members) {
    zip.begin_member(name, static_cast<std::int64_t>(content.size()), compressed);
    zip.write(std::as_bytes(std::span(content)));
    zip.end_member();
  }
  zip.finish();
  file.commit();
}

std::string zip_bytes(const Members& members, bool compressed) {
  const TempDir dir;
  write_zip(dir / "a.npz", members, compressed);
  return read_bytes(dir / "a.npz");
}

void refused_bytes(const std::string& bytes, std::initializer_list<const char*> parts) {
  const TempDir dir;
  write_bytes(dir / "bad.npz", bytes);
  expect_error<FormatError>([&] { load_npz(dir / "bad.npz"); }, {"load_npz", "bad.npz"});
  expect_error<FormatError>([&] { load_npz(dir / "bad.npz"); }, parts);
}

void refused(const Members& members, std::initializer_list<const char*> parts) {
  for (const bool compressed : {false, true}) refused_bytes(zip_bytes(members, compressed), parts);
}

Graph loaded(const Members& members) {
  const TempDir dir;
  write_zip(dir / "a.npz", members, true);
  return load_npz(dir / "a.npz");
}

std::string wide(const std::u32string& text) {
  return npy("<U" + std::to_string(text.size()), {}, raw(std::vector<char32_t>(text.begin(), text.end())));
}

/// The position of the n-th `signature` in an archive.
std::size_t record(const std::string& bytes, std::string_view signature, int n = 0) {
  std::size_t at = bytes.find(signature);
  for (; n > 0; --n) at = bytes.find(signature, at + 1);
  REQUIRE(at != std::string::npos);
  return at;
}

constexpr std::string_view kLocal = "PK\x03\x04";
constexpr std::string_view kCentral = "PK\x01\x02";
constexpr std::string_view kEnd = "PK\x05\x06";

/// A copy with little-endian bytes replaced.
std::string patched(std::string bytes, std::size_t at, std::uint64_t value, std::size_t size) {
  for (std::size_t b = 0; b < size; ++b) bytes.at(at + b) = static_cast<char>((value >> (8 * b)) & 0xFFU);
  return bytes;
}

}  // namespace

TEST_CASE("load_npz: reads what SciPy wrote") {
  const TempDir dir;
  write_bytes(dir / "scipy.npz", from_hex(kFromScipy));
  const StoredGraph stored = load_npz_with_provenance(dir / "scipy.npz");
  CHECK(stored.graph == good_graph());
  CHECK(stored.provenance.empty());
}

TEST_CASE("npz: a saved graph comes back with equal bits, compressed or not") {
  const TempDir dir;
  const float least = std::numeric_limits<float>::denorm_min();
  for (const Graph& graph : {Graph(), Graph(4), good_graph(), Graph::identity(70000, -0.1F),
                             Graph(2, {0, 2, 3}, {0, 1, 1}, {least, -0.0F, std::numeric_limits<float>::max()})}) {
    for (const bool compressed : {false, true}) {
      save_npz(dir / "g.npz", graph, {}, compressed);
      const Graph back = load_npz(dir / "g.npz");
      CHECK(back == graph);
      const auto bits = std::as_bytes(graph.weights());
      CHECK(std::equal(bits.begin(), bits.end(), std::as_bytes(back.weights()).begin()));
    }
  }
  CHECK(dir.entries() == 1);
}

TEST_CASE("save_npz: a view without nodes and without offsets is an empty graph") {
  const TempDir dir;
  save_npz(dir / "g.npz", graft::GraphView{});
  CHECK(load_npz(dir / "g.npz") == Graph());
}

TEST_CASE("save_npz: a view that breaks an invariant is refused before anything is written") {
  const TempDir dir;
  const std::vector<std::int64_t> offsets = {0, 1};
  const std::vector<std::int32_t> columns = {1};
  const std::vector<float> weights = {1.0F};
  CHECK_THROWS_AS(save_npz(dir / "g.npz", graft::GraphView{1, offsets, columns, weights}), InvalidArgument);
  CHECK(dir.entries() == 0);
}

TEST_CASE("save_npz: the members are SciPy's, in its order, dated 1980, with elements at a multiple of 64") {
  const TempDir dir;
  save_npz(dir / "g.npz", good_graph(), {{"b", "2"}, {"a", "1"}}, false);
  const std::string bytes = read_bytes(dir / "g.npz");
  const std::vector<std::string> names = {"indices.npy", "indptr.npy",  "format.npy", "shape.npy",
                                          "data.npy",    "graft_a.npy", "graft_b.npy"};
  std::size_t at = 0;
  for (const std::string& name : names) {
    REQUIRE(bytes.substr(at, 4) == kLocal);
    CHECK(bytes.substr(at + 8, 6) == std::string("\0\0\0\0\x21\0", 6));  // method, time, date
    CHECK(bytes.substr(at + 30, name.size()) == name);
    const std::string npy_bytes = bytes.substr(at + 30 + name.size());
    CHECK(npy_bytes.substr(0, 6) == "\x93NUMPY");
    CHECK((10 + static_cast<unsigned char>(npy_bytes[8]) + 256 * static_cast<unsigned char>(npy_bytes[9])) % 64 == 0);
    at = bytes.find(name == names.back() ? kCentral : kLocal, at + 4);
  }
  CHECK(bytes.find("'descr': '<i4'") != std::string::npos);
  CHECK(bytes.find("'descr': '|S3', 'fortran_order': False, 'shape': (), }") != std::string::npos);
  CHECK(bytes.find("'descr': '<U1', 'fortran_order': False, 'shape': (), }") != std::string::npos);
}

TEST_CASE("save_npz: the same arguments give the same bytes") {
  const TempDir dir;
  const Provenance provenance = {{"options", "{\"k\": 10}"}, {"version", "0.1.0"}};
  for (const bool compressed : {false, true}) {
    save_npz(dir / "a.npz", good_graph(), provenance, compressed);
    save_npz(dir / "b.npz", good_graph(), provenance, compressed);
    CHECK(read_bytes(dir / "a.npz") == read_bytes(dir / "b.npz"));
  }
}

TEST_CASE("npz: provenance comes back, whatever its characters") {
  const TempDir dir;
  const Provenance provenance = {{"empty", ""},
                                 {"text", "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 \xEE\x80\x80 \xF4\x8F\xBF\xBF"},
                                 {"lines", "a\nb\tc"},
                                 {"A.b_c-9", std::string(100000, 'x')}};
  for (const bool compressed : {false, true}) {
    save_npz(dir / "g.npz", good_graph(), provenance, compressed);
    const StoredGraph stored = load_npz_with_provenance(dir / "g.npz");
    CHECK(stored.graph == good_graph());
    CHECK(stored.provenance == provenance);
  }
}

TEST_CASE("save_npz: provenance that cannot be stored is refused") {
  const TempDir dir;
  const auto save = [&](const std::string& key, const std::string& value) {
    return [&dir, key, value] { save_npz(dir / "g.npz", good_graph(), {{key, value}}); };
  };
  for (const std::string& key :
       {std::string(), std::string("a b"), std::string("a/b"), std::string("\xC3\xA9"), std::string(256, 'k')}) {
    expect_error<InvalidArgument>(save(key, "v"), {"save_npz", "provenance key", "[A-Za-z0-9_.-]"});
  }
  for (const std::string& value :
       {std::string("\xFF"), std::string("\xC3"), std::string("\xC0\x80"), std::string("\xED\xA0\x80"),
        std::string("\xF4\x90\x80\x80"), std::string("a\0b", 3)}) {
    expect_error<InvalidArgument>(save("key", value), {"save_npz", "provenance key", "UTF-8"});
  }
  CHECK(dir.entries() == 0);
}

TEST_CASE("load_npz: int32 and int64 indices and every number type give the same graph") {
  for (const bool swapped : {false, true}) {
    const std::string order = swapped ? ">" : "<";
    const auto bytes = [&](const std::string& data, std::size_t size) { return swapped ? reversed(data, size) : data; };
    const std::map<std::string, std::string> data = {
        {order + "f2", bytes(raw<std::uint16_t>({0x3C00, 0x4000, 0x4200}), 2)},
        {order + "f4", bytes(raw<float>({1, 2, 3}), 4)},
        {order + "f8", bytes(raw<double>({1, 2, 3}), 8)},
        {order + "i2", bytes(raw<std::int16_t>({1, 2, 3}), 2)},
        {order + "u2", bytes(raw<std::uint16_t>({1, 2, 3}), 2)},
        {order + "i4", bytes(raw<std::int32_t>({1, 2, 3}), 4)},
        {order + "u4", bytes(raw<std::uint32_t>({1, 2, 3}), 4)},
        {order + "i8", bytes(raw<std::int64_t>({1, 2, 3}), 8)},
        {order + "u8", bytes(raw<std::uint64_t>({1, 2, 3}), 8)},
        {"|i1", "\1\2\3"},
        {"|u1", "\1\2\3"}};
    const Graph expected(3, {0, 1, 1, 3}, {1, 0, 2}, {1, 2, 3});
    for (const auto& [descr, content] : data) {
      INFO(descr);
      Members members = with("data.npy", npy(descr, {3}, content));
      CHECK(loaded(members) == expected);
      members["indptr.npy"] = npy(order + "i8", {4}, bytes(raw<std::int64_t>({0, 1, 1, 3}), 8));
      members["indices.npy"] = npy(order + "i8", {3}, bytes(raw<std::int64_t>({1, 0, 2}), 8));
      members["shape.npy"] = npy(order + "i4", {2}, bytes(raw<std::int32_t>({3, 3}), 4));
      CHECK(loaded(members) == expected);
    }
  }
  CHECK(loaded(with("data.npy", npy("|b1", {3}, std::string("\1\0\1", 3)))) ==
        Graph(3, {0, 1, 1, 3}, {1, 0, 2}, {1, 0, 1}));
}

TEST_CASE("load_npz: a unicode format, and members that graft does not know, are fine") {
  Members members = with("format.npy", wide(U"csr"));
  members["_is_array.npy"] = npy("|b1", {}, "\1");
  members["other"] = "not an array";
  members["graft_.npy"] = "no key";
  members["graft_a b.npy"] = "not one of graft's keys";
  const TempDir dir;
  write_zip(dir / "a.npz", members, true);
  const StoredGraph stored = load_npz_with_provenance(dir / "a.npz");
  CHECK(stored.graph == good_graph());
  CHECK(stored.provenance.empty());
}

TEST_CASE("load_npz: unsorted and repeated columns are mended or refused, as the caller says") {
  Members members = with("indices.npy", npy("<i4", {3}, raw<std::int32_t>({1, 2, 0})));
  const TempDir dir;
  write_zip(dir / "a.npz", members, true);
  CHECK(load_npz(dir / "a.npz") == Graph(3, {0, 1, 1, 3}, {1, 0, 2}, {0.5F, 2.0F, 1.0F}));
  expect_error<FormatError>([&] { load_npz(dir / "a.npz", Unsorted::refuse); }, {"a.npz", "row 2", "ascend"});
  members["indices.npy"] = npy("<i4", {3}, raw<std::int32_t>({1, 2, 2}));
  write_zip(dir / "a.npz", members, true);
  CHECK(load_npz(dir / "a.npz") == Graph(3, {0, 1, 1, 2}, {1, 2}, {0.5F, 3.0F}));
  members["data.npy"] = npy("<f4", {3}, raw<float>({1.0F, 3e38F, 3e38F}));
  write_zip(dir / "a.npz", members, true);
  expect_error<FormatError>([&] { load_npz(dir / "a.npz"); }, {"a.npz", "weights", "finite"});
}

TEST_CASE("load_npz: what is no square CSR matrix is refused") {
  refused(with("format.npy", npy("|S3", {}, "csc")), {"member format.npy", "\"csc\"", ".tocsr()"});
  refused(with("format.npy", wide(U"coo")), {"\"coo\"", ".tocsr()"});
  refused(with("format.npy", npy("<i4", {}, raw<std::int32_t>({1}))), {"member format.npy", "must be one string"});
  refused(with("format.npy", wide({U'c', static_cast<char32_t>(0x110000)})), {"code point", "not Unicode"});
  refused(with("shape.npy", npy("<i8", {2}, raw<std::int64_t>({3, 4}))), {"member shape.npy", "(3, 4)", "square"});
  refused(with("shape.npy", npy("<i8", {2}, raw<std::int64_t>({-3, -3}))), {"(-3, -3)"});
  refused(with("shape.npy", npy("<i8", {2}, raw<std::int64_t>({1LL << 31, 1LL << 31}))), {"2147483648", "2147483647"});
  refused(with("shape.npy", npy("<i8", {3}, raw<std::int64_t>({3, 3, 3}))), {"member shape.npy", "two numbers"});
  refused(with("shape.npy", npy("<f8", {2}, raw<double>({3, 3}))), {"member shape.npy", "int32 or int64"});
  for (const char* name : {"format.npy", "shape.npy", "indptr.npy", "indices.npy", "data.npy"}) {
    Members members = good();
    members.erase(name);
    refused(members, {name, "missing", "save_npz"});
  }
}

TEST_CASE("load_npz: offsets, columns and weights that break an invariant are refused with their position") {
  const auto indptr = [](const std::vector<std::int32_t>& values) {
    return with("indptr.npy", npy("<i4", {static_cast<std::int64_t>(values.size())}, raw(values)));
  };
  refused(indptr({0, 1, 3}), {"member indptr.npy", "length = 3", "rows + 1 = 4"});
  refused(indptr({1, 1, 1, 3}), {"indptr[0] = 1", "must be 0"});
  refused(indptr({-1, 1, 1, 3}), {"indptr[0] = -1", "must be 0"});
  refused(indptr({0, 2, 1, 3}), {"indptr[2] = 1", "the offset before it, 2"});
  refused(indptr({0, 1, 1, 4}), {"member indices.npy", "length = 3", "last number of indptr, 4"});
  refused(indptr({0, 1, 1, 2}), {"member indices.npy", "length = 3", "last number of indptr, 2"});
  refused(with("indptr.npy", npy("<i4", {2, 2}, raw<std::int32_t>({0, 1, 1, 3}))), {"indptr.npy", "1 dimension"});
  refused(with("indptr.npy", npy("<u4", {4}, raw<std::uint32_t>({0, 1, 1, 3}))), {"'<u4'", "int32 or int64"});
  refused(with("indices.npy", npy("<i4", {3}, raw<std::int32_t>({1, 0, 3}))), {"indices[2] = 3", "[0, 3)"});
  refused(with("indices.npy", npy("<i4", {3}, raw<std::int32_t>({1, -1, 2}))), {"indices[1] = -1", "[0, 3)"});
  refused(with("indices.npy", npy("<i8", {3}, raw<std::int64_t>({1, 1LL << 32, 2}))), {"indices[1] = 4294967296"});
  refused(with("data.npy", npy("<f4", {2}, raw<float>({1, 2}))), {"member data.npy", "length = 2", "indptr, 3"});
  refused(with("data.npy", npy("<f4", {3, 1}, raw<float>({1, 2, 3}))), {"member data.npy", "1 dimension"});
  refused(with("data.npy", npy("<f4", {3}, raw<float>({1, std::nanf(""), 2}))), {"data[1] = nan", "finite"});
  refused(with("data.npy", npy("<f8", {3}, raw<double>({1, 2, -1e300}))), {"data[2] = -inf", "finite in float32"});
  refused(with("data.npy", npy("<c8", {3}, std::string(24, '\0'))), {"member data.npy", "<c8"});
  refused(with("data.npy", npy("|O", {3}, "pickle")), {"member data.npy", "pickled"});
  refused(with("data.npy", "junk"), {"member data.npy", "\"junk\"", "not a .npy array"});
}

TEST_CASE("load_npz: provenance that is no string is refused by the reader that asks for it") {
  const TempDir dir;
  write_zip(dir / "a.npz", with("graft_key.npy", npy("<i4", {1}, raw<std::int32_t>({1}))), true);
  CHECK(load_npz(dir / "a.npz") == good_graph());
  expect_error<FormatError>([&] { load_npz_with_provenance(dir / "a.npz"); }, {"graft_key.npy", "one string"});
}

TEST_CASE("load_npz: provenance that save_npz could not store again is refused by the reader that asks for it") {
  const TempDir dir;
  const auto refused_text = [&](const std::string& member) {
    write_zip(dir / "a.npz", with("graft_key.npy", member), true);
    CHECK(load_npz(dir / "a.npz") == good_graph());
    expect_error<FormatError>([&] { load_npz_with_provenance(dir / "a.npz"); }, {"graft_key.npy", "UTF-8 without NUL"});
  };
  refused_text(npy("|S2", {}, "\xFF\x61"));
  refused_text(npy("|S3", {}, std::string("a\0b", 3)));
  refused_text(npy("<U3", {}, raw<std::uint32_t>({'a', 0, 'b'})));
}

TEST_CASE("load_npz: what is no complete zip archive is refused") {
  const std::string bytes = zip_bytes(good(), true);
  refused_bytes("", {"first bytes", "not a zip archive"});
  refused_bytes(npy("<f4", {1}, "abcd"), {"\\x93NUMPY", "not a zip archive"});
  refused_bytes(bytes.substr(0, bytes.size() - 1), {"truncated or has trailing bytes"});
  refused_bytes(bytes.substr(0, 300), {"truncated or has trailing bytes"});
  refused_bytes(bytes + "x", {"truncated or has trailing bytes"});
  refused_bytes("prefix" + bytes, {"zip directory", "must end where its end record begins"});
}

TEST_CASE("load_npz: an archive comment is fine") {
  const std::string bytes = zip_bytes(good(), true);
  const TempDir dir;
  write_bytes(dir / "a.npz", patched(bytes, record(bytes, kEnd) + 20, 7, 2) + "comment");
  CHECK(load_npz(dir / "a.npz") == good_graph());
}

TEST_CASE("load_npz: a damaged directory is refused") {
  const std::string bytes = zip_bytes(good(), true);
  const std::size_t end = record(bytes, kEnd);
  const std::size_t central = record(bytes, kCentral);  // data.npy
  refused_bytes(patched(bytes, end + 10, 6, 2), {"zip directory", "5 members", "the 6"});
  refused_bytes(patched(bytes, end + 12, 1000000, 4), {"zip directory", "1000000 bytes"});
  refused_bytes(patched(bytes, end + 16, 0xFFFFFFF0, 4), {"zip directory", "4294967280"});
  refused_bytes(patched(bytes, end + 4, 1, 2), {"disk"});
  refused_bytes(patched(bytes, central, 0, 4), {"zip directory", "member 0", "signature"});
  refused_bytes(patched(bytes, central + 28, 60000, 2), {"zip directory", "over the directory's end"});
  refused_bytes(patched(bytes, central + 42, 0x7FFFFFFF, 4), {"data.npy", "must lie before"});
  refused_bytes(patched(bytes, central + 42, 0xFFFFFFFF, 4), {"data.npy", "lacks its zip64 sizes"});
  refused_bytes(patched(bytes, central + 20, 100000, 4), {"data.npy", "must lie before"});
}

TEST_CASE("load_npz: two members of one name are refused") {
  Members members = good();
  members["dataX.npy"] = members["data.npy"];
  members.erase("data.npy");
  members["data0.npy"] = members["dataX.npy"];
  std::string bytes = zip_bytes(members, true);
  for (std::size_t at = bytes.find("dataX"); at != std::string::npos; at = bytes.find("dataX", at)) bytes[at + 4] = '0';
  refused_bytes(bytes, {"data0.npy", "twice"});
}

TEST_CASE("load_npz: members that share bytes are refused") {
  const std::string bytes = zip_bytes(good(), false);
  const std::size_t second = record(bytes, kCentral, 1);
  refused_bytes(patched(bytes, second + 42, 1, 4), {"must lie before the next member"});
}

TEST_CASE("load_npz: a damaged member is refused") {
  for (const bool compressed : {false, true}) {
    const std::string bytes = zip_bytes(good(), compressed);
    const std::size_t central = record(bytes, kCentral);  // data.npy, the first member
    const std::size_t local = record(bytes, kLocal);
    const std::uint32_t packed = static_cast<unsigned char>(bytes[central + 20]);
    refused_bytes(patched(bytes, central + 16, 12345, 4), {"member data.npy", "CRC-32", "12345", "damaged"});
    refused_bytes(patched(bytes, central + 8, 1, 2), {"member data.npy", "encrypted"});
    refused_bytes(patched(bytes, central + 10, 14, 2), {"member data.npy", "method = 14"});
    refused_bytes(patched(bytes, central + 20, packed - 1, 4), {"member data.npy"});
    refused_bytes(patched(bytes, central + 24, 141, 4), {"member data.npy"});
    refused_bytes(patched(bytes, central + 24, 139, 4), {"member data.npy"});
    refused_bytes(patched(bytes, local, 0, 4), {"member data.npy", "local header", "signature"});
    refused_bytes(patched(bytes, local + 30, 'D', 1), {"member data.npy", "another name"});
    refused_bytes(patched(bytes, local + 26, 7, 2), {"member data.npy", "another name"});
    refused_bytes(patched(bytes, local + 8, 1, 2), {"member data.npy", "another compression method"});
    refused_bytes(patched(bytes, local + 28, 60000, 2), {"member data.npy", "over the end of the members"});
  }
}

TEST_CASE("load_npz: a declared size that deflate cannot reach is refused before it is allocated") {
  const std::string bytes = zip_bytes(good(), true);
  const std::size_t central = record(bytes, kCentral);
  refused_bytes(patched(bytes, central + 24, 0xF0000000, 4), {"member data.npy", "4026531840", "1032"});
}

TEST_CASE("ZipMemberSource: content that is longer or shorter than declared is refused, with correct headers or not") {
  // npy headers that agree with the declared length, so that only the stream itself tells
  const Members members = with("data.npy", npy("<f4", {3}, raw<float>({1, 2, 3})));
  const std::string bytes = zip_bytes(members, true);
  const std::size_t central = record(bytes, kCentral);
  const TempDir dir;
  const auto read_all = [&](std::uint64_t size) {
    write_bytes(dir / "a.npz", patched(bytes, central + 24, size, 4));
    const graft::detail::FileReader file("test", dir / "a.npz");
    const graft::detail::ZipReader zip(file);
    graft::detail::ZipMemberSource source(zip, *zip.find("data.npy"));
    std::string content(size, ' ');
    source.read(std::as_writable_bytes(std::span(content)));
    source.finish();
    return content;
  };
  CHECK(read_all(140) == members.at("data.npy"));
  expect_error<FormatError>([&] { read_all(139); }, {"member data.npy", "inflates to more bytes"});
  expect_error<FormatError>([&] { read_all(141); }, {"member data.npy", "inflates to fewer bytes"});
  expect_error<FormatError>([&] { read_all(0); }, {"member data.npy", "inflates to more bytes"});
}

TEST_CASE("zip64: records of wide sizes and offsets are written and read") {
  const TempDir dir;
  for (const std::uint32_t from : {0U, 700U, 1200U, 1600U, 2600U}) {
    for (const bool compressed : {false, true}) {
      write_zip(dir / "wide.npz", good(), compressed, from);
      CHECK(load_npz(dir / "wide.npz") == good_graph());
    }
  }
  write_zip(dir / "wide.npz", good(), true, 0);
  const std::string bytes = read_bytes(dir / "wide.npz");
  CHECK(bytes.find("PK\x06\x06") != std::string::npos);
  CHECK(bytes.find("PK\x06\x07") != std::string::npos);
  const std::size_t locator = record(bytes, "PK\x06\x07");
  const std::size_t end64 = record(bytes, "PK\x06\x06");
  refused_bytes(patched(bytes, locator + 8, 1ULL << 62U, 8), {"zip64 end record", "before its locator"});
  refused_bytes(patched(bytes, locator + 8, ~0ULL, 8), {"zip64 end record", "before its locator"});
  refused_bytes(patched(bytes, locator + 8, 4, 8), {"zip64 end record", "signature"});
  refused_bytes(patched(bytes, end64 + 40, ~0ULL, 8), {"zip directory"});
  refused_bytes(patched(bytes, end64 + 48, 1ULL << 63U, 8), {"zip directory"});
  const std::size_t extra = record(bytes, kCentral) + 46 + std::string_view("data.npy").size() + 4;
  refused_bytes(patched(bytes, extra, 1ULL << 62U, 8), {"member data.npy", "1032"});
  refused_bytes(patched(bytes, extra + 8, ~0ULL, 8), {"data.npy", "must lie before"});
  refused_bytes(patched(bytes, extra + 16, ~0ULL, 8), {"data.npy", "must lie before"});
}

TEST_CASE("load_npz: paths that are no readable regular file are I/O errors") {
  const TempDir dir;
  expect_error<IoError>([&] { load_npz(dir / "absent.npz"); }, {"load_npz", "absent.npz", "No such file"});
  expect_error<IoError>([&] { load_npz(dir.path()); }, {"Is a directory"});
  REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
  expect_error<IoError>([&] { load_npz(dir / "pipe"); }, {"regular file"});
  expect_error<IoError>([&] { save_npz(dir / "absent/g.npz", good_graph()); }, {"save_npz", "absent/g.npz"});
  expect_error<IoError>([&] { save_npz("/dev/null", good_graph()); }, {"save_npz", "/dev/null", "no regular file"});
}

TEST_CASE("load_npz: no damage to a file does worse than a graft::Error") {
  const TempDir dir;
  for (const bool compressed : {false, true}) {
    save_npz(dir / "valid.npz", good_graph(), {{"key", "value"}}, compressed);
    const std::string valid = read_bytes(dir / "valid.npz");
    const std::size_t refused_copies = graft::test::read_damaged(
        dir / "a.npz", valid, [](const auto& path) { return load_npz_with_provenance(path); });
    CHECK(refused_copies > 3 * valid.size());  // fields that no reader needs (dates, attributes) may hold anything
  }
}

}  // namespace npz_test
