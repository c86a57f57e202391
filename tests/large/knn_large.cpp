// Rows far into a result whose places, rows * k, pass 2^31.
#include <graft/ops/knn.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include <graft/ops/jaccard.hpp>
#include <graft/ops/merge_top_k.hpp>
#include <graft/ops/top_k_scores.hpp>

#include "../support/check.hpp"

namespace knn_large {
namespace {

using namespace graft;

constexpr std::int64_t kItems = 70000;
static_assert(kItems * kItems > std::int64_t{1} << 32);

/// One dimension: item i has the value i, so that similarities are known.
const std::vector<float>& ramp() {
  static const std::vector<float> values = [] {
    std::vector<float> result;
    for (std::int64_t i = 0; i < kItems; ++i) result.push_back(static_cast<float>(i));
    return result;
  }();
  return values;
}
MatrixView<const float> features() { return {ramp().data(), kItems, 1}; }

TEST_CASE("knn_graph: the last rows of 70,000 items and 70,000 places hold every item") {
  const Graph graph = knn_graph(features(), {.k = kItems, .metric = Metric::l2, .row_range = {kItems - 3, kItems}});
  REQUIRE(graph.edges() == 3 * (kItems - 1));
  CHECK(graph.row_columns(kItems - 4).empty());
  for (std::int64_t r = kItems - 3; r < kItems; ++r) {
    std::int64_t wrong = 0;
    std::int64_t column = 0;
    for (std::size_t e = 0; e < graph.row_columns(r).size(); ++e, ++column) {
      if (column == r) ++column;
      const float apart = static_cast<float>(r - column);
      if (graph.row_columns(r)[e] != column || graph.row_weights(r)[e] != -(apart * apart)) ++wrong;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("knn_graph: the nearest in the last rows are the neighbours on the line") {
  const RowRange last{kItems - 5, kItems};
  const Graph graph = knn_graph(features(), {.k = 4, .metric = Metric::l2, .row_range = last});
  for (std::int64_t r = last.begin; r < kItems - 2; ++r) {
    const auto id = static_cast<std::int32_t>(r);
    CHECK(graft::test::columns_of(graph, r) == std::vector<std::int32_t>{id - 2, id - 1, id + 1, id + 2});
  }
  // the row after the last does not exist: the two nearest lie below, then two more
  CHECK(graft::test::columns_of(graph, kItems - 1) ==
        std::vector<std::int32_t>{kItems - 5, kItems - 4, kItems - 3, kItems - 2});
}

TEST_CASE("knn_graph: scattered row ranges of 70,000 places join to what each was") {
  KnnOptions options{.k = kItems, .metric = Metric::dot, .self = Self::keep};
  std::vector<Graph> parts;
  for (const std::int64_t begin : {std::int64_t{5}, std::int64_t{35000}, kItems - 1}) {
    options.row_range = {begin, begin + 1};
    parts.push_back(knn_graph(features(), options));
    CHECK(parts.back().row_columns(begin).size() == static_cast<std::size_t>(kItems));
  }
  const std::vector<GraphView> views(parts.begin(), parts.end());
  const Graph joined = merge_top_k(views, kItems);
  CHECK(joined.edges() == 3 * kItems);
  CHECK(graft::test::weight_of(joined, kItems - 1, 2) == 2.0F * static_cast<float>(kItems - 1));
}

TEST_CASE("top_k_scores: the last queries of 70,000 rank all 70,000 items") {
  const RowRange last{kItems - 2, kItems};
  const Ranking ranking = top_k_scores(features(), features(), {.k = kItems, .row_range = last});
  REQUIRE(ranking.ids.size() == 2 * static_cast<std::size_t>(kItems));
  for (std::int64_t q = last.begin; q < last.end; ++q) {
    std::int64_t wrong = 0;
    for (std::int64_t place = 0; place < kItems; ++place) {
      // neighbouring ids may tie in float32, so the order is checked by the scores
      const auto at = static_cast<std::size_t>(place);
      const auto id = ranking.row_ids(q)[at];
      if (ranking.row_scores(q)[at] != static_cast<float>(q) * static_cast<float>(id)) ++wrong;
      if (place > 0 && ranking.row_scores(q)[at] > ranking.row_scores(q)[at - 1]) ++wrong;
    }
    CHECK(wrong == 0);
    CHECK(ranking.row_ids(q).back() == 0);
  }
}

TEST_CASE("jaccard_graph: the last rows of 70,000 items that share a user hold every item") {
  std::vector<std::int32_t> users(static_cast<std::size_t>(kItems), 0);
  std::vector<std::int32_t> items;
  for (std::int64_t i = 0; i < kItems; ++i) items.push_back(static_cast<std::int32_t>(i));
  const Interactions interactions = Interactions::from_pairs(users, items);
  const Graph graph = jaccard_graph(interactions, {.k = kItems, .row_range = {kItems - 2, kItems}});
  CHECK(graph.edges() == 2 * (kItems - 1));
  CHECK(graph.row_columns(kItems - 1)[0] == 0);
  CHECK(graph.row_columns(kItems - 1).back() == kItems - 2);
  CHECK(graph.row_columns(kItems - 2).back() == kItems - 1);
}

}  // namespace

}  // namespace knn_large
