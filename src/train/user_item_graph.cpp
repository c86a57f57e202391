#include "train/user_item_graph.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>

#include <fmt/format.h>

#include <graft/core/error.hpp>
#include <graft/detail/checked.hpp>

namespace graft::training {
namespace {

using autodiff::Csr;
using detail::as_size;

/// Gives every edge 1 / sqrt((d_row + epsilon) (d_column + epsilon)), with the degrees of these edges.
void weigh(Csr& edges, double epsilon) {
  std::vector<std::int64_t> column_degrees(as_size(edges.cols), 0);
  for (const std::int32_t column : edges.columns) ++column_degrees[as_size(column)];
  edges.weights.resize(edges.columns.size());
  for (std::size_t row = 0; row < as_size(edges.rows); ++row) {
    const auto begin = as_size(edges.row_offsets[row]);
    const auto end = as_size(edges.row_offsets[row + 1]);
    const double row_degree = static_cast<double>(end - begin) + epsilon;
    for (std::size_t edge = begin; edge < end; ++edge) {
      const auto column_degree = static_cast<double>(column_degrees[as_size(edges.columns[edge])]) + epsilon;
      edges.weights[edge] = static_cast<float>(1.0 / std::sqrt(row_degree * column_degree));
    }
  }
}

/// The places of the `count` smallest keys, ascending; of equal keys the first.
std::vector<std::size_t> smallest(std::span<const double> keys, std::size_t count) {
  std::vector<std::size_t> places(keys.size());
  for (std::size_t place = 0; place < places.size(); ++place) places[place] = place;
  const auto before = [&](std::size_t a, std::size_t b) { return std::pair(keys[a], a) < std::pair(keys[b], b); };
  const auto cut = places.begin() + static_cast<std::ptrdiff_t>(count);
  std::nth_element(places.begin(), cut, places.end(), before);
  places.erase(cut, places.end());
  std::sort(places.begin(), places.end());
  return places;
}

/// Those of the edges that stand at `places`, which ascend; no weights.
Csr edges_at(const Csr& edges, std::span<const std::size_t> places) {
  Csr kept;
  kept.rows = edges.rows;
  kept.cols = edges.cols;
  kept.columns.reserve(places.size());
  kept.row_offsets.reserve(edges.row_offsets.size());
  auto place = places.begin();
  for (std::size_t row = 0; row < as_size(edges.rows); ++row) {
    for (; place != places.end() && *place < as_size(edges.row_offsets[row + 1]); ++place) {
      kept.columns.push_back(edges.columns[*place]);
    }
    kept.row_offsets.push_back(static_cast<std::int64_t>(kept.columns.size()));
  }
  return kept;
}

}  // namespace

Csr normalized_block(const Interactions& train, double epsilon) {
  Csr block;
  block.rows = train.users();
  block.cols = train.items();
  block.row_offsets.assign(train.user_offsets().begin(), train.user_offsets().end());
  block.columns.assign(train.user_items().begin(), train.user_items().end());
  weigh(block, epsilon);
  return block;
}

EdgePruning::EdgePruning(const Interactions& train, double dropout, double epsilon)
    : edges_(normalized_block(train, epsilon)), epsilon_(epsilon) {
  if (!(dropout >= 0.0 && dropout <= 1.0)) {
    throw InvalidArgument(
        detail::message("train", "dropout", fmt::format("{}", dropout), "must lie in [0, 1]; 0 keeps every edge"));
  }
  kept_ = static_cast<std::int64_t>(static_cast<double>(edges_.columns.size()) * (1.0 - dropout));
}

Csr EdgePruning::draw(data::RandomStream& random) const {
  std::vector<double> keys(edges_.columns.size());
  for (std::size_t edge = 0; edge < keys.size(); ++edge) {
    keys[edge] = -std::log1p(-random.uniform()) / static_cast<double>(edges_.weights[edge]);
  }
  Csr kept = edges_at(edges_, smallest(keys, as_size(kept_)));
  weigh(kept, epsilon_);
  return kept;
}

}  // namespace graft::training
