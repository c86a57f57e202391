// Metrics of given lists, and groups of held-out rows.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "../support/random_data.hpp"
#include "train/evaluator.hpp"
#include "train/held_out_groups.hpp"

namespace graft::training {
namespace metrics_test {
namespace {

using test::draw;
using test::Random;
using Ids = std::vector<std::int32_t>;
using Offsets = std::vector<std::int64_t>;
using Values = std::vector<std::int64_t>;

Ranking ranking_of(const std::vector<Ids>& lists) {
  Ranking ranking{.row_offsets = {0}, .ids = {}, .scores = {}};
  for (const Ids& list : lists) {
    ranking.ids.insert(ranking.ids.end(), list.begin(), list.end());
    ranking.row_offsets.push_back(static_cast<std::int64_t>(ranking.ids.size()));
  }
  ranking.scores.resize(ranking.ids.size());
  return ranking;
}

/// User e has the rows truth[e].
HeldOut held_out_of(const std::vector<Ids>& truth) {
  HeldOut held;
  for (std::size_t e = 0; e < truth.size(); ++e) {
    held.users.push_back(static_cast<std::int32_t>(e));
    held.items.insert(held.items.end(), truth[e].begin(), truth[e].end());
    held.offsets.push_back(held.size());
  }
  return held;
}

Metrics metrics_of(const std::vector<Ids>& lists, const std::vector<Ids>& truth, const Values& cutoffs) {
  Values rows(lists.size());
  for (std::size_t r = 0; r < rows.size(); ++r) rows[r] = static_cast<std::int64_t>(r);
  return ranking_metrics(ranking_of(lists), rows, held_out_of(truth), cutoffs);
}

void check_six_digits(const Metrics& metrics, const std::string& name, const std::vector<double>& expected) {
  for (std::size_t k = 1; k <= expected.size(); ++k) {
    const std::string key = name + "@" + std::to_string(k);
    CAPTURE(key);
    CHECK(std::round(metrics.at(key) * 1e6) == std::round(expected[k - 1] * 1e6));
  }
}

TEST_CASE("ranking_metrics: the protocol's golden numbers") {
  // Hits [1,0,1,0,0], [0,0,0,0,1], [0,0,0,0,0] of 2, 3 and 7 held-out rows.
  const Ids list{10, 11, 12, 13, 14};
  const std::vector<Ids> truth{{12, 10}, {1, 14, 0}, {1, 2, 3, 4, 5, 6, 7}};
  const Metrics metrics = metrics_of({list, list, list}, truth, {1, 2, 3, 4, 5});
  CHECK(metrics.size() == 20);
  check_six_digits(metrics, "recall", {0.166667, 0.166667, 0.333333, 0.333333, 0.444444});
  check_six_digits(metrics, "ndcg", {0.333333, 0.204382, 0.306574, 0.306574, 0.367088});
  check_six_digits(metrics, "precision", {0.333333, 0.166667, 0.222222, 0.166667, 0.200000});
  check_six_digits(metrics, "map", {0.333333, 0.166667, 0.277778, 0.277778, 0.300000});
  CHECK(metrics.at("recall@5") == doctest::Approx((1.0 + 1.0 / 3.0) / 3.0).epsilon(1e-15));
  CHECK(metrics.at("map@5") == doctest::Approx(((1.0 + 2.0 / 3.0) / 2.0 + 0.2 / 3.0) / 3.0).epsilon(1e-15));

  check_six_digits(metrics_of({list}, {truth[0]}, {1, 2, 3, 4, 5}), "ndcg",
                   {1.0, 0.613147, 0.919721, 0.919721, 0.919721});
  check_six_digits(metrics_of({list}, {truth[1]}, {1, 2, 3, 4, 5}), "ndcg", {0.0, 0.0, 0.0, 0.0, 0.181542});
}

TEST_CASE("ranking_metrics: P counts rows, so a repeated row that is found once leaves recall below 1") {
  const Metrics metrics = metrics_of({{3, 5, 9}}, {{3, 3, 5}}, {1, 3});
  CHECK(metrics.at("recall@1") == 1.0 / 3.0);
  CHECK(metrics.at("recall@3") == 2.0 / 3.0);
  const double third = 1.0 / std::log2(4.0);
  const double second = 1.0 / std::log2(3.0);
  CHECK(metrics.at("ndcg@3") == doctest::Approx((1.0 + second) / (1.0 + second + third)).epsilon(1e-15));
  CHECK(metrics.at("map@3") == 2.0 / 3.0);
  CHECK(metrics.at("precision@3") == 2.0 / 3.0);
}

TEST_CASE("ranking_metrics: ranks that a short list does not have are misses") {
  const Metrics metrics = metrics_of({{4, 2}, {}}, {{2, 7}, {1}}, {1, 2, 1000000000000});
  CHECK(metrics.at("recall@1") == 0.0);
  CHECK(metrics.at("recall@2") == 0.25);
  CHECK(metrics.at("recall@1000000000000") == 0.25);
  CHECK(metrics.at("precision@2") == 0.25);
  CHECK(metrics.at("precision@1000000000000") == 0.5e-12);
  CHECK(metrics.at("ndcg@1000000000000") == metrics.at("ndcg@2"));
  CHECK(metrics.at("map@1000000000000") == metrics.at("map@2"));
}

TEST_CASE("ranking_metrics: lists belong to users by rows, cutoffs may come in any order and twice") {
  const Ranking ranking = ranking_of({{0}, {1}, {2}});
  const HeldOut held = held_out_of({{2}, {0}});
  CHECK(ranking_metrics(ranking, Values{2, 0}, held, Values{1}).at("recall@1") == 1.0);
  CHECK(ranking_metrics(ranking, Values{0, 1}, held, Values{1}).at("recall@1") == 0.0);
  const std::vector<Ids> lists{{5, 6, 7, 8}};
  CHECK(metrics_of(lists, {{8, 5}}, {4, 1, 4, 2}) == metrics_of(lists, {{5, 8}}, {1, 2, 4}));
}

TEST_CASE("ranking_metrics: without users there is no mean") { CHECK(metrics_of({}, {}, {1, 5}).empty()); }

TEST_CASE("catalogue_metrics: coverage is the share that is recommended, Gini 0 for alike and 1 for one item only") {
  const Values cutoffs{1, 2};
  const Metrics alike = catalogue_metrics(ranking_of({{0, 1}, {1, 2}, {2, 0}}), 3, cutoffs);
  CHECK(alike.at("coverage@1") == 1.0);
  CHECK(alike.at("gini@1") == 0.0);
  CHECK(alike.at("gini@2") == 0.0);
  const Metrics one = catalogue_metrics(ranking_of({{3, 0}, {3, 1}}), 10, cutoffs);
  CHECK(one.at("coverage@1") == 0.1);
  CHECK(one.at("gini@1") == 1.0);
  CHECK(one.at("coverage@2") == doctest::Approx(0.3).epsilon(1e-15));
  // Counts 0 (7 items), 1, 1, 2: (6 - 11 + 16 ... ) by hand: (2*8-11) + (2*9-11) + 2 (2*10-11) = 30 of 9 * 4.
  CHECK(one.at("gini@2") == doctest::Approx(30.0 / 36.0).epsilon(1e-15));
}

TEST_CASE("catalogue_metrics: nothing recommended, or nothing to recommend, is 0") {
  CHECK(catalogue_metrics(ranking_of({{}, {}}), 4, Values{5}) == Metrics{{"coverage@5", 0.0}, {"gini@5", 0.0}});
  CHECK(catalogue_metrics(ranking_of({}), 0, Values{5}) == Metrics{{"coverage@5", 0.0}, {"gini@5", 0.0}});
  CHECK(catalogue_metrics(ranking_of({{0}}), 1, Values{5}) == Metrics{{"coverage@5", 1.0}, {"gini@5", 0.0}});
}

TEST_CASE("catalogue_metrics: Gini is half the relative mean difference of all pairs of items") {
  Random random(7);
  for (int run = 0; run < test::cases(20); ++run) {
    const std::int64_t items = draw(random, 2, 40);
    std::vector<Ids> lists(static_cast<std::size_t>(draw(random, 1, 30)));
    std::vector<double> counts(static_cast<std::size_t>(items));
    for (Ids& list : lists) {
      for (std::int32_t item = 0; item < items; ++item) {
        if (draw(random, 0, 3 + item) == 0) list.push_back(item);
      }
      std::shuffle(list.begin(), list.end(), random);
      for (std::size_t rank = 0; rank < std::min<std::size_t>(list.size(), 3); ++rank) {
        counts[static_cast<std::size_t>(list[rank])] += 1.0;
      }
    }
    double differences = 0.0;
    double total = 0.0;
    for (const double a : counts) {
      total += a;
      for (const double b : counts) differences += std::fabs(a - b);
    }
    const auto n = static_cast<double>(items);
    const double expected = total == 0.0 ? 0.0 : differences / (2.0 * (n - 1.0) * total);
    CHECK(std::fabs(catalogue_metrics(ranking_of(lists), items, Values{1, 3}).at("gini@3") - expected) < 1e-12);
  }
}

TEST_CASE("equal_ranges: about equally many values in each, equal ones together") {
  CHECK(equal_ranges({1, 2, 3, 4, 5, 6, 7, 8}, 4) == std::vector<ValueRange>{{1, 2}, {3, 4}, {5, 6}, {7, 8}});
  CHECK(equal_ranges({8, 3, 5, 1, 7, 2, 6, 4}, 2) == std::vector<ValueRange>{{1, 4}, {5, 8}});
  CHECK(equal_ranges({3, 3, 3, 3, 3, 3, 9, 20}, 4) == std::vector<ValueRange>{{3, 3}, {9, 20}});
  CHECK(equal_ranges({5, 5, 5}, 4) == std::vector<ValueRange>{{5, 5}});
  CHECK(equal_ranges({2, 1}, 4) == std::vector<ValueRange>{{1, 1}, {2, 2}});
  CHECK(equal_ranges({}, 4).empty());
}

TEST_CASE("equal_ranges: ranges ascend, hold every value, and each part misses its share by its ties at most") {
  Random random(11);
  for (int run = 0; run < test::cases(200); ++run) {
    Values values(static_cast<std::size_t>(draw(random, 1, 300)));
    const std::int64_t most = draw(random, 1, 60);
    for (std::int64_t& value : values) value = draw(random, 1, most);
    const std::int64_t groups = draw(random, 1, 5);
    const std::vector<ValueRange> ranges = equal_ranges(values, groups);
    CHECK(static_cast<std::int64_t>(ranges.size()) <= groups);
    std::int64_t held = 0;
    std::int64_t ties = 0;
    for (const std::int64_t value : values) {
      ties = std::max<std::int64_t>(ties, std::count(values.begin(), values.end(), value));
    }
    for (std::size_t r = 0; r < ranges.size(); ++r) {
      CHECK(ranges[r].least <= ranges[r].most);
      if (r > 0) CHECK(ranges[r - 1].most < ranges[r].least);
      const auto inside =
          std::count_if(values.begin(), values.end(), [&](auto value) { return ranges[r].holds(value); });
      CHECK(inside * groups <= static_cast<std::int64_t>(values.size()) + ties * groups);
      held += inside;
    }
    CHECK(held == static_cast<std::int64_t>(values.size()));
  }
}

TEST_CASE("group labels are sentences with the bounds") {
  CHECK(activity_label({3, 4}) == "users with 3 to 4 training items");
  CHECK(activity_label({3, 3}) == "users with 3 training items");
  CHECK(activity_label({1, 1}) == "users with 1 training item");
  CHECK(popularity_label({0, 0}) == "items never seen in training");
  CHECK(popularity_label({1, 1}) == "items with 1 training interaction");
  CHECK(popularity_label({12, 80}) == "items with 12 to 80 training interactions");
}

TEST_CASE("part_of: keeps users with wanted rows, in their order") {
  const HeldOut held = held_out_of({{4, 1, 4}, {2}, {}, {1, 2}});
  const HeldOut part = part_of(held, [](std::int32_t /*user*/, std::int32_t item) { return item != 2; });
  CHECK(part.users == Ids{0, 3});
  CHECK(part.items == Ids{4, 1, 4, 1});
  CHECK(part.offsets == Offsets{0, 3, 4});
  CHECK(distinct_items(part) == 2);
  CHECK(part_of(held, [](std::int32_t, std::int32_t) { return false; }).offsets == Offsets{0});
}

}  // namespace
}  // namespace metrics_test
}  // namespace graft::training
