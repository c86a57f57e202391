#include <graft/core/interactions.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include <support/check.hpp>

namespace interactions_test {
namespace {

using graft::Interactions;
using graft::InvalidArgument;
using graft::test::contains;
using graft::test::message_of;

using Ids = std::vector<std::int32_t>;

Ids ids(std::span<const std::int32_t> span) { return {span.begin(), span.end()}; }

TEST_CASE("Interactions: unsorted pairs are held sorted by user and by item") {
  const Interactions data = Interactions::from_pairs(Ids{2, 0, 2, 0, 1}, Ids{3, 1, 0, 0, 1});
  CHECK(data.users() == 3);
  CHECK(data.items() == 4);
  CHECK(data.size() == 5);
  CHECK(data.duplicates() == 0);
  CHECK(ids(data.history(0)) == Ids{0, 1});
  CHECK(ids(data.history(1)) == Ids{1});
  CHECK(ids(data.history(2)) == Ids{0, 3});
  CHECK(ids(data.audience(0)) == Ids{0, 2});
  CHECK(ids(data.audience(1)) == Ids{0, 1});
  CHECK(ids(data.audience(2)).empty());
  CHECK(ids(data.audience(3)) == Ids{2});
  CHECK(data.degree(0) == 2);
  CHECK(data.degree(2) == 0);
}

TEST_CASE("Interactions: repeated pairs are merged and counted") {
  const Interactions data = Interactions::from_pairs(Ids{1, 0, 1, 1, 0}, Ids{2, 2, 2, 2, 0});
  CHECK(data.size() == 3);
  CHECK(data.duplicates() == 2);
  CHECK(ids(data.history(0)) == Ids{0, 2});
  CHECK(ids(data.history(1)) == Ids{2});
  CHECK(ids(data.audience(2)) == Ids{0, 1});
  CHECK(data.item_users().size() == 3);
  CHECK(data.user_items().size() == 3);
}

TEST_CASE("Interactions: given sizes may leave users and items without interactions") {
  const Interactions data = Interactions::from_pairs(Ids{0}, Ids{1}, 4, 6);
  CHECK(data.users() == 4);
  CHECK(data.items() == 6);
  CHECK(data.history(3).empty());
  CHECK(data.audience(5).empty());
  CHECK(data.user_offsets().size() == 5);
  CHECK(data.item_offsets().size() == 7);
}

TEST_CASE("Interactions: empty input") {
  CHECK(Interactions().users() == 0);
  CHECK(Interactions().items() == 0);
  const Interactions none = Interactions::from_pairs({}, {});
  CHECK(none.users() == 0);
  CHECK(none.items() == 0);
  CHECK(none.size() == 0);
  const Interactions sized = Interactions::from_pairs({}, {}, 2, 3);
  CHECK(sized.users() == 2);
  CHECK(sized.items() == 3);
  CHECK(sized.degree(2) == 0);
}

TEST_CASE("Interactions: from_csr equals from_pairs, for both widths of offsets and any order in a row") {
  const std::vector<std::int64_t> wide{0, 3, 3, 5};
  const std::vector<std::int32_t> narrow{0, 3, 3, 5};
  const Ids columns{4, 1, 4, 0, 2};
  const Interactions pairs = Interactions::from_pairs(Ids{0, 0, 0, 2, 2}, columns, 3, 6);
  for (const Interactions& csr : {Interactions::from_csr(3, 6, std::span(wide), columns),
                                  Interactions::from_csr(3, 6, std::span(narrow), columns)}) {
    CHECK(csr.users() == 3);
    CHECK(csr.items() == 6);
    CHECK(csr.duplicates() == 1);
    CHECK(ids(csr.user_items()) == ids(pairs.user_items()));
    CHECK(ids(csr.item_users()) == ids(pairs.item_users()));
    CHECK(std::ranges::equal(csr.user_offsets(), pairs.user_offsets()));
    CHECK(std::ranges::equal(csr.item_offsets(), pairs.item_offsets()));
  }
}

TEST_CASE("Interactions: agrees with a set of pairs") {
  std::mt19937 random(45);
  std::uniform_int_distribution<std::int32_t> user(0, 99);
  std::uniform_int_distribution<std::int32_t> item(0, 59);
  Ids users;
  Ids items;
  std::set<std::pair<std::int32_t, std::int32_t>> by_user;
  std::set<std::pair<std::int32_t, std::int32_t>> by_item;
  for (int e = 0; e < 2500; ++e) {
    users.push_back(user(random));
    items.push_back(item(random));
    by_user.emplace(users.back(), items.back());
    by_item.emplace(items.back(), users.back());
  }
  const Interactions data = Interactions::from_pairs(users, items, 100, 60);
  CHECK(data.duplicates() == 2500 - static_cast<std::int64_t>(by_user.size()));
  std::set<std::pair<std::int32_t, std::int32_t>> histories;
  for (std::int32_t u = 0; u < 100; ++u) {
    CHECK(std::ranges::is_sorted(data.history(u)));
    for (const std::int32_t i : data.history(u)) CHECK(histories.emplace(u, i).second);
  }
  std::set<std::pair<std::int32_t, std::int32_t>> audiences;
  for (std::int32_t i = 0; i < 60; ++i) {
    CHECK(std::ranges::is_sorted(data.audience(i)));
    CHECK(data.degree(i) == static_cast<std::int64_t>(data.audience(i).size()));
    for (const std::int32_t u : data.audience(i)) CHECK(audiences.emplace(i, u).second);
  }
  CHECK(histories == by_user);
  CHECK(audiences == by_item);
}

TEST_CASE("Interactions: errors name the array, the position and the value") {
  const auto pairs = [](Ids users, Ids items, std::int64_t user_count = -1, std::int64_t item_count = -1) {
    return message_of<InvalidArgument>([&] { Interactions::from_pairs(users, items, user_count, item_count); });
  };
  CHECK(contains(pairs({0, 1}, {0}), {"item_ids = 1 entries", "2"}));
  CHECK(contains(pairs({0, -4}, {0, 0}), {"user_ids[1] = -4"}));
  CHECK(contains(pairs({0, 1}, {0, -1}), {"item_ids[1] = -1"}));
  CHECK(contains(pairs({0, 3}, {0, 0}, 3), {"user_ids[1] = 3", "[0, 3)"}));
  CHECK(contains(pairs({0, 0, 0}, {0, 1, 7}, -1, 7), {"item_ids[2] = 7", "[0, 7)"}));
  CHECK(contains(pairs({2147483647}, {0}), {"user_ids[0] = 2147483647"}));
  CHECK(contains(pairs({}, {}, -2), {"users = -2", "-1"}));
  CHECK(contains(pairs({}, {}, 1, std::int64_t{1} << 31), {"items = 2147483648"}));
}

TEST_CASE("Interactions: from_csr refuses what is not a CSR matrix") {
  const auto csr = [](std::vector<std::int64_t> offsets, Ids columns) {
    return message_of<InvalidArgument>(
        [&] { Interactions::from_csr(2, 3, std::span<const std::int64_t>(offsets), columns); });
  };
  CHECK(contains(csr({0, 1}, {0}), {"row_offsets = 2 entries", "3"}));
  CHECK(contains(csr({0, 2, 1}, {0}), {"row_offsets[2] = 1"}));
  CHECK(contains(csr({1, 1, 1}, {0}), {"row_offsets[0] = 1"}));
  CHECK(contains(csr({0, 1, 3}, {0, 1}), {"row_offsets[2] = 3", "2"}));
  CHECK(contains(csr({0, 1, 2}, {0, 3}), {"columns[1] = 3", "[0, 3)"}));
  CHECK(contains(csr({0, 1, 2}, {-1, 0}), {"columns[0] = -1"}));
}

TEST_CASE("Interactions: a moved-from matrix reads as an empty one") {
  Interactions data = Interactions::from_pairs(Ids{0}, Ids{0});
  const Interactions taken = std::move(data);
  CHECK(taken.size() == 1);
  CHECK(data.users() == 0);  // NOLINT(bugprone-use-after-move): that is the test
  CHECK(data.items() == 0);
  CHECK(data.size() == 0);
}

}  // namespace
}  // namespace interactions_test
