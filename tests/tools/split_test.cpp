#include "data/split.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/io/inter.hpp>

#include "data/sha256.hpp"
#include "data/split_dataset.hpp"

#include "../support/check.hpp"
#include "../support/files.hpp"
#include "../support/random_data.hpp"

namespace graft::data {
namespace split_test {
namespace {

using test::expect_error;
using test::read_bytes;
using test::TempDir;
using test::write_bytes;

constexpr Split kTrain = Split::train;
constexpr Split kValid = Split::valid;
constexpr Split kTest = Split::test;

struct Table {
  std::vector<std::int32_t> users;
  std::vector<std::int32_t> items;
  std::vector<std::int64_t> times;
  std::int64_t user_count = 0;
  std::int64_t item_count = 0;

  [[nodiscard]] RowsView view() const { return {users, items, times, user_count, item_count}; }
};

/// Users of 1, 2, ... rows, interleaved; times with ties.
Table drawn_table(std::uint64_t seed, std::int64_t user_count, std::int64_t item_count) {
  test::Random random(seed);
  Table table;
  table.user_count = user_count;
  table.item_count = item_count;
  for (std::int64_t user = 0; user < user_count; ++user) {
    for (std::int64_t row = 0; row <= user; ++row) table.users.push_back(static_cast<std::int32_t>(user));
  }
  std::shuffle(table.users.begin(), table.users.end(), random);
  for (std::size_t r = 0; r < table.users.size(); ++r) {
    table.items.push_back(static_cast<std::int32_t>(test::draw(random, 0, item_count - 1)));
    table.times.push_back(test::draw(random, -20, 200));
  }
  return table;
}

std::map<std::int32_t, SplitCounts> counts_by_user(const Table& table, const RowSplit& split) {
  std::map<std::int32_t, SplitCounts> counts;
  for (std::size_t r = 0; r < table.users.size(); ++r) {
    SplitCounts& own = counts[table.users[r]];
    ++(split.labels[r] == kTrain ? own.train : split.labels[r] == kValid ? own.valid : own.test);
  }
  return counts;
}

/// Every row once, by ascending user, and by split within a user.
void check_order(const Table& table, const RowSplit& split) {
  std::vector<std::int64_t> rows = split.order;
  std::sort(rows.begin(), rows.end());
  std::vector<std::int64_t> all(table.users.size());
  std::iota(all.begin(), all.end(), 0);
  CHECK(rows == all);
  const auto place = [&](std::int64_t row) {
    const auto r = static_cast<std::size_t>(row);
    return std::pair(table.users[r], split.labels[r]);
  };
  CHECK(std::is_sorted(split.order.begin(), split.order.end(),
                       [&](std::int64_t a, std::int64_t b) { return place(a) < place(b); }));
}

}  // namespace

TEST_CASE("per_user_counts: the worked counts of the published splits") {
  const std::map<std::int64_t, SplitCounts> expected{{5, {3, 1, 1}},   {9, {7, 1, 1}},     {10, {8, 1, 1}},
                                                     {15, {12, 1, 2}}, {19, {16, 1, 2}},   {20, {16, 2, 2}},
                                                     {25, {20, 2, 3}}, {100, {80, 10, 10}}};
  for (const auto& [rows, counts] : expected) CHECK(per_user_counts(rows) == counts);
}

TEST_CASE("per_user_counts: every row goes somewhere, and a user with rows keeps one to train") {
  CHECK(per_user_counts(0) == SplitCounts{0, 0, 0});
  CHECK(per_user_counts(1) == SplitCounts{1, 0, 0});
  CHECK(per_user_counts(2) == SplitCounts{1, 0, 1});
  CHECK(per_user_counts(3) == SplitCounts{1, 1, 1});
  for (std::int64_t rows = 1; rows < 5000; ++rows) {
    const SplitCounts counts = per_user_counts(rows);
    CHECK(counts.train + counts.valid + counts.test == rows);
    CHECK(counts.train >= 1);
    if (rows >= 10) CHECK(counts.valid + counts.test == static_cast<std::int64_t>(static_cast<double>(rows) * 0.2));
  }
}

TEST_CASE("split_rows: random splits give each user the counts of the rule, in an order of the seed") {
  const Table table = drawn_table(1, 40, 30);
  const RowSplit split = split_rows(table.view(), {});
  for (const auto& [user, counts] : counts_by_user(table, split)) CHECK(counts == per_user_counts(user + 1));
  check_order(table, split);
  const RowSplit again = split_rows(table.view(), {});
  CHECK(again.labels == split.labels);
  CHECK(again.order == split.order);
  CHECK(split_rows(table.view(), {.seed = 1000}).labels != split.labels);
}

TEST_CASE("split_rows: in random splits each row of a user is as likely to be the test row") {
  Table table;
  table.user_count = 6000;
  table.item_count = 5;
  for (std::int32_t user = 0; user < table.user_count; ++user) {
    for (std::int32_t item = 0; item < 5; ++item) {
      table.users.push_back(user);
      table.items.push_back(item);
    }
  }
  const RowSplit split = split_rows(table.view(), {});
  std::array<std::array<double, 3>, 5> seen{};
  for (std::size_t r = 0; r < split.labels.size(); ++r) {
    seen[r % 5][static_cast<std::size_t>(split.labels[r])] += 1.0;
  }
  // 1200 expected of 6000, standard deviation 31
  for (const auto& place : seen) {
    CHECK(place[1] == doctest::Approx(1200).epsilon(0.11));
    CHECK(place[2] == doctest::Approx(1200).epsilon(0.11));
  }
}

TEST_CASE("split_rows: temporal-user tests the latest rows of each user, ties in the table's order") {
  Table table{{0, 0, 0, 0, 0, 1, 1, 1}, {0, 1, 2, 3, 4, 5, 6, 7}, {50, 10, 50, 20, 30, 7, 7, 7}, 2, 8};
  const RowSplit split = split_rows(table.view(), {.protocol = Protocol::temporal_user});
  CHECK(split.labels == std::vector{kValid, kTrain, kTest, kTrain, kTrain, kTrain, kValid, kTest});
  CHECK(split.order == std::vector<std::int64_t>{1, 3, 4, 0, 2, 5, 6, 7});

  table = drawn_table(2, 30, 10);
  const RowSplit drawn = split_rows(table.view(), {.protocol = Protocol::temporal_user});
  for (const auto& [user, counts] : counts_by_user(table, drawn)) CHECK(counts == per_user_counts(user + 1));
  check_order(table, drawn);
  CHECK(split_rows(table.view(), {.protocol = Protocol::temporal_user, .seed = 1}).order == drawn.order);
}

TEST_CASE("split_rows: temporal cuts at 80 and 90 percent of the rows") {
  Table table;
  for (std::int32_t r = 0; r < 20; ++r) {
    table.users.push_back(r % 3);
    table.items.push_back(r);
    table.times.push_back(1000 - 10 * r);  // latest first
  }
  table.user_count = 3;
  table.item_count = 20;
  const RowSplit split = split_rows(table.view(), {.protocol = Protocol::temporal});
  for (std::size_t r = 0; r < 20; ++r) CHECK(split.labels[r] == (r < 2 ? kTest : r < 4 ? kValid : kTrain));
  check_order(table, split);
}

TEST_CASE("split_rows: temporal keeps equal times together, on the earlier side") {
  // 80 percent of 10 rows end within the times 5, 90 percent within them too
  const Table tied{
      {0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {5, 1, 5, 2, 9, 3, 5, 4, 4, 4}, 1, 10};
  const RowSplit split = split_rows(tied.view(), {.protocol = Protocol::temporal});
  for (std::size_t r = 0; r < 10; ++r) CHECK(split.labels[r] == (tied.times[r] == 9 ? kTest : kTrain));

  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Table table = drawn_table(seed, 12, 5);
    const RowSplit drawn = split_rows(table.view(), {.protocol = Protocol::temporal});
    std::map<Split, std::pair<std::int64_t, std::int64_t>> range;
    std::int64_t train = 0;
    for (std::size_t r = 0; r < table.times.size(); ++r) {
      auto [place, added] = range.try_emplace(drawn.labels[r], table.times[r], table.times[r]);
      place->second.first = std::min(place->second.first, table.times[r]);
      place->second.second = std::max(place->second.second, table.times[r]);
      train += drawn.labels[r] == kTrain ? 1 : 0;
    }
    CHECK(range[kTrain].second < range[kValid].first);
    CHECK(range[kValid].second < range[kTest].first);
    CHECK(10 * train >= 8 * static_cast<std::int64_t>(table.times.size()));
  }
}

TEST_CASE("split_rows: cold items are in one split only, floor(share) of them, half and half") {
  const Table table = drawn_table(3, 60, 47);
  const std::set<std::int32_t> all_items(table.items.begin(), table.items.end());
  REQUIRE(all_items.size() == 47);
  const RowSplit split = split_rows(table.view(), {.protocol = Protocol::cold_item});
  std::map<std::int32_t, std::set<Split>> splits_of_item;
  for (std::size_t r = 0; r < table.items.size(); ++r) splits_of_item[table.items[r]].insert(split.labels[r]);
  std::map<Split, int> items;
  for (const auto& [item, splits] : splits_of_item) {
    CHECK(splits.size() == 1);
    ++items[*splits.begin()];
  }
  CHECK(items == std::map<Split, int>{{kTrain, 38}, {kValid, 4}, {kTest, 5}});  // floor(47 / 5) = 9 held out
  check_order(table, split);
  CHECK(split_rows(table.view(), {.protocol = Protocol::cold_item, .seed = 1}).labels != split.labels);
}

TEST_CASE("split_rows: a share that binary cannot hold counts as it is written") {
  Table table;
  table.user_count = 1;
  table.item_count = 100;
  for (std::int32_t item = 0; item < 100; ++item) {
    table.users.push_back(0);
    table.items.push_back(item);
  }
  const RowSplit split = split_rows(table.view(), {.protocol = Protocol::cold_item, .cold_share = 0.29});
  CHECK(std::count(split.labels.begin(), split.labels.end(), kTrain) == 71);
}

TEST_CASE("split_rows: refuses what it cannot do") {
  const Table table{{0, 0}, {0, 1}, {}, 1, 2};
  expect_error<InvalidArgument>([&] { split_rows(table.view(), {.protocol = Protocol::temporal}); },
                                {"split_rows: times", "needs a time"});
  expect_error<InvalidArgument>([&] { split_rows(table.view(), {.protocol = Protocol::temporal_user}); }, {"times"});
  expect_error<InvalidArgument>([&] { split_rows(table.view(), {.protocol = Protocol::cold_item}); },
                                {"cold_share = 0.2", "0 of 2 items"});
  expect_error<InvalidArgument>([&] { split_rows(table.view(), {.cold_share = 1.5}); }, {"cold_share = 1.5"});
  const Table uneven{{0, 0}, {0}, {}, 1, 2};
  expect_error<InvalidArgument>([&] { split_rows(uneven.view(), {}); }, {"2 users, 1 items, 0 times"});
  Context context;
  context.cancel.cancel();
  CHECK_THROWS_AS(split_rows(table.view(), {}, context), Cancelled);
}

TEST_CASE("first_occurrences: the first row of equal ones stays") {
  const std::vector<std::int32_t> users{1, 0, 1, 1, 1, 0};
  const std::vector<std::int32_t> items{7, 7, 7, 7, 3, 7};
  const std::vector<std::int64_t> times{5, 5, 6, 5, 5, 5};
  CHECK(first_occurrences(users, items, times, 2) == std::vector<char>{1, 1, 1, 0, 1, 0});
  CHECK(first_occurrences(users, items, {}, 2) == std::vector<char>{1, 1, 0, 0, 1, 0});
  CHECK(first_occurrences({}, {}, {}, 0).empty());
}

namespace {

/// Users u1, u2 and items A, B, each pair once, u9 with one row, an item of one row.
const std::string kSmall =
    "user_id,item_id,rating,timestamp\n"
    "u9,A,1,1\nu2,B,4.5,7\nu1,B,5,3\nu2,A,,4\nu1,A,2,9\nu1,Z,2,9\nu2,B,3,7\n";

SplitDatasetSummary split_text(const TempDir& dir, const std::string& text, const SplitDatasetOptions& options) {
  write_bytes(dir / "log.csv", text);
  const std::array<std::filesystem::path, 1> files{dir / "log.csv"};
  return split_dataset(dir / "set", files, options);
}

}  // namespace

TEST_CASE("split_dataset: numbers users and items by first appearance in what the k-core leaves") {
  const TempDir dir;
  const SplitDatasetSummary summary =
      split_text(dir, kSmall, {.k_core = 2, .split = {.protocol = Protocol::temporal_user}});
  CHECK(read_bytes(dir / "set/u_id_mapping.csv") == "user_id\tuserID\nu2\t0\nu1\t1\n");
  CHECK(read_bytes(dir / "set/i_id_mapping.csv") == "asin\titemID\nB\t0\nA\t1\n");
  CHECK(read_bytes(dir / "set/set.inter") ==
        "userID\titemID\trating\ttimestamp\tx_label\n0\t1\t\t4\t0\n0\t0\t4.5\t7\t2\n1\t0\t5\t3\t0\n1\t1\t2\t9\t2\n");
  CHECK(summary.repeated == 1);
  CHECK(summary.rounds == std::vector<KCoreRound>{{1, 1, 2}});
  CHECK(summary.kept.rows == 4);
  CHECK(summary.parts[2].counts.rows == 2);
  CHECK(dir.entries() == 2);
  const Interactions train = read_inter(dir / "set/set.inter");
  CHECK(sha256_of(train) == summary.train_sha256);
}

TEST_CASE("split_dataset: repeated rows are removed as asked") {
  const std::string text = "user,item,timestamp\nu,A,1\nu,A,1\nu,A,2\nu,B,1\n";
  const auto rows_kept = [&](Duplicates duplicates) {
    const TempDir dir;
    return split_text(dir, text, {.duplicates = duplicates, .k_core = 0}).kept.rows;
  };
  CHECK(rows_kept(Duplicates::triple) == 3);
  CHECK(rows_kept(Duplicates::pair) == 2);
  CHECK(rows_kept(Duplicates::keep) == 4);
  const TempDir dir;
  CHECK(split_text(dir, "user,item\nu,A\nu,A\nu,B\n", {.k_core = 0}).kept.rows == 2);
}

TEST_CASE("split_dataset: ids that need quotes in the mapping are quoted, all others are not") {
  const TempDir dir;
  split_text(dir, "user,item\n007,\"a\tb\"\n\xC3\xA9,\"say \"\"x\"\"\"\nnone,\"two\nlines\"\n", {.k_core = 0});
  CHECK(read_bytes(dir / "set/u_id_mapping.csv") == "user_id\tuserID\n007\t0\n\xC3\xA9\t1\nnone\t2\n");
  CHECK(read_bytes(dir / "set/i_id_mapping.csv") ==
        "asin\titemID\n\"a\tb\"\t0\n\"say \"\"x\"\"\"\t1\n\"two\nlines\"\t2\n");
}

TEST_CASE("split_dataset: a failed run leaves nothing") {
  const TempDir dir;
  expect_error<InvalidArgument>([&] { split_text(dir, kSmall, {.k_core = 5}); },
                                {"k_core = 5", "6 rows, 3 users, 3 items", "largest k that leaves something is 2"});
  expect_error<InvalidArgument>([&] { split_text(dir, kSmall, {.k_core = -1}); }, {"k = -1"});
  expect_error<InvalidArgument>([&] { split_text(dir, kSmall, {.name = "a/b"}); }, {"name = a/b"});
  expect_error<InvalidArgument>([&] { split_text(dir, "user,item\n,A\nu,\n", {}); },
                                {"no interaction is left of 2 rows", "1 without a user", "1 without an item"});
  expect_error<InvalidArgument>(
      [&] { split_text(dir, "user,item\nu,A\n", {.k_core = 0, .split = {.protocol = Protocol::temporal}}); },
      {"protocol = temporal", "(time)"});
  expect_error<FormatError>([&] { split_text(dir, "user,item\nu\n", {}); }, {"log.csv:2"});
  CHECK(dir.entries() == 1);
  split_text(dir, kSmall, {.k_core = 2});
  expect_error<IoError>([&] { split_text(dir, kSmall, {.k_core = 2}); }, {"set", "exists"});
  CHECK(dir.entries() == 2);
}

TEST_CASE("split_dataset: notices tell what was read, left out and never trained") {
  const TempDir dir;
  write_bytes(dir / "log.csv", kSmall + ",A,1,1\n");
  const std::array<std::filesystem::path, 1> files{dir / "log.csv"};
  std::vector<std::string> told;
  const SplitDatasetSummary summary =
      split_dataset(dir / "set", files, {.k_core = 0, .split = {.protocol = Protocol::temporal_user}}, {},
                    [&](const std::string& notice) { told.push_back(notice); });
  CHECK(told == summary.notices);
  std::string all;
  for (const std::string& notice : told) all += notice + "\n";
  CHECK(test::contains(all, {"user = user_id (column 1), item = item_id (column 2)", "1 without a user",
                             "1 rows left out: they repeat the user, item and time",
                             "test: 1 of 2 items have no training row", "1 users have 1 row"}));
}

}  // namespace split_test
}  // namespace graft::data
