// The numeric paths of this build against each other: which bits must agree, and how far the others may differ.
#include <graft/core/context.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <graft/ops/jaccard.hpp>
#include <graft/ops/knn.hpp>
#include <graft/ops/top_k_scores.hpp>

#include "../support/check.hpp"
#include "../support/oracle.hpp"
#include "../support/random_data.hpp"

namespace numeric_path_property {
namespace {

using namespace graft;
using graft::test::available_paths;
using graft::test::cases;
using graft::test::draw;
using graft::test::draw_features;
using graft::test::FeatureData;
using graft::test::FeatureShape;
using graft::test::Kind;
using graft::test::pick;
using graft::test::Random;

struct Input {
  FeatureShape shape;
  FeatureData data;
  KnnOptions options;
};

Input draw_input(Random& random) {
  Input input;
  input.shape.kind =
      pick(random, std::vector<Kind>{Kind::gaussian, Kind::positive, Kind::small_integer, Kind::signs, Kind::constant});
  input.shape.items = draw(random, 0, 260);
  input.shape.dims = pick(random, std::vector<std::int64_t>{0, 1, 3, 8, 17, 63, 64, 129, 384, 600});
  input.shape.padding = draw(random, 0, 5);
  input.data = draw_features(random, input.shape);
  input.options.k = draw(random, 1, 30);
  input.options.metric = pick(random, std::vector<Metric>{Metric::cosine, Metric::dot, Metric::l2});
  input.options.self = draw(random, 0, 1) == 0 ? Self::keep : Self::drop;
  return input;
}

std::string words(const Input& input, NumericPath path) {
  return std::string(name(path)) + ": " + graft::test::name_of(input.shape.kind) + " " +
         std::to_string(input.shape.items) + " x " + std::to_string(input.shape.dims) + ", metric " +
         std::to_string(static_cast<int>(input.options.metric));
}

TEST_CASE("numeric paths: each says whether it is there, and automatic is one of them") {
  for (const NumericPath path :
       {NumericPath::header_only, NumericPath::baseline, NumericPath::avx2, NumericPath::avx512}) {
    Context context;
    context.path = path;
    const std::vector<NumericPath> paths = available_paths();
    if (std::count(paths.begin(), paths.end(), path) > 0) {
      CHECK(resolve_numeric_path(context) == path);
      continue;
    }
    MESSAGE("not available here: " << std::string(name(path)));
    const float one = 1.0F;
    const auto text = graft::test::message_of<BackendUnavailable>(
        [&] { knn_graph(MatrixView<const float>(&one, 1, 1), {}, context); });
    CHECK_MESSAGE(graft::test::contains(text, {name(path)}), text);
  }
  const std::vector<NumericPath> paths = available_paths();
  REQUIRE(!paths.empty());
  CHECK(std::count(paths.begin(), paths.end(), resolve_numeric_path()) == 1);
}

TEST_CASE("numeric paths: each equals the oracle") {
  Random random(20260201);
  for (int number = 0; number < cases(40); ++number) {
    const Input input = draw_input(random);
    const bool exact = input.shape.kind == Kind::signs ||
                       (input.shape.kind == Kind::small_integer && input.options.metric != Metric::cosine);
    for (const NumericPath path : available_paths()) {
      Context context;
      context.path = path;
      const Graph graph = knn_graph(input.data.view(), input.options, context);
      const std::string problem = graft::test::compare_knn(graph, input.data.view(), input.options, exact);
      CHECK_MESSAGE(problem.empty(), words(input, path) << ": " << problem);
    }
  }
}

TEST_CASE("numeric paths: AVX2 and AVX-512 give the same bits, and all paths the same where arithmetic is exact") {
  Random random(20260202);
  const std::vector<NumericPath> paths = available_paths();
  const bool both = std::count(paths.begin(), paths.end(), NumericPath::avx2) > 0 &&
                    std::count(paths.begin(), paths.end(), NumericPath::avx512) > 0;
  if (!both) MESSAGE("AVX2 and AVX-512 are not both available here: not compared");
  for (int number = 0; number < cases(60); ++number) {
    const Input input = draw_input(random);
    const auto graph_of = [&](NumericPath path) {
      Context context;
      context.path = path;
      return knn_graph(input.data.view(), input.options, context);
    };
    if (both) {
      CHECK_MESSAGE(graph_of(NumericPath::avx2) == graph_of(NumericPath::avx512), words(input, NumericPath::avx2));
    }
    if (input.shape.kind != Kind::signs) continue;
    const Graph first = graph_of(paths.front());
    for (const NumericPath path : paths) CHECK_MESSAGE(graph_of(path) == first, words(input, path));
  }
}

TEST_CASE("numeric paths: within each, threads and budget do not change a bit") {
  Random random(20260203);
  for (int number = 0; number < cases(12); ++number) {
    const Input input = draw_input(random);
    if (input.shape.items == 0) continue;
    for (const NumericPath path : available_paths()) {
      Context context;
      context.path = path;
      context.threads = 1;
      const Graph expected = knn_graph(input.data.view(), input.options, context);
      context.threads = 7;
      context.memory_budget = graft::test::least_budget(
          [&](const Context& c) { plan(input.shape.items, input.shape.dims, input.options, c); }, context);
      REQUIRE_MESSAGE(context.memory_budget > 0, words(input, path));
      CHECK_MESSAGE(knn_graph(input.data.view(), input.options, context) == expected, words(input, path));
    }
  }
}

TEST_CASE("numeric paths: rankings agree as graphs do, and audience overlap is the same on all") {
  Random random(20260204);
  for (int number = 0; number < cases(20); ++number) {
    const Input input = draw_input(random);
    const FeatureShape shape{.kind = input.shape.kind, .items = draw(random, 0, 40), .dims = input.shape.dims};
    const FeatureData queries = draw_features(random, shape);
    const TopKScoresOptions options{.k = input.options.k, .metric = input.options.metric};
    const bool exact = input.shape.kind == Kind::signs ||
                       (input.shape.kind == Kind::small_integer && input.options.metric != Metric::cosine);
    const Interactions interactions = graft::test::draw_interactions(random, {.users = 30, .items = 60});
    const Graph expected = jaccard_graph(interactions);
    for (const NumericPath path : available_paths()) {
      Context context;
      context.path = path;
      const Ranking ranking = top_k_scores(queries.view(), input.data.view(), options, context);
      const std::string problem =
          graft::test::compare_ranking(ranking, queries.view(), input.data.view(), options, exact);
      CHECK_MESSAGE(problem.empty(), words(input, path) << ": " << problem);
      CHECK(jaccard_graph(interactions, {}, context) == expected);
    }
  }
}

}  // namespace
}  // namespace numeric_path_property
