// K-nearest-neighbour graph by exact all-pairs similarity.
#pragma once

#include <cstdint>
#include <limits>

#include <graft/core/config.hpp>
#include <graft/core/context.hpp>
#include <graft/core/graph.hpp>
#include <graft/core/matrix_view.hpp>
#include <graft/core/plan.hpp>
#include <graft/core/row_range.hpp>
#include <graft/ops/types.hpp>

namespace graft {

struct KnnOptions {
  /// Neighbours a row keeps, >= 1; above the number of candidates keeps them all. Output memory is 8 k bytes a row;
  /// time grows slowly with it.
  std::int64_t k = 10;
  /// Inclusive lower bound of an edge's similarity, in the metric's unit ([-1, 1] for cosine); the default is none.
  /// A high bound makes selection cheaper.
  float min_similarity = -std::numeric_limits<float>::infinity();
  Metric metric = Metric::cosine;
  Weights weights = Weights::similarity;
  Self self = Self::drop;
  /// Rows to compute; the other rows of the result are empty.
  RowRange row_range = {};
  /// Candidate columns. Parts over disjoint ranges are joined by `merge_top_k` (similarity weights only; not with a
  /// kept self whose dot product lies below `min_similarity`: its place is known to one part only).
  RowRange column_range = {};
};

/// Joins every item to its k most similar items.
///
/// Definition: row a holds the k largest S_ab, S the chosen similarity (cosine: S_ab = <e_a, e_b> / (|e_a| |e_b|)),
/// ordered by similarity descending, then column ascending; then those below `min_similarity` are left out. With
/// binary weights, cosine and `min_similarity` = alpha this is the denoised graph S~ of the paper.
/// @param features  [items, dims] row-major float32; need not be normalised
/// @return Graph [items, items], at most k edges a row; cosine weights lie in [-1, 1]
/// @throws InvalidArgument (k, min_similarity, ranges, a NaN or infinite feature: names the row; for dot and l2 a
///         norm whose products overflow float32), OutOfMemory (budget; names the least), Cancelled,
///         BackendUnavailable (forced path)
/// Cost: items^2 * dims flops (each pair once; 1.5 times that for l2), about items * dims * (1 + items / rows packed at
/// once) floats read; workspace within the budget, 8 bytes an item at the least plus tiles; output 8 k bytes a row.
/// Determinism: a pair's similarity is one accumulator over ascending dimensions, so it depends on neither threads,
/// tiles, ranges nor the order of the pair. Between numeric paths two similarities may swap when they differ by less
/// than dims * 2^-24 (cosine).
/// Source: MLLMRec, Eq. 6-7.
Graph knn_graph(Features features, const KnnOptions& options = {}, const Context& context = {});

/// What `knn_graph` would cost for [items, dims] features. Same errors for options and budget; reads no feature.
Plan plan(std::int64_t items, std::int64_t dims, const KnnOptions& options, const Context& context = {});

}  // namespace graft

#ifndef GRAFT_COMPILED
#include <graft/detail/knn_impl.hpp>
#endif
