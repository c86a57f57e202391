// (score, id) as one integer.
#include "cuda/ranking_key.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <vector>

#include <graft/detail/top_k_rows.hpp>

namespace {

using namespace graft;

const std::vector<float> kValues = {-std::numeric_limits<float>::max(),
                                    -1.0F,
                                    -std::numeric_limits<float>::denorm_min(),
                                    -0.0F,
                                    0.0F,
                                    std::numeric_limits<float>::denorm_min(),
                                    0.25F,
                                    1.0F,
                                    std::numeric_limits<float>::max()};

TEST_CASE("key_of: keys order as rows do, by score and then by id") {
  const std::vector<std::int32_t> ids = {0, 1, 2147483646};
  for (const float a : kValues) {
    for (const float b : kValues) {
      for (const std::int32_t i : ids) {
        for (const std::int32_t j : ids) {
          CHECK((cuda::key_of(a, i) > cuda::key_of(b, j)) == detail::ranks_before(a, i, b, j));
        }
      }
    }
  }
}

TEST_CASE("key_of: gives value and id back, and is never the key of none") {
  for (const float value : kValues) {
    for (const std::int32_t id : {0, 7, 2147483646}) {
      const cuda::RankingKey key = cuda::key_of(value, id);
      CHECK(key != cuda::kNoKey);
      CHECK(cuda::value_of(key) == value);
      CHECK(cuda::id_of(key) == id);
    }
  }
}

TEST_CASE("bar_below: an inclusive minimum") {
  for (const float least : kValues) {
    const cuda::RankingKey bar = cuda::bar_below(least);
    CHECK(cuda::value_of(bar) == least);
    for (const float value : kValues) CHECK((cuda::key_of(value, 2147483646) > bar) == (value >= least));
  }
}

}  // namespace
