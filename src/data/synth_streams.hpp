// What the parts of the generator share: a stream a purpose, and draws by popularity.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <graft/detail/checked.hpp>

#include "random.hpp"

namespace graft::data {

/// What random numbers are drawn for. A new purpose goes to the end: the others keep their numbers.
enum class SynthPurpose : std::uint8_t {
  family_sizes = 1,
  family_clusters,
  item_slots,
  item_ranks,
  noisy_text,
  noisy_image,
  bridges,
  activity,
  history,
  repair,
  split,
  text_shared,
  text_cluster,
  text_family,
  text_item,
  image_shared,
  image_cluster,
  image_family,
  image_item
};

/// The stream of a purpose, and of a user, an item or a cluster within it.
inline RandomStream synth_stream(std::uint64_t seed, SynthPurpose purpose, std::int64_t index = 0) {
  constexpr unsigned kIndexBits = 48;
  return {seed, static_cast<std::uint64_t>(purpose) << kIndexBits | static_cast<std::uint64_t>(index)};
}

/// floor(sqrt(value)) of a number below 2^52.
inline std::int64_t whole_root(std::int64_t value) {
  return static_cast<std::int64_t>(std::sqrt(static_cast<double>(value)));
}

/// Zipf's law, flattened at the head so that nobody has too much: 1 / (rank + shift), ranks from 0.
class Popularity {
 public:
  /// @param count  items (or users): the more there are, the more share the head
  explicit Popularity(std::int64_t count) : shift_(1 + whole_root(count) / 2) {}

  [[nodiscard]] double at(std::int64_t rank) const { return 1.0 / static_cast<double>(rank + shift_); }

 private:
  std::int64_t shift_;
};

/// A place in [begin, end), by weight. @param before  before[i]: the sum of the weights of the places below i
inline std::int64_t draw_by_weight(RandomStream& random, const std::vector<double>& before, std::int64_t begin,
                                   std::int64_t end) {
  const double low = before[detail::as_size(begin)];
  const double wanted = low + random.uniform() * (before[detail::as_size(end)] - low);
  const auto first = before.begin() + begin + 1;
  return begin + (std::upper_bound(first, before.begin() + end, wanted) - first);
}

}  // namespace graft::data
