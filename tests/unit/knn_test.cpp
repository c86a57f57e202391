// knn_graph on inputs small enough to know the answer, its errors and its plan.
#include <graft/ops/knn.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <graft/ops/merge_top_k.hpp>

#include "../support/check.hpp"
#include "../support/oracle.hpp"

namespace knn_test {
namespace {

using namespace graft;
using graft::test::columns_of;
using graft::test::contains;
using graft::test::message_of;
using graft::test::weight_of;
using Columns = std::vector<std::int32_t>;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

/// Four directions in the plane, a repeat of the first, and a zero row.
const std::vector<float> kPlane = {1, 0, 0, 2, -3, 0, 0, -4, 1, 0, 0, 0};
MatrixView<const float> plane() { return {kPlane.data(), 6, 2}; }

TEST_CASE("knn_graph: defaults are ten neighbours by cosine, weighted, without self, without a bound") {
  const KnnOptions options;
  CHECK(options.k == 10);
  CHECK(options.min_similarity == -kInfinity);
  CHECK(options.metric == Metric::cosine);
  CHECK(options.weights == Weights::similarity);
  CHECK(options.self == Self::drop);
}

TEST_CASE("knn_graph: equal similarities keep the smaller column") {
  const Graph graph = knn_graph(plane(), {.k = 2});
  CHECK(columns_of(graph, 0) == Columns{1, 4});  // 4 repeats it; 1 and 3 are both orthogonal
  CHECK(columns_of(graph, 1) == Columns{0, 2});  // 0, 2, 4 are orthogonal
  CHECK(columns_of(graph, 2) == Columns{1, 3});
  CHECK(columns_of(graph, 3) == Columns{0, 2});
}

TEST_CASE("knn_graph: a zero row has no cosine edge, in or out, itself included") {
  for (const Self self : {Self::keep, Self::drop}) {
    const Graph graph = knn_graph(plane(), {.k = 100, .self = self});
    CHECK(graph.row_columns(5).empty());
    for (std::int64_t r = 0; r < 5; ++r) CHECK(std::isnan(weight_of(graph, r, 5)));
    CHECK(graph.edges() == (self == Self::keep ? 25 : 20));
  }
}

TEST_CASE("knn_graph: a zero row has dot and l2 edges like any other") {
  CHECK(columns_of(knn_graph(plane(), {.k = 2, .metric = Metric::dot}), 5) == Columns{0, 1});
  const Graph l2 = knn_graph(plane(), {.k = 2, .metric = Metric::l2});
  CHECK(columns_of(l2, 5) == Columns{0, 4});
  CHECK(weight_of(l2, 5, 0) == -1.0F);
}

TEST_CASE("knn_graph: l2 weighs minus the squared distance") {
  const Graph graph = knn_graph(plane(), {.k = 5, .metric = Metric::l2});
  CHECK(weight_of(graph, 0, 1) == -5.0F);
  CHECK(weight_of(graph, 2, 3) == -25.0F);
  CHECK(weight_of(graph, 0, 4) == 0.0F);
}

TEST_CASE("knn_graph: a kept self takes one of the k places and is first, before its exact copies") {
  for (const Metric metric : {Metric::cosine, Metric::dot, Metric::l2}) {
    const Graph graph = knn_graph(plane(), {.k = 1, .metric = metric, .self = Self::keep});
    for (std::int64_t r = 0; r < 5; ++r) CHECK(columns_of(graph, r) == Columns{static_cast<std::int32_t>(r)});
  }
  const Graph two = knn_graph(plane(), {.k = 2, .self = Self::keep});
  CHECK(columns_of(two, 0) == Columns{0, 4});
  CHECK(columns_of(two, 4) == Columns{0, 4});
}

TEST_CASE("knn_graph: a kept self is first even where another row has a larger dot product") {
  const std::vector<float> values = {1, 2, 3};
  const MatrixView<const float> features(values.data(), 3, 1);
  const Graph graph = knn_graph(features, {.k = 1, .metric = Metric::dot, .self = Self::keep});
  CHECK(columns_of(graph, 0) == Columns{0});
  CHECK(weight_of(graph, 0, 0) == 1.0F);
  const Graph two = knn_graph(features, {.k = 2, .metric = Metric::dot, .self = Self::keep});
  CHECK(columns_of(two, 0) == Columns{0, 2});
}

TEST_CASE("knn_graph: a self below the bound leaves its place empty, as thresholding afterwards does") {
  const std::vector<float> values = {1, 2, 3};
  const MatrixView<const float> features(values.data(), 3, 1);
  const Graph graph = knn_graph(features, {.k = 2, .min_similarity = 2.0F, .metric = Metric::dot, .self = Self::keep});
  CHECK(columns_of(graph, 0) == Columns{2});
  CHECK(columns_of(graph, 1) == Columns{1, 2});
}

TEST_CASE("knn_graph: a kept self has cosine exactly 1 whatever the rounding") {
  std::vector<float> values;
  for (int i = 0; i < 50 * 37; ++i) values.push_back(std::sin(static_cast<float>(i) * 1.7F));
  const Graph graph = knn_graph(MatrixView<const float>(values.data(), 50, 37), {.k = 3, .self = Self::keep});
  for (std::int64_t r = 0; r < 50; ++r) CHECK(weight_of(graph, r, r) == 1.0F);
}

TEST_CASE("knn_graph: self is dropped by index, so copies of a row stay") {
  const std::vector<float> values(4 * 3, 0.3F);
  const Graph graph = knn_graph(MatrixView<const float>(values.data(), 4, 3), {.k = 2});
  CHECK(columns_of(graph, 0) == Columns{1, 2});
  CHECK(columns_of(graph, 1) == Columns{0, 2});
  CHECK(columns_of(graph, 3) == Columns{0, 1});
}

TEST_CASE("knn_graph: the bound is inclusive and cosine weights lie in [-1, 1]") {
  const Graph bounded = knn_graph(plane(), {.k = 100, .min_similarity = 0.0F});
  CHECK(columns_of(bounded, 0) == Columns{1, 3, 4});
  const Graph one = knn_graph(plane(), {.k = 100, .min_similarity = 1.0F});
  CHECK(one.edges() == 2);
  const Graph all = knn_graph(plane(), {.k = 100, .min_similarity = -1.0F});
  CHECK(all == knn_graph(plane(), {.k = 100}));
  for (const float weight : all.weights()) CHECK(std::fabs(weight) <= 1.0F);
}

TEST_CASE("knn_graph: a k above the candidates keeps them all, however large") {
  for (const std::int64_t k : {std::int64_t{5}, std::int64_t{6}, std::int64_t{1} << 40, kMost}) {
    CHECK(knn_graph(plane(), {.k = k}).edges() == 20);
    CHECK(knn_graph(plane(), {.k = k, .self = Self::keep}).edges() == 25);
    CHECK(plan(6, 2, KnnOptions{.k = k}).output_bytes >= 20 * 8);
  }
}

TEST_CASE("knn_graph: empty inputs give empty graphs") {
  CHECK(knn_graph(MatrixView<const float>()).items() == 0);
  CHECK(knn_graph(MatrixView<const float>(nullptr, 0, 5)).items() == 0);
  const Graph no_dims = knn_graph(MatrixView<const float>(nullptr, 3, 0));
  CHECK(no_dims.items() == 3);
  CHECK(no_dims.edges() == 0);
  const Graph zero_products = knn_graph(MatrixView<const float>(nullptr, 3, 0), {.k = 1, .metric = Metric::dot});
  CHECK(columns_of(zero_products, 0) == Columns{1});
  CHECK(columns_of(zero_products, 2) == Columns{0});
  const float one = 1.0F;
  CHECK(knn_graph(MatrixView<const float>(&one, 1, 1)).edges() == 0);
  CHECK(knn_graph(MatrixView<const float>(&one, 1, 1), {.self = Self::keep}).edges() == 1);
}

TEST_CASE("knn_graph: huge, tiny and denormal magnitudes have the cosines of their directions") {
  const std::vector<float> scales = {1e30F, 1e-30F, 3e38F, 1e-42F, 1.0F};
  std::vector<float> values;
  for (const float scale : scales) values.insert(values.end(), {3.0F / 4.0F * scale, scale, 0.0F});
  for (const float scale : scales) values.insert(values.end(), {0.0F, scale, 3.0F / 4.0F * scale});
  const MatrixView<const float> features(values.data(), 10, 3);
  const Graph graph = knn_graph(features, {.k = 9});
  const std::string problem = graft::test::compare_knn(graph, features, {.k = 9}, false);
  CHECK_MESSAGE(problem.empty(), problem);
  CHECK(weight_of(graph, 0, 1) == doctest::Approx(1.0));
  CHECK(weight_of(graph, 0, 5) == doctest::Approx(16.0 / 25.0));
  CHECK(weight_of(graph, 2, 9) == doctest::Approx(16.0 / 25.0));
}

TEST_CASE("knn_graph: the smallest denormal still has a direction") {
  const float least = std::numeric_limits<float>::denorm_min();
  const std::vector<float> values = {least, 0.0F, 1.0F, 0.0F, 0.0F, -least};
  const Graph graph = knn_graph(MatrixView<const float>(values.data(), 3, 2), {.k = 2});
  CHECK(weight_of(graph, 0, 1) == 1.0F);
  CHECK(weight_of(graph, 0, 2) == 0.0F);
}

TEST_CASE("knn_graph: a NaN or infinite feature is refused by row, padding is not looked at") {
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    std::vector<float> values(9 * 4, 1.0F);
    for (std::size_t r = 0; r < 9; ++r) values[r * 4 + 3] = bad;  // padding
    const MatrixView<const float> features(values.data(), 9, 3, 4);
    CHECK(knn_graph(features, {.k = 1}).edges() == 9);
    values[5 * 4 + 2] = bad;
    values[7 * 4 + 1] = bad;
    for (const Metric metric : {Metric::cosine, Metric::dot, Metric::l2}) {
      const auto text = message_of<InvalidArgument>([&] { knn_graph(features, {.metric = metric}); });
      CHECK_MESSAGE(contains(text, {"knn_graph", "features", "row 5", "finite"}), text);
    }
  }
}

TEST_CASE("knn_graph: products that overflow float32 are refused, large ones that fit are not") {
  const std::vector<float> large = {1e20F, 0.0F, 1e20F, 1.0F};
  const MatrixView<const float> features(large.data(), 2, 2);
  for (const Metric metric : {Metric::dot, Metric::l2}) {
    const auto text = message_of<InvalidArgument>([&] { knn_graph(features, {.metric = metric}); });
    CHECK_MESSAGE(contains(text, {"knn_graph", "row", "overflow"}), text);
  }
  CHECK(knn_graph(features).edges() == 2);
  const std::vector<float> fits = {8e18F, 0.0F, -8e18F, 1.0F};
  const MatrixView<const float> fitting(fits.data(), 2, 2);
  CHECK(weight_of(knn_graph(fitting, {.metric = Metric::dot}), 0, 1) == doctest::Approx(-6.4e37));
  CHECK(weight_of(knn_graph(fitting, {.metric = Metric::l2}), 0, 1) == doctest::Approx(-2.56e38));
}

TEST_CASE("knn_graph: options out of range are refused with argument and value") {
  const auto refused = [](const KnnOptions& options, std::initializer_list<const char*> parts) {
    const auto run = message_of<InvalidArgument>([&] { knn_graph(plane(), options); });
    CHECK_MESSAGE(contains(run, parts), run);
    const auto planned = message_of<InvalidArgument>([&] { plan(6, 2, options); });
    CHECK(planned == run);
  };
  refused({.k = 0}, {"knn_graph", "k = 0", ">= 1"});
  refused({.k = -7}, {"knn_graph", "k = -7", ">= 1"});
  refused({.min_similarity = kNan}, {"knn_graph", "min_similarity = ", "nan"});
  refused({.min_similarity = kInfinity}, {"knn_graph", "min_similarity = inf"});
  refused({.min_similarity = 1.5F}, {"knn_graph", "min_similarity = 1.5", "[-1, 1]"});
  refused({.min_similarity = -1.5F}, {"knn_graph", "min_similarity = -1.5", "[-1, 1]"});
  refused({.row_range = {-1, 3}}, {"knn_graph", "row_range", "-1"});
  refused({.row_range = {3, 2}}, {"knn_graph", "row_range", "3", "2"});
  refused({.column_range = {-2, 3}}, {"knn_graph", "column_range", "-2"});
  refused({.column_range = {5, 4}}, {"knn_graph", "column_range", "5", "4"});
  CHECK(knn_graph(plane(), {.min_similarity = -1.5F, .metric = Metric::dot}).edges() > 0);
}

TEST_CASE("knn_graph: candidates of a part without the item itself take all k places") {
  const KnnOptions part{.k = 2, .self = Self::keep, .column_range = {1, 3}};
  CHECK(columns_of(knn_graph(plane(), part), 0) == Columns{1, 2});
  CHECK(columns_of(knn_graph(plane(), part), 1) == Columns{1, 2});
  CHECK(knn_graph(plane(), {.column_range = {3, 3}}).edges() == 0);
  CHECK(knn_graph(plane(), {.row_range = {2, 2}}).edges() == 0);
}

TEST_CASE("knn_graph: the threads of a context must not be negative") {
  const auto text = message_of<InvalidArgument>([] { knn_graph(plane(), {}, Context{.threads = -2}); });
  CHECK_MESSAGE(contains(text, {"threads = -2", ">= 0"}), text);
}

TEST_CASE("plan of knn_graph: stays within the budget and bounds the result") {
  for (const std::int64_t budget : {std::int64_t{3} << 20, kDefaultMemoryBudget, std::int64_t{1} << 33}) {
    for (const int threads : {1, 4}) {
      const Context context{.threads = threads, .memory_budget = budget};
      const Plan cost = plan(20000, 384, KnnOptions{.k = 10}, context);
      CHECK(cost.workspace_bytes <= budget);
      CHECK(cost.workspace_bytes >= 8 * 20000);
      CHECK(cost.output_bytes >= 8 * 10 * 20000);
      CHECK(cost.flops == doctest::Approx(20000.0 * 20000.0 * 384.0).epsilon(0.02));
      CHECK(cost.tiles >= 1);
    }
  }
  const Graph graph = knn_graph(plane(), {.k = 3});
  CHECK(plan(6, 2, KnnOptions{.k = 3}).output_bytes >= graph.edges() * 8 + 7 * 8);
}

TEST_CASE("plan of knn_graph: l2 costs more, a row range less, sizes are checked") {
  const double whole = plan(5000, 64, KnnOptions{}).flops;
  CHECK(plan(5000, 64, KnnOptions{.metric = Metric::l2}).flops > whole);
  CHECK(plan(5000, 64, KnnOptions{.row_range = {0, 100}}).flops < whole / 10);
  CHECK(plan(0, 64, KnnOptions{}).flops == 0.0);
  CHECK(contains(message_of<InvalidArgument>([] { plan(-1, 64, KnnOptions{}); }), {"items = -1"}));
  CHECK(contains(message_of<InvalidArgument>([] { plan(std::int64_t{1} << 31, 64, KnnOptions{}); }), {"2147483648"}));
  CHECK(contains(message_of<InvalidArgument>([] { plan(5, -3, KnnOptions{}); }), {"dims = -3"}));
}

TEST_CASE("knn_graph: a budget that is too small names what was given and the least that works") {
  std::vector<float> values(500 * 100, 1.0F);
  const MatrixView<const float> features(values.data(), 500, 100);
  const Context context{.threads = 2, .memory_budget = 1234};
  const auto text = message_of<OutOfMemory>([&] { knn_graph(features, {}, context); });
  CHECK_MESSAGE(contains(text, {"knn_graph", "memory_budget = 1234"}), text);
  CHECK(message_of<OutOfMemory>([&] { plan(500, 100, KnnOptions{}, context); }) == text);
  const std::int64_t least = graft::test::least_budget([&](const Context& c) { knn_graph(features, {}, c); }, context);
  REQUIRE(least > 0);
  CHECK(least < (std::int64_t{4} << 20));
}

TEST_CASE("merge_top_k: parts of column ranges with self kept and k above the candidates give the whole") {
  const KnnOptions whole{.k = 6, .self = Self::keep};
  KnnOptions part = whole;
  part.column_range = {0, 2};
  const Graph left = knn_graph(plane(), part);
  part.column_range = RowRange{.begin = 2};
  const Graph right = knn_graph(plane(), part);
  const std::array<GraphView, 2> parts{left, right};
  CHECK(merge_top_k(parts, 6) == knn_graph(plane(), whole));
}

}  // namespace
}  // namespace knn_test
