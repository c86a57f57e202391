// Weighted sums of graphs.
#pragma once

#include <span>

#include <graft/core/config.hpp>
#include <graft/core/context.hpp>
#include <graft/core/graph.hpp>

namespace graft {

/// Weighted union of edges: W = sum_m coefficients[m] * graphs[m].
/// @param graphs  one or more, all of the same number of items
/// @param coefficients  one a graph, finite; they need not sum to 1. An edge of a graph with coefficient 0 stays, with
///                      weight 0
/// @throws InvalidArgument (no graph, sizes that differ: names both, a coefficient that is not finite, a sum that
///         overflows float32: names the row), Cancelled
/// Cost: one merge, two passes over the edges; no workspace. Terms are added in the order of the graphs.
Graph mix(std::span<const GraphView> graphs, std::span<const float> coefficients, const Context& context = {});

}  // namespace graft

#ifndef GRAFT_COMPILED
#include <graft/detail/mix_impl.hpp>
#endif
