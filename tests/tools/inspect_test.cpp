// Inspection: every figure of hand-worked graphs, and the same figures for any number of threads.
#include "report/inspection.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <support/check.hpp>
#include <support/files.hpp>
#include <support/graphs.hpp>
#include "report/inspection_report.hpp"

namespace inspect_test {
namespace {

using namespace graft;
using namespace graft::report;
using namespace graft::test;
using doctest::Approx;

/// Items 0 and 1 point at each other, 2 points at 0 and at itself, 3 at 0; 4 stands alone, 5 has only itself.
Graph worked_graph() {
  return graph_of(6, {{0, 1, 0.5F}, {1, 0, 0.75F}, {2, 0, 0.25F}, {2, 2, 1.0F}, {3, 0, 0.5F}, {5, 5, 1.0F}});
}

/// Users 0 and 1 took items 0 and 1, user 1 took item 2 as well, user 2 took item 3. Nobody took items 4 and 5.
Interactions worked_interactions() {
  const std::vector<std::int32_t> users{0, 0, 1, 1, 1, 2};
  const std::vector<std::int32_t> items{0, 1, 0, 1, 2, 3};
  return Interactions::from_pairs(users, items, 3, 6);
}

Inspection inspected(const Graph& graph, const InspectOptions& options = {}) { return inspect(graph, options); }

TEST_CASE("inspect: counts of edges, loops, rows and pieces") {
  const Structure facts = inspected(worked_graph()).structure;
  CHECK(facts.items == 6);
  CHECK(facts.edges == 6);
  CHECK(facts.self_loops == 2);
  CHECK(facts.density == Approx(4.0 / 30.0));
  CHECK(facts.empty_rows == 1);
  CHECK(facts.isolated_items == 2);
  CHECK(facts.components.count == 3);
  CHECK(facts.components.largest == 4);
  CHECK(facts.components.largest_share == Approx(4.0 / 6.0));
  CHECK(facts.components.singletons == 2);
}

TEST_CASE("inspect: degrees of both sides, with quartiles between values") {
  const Structure facts = inspected(worked_graph()).structure;
  // rows have 1 1 2 1 0 1 entries, columns 3 1 1 0 0 1
  CHECK(facts.neighbours.spread.least == 0.0);
  CHECK(facts.neighbours.spread.median == 1.0);
  CHECK(facts.neighbours.spread.most == 2.0);
  CHECK(facts.neighbours.spread.mean == 1.0);
  CHECK(facts.neighbours.items_without == 1);
  CHECK(facts.neighbours.histogram.bins == Histogram::Bins::single);
  CHECK(facts.neighbours.histogram.bounds == std::vector<double>{0, 1, 2, 3});
  CHECK(facts.neighbours.histogram.counts == std::vector<std::int64_t>{1, 4, 1});
  CHECK(facts.used_by.spread.first_quartile == 0.25);
  CHECK(facts.used_by.spread.third_quartile == 1.0);
  CHECK(facts.used_by.items_without == 2);
  CHECK(facts.used_by.histogram.counts == std::vector<std::int64_t>{2, 3, 0, 1});
}

TEST_CASE("inspect: hubs, most used first, equals by item") {
  const Structure facts = inspected(worked_graph()).structure;
  REQUIRE(facts.hubs.size() == 4);
  CHECK(facts.hubs[0].item == 0);
  CHECK(facts.hubs[0].used_by == 3);
  CHECK(facts.hubs[0].share == Approx(0.5));
  CHECK(facts.hubs[1].item == 1);
  CHECK(facts.hubs[2].item == 2);
  CHECK(facts.hubs[3].item == 5);
  CHECK(facts.top_items == 1);
  CHECK(facts.top_share == Approx(0.5));
  // ascending 0 0 1 1 1 3: 2 * (3 + 4 + 5 + 18) / (6 * 6) - 7 / 6
  CHECK(facts.gini == Approx(0.5));
  CHECK(inspected(worked_graph(), {.hubs = 2}).structure.hubs.size() == 2);
}

TEST_CASE("inspect: mutual edges and symmetry") {
  const Structure facts = inspected(worked_graph()).structure;
  CHECK(facts.mutual_edges == 2);
  CHECK(facts.reciprocity == Approx(0.5));
  CHECK_FALSE(facts.symmetric);
  CHECK(facts.largest_asymmetry == Approx(0.25));

  const Structure symmetric = inspected(graph_of(3, {{0, 1, 0.5F}, {1, 0, 0.5F}, {2, 2, 1.0F}})).structure;
  CHECK(symmetric.reciprocity == 1.0);
  CHECK(symmetric.symmetric);
  const Structure unequal = inspected(graph_of(2, {{0, 1, 0.5F}, {1, 0, 0.25F}})).structure;
  CHECK(unequal.reciprocity == 1.0);
  CHECK_FALSE(unequal.symmetric);
}

TEST_CASE("inspect: degrees over magnitudes fall into doubling bins, others into equal ones") {
  std::vector<Edge> star;
  for (std::int32_t i = 1; i <= 100; ++i) star.push_back({i, 0, 1.0F});
  const Histogram skewed = inspected(graph_of(101, star)).structure.used_by.histogram;
  CHECK(skewed.bins == Histogram::Bins::doubling);
  CHECK(skewed.bounds == std::vector<double>{0, 1, 2, 4, 8, 16, 32, 64, 128});
  CHECK(skewed.counts == std::vector<std::int64_t>{100, 0, 0, 0, 0, 0, 0, 1});

  std::vector<Edge> even;
  for (std::int64_t i = 0; i < 80; ++i) {
    for (std::int32_t j = 0; j < static_cast<std::int32_t>(i); ++j) even.push_back({i, j, 1.0F});
  }
  const Histogram spread = inspected(graph_of(80, even)).structure.neighbours.histogram;
  CHECK(spread.bins == Histogram::Bins::equal);
  CHECK(spread.bounds.front() == 0.0);
  CHECK(spread.bounds[1] == 5.0);
  CHECK(spread.bounds.back() == 80.0);
  CHECK(spread.counts == std::vector<std::int64_t>(16, 5));
}

TEST_CASE("inspect: weights, thresholds and row sums") {
  const WeightFacts facts = inspected(worked_graph()).weights;
  // ascending .25 .5 .5 .75 1 1
  CHECK(facts.meaning == WeightMeaning::unknown);
  CHECK_FALSE(facts.all_equal);
  CHECK(facts.spread.least == 0.25);
  CHECK(facts.spread.first_quartile == 0.5);
  CHECK(facts.spread.median == 0.625);
  CHECK(facts.spread.third_quartile == Approx(0.9375));
  CHECK(facts.spread.mean == Approx(4.0 / 6.0));
  REQUIRE(facts.below.size() == 9);
  CHECK(facts.below[2].threshold == 0.3);
  CHECK(facts.below[2].edges == 1);
  CHECK(facts.below[4].edges == 1);  // a weight of 0.5 is not below 0.5
  CHECK(facts.below[5].edges == 3);
  CHECK(facts.below[8].share == Approx(4.0 / 6.0));
  CHECK(facts.row_sums.least == 0.0);
  CHECK(facts.row_sums.most == 1.25);
  CHECK(facts.row_sums.mean == Approx(4.0 / 6.0));
}

TEST_CASE("inspect: thresholds suit weights far from the unit interval") {
  std::vector<Edge> edges;
  for (std::int64_t e = 0; e <= 100; ++e) edges.push_back({0, static_cast<std::int32_t>(e), static_cast<float>(e)});
  const WeightFacts wide = inspected(graph_of(101, edges)).weights;
  REQUIRE(wide.below.size() == 10);
  CHECK(wide.below.front().threshold == 10.0);
  CHECK(wide.below.front().edges == 10);
  CHECK(wide.below.back().threshold == 100.0);

  for (Edge& edge : edges) edge.weight /= 1000.0F;
  const WeightFacts narrow = inspected(graph_of(101, edges)).weights;
  CHECK(narrow.below.front().threshold == 0.01);
  CHECK(narrow.below.back().threshold == 0.1);
}

TEST_CASE("inspect: what weights mean is said only where it is known") {
  const Graph graph = worked_graph();
  const auto meaning = [&](const Graph& of, const Provenance& provenance) {
    return inspect_weights(of, provenance, {}).meaning;
  };
  const Provenance cosine{{"operator", "refine"}, {"weights", "similarity"}, {"normalization", "none"},
                          {"jaccard_k", "0"},     {"modalities", "1"},       {"add_self_loops", "false"}};
  CHECK(meaning(graph, {}) == WeightMeaning::unknown);
  CHECK(meaning(graph, cosine) == WeightMeaning::cosine);
  for (const auto& [key, value] : Provenance{{"jaccard_k", "5"}, {"modalities", "2"}, {"weights", "binary"}}) {
    Provenance other = cosine;
    other[key] = value;
    CHECK(meaning(graph, other) == WeightMeaning::unknown);
  }
  CHECK(meaning(graph, {{"normalization", "symmetric"}}) == WeightMeaning::symmetric_normalized);
  CHECK(meaning(graph_of(3, {{0, 1, 2.0F}, {1, 2, 2.0F}}), {}) == WeightMeaning::equal);
  CHECK(meaning(graph_of(3, {{0, 1, 0.25F}, {0, 2, 0.75F}, {1, 0, 1.0F}}), {}) == WeightMeaning::row_normalized);
  CHECK(meaning(graph_of(3, {{0, 1, 1.0F}, {1, 2, 1.0F}}), {}) == WeightMeaning::equal);
}

TEST_CASE("inspect: common users, in all, by weight and by audience") {
  const Interactions interactions = worked_interactions();
  const Inspection facts = inspected(worked_graph(), {.interactions = &interactions});
  REQUIRE(facts.audience);
  const AudienceFacts& audience = *facts.audience;
  CHECK(audience.users == 3);
  CHECK(audience.pairs == 6);
  // 0-1, 0-2 and 1-2 share users: 6 of 30 ordered pairs
  CHECK(audience.base_rate == Approx(6.0 / 30.0));
  CHECK(audience.base_rate_rows == 6);
  // 0->1 and 1->0 have Jaccard 1, 2->0 has 1/2, 3->0 has 0
  CHECK(audience.all.edges == 4);
  CHECK(audience.all.confirmed == 3);
  CHECK(audience.all.share() == Approx(0.75));
  CHECK(audience.all.mean_jaccard() == Approx(2.5 / 4.0));

  // ascending .25 .5 .5 .75 without loops: the cut in the middle of the run of .5 moves to its beginning
  REQUIRE(audience.by_weight.size() == 3);
  CHECK(audience.by_weight[0].most == 0.25);
  CHECK(audience.by_weight[0].common.edges == 1);
  CHECK(audience.by_weight[1].least == 0.5);
  CHECK(audience.by_weight[1].most == 0.5);
  CHECK(audience.by_weight[1].common.edges == 2);
  CHECK(audience.by_weight[1].common.share() == Approx(0.5));
  CHECK(audience.by_weight[2].least == 0.75);
  CHECK(audience.by_weight[2].common.confirmed == 1);

  // audiences 2 2 1 1 0 0
  REQUIRE(audience.by_popularity.size() == 3);
  CHECK(audience.by_popularity[0].most_audience == 0);
  CHECK(audience.by_popularity[0].items == 2);
  CHECK(audience.by_popularity[0].common.edges == 0);
  CHECK(std::isnan(audience.by_popularity[0].common.share()));
  CHECK(audience.by_popularity[1].least_audience == 1);
  CHECK(audience.by_popularity[1].items == 2);
  CHECK(audience.by_popularity[1].mean_neighbours == 1.0);
  CHECK(audience.by_popularity[1].common.share() == Approx(0.5));
  CHECK(audience.by_popularity[2].most_audience == 2);
  CHECK(audience.by_popularity[2].common.share() == 1.0);
}

TEST_CASE("inspect: equal weights form one group") {
  const Interactions interactions = worked_interactions();
  const Graph graph = graph_of(6, {{0, 1, 1.0F}, {1, 0, 1.0F}, {2, 0, 1.0F}, {3, 0, 1.0F}});
  const AudienceFacts facts = inspect_audience(graph, interactions, 1000, {});
  REQUIRE(facts.by_weight.size() == 1);
  CHECK(facts.by_weight[0].common.edges == 4);
}

TEST_CASE("inspect: a base rate that would cost too much is counted over evenly spaced items") {
  std::vector<std::int32_t> users;
  std::vector<std::int32_t> items;
  for (std::int32_t i = 0; i < 100; ++i) {
    users.push_back(i < 50 ? 0 : 1);
    items.push_back(i);
  }
  const Interactions interactions = Interactions::from_pairs(users, items);
  const Graph graph(100);
  // 2 users of 50 items: 5000 visits; a quarter of them are allowed
  const AudienceFacts sampled = inspect_audience(graph, interactions, 1250, {});
  CHECK(sampled.base_rate_rows == 25);
  CHECK(sampled.base_rate == Approx(49.0 / 99.0));
  const AudienceFacts exact = inspect_audience(graph, interactions, 5000, {});
  CHECK(exact.base_rate_rows == 100);
  CHECK(exact.base_rate == Approx(49.0 / 99.0));
}

TEST_CASE("inspect: a long audience beside a short one is counted right") {
  std::vector<std::int32_t> users;
  std::vector<std::int32_t> items;
  for (std::int32_t u = 0; u < 1000; ++u) {
    users.push_back(u);
    items.push_back(0);
    if (u % 499 == 0) {  // 0, 499, 998
      users.push_back(u);
      items.push_back(1);
    }
  }
  const Interactions interactions = Interactions::from_pairs(users, items);
  const Graph pair = graph_of(2, {{0, 1, 1.0F}, {1, 0, 1.0F}});
  const AudienceFacts facts = inspect_audience(pair, interactions, 1 << 20, {});
  CHECK(facts.all.confirmed == 2);
  CHECK(facts.all.mean_jaccard() == Approx(0.003));
}

TEST_CASE("inspect: what changed between two graphs") {
  const Graph before = graph_of(5, {{0, 1, 0.5F}, {0, 2, 0.75F}, {1, 0, 0.5F}, {3, 0, 0.25F}, {4, 4, 1.0F}});
  const Graph after = graph_of(5, {{0, 1, 1.0F}, {0, 3, 0.5F}, {1, 0, 0.5F}, {2, 0, 0.25F}, {0, 0, 9.0F}});
  const std::vector<std::int32_t> users{0, 0, 1, 1};
  const std::vector<std::int32_t> items{0, 1, 0, 3};
  const Interactions interactions = Interactions::from_pairs(users, items, 2, 5);
  const Inspection facts = inspected(after, {.interactions = &interactions, .before = before.view()});
  REQUIRE(facts.comparison);
  const Comparison& change = *facts.comparison;
  CHECK(change.edges_before == 4);
  CHECK(change.edges_after == 4);
  CHECK(change.kept.edges == 2);
  CHECK(change.kept.share == Approx(0.5));
  CHECK(change.kept.mean_weight_before == Approx(0.5));
  CHECK(change.kept.mean_weight_after == Approx(0.75));
  CHECK(change.added.edges == 2);
  CHECK(change.added.share == Approx(0.5));
  CHECK(std::isnan(change.added.mean_weight_before));
  CHECK(change.added.mean_weight_after == Approx(0.375));
  CHECK(change.removed.edges == 2);
  CHECK(change.removed.mean_weight_before == Approx(0.5));
  CHECK(std::isnan(change.removed.mean_weight_after));
  // rows 0, 1, 2, 3: 1/3, 1, 0, 0; row 4 never had a neighbour
  CHECK(change.mean_overlap == Approx((1.0 / 3.0 + 1.0) / 4.0));
  CHECK(change.items_unchanged == 1);
  CHECK(change.first_neighbour == 1);
  CHECK(change.lost_all == 1);
  REQUIRE(change.kept.common);
  CHECK(change.kept.common->confirmed == 2);
  CHECK(change.added.common->confirmed == 1);    // 0 -> 3
  CHECK(change.removed.common->confirmed == 1);  // 3 -> 0
  CHECK(change.before->share() == Approx(0.75));
  CHECK(change.after->share() == Approx(0.75));
  REQUIRE(facts.structure_before);
  CHECK(facts.structure_before->self_loops == 1);

  const Comparison alone = inspect_comparison(before, after, nullptr, {});
  CHECK(alone.kept.edges == 2);
  CHECK_FALSE(alone.kept.common);
  CHECK_FALSE(alone.before);
}

TEST_CASE("inspect: edges within labels, against chance") {
  const Labels labels = labels_of({"red", "red", "blue", "blue", "", "red"});
  CHECK(labels.names == std::vector<std::string>{"blue", "red"});
  CHECK(labels.ids == std::vector<std::int32_t>{1, 1, 0, 0, -1, 1});
  const Graph graph =
      graph_of(6, {{0, 1, 1.0F}, {0, 2, 1.0F}, {0, 4, 1.0F}, {1, 1, 1.0F}, {2, 3, 1.0F}, {3, 5, 1.0F}, {4, 0, 1.0F}});
  const LabelFacts facts = inspect_labels(graph, labels, 10, {});
  CHECK(facts.labels == 2);
  CHECK(facts.labelled_items == 5);
  CHECK(facts.edges == 4);
  CHECK(facts.within == 2);
  CHECK(facts.homophily == Approx(0.5));
  CHECK(facts.baseline == Approx(13.0 / 25.0));
  CHECK(facts.adjusted == Approx((0.5 - 0.52) / 0.48));
  REQUIRE(facts.largest.size() == 2);
  CHECK(facts.largest[0].label == "red");
  CHECK(facts.largest[0].items == 3);
  CHECK(facts.largest[0].share() == Approx(0.5));
  CHECK(facts.largest[1].within == 1);
  CHECK(inspect_labels(graph, labels, 1, {}).largest.size() == 1);
}

TEST_CASE("inspect: empty graphs have no shares") {
  for (const std::int64_t items : {0, 1, 3}) {
    CAPTURE(items);
    const Graph graph(items);
    const Interactions interactions = Interactions::from_pairs({}, {}, 0, items);
    const Labels labels = labels_of(std::vector<std::string>(static_cast<std::size_t>(items)));
    const Inspection facts =
        inspected(graph, {.interactions = &interactions, .before = graph.view(), .labels = &labels});
    CHECK(facts.structure.edges == 0);
    CHECK(facts.structure.isolated_items == items);
    CHECK(facts.structure.components.count == items);
    CHECK(std::isnan(facts.structure.reciprocity));
    CHECK(facts.structure.symmetric);
    CHECK(facts.weights.histogram.counts.empty());
    CHECK(std::isnan(facts.weights.spread.mean));
    CHECK(std::isnan(facts.audience->all.share()));
    CHECK(facts.audience->by_weight.empty());
    CHECK(std::isnan(facts.comparison->mean_overlap));
    CHECK(std::isnan(facts.labels->homophily));
    CHECK_FALSE(inspection_text(facts, {}).empty());
    CHECK_FALSE(inspection_html(facts, {}).empty());
  }
}

TEST_CASE("inspect: sizes that differ are refused with both numbers") {
  const Graph graph(4);
  const Graph other(5);
  const Interactions interactions = Interactions::from_pairs({}, {}, 1, 6);
  const Labels labels = labels_of({"a", "b", "c"});
  expect_error<InvalidArgument>([&] { inspect(graph, {.interactions = &interactions}); },
                                {"interactions", "6 items", "4"});
  expect_error<InvalidArgument>([&] { inspect(graph, {.before = other.view()}); }, {"before", "5 items", "4"});
  expect_error<InvalidArgument>([&] { inspect(graph, {.labels = &labels}); }, {"labels", "3 items", "4"});
}

TEST_CASE("inspect: the number of threads changes nothing, and a cancelled call ends") {
  const Graph before = random_graph(5000, 20, 1);
  const Graph after = random_graph(5000, 30, 2);
  std::mt19937 random(3);
  std::vector<std::int32_t> users;
  std::vector<std::int32_t> items;
  for (int pair = 0; pair < 40000; ++pair) {
    users.push_back(static_cast<std::int32_t>(random() % 1000));
    items.push_back(static_cast<std::int32_t>(random() % 5000));
  }
  const Interactions interactions = Interactions::from_pairs(users, items, 1000, 5000);
  const InspectOptions options{.interactions = &interactions, .before = before.view()};
  const auto page = [&](int threads) {
    return inspection_html(inspect(after, options, {.threads = threads}), {.graph = "g", .before = "b"});
  };
  const std::string expected = page(1);
  CHECK(expected == page(1));
  for (const int threads : {2, 7}) CHECK(page(threads) == expected);
  const Context cancelled;
  cancelled.cancel.cancel();
  CHECK_THROWS_AS(inspect(after, options, cancelled), Cancelled);
}

}  // namespace
}  // namespace inspect_test
