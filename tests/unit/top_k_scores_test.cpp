// top_k_scores on inputs small enough to know the answer, its errors and its plan.
#include <graft/ops/top_k_scores.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "../support/check.hpp"

namespace top_k_scores_test {
namespace {

using namespace graft;
using graft::test::contains;
using graft::test::message_of;
using Ids = std::vector<std::int32_t>;
using Scores = std::vector<float>;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

const std::vector<float> kQueries = {1, 0, 0, 1, 0, 0};
const std::vector<float> kItems = {2, 0, 0, 3, 2, 0, -1, 5, 0, 0};
MatrixView<const float> queries() { return {kQueries.data(), 3, 2}; }
MatrixView<const float> items() { return {kItems.data(), 5, 2}; }

Ids ids(const Ranking& ranking, std::int64_t row) { return {ranking.row_ids(row).begin(), ranking.row_ids(row).end()}; }
Scores scores(const Ranking& ranking, std::int64_t row) {
  return {ranking.row_scores(row).begin(), ranking.row_scores(row).end()};
}

TEST_CASE("top_k_scores: defaults are ten items by dot product, nothing excluded, without a bound") {
  const TopKScoresOptions options;
  CHECK(options.k == 10);
  CHECK(options.metric == Metric::dot);
  CHECK(options.min_score == -kInfinity);
  CHECK(options.exclude.row_offsets.empty());
}

TEST_CASE("top_k_scores: ids come by score descending, then id ascending") {
  const Ranking ranking = top_k_scores(queries(), items());
  CHECK(ranking.rows() == 3);
  CHECK(ids(ranking, 0) == Ids{0, 2, 1, 4, 3});
  CHECK(scores(ranking, 0) == Scores{2, 2, 0, 0, -1});
  CHECK(ids(ranking, 1) == Ids{3, 1, 0, 2, 4});
  CHECK(ids(ranking, 2) == Ids{0, 1, 2, 3, 4});  // a zero query scores 0 everywhere
  CHECK(ids(top_k_scores(queries(), items(), {.k = 1}), 0) == Ids{0});
}

TEST_CASE("top_k_scores: with cosine zero rows score nothing, on either side") {
  const Ranking ranking = top_k_scores(queries(), items(), {.metric = Metric::cosine});
  CHECK(ids(ranking, 0) == Ids{0, 2, 1, 3});
  CHECK(ids(ranking, 2).empty());
}

TEST_CASE("top_k_scores: l2 ranks by distance, with self an item like any other") {
  const Ranking ranking = top_k_scores(items(), items(), {.k = 2, .metric = Metric::l2});
  CHECK(ids(ranking, 2) == Ids{0, 2});
  CHECK(scores(ranking, 2) == Scores{0, 0});
  CHECK(ids(ranking, 1) == Ids{1, 3});
}

TEST_CASE("top_k_scores: excluded items never appear, and a row may end up short or empty") {
  const std::vector<std::int64_t> offsets = {0, 2, 2, 7};
  const std::vector<std::int32_t> excluded = {0, 4, 0, 1, 2, 3, 4};
  TopKScoresOptions options{.k = 4};
  options.exclude = {offsets, excluded};
  const Ranking ranking = top_k_scores(queries(), items(), options);
  CHECK(ids(ranking, 0) == Ids{2, 1, 3});
  CHECK(ids(ranking, 1) == Ids{3, 1, 0, 2});
  CHECK(ids(ranking, 2).empty());
}

TEST_CASE("top_k_scores: zeros of either sign are equal, the smaller id first, and come out as 0") {
  const std::vector<float> query = {1, -1};
  const std::vector<float> zeros = {-1, -1, 0, 0, 2, 2, -0.0F, 0.0F};
  const Ranking ranking =
      top_k_scores(MatrixView<const float>(query.data(), 1, 2), MatrixView<const float>(zeros.data(), 4, 2), {.k = 3});
  CHECK(ids(ranking, 0) == Ids{0, 1, 2});
  for (const float score : scores(ranking, 0)) CHECK_FALSE(std::signbit(score));
}

TEST_CASE("top_k_scores: long and short lists of excluded items, few queries on many threads") {
  constexpr std::int64_t kCatalogue = 2000;
  std::vector<float> line(static_cast<std::size_t>(kCatalogue));
  for (std::size_t i = 0; i < line.size(); ++i) line[i] = static_cast<float>(i);
  const std::vector<float> query = {1, 1};
  std::vector<std::int32_t> excluded;
  for (std::int32_t i = 1990; i < 2000; ++i) excluded.push_back(i);     // of query 0
  for (std::int32_t i = 1000; i < 2000; i += 2) excluded.push_back(i);  // of query 1
  const std::vector<std::int64_t> offsets = {0, 10, 510};
  for (const int threads : {1, 8}) {
    const Ranking ranking =
        top_k_scores(MatrixView<const float>(query.data(), 2, 1), MatrixView<const float>(line.data(), kCatalogue, 1),
                     {.k = 3, .exclude = {offsets, excluded}}, Context{.threads = threads});
    CHECK(ids(ranking, 0) == Ids{1989, 1988, 1987});
    CHECK(ids(ranking, 1) == Ids{1999, 1997, 1995});
  }
}

TEST_CASE("top_k_scores: the bound is inclusive") {
  CHECK(ids(top_k_scores(queries(), items(), {.min_score = 0.0F}), 0) == Ids{0, 2, 1, 4});
  CHECK(ids(top_k_scores(queries(), items(), {.min_score = 2.0F}), 0) == Ids{0, 2});
  CHECK(ids(top_k_scores(queries(), items(), {.min_score = 2.5F}), 0).empty());
}

TEST_CASE("top_k_scores: empty inputs give empty rows") {
  CHECK(top_k_scores(MatrixView<const float>(nullptr, 0, 2), items()).rows() == 0);
  const Ranking no_items = top_k_scores(queries(), MatrixView<const float>(nullptr, 0, 2));
  CHECK(no_items.rows() == 3);
  CHECK(no_items.ids.empty());
  const Ranking no_dims = top_k_scores(MatrixView<const float>(nullptr, 2, 0), MatrixView<const float>(nullptr, 3, 0));
  CHECK(ids(no_dims, 1) == Ids{0, 1, 2});
}

TEST_CASE("top_k_scores: a row range leaves the other rows empty") {
  const Ranking ranking = top_k_scores(queries(), items(), {.row_range = {1, 2}});
  CHECK(ranking.rows() == 3);
  CHECK(ids(ranking, 0).empty());
  CHECK(ids(ranking, 1).size() == 5);
  CHECK(ids(ranking, 2).empty());
}

TEST_CASE("top_k_scores: options out of range are refused with argument and value") {
  const auto refused = [](const TopKScoresOptions& options, std::initializer_list<const char*> parts) {
    const auto text = message_of<InvalidArgument>([&] { top_k_scores(queries(), items(), options); });
    CHECK_MESSAGE(contains(text, parts), text);
    CHECK(message_of<InvalidArgument>([&] { plan(3, 5, 2, options); }) == text);
  };
  refused({.k = 0}, {"top_k_scores", "k = 0", ">= 1"});
  refused({.min_score = kNan}, {"top_k_scores", "min_score = ", "nan"});
  refused({.min_score = kInfinity}, {"top_k_scores", "min_score = inf"});
  refused({.metric = Metric::cosine, .min_score = 2.0F}, {"top_k_scores", "min_score = 2", "[-1, 1]"});
  refused({.row_range = {-1, 1}}, {"top_k_scores", "row_range", "-1"});
  refused({.row_range = {2, 1}}, {"top_k_scores", "row_range", "2", "1"});
}

TEST_CASE("top_k_scores: dims that differ are both named") {
  const auto text =
      message_of<InvalidArgument>([] { top_k_scores(queries(), MatrixView<const float>(kItems.data(), 2, 5)); });
  CHECK_MESSAGE(contains(text, {"top_k_scores", "2", "5", "dims"}), text);
}

TEST_CASE("top_k_scores: exclusions that are no ascending CSR are refused") {
  const auto refused = [](const std::vector<std::int64_t>& offsets, const Ids& columns,
                          std::initializer_list<const char*> parts) {
    TopKScoresOptions options;
    options.exclude = {offsets, columns};
    const auto text = message_of<InvalidArgument>([&] { top_k_scores(queries(), items(), options); });
    CHECK_MESSAGE(contains(text, parts), text);
  };
  refused({0, 1}, {0}, {"top_k_scores", "row_offsets", "2 entries"});
  refused({1, 1, 1, 1}, {0}, {"row_offsets[0] = 1"});
  refused({0, 2, 1, 2}, {0, 1}, {"row_offsets[2] = 1"});
  refused({0, 1, 1, 1}, {0, 1}, {"row_offsets[3] = 1"});
  refused({0, 1, 1, 1}, {5}, {"columns[0] = 5", "[0, 5)"});
  refused({0, 1, 1, 1}, {-1}, {"columns[0] = -1"});
  refused({0, 0, 2, 2}, {3, 1}, {"row 1", "ascend"});
  refused({0, 0, 2, 2}, {3, 3}, {"row 1", "ascend"});
  refused({}, {3}, {"row_offsets"});
}

TEST_CASE("top_k_scores: a feature that is not finite is refused by matrix and row") {
  std::vector<float> bad = kItems;
  bad[6] = kNan;
  const MatrixView<const float> view(bad.data(), 5, 2);
  const auto in_items = message_of<InvalidArgument>([&] { top_k_scores(queries(), view); });
  CHECK_MESSAGE(contains(in_items, {"top_k_scores", "items", "row 3", "finite"}), in_items);
  const auto in_queries = message_of<InvalidArgument>([&] { top_k_scores(view, items()); });
  CHECK_MESSAGE(contains(in_queries, {"top_k_scores", "queries", "row 3", "finite"}), in_queries);
}

TEST_CASE("top_k_scores: the matrix and row whose products overflow are named, small partners make them fit") {
  const std::vector<float> huge = {1, 1, 1e30F, 0, 1, 1};
  const std::vector<float> large = {1e10F, 0, 0, 1};
  const MatrixView<const float> huge_rows(huge.data(), 3, 2);
  const MatrixView<const float> large_rows(large.data(), 2, 2);
  const auto by_query = message_of<InvalidArgument>([&] { top_k_scores(huge_rows, large_rows); });
  CHECK_MESSAGE(contains(by_query, {"top_k_scores", "queries row 1", "overflow"}), by_query);
  const auto by_item = message_of<InvalidArgument>([&] { top_k_scores(large_rows, huge_rows); });
  CHECK_MESSAGE(contains(by_item, {"top_k_scores", "items row 1", "overflow"}), by_item);
  CHECK(top_k_scores(huge_rows, queries(), {.k = 1}).scores[1] == 1e30F);
  CHECK(top_k_scores(huge_rows, large_rows, {.metric = Metric::cosine}).ids.size() == 6);
}

TEST_CASE("plan of top_k_scores: stays within the budget and bounds the result") {
  for (const std::int64_t budget : {std::int64_t{4} << 20, kDefaultMemoryBudget}) {
    const Context context{.threads = 2, .memory_budget = budget};
    const Plan cost = plan(10000, 3000, 64, TopKScoresOptions{.k = 20}, context);
    CHECK(cost.workspace_bytes <= budget);
    CHECK(cost.output_bytes >= 8 * 20 * 10000);
    CHECK(cost.flops == doctest::Approx(2.0 * 10000.0 * 3000.0 * 64.0));
    CHECK(cost.tiles >= 1);
  }
  const Context small{.memory_budget = 77};
  const auto text = message_of<OutOfMemory>([&] { plan(10000, 3000, 64, TopKScoresOptions{}, small); });
  CHECK_MESSAGE(contains(text, {"top_k_scores", "memory_budget = 77"}), text);
}

}  // namespace
}  // namespace top_k_scores_test
