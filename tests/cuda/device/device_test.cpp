// What only a device has: its bits against the processor's, its budget, streaming, memory of its own.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <graft/cuda/device_graph.hpp>
#include <graft/cuda/graph_operators.hpp>
#include <graft/cuda/operators.hpp>
#include <graft/ops/add.hpp>
#include <graft/ops/binarize.hpp>
#include <graft/ops/drop_self_loops.hpp>
#include <graft/ops/jaccard.hpp>
#include <graft/ops/knn.hpp>
#include <graft/ops/mix.hpp>
#include <graft/ops/normalize.hpp>
#include <graft/ops/scale.hpp>
#include <graft/ops/threshold.hpp>
#include <graft/ops/top_k_scores.hpp>

#include "../../support/check.hpp"
#include "../../support/graphs.hpp"
#include "../../support/oracle_audience.hpp"
#include "../../support/random_data.hpp"

namespace {

using namespace graft;
using graft::test::draw;
using graft::test::draw_features;
using graft::test::draw_interactions;
using graft::test::FeatureData;
using graft::test::Kind;
using graft::test::pick;
using graft::test::Random;

const std::vector<Metric> kMetrics = {Metric::cosine, Metric::dot, Metric::l2};

bool has_fma() {
  const std::vector<NumericPath> paths = graft::test::available_paths();
  return std::find(paths.begin(), paths.end(), NumericPath::avx2) != paths.end();
}

TEST_CASE("knn_graph on the device: has the bits of the processor's fused path") {
  if (!has_fma()) return;
  Random random(20260901);
  for (const Kind kind : {Kind::gaussian, Kind::positive, Kind::small_integer, Kind::signs, Kind::constant}) {
    for (const Metric metric : kMetrics) {
      for (const std::int64_t items : {3, 1000, 5000}) {
        const FeatureData data = draw_features(
            random,
            {.kind = kind, .items = items, .dims = 129, .padding = 3, .zero_share = 0.01, .duplicate_share = 0.1});
        for (const std::int64_t k : {1, 10, 100}) {
          const KnnOptions options{.k = k, .metric = metric, .self = k == 10 ? Self::keep : Self::drop};
          const Graph expected = knn_graph(data.view(), options, {.path = NumericPath::avx2});
          CHECK_MESSAGE(knn_graph(data.view(), options, Context::cuda()) == expected,
                        graft::test::name_of(kind)
                            << " " << items << ", metric " << static_cast<int>(metric) << ", k " << k);
        }
      }
    }
  }
}

TEST_CASE("knn_graph on the device: repeats and any budget give equal bits; too little names the least") {
  Random random(20260902);
  for (const Metric metric : kMetrics) {
    const FeatureData data = draw_features(random, {.kind = Kind::positive, .items = 4000, .dims = 96});
    const KnnOptions options{.k = 10, .metric = metric};
    Context context = Context::cuda();
    const Graph expected = knn_graph(data.view(), options, context);
    CHECK(knn_graph(data.view(), options, context) == expected);
    context.device_memory_budget = 1;
    const std::string text = graft::test::message_of<OutOfMemory>([&] { knn_graph(data.view(), options, context); });
    const std::set<std::int64_t> numbers = graft::test::numbers_in(text);
    REQUIRE_FALSE(numbers.empty());
    const std::int64_t least = *numbers.rbegin();
    for (const std::int64_t extra : {std::int64_t{200000}, std::int64_t{1} << 20, std::int64_t{16} << 20}) {
      context.device_memory_budget = least + extra;
      CHECK_MESSAGE(knn_graph(data.view(), options, context) == expected, "budget " << context.device_memory_budget);
    }
  }
}

TEST_CASE("knn_graph on the device: identical rows, which no shortlist can tell apart, are told apart by the column") {
  const std::vector<float> values(3000 * 32, 0.7F);
  const MatrixView<const float> features(values.data(), 3000, 32);
  for (const Metric metric : kMetrics) {
    const Graph graph = knn_graph(features, {.k = 5, .metric = metric}, Context::cuda());
    CHECK(graft::test::columns_of(graph, 2000) == std::vector<std::int32_t>{0, 1, 2, 3, 4});
    CHECK(graft::test::columns_of(graph, 2) == std::vector<std::int32_t>{0, 1, 3, 4, 5});
  }
}

TEST_CASE("knn_graph on the device: features on the device give the same graph") {
  Random random(20260903);
  const FeatureData data = draw_features(random, {.kind = Kind::gaussian, .items = 700, .dims = 50, .padding = 6});
  const DeviceMatrix copy = to_device(data.view());
  CHECK(knn_graph(copy.view(), {.k = 7}) == knn_graph(data.view(), {.k = 7}, Context::cuda()));
  CHECK(top_k_scores(copy.view(), copy.view(), {.k = 7}) ==
        top_k_scores(data.view(), data.view(), {.k = 7}, Context::cuda()));
}

TEST_CASE("knn_graph on the device: names the row that is not finite") {
  std::vector<float> values(300 * 8, 1.0F);
  values[123 * 8 + 5] = std::numeric_limits<float>::quiet_NaN();
  const MatrixView<const float> features(values.data(), 300, 8);
  CHECK(
      graft::test::contains(graft::test::message_of<InvalidArgument>([&] { knn_graph(features, {}, Context::cuda()); }),
                            {"features row 123, column 5"}));
}

TEST_CASE("jaccard_graph on the device: rows of every bin have the processor's bits") {
  Random random(20260904);
  const Interactions interactions =
      draw_interactions(random, {.users = 4000, .items = 40000, .mean_history = 30.0, .heavy_users = 3});
  for (const AudienceMeasure measure :
       {AudienceMeasure::jaccard, AudienceMeasure::cosine, AudienceMeasure::overlap, AudienceMeasure::pmi}) {
    for (const std::int64_t k : {1, 10, 5000}) {
      const JaccardOptions options{.k = k, .measure = measure};
      const std::string problem =
          graft::test::compare_graphs(jaccard_graph(interactions, options, Context::cuda()),
                                      jaccard_graph(interactions, options), measure == AudienceMeasure::pmi ? 1 : 0);
      CHECK_MESSAGE(problem.empty(), "measure " << static_cast<int>(measure) << ", k " << k << ": " << problem);
    }
  }
}

TEST_CASE("to_device, to_host: graphs and matrices come back bit for bit") {
  const Graph graph = graft::test::random_graph(500, 20, 7);
  CHECK(to_host(to_device(graph)) == graph);
  CHECK(to_host(to_device(Graph(3))) == Graph(3));
  Random random(20260905);
  const FeatureData data = draw_features(random, {.kind = Kind::gaussian, .items = 33, .dims = 5, .padding = 2});
  const DeviceMatrix copy = to_device(data.view());
  const Matrix back = to_host(copy.view());
  for (std::int64_t r = 0; r < 33; ++r) {
    for (std::int64_t c = 0; c < 5; ++c) CHECK(back(r, c) == data.view()(r, c));
  }
}

TEST_CASE("operators on the device: small shapes of every kind, for compute-sanitizer") {
  Random random(20260907);
  for (const Metric metric : kMetrics) {
    const FeatureData data = draw_features(
        random,
        {.kind = Kind::gaussian, .items = 201, .dims = 37, .padding = 1, .zero_share = 0.05, .duplicate_share = 0.3});
    for (const std::int64_t k : {5, 100}) {  // a warp a row, a block a row
      const Graph graph = knn_graph(data.view(), {.k = k, .metric = metric, .self = Self::keep}, Context::cuda());
      CHECK(graph == knn_graph(data.view(), {.k = k, .metric = metric, .self = Self::keep}, Context::cuda()));
    }
    const std::vector<std::int64_t> offsets(202, 0);
    CHECK(top_k_scores(data.view(), data.view(), {.k = 3, .metric = metric, .exclude = {offsets, {}}}, Context::cuda())
              .rows() == 201);
  }
  const Interactions interactions =
      draw_interactions(random, {.users = 300, .items = 700, .mean_history = 12.0, .heavy_users = 3});
  for (const std::int64_t k : {3, 3000}) {  // lists in shared and in global memory
    CHECK(jaccard_graph(interactions, {.k = k}, Context::cuda()) == jaccard_graph(interactions, {.k = k}));
  }
}

void check_algebra(const Graph& left, const Graph& right) {
  const DeviceGraph a = to_device(left);
  const DeviceGraph b = to_device(right);
  CHECK(to_host(threshold(a, 0.25F)) == threshold(left, 0.25F));
  CHECK(to_host(drop_self_loops(a)) == drop_self_loops(left));
  CHECK(to_host(binarize(a)) == binarize(left));
  CHECK(to_host(scale(a, -0.3F)) == scale(left, -0.3F));
  CHECK(to_host(add(a, b)) == add(left, right));
  const std::vector<GraphView> views{left, right};
  const std::vector<float> coefficients{0.7F, -1.3F};
  CHECK(to_host(mix(a, 0.7F, b, -1.3F)) == mix(views, coefficients));
  for (const Normalization how : {Normalization::symmetric, Normalization::row, Normalization::none}) {
    for (const float epsilon : {0.0F, 1e-3F}) {
      const NormalizeOptions options{.normalization = how, .epsilon = epsilon};
      CHECK(to_host(normalize(binarize(a), options)) == normalize(binarize(left), options));
    }
  }
}

TEST_CASE("algebra on the device: small shapes have the processor's bits") {
  check_algebra(Graph(0), Graph(0));
  check_algebra(Graph(3), Graph::identity(3));
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    check_algebra(graft::test::random_graph(200, 15, seed), graft::test::random_graph(200, 30, seed + 100));
  }
}

TEST_CASE("algebra on the device: a weight that is not finite is told by its row") {
  const DeviceGraph graph = to_device(Graph::identity(5, 1e38F));
  CHECK(graft::test::contains(graft::test::message_of<InvalidArgument>([&] { scale(graph, 1e10F); }),
                              {"scale: weights of row 0"}));
  CHECK(graft::test::contains(graft::test::message_of<InvalidArgument>([&] { mix(graph, 3.0F, graph, 3.0F); }),
                              {"mix: sum in row 0"}));
}

TEST_CASE("cancelling a call on the device ends it with Cancelled") {
  Random random(20260906);
  const FeatureData data = draw_features(random, {.kind = Kind::gaussian, .items = 5000, .dims = 64});
  const Context context = Context::cuda();
  context.cancel.cancel();
  CHECK_THROWS_AS(knn_graph(data.view(), {}, context), Cancelled);
}

}  // namespace
