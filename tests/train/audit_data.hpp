// Planted data sets and user vectors of which it is known what they carry.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "data/random.hpp"
#include "data/synth.hpp"
#include "train/dataset.hpp"
#include "train/held_out.hpp"

namespace graft::test {

inline training::Dataset planted_data(std::uint64_t seed, std::int64_t users, std::int64_t items,
                                      std::int64_t interactions, std::int64_t dims) {
  const data::SynthItems planted = data::plant_items(data::checked_synth_options(
      {.users = users, .items = items, .interactions = interactions, .text_dims = dims, .seed = seed}));
  const InterTable table = data::synth_interactions(planted);
  training::Dataset data;
  data.users = users;
  data.items = items;
  for (std::size_t row = 0; row < table.users.size(); ++row) {
    if (table.labels[row] != Split::train) continue;
    data.train_users.push_back(table.users[row]);
    data.train_items.push_back(table.items[row]);
  }
  data.train = Interactions::from_pairs(data.train_users, data.train_items, users, items);
  data.valid = training::held_out_of(table, Split::valid, data.train, data.dropped_valid);
  data.test = training::held_out_of(table, Split::test, data.train, data.dropped_test);
  data.features.emplace("text", data::synth_features(planted, data::SynthModality::text));
  return data;
}

/// All held-out pairs.
inline std::vector<std::pair<std::int32_t, std::int32_t>> held_out_pairs(const training::Dataset& data) {
  std::vector<std::pair<std::int32_t, std::int32_t>> pairs;
  for (const training::HeldOut* held : {&data.valid, &data.test}) {
    for (std::size_t e = 0; e < held->users.size(); ++e) {
      for (std::int64_t row = held->offsets[e]; row < held->offsets[e + 1]; ++row) {
        pairs.emplace_back(held->users[e], held->items[static_cast<std::size_t>(row)]);
      }
    }
  }
  return pairs;
}

/// A number of a given item in a given user's vector, e.g. a weight.
using ItemWeight = std::function<float(std::int32_t user, std::int32_t item)>;

/// Mean of the training items' vectors and of a share of the held-out ones, which are drawn by `seed`.
/// @param noise  length of a random vector that is added to the mean of length 1
inline Matrix profiles(const training::Dataset& data, double leak_share, double noise, std::uint64_t seed,
                       const ItemWeight& weight = {}) {
  const Matrix& features = data.features.at("text");
  Matrix result(data.users, features.cols());
  const MatrixView<float> rows = result.mutable_view();
  const auto add = [&](std::int32_t user, std::int32_t item) {
    const float factor = weight ? weight(user, item) : 1.0F;
    for (std::int64_t d = 0; d < rows.cols(); ++d) rows(user, d) += factor * features(item, d);
  };
  for (std::size_t row = 0; row < data.train_users.size(); ++row) add(data.train_users[row], data.train_items[row]);
  data::RandomStream leaks(seed, 1);
  for (const auto& [user, item] : held_out_pairs(data)) {
    if (leaks.uniform() < leak_share) add(user, item);
  }
  data::RandomStream random(seed, 2);
  for (std::int64_t user = 0; user < data.users; ++user) {
    double squares = 0.0;
    for (std::int64_t d = 0; d < rows.cols(); ++d) squares += double{rows(user, d)} * double{rows(user, d)};
    const double scale = squares > 0.0 ? 1.0 / std::sqrt(squares) : 0.0;
    const double spread = noise / std::sqrt(static_cast<double>(rows.cols()));
    for (std::int64_t d = 0; d < rows.cols(); ++d) {
      rows(user, d) = static_cast<float>(double{rows(user, d)} * scale + spread * random.normal());
    }
  }
  return result;
}

}  // namespace graft::test
