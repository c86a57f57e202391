// Top-K graph by the overlap of the items' audiences.
#pragma once

#include <cstdint>

#include <graft/core/config.hpp>
#include <graft/core/context.hpp>
#include <graft/core/graph.hpp>
#include <graft/core/interactions.hpp>
#include <graft/core/plan.hpp>
#include <graft/core/row_range.hpp>
#include <graft/ops/audience.hpp>
#include <graft/ops/types.hpp>

namespace graft {

struct JaccardOptions {
  /// Neighbours a row keeps, >= 1. Output memory is 8 k bytes a row.
  std::int64_t k = 10;
  /// Least common audience c of an edge, >= 1. More prunes chance co-occurrence.
  std::int64_t min_support = 1;
  Self self = Self::drop;
  Identical identical = Identical::keep;
  AudienceMeasure measure = AudienceMeasure::jaccard;
  /// Rows to compute; the other rows of the result are empty.
  RowRange row_range = {};
};

/// Joins every item to the k items whose audiences overlap its own most.
///
/// Definition: C_ab = |U_a n U_b| / |U_a u U_b|; row a keeps the k largest, ordered by value descending (as exact
/// fractions), then column ascending. Zero is never an edge; an empty audience gives an empty row. A kept self loop
/// weighs what the measure gives an item with itself and needs `min_support` too.
/// @return Graph [items, items], at most k edges a row; the weight is one float32 division of two integers
/// @throws InvalidArgument (k, min_support, row_range, `reference` with another measure), OutOfMemory (budget; names
///         the least), Cancelled
/// Cost: sum over users of degree^2 counter increments; workspace 8 bytes an item and worker (less where the budget
/// asks for column blocks) and 16 bytes a candidate (at most max(64, 3 k) a worker), never items^2.
/// Determinism: equal bits everywhere for jaccard, cosine, overlap; pmi and log_likelihood use the C library's log.
/// Source: MLLMRec, Eq. 8-9; Dunning, Accurate methods for the statistics of surprise and coincidence,
/// Computational Linguistics 19(1), 1993.
Graph jaccard_graph(const Interactions& interactions, const JaccardOptions& options = {}, const Context& context = {});

/// What `jaccard_graph` would cost. Same errors for options and budget.
Plan plan(const Interactions& interactions, const JaccardOptions& options, const Context& context = {});

}  // namespace graft

#ifndef GRAFT_COMPILED
#include <graft/detail/jaccard_impl.hpp>
#endif
