// How pairwise calls are cut to fit a device.
#include "cuda/pairwise_plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "../support/random_data.hpp"

namespace pairwise_plan_test {
namespace {

using namespace graft;
using graft::test::draw;
using graft::test::pick;
using graft::test::Random;

constexpr std::int64_t kCache = std::int64_t{50} << 20;
constexpr std::int64_t kBlas = std::int64_t{32} << 20;

/// What the engine allocates for a plan.
std::int64_t bytes_of(const cuda::DevicePlan& plan, const cuda::PairwiseSizes& sizes) {
  const std::int64_t a_row = 4 * cuda::exact_stride(sizes.dims) + 2 * cuda::short_stride(sizes.dims) + 12;
  const std::int64_t side_rows = plan.resident ? sizes.query_rows : plan.row_group + plan.column_group;
  const std::int64_t norms = 8 * (sizes.query_rows + (sizes.same ? 0 : sizes.item_rows));
  const std::int64_t tile = plan.tile_rows * (4 * plan.tile_columns + 8 * plan.lists.capacity + 16);
  const std::int64_t results = plan.row_group * (16 * sizes.places + 20);
  return kBlas + sizes.extra_bytes + side_rows * a_row + norms + tile + results + 8 * plan.column_group;
}

TEST_CASE("plan_on_device: what fits is within the budget, and the least that is named fits") {
  Random random(20260810);
  for (int number = 0; number < 2000; ++number) {
    cuda::PairwiseSizes sizes;
    sizes.query_rows = draw(random, 1, 100000);
    sizes.same = draw(random, 0, 1) == 0;
    sizes.item_rows = sizes.same ? sizes.query_rows : draw(random, 1, 100000);
    sizes.rows = draw(random, 1, sizes.query_rows);
    sizes.columns = draw(random, 1, sizes.item_rows);
    sizes.dims = pick(random, std::vector<std::int64_t>{0, 1, 5, 384, 4096, 100000});
    sizes.places = std::min(sizes.columns, pick(random, std::vector<std::int64_t>{1, 10, 64, 65, 1000, 100000}));
    sizes.extra_bytes = draw(random, 0, 1) == 0 ? 0 : 12345;
    const std::int64_t least = cuda::plan_on_device(sizes, 0, kCache, kBlas).least_bytes;
    REQUIRE_FALSE(cuda::plan_on_device(sizes, least - 1, kCache, kBlas).fits);
    for (const std::int64_t budget : {least, 2 * least, least + draw(random, 0, std::int64_t{1} << 33)}) {
      const cuda::DevicePlan plan = cuda::plan_on_device(sizes, budget, kCache, kBlas);
      REQUIRE(plan.fits);
      CHECK(bytes_of(plan, sizes) <= budget);
      CHECK(plan.tile_rows >= 1);
      CHECK(plan.tile_columns >= 1);
      CHECK(plan.row_group >= 1);
      CHECK(plan.row_group <= sizes.rows);
      CHECK(plan.column_group >= 1);
      CHECK(plan.column_group <= sizes.columns);
    }
  }
}

TEST_CASE("plan_on_device: a million items of 384 dimensions are resident within the default budget") {
  const cuda::PairwiseSizes sizes{.query_rows = 1000000,
                                  .item_rows = 1000000,
                                  .rows = 1000000,
                                  .columns = 1000000,
                                  .dims = 384,
                                  .places = 10,
                                  .same = true};
  const cuda::DevicePlan plan = cuda::plan_on_device(sizes, std::int64_t{4} << 30, kCache, kBlas);
  CHECK(plan.resident);
  CHECK(4 * plan.tile_rows * plan.tile_columns <= kCache / 2);
  CHECK(plan.tile_rows >= cuda::kLeastCachedRows);
}

TEST_CASE("list_sizes: a list holds its shortlist, one offer of every thread, and results to join") {
  for (std::int64_t k = 1; k < 5000; ++k) {
    const cuda::ListSizes sizes = cuda::list_sizes(k);
    const std::int64_t threads = sizes.by_warp ? 32 : cuda::kSelectThreads;
    REQUIRE((sizes.capacity & (sizes.capacity - 1)) == 0);
    REQUIRE(sizes.shortlist >= k);
    REQUIRE(sizes.capacity >= sizes.shortlist + threads);
    REQUIRE(sizes.capacity >= sizes.shortlist + k);
    // a warp's lists fit what every device has for a block
    REQUIRE((!sizes.by_warp || sizes.capacity * 8 * (cuda::kSelectThreads / 32) <= 48 * 1024));
  }
}

}  // namespace
}  // namespace pairwise_plan_test
