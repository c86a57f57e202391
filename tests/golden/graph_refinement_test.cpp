// The worked example of the refinement (5 users x 4 items), every number of it, for the three presets.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/ops/add.hpp>
#include <graft/ops/jaccard.hpp>
#include <graft/ops/knn.hpp>
#include <graft/ops/normalize.hpp>
#include <graft/ops/propagate.hpp>
#include <graft/ops/refine.hpp>

#include "../support/check.hpp"
#include "../support/oracle_refine.hpp"

namespace graph_refinement_test {
namespace {

using namespace graft;
using graft::test::Dense;
using graft::test::dense;
using graft::test::difference;

constexpr double kGraphTolerance = 2e-6;
constexpr double kFeatureTolerance = 1e-5;

/// graph_refinement.json, beside this file.
const nlohmann::json& golden() {
  static const nlohmann::json json = [] {
    std::ifstream file(std::filesystem::path(__FILE__).replace_filename("graph_refinement.json"));
    REQUIRE_MESSAGE(file.good(), "graph_refinement.json is missing beside " << __FILE__);
    return nlohmann::json::parse(file);
  }();
  return json;
}

struct Example {
  Dense e;
  std::vector<float> values;
  Interactions interactions;

  [[nodiscard]] MatrixView<const float> features() const {
    return {values.data(), static_cast<std::int64_t>(e.size()), static_cast<std::int64_t>(e[0].size())};
  }
};

Example example() {
  Example result;
  result.e = golden()["E"].get<Dense>();
  for (const auto& row : result.e) {
    for (const double value : row) result.values.push_back(static_cast<float>(value));
  }
  std::vector<std::int32_t> users;
  std::vector<std::int32_t> items;
  const auto r = golden()["R"].get<Dense>();
  for (std::size_t u = 0; u < r.size(); ++u) {
    for (std::size_t i = 0; i < r[u].size(); ++i) {
      if (r[u][i] == 0.0) continue;
      users.push_back(static_cast<std::int32_t>(u));
      items.push_back(static_cast<std::int32_t>(i));
    }
  }
  result.interactions = Interactions::from_pairs(users, items);
  return result;
}

struct Case {
  std::string key;
  Preset preset;
  std::int64_t knn_k;
  float threshold;
  std::int64_t jaccard_k;
};

std::vector<Case> cases() {
  const auto& p = golden()["params"];
  const auto& alt = p["alt"];
  const auto ks = p["Ks"].get<std::int64_t>();
  const auto kc = p["Kc"].get<std::int64_t>();
  const auto alpha = p["alpha"].get<float>();
  return {{"paper_literal", Preset::paper, ks, alpha, kc},
          {"reference_f32", Preset::reference, ks, alpha, kc},
          {"noself", Preset::noself, ks, alpha, kc},
          {"reference_f32_alt", Preset::reference, alt["Ks"].get<std::int64_t>(), alt["alpha"].get<float>(),
           alt["Kc"].get<std::int64_t>()}};
}

RefineOptions options_of(const Case& c) {
  return {.preset = c.preset, .knn_k = c.knn_k, .threshold = c.threshold, .jaccard_k = c.jaccard_k};
}

Dense dense(const Matrix& matrix) {
  Dense result(static_cast<std::size_t>(matrix.rows()));
  for (std::int64_t r = 0; r < matrix.rows(); ++r) {
    for (std::int64_t c = 0; c < matrix.cols(); ++c) {
      result[static_cast<std::size_t>(r)].push_back(static_cast<double>(matrix(r, c)));
    }
  }
  return result;
}

/// Cosines of the example as a graph, with or without its diagonal.
Graph similarity_graph(bool diagonal) {
  const auto s = golden()["paper_literal"]["S"].get<Dense>();
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> columns;
  std::vector<float> weights;
  for (std::size_t r = 0; r < s.size(); ++r) {
    for (std::size_t c = 0; c < s.size(); ++c) {
      if (r == c && !diagonal) continue;
      columns.push_back(static_cast<std::int32_t>(c));
      weights.push_back(static_cast<float>(s[r][c]));
    }
    offsets.push_back(static_cast<std::int64_t>(columns.size()));
  }
  return Graph(static_cast<std::int64_t>(s.size()), offsets, columns, weights);
}

/// Checks `name` of the case where the example states it.
void check(const Case& c, const std::string& name, const Dense& actual, double tolerance) {
  const auto& numbers = golden()[c.key];
  if (!numbers.contains(name)) return;
  const std::string problem = difference(actual, numbers[name].get<Dense>(), tolerance);
  CHECK_MESSAGE(problem.empty(), c.key << ", " << name << " " << problem);
}

JaccardOptions audience_options(const Case& c, std::int64_t k) {
  return {.k = k,
          .self = c.preset == Preset::noself ? Self::drop : Self::keep,
          .identical = c.preset == Preset::reference ? Identical::reference : Identical::keep};
}

TEST_CASE("golden example: all cosines are those of S") {
  const Example x = example();
  const Graph s = knn_graph(x.features(), {.k = 4, .self = Self::keep});
  CHECK(s.edges() == 16);  // a cosine of 0 between rows that are not zero is a similarity like any other
  for (const Case& c : cases()) check(c, "S", dense(s), kGraphTolerance);
}

TEST_CASE("golden example: the denoised graph is St") {
  const Example x = example();
  for (const Case& c : cases()) {
    const Graph st = knn_graph(x.features(), {.k = c.knn_k,
                                              .min_similarity = c.threshold,
                                              .weights = Weights::binary,
                                              .self = c.preset == Preset::noself ? Self::drop : Self::keep});
    check(c, "St", dense(st), 0.0);
  }
}

TEST_CASE("golden example: audiences overlap as stated, and the enhancement graph is Ct") {
  const Example x = example();
  for (const Case& c : cases()) {
    check(c, "C", dense(jaccard_graph(x.interactions, audience_options(c, 4))), kGraphTolerance);
    check(c, "Ct", dense(jaccard_graph(x.interactions, audience_options(c, c.jaccard_k))), kGraphTolerance);
  }
  const Graph literal = jaccard_graph(x.interactions, {.k = 4, .self = Self::keep});
  check(cases()[0], "Craw", dense(literal), kGraphTolerance);
  Dense inter(4, std::vector<double>(4));
  Dense united = inter;
  for (std::size_t a = 0; a < 4; ++a) {
    for (std::size_t b = 0; b < 4; ++b) {
      const auto row = static_cast<std::int64_t>(a);
      const auto column = static_cast<std::int64_t>(b);
      inter[a][b] = static_cast<double>(graft::test::common(x.interactions, row, column));
      united[a][b] = static_cast<double>(x.interactions.degree(row) + x.interactions.degree(column)) - inter[a][b];
    }
  }
  check(cases()[0], "inter", inter, 0.0);
  check(cases()[0], "union", united, 0.0);
}

TEST_CASE("golden example: the published rounding keeps single-user items at 0.99999988") {
  const Example x = example();
  const Graph ct = jaccard_graph(x.interactions, audience_options(cases()[1], 4));
  CHECK(graft::test::weight_of(ct, 3, 3) == 0.99999988F);
  CHECK(std::isnan(graft::test::weight_of(ct, 0, 2)));  // identical audiences of two users
  CHECK(std::isnan(graft::test::weight_of(ct, 1, 1)));
}

TEST_CASE("golden example: refine gives W, its row sums and the normalised graph") {
  const Example x = example();
  for (const Case& c : cases()) {
    RefineOptions options = options_of(c);
    const Graph normalized = refine(x.features(), x.interactions, options);
    check(c, "A", dense(normalized), kGraphTolerance);
    options.normalization = Normalization::none;
    const Graph w = refine(x.features(), x.interactions, options);
    check(c, "W", dense(w), kGraphTolerance);
    const std::vector<double> sums = graft::test::row_sums(dense(w));
    const auto expected = golden()[c.key]["deg"].get<std::vector<double>>();
    const std::string problem = difference({sums}, {expected}, kGraphTolerance);
    CHECK_MESSAGE(problem.empty(), c.key << ", deg " << problem);
    CHECK(normalize(w) == normalized);
  }
}

TEST_CASE("golden example: refine equals the operators composed by hand, bit for bit") {
  const Example x = example();
  for (const Case& c : cases()) {
    const Graph composed = knn_graph(x.features(), {.k = c.knn_k,
                                                    .min_similarity = c.threshold,
                                                    .weights = Weights::binary,
                                                    .self = c.preset == Preset::noself ? Self::drop : Self::keep}) |
                           add(jaccard_graph(x.interactions, audience_options(c, c.jaccard_k))) |
                           normalize(Normalization::symmetric);
    CHECK_MESSAGE(refine(x.features(), x.interactions, options_of(c)) == composed, c.key);
  }
}

TEST_CASE("golden example: a ready similarity graph gives the same, with or without its diagonal") {
  const Example x = example();
  for (const Case& c : cases()) {
    const Graph expected = refine(x.features(), x.interactions, options_of(c));
    for (const bool diagonal : {false, true}) {
      const Graph actual = refine(similarity_graph(diagonal), x.interactions, options_of(c));
      CHECK_MESSAGE(actual == expected, c.key << std::string(diagonal ? " with" : " without") << " the diagonal");
      check(c, "A", dense(actual), kGraphTolerance);
    }
  }
}

TEST_CASE("golden example: propagation gives E1, E* of one layer and E* of two") {
  const Example x = example();
  for (const Case& c : cases()) {
    const Graph graph = refine(x.features(), x.interactions, options_of(c));
    const Dense star1 = dense(propagate(graph, x.features(), 1, Aggregation::sum));
    check(c, "E1", graft::test::sum(star1, x.e, -1.0), kFeatureTolerance);
    check(c, "Estar1", star1, kFeatureTolerance);
    check(c, "Estar2", dense(propagate(graph, x.features(), 2, Aggregation::sum)), kFeatureTolerance);
  }
}

TEST_CASE("golden example: the slow oracle of the tests agrees with the stated numbers") {
  const Example x = example();
  for (const Case& c : cases()) {
    const RefineOptions options = options_of(c);
    const Dense s = graft::test::cosines(x.features());
    const Dense overlap = graft::test::audience_overlap(x.interactions, options);
    // the example states S and Craw with their diagonals; the oracle skips them only in the selection
    check(c, "S", s, kGraphTolerance);
    check(c, "St", graft::test::denoised(s, options), 0.0);
    check(c, "Ct", graft::test::enhanced(overlap, options), kGraphTolerance);
    RefineOptions raw = options;
    raw.normalization = Normalization::none;
    check(c, "W", graft::test::refined(s, x.interactions, raw), kGraphTolerance);
    const Dense a = graft::test::refined(s, x.interactions, options);
    check(c, "A", a, kGraphTolerance);
    check(c, "Estar1", graft::test::propagated(a, x.e, 1), kFeatureTolerance);
    check(c, "Estar2", graft::test::propagated(a, x.e, 2), kFeatureTolerance);
  }
}

}  // namespace
}  // namespace graph_refinement_test
