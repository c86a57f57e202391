// knn_graph against the slow oracle on random inputs, and the promises that its results keep among themselves.
#include <graft/ops/knn.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <graft/ops/binarize.hpp>
#include <graft/ops/merge_top_k.hpp>
#include <graft/ops/threshold.hpp>

#include "../support/check.hpp"
#include "../support/oracle.hpp"
#include "../support/random_data.hpp"

namespace knn_property {
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

constexpr float kNoBound = KnnOptions{}.min_similarity;

const std::vector<Kind> kKinds = {Kind::gaussian, Kind::positive, Kind::small_integer,
                                  Kind::signs,    Kind::constant, Kind::scaled};
const std::vector<std::int64_t> kDims = {0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 65, 100, 384, 600};

FeatureShape draw_shape(Random& random, std::int64_t most_items) {
  FeatureShape shape;
  shape.kind = pick(random, kKinds);
  shape.dims = pick(random, kDims);
  shape.items = draw(random, 0, 3) == 0 ? draw(random, 0, 9) : draw(random, 0, most_items);
  shape.padding = draw(random, 0, 1) == 0 ? 0 : draw(random, 1, 9);
  shape.zero_share = draw(random, 0, 2) == 0 ? 0.0 : 0.05;
  shape.duplicate_share = pick(random, std::vector<double>{0.0, 0.15, 0.6});
  return shape;
}

/// True where float32 arithmetic of any order is exact, so that results must be equal, ties included.
bool exact(Kind kind, Metric metric) {
  return kind == Kind::signs || (kind == Kind::small_integer && metric != Metric::cosine);
}

KnnOptions draw_options(Random& random, const FeatureShape& shape) {
  KnnOptions options;
  options.metric = pick(random, std::vector<Metric>{Metric::cosine, Metric::cosine, Metric::dot, Metric::l2});
  if (shape.kind == Kind::scaled) options.metric = Metric::cosine;
  options.k = pick(random, std::vector<std::int64_t>{1, 2, 5, 10, 37, 100, shape.items, shape.items + 1, 5000});
  if (options.k < 1) options.k = 1;
  options.self = draw(random, 0, 1) == 0 ? Self::keep : Self::drop;
  if (draw(random, 0, 2) == 0) {
    options.min_similarity = options.metric == Metric::cosine
                                 ? pick(random, std::vector<float>{-1.0F, 0.0F, 0.25F, 0.5F, 1.0F})
                                 : static_cast<float>(draw(random, -5, 20));
  }
  return options;
}

std::string words(const FeatureShape& shape, const KnnOptions& options, int number) {
  return "case " + std::to_string(number) + ": " + graft::test::name_of(shape.kind) + " " +
         std::to_string(shape.items) + " x " + std::to_string(shape.dims) + " + " + std::to_string(shape.padding) +
         ", k " + std::to_string(options.k) + ", metric " + std::to_string(static_cast<int>(options.metric)) +
         ", self " + (options.self == Self::keep ? "keep" : "drop") + ", bound " +
         std::to_string(options.min_similarity);
}

TEST_CASE("knn_graph: equals the oracle, but for similarities that differ by rounding") {
  Random random(20260101);
  for (int number = 0; number < cases(500); ++number) {
    const FeatureShape shape = draw_shape(random, 160);
    const FeatureData data = draw_features(random, shape);
    const KnnOptions options = draw_options(random, shape);
    Context context;
    context.threads = 1;
    const Graph graph = knn_graph(data.view(), options, context);
    const std::string problem =
        graft::test::compare_knn(graph, data.view(), options, exact(shape.kind, options.metric));
    CHECK_MESSAGE(problem.empty(), words(shape, options, number) << ": " << problem);
  }
}

TEST_CASE("knn_graph: sizes at the edges of panels, tiles and slices of dimensions equal the oracle") {
  Random random(20260112);
  for (const std::int64_t items : {7, 8, 9, 31, 32, 33, 191, 192, 193, 383, 384, 385, 577}) {
    for (const std::int64_t dims : {1, 4, 191, 192, 193, 256, 257, 385}) {
      const FeatureShape shape{.kind = Kind::small_integer, .items = items, .dims = dims};
      const FeatureData data = draw_features(random, shape);
      const KnnOptions options{.k = 3, .metric = dims % 2 == 0 ? Metric::l2 : Metric::dot};
      const std::string problem = graft::test::compare_knn(knn_graph(data.view(), options), data.view(), options, true);
      CHECK_MESSAGE(problem.empty(), words(shape, options, 0) << ": " << problem);
    }
  }
}

TEST_CASE("knn_graph: equals the oracle on two thousand items") {
  Random random(20260102);
  for (const Kind kind : {Kind::gaussian, Kind::signs}) {
    const FeatureShape shape{.kind = kind, .items = 2000, .dims = 67, .padding = 5};
    const FeatureData data = draw_features(random, shape);
    const KnnOptions options{.k = 20};
    const std::string problem =
        graft::test::compare_knn(knn_graph(data.view(), options), data.view(), options, kind == Kind::signs);
    CHECK_MESSAGE(problem.empty(), words(shape, options, 0) << ": " << problem);
  }
}

TEST_CASE("knn_graph: with small integers every tie is decided by the column") {
  Random random(20260103);
  for (int number = 0; number < cases(120); ++number) {
    const FeatureShape shape{.kind = Kind::small_integer,
                             .items = draw(random, 1, 300),
                             .dims = pick(random, std::vector<std::int64_t>{1, 2, 3, 4}),
                             .padding = draw(random, 0, 3)};
    const FeatureData data = draw_features(random, shape);
    const KnnOptions options{.k = draw(random, 1, 40),
                             .metric = draw(random, 0, 1) == 0 ? Metric::dot : Metric::l2,
                             .self = draw(random, 0, 1) == 0 ? Self::keep : Self::drop};
    const std::string problem = graft::test::compare_knn(knn_graph(data.view(), options), data.view(), options, true);
    CHECK_MESSAGE(problem.empty(), words(shape, options, number) << ": " << problem);
  }
}

TEST_CASE("knn_graph: threads, budget and numeric path do not change a bit") {
  Random random(20260104);
  for (int number = 0; number < cases(80); ++number) {
    const FeatureShape shape = draw_shape(random, number % 10 == 0 ? 1500 : 300);
    const FeatureData data = draw_features(random, shape);
    const KnnOptions options = draw_options(random, shape);
    Context context;
    context.threads = 1;
    const Graph expected = knn_graph(data.view(), options, context);
    for (const int threads : {1, 2, 7}) {
      context.threads = threads;
      context.memory_budget = kDefaultMemoryBudget;
      CHECK_MESSAGE(knn_graph(data.view(), options, context) == expected, words(shape, options, number)
                                                                              << ", threads " << threads);
      if (shape.items == 0) continue;
      const std::int64_t least =
          graft::test::least_budget([&](const Context& c) { plan(shape.items, shape.dims, options, c); }, context);
      REQUIRE_MESSAGE(least > 0, words(shape, options, number) << ": OutOfMemory does not name the least budget");
      for (const std::int64_t extra : {std::int64_t{0}, draw(random, 1, 4096), draw(random, 4096, 400000)}) {
        context.memory_budget = least + extra;
        CHECK_MESSAGE(knn_graph(data.view(), options, context) == expected,
                      words(shape, options, number)
                          << ", threads " << threads << ", budget " << least << " + " << extra);
      }
    }
  }
}

TEST_CASE("knn_graph: cosines that rounding puts outside [-1, 1] tie at the end, whoever comes first") {
  constexpr std::int64_t kItems = 2000;
  Context context;
  for (const std::int64_t dims : {10, 14, 33, 36}) {  // sums of squares of 1 / sqrt(dims) above 1 on some path
    std::vector<float> values;
    for (std::int64_t i = 0; i < kItems; ++i) {
      values.insert(values.end(), static_cast<std::size_t>(dims), i % 4 == 0 ? 1.0F : -1.0F);
    }
    const MatrixView<const float> features(values.data(), kItems, dims);
    context.threads = 1;
    const Graph expected = knn_graph(features, {.k = 1000}, context);
    std::vector<std::int32_t> row;  // of item 0: all 499 equals, then the first 501 opposites
    for (std::int32_t i = 1, opposites = 0; i < kItems; ++i) {
      if (i % 4 == 0 || opposites++ < 501) row.push_back(i);
    }
    CHECK(graft::test::columns_of(expected, 0) == row);
    context.threads = 7;
    for (int repeat = 0; repeat < 8; ++repeat) {
      CHECK_MESSAGE(knn_graph(features, {.k = 1000}, context) == expected, "dims " << dims);
    }
  }
}

TEST_CASE("knn_graph: row ranges joined by merge_top_k equal the whole") {
  Random random(20260105);
  for (int number = 0; number < cases(80); ++number) {
    const FeatureShape shape = draw_shape(random, 300);
    const FeatureData data = draw_features(random, shape);
    KnnOptions options = draw_options(random, shape);
    const Graph whole = knn_graph(data.view(), options);
    const std::int64_t first = draw(random, 0, shape.items);
    const std::int64_t second = draw(random, first, shape.items);
    std::vector<Graph> parts;
    for (const RowRange range : {RowRange{0, first}, RowRange{first, second}, RowRange{.begin = second}}) {
      options.row_range = range;
      parts.push_back(knn_graph(data.view(), options));
      const std::string problem =
          graft::test::compare_knn(parts.back(), data.view(), options, exact(shape.kind, options.metric));
      CHECK_MESSAGE(problem.empty(), words(shape, options, number) << ": " << problem);
    }
    const std::vector<GraphView> views(parts.begin(), parts.end());
    CHECK_MESSAGE(merge_top_k(views, options.k) == whole, words(shape, options, number));
  }
}

TEST_CASE("knn_graph: column ranges joined by merge_top_k equal the whole") {
  Random random(20260106);
  for (int number = 0; number < cases(120); ++number) {
    const FeatureShape shape = draw_shape(random, 300);
    const FeatureData data = draw_features(random, shape);
    KnnOptions options = draw_options(random, shape);
    // a self loop that is dropped by the bound leaves no trace of the place it took, so the parts cannot know of it
    if (options.metric != Metric::cosine && options.self == Self::keep) options.min_similarity = kNoBound;
    const Graph whole = knn_graph(data.view(), options);
    const std::int64_t first = draw(random, 0, shape.items);
    const std::int64_t second = draw(random, first, shape.items);
    std::vector<Graph> parts;
    for (const RowRange range : {RowRange{0, first}, RowRange{first, second}, RowRange{.begin = second}}) {
      options.column_range = range;
      parts.push_back(knn_graph(data.view(), options));
      const std::string problem =
          graft::test::compare_knn(parts.back(), data.view(), options, exact(shape.kind, options.metric));
      CHECK_MESSAGE(problem.empty(), words(shape, options, number) << ": " << problem);
    }
    const std::vector<GraphView> views(parts.begin(), parts.end());
    CHECK_MESSAGE(merge_top_k(views, options.k) == whole, words(shape, options, number));
  }
}

TEST_CASE("knn_graph: both ranges at once compute just that block") {
  Random random(20260107);
  for (int number = 0; number < cases(80); ++number) {
    const FeatureShape shape = draw_shape(random, 200);
    const FeatureData data = draw_features(random, shape);
    KnnOptions options = draw_options(random, shape);
    options.row_range.begin = draw(random, 0, shape.items);
    options.row_range.end = draw(random, options.row_range.begin, shape.items);
    options.column_range.begin = draw(random, 0, shape.items);
    options.column_range.end = draw(random, options.column_range.begin, shape.items);
    const std::string problem = graft::test::compare_knn(knn_graph(data.view(), options), data.view(), options,
                                                         exact(shape.kind, options.metric));
    CHECK_MESSAGE(problem.empty(), words(shape, options, number) << ": " << problem);
  }
}

TEST_CASE("knn_graph: the result for k is a prefix of the result for k + 1") {
  Random random(20260108);
  for (int number = 0; number < cases(80); ++number) {
    const FeatureShape shape = draw_shape(random, 120);
    const FeatureData data = draw_features(random, shape);
    KnnOptions options = draw_options(random, shape);
    options.k = 1;
    Graph smaller = knn_graph(data.view(), options);
    for (const std::int64_t k : {2, 3, 4, 11, 12, 119, 120, 121}) {
      options.k = k;
      const Graph larger = knn_graph(data.view(), options);
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

TEST_CASE("knn_graph: a pair weighs the same in both directions, bit for bit") {
  Random random(20260109);
  for (int number = 0; number < cases(80); ++number) {
    const FeatureShape shape = draw_shape(random, 150);
    const FeatureData data = draw_features(random, shape);
    KnnOptions options = draw_options(random, shape);
    options.min_similarity = kNoBound;
    const Graph graph = knn_graph(data.view(), options);
    for (std::int64_t r = 0; r < shape.items; ++r) {
      for (const std::int32_t c : graph.row_columns(r)) {
        const float back = graft::test::weight_of(graph, c, r);
        const bool same = std::isnan(back) || back == graft::test::weight_of(graph, r, c);
        REQUIRE_MESSAGE(same, words(shape, options, number) << ", pair " << r << ", " << c);
      }
    }
  }
}

TEST_CASE("knn_graph: a bound and binary weights equal threshold and binarize afterwards, bit for bit") {
  Random random(20260110);
  for (int number = 0; number < cases(120); ++number) {
    const FeatureShape shape = draw_shape(random, 200);
    const FeatureData data = draw_features(random, shape);
    KnnOptions options = draw_options(random, shape);
    options.min_similarity = kNoBound;
    const Graph whole = knn_graph(data.view(), options);
    // a bound that is one of the similarities: inclusive
    float bound = 0.25F;
    if (whole.edges() > 0) bound = whole.weights()[static_cast<std::size_t>(draw(random, 0, whole.edges() - 1))];
    options.min_similarity = bound;
    const Graph bounded = knn_graph(data.view(), options);
    CHECK_MESSAGE(bounded == threshold(whole, bound), words(shape, options, number));
    options.weights = Weights::binary;
    CHECK_MESSAGE(knn_graph(data.view(), options) == binarize(bounded), words(shape, options, number));
    options.min_similarity = kNoBound;
    CHECK_MESSAGE(knn_graph(data.view(), options) == binarize(whole), words(shape, options, number));
  }
}

TEST_CASE("knn_graph: padding between rows and the address of the data change nothing") {
  Random random(20260111);
  for (int number = 0; number < cases(60); ++number) {
    const FeatureShape shape = draw_shape(random, 150);
    const FeatureData data = draw_features(random, shape);
    const KnnOptions options = draw_options(random, shape);
    const std::int64_t stride = shape.dims + 3;
    std::vector<float> moved(static_cast<std::size_t>(shape.items * stride + 1), std::nanf(""));
    for (std::int64_t r = 0; r < shape.items; ++r) {
      std::copy_n(data.view().row(r), shape.dims, moved.data() + 1 + r * stride);
    }
    const MatrixView<const float> view(moved.data() + 1, shape.items, shape.dims, stride);
    CHECK_MESSAGE(knn_graph(view, options) == knn_graph(data.view(), options), words(shape, options, number));
  }
}

}  // namespace
}  // namespace knn_property
