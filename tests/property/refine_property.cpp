// refine and explain against the dense oracle, preset by preset, on inputs whose cosines are exact.
#include <graft/ops/refine.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include <graft/ops/explain.hpp>
#include <graft/ops/knn.hpp>

#include "../support/check.hpp"
#include "../support/oracle_refine.hpp"
#include "../support/random_data.hpp"

namespace refine_property {
namespace {

using namespace graft;
using graft::test::cases;
using graft::test::Dense;
using graft::test::dense;
using graft::test::difference;
using graft::test::draw;
using graft::test::FeatureData;
using graft::test::Kind;
using graft::test::pick;
using graft::test::Random;

struct Input {
  FeatureData features;
  Interactions interactions;
  RefineOptions options;
};

Input draw_input(Random& random, std::int64_t most_items) {
  Input input;
  const std::int64_t items = draw(random, 0, most_items);
  const auto dims = pick(random, std::vector<std::int64_t>{1, 2, 5, 17, 64});
  input.features = graft::test::draw_features(
      random, {.kind = Kind::signs, .items = items, .dims = dims, .padding = draw(random, 0, 3)});
  input.interactions = graft::test::draw_interactions(
      random, {.users = draw(random, 1, 60), .items = items, .mean_history = 3.0, .heavy_users = draw(random, 0, 1)});
  input.options.preset = pick(random, std::vector<Preset>{Preset::noself, Preset::reference, Preset::paper});
  input.options.knn_k = pick(random, std::vector<std::int64_t>{1, 2, 10, 100});
  input.options.jaccard_k = pick(random, std::vector<std::int64_t>{0, 1, 2, 10, 100});
  input.options.min_support = pick(random, std::vector<std::int64_t>{1, 1, 2, 3});
  input.options.threshold = pick(random, std::vector<float>{-1.0F, -0.25F, 0.0F, 0.25F, 0.5F, 1.0F});
  input.options.weights = pick(random, std::vector<Weights>{Weights::binary, Weights::similarity});
  input.options.symmetrize =
      pick(random, std::vector<std::optional<Symmetrization>>{std::nullopt, Symmetrization::max, Symmetrization::mean,
                                                              Symmetrization::min});
  input.options.add_self_loops = draw(random, 0, 2) == 0;
  input.options.normalization =
      pick(random, std::vector<Normalization>{Normalization::symmetric, Normalization::row, Normalization::none});
  input.options.epsilon = pick(random, std::vector<float>{0.0F, 1e-7F, 0.5F});
  input.options.normalize_parts = draw(random, 0, 2) == 0;
  input.options.enhancement_weight = pick(random, std::vector<float>{1.0F, 1.0F, 0.0F, 0.5F, 2.0F});
  return input;
}

std::string words(const Input& input, int number) {
  return "case " + std::to_string(number) + ": " + name(input.options.preset) + ", " +
         std::to_string(input.features.items) + " x " + std::to_string(input.features.dims) + ", knn_k " +
         std::to_string(input.options.knn_k) + ", threshold " + std::to_string(input.options.threshold) +
         ", jaccard_k " + std::to_string(input.options.jaccard_k) + ", min_support " +
         std::to_string(input.options.min_support) +
         (input.options.weights == Weights::binary ? ", binary" : ", similarity");
}

/// The dense oracle knows negative weights only where nothing is symmetrised (to it an absent edge is a zero, larger
/// than a negative weight) or normalised (a row sum may cancel to rounding noise): else such cases lose them.
void fit_the_oracle(RefineOptions& options) {
  if (options.weights == Weights::binary || options.threshold >= 0.0F) return;
  if (options.symmetrize || options.normalization != Normalization::none) options.threshold = 0.0F;
}

TEST_CASE("refine: every preset and option equals the dense oracle") {
  Random random(20260501);
  for (int number = 0; number < cases(1000); ++number) {
    Input input = draw_input(random, 70);
    fit_the_oracle(input.options);
    const Dense cosine = graft::test::cosines(input.features.view());
    const Dense expected = graft::test::refined(cosine, input.interactions, input.options);
    const Graph graph = refine(input.features.view(), input.interactions, input.options);
    const std::string problem = difference(dense(graph), expected, 2e-6);
    CHECK_MESSAGE(problem.empty(), words(input, number) << ": " << problem);
  }
}

TEST_CASE("refine: a ready similarity graph gives the bits that features give, with or without its diagonal") {
  Random random(20260502);
  for (int number = 0; number < cases(500); ++number) {
    Input input = draw_input(random, 60);
    // a graph cannot say that a row was zero: it would be given its self loop where the preset keeps it
    for (std::int64_t r = 0; r < input.features.items; ++r) {
      float* row = input.features.row(r);
      if (row[0] == 0.0F) row[0] = 1.0F;
    }
    const Graph expected = refine(input.features.view(), input.interactions, input.options);
    for (const Self self : {Self::keep, Self::drop}) {
      const Graph similarity = knn_graph(input.features.view(), {.k = 1000, .self = self});
      CHECK_MESSAGE(refine(similarity, input.interactions, input.options) == expected,
                    words(input, number) << std::string(self == Self::keep ? " with" : " without") << " the diagonal");
    }
  }
}

TEST_CASE("refine: the counts of the summary are those of the oracle") {
  Random random(20260503);
  for (int number = 0; number < cases(500); ++number) {
    Input input = draw_input(random, 60);
    fit_the_oracle(input.options);
    RefineSummary summary;
    const Graph graph = refine(input.features.view(), input.interactions, input.options, {}, &summary);
    const Dense cosine = graft::test::cosines(input.features.view());
    RefineOptions options = input.options;
    options.weights = Weights::binary;
    const Dense after = graft::test::denoised(cosine, options);
    options.threshold = -1.0F;
    const Dense before = graft::test::denoised(cosine, options);
    const Dense audience = graft::test::enhanced(graft::test::audience_overlap(input.interactions, options), options);
    DenoisingCounts counts;
    std::int64_t self_kept = 0;
    std::int64_t audience_edges = 0;
    for (std::size_t r = 0; r < before.size(); ++r) {
      for (std::size_t c = 0; c < before.size(); ++c) {
        if (r != c && before[r][c] > 0.0) ++counts.edges_before;
        if (r != c && after[r][c] > 0.0) ++counts.edges_after;
        if (r == c && after[r][c] > 0.0) ++self_kept;
        if (audience[r][c] > 0.0 && options.enhancement_weight > 0.0F) ++audience_edges;
      }
    }
    const std::string where = words(input, number);
    CHECK_MESSAGE(summary.similarity.edges_before == counts.edges_before, where);
    CHECK_MESSAGE(summary.similarity.edges_after == counts.edges_after, where);
    CHECK_MESSAGE(summary.similarity_edges == counts.edges_after + self_kept, where);
    CHECK_MESSAGE(summary.jaccard_edges == audience_edges, where);
    CHECK_MESSAGE(summary.edges == graph.edges(), where);
    std::vector<bool> connected(before.size(), false);
    std::int64_t self_loops = 0;
    for (std::int64_t r = 0; r < graph.items(); ++r) {
      for (const std::int32_t c : graph.row_columns(r)) {
        if (c == r) {
          ++self_loops;
          continue;
        }
        connected[static_cast<std::size_t>(r)] = true;
        connected[static_cast<std::size_t>(c)] = true;
      }
    }
    CHECK_MESSAGE(summary.self_loops == self_loops, where);
    CHECK_MESSAGE(summary.isolated_items == std::count(connected.begin(), connected.end(), false), where);
  }
}

TEST_CASE("refine: threads and a small budget do not change a bit") {
  Random random(20260504);
  for (int number = 0; number < cases(30); ++number) {
    const Input input = draw_input(random, 300);
    Context context;
    context.threads = 1;
    const Graph expected = refine(input.features.view(), input.interactions, input.options, context);
    for (const int threads : {2, 7}) {
      context.threads = threads;
      context.memory_budget = kDefaultMemoryBudget;
      CHECK_MESSAGE(refine(input.features.view(), input.interactions, input.options, context) == expected,
                    words(input, number) << ", threads " << threads);
      context.memory_budget = 1 << 20;
      CHECK_MESSAGE(refine(input.features.view(), input.interactions, input.options, context) == expected,
                    words(input, number) << ", threads " << threads << ", small budget");
    }
  }
}

TEST_CASE("explain: its weight is the weight that refine gives, for every pair and preset") {
  Random random(20260505);
  for (int number = 0; number < cases(80); ++number) {
    Input input = draw_input(random, 24);
    input.options.symmetrize = std::nullopt;
    input.options.add_self_loops = false;
    input.options.normalization = Normalization::none;
    const Graph w = refine(input.features.view(), input.interactions, input.options);
    for (std::int64_t i = 0; i < w.items(); ++i) {
      for (std::int64_t j = 0; j < w.items(); ++j) {
        const Explanation facts = explain(input.features.view(), input.interactions, i, j, input.options);
        const float stored = graft::test::weight_of(w, i, j);
        const std::string where = words(input, number) + ", pair " + std::to_string(i) + ", " + std::to_string(j);
        CHECK_MESSAGE(facts.weight == (std::isnan(stored) ? 0.0F : stored), where);
        const bool kept = facts.similarity_rule == EdgeRule::kept || facts.audience_rule == EdgeRule::kept;
        CHECK_MESSAGE(kept == !std::isnan(stored), where);
      }
    }
  }
}

TEST_CASE("explain: facts and ranks are those of the oracle") {
  Random random(20260506);
  for (int number = 0; number < cases(80); ++number) {
    const Input input = draw_input(random, 24);
    const Interactions& interactions = input.interactions;
    const Dense cosine = graft::test::cosines(input.features.view());
    const Dense overlap = graft::test::audience_overlap(interactions, input.options);
    RefineOptions any_support = input.options;
    any_support.min_support = 1;
    const Dense without_support = graft::test::audience_overlap(interactions, any_support);
    const auto place = [&](const Dense& values, std::int64_t i, std::int64_t j, bool keep_self, bool positive) {
      std::vector<graft::test::Candidate> ranked;
      for (std::size_t b = 0; b < values.size(); ++b) {
        const double value = values[static_cast<std::size_t>(i)][b];
        if (std::isnan(value) || (positive && value <= 0.0) || static_cast<std::int64_t>(b) == i) continue;
        ranked.push_back({static_cast<std::int64_t>(b), value});
      }
      graft::test::rank(ranked);
      const double own = values[static_cast<std::size_t>(i)][static_cast<std::size_t>(i)];
      const bool self = keep_self && !std::isnan(own) && !(positive && own <= 0.0);
      if (self && i == j) return std::int64_t{1};
      for (std::size_t at = 0; at < ranked.size(); ++at) {
        if (ranked[at].column == j) return static_cast<std::int64_t>(at) + (self ? 2 : 1);
      }
      return std::int64_t{0};
    };
    for (std::int64_t i = 0; i < interactions.items(); ++i) {
      for (std::int64_t j = 0; j < interactions.items(); ++j) {
        const Explanation facts = explain(input.features.view(), interactions, i, j, input.options);
        const std::string where = words(input, number) + ", pair " + std::to_string(i) + ", " + std::to_string(j);
        const double s = cosine[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)];
        CHECK_MESSAGE(static_cast<double>(facts.cosine) == doctest::Approx(std::isnan(s) ? 0.0 : s), where);
        CHECK_MESSAGE(facts.degree_i == interactions.degree(i), where);
        CHECK_MESSAGE(facts.degree_j == interactions.degree(j), where);
        CHECK_MESSAGE(facts.common_audience == graft::test::common(interactions, i, j), where);
        const bool keep_self = input.options.preset != Preset::noself;
        CHECK_MESSAGE(facts.cosine_rank == place(cosine, i, j, keep_self, false), where);
        if (input.options.jaccard_k == 0 || input.options.enhancement_weight == 0.0F) {
          CHECK_MESSAGE(facts.audience_rule == EdgeRule::switched_off, where);
          continue;
        }
        const std::int64_t rank = place(overlap, i, j, keep_self, true);
        CHECK_MESSAGE(facts.jaccard_rank == rank, where);
        const std::int64_t alone = place(without_support, i, j, keep_self, true);
        CHECK_MESSAGE((facts.audience_rule == EdgeRule::below_support) == (alone > 0 && rank == 0), where);
        if (alone > 0) {
          const double would = without_support[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)];
          CHECK_MESSAGE(facts.jaccard == static_cast<float>(would), where);
        }
      }
    }
  }
}

}  // namespace
}  // namespace refine_property
