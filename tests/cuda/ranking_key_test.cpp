// What the device adds to ranking keys.
#include "cuda/ranking_key.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <vector>

namespace ranking_key_test {
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

TEST_CASE("bar_below: an inclusive minimum") {
  for (const float least : kValues) {
    const cuda::RankingKey bar = cuda::bar_below(least);
    CHECK(cuda::value_of(bar) == least);
    for (const float value : kValues) CHECK((cuda::key_of(value, 2147483646) > bar) == (value >= least));
  }
}

}  // namespace
}  // namespace ranking_key_test
