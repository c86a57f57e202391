#include <graft/io/inter.hpp>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "../support/files.hpp"

using graft::FormatError;
using graft::Interactions;
using graft::interactions_of;
using graft::InterTable;
using graft::InvalidArgument;
using graft::IoError;
using graft::read_inter;
using graft::read_inter_table;
using graft::Split;
using graft::test::expect_error;
using graft::test::TempDir;
using graft::test::write_bytes;

namespace inter_test {
namespace {

using Ids = std::vector<std::int32_t>;

const std::string kHeader = "userID\titemID\tx_label\n";

InterTable table_of(const std::string& text) {
  const TempDir dir;
  write_bytes(dir / "a.inter", text);
  return read_inter_table(dir / "a.inter");
}

void refused(const std::string& text, std::initializer_list<const char*> parts) {
  const TempDir dir;
  write_bytes(dir / "bad.inter", text);
  expect_error<FormatError>([&] { read_inter_table(dir / "bad.inter"); }, {"read_inter", "bad.inter"});
  expect_error<FormatError>([&] { read_inter_table(dir / "bad.inter"); }, parts);
}

}  // namespace

TEST_CASE("read_inter_table: rows of all splits in the file's order") {
  const InterTable table = table_of(kHeader + "0\t5\t0\n2\t1\t1\n1\t0\t2\n0\t5\t0\n");
  CHECK(table.users == Ids{0, 2, 1, 0});
  CHECK(table.items == Ids{5, 1, 0, 5});
  CHECK(table.labels == std::vector{Split::train, Split::valid, Split::test, Split::train});
  CHECK(table.has_labels);
  CHECK(table.user_count == 3);
  CHECK(table.item_count == 6);
  CHECK(table.split_rows == std::array<std::int64_t, 3>{2, 1, 1});
  CHECK(table.notices.empty());
}

TEST_CASE("read_inter_table: columns in any order, others ignored") {
  const InterTable table = table_of("rating\tx_label\titemID\ttimestamp\tuserID\n5.0\t1\t7\t99\t3\n\t0\t8\tx y\t4\n");
  CHECK(table.users == Ids{3, 4});
  CHECK(table.items == Ids{7, 8});
  CHECK(table.labels == std::vector{Split::valid, Split::train});
}

TEST_CASE("read_inter_table: without x_label every row is training, with a notice") {
  const InterTable table = table_of("userID\titemID\n0\t0\n1\t1\n");
  CHECK_FALSE(table.has_labels);
  CHECK(table.split_rows == std::array<std::int64_t, 3>{2, 0, 0});
  REQUIRE(table.notices.size() == 1);
  CHECK(table.notices[0].find("no x_label column") != std::string::npos);
}

TEST_CASE("read_inter_table: CRLF, a byte-order mark, blank lines at the end and a missing last newline are fine") {
  for (const char* text : {"userID\titemID\tx_label\r\n3\t4\t1\r\n", "\xEF\xBB\xBFuserID\titemID\tx_label\n3\t4\t1\n",
                           "userID\titemID\tx_label\n3\t4\t1\n\n\r\n\n", "userID\titemID\tx_label\n3\t4\t1",
                           "userID\titemID\tx_label\r\n0003\t4\t1\r"}) {
    const InterTable table = table_of(text);
    CHECK(table.users == Ids{3});
    CHECK(table.items == Ids{4});
    CHECK(table.labels == std::vector{Split::valid});
  }
}

TEST_CASE("read_inter_table: a header without rows is an empty table, with a notice") {
  for (const std::string& text : {std::string("userID\titemID\tx_label"), kHeader, kHeader + "\n\n"}) {
    const InterTable table = table_of(text);
    CHECK(table.users.empty());
    CHECK(table.item_count == 0);
    REQUIRE(table.notices.size() == 1);
    CHECK(table.notices[0].find("no row") != std::string::npos);
  }
}

TEST_CASE("read_inter_table: headers without the columns are refused") {
  refused("", {"0 bytes", "header line"});
  refused("\n" + kHeader, {"line 1", "userID"});
  refused("userID\trating\n0\t1\n", {"line 1", "column itemID", "userID\\x09rating"});
  refused("itemID\n0\n", {"line 1", "column userID"});
  refused("userID,itemID\n0,1\n", {"line 1", "tabs"});
  refused("userID\titemID\tuserID\n0\t1\t2\n", {"line 1", "userID twice"});
  refused("userID\titemID\tx_label\tx_label\n", {"x_label twice"});
  refused("userID \titemID\n", {"column userID"});
  refused("userID\titemID\r0\t1\r", {"column itemID"});
}

TEST_CASE("read_inter_table: rows of another number of fields are refused with their line") {
  refused(kHeader + "0\t1\t0\n0\t1\n", {"line 3", "2 tab-separated field(s)", "must have 3"});
  refused(kHeader + "0\t1\t0\t5\n", {"line 2", "4 tab-separated field(s)", "must have 3"});
  refused(kHeader + "0 1 0\n", {"line 2", "1 tab-separated field(s)"});
  refused(kHeader + "0\t1\t0\n\n1\t1\t0\n", {"line 3", "blank"});
  refused(kHeader + "0\t1\t0\n\r\n\n1\t1\t0\n", {"line 3", "blank"});
}

TEST_CASE("read_inter_table: ids must be plain decimal integers; the field is quoted") {
  refused(kHeader + "0\t1\t0\nA1B2\t1\t0\n", {"line 3", "userID = \"A1B2\"", "decimal integer", "graft prepare split"});
  refused(kHeader + "0\t-1\t0\n", {"line 2", "itemID = \"-1\""});
  refused(kHeader + "+1\t1\t0\n", {"\"+1\""});
  refused(kHeader + " 1\t1\t0\n", {"\" 1\""});
  refused(kHeader + "1.0\t1\t0\n", {"\"1.0\""});
  refused(kHeader + "1e3\t1\t0\n", {"\"1e3\""});
  refused(kHeader + "\t1\t0\n", {"userID = \"\""});
  refused(kHeader + std::string("1\0\t1\t0\n", 7), {"\"1\\x00\""});
  refused(kHeader + "\xC3\xA9\"\\\t1\t0\n", {"\"\\xc3\\xa9\\\"\\\\\""});
  refused(kHeader + std::string(100, 'z') + "\t1\t0\n", {"\"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz...\""});
}

TEST_CASE("read_inter_table: ids over 2^31 - 2 are refused while they are parsed") {
  refused(kHeader + "0\t2147483647\t0\n", {"line 2", "itemID = \"2147483647\"", "at most 2147483646"});
  refused(kHeader + "18446744073709551616\t0\t0\n", {"line 2", "userID", "at most 2147483646", "graft prepare split"});
  refused(kHeader + std::string(5000, '9') + "\t0\t0\n", {"at most 2147483646"});
}

TEST_CASE("read_inter_table: an id over max(2^20, 64 rows) is refused with the first line that has one") {
  CHECK(table_of(kHeader + "0\t1048576\t0\n").item_count == 1048577);
  refused(kHeader + "0\t1\t0\n0\t1048577\t0\n7\t2000000\t0\n",
          {"line 3: itemID = 1048577", "at most 1048576", "3 rows", "graft prepare split"});
  refused(kHeader + "2147483646\t1\t0\n", {"line 2: userID = 2147483646"});

  std::string many = kHeader;
  for (int r = 0; r < 20000; ++r) many += "1\t1\t0\n";
  CHECK(table_of(many + "1280064\t1\t0\n").user_count == 1280065);
  refused(many + "1280065\t1\t0\n", {"line 20002: userID = 1280065", "at most 1280064", "20001 rows"});
}

TEST_CASE("read_inter_table: x_label must be 0, 1 or 2") {
  for (const char* label : {"3", "-1", "", "0.0", "01", "train", " 0"}) {
    refused(kHeader + "0\t1\t" + label + "\n", {"line 2: x_label", "0 (train), 1 (validation) or 2 (test)"});
  }
}

TEST_CASE("read_inter_table: lines that cross the borders of read pieces are read whole") {
  // lines of varied length, over two borders of 2^20 bytes
  std::string text = "userID\titemID\tnote\n";
  std::int64_t rows = 0;
  for (; text.size() < 5U << 19U; ++rows) {
    text += std::to_string(rows % 1000) + "\t" + std::to_string(rows % 777) + "\t" +
            std::string(static_cast<std::size_t>(rows % 61), 'n') + "\n";
  }
  const InterTable table = table_of(text);
  REQUIRE(static_cast<std::int64_t>(table.users.size()) == rows);
  std::int64_t wrong = 0;
  for (std::int64_t r = 0; r < rows; ++r) {
    wrong += table.users[static_cast<std::size_t>(r)] == r % 1000 ? 0 : 1;
    wrong += table.items[static_cast<std::size_t>(r)] == r % 777 ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("read_inter_table: a line of 2^20 bytes is read, a longer one is refused") {
  const std::string header = "note\tuserID\titemID\n";
  const std::string row = std::string((1U << 20U) - 4, 'n') + "\t3\t4";
  for (const std::string& text :
       {header + row, header + row + "\n1\t1\t1\n", header + "\t0\t0\n" + row + "\n\t5\t5\n"}) {
    CHECK(table_of(text).users.size() >= 1);
  }
  refused(header + "n" + row, {"line 2", "longer than 1048576 bytes"});
  refused(header + "n" + row + "\n", {"line 2", "longer than 1048576 bytes"});
  refused(header + "\t0\t0\n" + std::string(1U << 22U, '0'), {"line 3", "longer than 1048576 bytes"});
  refused(std::string(3U << 20U, 'x'), {"line 1", "longer than 1048576 bytes"});
}

TEST_CASE("read_inter: takes the training rows unless another split is named") {
  const TempDir dir;
  write_bytes(dir / "a.inter", kHeader + "0\t0\t0\n0\t1\t1\n1\t4\t2\n1\t0\t0\n0\t0\t0\n");
  const Interactions train = read_inter(dir / "a.inter");
  CHECK(train.users() == 2);
  CHECK(train.items() == 5);  // over all splits
  CHECK(train.size() == 2);
  CHECK(train.duplicates() == 1);
  CHECK(train.degree(0) == 2);
  CHECK(train.degree(4) == 0);
  CHECK(read_inter(dir / "a.inter", {.split = Split::valid}).degree(1) == 1);
  CHECK(read_inter(dir / "a.inter", {.split = Split::test}).degree(4) == 1);
  CHECK(read_inter(dir / "a.inter", {.split = Split::all}).size() == 4);
  const Interactions wide = read_inter(dir / "a.inter", {.items = 9, .users = 3});
  CHECK(wide.items() == 9);
  CHECK(wide.users() == 3);
}

TEST_CASE("read_inter: an id beyond the given sizes is refused with its line, in any split") {
  const TempDir dir;
  write_bytes(dir / "a.inter", kHeader + "0\t0\t0\n0\t7\t2\n9\t8\t0\n");
  expect_error<FormatError>([&] { read_inter(dir / "a.inter", {.items = 7}); },
                            {"a.inter", "line 3: itemID = 7", "number of items, 7"});
  expect_error<FormatError>([&] { read_inter(dir / "a.inter", {.users = 9}); },
                            {"line 4: userID = 9", "number of users, 9"});
  expect_error<FormatError>([&] { read_inter(dir / "a.inter", {.items = 0}); }, {"line 2: itemID = 0"});
  CHECK(read_inter(dir / "a.inter", {.items = 9, .users = 10}).size() == 2);
}

TEST_CASE("read_inter: options out of range are refused") {
  const TempDir dir;
  write_bytes(dir / "a.inter", kHeader + "0\t0\t0\n");
  expect_error<InvalidArgument>([&] { read_inter(dir / "a.inter", {.items = -2}); }, {"options.items = -2"});
  expect_error<InvalidArgument>([&] { read_inter(dir / "a.inter", {.users = std::int64_t{1} << 31}); },
                                {"options.users = 2147483648"});
  expect_error<InvalidArgument>([&] { read_inter(dir / "a.inter", {.split = static_cast<Split>(4)}); },
                                {"options.split = 4"});
}

TEST_CASE("interactions_of: a table gives what its file gives") {
  const InterTable table = table_of(kHeader + "0\t0\t0\n0\t1\t1\n1\t4\t2\n");
  CHECK(interactions_of(table).size() == 1);
  CHECK(interactions_of(table).items() == 5);
  CHECK(interactions_of(table, {.split = Split::all}).size() == 3);
  expect_error<InvalidArgument>([&] { interactions_of(table, {.items = 4}); }, {"items[2] = 4", "below 4"});
  expect_error<InvalidArgument>([&] { interactions_of(table, {.users = 1}); }, {"users[2] = 1", "below 1"});
  InterTable crooked = table;
  crooked.labels.pop_back();
  expect_error<InvalidArgument>([&] { interactions_of(crooked); }, {"table", "3 users"});
}

TEST_CASE("read_inter_table: paths that are no readable regular file are I/O errors") {
  const TempDir dir;
  expect_error<IoError>([&] { read_inter_table(dir / "absent"); }, {"read_inter", "absent", "No such file"});
  expect_error<IoError>([&] { read_inter_table(dir.path()); }, {"Is a directory"});
  REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
  expect_error<IoError>([&] { read_inter_table(dir / "pipe"); }, {"regular file"});
}

TEST_CASE("read_inter: no damage to a file does worse than a graft::Error") {
  const TempDir dir;
  const std::string valid = kHeader + "0\t1\t0\n12\t345\t1\n7\t8\t2\n";
  const std::size_t refused_copies =
      graft::test::read_damaged(dir / "a.inter", valid, [](const auto& path) { return read_inter(path); });
  CHECK(refused_copies > 3 * valid.size());  // cuts at the end of a line are valid files
}

}  // namespace inter_test
