// Plans of shapes whose numbers of edges and candidates pass 2^31: no size wraps around.
#include <graft/ops/knn.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <vector>

#include <graft/ops/jaccard.hpp>
#include <graft/ops/top_k_scores.hpp>

#include "../support/check.hpp"

namespace plan_large {
namespace {

using namespace graft;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kPebibyte = std::int64_t{1} << 50;

TEST_CASE("plan of knn_graph: items * k above 2^31 is counted in full") {
  const Plan cost = plan(70000, 16, KnnOptions{.k = 70000});
  CHECK(cost.output_bytes >= std::int64_t{8} * 70000 * 69999);
  CHECK(cost.workspace_bytes <= kDefaultMemoryBudget);
  const Plan wide = plan(30000000, 64, KnnOptions{.k = 100}, Context{.memory_budget = std::int64_t{1} << 34});
  CHECK(wide.output_bytes >= std::int64_t{8} * 100 * 30000000);
  CHECK(wide.workspace_bytes <= std::int64_t{1} << 34);
  CHECK(wide.flops == doctest::Approx(3e7 * 3e7 * 64.0).epsilon(0.01));
  CHECK(wide.tiles > 0);
}

TEST_CASE("plan of knn_graph: the largest number of items, with the largest k, does not wrap around") {
  const std::int64_t items = std::numeric_limits<std::int32_t>::max();
  const Context context{.threads = 2, .memory_budget = kPebibyte};
  for (const std::int64_t k : {std::int64_t{10}, std::int64_t{1000000}, items, kMost}) {
    const Plan cost = plan(items, 1, KnnOptions{.k = k}, context);
    CHECK(cost.output_bytes >= 8 * items * 10);
    CHECK(cost.output_bytes >= (k > 1000000 ? kMost / 2 : 0));
    CHECK(cost.workspace_bytes >= 8 * items);
    CHECK(cost.workspace_bytes <= kPebibyte);
    CHECK(cost.tiles > 0);
    CHECK(cost.flops > 0.0);
  }
}

TEST_CASE("plan of knn_graph: dims whose blocks pass 2^63 bytes ask for more memory, they do not wrap around") {
  const Context context{.memory_budget = kPebibyte};
  const auto text = graft::test::message_of<OutOfMemory>([&] { plan(1000, kMost / 2, KnnOptions{}, context); });
  CHECK_MESSAGE(graft::test::contains(text, {"knn_graph", "memory_budget"}), text);
}

TEST_CASE("plan of top_k_scores: queries * items and queries * k above 2^31 are counted in full") {
  const std::int64_t most = std::numeric_limits<std::int32_t>::max();
  const Context context{.threads = 2, .memory_budget = kPebibyte};
  const Plan cost = plan(most, most, 8, TopKScoresOptions{.k = kMost}, context);
  CHECK(cost.output_bytes >= kMost / 2);
  CHECK(cost.tiles > 0);
  CHECK(cost.workspace_bytes <= kPebibyte);
  const Plan some = plan(3000000, 1000000, 8, TopKScoresOptions{.k = 1000}, context);
  CHECK(some.output_bytes >= std::int64_t{8} * 1000 * 3000000);
  CHECK(some.flops == doctest::Approx(2.0 * 3e6 * 1e6 * 8.0));
}

TEST_CASE("plan of jaccard_graph: more than 2^31 edges and increments are counted in full") {
  constexpr std::int32_t kItems = 60000;  // one user has them all: every pair shares a user
  std::vector<std::int32_t> users(kItems, 0);
  std::vector<std::int32_t> items;
  for (std::int32_t i = 0; i < kItems; ++i) items.push_back(i);
  const Interactions interactions = Interactions::from_pairs(users, items);
  const Plan cost = plan(interactions, {.k = kMost});
  CHECK(cost.flops == 3.6e9);
  CHECK(cost.output_bytes >= std::int64_t{8} * kItems * (kItems - 1));
  CHECK(cost.workspace_bytes <= kDefaultMemoryBudget);
}

}  // namespace

}  // namespace plan_large
