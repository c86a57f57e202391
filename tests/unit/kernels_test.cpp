// The pieces of the selection that the operators' tests reach only by chance.
#include <graft/detail/kernel_table.hpp>
#include <graft/detail/ranking_key.hpp>
#include <graft/detail/top_k_rows.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "../support/check.hpp"
#include "../support/random_data.hpp"

namespace kernels_test {
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

TEST_CASE("collect: the values that reach the bound with their places, NaN never") {
  Random random(8);
  for (const NumericPath path : graft::test::available_paths()) {
    Context context;
    context.path = path;
    const auto& kernels = kernel_table(context);
    for (int number = 0; number < 200; ++number) {
      const int count = static_cast<int>(draw(random, 1, 192 / kernels.panel_rows)) * kernels.panel_rows;
      std::vector<float> values(static_cast<std::size_t>(count));
      for (float& value : values) value = draw(random, 0, 9) == 0 ? kNaN : static_cast<float>(draw(random, -9, 9));
      const float bound = draw(random, 0, 9) == 0 ? -kInfinity : static_cast<float>(draw(random, -10, 10));
      std::vector<float> kept(192);
      std::vector<std::uint8_t> places(192);
      const int size = kernels.collect(values.data(), count, bound, kept.data(), places.data());
      std::vector<float> expected;
      std::vector<std::uint8_t> expected_places;
      for (int place = 0; place < count; ++place) {
        if (!(values[static_cast<std::size_t>(place)] >= bound)) continue;
        expected.push_back(values[static_cast<std::size_t>(place)]);
        expected_places.push_back(static_cast<std::uint8_t>(place));
      }
      kept.resize(static_cast<std::size_t>(size));
      places.resize(static_cast<std::size_t>(size));
      CHECK(kept == expected);
      CHECK(places == expected_places);
    }
  }
}

TEST_CASE("key_of: orders as ranks_before, gives value and id back, and is never 0") {
  using graft::detail::key_of;
  const float least = std::numeric_limits<float>::denorm_min();
  const float most = std::numeric_limits<float>::max();
  const std::vector<float> values{-kInfinity, -most, -2.0F, -least, -0.0F, 0.0F, least, 0.25F, 1.0F, most, kInfinity};
  const std::vector<std::int32_t> ids{0, 1, 7, 2147483646, 2147483647};
  for (const float a : values) {
    for (const std::int32_t i : ids) {
      const graft::detail::RankingKey key = key_of(a, i);
      CHECK(key != 0);
      CHECK(graft::detail::value_of(key) == a);
      CHECK_FALSE((a == 0.0F && std::signbit(graft::detail::value_of(key))));
      CHECK(graft::detail::id_of(key) == i);
      for (const float b : values) {
        for (const std::int32_t j : ids) CHECK((key > key_of(b, j)) == graft::detail::ranks_before(a, i, b, j));
      }
    }
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
}  // namespace kernels_test
