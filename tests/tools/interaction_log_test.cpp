#include "data/interaction_log.hpp"

#include <doctest/doctest.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <graft/core/error.hpp>

#include "data/id_table.hpp"

#include "../support/check.hpp"
#include "../support/files.hpp"

namespace graft::data {
namespace interaction_log_test {
namespace {

using test::expect_error;
using test::TempDir;
using test::write_bytes;

using Texts = std::vector<std::string>;
using Times = std::vector<std::int64_t>;

void write_gzip(const std::filesystem::path& path, const std::string& text) {
  gzFile file = gzopen(path.c_str(), "wb");
  REQUIRE(gzwrite(file, text.data(), static_cast<unsigned>(text.size())) == static_cast<int>(text.size()));
  REQUIRE(gzclose(file) == Z_OK);
}

InteractionLog log_of(const std::string& text, const LogOptions& options = {}) {
  const TempDir dir;
  write_bytes(dir / "log", text);
  const std::array<std::filesystem::path, 1> files{dir / "log"};
  return read_interaction_log(files, options);
}

void refused(const std::string& text, std::initializer_list<const char*> parts, const LogOptions& options = {}) {
  INFO("text: ", text);
  expect_error<FormatError>([&] { log_of(text, options); }, {"read_interaction_log: ", "log"});
  expect_error<FormatError>([&] { log_of(text, options); }, parts);
}

Texts users_of(const InteractionLog& log) {
  Texts texts;
  for (const std::int32_t user : log.users) texts.emplace_back(log.user_ids.text(user));
  return texts;
}

Texts items_of(const InteractionLog& log) {
  Texts texts;
  for (const std::int32_t item : log.items) texts.emplace_back(log.item_ids.text(item));
  return texts;
}

}  // namespace

TEST_CASE("IdTable: numbers texts in order of first appearance, whatever bytes they have") {
  IdTable table;
  const Texts texts{"b", "", "a", std::string("a\0", 2), "0012", "12", " 12"};
  for (std::size_t t = 0; t < texts.size(); ++t) CHECK(table.insert(texts[t]) == static_cast<std::int32_t>(t));
  for (std::size_t t = 0; t < texts.size(); ++t) {
    CHECK(table.insert(texts[t]) == static_cast<std::int32_t>(t));
    CHECK(table.find(texts[t]) == static_cast<std::int32_t>(t));
    CHECK(table.text(static_cast<std::int32_t>(t)) == texts[t]);
  }
  CHECK(table.size() == 7);
  CHECK(table.find("B") == IdTable::kAbsent);
}

TEST_CASE("IdTable: keeps its numbers while it grows") {
  IdTable table;
  constexpr std::int32_t kMany = 20'000;
  for (std::int32_t i = 0; i < kMany; ++i) CHECK(table.insert("id" + std::to_string(i * 7)) == i);
  bool all = true;
  for (std::int32_t i = 0; i < kMany; ++i) {
    all = all && table.find("id" + std::to_string(i * 7)) == i && table.text(i) == "id" + std::to_string(i * 7);
  }
  CHECK(all);
  CHECK(table.size() == kMany);
}

TEST_CASE("read_interaction_log: CSV, TSV and JSON lines of the same rows give the same log") {
  const std::string csv = "user_id,item_id,rating,timestamp\nu1,00A,5.0,10\nu2,A,3,-4\nu1,A,,7\n";
  std::string tsv = csv;
  for (char& c : tsv) c = c == ',' ? '\t' : c;
  const std::string json =
      R"({"timestamp":10,"rating":5.0,"item_id":"00A","user_id":"u1"})"
      "\n\n"
      R"({"user_id":"u2","item_id":"A","rating":3,"timestamp":-4,"title":{"user_id":[1,{"x":null}]}})"
      "\r\n"
      R"({"user_id":"u1","item_id":"A","rating":null,"timestamp":"7"})";
  for (const std::string& text : {csv, tsv, json}) {
    const InteractionLog log = log_of(text);
    CHECK(users_of(log) == Texts{"u1", "u2", "u1"});
    CHECK(items_of(log) == Texts{"00A", "A", "A"});
    CHECK(log.times == Times{10, -4, 7});
    REQUIRE(log.ratings.size() == 3);
    CHECK(log.ratings[0] == 5.0);
    CHECK(log.ratings[1] == 3.0);
    CHECK(std::isnan(log.ratings[2]));
    CHECK(log.rows_read == 3);
  }
}

TEST_CASE("read_interaction_log: a file without a header has the order of a ratings dump") {
  const InteractionLog log = log_of("A1YS,0188399313,1.0,1369612800\nA2ZZ,0188399399,5.0,1365465600");
  CHECK(items_of(log) == Texts{"0188399313", "0188399399"});
  CHECK(log.times == Times{1369612800, 1365465600});
  CHECK(log.ratings == std::vector<double>{1.0, 5.0});
  CHECK(test::contains(log.read_as.at(0), {"CSV without header (line 1 is a row: \"A1YS\"",
                                           "user = column 1, item = column 2, time = column 4, rating = column 3"}));
  CHECK(log_of("a\tb\nc\td\n").times.empty());
  CHECK(log_of("a,b,4\n").ratings == std::vector<double>{4.0});
}

TEST_CASE("read_interaction_log: columns are found by usual names, by given names and by places") {
  CHECK(users_of(log_of("reviewerName,overall,unixReviewTime,asin,reviewerID\nx,5,1,B,U\n")) == Texts{"U"});
  CHECK(users_of(log_of("User ID:token\titem_id:token\ttimestamp:float\nU\tB\t9.0\n")) == Texts{"U"});
  CHECK(log_of("userId,movieId,rating,timestamp\n1,31,2.5,1260759144\n").ratings == std::vector<double>{2.5});
  const LogOptions named{.columns = {.user = "who", .item = "what", .time = "none"}};
  const InteractionLog log = log_of("when,who,what,time\nx,U,B,soon\n", named);
  CHECK(users_of(log) == Texts{"U"});
  CHECK(log.times.empty());
  const LogOptions places{.columns = {.user = "3", .item = "1"}};
  CHECK(items_of(log_of("B,x,U,3,1\n", places)) == Texts{"B"});
  CHECK(items_of(log_of("item,x,user,a,b\nB,x,U,3,1\n", places)) == Texts{"B"});
  // a header whose names nobody knows, and a first row that looks like a header
  const LogOptions forced{.header = LogHeader::yes, .columns = {.user = "1", .item = "2"}};
  CHECK(users_of(log_of("kunde,artikel\nU,B\n", forced)) == Texts{"U"});
  const LogOptions none{.header = LogHeader::no, .columns = {}};
  CHECK(users_of(log_of("user,item\nU,B\n", none)) == Texts{"user", "U"});
}

TEST_CASE("read_interaction_log: quotes as in RFC 4180") {
  const InteractionLog log = log_of(
      "\"user\",item,timestamp\r\n"
      "\"a,b\",\"say \"\"x\"\"\",1\r\n"
      "\"two\nlines\r\n\",plain \"quote\",\"2\"\r\n"
      "u,\"\",3\n"
      "u,i,4");
  CHECK(users_of(log) == Texts{"a,b", "two\nlines\r\n", "u"});
  CHECK(items_of(log) == Texts{"say \"x\"", "plain \"quote\"", "i"});
  CHECK(log.times == Times{1, 2, 4});
  CHECK(log.without_item == 1);
  // in TSV a quote is an ordinary character
  CHECK(users_of(log_of("user\titem\n\"a\"b\t\"c\n")) == Texts{"\"a\"b"});
}

TEST_CASE("read_interaction_log: a line is named by its number in the file, also after quoted line ends") {
  refused("user,item,timestamp\n\"a\nb\",i,1\n\nu,i,soon\n", {"log:5: time = \"soon\": must be a whole number"});
  refused("user,item\nu,i\n\"a\nb\",i\nu,i,3\n", {"log:5: has 3 field(s), must have 2 as line 1"});
}

TEST_CASE("read_interaction_log: a byte-order mark, CRLF and blank lines change nothing") {
  const InteractionLog log = log_of("\xEF\xBB\xBFuser,item\r\n\r\nu,i\r\n\n");
  CHECK(users_of(log) == Texts{"u"});
  CHECK(items_of(log) == Texts{"i"});
  CHECK(users_of(log_of("\xEF\xBB\xBF{\"user\":\"u\",\"item\":\"i\"}\r\n")) == Texts{"u"});
}

TEST_CASE("read_interaction_log: rows without user, item or time are left out and counted") {
  const InteractionLog log =
      log_of("user,item,timestamp\n,i,1\nu,,1\nu,i,\n  ,i,1\nu,i,1\nv,\t,1\n,,\n", {.format = LogFormat::csv});
  CHECK(log.rows_read == 7);
  CHECK(log.without_user == 3);
  CHECK(log.without_item == 2);
  CHECK(log.without_time == 1);
  CHECK(users_of(log) == Texts{"u"});
  CHECK(log.user_ids.size() == 1);  // v has no row
  CHECK(log_of("{\"user\":null,\"item\":\"i\"}\n").without_user == 1);
}

TEST_CASE("read_interaction_log: the least rating is inclusive; rows without a rating are below it") {
  const InteractionLog log = log_of("user,item,rating\na,i,4\nb,i,3.9\nc,i,\nd,i,4.5\n", {.min_rating = 4.0});
  CHECK(users_of(log) == Texts{"a", "d"});
  CHECK(log.below_min_rating == 2);
  refused("user,item\na,i\n", {"min_rating = 4", "no rating column"}, {.min_rating = 4.0});
}

TEST_CASE("read_interaction_log: times are whole numbers of 64 bits, also spelled as fractions") {
  const InteractionLog log =
      log_of("user,item,time\nu,i,9223372036854775807\nu,i,-9223372036854775808\nu,i,1370000000.0\nu,i, 1.5e3 \n");
  CHECK(log.times ==
        Times{std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min(), 1370000000, 1500});
  for (const char* bad : {"1.5", "abc", "nan", "inf", "1e300", "2020-01-01", "9223372036854775808", "1 2", "+5"}) {
    refused(fmt::format("user,item,time\nu,i,{}\n", bad), {"log:2: time = ", bad});
  }
  for (const char* bad : {"five", "nan", "inf", "1e999"}) {
    refused(fmt::format("user,item,rating\nu,i,{}\n", bad), {"log:2: rating = ", "finite"});
  }
}

TEST_CASE("read_interaction_log: a header taken for a row is told") {
  refused("kunde,artikel,note,zeit\nu,i,5,1\n", {"log:1: time = \"zeit\"", "set header to yes"});
  refused("a,b,c,d,e\nu,i,5,1,x\n", {"log:1: user", "set header to yes", "5 columns"});
}

TEST_CASE("read_interaction_log: columns that are missing, doubtful or taken twice are refused") {
  refused("user,thing\nu,i\n", {"log:1: item", "no column has a usual name", "\"user\", \"thing\""});
  refused("user_id,asin,parent_asin\nu,i,j\n", {"log:1: item", "columns 2 and 3", "choose item by its name"});
  refused("user,item,item\nu,i,j\n", {"columns 2 and 3", "choose item by its place"});
  refused("user,item\nu,i\n", {"user = buyer", "no column has this name"}, {.columns = {.user = "buyer"}});
  refused("user,item\nu,i\n", {"time = 3", "no column has this name"}, {.columns = {.time = "3"}});
  refused("u,i\n", {"time = 3", "place in [1, 2]"}, {.columns = {.time = "3"}});
  refused("u,i\n", {"user = 0", "place in [1, 2]"}, {.columns = {.user = "0"}});
  refused("user,item\nu,i\n", {"item = user", "is the column of user too"}, {.columns = {.item = "user"}});
  refused("u\nv\n", {"item", "no second column"}, {.format = LogFormat::csv});
  refused("{\"user\":\"u\",\"item\":\"i\"}\n", {"user = 1"}, {.columns = {.user = "1"}});
}

TEST_CASE("read_interaction_log: broken lines name the line and what is wrong") {
  refused("", {"is empty"});
  refused("\n\r\n", {"is empty"});
  refused("u::i::5\n", {"log:1", "no comma, no tab"});
  refused("user,item\nu,i\nu\n", {"log:3: has 1 field(s), must have 2"});
  refused("user,item\nu,i\n\"u,i\nv,i\n", {"log:3: opens a quote that is never closed"});
  refused("user,item\n\"u\"x,i\n", {"log:2", "text after a closing quote"});
  refused(std::string("user,item\nu,i\nu\0,i\n", 19), {"log:3: has a zero byte", "UTF-8"});
  refused("user,item\nu,i\n\xFF\xE9,i\n", {"log:3", "UTF-8", "iconv"});
  refused("\xFF\xFEu\n", {"log:1", "UTF-8"});
  refused("user,item\nu," + std::string((4U << 20U) + 9, 'x') + "\n", {"log:2: is longer than 4194304 bytes"});
  refused(std::string(7U << 20U, 'x'), {"log:1: is longer than 4194304 bytes"});
  std::string open = "user,item\n\"u,i\n";
  while (open.size() < (6U << 20U)) open += "v,i\n";
  refused(open, {"log:2: opens a quote that is never closed"});
}

TEST_CASE("read_interaction_log: broken JSON lines name the line and what is wrong") {
  const std::string good = "{\"user\":\"u\",\"item\":\"i\"}\n";
  refused(good + "{\"user\":\"u\",\"item\":}\n", {"log:2: is not JSON: column 20: syntax error", "unexpected '}'"});
  refused(good + "{\"user\":\"u\"}\n", {"log:2: has no key \"item\""});
  refused(good + "[1, 2]\n", {"log:2: must be a JSON object"});
  refused("[" + good, {"log:1"});
  refused(good + "7\n", {"log:2: must be a JSON object"});
  refused(good + "{\"user\":[\"u\"],\"item\":\"i\"}\n", {"log:2: \"user\" must be a string or a whole number"});
  refused(good + "{\"user\":{},\"item\":\"i\"}\n", {"log:2: \"user\" must be a string"});
  refused(good + "{\"user\":true,\"item\":\"i\"}\n", {"log:2: \"user\" must be a string"});
  refused(good + "{\"user\":1.5,\"item\":\"i\"}\n", {"log:2: \"user\" must be a string"});
  refused(good + "{\"user\":\"u\",\"item\":\"i\",\"user\":\"v\"}\n", {"log:2: has the key \"user\" twice"});
  refused(good + "{\"user\":\"a\\u0000\",\"item\":\"i\"}\n", {"log:2: \"user\" holds a zero byte"});
  refused(good + "user,item\n", {"log:2: is not JSON"});
  refused("user,item\n" + good, {"log:2", "is JSON in a file of separated fields"});
}

TEST_CASE("read_interaction_log: numbers in JSON are ids too, of any length") {
  const InteractionLog log = log_of(
      "{\"user\":12,\"item\":\"12\"}\n{\"user\":-3,\"item\":98765432109876543210}\n"
      "{\"user\":\"012\",\"item\":\"\\u00e9\\n\"}\n");
  CHECK(users_of(log) == Texts{"12", "-3", "012"});
  CHECK(items_of(log) == Texts{"12", "98765432109876543210", "\xC3\xA9\n"});
}

TEST_CASE("read_interaction_log: ids that differ by blanks only are refused with both lines") {
  refused("user,item\nA,i\nB,i\n A,i\n", {"log:4: user id = \" A\"", "from \"A\" (", "log:2)", "(trim_ids)"});
  refused("user,item\nu,i \nv,i\n", {"log:3: item id = \"i\"", "from \"i \" (", "log:2)"});
  refused("user,item\nu,i \nv, i\n", {"log:3: item id = \" i\"", "from \"i \" (", "log:2)"});
  const InteractionLog kept = log_of("user,item\n A,i\n A,j\n");
  CHECK(users_of(kept) == Texts{" A", " A"});
  CHECK(kept.padded_users == 1);
  CHECK(kept.padded_items == 0);
  const InteractionLog trimmed = log_of("user,item\nA,i\n A,i\t\n", {.trim_ids = true, .min_rating = {}});
  CHECK(users_of(trimmed) == Texts{"A", "A"});
  CHECK(items_of(trimmed) == Texts{"i", "i"});
}

TEST_CASE("read_interaction_log: several files are one table, each with its own format and order") {
  const TempDir dir;
  write_bytes(dir / "a.csv", "user,item,timestamp\nu,i,1\n");
  write_gzip(dir / "b.jsonl.gz", "{\"item\":\"j\",\"time\":2,\"user\":\"u\"}\n");
  write_bytes(dir / "c.tsv", "timestamp\tuser\titem\n3\tv\ti\n");
  write_bytes(dir / "d.csv", "user,item\nu,i\n");
  write_bytes(dir / "e.csv", "user,item,timestamp\n u,i,1\n");
  const InteractionLog log =
      read_interaction_log(std::array<std::filesystem::path, 3>{dir / "a.csv", dir / "b.jsonl.gz", dir / "c.tsv"}, {});
  CHECK(users_of(log) == Texts{"u", "u", "v"});
  CHECK(items_of(log) == Texts{"i", "j", "i"});
  CHECK(log.times == Times{1, 2, 3});
  CHECK(log.read_as.size() == 3);
  const auto both = [&](const char* first, const char* second) {
    read_interaction_log(std::array<std::filesystem::path, 2>{dir / first, dir / second}, {});
  };
  expect_error<FormatError>([&] { both("a.csv", "d.csv"); }, {"d.csv: has no time column", "a.csv"});
  expect_error<FormatError>([&] { both("d.csv", "a.csv"); }, {"a.csv: has a time column", "set time to none"});
  expect_error<FormatError>([&] { both("a.csv", "e.csv"); }, {"e.csv:2: user id", "a.csv:2"});
}

TEST_CASE("read_interaction_log: long files are read in pieces, plain or packed") {
  std::string text = "user,item,timestamp,comment\n";
  std::int64_t sum = 0;
  const std::string comment(1000, 'c');
  for (std::int64_t row = 0; row < 4000; ++row) {
    text += fmt::format("u{},\"i\n{}\",{},{}\n", row % 100, row % 70, row * row,
                        comment.substr(0, static_cast<std::size_t>(row % 997)));
    sum += row * row;
  }
  REQUIRE(text.size() > (std::size_t{3} << 19U));
  const TempDir dir;
  write_bytes(dir / "plain", text);
  write_gzip(dir / "packed", text);
  for (const char* name : {"plain", "packed"}) {
    std::int64_t most = 0;
    Context context;
    context.progress = [&](const Progress& progress) {
      CHECK(progress.done <= progress.total);
      most = std::max(most, progress.done);
    };
    const InteractionLog log = read_interaction_log(std::array{dir / name}, {}, context);
    CHECK(log.rows() == 4000);
    CHECK(log.user_ids.size() == 100);
    CHECK(log.item_ids.size() == 70);
    std::int64_t read = 0;
    for (const std::int64_t time : log.times) read += time;
    CHECK(read == sum);
    CHECK(most > 0);
  }
}

TEST_CASE("read_interaction_log: damaged gzip files are refused") {
  const TempDir dir;
  std::string text = "user,item\n";
  for (int row = 0; row < 5000; ++row) text += fmt::format("u{},i{}\n", row * 7919 % 5003, row * 104729 % 5009);
  write_gzip(dir / "a.gz", text);
  const std::string packed = test::read_bytes(dir / "a.gz");
  const auto read = [&] { read_interaction_log(std::array{dir / "a.gz"}, {}); };
  for (const std::size_t length : {packed.size() - 1, packed.size() - 8, packed.size() / 2, std::size_t{12}}) {
    write_bytes(dir / "a.gz", packed.substr(0, length));
    INFO("length ", length, " of ", packed.size());
    expect_error<FormatError>(read, {"a.gz: cannot be unpacked as gzip"});
  }
  std::string changed = packed;
  changed[packed.size() / 2] = static_cast<char>(changed[packed.size() / 2] ^ 0x55);
  write_bytes(dir / "a.gz", changed);
  CHECK_THROWS_AS(read(), FormatError);
}

TEST_CASE("read_interaction_log: every damaged copy of a small file is read or refused, never worse") {
  const TempDir dir;
  const auto read = [](const std::filesystem::path& path) { read_interaction_log(std::array{path}, {}); };
  const std::string csv = "user,item,rating,timestamp\n\"u,1\",i,5,1\n\"say \"\"x\"\"\",j,,2\nv,\"a\nb\",3.5,3\n";
  const std::string json =
      "{\"user\":\"\\u00e9\",\"item\":7,\"time\":1e3,\"x\":[{\"user\":1}]}\n{\"time\":0,\"user\":1,\"item\":2}\n";
  CHECK(test::read_damaged(dir / "a.csv", csv, read) > 100);
  CHECK(test::read_damaged(dir / "a.json", json, read) > 300);
}

TEST_CASE("read_interaction_log: no file, a missing file, a directory; cancellation") {
  const TempDir dir;
  expect_error<InvalidArgument>([] { read_interaction_log({}, {}); }, {"files"});
  expect_error<IoError>([&] { read_interaction_log(std::array{dir / "none"}, {}); }, {"none: cannot open"});
  expect_error<IoError>([&] { read_interaction_log(std::array{dir.path()}, {}); }, {"directory"});
  write_bytes(dir / "a.csv", "user,item\nu,i\n");
  Context context;
  context.cancel.cancel();
  CHECK_THROWS_AS(read_interaction_log(std::array{dir / "a.csv"}, {}, context), Cancelled);
}

}  // namespace interaction_log_test
}  // namespace graft::data
