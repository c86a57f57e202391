// The items of a planted data set: clusters, families, popularity, noisy items, bridges and the truth of them.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <utility>

#include <fmt/format.h>

#include <graft/core/error.hpp>
#include <graft/detail/checked.hpp>

#include "synth.hpp"
#include "synth_streams.hpp"

namespace graft::data {
namespace {

using detail::as_id;
using detail::as_size;

constexpr std::int64_t kLeastFamily = 5;
constexpr std::int64_t kMostFamily = 20;

[[noreturn]] void refuse(const char* argument, const std::string& value, const std::string& allowed) {
  throw InvalidArgument(detail::message("synth", argument, value, allowed));
}

void check_count(const char* argument, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value >= least && value <= most) return;
  refuse(argument, std::to_string(value), fmt::format("must lie in [{}, {}]", least, most));
}

void check_share(const char* argument, double value) {
  if (value >= 0.0 && value <= 1.0) return;
  refuse(argument, fmt::format("{}", value), "must lie in [0, 1]");
}

/// The nearest whole number of items.
std::int64_t share_of(double share, std::int64_t items) {
  return static_cast<std::int64_t>(std::floor(share * static_cast<double>(items) + 0.5));
}

/// Items 0 ... count - 1 in random order.
std::vector<std::int32_t> random_order(std::int64_t count, RandomStream random) {
  std::vector<std::int32_t> order(as_size(count));
  std::iota(order.begin(), order.end(), 0);
  random.shuffle(std::span<std::int32_t>(order));
  return order;
}

/// As many families as hold all items, at least one a cluster.
std::vector<std::int64_t> family_sizes(const SynthOptions& options) {
  const std::int64_t most = std::min(kMostFamily, options.items / options.clusters);
  const std::int64_t least = std::min(kLeastFamily, most);
  RandomStream random = synth_stream(options.seed, SynthPurpose::family_sizes);
  std::vector<std::int64_t> sizes;
  for (std::int64_t left = options.items; left > 0; left -= sizes.back()) {
    sizes.push_back(std::min(left, least + random.below(most - least + 1)));
  }
  return sizes;
}

/// The cluster of each family, ascending: the first families go to a cluster each, so that none is empty.
std::vector<std::int32_t> family_clusters(const SynthOptions& options, std::size_t families) {
  std::vector<double> before(1, 0.0);
  const std::int64_t shift = 1 + options.clusters / 4;  // the first clusters are about five times as large as the last
  for (std::int64_t cluster = 0; cluster < options.clusters; ++cluster) {
    before.push_back(before.back() + 1.0 / static_cast<double>(cluster + shift));
  }
  RandomStream random = synth_stream(options.seed, SynthPurpose::family_clusters);
  std::vector<std::int32_t> clusters(families);
  for (std::size_t family = 0; family < families; ++family) {
    const auto place = static_cast<std::int64_t>(family);
    clusters[family] = as_id(place < options.clusters ? place : draw_by_weight(random, before, 0, options.clusters));
  }
  std::sort(clusters.begin(), clusters.end());
  return clusters;
}

void place_items(SynthItems& planted) {
  const SynthOptions& options = planted.options;
  const std::vector<std::int64_t> sizes = family_sizes(options);
  planted.cluster_of_family = family_clusters(options, sizes.size());
  planted.item_at = random_order(options.items, synth_stream(options.seed, SynthPurpose::item_slots));
  planted.cluster_of.resize(as_size(options.items));
  planted.family_of.resize(as_size(options.items));
  planted.family_begin.assign(1, 0);
  planted.cluster_begin.assign(as_size(options.clusters) + 1, 0);
  for (std::size_t family = 0; family < sizes.size(); ++family) {
    const std::int64_t begin = planted.family_begin.back();
    const std::int64_t end = begin + sizes[family];
    const std::int32_t cluster = planted.cluster_of_family[family];
    for (std::int64_t slot = begin; slot < end; ++slot) {
      const auto item = static_cast<std::size_t>(planted.item_at[as_size(slot)]);
      planted.cluster_of[item] = cluster;
      planted.family_of[item] = as_id(static_cast<std::int64_t>(family));
    }
    planted.family_begin.push_back(end);
    planted.cluster_begin[static_cast<std::size_t>(cluster) + 1] = end;
  }
}

std::vector<std::uint8_t> noisy_items(const SynthOptions& options, SynthPurpose purpose) {
  const std::vector<std::int32_t> order = random_order(options.items, synth_stream(options.seed, purpose));
  std::vector<std::uint8_t> noisy(as_size(options.items), 0);
  const std::int64_t count = share_of(options.noisy_items, options.items);
  for (std::int64_t place = 0; place < count; ++place) noisy[static_cast<std::size_t>(order[as_size(place)])] = 1;
  return noisy;
}

/// A bridge that may still take items.
struct OpenBridge {
  std::size_t wanted = 2;
  std::vector<std::int32_t> items;
};

/// Joins items that are near in rank: a rare item bought with a popular one would hardly be noticed.
class BridgeBuilder {
 public:
  explicit BridgeBuilder(SynthItems& planted)
      : planted_(planted), random_(synth_stream(planted.options.seed, SynthPurpose::bridges)) {}

  /// @param ranked  items, the most popular first
  void build(const std::vector<std::int32_t>& ranked) {
    planted_.bridge_of.assign(ranked.size(), -1);
    if (planted_.options.clusters < 2) return;
    for (const std::int32_t item : chosen(ranked)) add(item);
    while (!open_.empty()) close(0);
  }

 private:
  /// The share of the items that shall be bridged, in their order.
  std::vector<std::int32_t> chosen(const std::vector<std::int32_t>& ranked) {
    auto left = static_cast<std::int64_t>(ranked.size());
    std::int64_t wanted = share_of(planted_.options.bridges, left);
    std::vector<std::int32_t> items;
    for (const std::int32_t item : ranked) {
      if (random_.below(left--) >= wanted) continue;
      items.push_back(item);
      --wanted;
    }
    return items;
  }

  /// To the oldest open bridge without an item of its cluster.
  void add(std::int32_t item) {
    constexpr std::size_t kMostOpen = 8;  // those left behind would join items of unlike popularity
    for (std::size_t place = 0; place < open_.size(); ++place) {
      if (has_cluster_of(open_[place], item)) continue;
      open_[place].items.push_back(item);
      if (open_[place].items.size() == open_[place].wanted) close(place);
      return;
    }
    open_.push_back({2 + static_cast<std::size_t>(random_.below(2)), {item}});
    if (open_.size() > kMostOpen) close(0);
  }

  [[nodiscard]] bool has_cluster_of(const OpenBridge& bridge, std::int32_t item) const {
    return std::any_of(bridge.items.begin(), bridge.items.end(), [&](std::int32_t other) {
      return planted_.cluster_of[static_cast<std::size_t>(other)] ==
             planted_.cluster_of[static_cast<std::size_t>(item)];
    });
  }

  /// An item alone is no bridge.
  void close(std::size_t place) {
    OpenBridge bridge = std::move(open_[place]);
    open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(place));
    if (bridge.items.size() < 2) return;
    const auto id = static_cast<std::int64_t>(planted_.bridge_items.size());
    for (const std::int32_t item : bridge.items) planted_.bridge_of[static_cast<std::size_t>(item)] = as_id(id);
    planted_.bridge_items.push_back(std::move(bridge.items));
  }

  SynthItems& planted_;
  RandomStream random_;
  std::vector<OpenBridge> open_;
};

/// Popularity of each slot, summed.
std::vector<double> summed_popularity(const SynthItems& planted, const std::vector<std::int32_t>& ranked) {
  const std::int64_t items = planted.options.items;
  const Popularity by_rank(items);
  std::vector<double> popularity(as_size(items));
  for (std::int64_t rank = 0; rank < items; ++rank) {
    popularity[static_cast<std::size_t>(ranked[as_size(rank)])] = by_rank.at(rank);
  }
  std::vector<double> before(1, 0.0);
  before.reserve(as_size(items) + 1);
  for (const std::int32_t item : planted.item_at) {
    before.push_back(before.back() + popularity[static_cast<std::size_t>(item)]);
  }
  return before;
}

}  // namespace

const std::vector<SynthShape>& synth_shapes() {
  static const std::vector<SynthShape> shapes{{"demo", 800, 600, 8'000},
                                              {"baby", 19'445, 7'050, 160'792},
                                              {"sports", 35'598, 18'357, 296'337},
                                              {"clothing", 39'387, 23'033, 278'677},
                                              {"electronics", 192'403, 63'001, 1'689'188}};
  return shapes;
}

std::string synth_shape_names() {
  std::string names;
  for (const SynthShape& shape : synth_shapes()) names.append(names.empty() ? "" : ", ").append(shape.name);
  return names;
}

SynthOptions synth_options_of_shape(std::string_view name) {
  for (const SynthShape& shape : synth_shapes()) {
    if (shape.name != name) continue;
    SynthOptions options;
    options.users = shape.users;
    options.items = shape.items;
    options.interactions = shape.interactions;
    return options;
  }
  refuse("shape", std::string(name), "must be one of " + synth_shape_names());
}

SynthOptions checked_synth_options(SynthOptions options) {
  constexpr std::int64_t kMostDims = std::int64_t{1} << 20;
  constexpr std::int64_t kSmallId = std::int64_t{1} << 20;  // what read_inter takes in a file of any length
  constexpr std::int64_t kIdsPerRow = 64;
  check_count("users", options.users, 1, detail::kMaxNodes - 1);
  check_count("items", options.items, 1, detail::kMaxNodes - 1);
  check_count("text_dims", options.text_dims, 1, kMostDims);
  check_count("image_dims", options.image_dims, 0, kMostDims);
  const std::string total = std::to_string(options.interactions);
  if (options.interactions < options.users) {
    refuse("interactions", total, fmt::format("must be >= {}, one a user", options.users));
  }
  const std::int64_t pairs = detail::saturating_multiply(options.users, options.items);
  if (options.interactions > pairs) {
    refuse("interactions", total,
           fmt::format("must be <= {}, the pairs of {} users and {} items", pairs, options.users, options.items));
  }
  const std::int64_t ids = std::max(kSmallId, detail::saturating_multiply(kIdsPerRow, options.interactions));
  if (options.items > ids) {
    refuse("items", std::to_string(options.items), fmt::format("must be <= {} for so few interactions", ids));
  }
  if (options.clusters == 0) options.clusters = std::max<std::int64_t>(1, whole_root(options.items) / 2);
  check_count("clusters", options.clusters, 1, options.items);
  check_share("noise", options.noise);
  check_share("noisy_items", options.noisy_items);
  check_share("bridges", options.bridges);
  return options;
}

SynthItems plant_items(const SynthOptions& options) {
  SynthItems planted;
  planted.options = options;
  place_items(planted);
  planted.noisy_text = noisy_items(options, SynthPurpose::noisy_text);
  planted.noisy_image = noisy_items(options, SynthPurpose::noisy_image);
  const std::vector<std::int32_t> ranked =
      random_order(options.items, synth_stream(options.seed, SynthPurpose::item_ranks));
  planted.popularity_before = summed_popularity(planted, ranked);
  BridgeBuilder(planted).build(ranked);
  return planted;
}

Graph synth_truth(const SynthItems& planted) {
  std::vector<std::int64_t> row_offsets(1, 0);
  std::vector<std::int32_t> columns;
  std::vector<float> weights;
  std::vector<std::pair<std::int32_t, float>> row;
  for (std::int32_t item = 0; item < planted.options.items; ++item) {
    row.clear();
    const auto family = static_cast<std::size_t>(planted.family_of[static_cast<std::size_t>(item)]);
    for (std::int64_t slot = planted.family_begin[family]; slot < planted.family_begin[family + 1]; ++slot) {
      row.emplace_back(planted.item_at[as_size(slot)], kFamilyWeight);
    }
    if (const std::int32_t bridge = planted.bridge_of[static_cast<std::size_t>(item)]; bridge >= 0) {
      for (const std::int32_t other : planted.bridge_items[static_cast<std::size_t>(bridge)]) {
        if (other != item) row.emplace_back(other, kBridgeWeight);
      }
    }
    std::sort(row.begin(), row.end());
    for (const auto& [column, weight] : row) {
      if (column == item) continue;
      columns.push_back(column);
      weights.push_back(weight);
    }
    row_offsets.push_back(static_cast<std::int64_t>(columns.size()));
  }
  return {planted.options.items, std::move(row_offsets), std::move(columns), std::move(weights)};
}

}  // namespace graft::data
