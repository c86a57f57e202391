// Degree normalisation.
#pragma once

#include <graft/core/config.hpp>
#include <graft/core/context.hpp>
#include <graft/core/graph.hpp>
#include <graft/core/pipe.hpp>

namespace graft {

enum class Normalization {
  symmetric,  ///< D^-1/2 A D^-1/2, D = diag(row sums + epsilon) on both sides, also for a directed graph
  row,        ///< D^-1 A: rows with a positive sum then sum to 1 (to sum / (sum + epsilon))
  none        ///< a copy
};

struct NormalizeOptions {
  Normalization normalization = Normalization::symmetric;
  /// Added to every row sum; >= 0. FREEDOM's family uses 1e-7.
  float epsilon = 0.0F;
};

/// Normalises by row sums. A row sum <= 0 has factor 0, whatever epsilon; edges that it makes 0 stay.
///
/// Definition: A^_ab = deg_a^-1/2 A_ab deg_b^-1/2, deg_a = epsilon + sum_b A_ab (MLLMRec, Eq. 11).
/// @throws InvalidArgument (epsilon; a row whose weights overflow float32 when divided by a sum near 0: names it),
///         OutOfMemory (budget; names the least), Cancelled
/// Cost: two passes over the edges; workspace 8 bytes an item. Sums run over ascending columns in double; a result is
/// rounded once.
Graph normalize(GraphInput graph, const NormalizeOptions& options = {}, const Context& context = {});

inline Graph normalize(GraphInput graph, Normalization normalization, const Context& context = {}) {
  return normalize(graph, NormalizeOptions{.normalization = normalization}, context);
}

/// Pipe forms.
inline auto normalize(const NormalizeOptions& options, const Context& context = {}) {
  return PipeStep{[=](const GraphView& graph) { return normalize(graph, options, context); }};
}
inline auto normalize(Normalization normalization = Normalization::symmetric, const Context& context = {}) {
  return normalize(NormalizeOptions{.normalization = normalization}, context);
}

}  // namespace graft

#ifndef GRAFT_COMPILED
#include <graft/detail/normalize_impl.hpp>
#endif
