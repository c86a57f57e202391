// The paper's graph refinement in one call: denoise, enhance, add, normalise.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include <graft/core/config.hpp>
#include <graft/core/context.hpp>
#include <graft/core/graph.hpp>
#include <graft/core/interactions.hpp>
#include <graft/core/matrix_view.hpp>
#include <graft/ops/normalize.hpp>
#include <graft/ops/symmetrize.hpp>
#include <graft/ops/types.hpp>

namespace graft {

/// Three readings of the paper, which never says whether the diagonal takes part.
enum class Preset {
  /// No item is its own neighbour: k true neighbours in both graphs; identical audiences count as Jaccard 1. The sane
  /// reading, and the default.
  noself,
  /// What the published code (Yuzhuo-Dang/MLLMRec, src/models/mllmrec.py, src/utils/utils.py) does: self takes one of
  /// the k places of the similarity graph; of the Jaccard graph every value equal to 1 is zeroed, which drops the
  /// diagonal and pairs of identical audiences but, by float32 rounding, keeps both at 0.99999988 where the audience is
  /// a single user (`Identical::reference`). Departures: zero-norm rows have no edges (there: NaN), self is always
  /// first among equals (there: unspecified), a threshold <= 0 does not turn absent entries into edges.
  reference,
  /// The equations read literally: self takes one of the k places in both graphs.
  paper
};

struct RefineOptions {
  Preset preset = Preset::noself;
  /// K_s: neighbours by similarity, >= 1.
  std::int64_t knn_k = 10;
  /// alpha: similarity edges below it are pruned; inclusive, in [-1, 1]; -1 switches denoising off.
  float threshold = 0.5F;
  /// K_c: neighbours by audience, >= 0; 0 switches enhancement off.
  std::int64_t jaccard_k = 10;
  /// Least common audience c of an edge of C~, >= 1. An edge of one user falls with that user: where user vectors are
  /// made of the same training pairs, it leads a user's positives back to the user's own items, which no held-out pair
  /// shows. An edge of 2 or more survives leaving any one user out.
  std::int64_t min_support = 1;
  /// Weights of the similarity edges: binary as Eq. 7, or the cosine.
  Weights weights = Weights::binary;
  /// Makes W symmetric before normalisation; the paper's W stays directed.
  std::optional<Symmetrization> symmetrize = std::nullopt;
  /// Adds 1 to every diagonal entry of W before normalisation.
  bool add_self_loops = false;
  Normalization normalization = Normalization::symmetric;
  float epsilon = 0.0F;  ///< added to row sums, see `normalize`
  /// Normalises S~ and C~ each by itself and adds them then, in place of normalising their sum as Eq. 10-11 do. Beside
  /// binary similarity edges, Jaccard values weigh little: most are below 0.1. Apart, both graphs have a say.
  bool normalize_parts = false;
  /// Factor of C~ in the sum, finite and >= 0; 0 leaves C~ out.
  float enhancement_weight = 1.0F;
};

/// One source of item similarity: raw features, or a ready similarity graph (exactly one of the two).
struct Modality {
  MatrixView<const float> features = {};  ///< [items, dims]
  /// Ready cosines, e.g. published neighbours. It need not hold its diagonal: where the preset keeps self, self is put
  /// first with cosine 1; where it drops self, a stored diagonal is dropped.
  std::optional<GraphView> similarity = std::nullopt;
  float weight = 1.0F;  ///< share in the sum, >= 0; scaled so that all sum to 1; 0 leaves the modality out
  std::optional<float> threshold = std::nullopt;  ///< alpha of this modality; RefineOptions::threshold if absent
};

/// Edge counts of one modality, self loops left out: what the threshold did.
struct DenoisingCounts {
  std::int64_t edges_before = 0;
  std::int64_t edges_after = 0;
};

/// What `refine` did. Counts are of directed edges.
struct RefineSummary {
  DenoisingCounts similarity;         ///< summed over modalities
  std::int64_t similarity_edges = 0;  ///< stored edges of the (mixed) denoised graph, self loops included
  std::int64_t jaccard_edges = 0;     ///< stored edges of the enhancement graph
  std::int64_t edges = 0;             ///< of the result
  std::int64_t self_loops = 0;        ///< of the result
  std::int64_t isolated_items = 0;    ///< items of the result without an edge in or out, self loops left out
};

/// Refines the item-item graph: W = S~ + C~, normalised (MLLMRec, Eq. 7-11).
///
/// Definition: S~ = top-K_s cosine edges >= alpha, binary; C~ = top-K_c Jaccard edges with c >= min_support; A^ =
/// N^-1/2 (S~ + C~) N^-1/2. With `normalize_parts`, A^ = N_S^-1/2 S~ N_S^-1/2 + enhancement_weight N_C^-1/2 C~
/// N_C^-1/2; `symmetrize` then works on either part, `add_self_loops` on S~.
/// @param features  [items, dims] row-major float32; need not be normalised
/// @param interactions  TRAINING interactions; as many items as features have rows
/// @param summary  where not null, receives the counts
/// @return Graph [items, items], at most knn_k + jaccard_k edges a row (one more with add_self_loops)
/// @throws InvalidArgument (options; sizes that differ: names both), and what knn_graph and jaccard_graph throw
/// Cost, workspace, determinism: those of `knn_graph` and `jaccard_graph`; the intermediate graphs (8 bytes an edge)
/// come on top of the workspace. With a CUDA context all of it runs on the device; where the context leaves the choice,
/// the two operators may, and the algebra between them is the processor's.
Graph refine(Features features, const Interactions& interactions, const RefineOptions& options = {},
             const Context& context = {}, RefineSummary* summary = nullptr);

/// The same from a ready similarity graph.
Graph refine(GraphInput similarity, const Interactions& interactions, const RefineOptions& options = {},
             const Context& context = {}, RefineSummary* summary = nullptr);

/// The same from several modalities: each gives its own thresholded KNN graph; they are summed with their weights
/// scaled to 1; the Jaccard graph is added once; then normalised.
Graph refine(std::span<const Modality> modalities, const Interactions& interactions, const RefineOptions& options = {},
             const Context& context = {}, RefineSummary* summary = nullptr);

/// Name of a preset as the command line and the files spell it.
const char* name(Preset preset);

}  // namespace graft

#ifndef GRAFT_COMPILED
#include <graft/detail/refine_impl.hpp>
#endif
