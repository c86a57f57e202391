// Labels from files: three forms, and what is refused.
#include "report/labels.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include <graft/core/error.hpp>
#include <support/files.hpp>

namespace inspect_labels_test {
namespace {

using namespace graft;
using namespace graft::report;
using namespace graft::test;

std::vector<std::string> texts_of(const Labels& labels) {
  std::vector<std::string> texts;
  for (const std::int32_t id : labels.ids) {
    texts.push_back(id < 0 ? "" : labels.names[static_cast<std::size_t>(id)]);
  }
  return texts;
}

/// A one-dimensional .npy of int32.
std::string npy_of(const std::vector<std::int32_t>& values, const std::string& type = "<i4") {
  std::string header =
      "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + std::to_string(values.size()) + ",), }";
  header += std::string(64 - (header.size() + 11) % 64, ' ') + "\n";
  std::string bytes = "\x93NUMPY\x01";
  bytes += '\0';
  bytes += static_cast<char>(header.size());
  bytes += '\0';
  bytes += header;
  for (const std::int32_t value : values) bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  return bytes;
}

TEST_CASE("read_labels: one a line, with or without a last newline, CRLF and a byte-order mark") {
  const TempDir dir;
  const std::vector<std::string> expected{"toys", "", "baby food", "toys"};
  for (const char* content : {"toys\n\nbaby food\ntoys\n", "toys\n\nbaby food\ntoys",
                              "toys\r\n\r\nbaby food\r\ntoys\r\n", "\xEF\xBB\xBFtoys\n\nbaby food\ntoys\n"}) {
    write_bytes(dir / "labels.txt", content);
    CHECK(texts_of(read_labels(dir / "labels.txt", 4)) == expected);
  }
  write_bytes(dir / "labels.txt", "");
  CHECK(read_labels(dir / "labels.txt", 0).names.empty());
}

TEST_CASE("read_labels: a table in any order") {
  const TempDir dir;
  write_bytes(dir / "labels.tsv", "itemID\tlabel\n2\tc\n0\ta\tb\n1\t\n");
  const Labels labels = read_labels(dir / "labels.tsv", 3);
  CHECK(texts_of(labels) == std::vector<std::string>{"a\tb", "", "c"});
}

TEST_CASE("read_labels: an array of integers") {
  const TempDir dir;
  write_bytes(dir / "labels.npy", npy_of({7, -1, 7}));
  CHECK(texts_of(read_labels(dir / "labels.npy", 3)) == std::vector<std::string>{"7", "-1", "7"});
}

TEST_CASE("read_labels: another number of labels is refused with both numbers") {
  const TempDir dir;
  const auto refused = [&](const std::string& content, std::int64_t items, std::initializer_list<const char*> parts) {
    write_bytes(dir / "labels", content);
    expect_error<FormatError>([&] { read_labels(dir / "labels", items); }, parts);
  };
  refused("a\nb\n", 3, {"labels = 2", "3"});
  refused("a\nb\n", 1, {"labels = 2", "1"});
  refused("itemID\tlabel\n0\ta\n", 2, {"labels = 1", "2"});
  refused(npy_of({1, 2, 3}), 2, {"labels = 3", "2"});
}

TEST_CASE("read_labels: rows of a table that name no item, or one twice, are refused with their line") {
  const TempDir dir;
  const auto refused = [&](const std::string& row, std::initializer_list<const char*> parts) {
    write_bytes(dir / "labels", "itemID\tlabel\n0\ta\n" + row + "\n");
    expect_error<FormatError>([&] { read_labels(dir / "labels", 2); }, parts);
  };
  refused("2\tb", {"line 3", "itemID = 2", "below the number of items, 2"});
  refused("-1\tb", {"line 3", "itemID = -1", "whole number"});
  refused("x\tb", {"line 3", "itemID = x"});
  refused("1", {"line 3", "followed by a tab"});
  refused("0\tb", {"line 3", "itemID = 0", "earlier line"});
}

TEST_CASE("read_labels: files that are no labels") {
  const TempDir dir;
  CHECK_THROWS_AS(read_labels(dir / "missing", 1), IoError);
  CHECK_THROWS_AS(read_labels(dir.path(), 1), IoError);
  write_bytes(dir / "labels", npy_of({1, 2}, "<f4"));
  expect_error<FormatError>([&] { read_labels(dir / "labels", 2); }, {"dtype", "int32 or int64"});
}

}  // namespace
}  // namespace inspect_labels_test
