// The pieces of the selection that the operators' tests reach only by chance.
#include <graft/detail/kernel_table.hpp>
#include <graft/detail/top_k_rows.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "../support/check.hpp"
#include "../support/random_data.hpp"

namespace {

using graft::Context;
using graft::NumericPath;
using graft::detail::kernel_table;
using graft::test::draw;
using graft::test::Random;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

std::int64_t at_least(const std::vector<float>& values, float bound) {
  return std::count_if(values.begin(), values.end(), [&](float value) { return value >= bound; });
}

TEST_CASE("kth_largest_bound: k values reach it, and few more unless values are equal") {
  Random random(7);
  for (const NumericPath path : graft::test::available_paths()) {
    Context context;
    context.path = path;
    const auto& kernels = kernel_table(context);
    for (int number = 0; number < 300; ++number) {
      const int count = static_cast<int>(draw(random, 1, 192 / kernels.panel_rows)) * kernels.panel_rows;
      std::vector<float> values(static_cast<std::size_t>(count));
      const bool coarse = draw(random, 0, 2) == 0;
      for (float& value : values) {
        value = coarse ? static_cast<float>(draw(random, -2, 2)) : static_cast<float>(draw(random, -1000000, 1000000));
        if (draw(random, 0, 19) == 0) value = kNaN;
      }
      const int k = static_cast<int>(draw(random, 1, count));
      const float bound = kernels.kth_largest_bound(values.data(), count, k);
      const std::int64_t numbers = at_least(values, -kInfinity);
      if (numbers < k) {
        CHECK(bound == -kInfinity);
        continue;
      }
      CHECK(at_least(values, bound) >= k);
      if (!coarse) CHECK(at_least(values, bound) <= k + k / 8 + 1);
    }
  }
}

TEST_CASE("kth_largest_bound: extreme values do not overflow") {
  const float most = std::numeric_limits<float>::max();
  for (const NumericPath path : graft::test::available_paths()) {
    Context context;
    context.path = path;
    const auto& kernels = kernel_table(context);
    std::vector<float> values(static_cast<std::size_t>(kernels.panel_rows), -most);
    values[1] = most;
    values[2] = most;
    CHECK(at_least(values, kernels.kth_largest_bound(values.data(), kernels.panel_rows, 2)) == 2);
    CHECK(kernels.kth_largest_bound(values.data(), kernels.panel_rows, 3) == -most);
    std::fill(values.begin(), values.end(), kNaN);
    CHECK(kernels.kth_largest_bound(values.data(), kernels.panel_rows, 1) == -kInfinity);
  }
}

TEST_CASE("next_above: equals std::nextafter") {
  for (const float value :
       {0.0F, -0.0F, 1.0F, -1.0F, 0.1F, -0.1F, std::numeric_limits<float>::denorm_min(),
        -std::numeric_limits<float>::denorm_min(), std::numeric_limits<float>::min(), std::numeric_limits<float>::max(),
        -std::numeric_limits<float>::max(), kInfinity, -kInfinity}) {
    CAPTURE(value);
    CHECK(graft::detail::next_above(value) == std::nextafter(value, kInfinity));
  }
}

}  // namespace
