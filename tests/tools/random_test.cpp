#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <set>
#include <vector>

#include "data/random.hpp"

namespace graft::data {
namespace random_test {
namespace {

using Words = std::array<std::uint32_t, 4>;

TEST_CASE("philox4x32: gives the published known answers") {
  constexpr std::uint32_t kOnes = 0xFFFFFFFF;
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("RandomStream: numbers are those of the counter, with the stream above the position") {
  RandomStream zero(0, 0);
  CHECK(zero.next() == 0xe169c58d6627e8d5);
  CHECK(zero.next() == 0x9b00dbd8bc57ac4c);
  RandomStream other(0x0123456789abcdef, 0xfedcba9876543210);
  other.next();
  other.next();
  const Words second = philox4x32({1, 0, 0x76543210, 0xfedcba98}, {0x89abcdef, 0x01234567});
  CHECK(other.next() == (second[0] | std::uint64_t{second[1]} << 32U));
}

TEST_CASE("RandomStream: another seed or stream is another sequence, the same ones are the same") {
  std::set<std::uint64_t> firsts;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    for (std::uint64_t stream = 0; stream < 30; ++stream) firsts.insert(RandomStream(seed, stream).next());
  }
  CHECK(firsts.size() == 900);
  RandomStream once(5, 7);
  RandomStream again(5, 7);
  for (int i = 0; i < 100; ++i) REQUIRE(once.next() == again.next());
}

TEST_CASE("RandomStream: below reaches every number equally often and none outside") {
  for (const std::int64_t n : {1, 2, 3, 7, 10}) {
    RandomStream random(11, static_cast<std::uint64_t>(n));
    std::vector<std::int64_t> counts(static_cast<std::size_t>(n), 0);
    constexpr std::int64_t kDraws = 70000;
    for (std::int64_t draw = 0; draw < kDraws; ++draw) {
      const std::int64_t value = random.below(n);
      REQUIRE(value >= 0);
      REQUIRE(value < n);
      ++counts[static_cast<std::size_t>(value)];
    }
    const double expected = static_cast<double>(kDraws) / static_cast<double>(n);
    for (const std::int64_t count : counts) {
      CHECK(std::fabs(static_cast<double>(count) - expected) < 5.0 * std::sqrt(expected) + 1e-9);
    }
  }
}

TEST_CASE("RandomStream: below is unbiased where the range nearly fills the words it is drawn from") {
  // multiply-shift alone would give a third of the numbers twice as often as the others
  for (const std::int64_t n : {std::int64_t{3} << 30, std::int64_t{3} << 61}) {
    RandomStream random(3, 9);
    std::array<std::int64_t, 3> thirds{};
    constexpr int kDraws = 60000;
    for (int draw = 0; draw < kDraws; ++draw) {
      const std::int64_t value = random.below(n);
      REQUIRE(value >= 0);
      REQUIRE(value < n);
      ++thirds[static_cast<std::size_t>(value / (n / 3))];
    }
    for (const std::int64_t count : thirds) CHECK(std::abs(count - kDraws / 3) < 600);
  }
  RandomStream random(3, 10);
  std::array<std::int64_t, 3> residues{};
  constexpr std::int64_t kRange = std::int64_t{3} << 30;
  for (int draw = 0; draw < 60000; ++draw) ++residues[static_cast<std::size_t>(random.below(kRange) % 3)];
  for (const std::int64_t count : residues) CHECK(std::abs(count - 20000) < 600);
}

TEST_CASE("RandomStream: uniform lies in [0, 1), normal has mean 0, variance 1 and the shape promised") {
  RandomStream random(1, 2);
  constexpr int kDraws = 200000;
  double uniforms = 0.0;
  double sum = 0.0;
  double squares = 0.0;
  double fourths = 0.0;
  for (int draw = 0; draw < kDraws; ++draw) {
    const double u = random.uniform();
    REQUIRE(u >= 0.0);
    REQUIRE(u < 1.0);
    uniforms += u;
    const double z = random.normal();
    REQUIRE(std::fabs(z) <= 6.0);
    sum += z;
    squares += z * z;
    fourths += z * z * z * z;
  }
  CHECK(uniforms / kDraws == doctest::Approx(0.5).epsilon(0.005));
  CHECK(std::fabs(sum / kDraws) < 0.01);
  CHECK(squares / kDraws == doctest::Approx(1.0).epsilon(0.01));
  CHECK(fourths / kDraws == doctest::Approx(2.9).epsilon(0.02));
}

TEST_CASE("RandomStream: shuffle gives every order equally often") {
  std::map<std::vector<int>, int> orders;
  RandomStream random(8, 1);
  constexpr int kDraws = 24000;
  for (int draw = 0; draw < kDraws; ++draw) {
    std::vector<int> values{0, 1, 2, 3};
    random.shuffle(std::span<int>(values));
    ++orders[values];
  }
  REQUIRE(orders.size() == 24);
  for (const auto& [order, count] : orders) CHECK(std::abs(count - 1000) < 170);
}

TEST_CASE("RandomStream: shuffle of none and of one is nothing to do and draws nothing") {
  RandomStream shuffled(4, 4);
  std::vector<int> none;
  std::vector<int> one{3};
  shuffled.shuffle(std::span<int>(none));
  shuffled.shuffle(std::span<int>(one));
  CHECK(one.front() == 3);
  CHECK(shuffled.next() == RandomStream(4, 4).next());
}

}  // namespace
}  // namespace random_test
}  // namespace graft::data
