// Planted data: a recommender's data set whose truth is known, to see what an operator or a model finds of it.
//
// How it is made, with the names that the options use:
// - Items fall into CLUSTERS (a shop's categories, of uneven size), clusters into FAMILIES of 5 to 20 items (that can
//   stand for each other). Item ids are in random order.
// - Features of a modality: unit vectors, each the weighted sum of a direction that all items share, its cluster's, its
//   family's and one of its own. Text: cosine about 0.6 to 0.9 within a family, 0.3 to 0.5 within a cluster, 0.1
//   elsewhere. Image: about 0.4 to 0.7, 0.3 to 0.5 and 0.1: a family is hard to tell from its cluster.
// - NOISY items have features that lie: a mixture of five families of other clusters, at cosine 0.3 to 0.5 to their
//   items. Their neighbours by similarity are wrong (false edges), and a threshold about 0.5 can tell. A modality has
//   noisy items of its own.
// - BRIDGES: groups of 2 or 3 items of different clusters and like popularity that are bought together (a tent and a
//   camping stove). Features cannot show them (missing edges); common audiences can.
// - Popularity of items and activity of users fall as 1 / (rank + shift): few popular ones, a long tail. Every user has
//   at least 5 items and every item at least 5 users where the totals allow (as in the 5-core data sets).
// - A user has a few favourite families, most of them of one cluster; most interactions are with those, fewer with
//   other items of their clusters, by popularity; after an item of a bridge, its other items follow with chance 0.6.
//   About a share NOISE of the interactions is with any item.
// - Each user's rows are in random order and split 8:1:1 by per_user_counts (split.hpp).
// Everything is a function of the options alone: no thread count, machine or mathematics library changes a byte.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <graft/core/context.hpp>
#include <graft/core/graph.hpp>
#include <graft/core/matrix_view.hpp>
#include <graft/io/inter.hpp>

#include "dataset_writer.hpp"

namespace graft::data {

struct SynthOptions {
  std::int64_t users = 800;           ///< >= 1
  std::int64_t items = 600;           ///< >= 1
  std::int64_t interactions = 8'000;  ///< exact total; in [users, users * items]
  std::int64_t text_dims = 384;       ///< columns of text_feat.npy, >= 1
  std::int64_t image_dims = 128;      ///< columns of image_feat.npy; 0: none
  /// Clusters, in [1, items]; 0: half the square root of the items. More, and smaller, ones make wrong neighbours
  /// rarer.
  std::int64_t clusters = 0;
  double noise = 0.1;        ///< share of interactions that follow no taste, in [0, 1]; more hide the truth
  double noisy_items = 0.2;  ///< share of items with features that lie, in [0, 1]
  double bridges = 0.3;      ///< share of items to put in bridges, in [0, 1]; none where there is one cluster only
  std::uint64_t seed = 1;
};

/// A data set's size by name.
struct SynthShape {
  const char* name;
  std::int64_t users;
  std::int64_t items;
  std::int64_t interactions;
};

/// The named sizes: `demo` for a quick try, and those of four Amazon data sets.
const std::vector<SynthShape>& synth_shapes();

/// The names, for messages: "demo, baby, ...".
std::string synth_shape_names();

/// The sizes of a named shape, with the other options' defaults. @throws InvalidArgument naming the shapes
SynthOptions synth_options_of_shape(std::string_view name);

/// Checks every option; fills in the number of clusters. @throws InvalidArgument naming the option
SynthOptions checked_synth_options(SynthOptions options);

enum class SynthModality { text, image };

/// What is planted: where each item belongs.
struct SynthItems {
  SynthOptions options;                   ///< checked
  std::vector<std::int32_t> cluster_of;   ///< [items]
  std::vector<std::int32_t> family_of;    ///< [items]
  std::vector<std::int32_t> bridge_of;    ///< [items]; -1: none
  std::vector<std::uint8_t> noisy_text;   ///< [items]; 1: its text features lie
  std::vector<std::uint8_t> noisy_image;  ///< [items]

  /// Items by cluster, then family: a slot each. A cluster and a family are ranges of slots.
  std::vector<std::int32_t> item_at;
  std::vector<std::int64_t> cluster_begin;      ///< [clusters + 1]
  std::vector<std::int64_t> family_begin;       ///< [families + 1]
  std::vector<std::int32_t> cluster_of_family;  ///< [families]
  std::vector<double> popularity_before;        ///< [items + 1]: sum of the popularity of all earlier slots
  std::vector<std::vector<std::int32_t>> bridge_items;

  [[nodiscard]] std::int64_t families() const { return static_cast<std::int64_t>(cluster_of_family.size()); }
};

/// Places the items. @param options as checked_synth_options() gives them
SynthItems plant_items(const SynthOptions& options);

/// Features of a modality: [items, its dims] unit vectors. @throws Cancelled, OutOfMemory
Matrix synth_features(const SynthItems& planted, SynthModality modality, const Context& context = {});

/// All interactions, grouped by ascending user, no pair twice, labelled by split. item_count is the number of items.
/// @throws Cancelled
InterTable synth_interactions(const SynthItems& planted, const Context& context = {});

inline constexpr float kFamilyWeight = 1.0F;
inline constexpr float kBridgeWeight = 2.0F;

/// The pairs of items that belong together, in both directions: weight 1 = one family (content: features can show it,
/// unless the item is noisy), weight 2 = one bridge (bought together: features cannot). No pair is both.
Graph synth_truth(const SynthItems& planted);

/// What was written.
struct SynthSummary {
  SynthOptions options;  ///< checked
  std::int64_t families = 0;
  std::int64_t bridges = 0;
  std::int64_t bridged_items = 0;
  std::int64_t noisy_text_items = 0;
  std::int64_t train = 0;
  std::int64_t valid = 0;
  std::int64_t test = 0;
  std::int64_t content_edges = 0;  ///< of the truth, each direction counted
  std::int64_t bridge_edges = 0;
  std::int64_t largest_history = 0;   ///< interactions of the most active user
  std::int64_t largest_audience = 0;  ///< interactions of the most popular item
  std::vector<FileFacts> files;       ///< all but dataset.json
};

/// The content of dataset.json: JSON with the seed, the options, the counts, and size and SHA-256 of each file.
std::string synth_description(const SynthSummary& summary);

/// Makes a whole dataset directory, or leaves nothing: NAME.inter (NAME = the directory's base name), text_feat.npy,
/// image_feat.npy, truth.npz, labels.tsv (itemID, label = cluster), planted.tsv (where each item was placed) and
/// dataset.json (options, counts, SHA-256 of each file).
/// @throws InvalidArgument (options), IoError (see DatasetWriter), Cancelled, OutOfMemory
SynthSummary write_synth_dataset(const std::filesystem::path& directory, const SynthOptions& options,
                                 const Context& context = {});

}  // namespace graft::data
