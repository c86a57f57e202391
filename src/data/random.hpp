// Random numbers that are a function of (seed, stream, position): the same on every machine, for any thread count.
//
// The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011,
// doi:10.1145/2063384.2063405). What is drawn from it uses integers and + - * only, which IEEE 754 rounds alike
// everywhere: no log, exp or pow, whose last bit depends on the mathematics library.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace graft::data {

/// The numbers that Philox4x32-10 gives for a counter and a key.
constexpr std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                  std::array<std::uint32_t, 2> key) {
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t first = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t second = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(second >> 32U) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(second),
               static_cast<std::uint32_t>(first >> 32U) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(first)};
    key = {key[0] + 0x9E3779B9U, key[1] + 0xBB67AE85U};
  }
  return counter;
}

/// A sequence of random numbers. Streams of one seed are independent of each other, so every purpose, and every user or
/// item that is worked on in parallel, takes a stream of its own. Copies continue alike. 2^65 numbers a stream.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}

  /// 64 random bits.
  std::uint64_t next() {
    if (used_ == block_.size()) refill();
    return block_[used_++];
  }

  /// A multiple of 2^-53 in [0, 1).
  double uniform() { return static_cast<double>(next() >> 11U) * 0x1p-53; }

  /// A whole number in [0, n), each equally likely. n must be >= 1.
  std::int64_t below(std::int64_t n) {
    const auto range = static_cast<std::uint64_t>(n);
    if (range <= kHalfRange) return static_cast<std::int64_t>(below_half(static_cast<std::uint32_t>(range)));
    const std::uint64_t refused = (std::uint64_t{0} - range) % range;  // 2^64 mod n numbers would make a few likelier
    std::uint64_t bits = next();
    while (bits < refused) bits = next();
    return static_cast<std::int64_t>(bits % range);
  }

  /// Mean 0, variance 1, in [-6, 6]: the sum of twelve uniform numbers less 6 (Irwin-Hall). Its tails are lighter than
  /// the normal distribution's (kurtosis 2.9 in place of 3); its bits are the same everywhere.
  double normal() {
    std::uint64_t sum = 6;  // half of the last place of each number: centres them
    for (int pair = 0; pair < 6; ++pair) {
      const std::uint64_t bits = next();
      sum += (bits >> 32U) + (bits & kHalfRange);
    }
    return static_cast<double>(sum) * 0x1p-32 - 6.0;
  }

  /// Puts the values in random order, each order equally likely (Fisher-Yates).
  template <class T>
  void shuffle(std::span<T> values) {
    for (std::size_t left = values.size(); left > 1; --left) {
      const auto chosen = static_cast<std::size_t>(below(static_cast<std::int64_t>(left)));
      std::swap(values[left - 1], values[chosen]);
    }
  }

 private:
  static constexpr std::uint64_t kHalfRange = 0xFFFFFFFF;

  void refill() {
    const auto low = [](std::uint64_t bits) { return static_cast<std::uint32_t>(bits); };
    const auto high = [](std::uint64_t bits) { return static_cast<std::uint32_t>(bits >> 32U); };
    const std::array<std::uint32_t, 4> words =
        philox4x32({low(position_), high(position_), low(stream_), high(stream_)}, {low(seed_), high(seed_)});
    ++position_;
    block_ = {words[0] | std::uint64_t{words[1]} << 32U, words[2] | std::uint64_t{words[3]} << 32U};
    used_ = 0;
  }

  /// The product's upper half is the number, its lower half tells which draws to refuse (Lemire, "Fast random integer
  /// generation in an interval", 2019, doi:10.1145/3230636): a division is rare.
  std::uint32_t below_half(std::uint32_t range) {
    std::uint64_t product = (next() >> 32U) * range;
    if (static_cast<std::uint32_t>(product) < range) {
      const std::uint32_t refused = (0U - range) % range;  // 2^32 mod range
      while (static_cast<std::uint32_t>(product) < refused) product = (next() >> 32U) * range;
    }
    return static_cast<std::uint32_t>(product >> 32U);
  }

  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t position_ = 0;
  std::array<std::uint64_t, 2> block_{};
  std::size_t used_ = 2;  ///< numbers of the block that were given; all at the start
};

}  // namespace graft::data
