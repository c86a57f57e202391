// top_k_scores against the slow oracle on random inputs, and its promises.
#include <graft/ops/top_k_scores.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <graft/ops/knn.hpp>

#include "../support/check.hpp"
#include "../support/oracle.hpp"
#include "../support/random_data.hpp"

namespace top_k_scores_property {
namespace {

using namespace graft;
using graft::test::cases;
using graft::test::draw;
using graft::test::draw_features;
using graft::test::FeatureData;
using graft::test::FeatureShape;
using graft::test::Kind;
using graft::test::pick;
using graft::test::Random;

struct Input {
  Kind kind = Kind::gaussian;
  FeatureData queries;
  FeatureData items;
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> excluded;
  TopKScoresOptions options;

  [[nodiscard]] bool exact() const {
    return kind == Kind::signs || (kind == Kind::small_integer && options.metric != Metric::cosine);
  }
  [[nodiscard]] std::string words(int number) const {
    return "case " + std::to_string(number) + ": " + graft::test::name_of(kind) + " " + std::to_string(queries.items) +
           " queries, " + std::to_string(items.items) + " items, dims " + std::to_string(items.dims) + ", k " +
           std::to_string(options.k) + ", metric " + std::to_string(static_cast<int>(options.metric)) +
           (offsets.empty() ? "" : ", exclusions");
  }
};

/// Fills `input`, whose spans point into itself.
void draw_input(Random& random, std::int64_t most, Input& input) {
  input.kind =
      pick(random, std::vector<Kind>{Kind::gaussian, Kind::positive, Kind::small_integer, Kind::signs, Kind::constant});
  const auto dims = pick(random, std::vector<std::int64_t>{0, 1, 2, 3, 7, 17, 64, 65, 200, 384, 600});
  input.queries = draw_features(
      random, {.kind = input.kind, .items = draw(random, 0, most), .dims = dims, .padding = draw(random, 0, 4)});
  input.items = draw_features(
      random, {.kind = input.kind, .items = draw(random, 0, most), .dims = dims, .padding = draw(random, 0, 4)});
  for (std::int64_t q = 0; q < input.queries.items && input.items.items > 0; q += 3) {
    std::copy_n(input.items.row(draw(random, 0, input.items.items - 1)), dims, input.queries.row(q));
  }
  input.options.metric = pick(random, std::vector<Metric>{Metric::cosine, Metric::dot, Metric::l2});
  input.options.k = pick(random, std::vector<std::int64_t>{1, 2, 10, 50, 256, 257, input.items.items + 1});
  if (draw(random, 0, 2) == 0) {
    input.options.min_score = pick(random, std::vector<float>{-1.0F, -0.5F, 0.0F, 0.5F, 1.0F});
  }
  if (draw(random, 0, 1) == 0) return;
  input.offsets.push_back(0);
  std::uniform_real_distribution<double> chance(0.0, 1.0);
  for (std::int64_t q = 0; q < input.queries.items; ++q) {
    const double share = pick(random, std::vector<double>{0.0, 0.1, 0.9, 1.0});
    for (std::int64_t i = 0; i < input.items.items; ++i) {
      if (chance(random) < share) input.excluded.push_back(static_cast<std::int32_t>(i));
    }
    input.offsets.push_back(static_cast<std::int64_t>(input.excluded.size()));
  }
  input.options.exclude = {input.offsets, input.excluded};
}

TEST_CASE("top_k_scores: equals the oracle, exclusions and bounds included") {
  Random random(20260301);
  for (int number = 0; number < cases(400); ++number) {
    Input input;
    draw_input(random, number % 10 == 0 ? 400 : 120, input);
    const Ranking ranking = top_k_scores(input.queries.view(), input.items.view(), input.options);
    const std::string problem =
        graft::test::compare_ranking(ranking, input.queries.view(), input.items.view(), input.options, input.exact());
    CHECK_MESSAGE(problem.empty(), input.words(number) << ": " << problem);
  }
}

TEST_CASE("top_k_scores: threads and budget do not change a bit") {
  Random random(20260302);
  for (int number = 0; number < cases(80); ++number) {
    Input input;
    draw_input(random, 300, input);
    Context context;
    context.threads = 1;
    const auto run = [&] { return top_k_scores(input.queries.view(), input.items.view(), input.options, context); };
    const Ranking expected = run();
    for (const int threads : {1, 2, 7}) {
      context.threads = threads;
      context.memory_budget = kDefaultMemoryBudget;
      CHECK_MESSAGE(run() == expected, input.words(number) << ", threads " << threads);
      if (input.queries.items == 0 || input.items.items == 0) continue;
      const std::int64_t least = graft::test::least_budget(
          [&](const Context& c) { plan(input.queries.items, input.items.items, input.items.dims, input.options, c); },
          context);
      REQUIRE_MESSAGE(least > 0, input.words(number) << ": OutOfMemory does not name the least budget");
      context.memory_budget = least;
      CHECK_MESSAGE(run() == expected, input.words(number) << ", threads " << threads << ", budget " << least);
    }
  }
}

TEST_CASE("top_k_scores: query ranges give the rows of the whole") {
  Random random(20260303);
  for (int number = 0; number < cases(100); ++number) {
    Input input;
    draw_input(random, 200, input);
    const Ranking whole = top_k_scores(input.queries.view(), input.items.view(), input.options);
    const std::int64_t begin = draw(random, 0, input.queries.items);
    const std::int64_t end = draw(random, begin, input.queries.items);
    input.options.row_range = {begin, end};
    const Ranking part = top_k_scores(input.queries.view(), input.items.view(), input.options);
    REQUIRE(part.rows() == input.queries.items);
    for (std::int64_t q = 0; q < part.rows(); ++q) {
      const bool inside = q >= begin && q < end;
      const std::size_t size = inside ? whole.row_ids(q).size() : 0;
      REQUIRE_MESSAGE(part.row_ids(q).size() == size, input.words(number) << ", query " << q);
      if (!inside) continue;
      CHECK(std::equal(part.row_ids(q).begin(), part.row_ids(q).end(), whole.row_ids(q).begin()));
      CHECK(std::equal(part.row_scores(q).begin(), part.row_scores(q).end(), whole.row_scores(q).begin()));
    }
  }
}

TEST_CASE("top_k_scores: the ranking for k starts the ranking for k + 1") {
  Random random(20260304);
  for (int number = 0; number < cases(80); ++number) {
    Input input;
    draw_input(random, 100, input);
    input.options.k = 1;
    Ranking smaller = top_k_scores(input.queries.view(), input.items.view(), input.options);
    for (const std::int64_t k : {2, 3, 20, 21, 99, 100, 101}) {
      input.options.k = k;
      const Ranking larger = top_k_scores(input.queries.view(), input.items.view(), input.options);
      for (std::int64_t q = 0; q < input.queries.items; ++q) {
        const auto few = smaller.row_ids(q);
        const auto more = larger.row_ids(q);
        REQUIRE_MESSAGE(few.size() <= more.size(), input.words(number) << ", query " << q);
        CHECK(std::equal(few.begin(), few.end(), more.begin()));
        CHECK(std::equal(smaller.row_scores(q).begin(), smaller.row_scores(q).end(), larger.row_scores(q).begin()));
      }
      smaller = larger;
    }
  }
}

TEST_CASE("top_k_scores: items against themselves without themselves is knn_graph, bit for bit") {
  Random random(20260305);
  for (int number = 0; number < cases(80); ++number) {
    Input input;
    draw_input(random, 200, input);
    const FeatureData& items = input.items;
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int32_t> own;
    for (std::int64_t i = 0; i < items.items; ++i) {
      own.push_back(static_cast<std::int32_t>(i));
      offsets.push_back(i + 1);
    }
    TopKScoresOptions options{.k = input.options.k, .metric = input.options.metric};
    options.exclude = {offsets, own};
    const Ranking ranking = top_k_scores(items.view(), items.view(), options);
    const Graph graph = knn_graph(items.view(), {.k = options.k, .metric = options.metric});
    for (std::int64_t i = 0; i < items.items; ++i) {
      REQUIRE_MESSAGE(ranking.row_ids(i).size() == graph.row_columns(i).size(), input.words(number) << ", row " << i);
      for (std::size_t e = 0; e < ranking.row_ids(i).size(); ++e) {
        const float weight = graft::test::weight_of(graph, i, ranking.row_ids(i)[e]);
        REQUIRE_MESSAGE(weight == ranking.row_scores(i)[e], input.words(number) << ", row " << i);
      }
    }
  }
}

}  // namespace
}  // namespace top_k_scores_property
