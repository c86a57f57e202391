// The item-item graph of a model: its own ("vanilla") or graft's ("refined"), built by one code path from the training
// interactions and either features or ready similarity graphs.
//
// Per modality m: S_m = the knn_k most similar items of each row. Refined: those below alpha_m are pruned, and C, the
// gr_jaccard_k items with the most similar audience of each row (of those with gr_min_support common users), is added.
// Then the model's normalisation N and its mix:
//
//     default                 sum_m share_m N(S_m + weight C)
//     gr_after_mix            N(sum_m share_m S_m + weight C)
//     gr_normalize_parts      (sum_m share_m N(S_m), or with gr_after_mix N(sum_m share_m S_m)) + weight N(C)
//
// Vanilla is the default without pruning and without C: gr_threshold = -1 and gr_jaccard_k = 0 give its very bits where
// the preset treats self as the model does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <graft/core/graph.hpp>
#include <graft/core/matrix_view.hpp>
#include <graft/ops/normalize.hpp>
#include <graft/ops/types.hpp>

#include "autodiff/sparse.hpp"
#include "train/model.hpp"
#include "train/settings.hpp"

namespace graft::training {

/// What a model knows of an item modality.
struct ItemModality {
  std::string name;
  float share = 1.0F;                        ///< in the mix; all sum to 1
  MatrixView<const float> features = {};     ///< [items, dims]; no row where there is a ready graph alone
  std::optional<GraphView> similarity = {};  ///< ready similarity graph: wins over the features for the graph
  [[nodiscard]] bool has_features() const { return features.data() != nullptr; }
};

/// The modalities that a model uses, by name. Where both `image` and `text` are there, those two with the shares w and
/// 1 - w, and others are left out (a notice says so); else all that there are, with equal shares.
/// @param image_weight  w, in [0, 1]
/// @throws InvalidArgument if there is none (names the options that give one), or a setting is given for a modality
///         that is not used
std::vector<ItemModality> item_modalities(const ModelInputs& inputs, double image_weight);

/// The graph that a model calls its own, apart from the choice of modalities.
struct ItemGraphFamily {
  std::int64_t knn_k = 10;
  Self self = Self::keep;             ///< keep: self takes one of the knn_k places
  Weights weights = Weights::binary;  ///< of the similarity edges
  NormalizeOptions normalization = {};
};

/// The settings of refinement, gr_...; a model with an item graph adds them to its own.
/// @param family_weights  default of gr_weights: what the model's own graph has
std::vector<SettingSpec> refinement_settings(Weights family_weights);

/// Builds the graph that inputs.graph and the gr_... settings ask for, and records it and its parts in inputs.graphs.
/// Adds a notice where gr_... settings were changed without effect.
/// @return Graph [items, items]; row = the receiving item
/// @throws InvalidArgument, OutOfMemory, Cancelled: as the operators do
Graph item_graph(const ModelInputs& inputs, const std::vector<ItemModality>& modalities, const ItemGraphFamily& family);

/// The least similarity of an edge: a value, or the quantile of the similarities at hand.
struct Alpha {
  float least = -1.0F;     ///< -1: none is pruned
  double quantile = -1.0;  ///< negative: not used
};

/// What refinement does to similarity graphs that a model learns, and so builds again and again.
struct LearnedRules {
  Self self = Self::keep;          ///< of the similarity graphs
  std::vector<Alpha> alphas = {};  ///< a modality each; none: nothing is pruned
  Graph audience = {};  ///< weight C, to be added before the mix is normalised; no item where nothing is added
  bool apart = false;   ///< gr_normalize_parts: it is weight N(C), to be added after that
};

/// The graphs of the modalities apart, for a model that trains their shares: N(S_m + weight C), or with
/// gr_normalize_parts N(S_m) + weight N(C). Records them in inputs.graphs. Errors and notices as item_graph, and
/// InvalidArgument for gr_after_mix, which needs shares that are known.
/// @param learned  where not null, receives what the same settings say of graphs that the model learns
/// @return one a modality, [items, items]
std::vector<Graph> item_graphs(const ModelInputs& inputs, const std::vector<ItemModality>& modalities,
                               const ItemGraphFamily& family, LearnedRules* learned = nullptr);

/// A similarity graph without the edges below alpha. @param similarities  weights are similarities
Graph pruned(Graph similarities, const Alpha& alpha, const Context& context);

/// The same matrix for a backend.
autodiff::Csr as_csr(const Graph& graph);

}  // namespace graft::training
