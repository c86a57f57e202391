// Keeps the edges at or above a weight.
#pragma once

#include <graft/core/config.hpp>
#include <graft/core/context.hpp>
#include <graft/core/graph.hpp>
#include <graft/core/pipe.hpp>

namespace graft {

/// Keeps the edges with weight >= min_similarity (inclusive, compared in float32); weights are unchanged.
///
/// Definition: the test S_ab >= alpha of MLLMRec, Eq. 7, on the stored edges only: an absent edge never appears,
/// whatever the threshold.
/// @param min_similarity  in the unit of the weights
/// @throws InvalidArgument if min_similarity is NaN or infinite, Cancelled
/// Cost: two passes over the edges; no workspace.
Graph threshold(GraphInput graph, float min_similarity, const Context& context = {});

/// Pipe form.
inline auto threshold(float min_similarity, const Context& context = {}) {
  return PipeStep{[=](const GraphView& graph) { return threshold(graph, min_similarity, context); }};
}

}  // namespace graft

#ifndef GRAFT_COMPILED
#include <graft/detail/filter_impl.hpp>
#endif
