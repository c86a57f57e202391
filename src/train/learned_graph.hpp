// An item graph whose weights are on the tape: its edges are chosen from current values and held fixed, its weights
// have gradients. Never a dense [items, items].
#pragma once

#include <span>
#include <vector>

#include <graft/core/graph.hpp>

#include "autodiff/tape.hpp"

namespace graft::training {

/// The edges of a graph, row by row: edge e brings columns[e] to rows[e].
struct EdgeList {
  autodiff::Indices rows;     ///< [edges], bound items
  autodiff::Indices columns;  ///< [edges], bound items
};

EdgeList edge_list(const GraphView& graph);

/// The edges that are in any of several graphs.
struct EdgeUnion {
  Graph pattern;                          ///< weights are 0
  EdgeList edges;                         ///< of the pattern
  std::vector<autodiff::Indices> places;  ///< of each graph: where its edges, row by row, stand among `edges`
};

/// @param graphs  one or more, of the same number of items
EdgeUnion edge_union(std::span<const Graph> graphs);

/// <x_a, x_b> of every edge (a, b): [edges, 1].
autodiff::Var edge_similarities(autodiff::Var x, const EdgeList& edges);

/// Symmetric normalisation by row sums: w_ab / sqrt(r_a r_b), r_a = sum_b w_ab, on both sides, also of a directed
/// graph. A row sum <= 0 has factor 0, as in graft::normalize with epsilon 0; one in (0, 1e-12) counts for less than it
/// is, so that gradients stay finite.
/// @param weights  [edges, 1]
autodiff::Var normalized_edges(autodiff::Var weights, const EdgeList& edges);

/// G x, G the graph with these weights. @param weights  [edges, 1]   @param x  [items, cols]
autodiff::Var edge_product(autodiff::Var weights, const EdgeList& edges, autodiff::Var x);

/// The pattern with weights that were computed. @throws InvalidArgument if one is not finite
Graph with_weights(const Graph& pattern, autodiff::Backend& backend, const autodiff::Tensor& weights);

}  // namespace graft::training
