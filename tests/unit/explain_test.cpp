// explain: every rule, on the golden example and on one made by hand.
#include <graft/ops/explain.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "../support/check.hpp"

namespace explain_test {
namespace {

using namespace graft;
using graft::test::contains;
using graft::test::message_of;

/// The worked example of the refinement: 5 users, 4 items, K_s = K_c = 2, alpha = 0.5.
const std::vector<float> kFeatures = {2, 0, 0, 4, 3, 0, 3, 4, 0, 0, 3, 4};
MatrixView<const float> features() { return {kFeatures.data(), 4, 3}; }
Interactions interactions(std::int64_t items = 4) {
  const std::vector<std::int32_t> users = {0, 0, 0, 1, 1, 1, 2, 3, 4, 4};
  const std::vector<std::int32_t> item_ids = {0, 1, 2, 0, 1, 2, 1, 1, 1, 3};
  return Interactions::from_pairs(users, item_ids, 5, items);
}
Explanation golden(Preset preset, std::int64_t i, std::int64_t j) {
  return explain(features(), interactions(), i, j, {.preset = preset, .knn_k = 2, .threshold = 0.5F, .jaccard_k = 2});
}

TEST_CASE("explain: a kept edge of the golden example, with all its facts") {
  const Explanation facts = golden(Preset::noself, 0, 1);
  CHECK(facts.cosine == doctest::Approx(0.8));
  CHECK(facts.cosine_rank == 1);
  CHECK(facts.similarity_rule == EdgeRule::kept);
  CHECK(facts.degree_i == 2);
  CHECK(facts.degree_j == 5);
  CHECK(facts.common_audience == 2);
  CHECK(facts.jaccard == 0.4F);
  CHECK(facts.jaccard_rank == 2);  // after the identical item 2
  CHECK(facts.audience_rule == EdgeRule::kept);
  CHECK(facts.weight == 1.4F);
}

TEST_CASE("explain: self is dropped by noself, and kept first by the others") {
  const Explanation noself = golden(Preset::noself, 1, 1);
  CHECK(noself.cosine == 1.0F);
  CHECK(noself.cosine_rank == 0);
  CHECK(noself.similarity_rule == EdgeRule::self_dropped);
  CHECK(noself.jaccard == 1.0F);
  CHECK(noself.jaccard_rank == 0);
  CHECK(noself.audience_rule == EdgeRule::self_dropped);
  CHECK(noself.weight == 0.0F);
  const Explanation paper = golden(Preset::paper, 1, 1);
  CHECK(paper.cosine_rank == 1);
  CHECK(paper.jaccard_rank == 1);
  CHECK(paper.weight == 2.0F);
  CHECK(golden(Preset::paper, 1, 2).cosine_rank == 2);
  CHECK(golden(Preset::noself, 1, 2).cosine_rank == 1);
}

TEST_CASE("explain: reference drops identical audiences and the self loops they are, but not of a single user") {
  const Explanation twins = golden(Preset::reference, 0, 2);
  CHECK(twins.audience_rule == EdgeRule::identical_dropped);
  CHECK(twins.common_audience == 2);
  CHECK(twins.jaccard_rank == 0);
  const Explanation self = golden(Preset::reference, 0, 0);
  CHECK(self.similarity_rule == EdgeRule::kept);
  CHECK(self.audience_rule == EdgeRule::self_dropped);
  CHECK(self.weight == 1.0F);
  const Explanation single = golden(Preset::reference, 3, 3);
  CHECK(single.jaccard == 0.99999988F);
  CHECK(single.jaccard_rank == 1);
  CHECK(single.audience_rule == EdgeRule::kept);
  CHECK(single.weight == 1.0F + 0.99999988F);
}

TEST_CASE("explain: rank comes before threshold") {
  const Explanation far = golden(Preset::paper, 0, 2);  // cosine 0.6 but third, after self
  CHECK(far.similarity_rule == EdgeRule::below_rank);
  CHECK(far.cosine_rank == 3);
  const Explanation low = golden(Preset::paper, 3, 2);
  CHECK(low.similarity_rule == EdgeRule::below_threshold);
  CHECK(low.cosine == doctest::Approx(0.48));
  CHECK(low.cosine_rank == 2);
}

TEST_CASE("explain: of equal Jaccard values the larger column ranks behind") {
  const Explanation third = golden(Preset::paper, 1, 2);
  CHECK(third.jaccard == 0.4F);
  CHECK(third.jaccard_rank == 3);
  CHECK(third.audience_rule == EdgeRule::below_rank);
  CHECK(golden(Preset::paper, 1, 0).audience_rule == EdgeRule::kept);
}

TEST_CASE("explain: nothing is shared without a common audience") {
  const Explanation facts = golden(Preset::noself, 0, 3);
  CHECK(facts.audience_rule == EdgeRule::no_common_audience);
  CHECK(facts.jaccard == 0.0F);
  CHECK(facts.jaccard_rank == 0);
  CHECK(facts.cosine == 0.0F);
  CHECK(facts.cosine_rank == 3);
}

TEST_CASE("explain: fewer common users than min_support are told, with the weight that the edge would have") {
  const auto facts_of = [](std::int64_t i, std::int64_t j, Preset preset, std::int64_t support) {
    return explain(features(), interactions(), i, j,
                   {.preset = preset, .knn_k = 2, .jaccard_k = 2, .min_support = support});
  };
  const Explanation one = facts_of(1, 3, Preset::noself, 2);
  CHECK(one.audience_rule == EdgeRule::below_support);
  CHECK(one.common_audience == 1);
  CHECK(one.jaccard == 0.2F);
  CHECK(one.jaccard_rank == 0);
  CHECK(one.weight == 0.0F);
  CHECK(facts_of(1, 3, Preset::noself, 1).audience_rule == EdgeRule::below_rank);
  const Explanation two = facts_of(1, 2, Preset::noself, 2);
  CHECK(two.audience_rule == EdgeRule::kept);
  CHECK(two.jaccard_rank == 2);
  CHECK(facts_of(1, 2, Preset::noself, 3).audience_rule == EdgeRule::below_support);
  // a better neighbour without support takes no place
  CHECK(facts_of(3, 1, Preset::paper, 1).jaccard_rank == 2);
  CHECK(facts_of(0, 3, Preset::noself, 2).audience_rule == EdgeRule::no_common_audience);
  CHECK(explain(features(), interactions(), 1, 3, {.jaccard_k = 0, .min_support = 2}).audience_rule ==
        EdgeRule::switched_off);
}

TEST_CASE("explain: what the preset drops is told as such, below min_support too") {
  const auto rule = [](std::int64_t i, std::int64_t j, Preset preset, std::int64_t support) {
    return explain(features(), interactions(), i, j, {.preset = preset, .min_support = support}).audience_rule;
  };
  CHECK(rule(3, 3, Preset::noself, 2) == EdgeRule::self_dropped);
  CHECK(rule(0, 2, Preset::reference, 3) == EdgeRule::identical_dropped);
  CHECK(rule(0, 0, Preset::reference, 3) == EdgeRule::self_dropped);
  CHECK(rule(3, 3, Preset::paper, 2) == EdgeRule::below_support);
  CHECK(rule(0, 0, Preset::paper, 2) == EdgeRule::kept);
  CHECK(rule(3, 3, Preset::reference, 2) == EdgeRule::below_support);
  const Explanation single = explain(features(), interactions(), 3, 3, {.preset = Preset::reference, .min_support = 2});
  CHECK(single.jaccard == 0.99999988F);
}

TEST_CASE("explain: switches are told, whatever the audiences") {
  for (const std::int64_t j : {0, 1, 3}) {
    const Explanation facts = explain(features(), interactions(), 0, j, {.jaccard_k = 0});
    CHECK(facts.audience_rule == EdgeRule::switched_off);
    CHECK(facts.weight == (j == 1 ? 1.0F : 0.0F));
  }
  const Explanation open = explain(features(), interactions(), 3, 0, {.threshold = -1.0F});
  CHECK(open.similarity_rule == EdgeRule::kept);
  CHECK(open.weight == 1.0F);
}

TEST_CASE("explain: zero rows have cosine 0 to everything, themselves included") {
  const std::vector<float> values = {0, 0, 1, 2, 2, 4};
  const MatrixView<const float> three(values.data(), 3, 2);
  const Interactions none = Interactions::from_pairs({}, {}, 1, 3);
  for (const auto& [i, j] : {std::pair{0, 1}, std::pair{1, 0}, std::pair{0, 0}}) {
    const Explanation facts = explain(three, none, i, j, {.preset = Preset::paper});
    CHECK(facts.cosine == 0.0F);
    CHECK(facts.cosine_rank == 0);
    CHECK(facts.similarity_rule == EdgeRule::zero_norm);
    CHECK(facts.weight == 0.0F);
  }
  CHECK(explain(three, none, 1, 2, {.preset = Preset::paper}).similarity_rule == EdgeRule::kept);
}

TEST_CASE("explain: a self loop without audience has no common audience") {
  const Interactions none = Interactions::from_pairs({}, {}, 1, 4);
  CHECK(explain(features(), none, 2, 2, {.preset = Preset::paper}).audience_rule == EdgeRule::no_common_audience);
}

TEST_CASE("explain: cosine weights count as such") {
  const Explanation facts = explain(features(), interactions(), 0, 1, {.jaccard_k = 0, .weights = Weights::similarity});
  CHECK(facts.weight == facts.cosine);
}

TEST_CASE("explain: the facts do not depend on threads or symmetrisation") {
  const Explanation facts = golden(Preset::noself, 0, 1);
  const Explanation other = explain(
      features(), interactions(), 0, 1,
      {.knn_k = 2, .jaccard_k = 2, .symmetrize = Symmetrization::min, .add_self_loops = true}, Context{.threads = 3});
  CHECK(other.weight == facts.weight);
  CHECK(other.cosine == facts.cosine);
}

TEST_CASE("explain: items out of range and sizes that differ are refused with their values") {
  const auto refused = [](std::int64_t i, std::int64_t j, std::initializer_list<const char*> parts) {
    const auto text = message_of<InvalidArgument>([&] { explain(features(), interactions(), i, j); });
    CHECK_MESSAGE(contains(text, parts), text);
  };
  refused(-1, 0, {"explain", "i = -1", "[0, 4)"});
  refused(4, 0, {"explain", "i = 4", "[0, 4)"});
  refused(0, -2, {"explain", "j = -2", "[0, 4)"});
  refused(0, 4, {"explain", "j = 4", "[0, 4)"});
  const auto sizes = message_of<InvalidArgument>([] { explain(features(), interactions(9), 0, 1); });
  CHECK_MESSAGE(contains(sizes, {"4", "9"}), sizes);
  const auto options = message_of<InvalidArgument>([] { explain(features(), interactions(), 0, 1, {.knn_k = 0}); });
  CHECK_MESSAGE(contains(options, {"knn_k = 0"}), options);
}

TEST_CASE("describe: every rule has words of its own") {
  std::set<std::string> words;
  for (const EdgeRule rule : {EdgeRule::kept, EdgeRule::switched_off, EdgeRule::self_dropped, EdgeRule::zero_norm,
                              EdgeRule::no_common_audience, EdgeRule::identical_dropped, EdgeRule::below_rank,
                              EdgeRule::below_threshold, EdgeRule::below_support}) {
    words.insert(describe(rule));
  }
  CHECK(words.size() == 9);
  CHECK(words.count("") == 0);
}

}  // namespace
}  // namespace explain_test
