// jaccard_graph and its other measures against exact integer comparison on random inputs.
#include <graft/ops/jaccard.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <graft/ops/merge_top_k.hpp>

#include "../support/check.hpp"
#include "../support/oracle_audience.hpp"
#include "../support/random_data.hpp"

namespace jaccard_property {
namespace {

using namespace graft;
using graft::test::AudienceCandidate;
using graft::test::AudienceShape;
using graft::test::cases;
using graft::test::draw;
using graft::test::draw_interactions;
using graft::test::pick;
using graft::test::Random;

AudienceShape draw_shape(Random& random, std::int64_t most_items) {
  AudienceShape shape;
  shape.items = draw(random, 0, 3) == 0 ? draw(random, 0, 6) : draw(random, 0, most_items);
  shape.users = draw(random, 0, 3) == 0 ? draw(random, 0, 6) : draw(random, 1, 200);
  shape.mean_history = pick(random, std::vector<double>{0.5, 3.0, 10.0});
  shape.heavy_users = draw(random, 0, 2) == 0 ? draw(random, 0, 3) : 0;
  return shape;
}

JaccardOptions draw_options(Random& random, bool exact_measures) {
  JaccardOptions options;
  options.k = pick(random, std::vector<std::int64_t>{1, 2, 3, 10, 50, 2000});
  options.min_support = pick(random, std::vector<std::int64_t>{1, 1, 1, 2, 3, 10});
  options.self = draw(random, 0, 1) == 0 ? Self::keep : Self::drop;
  options.measure = exact_measures
                        ? pick(random, std::vector<AudienceMeasure>{AudienceMeasure::jaccard, AudienceMeasure::cosine,
                                                                    AudienceMeasure::overlap, AudienceMeasure::pmi})
                        : AudienceMeasure::log_likelihood;
  options.identical = pick(random, std::vector<Identical>{Identical::keep, Identical::drop});
  if (options.measure == AudienceMeasure::jaccard && draw(random, 0, 2) == 0) options.identical = Identical::reference;
  return options;
}

std::string words(const AudienceShape& shape, const JaccardOptions& options, int number) {
  return "case " + std::to_string(number) + ": " + std::to_string(shape.users) + " users, " +
         std::to_string(shape.items) + " items, k " + std::to_string(options.k) + ", min_support " +
         std::to_string(options.min_support) + ", measure " + std::to_string(static_cast<int>(options.measure)) +
         ", identical " + std::to_string(static_cast<int>(options.identical)) + ", self " +
         (options.self == Self::keep ? "keep" : "drop");
}

/// Steps of float32 that a weight may differ from the oracle's: none where only a division is rounded; the logarithm
/// of another order of operations may differ in its last place.
int ulps(AudienceMeasure measure) { return measure == AudienceMeasure::pmi ? 1 : 0; }

TEST_CASE("jaccard_graph: jaccard, cosine, overlap and pmi equal the exact oracle, edges and weights") {
  Random random(20260401);
  for (int number = 0; number < cases(1500); ++number) {
    const AudienceShape shape = draw_shape(random, 150);
    const Interactions interactions = draw_interactions(random, shape);
    const JaccardOptions options = draw_options(random, true);
    const Graph expected = graft::test::audience_oracle(interactions, options);
    const std::string problem =
        graft::test::compare_graphs(jaccard_graph(interactions, options), expected, ulps(options.measure));
    CHECK_MESSAGE(problem.empty(), words(shape, options, number) << ": " << problem);
  }
}

TEST_CASE("jaccard_graph: equals the oracle on two thousand items") {
  Random random(20260402);
  const AudienceShape shape{.users = 1500, .items = 2000, .mean_history = 8.0, .heavy_users = 2};
  const Interactions interactions = draw_interactions(random, shape);
  const JaccardOptions options{};
  CHECK(jaccard_graph(interactions, options) == graft::test::audience_oracle(interactions, options));
}

TEST_CASE("jaccard_graph: log-likelihood ratios equal the oracle up to rounding of the logarithm") {
  Random random(20260403);
  for (int number = 0; number < cases(300); ++number) {
    const AudienceShape shape = draw_shape(random, 120);
    const Interactions interactions = draw_interactions(random, shape);
    const JaccardOptions options = draw_options(random, false);
    const Graph graph = jaccard_graph(interactions, options);
    for (std::int64_t r = 0; r < shape.items; ++r) {
      const std::vector<AudienceCandidate> ranked = graft::test::audience_candidates(interactions, r, options);
      const std::size_t kept = std::min(static_cast<std::size_t>(options.k), ranked.size());
      const std::string where = words(shape, options, number) + ", row " + std::to_string(r);
      REQUIRE_MESSAGE(graph.row_columns(r).size() == kept, where);
      const double last = kept == 0 ? 0.0 : ranked[kept - 1].approximate;
      for (std::size_t place = 0; place < ranked.size(); ++place) {
        const AudienceCandidate& candidate = ranked[place];
        const float weight = graft::test::weight_of(graph, r, candidate.column);
        const double slack = 1e-9 * (1.0 + last);
        if (candidate.self && kept > 0) CHECK_MESSAGE(!std::isnan(weight), where << ": self is not first");
        if (candidate.approximate > last + slack) CHECK_MESSAGE(!std::isnan(weight), where << ": missing edge");
        if (candidate.approximate < last - slack && !candidate.self) CHECK_MESSAGE(std::isnan(weight), where);
        if (std::isnan(weight)) continue;
        CHECK_MESSAGE(static_cast<double>(weight) == doctest::Approx(candidate.approximate).epsilon(1e-6), where);
      }
    }
  }
}

TEST_CASE("jaccard_graph: threads and budget do not change a bit") {
  Random random(20260404);
  for (int number = 0; number < cases(200); ++number) {
    const AudienceShape shape = draw_shape(random, number % 10 == 0 ? 2000 : 200);
    const Interactions interactions = draw_interactions(random, shape);
    const JaccardOptions options = draw_options(random, number % 4 != 0);
    Context context;
    context.threads = 1;
    const Graph expected = jaccard_graph(interactions, options, context);
    for (const int threads : {1, 2, 7}) {
      context.threads = threads;
      context.memory_budget = kDefaultMemoryBudget;
      CHECK_MESSAGE(jaccard_graph(interactions, options, context) == expected, words(shape, options, number)
                                                                                   << ", threads " << threads);
      if (shape.items == 0) continue;
      const std::int64_t least =
          graft::test::least_budget([&](const Context& c) { plan(interactions, options, c); }, context);
      REQUIRE_MESSAGE(least > 0, words(shape, options, number) << ": OutOfMemory does not name the least budget");
      for (const std::int64_t extra : {std::int64_t{0}, draw(random, 1, 300), draw(random, 300, 20000)}) {
        context.memory_budget = least + extra;
        CHECK_MESSAGE(jaccard_graph(interactions, options, context) == expected,
                      words(shape, options, number)
                          << ", threads " << threads << ", budget " << least << " + " << extra);
      }
    }
  }
}

TEST_CASE("jaccard_graph: row ranges joined by merge_top_k equal the whole") {
  Random random(20260405);
  for (int number = 0; number < cases(200); ++number) {
    const AudienceShape shape = draw_shape(random, 200);
    const Interactions interactions = draw_interactions(random, shape);
    JaccardOptions options = draw_options(random, number % 4 != 0);
    const Graph whole = jaccard_graph(interactions, options);
    const std::int64_t cut = draw(random, 0, shape.items);
    options.row_range = {0, cut};
    const Graph head = jaccard_graph(interactions, options);
    options.row_range = RowRange{.begin = cut};
    const Graph tail = jaccard_graph(interactions, options);
    for (std::int64_t r = 0; r < shape.items; ++r) {
      const Graph& other = r < cut ? tail : head;
      REQUIRE_MESSAGE(other.row_columns(r).empty(), words(shape, options, number) << ", row " << r);
    }
    const std::vector<GraphView> parts{tail, head};
    CHECK_MESSAGE(merge_top_k(parts, options.k) == whole, words(shape, options, number));
  }
}

TEST_CASE("jaccard_graph: the result for k is a prefix of the result for k + 1") {
  Random random(20260406);
  for (int number = 0; number < cases(200); ++number) {
    const AudienceShape shape = draw_shape(random, 100);
    const Interactions interactions = draw_interactions(random, shape);
    JaccardOptions options = draw_options(random, number % 4 != 0);
    options.k = 1;
    Graph smaller = jaccard_graph(interactions, options);
    for (const std::int64_t k : {2, 3, 4, 10, 11, 99, 100, 101}) {
      options.k = k;
      const Graph larger = jaccard_graph(interactions, options);
      for (std::int64_t r = 0; r < shape.items; ++r) {
        for (std::size_t e = 0; e < smaller.row_columns(r).size(); ++e) {
          const float weight = graft::test::weight_of(larger, r, smaller.row_columns(r)[e]);
          REQUIRE_MESSAGE(weight == smaller.row_weights(r)[e], words(shape, options, number) << ", row " << r);
        }
      }
      smaller = larger;
    }
  }
}

/// Items whose audiences are the given intervals of users.
Interactions from_intervals(const std::vector<std::pair<std::int32_t, std::int32_t>>& intervals) {
  std::vector<std::int32_t> users;
  std::vector<std::int32_t> items;
  for (std::size_t i = 0; i < intervals.size(); ++i) {
    for (std::int32_t user = intervals[i].first; user < intervals[i].second; ++user) {
      users.push_back(user);
      items.push_back(static_cast<std::int32_t>(i));
    }
  }
  return Interactions::from_pairs(users, items);
}

TEST_CASE("jaccard_graph: fractions that float32 cannot tell apart are told apart") {
  REQUIRE(7999.0F / 8000.0F == 8000.0F / 8001.0F);
  const Interactions interactions = from_intervals({{0, 8000}, {0, 7999}, {0, 8001}});
  for (const AudienceMeasure measure : {AudienceMeasure::jaccard, AudienceMeasure::cosine}) {
    const JaccardOptions options{.k = 1, .measure = measure};
    const Graph graph = jaccard_graph(interactions, options);
    CHECK(graft::test::columns_of(graph, 0) == std::vector<std::int32_t>{2});
    CHECK(graph == graft::test::audience_oracle(interactions, options));
  }
}

TEST_CASE("jaccard_graph: audiences of hundreds of thousands are compared without overflow") {
  Random random(20260407);
  std::vector<std::pair<std::int32_t, std::int32_t>> intervals;
  for (int i = 0; i < 10; ++i) {
    const auto begin = static_cast<std::int32_t>(draw(random, 0, 3000));
    intervals.emplace_back(begin, static_cast<std::int32_t>(draw(random, 297000, 300000)));
  }
  const Interactions interactions = from_intervals(intervals);
  for (const AudienceMeasure measure :
       {AudienceMeasure::jaccard, AudienceMeasure::cosine, AudienceMeasure::overlap, AudienceMeasure::pmi}) {
    for (const std::int64_t k : {1, 4, 7}) {
      const JaccardOptions options{.k = k, .measure = measure};
      const std::string problem = graft::test::compare_graphs(
          jaccard_graph(interactions, options), graft::test::audience_oracle(interactions, options), ulps(measure));
      CHECK_MESSAGE(problem.empty(), "measure " << static_cast<int>(measure) << ", k " << k << ": " << problem);
    }
  }
}

}  // namespace
}  // namespace jaccard_property
