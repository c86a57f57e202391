// Rows of jaccard_graph in bins and chunks.
#include "cuda/audience_plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "../support/random_data.hpp"

namespace audience_plan_test {
namespace {

using namespace graft;
using graft::test::draw;
using graft::test::pick;
using graft::test::Random;

std::vector<std::int64_t> draw_costs(Random& random, std::int64_t rows) {
  std::vector<std::int64_t> costs;
  for (std::int64_t r = 0; r < rows; ++r) {
    costs.push_back(draw(random, 0, pick(random, std::vector<std::int64_t>{0, 300, 2000, 100000})));
  }
  return costs;
}

TEST_CASE("bin_rows: every row that costs is in one bin, where its columns fit half of a table") {
  Random random(20260820);
  for (int number = 0; number < 50; ++number) {
    std::vector<std::int64_t> costs = draw_costs(random, draw(random, 0, 500));
    costs.insert(costs.end(),
                 {cuda::kSmallRowCost, cuda::kSmallRowCost + 1, cuda::kMediumRowCost, cuda::kMediumRowCost + 1});
    const auto rows = static_cast<std::int64_t>(costs.size());
    const cuda::RowBins bins = cuda::bin_rows(costs.data(), rows);
    std::vector<int> seen(costs.size());
    const auto check_bin = [&](const std::vector<std::int32_t>& bin, std::int64_t above, std::int64_t most) {
      for (const std::int32_t row : bin) {
        const auto place = static_cast<std::size_t>(row);
        ++seen[place];
        CHECK(costs[place] > above);
        CHECK(costs[place] <= most);
      }
    };
    check_bin(bins.small, 0, cuda::kSmallRowCost);
    check_bin(bins.medium, cuda::kSmallRowCost, cuda::kMediumRowCost);
    check_bin(bins.large, cuda::kMediumRowCost, 100000);
    for (std::size_t row = 0; row < costs.size(); ++row) CHECK(seen[row] == (costs[row] > 0 ? 1 : 0));
    CHECK(std::is_sorted(bins.large.begin(), bins.large.end(), [&](std::int32_t a, std::int32_t b) {
      return costs[static_cast<std::size_t>(a)] > costs[static_cast<std::size_t>(b)];
    }));
  }
}

TEST_CASE("chunk_end: chunks advance, stay within their limits unless one row exceeds them, and end at the end") {
  Random random(20260821);
  for (int number = 0; number < 50; ++number) {
    const std::int64_t rows = draw(random, 1, 400);
    std::vector<std::int64_t> costs = draw_costs(random, rows);
    costs[static_cast<std::size_t>(draw(random, 0, rows - 1))] = cuda::kIncrementsPerChunk + 1;
    std::vector<std::int64_t> capacity{0};
    for (const std::int64_t cost : costs) capacity.push_back(capacity.back() + std::min<std::int64_t>(cost, 10));
    const std::int64_t most = draw(random, 1, 500);
    std::int64_t begin = 0;
    while (begin < rows) {
      const std::int64_t end = cuda::chunk_end(costs.data(), capacity.data(), begin, rows, most);
      REQUIRE(end > begin);
      REQUIRE(end <= rows);
      const std::int64_t edges = capacity[static_cast<std::size_t>(end)] - capacity[static_cast<std::size_t>(begin)];
      CHECK((end == begin + 1 || edges <= most));
      begin = end;
    }
  }
}

}  // namespace
}  // namespace audience_plan_test
