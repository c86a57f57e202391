#include "data/kcore.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <vector>

#include <graft/core/error.hpp>

#include "../support/check.hpp"
#include "../support/random_data.hpp"

namespace graft::data {
namespace kcore_test {
namespace {

using test::contains;
using test::message_of;

struct Table {
  std::vector<std::int32_t> users;
  std::vector<std::int32_t> items;
  std::int64_t user_count = 0;
  std::int64_t item_count = 0;
};

Table table_of(const std::vector<std::pair<int, int>>& rows) {
  Table table;
  for (const auto& [user, item] : rows) {
    table.users.push_back(user);
    table.items.push_back(item);
    table.user_count = std::max<std::int64_t>(table.user_count, user + 1);
    table.item_count = std::max<std::int64_t>(table.item_count, item + 1);
  }
  return table;
}

KCore core_of(const Table& table, std::int64_t k) {
  return k_core(table.users, table.items, table.user_count, table.item_count, k);
}

/// The rules in the plainest words: rounds with fresh maps over whole tables.
KCore simultaneous_oracle(const Table& table, std::int64_t k) {
  KCore core;
  core.rows.resize(table.users.size());
  std::iota(core.rows.begin(), core.rows.end(), 0);
  for (;;) {
    std::map<std::int32_t, std::int64_t> users;
    std::map<std::int32_t, std::int64_t> items;
    for (const std::int64_t row : core.rows) {
      ++users[table.users[static_cast<std::size_t>(row)]];
      ++items[table.items[static_cast<std::size_t>(row)]];
    }
    KCoreRound round;
    for (const auto& [user, rows] : users) round.users += rows < k ? 1 : 0;
    for (const auto& [item, rows] : items) round.items += rows < k ? 1 : 0;
    if (round.users == 0 && round.items == 0) return core;
    std::vector<std::int64_t> left;
    for (const std::int64_t row : core.rows) {
      const auto r = static_cast<std::size_t>(row);
      if (users[table.users[r]] >= k && items[table.items[r]] >= k) left.push_back(row);
    }
    round.rows = static_cast<std::int64_t>(core.rows.size() - left.size());
    core.rows = left;
    core.rounds.push_back(round);
  }
}

/// Another order: one rare user or item at a time.
std::vector<std::int64_t> one_by_one_oracle(const Table& table, std::int64_t k) {
  std::vector<std::int64_t> rows(table.users.size());
  std::iota(rows.begin(), rows.end(), 0);
  for (bool again = true; again;) {
    again = false;
    for (const std::vector<std::int32_t>* ids : {&table.items, &table.users}) {
      std::map<std::int32_t, std::int64_t> count;
      for (const std::int64_t row : rows) ++count[(*ids)[static_cast<std::size_t>(row)]];
      for (const auto& [id, seen] : count) {
        if (seen >= k) continue;
        std::erase_if(rows, [&, rare = id](std::int64_t row) { return (*ids)[static_cast<std::size_t>(row)] == rare; });
        again = true;
        break;
      }
      if (again) break;
    }
  }
  return rows;
}

}  // namespace

TEST_CASE("k_core: users and items are counted before either is removed") {
  // a chain 0-0-1-1-2-2-3-3 that unravels from both ends, and a square of users 4, 5 and items 4, 5 that stays;
  // counting items after the rare users were removed would unravel it in fewer rounds
  const Table table =
      table_of({{0, 0}, {1, 0}, {4, 4}, {1, 1}, {2, 1}, {4, 5}, {2, 2}, {5, 4}, {3, 2}, {3, 3}, {5, 5}});
  const KCore core = core_of(table, 2);
  CHECK(core.rows == std::vector<std::int64_t>{2, 5, 7, 10});
  CHECK(core.rounds == std::vector<KCoreRound>{{1, 1, 2}, {1, 1, 2}, {1, 1, 2}, {1, 1, 1}});
}

TEST_CASE("k_core: a rare user and a rare item that share a row are both counted, the row once") {
  const Table table = table_of({{0, 0}, {0, 1}, {1, 0}, {1, 1}, {2, 2}});
  const KCore core = core_of(table, 2);
  CHECK(core.rows == std::vector<std::int64_t>{0, 1, 2, 3});
  CHECK(core.rounds == std::vector<KCoreRound>{{1, 1, 1}});
}

TEST_CASE("k_core: rows count, not distinct pairs") {
  const Table repeated = table_of({{0, 0}, {0, 0}, {0, 0}});
  CHECK(core_of(repeated, 3).rows.size() == 3);
  CHECK(core_of(repeated, 4).rows.empty());
}

TEST_CASE("k_core: 0 and 1 keep every row, an empty table stays empty") {
  const Table table = table_of({{0, 0}, {1, 0}, {2, 5}});
  for (const std::int64_t k : {0, 1}) {
    CHECK(core_of(table, k).rows.size() == 3);
    CHECK(core_of(table, k).rounds.empty());
  }
  CHECK(core_of({}, 5).rows.empty());
  CHECK(core_of({}, 5).rounds.empty());
}

TEST_CASE("k_core: equals the plain rules, and what is left does not depend on the order of removal") {
  test::Random random(20);
  bool left_something = false;
  bool many_rounds = false;
  for (int c = 0; c < test::cases(300); ++c) {
    Table table;
    table.user_count = test::draw(random, 1, 25);
    table.item_count = test::draw(random, 1, 25);
    const std::int64_t rows = test::draw(random, 0, 120);
    for (std::int64_t r = 0; r < rows; ++r) {
      // the smaller of two draws: popular and rare ids, repeated pairs
      const auto skewed = [&](std::int64_t count) {
        return std::min(test::draw(random, 0, count - 1), test::draw(random, 0, count - 1));
      };
      table.users.push_back(static_cast<std::int32_t>(skewed(table.user_count)));
      table.items.push_back(static_cast<std::int32_t>(skewed(table.item_count)));
    }
    const std::int64_t k = test::draw(random, 0, 8);
    const KCore core = core_of(table, k);
    const KCore expected = simultaneous_oracle(table, k);
    CHECK(core.rows == expected.rows);
    CHECK(core.rounds == expected.rounds);
    CHECK(core.rows == one_by_one_oracle(table, k));
    left_something = left_something || (k > 1 && !core.rows.empty() && !core.rounds.empty());
    many_rounds = many_rounds || core.rounds.size() > 3;

    const std::int64_t most = test::draw(random, 0, 12);
    std::int64_t largest = 0;
    for (std::int64_t tried = 0; tried <= most; ++tried) {
      if (!simultaneous_oracle(table, tried).rows.empty()) largest = tried;
    }
    CHECK(largest_core(table.users, table.items, table.user_count, table.item_count, most) == largest);
  }
  CHECK(left_something);
  CHECK(many_rounds);
}

TEST_CASE("k_core: refuses a negative k and columns of different length, and can be cancelled") {
  const Table table = table_of({{0, 0}});
  CHECK(contains(message_of<InvalidArgument>([&] { core_of(table, -1); }), {"k_core: k = -1: must be >= 0"}));
  const std::vector<std::int32_t> two{0, 0};
  CHECK(contains(message_of<InvalidArgument>([&] { k_core(table.users, two, 1, 1, 2); }), {"k_core: items = 2"}));
  Context context;
  context.cancel.cancel();
  CHECK_THROWS_AS(k_core(table.users, table.items, 1, 1, 2, context), Cancelled);
}

}  // namespace kcore_test
}  // namespace graft::data
