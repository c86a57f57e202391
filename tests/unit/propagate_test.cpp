#include <graft/ops/propagate.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <limits>
#include <random>

#include <graft/ops/normalize.hpp>
#include <support/graphs.hpp>

namespace propagate_test {
namespace {

using graft::Aggregation;
using graft::Cancelled;
using graft::Context;
using graft::Graph;
using graft::GraphView;
using graft::InvalidArgument;
using graft::Matrix;
using graft::MatrixView;
using graft::OutOfMemory;
using graft::Progress;
using graft::propagate;
using graft::test::contains;
using graft::test::Dense;
using graft::test::difference;
using graft::test::graph_of;
using graft::test::message_of;

Dense dense_of(const Matrix& matrix) {
  Dense result;
  for (std::int64_t r = 0; r < matrix.rows(); ++r) {
    result.emplace_back();
    for (std::int64_t c = 0; c < matrix.cols(); ++c) result.back().push_back(static_cast<double>(matrix(r, c)));
  }
  return result;
}

bool same_bits(const Matrix& a, const Matrix& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() &&
         (a.values().empty() || std::memcmp(a.values().data(), b.values().data(), a.values().size_bytes()) == 0);
}

Matrix random_features(std::int64_t items, std::int64_t dims, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<std::size_t>(items * dims));
  for (float& value : values) value = normal(random);
  return Matrix(items, dims, std::move(values));
}

/// Slow and obvious, in double: the sum of A^l E.
Dense oracle(const Graph& graph, const Matrix& features, std::int64_t layers, Aggregation aggregation) {
  const Dense a = graft::test::dense(graph);
  Dense layer = dense_of(features);
  Dense sum = layer;
  for (std::int64_t l = 0; l < layers; ++l) {
    Dense next(layer.size(), std::vector<double>(layer.empty() ? 0 : layer[0].size(), 0.0));
    for (std::size_t r = 0; r < a.size(); ++r) {
      for (std::size_t n = 0; n < a.size(); ++n) {
        for (std::size_t c = 0; c < next[r].size(); ++c) next[r][c] += a[r][n] * layer[n][c];
      }
      for (std::size_t c = 0; c < next[r].size(); ++c) sum[r][c] += next[r][c];
    }
    layer = std::move(next);
  }
  if (aggregation == Aggregation::mean) {
    for (auto& row : sum) {
      for (double& value : row) value /= static_cast<double>(layers) + 1.0;
    }
  }
  return sum;
}

struct Golden {
  const char* name;
  Graph w;
  Dense one_layer;
  Dense two_layers;  ///< none where the example has none
};

std::vector<Golden> goldens() {
  return {
      {"paper",
       graph_of({{2, 1, 1, 0}, {.4F, 2, 1, 0}, {1, 1, 2, 0}, {0, .2F, 0, 2}}),
       {{4.834652, 1.813489, 0}, {7.383361, 5.849358, 0}, {6.084652, 6.813489, 0}, {0.292509, 5.946654, 7.636364}},
       {{7.940584, 4.196247, 0}, {10.517478, 8.485066, 0}, {9.253084, 9.446247, 0}, {0.805842, 8.833797, 10.942149}}},
      {"reference",
       graph_of({{1, 1.4F, 0, 0}, {.4F, 1, 1.4F, 0}, {0, 1.4F, 1, 0}, {0, .2F, 0, 1.99999988F}}),
       {{4.993580, 1.620185, 0}, {7.357363, 6.231675, 0}, {6.410246, 7.286851, 0}, {0.322329, 5.969019, 7.636364}},
       {{8.054088, 4.040565, 0}, {10.860084, 9.410947, 0}, {9.644365, 10.401676, 0}, {0.885900, 8.928544, 10.942148}}},
      {"reference, threshold 0.4, K_c 1",
       graph_of({{1, 1.4F, 0, 0}, {.4F, 1, 1, 0}, {0, 1.4F, 1, 0}, {0, 0, 1, 1.99999988F}}),
       {{5.166667, 1.750000, 0}, {7.250000, 5.916667, 0}, {6.583333, 7.416667, 0}, {1.118034, 6.490712, 6.666667}},
       {}},
      {"noself",
       graph_of({{0, 1.4F, 2, 0}, {1.4F, 0, 1.4F, 0}, {2, 1.4F, 0, 0}, {0, .2F, 0, 0}}),
       {{5.579676, 3.714169, 0}, {6.268713, 4.814970, 0}, {5.991441, 5.361228, 0}, {1.069045, 3.801784, 4.000000}},
       {{8.368759, 5.338421, 0}, {9.250309, 7.117894, 0}, {9.126545, 8.369563, 0}, {1.675384, 4.286855, 4.000000}}}};
}

TEST_CASE("propagate: the worked examples") {
  const Matrix features(4, 3, {2, 0, 0, 4, 3, 0, 3, 4, 0, 0, 3, 4});
  for (const Golden& golden : goldens()) {
    CAPTURE(golden.name);
    const Graph graph = graft::normalize(golden.w);
    CHECK(difference(dense_of(propagate(graph, features, 1, Aggregation::sum)), golden.one_layer, 1e-5) == "");
    if (golden.two_layers.empty()) continue;
    CHECK(difference(dense_of(propagate(graph, features, 2, Aggregation::sum)), golden.two_layers, 1e-5) == "");
  }
}

TEST_CASE("propagate: sum and mean agree with the dense definition for 0 to 5 layers and any width") {
  const Graph graph = graft::normalize(graft::test::random_graph(60, 12, 23), graft::Normalization::row);
  for (const std::int64_t dims : {1, 3, 8, 37, 300}) {
    const Matrix features = random_features(60, dims, 24);
    for (std::int64_t layers = 0; layers <= 5; ++layers) {
      for (const Aggregation aggregation : {Aggregation::sum, Aggregation::mean}) {
        CAPTURE(dims);
        CAPTURE(layers);
        const Dense expected = oracle(graph, features, layers, aggregation);
        double largest = 1.0;
        for (const auto& row : expected) {
          for (const double value : row) largest = std::max(largest, std::fabs(value));
        }
        CHECK(difference(dense_of(propagate(graph, features, layers, aggregation)), expected, 1e-5 * largest) == "");
      }
    }
  }
}

TEST_CASE("propagate: no layer copies the features") {
  const Matrix features = random_features(30, 7, 25);
  CHECK(same_bits(propagate(graft::test::random_graph(30, 5, 26), features, 0, Aggregation::sum), features));
  CHECK(same_bits(propagate(graft::test::random_graph(30, 5, 26), features, 0, Aggregation::mean), features));
}

TEST_CASE("propagate: equal bits for any number of threads and any memory budget") {
  const std::int64_t items = 3000;
  const Graph graph = graft::normalize(graft::test::random_graph(items, 20, 27), graft::Normalization::row);
  const Matrix features = random_features(items, 150, 28);
  for (const std::int64_t layers : {1, 2, 3, 4}) {
    const Matrix expected = propagate(graph, features, layers, Aggregation::mean, Context{.threads = 1});
    for (const int threads : {2, 7}) {
      CHECK(same_bits(propagate(graph, features, layers, Aggregation::mean, Context{.threads = threads}), expected));
    }
    for (const std::int64_t columns : {1, 3, 21, 64, 149}) {
      CAPTURE(columns);
      const Context context{.threads = 2, .memory_budget = items * 4 * columns + 1};
      CHECK(same_bits(propagate(graph, features, layers, Aggregation::mean, context), expected));
    }
  }
}

TEST_CASE("propagate: strided features and a strided result; padding is neither read nor written") {
  const Graph graph = graft::test::random_graph(40, 8, 29);
  const Matrix features = random_features(40, 11, 30);
  constexpr float kPadding = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> wide(40 * 16, kPadding);
  for (std::int64_t r = 0; r < 40; ++r) {
    for (std::int64_t c = 0; c < 11; ++c) wide[static_cast<std::size_t>(r * 16 + c)] = features(r, c);
  }
  for (const std::int64_t layers : {0, 1, 2, 3}) {
    std::vector<float> out(40 * 13, -7.0F);
    propagate(graph, MatrixView<const float>(wide.data(), 40, 11, 16), layers, Aggregation::sum,
              MatrixView<float>(out.data(), 40, 11, 13));
    const Matrix expected = propagate(graph, features, layers, Aggregation::sum);
    for (std::int64_t r = 0; r < 40; ++r) {
      for (std::int64_t c = 0; c < 11; ++c) REQUIRE(out[static_cast<std::size_t>(r * 13 + c)] == expected(r, c));
      REQUIRE(out[static_cast<std::size_t>(r * 13 + 11)] == -7.0F);
      REQUIRE(out[static_cast<std::size_t>(r * 13 + 12)] == -7.0F);
    }
  }
}

TEST_CASE("propagate: a mutable view passes as features") {
  Matrix features = random_features(3, 2, 31);
  CHECK(same_bits(propagate(Graph(3), features.mutable_view(), 1, Aggregation::sum), features));
}

TEST_CASE("propagate: empty shapes") {
  CHECK(propagate(GraphView{}, Matrix(0, 4), 2, Aggregation::sum).rows() == 0);
  CHECK(propagate(GraphView{}, MatrixView<const float>(), 3, Aggregation::mean).cols() == 0);
  CHECK(propagate(Graph(5), Matrix(5, 0), 2, Aggregation::sum).rows() == 5);
  const Matrix features = random_features(5, 3, 32);
  CHECK(same_bits(propagate(Graph(5), features, 3, Aggregation::sum), features));
}

TEST_CASE("propagate: sizes that differ, negative layers and overlap are refused") {
  Matrix features(4, 3);
  const auto error = [](const auto& call) { return message_of<InvalidArgument>(call); };
  CHECK(contains(error([&] { propagate(Graph(5), features, 1, Aggregation::sum); }), {"4 rows", "5 items"}));
  CHECK(contains(error([&] { propagate(Graph(4), features, -1, Aggregation::sum); }), {"layers = -1", ">= 0"}));
  Matrix other(4, 2);
  CHECK(contains(error([&] { propagate(Graph(4), features, 1, Aggregation::sum, other.mutable_view()); }),
                 {"out = 4 x 2", "4 x 3"}));
  for (const std::int64_t shift : {0, 1, 11}) {
    std::vector<float> values(32);
    const MatrixView<const float> read(values.data(), 4, 3);
    const MatrixView<float> write(values.data() + shift, 4, 3);
    CHECK(contains(error([&] { propagate(Graph(4), read, 1, Aggregation::sum, write); }), {"out", "addresses"}));
  }
  std::vector<float> values(24);
  CHECK_NOTHROW(propagate(Graph(4), MatrixView<const float>(values.data(), 4, 3), 1, Aggregation::sum,
                          MatrixView<float>(values.data() + 12, 4, 3)));
}

TEST_CASE("propagate: a feature that is not finite names the first such row") {
  const std::int64_t items = 3000;
  std::vector<float> values(static_cast<std::size_t>(items * 2), 1.0F);
  values[2 * 1234 + 1] = std::numeric_limits<float>::infinity();
  values[2 * 2900] = std::numeric_limits<float>::quiet_NaN();
  const Matrix features(items, 2, std::move(values));
  for (const std::int64_t layers : {0, 1, 3}) {
    for (const int threads : {1, 7}) {
      const std::string text = message_of<InvalidArgument>(
          [&] { propagate(Graph(items), features, layers, Aggregation::sum, Context{.threads = threads}); });
      CHECK(contains(text, {"propagate: features row 1234:"}));
    }
  }
}

TEST_CASE("propagate: a budget below one column is refused from two layers on, naming the least") {
  const Graph graph = Graph::identity(500);
  const Matrix features = random_features(500, 20, 33);
  for (const std::int64_t layers : {2, 3}) {
    const auto call = [&](const Context& context) {
      return propagate(graph, features, layers, Aggregation::sum, context);
    };
    CHECK(graft::test::least_budget(call, {}) == 2000);
  }
  CHECK_NOTHROW(propagate(graph, features, 1, Aggregation::sum, Context{.memory_budget = 0}));
}

// So many layers that the call ends only because it is told to.
constexpr std::int64_t kEndless = std::int64_t{1} << 40;

TEST_CASE("propagate: cancelled before the call") {
  const Context context;
  context.cancel.cancel();
  CHECK_THROWS_AS(propagate(Graph(3), Matrix(3, 2), kEndless, Aggregation::sum, context), Cancelled);
  CHECK_THROWS_AS(propagate(GraphView{}, Matrix(), 0, Aggregation::sum, context), Cancelled);
}

TEST_CASE("propagate: a progress callback sees the counts and may cancel") {
  const Graph graph = graft::test::random_graph(1000, 5, 34);
  const Matrix features = random_features(1000, 8, 35);
  for (const int threads : {1, 3}) {
    std::atomic<int> calls = 0;
    Progress seen;
    Context context{.threads = threads};
    context.progress = [&, token = context.cancel](const Progress& progress) {
      seen = progress;
      ++calls;
      token.cancel();
    };
    const std::string text =
        message_of<Cancelled>([&] { propagate(graph, features, kEndless, Aggregation::mean, context); });
    CHECK(contains(text, {"propagate: cancelled"}));
    CHECK(calls == 1);
    CHECK(std::string(seen.operation) == "propagate");
    CHECK(seen.done > 0);
    CHECK(seen.done < seen.total);
  }
}

TEST_CASE("propagate: what the progress callback throws reaches the caller") {
  struct Stop {};
  const Graph graph = graft::test::random_graph(1000, 5, 36);
  const Matrix features = random_features(1000, 8, 37);
  for (const int threads : {1, 3}) {
    Context context{.threads = threads};
    context.progress = [](const Progress&) { throw Stop{}; };
    CHECK_THROWS_AS(propagate(graph, features, kEndless, Aggregation::sum, context), Stop);
  }
}

}  // namespace
}  // namespace propagate_test
