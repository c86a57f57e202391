// What only a device has: its bits against the processor's, its budget, streaming, memory of its own.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <graft/cuda/device_graph.hpp>
#include <graft/cuda/graph_operators.hpp>
#include <graft/cuda/on_device.hpp>
#include <graft/cuda/operators.hpp>
#include <graft/ops/add.hpp>
#include <graft/ops/binarize.hpp>
#include <graft/ops/drop_self_loops.hpp>
#include <graft/ops/jaccard.hpp>
#include <graft/ops/knn.hpp>
#include <graft/ops/merge_top_k.hpp>
#include <graft/ops/mix.hpp>
#include <graft/ops/normalize.hpp>
#include <graft/ops/propagate.hpp>
#include <graft/ops/refine.hpp>
#include <graft/ops/scale.hpp>
#include <graft/ops/symmetrize.hpp>
#include <graft/ops/threshold.hpp>
#include <graft/ops/top_k.hpp>
#include <graft/ops/top_k_scores.hpp>

#include "../../support/check.hpp"
#include "../../support/graphs.hpp"
#include "../../support/oracle_audience.hpp"
#include "../../support/random_data.hpp"

namespace device_test {
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

/// A size, and what it is where the device is emulated, which takes some thousand times as long.
std::int64_t sized(std::int64_t device, std::int64_t emulated) {
  return std::getenv("GRAFT_EMULATED_DEVICE") == nullptr ? device : emulated;
}

bool has_fma() {
  const std::vector<NumericPath> paths = graft::test::available_paths();
  return std::find(paths.begin(), paths.end(), NumericPath::avx2) != paths.end();
}

TEST_CASE("knn_graph on the device: has the bits of the processor's fused path") {
  if (!has_fma()) return;
  Random random(20260901);
  for (const Kind kind : {Kind::gaussian, Kind::positive, Kind::small_integer, Kind::signs, Kind::constant}) {
    for (const Metric metric : kMetrics) {
      for (const std::int64_t items : {std::int64_t{3}, sized(1000, 90), sized(5000, 350)}) {
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
    const FeatureData data = draw_features(random, {.kind = Kind::positive, .items = sized(4000, 500), .dims = 96});
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
  const std::int64_t items = sized(3000, 300);
  const std::vector<float> values(static_cast<std::size_t>(items) * 32, 0.7F);
  const MatrixView<const float> features(values.data(), items, 32);
  for (const Metric metric : kMetrics) {
    const Graph graph = knn_graph(features, {.k = 5, .metric = metric}, Context::cuda());
    CHECK(graft::test::columns_of(graph, items - 100) == std::vector<std::int32_t>{0, 1, 2, 3, 4});
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
      draw_interactions(random, {.users = sized(4000, 400),
                                 .items = sized(40000, 17000),  // more than a block counts at once
                                 .mean_history = 30.0,
                                 .heavy_users = sized(3, 1)});
  const RowRange rows{0, sized(40000, 60)};
  for (const AudienceMeasure measure :
       {AudienceMeasure::jaccard, AudienceMeasure::cosine, AudienceMeasure::overlap, AudienceMeasure::pmi}) {
    for (const std::int64_t k : {1, 10, 5000}) {
      const JaccardOptions options{.k = k, .measure = measure, .row_range = rows};
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

Graph transposed(const Graph& graph) {
  std::vector<std::vector<std::pair<std::int32_t, float>>> rows(static_cast<std::size_t>(graph.items()));
  for (std::int64_t row = 0; row < graph.items(); ++row) {
    for (std::size_t e = 0; e < graph.row_columns(row).size(); ++e) {
      rows[static_cast<std::size_t>(graph.row_columns(row)[e])].emplace_back(static_cast<std::int32_t>(row),
                                                                             graph.row_weights(row)[e]);
    }
  }
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> columns;
  std::vector<float> weights;
  for (const auto& row : rows) {
    for (const auto& [column, weight] : row) {
      columns.push_back(column);
      weights.push_back(weight);
    }
    offsets.push_back(static_cast<std::int64_t>(columns.size()));
  }
  return Graph(graph.items(), offsets, columns, weights);
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
  for (const std::int64_t k : {1, 2, 7, 1000}) {
    CHECK(to_host(top_k(a, k)) == top_k(left, k));
    CHECK(to_host(top_k(binarize(a), k)) == top_k(binarize(left), k));  // ties alone
  }
  for (const Symmetrization how : {Symmetrization::max, Symmetrization::mean, Symmetrization::min}) {
    CHECK(to_host(symmetrize(a, how)) == symmetrize(left, how));
  }
  CHECK(to_host(transpose(a)) == transposed(left));
  CHECK(to_host(transpose(transpose(a))) == left);
}

/// Graphs of the host with the device's context: copied there and back.
void check_host_algebra(const Graph& left, const Graph& right) {
  const Context context = Context::cuda();
  CHECK(threshold(left, 0.25F, context) == threshold(left, 0.25F));
  CHECK(drop_self_loops(left, context) == drop_self_loops(left));
  CHECK(binarize(left, context) == binarize(left));
  CHECK(scale(left, 2.5F, context) == scale(left, 2.5F));
  CHECK(add(left, right, context) == add(left, right));
  CHECK(normalize(binarize(left), {}, context) == normalize(binarize(left)));
  CHECK(top_k(left, 3, context) == top_k(left, 3));
  CHECK(symmetrize(left, Symmetrization::mean, context) == symmetrize(left, Symmetrization::mean));
  const std::vector<GraphView> views{left, right, left};
  const std::vector<float> coefficients{0.5F, -2.0F, 0.25F};
  CHECK(mix(views, coefficients, context) == mix(views, coefficients));
  const std::vector<GraphView> one{left};
  CHECK(mix(one, std::vector<float>{0.5F}, context) == mix(one, std::vector<float>{0.5F}));
}

TEST_CASE("algebra on the device: small shapes have the processor's bits") {
  check_algebra(Graph(0), Graph(0));
  check_algebra(Graph(3), Graph::identity(3));
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    const Graph left = graft::test::random_graph(200, 15, seed);
    const Graph right = graft::test::random_graph(200, 30, seed + 100);
    check_algebra(left, right);
    check_host_algebra(left, right);
  }
}

TEST_CASE("top_k on the device: long rows, equal weights, zeros of both signs") {
  constexpr std::int32_t kItems = 5000;
  std::vector<std::int32_t> columns(kItems);
  std::vector<float> weights(kItems);
  for (std::int32_t c = 0; c < kItems; ++c) {
    columns[static_cast<std::size_t>(c)] = c;
    constexpr float kWeights[] = {0.0F, -0.0F, 1.0F, -1.0F, 1e-40F, 3e38F, 0.5F};
    weights[static_cast<std::size_t>(c)] = kWeights[c % 7];
  }
  std::vector<std::int64_t> offsets(kItems + 1, kItems);
  offsets[0] = 0;
  const Graph graph(kItems, offsets, columns, weights);
  for (const std::int64_t k : {1, 31, 32, 33, 700, 715, 1429, 3000, 4999, 5000, 9000}) {
    CHECK_MESSAGE(to_host(top_k(to_device(graph), k)) == top_k(graph, k), "k " << k);
  }
}

TEST_CASE("merge_top_k on the device: parts of rows and of columns give the whole; parts that differ are refused") {
  Random random(20261101);
  const FeatureData data = draw_features(random, {.kind = Kind::gaussian, .items = 900, .dims = 20});
  for (const Self self : {Self::keep, Self::drop}) {
    const Graph whole = knn_graph(data.view(), {.k = 6, .self = self});
    std::vector<Graph> parts;
    for (const std::int64_t begin : {0, 300, 600}) {
      parts.push_back(knn_graph(data.view(), {.k = 6, .self = self, .column_range = {begin, begin + 300}}));
    }
    const std::vector<GraphView> views(parts.begin(), parts.end());
    CHECK(merge_top_k(views, 6, Context::cuda()) == merge_top_k(views, 6));
    std::vector<DeviceGraph> copies;
    for (const Graph& part : parts) copies.push_back(to_device(part));
    CHECK(to_host(merge_top_k(copies, 6)) == whole);
  }
  std::vector<DeviceGraph> differing;
  differing.push_back(to_device(Graph::identity(4, 1.0F)));
  differing.push_back(to_device(Graph::identity(4, 2.0F)));
  CHECK(graft::test::contains(graft::test::message_of<InvalidArgument>([&] { merge_top_k(differing, 1); }),
                              {"merge_top_k: parts at row 0, column 0", "must agree"}));
}

/// E + A(E + A(...)), fused, edge after edge.
Matrix propagated(const Graph& graph, const MatrixView<const float>& features, std::int64_t layers, float factor) {
  Matrix input(features.rows(), features.cols());
  for (std::int64_t r = 0; r < features.rows(); ++r) {
    for (std::int64_t c = 0; c < features.cols(); ++c) input.mutable_view()(r, c) = features(r, c);
  }
  for (std::int64_t layer = 1; layer <= layers; ++layer) {
    Matrix out(features.rows(), features.cols());
    for (std::int64_t r = 0; r < features.rows(); ++r) {
      for (std::int64_t c = 0; c < features.cols(); ++c) {
        float sum = 0.0F;
        for (std::size_t e = 0; e < graph.row_columns(r).size(); ++e) {
          sum = std::fma(graph.row_weights(r)[e], input(graph.row_columns(r)[e], c), sum);
        }
        out.mutable_view()(r, c) = (sum + features(r, c)) * (layer == layers ? factor : 1.0F);
      }
    }
    input = std::move(out);
  }
  if (layers == 0) {
    for (std::int64_t r = 0; r < features.rows(); ++r) {
      for (std::int64_t c = 0; c < features.cols(); ++c) input.mutable_view()(r, c) *= factor;
    }
  }
  return input;
}

void check_equal(const Matrix& made, const Matrix& expected) {
  REQUIRE(made.rows() == expected.rows());
  REQUIRE(made.cols() == expected.cols());
  std::int64_t differing = 0;
  for (std::int64_t r = 0; r < made.rows(); ++r) {
    for (std::int64_t c = 0; c < made.cols(); ++c) differing += made(r, c) == expected(r, c) ? 0 : 1;
  }
  CHECK(differing == 0);
}

TEST_CASE(
    "propagate on the device: small shapes have the bits of fused sums in ascending columns, whatever the budget") {
  Random random(20261102);
  const Graph graph = graft::test::random_graph(150, 40, 5);
  for (const std::int64_t dims : {1, 3, 64, 130, 384}) {
    for (const std::int64_t padding : {0, 1, 4}) {
      const FeatureData data =
          draw_features(random, {.kind = Kind::gaussian, .items = 150, .dims = dims, .padding = padding});
      const DeviceMatrix copy = to_device(data.view());
      for (const std::int64_t layers : {0, 1, 2, 3}) {
        const Matrix expected = propagated(graph, data.view(), layers, 1.0F / static_cast<float>(layers + 1));
        const DeviceMatrix made = propagate(to_device(graph), copy.view(), layers, Aggregation::mean);
        check_equal(to_host(made.view()), expected);
        Context small = Context::cuda();
        small.device_memory_budget = 150 * 4 * (dims + 9) + 4096;
        check_equal(propagate(graph, data.view(), layers, Aggregation::mean, small), expected);
      }
    }
  }
}

TEST_CASE("propagate on the device: refuses what the processor refuses") {
  std::vector<float> values(6 * 2, 1.0F);
  values[7] = std::numeric_limits<float>::infinity();
  const MatrixView<const float> features(values.data(), 6, 2);
  const auto refused = [&](std::int64_t items, std::int64_t layers) {
    return graft::test::message_of<InvalidArgument>(
        [&] { propagate(Graph::identity(items), features, layers, Aggregation::sum, Context::cuda()); });
  };
  CHECK(graft::test::contains(refused(6, 1), {"propagate: features row 3"}));
  CHECK(graft::test::contains(refused(5, 1), {"6 rows", "5 items"}));
  CHECK(graft::test::contains(refused(6, -1), {"layers = -1"}));
}

TEST_CASE("results left on the device are those that are copied back") {
  const std::int64_t items = sized(1200, 300);
  Random random(20261103);
  const FeatureData data = draw_features(
      random, {.kind = Kind::gaussian, .items = items, .dims = 40, .zero_share = 0.02, .duplicate_share = 0.1});
  const DeviceMatrix features = to_device(data.view());
  for (const Metric metric : kMetrics) {
    for (const Self self : {Self::drop, Self::keep}) {
      for (const RowRange& rows : {RowRange{}, RowRange{100, items / 2}}) {
        const KnnOptions options{
            .k = 9, .metric = metric, .self = self, .row_range = rows, .column_range = {50, items - 100}};
        const Graph expected = knn_graph(data.view(), options, Context::cuda());
        CHECK(to_host(on_device::knn_graph(features.view(), options)) == expected);
        CHECK(to_host(on_device::knn_graph(data.view(), options)) == expected);
      }
    }
  }
  const Interactions interactions = draw_interactions(random, {.users = 800, .items = items, .mean_history = 9.0});
  for (const RowRange& rows : {RowRange{}, RowRange{17, items - 90}}) {
    const JaccardOptions options{.k = 12, .self = Self::keep, .row_range = rows};
    CHECK(to_host(on_device::jaccard_graph(interactions, options)) == jaccard_graph(interactions, options));
  }
  for (const bool parts : {false, true}) {
    const RefineOptions options{.preset = Preset::reference,
                                .knn_k = 8,
                                .threshold = 0.1F,
                                .symmetrize = Symmetrization::max,
                                .add_self_loops = true,
                                .normalize_parts = parts,
                                .enhancement_weight = 0.5F};
    RefineSummary here;
    RefineSummary there;
    const Graph expected = refine(data.view(), interactions, options, Context::cuda(), &here);
    CHECK(to_host(on_device::refine(features.view(), interactions, options, Context::cuda(), &there)) == expected);
    CHECK(here.edges == there.edges);
    CHECK(here.similarity.edges_after == there.similarity.edges_after);
    CHECK(here.isolated_items == there.isolated_items);
    if (!has_fma()) continue;
    RefineSummary processor;
    CHECK(refine(data.view(), interactions, options, {.path = NumericPath::avx2}, &processor) == expected);
    CHECK(processor.similarity.edges_before == here.similarity.edges_before);
    CHECK(processor.similarity.edges_after == here.similarity.edges_after);
    CHECK(processor.self_loops == here.self_loops);
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
}  // namespace device_test
