#include "train/user_item_graph.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <graft/core/error.hpp>

#include "../support/check.hpp"
#include "../support/files.hpp"
#include "model_bench.hpp"

namespace graft::training {
namespace user_item_graph_test {
namespace {

using autodiff::Csr;
using test::Dense;
using test::dense;
using test::difference;
using test::expect_error;

Interactions example() { return test::interactions_of(test::model_golden()["R"].get<Dense>()); }

std::vector<std::pair<std::size_t, std::int32_t>> pairs_of(const Csr& csr) {
  std::vector<std::pair<std::size_t, std::int32_t>> pairs;
  for (std::size_t row = 0; row < static_cast<std::size_t>(csr.rows); ++row) {
    for (auto e = csr.row_offsets[row]; e < csr.row_offsets[row + 1]; ++e) {
      pairs.emplace_back(row, csr.columns[static_cast<std::size_t>(e)]);
    }
  }
  return pairs;
}

/// 1 / sqrt(d_u d_i) of a 0/1 matrix.
Dense weighed(const Csr& csr) {
  Dense result = dense(csr);
  std::vector<double> row_degree(result.size(), 1e-7);
  std::vector<double> column_degree(static_cast<std::size_t>(csr.cols), 1e-7);
  for (const auto& [row, column] : pairs_of(csr)) {
    row_degree[row] += 1.0;
    column_degree[static_cast<std::size_t>(column)] += 1.0;
  }
  for (const auto& [row, column] : pairs_of(csr)) {
    const auto c = static_cast<std::size_t>(column);
    result[row][c] = 1.0 / std::sqrt(row_degree[row] * column_degree[c]);
  }
  return result;
}

TEST_CASE("normalized_block: the worked example") {
  CHECK(difference(dense(normalized_block(example())), test::model_golden()["ui_sym_block"].get<Dense>(), 2e-7) == "");
}

TEST_CASE("normalized_block: repeated pairs count once, users and items without interactions have empty rows") {
  const std::vector<std::int32_t> users{2, 0, 2, 2};
  const std::vector<std::int32_t> items{1, 3, 1, 3};
  const Csr block = normalized_block(Interactions::from_pairs(users, items, 4, 5));
  CHECK(block.rows == 4);
  CHECK(block.cols == 5);
  CHECK(block.row_offsets == std::vector<std::int64_t>{0, 1, 1, 3, 3});
  CHECK(block.columns == std::vector<std::int32_t>{3, 1, 3});
  CHECK(difference(dense(block), weighed(block), 1e-7) == "");
}

TEST_CASE("normalized_block: epsilon is added to every degree") {
  const Csr block = normalized_block(example(), 1.0);
  CHECK(block.weights[0] == doctest::Approx(1.0 / std::sqrt(4.0 * 3.0)));
  CHECK(normalized_block(example(), 0.0).weights[0] == doctest::Approx(1.0 / std::sqrt(3.0 * 2.0)));
}

TEST_CASE("EdgePruning: keeps the whole part of edges * (1 - dropout)") {
  CHECK(EdgePruning(example(), 0.0).kept() == 10);
  CHECK(EdgePruning(example(), 0.15).kept() == 8);
  CHECK(EdgePruning(example(), 0.8).kept() == 1);  // 10 * (1 - 0.8) in double is just below 2
  CHECK(EdgePruning(example(), 0.75).kept() == 2);
  CHECK(EdgePruning(example(), 1.0).kept() == 0);
  CHECK_FALSE(EdgePruning(example(), 0.0).drops());
  CHECK(EdgePruning(example(), 0.15).drops());
  for (const double dropout : {-0.1, 1.5, std::nan("")}) {
    expect_error<InvalidArgument>([&] { EdgePruning(example(), dropout); }, {"dropout", "must lie in [0, 1]"});
  }
}

TEST_CASE("EdgePruning: a draw holds training edges once, weighed by the degrees that are left") {
  test::Random random(3);
  const Interactions train = test::draw_interactions(random, {.users = 40, .items = 30, .heavy_users = 2});
  const auto all = pairs_of(normalized_block(train));
  for (const double dropout : {0.0, 0.3, 0.8, 0.99, 1.0}) {
    CAPTURE(dropout);
    const EdgePruning pruning(train, dropout);
    data::RandomStream stream(5, 1);
    const Csr drawn = pruning.draw(stream);
    const auto kept = pairs_of(drawn);
    CHECK(static_cast<std::int64_t>(kept.size()) == pruning.kept());
    CHECK(std::adjacent_find(kept.begin(), kept.end(), std::greater_equal<>()) == kept.end());
    CHECK(std::includes(all.begin(), all.end(), kept.begin(), kept.end()));
    CHECK(drawn.row_offsets.size() == static_cast<std::size_t>(train.users()) + 1);
    CHECK(difference(dense(drawn), weighed(drawn), 1e-7) == "");
  }
}

TEST_CASE("EdgePruning: a dropout of 0 gives the whole block, bit for bit") {
  data::RandomStream stream(5, 1);
  const Csr drawn = EdgePruning(example(), 0.0).draw(stream);
  CHECK(drawn.columns == normalized_block(example()).columns);
  CHECK(drawn.weights == normalized_block(example()).weights);
}

TEST_CASE("EdgePruning: a draw is a function of the stream, and draws differ") {
  test::Random random(4);
  const Interactions train = test::draw_interactions(random, {.users = 50, .items = 40});
  const EdgePruning pruning(train, 0.5);
  data::RandomStream first(9, 1);
  data::RandomStream again(9, 1);
  data::RandomStream other(9, 2);
  const Csr drawn = pruning.draw(first);
  CHECK(pruning.draw(again).columns == drawn.columns);
  CHECK(pruning.draw(other).columns != drawn.columns);
  CHECK(pruning.draw(first).columns != drawn.columns);
}

/// P(edge among the first `draws` of a sequential draw without replacement), by walking through all sequences.
void add_inclusion(const std::vector<double>& p, std::vector<bool>& taken, double left, double probability, int draws,
                   std::vector<double>& inclusion) {
  if (draws == 0) return;
  for (std::size_t e = 0; e < p.size(); ++e) {
    if (taken[e]) continue;
    const double chance = probability * p[e] / left;
    inclusion[e] += chance;
    taken[e] = true;
    add_inclusion(p, taken, left - p[e], chance, draws - 1, inclusion);
    taken[e] = false;
  }
}

TEST_CASE("EdgePruning: edges are kept as often as draws without replacement in proportion to p keep them") {
  constexpr int kTrials = 20000;
  const Csr block = normalized_block(example());
  const std::vector<double> p(block.weights.begin(), block.weights.end());
  const auto edges = pairs_of(block);
  double total = 0.0;
  for (const double value : p) total += value;
  for (const int draws : {1, 3}) {
    CAPTURE(draws);
    const EdgePruning pruning(example(), draws == 1 ? 0.85 : 0.65);
    REQUIRE(pruning.kept() == draws);
    std::vector<double> expected(p.size(), 0.0);
    std::vector<bool> taken(p.size(), false);
    add_inclusion(p, taken, total, 1.0, draws, expected);
    std::vector<int> counts(p.size(), 0);
    for (int trial = 0; trial < kTrials; ++trial) {
      data::RandomStream stream(11, static_cast<std::uint64_t>(trial));
      for (const auto& edge : pairs_of(pruning.draw(stream))) {
        ++counts[static_cast<std::size_t>(std::find(edges.begin(), edges.end(), edge) - edges.begin())];
      }
    }
    for (std::size_t e = 0; e < p.size(); ++e) {
      CAPTURE(e);
      const double deviation = std::sqrt(expected[e] * (1.0 - expected[e]) / kTrials);
      CHECK(std::abs(counts[e] / static_cast<double>(kTrials) - expected[e]) < 4.5 * deviation);
    }
  }
}

}  // namespace
}  // namespace user_item_graph_test
}  // namespace graft::training
