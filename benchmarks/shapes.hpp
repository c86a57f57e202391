// Seeded data in the shapes of the published data sets: clustered features, power-law interactions.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <graft/core/interactions.hpp>
#include <graft/core/matrix_view.hpp>

namespace graft::benchmarks {

/// Sizes of a data set; `interactions` are the training rows.
struct Shape {
  const char* name;
  std::int64_t users;
  std::int64_t items;
  std::int64_t interactions;
  double user_skew;  ///< ids are drawn as size * u^skew, u uniform: 1 is flat
  double item_skew;
};

inline constexpr std::array<Shape, 5> kShapes{{
    {"baby", 19445, 7050, 118551, 1.3, 2.0},
    {"sports", 35598, 18357, 218409, 1.3, 2.0},
    {"clothing", 39387, 23033, 197338, 1.2, 1.6},
    {"electronics", 192403, 63001, 1689188, 1.4, 2.2},
    {"skewed", 1000000, 200000, 10000000, 2.0, 3.0},
}};

/// [items, dims] rows around 1 + items / 50 cluster centres, as learned embeddings are.
inline Matrix clustered_features(std::int64_t items, std::int64_t dims) {
  std::mt19937 generator(7);
  std::normal_distribution<float> normal;
  const std::int64_t clusters = 1 + items / 50;
  std::vector<float> centres(static_cast<std::size_t>(clusters * dims));
  for (float& x : centres) x = normal(generator);
  std::vector<float> values(static_cast<std::size_t>(items * dims));
  std::uniform_int_distribution<std::int64_t> cluster_of(0, clusters - 1);
  for (std::int64_t i = 0; i < items; ++i) {
    const std::int64_t cluster = cluster_of(generator);
    for (std::int64_t d = 0; d < dims; ++d) {
      values[static_cast<std::size_t>(i * dims + d)] =
          centres[static_cast<std::size_t>(cluster * dims + d)] + 0.8F * normal(generator);
    }
  }
  return {items, dims, std::move(values)};
}

/// Interactions with power-law activity and popularity; ids are scattered, so that neighbours in popularity are not
/// neighbours in memory.
inline Interactions skewed_interactions(const Shape& shape) {
  std::mt19937_64 generator(11);
  std::uniform_real_distribution<double> uniform;
  const auto draw = [&](std::int64_t size, double skew) {
    const auto rank = static_cast<std::int64_t>(static_cast<double>(size) * std::pow(uniform(generator), skew));
    return static_cast<std::int32_t>((rank * 7919) % size);  // 7919 is prime: a permutation of the ids
  };
  std::vector<std::int32_t> users;
  std::vector<std::int32_t> items;
  for (std::int64_t e = 0; e < shape.interactions; ++e) {
    users.push_back(draw(shape.users, shape.user_skew));
    items.push_back(draw(shape.items, shape.item_skew));
  }
  return Interactions::from_pairs(users, items, shape.users, shape.items);
}

}  // namespace graft::benchmarks
