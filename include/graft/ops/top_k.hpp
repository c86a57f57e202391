// Keeps each row's heaviest edges.
#pragma once

#include <cstdint>

#include <graft/core/config.hpp>
#include <graft/core/context.hpp>
#include <graft/core/graph.hpp>
#include <graft/core/pipe.hpp>

namespace graft {

/// Keeps the k heaviest edges of every row, ordered by weight descending, then column ascending; a self loop is an
/// edge like any other.
/// @param k  >= 1   @throws InvalidArgument (k), Cancelled
/// Cost: four passes over the edges; workspace 8 bytes an edge of the longest row and worker.
Graph top_k(GraphInput graph, std::int64_t k, const Context& context = {});

/// Pipe form.
inline auto top_k(std::int64_t k, const Context& context = {}) {
  return PipeStep{[=](const GraphView& graph) { return top_k(graph, k, context); }};
}

}  // namespace graft

#ifndef GRAFT_COMPILED
#include <graft/detail/top_k_impl.hpp>
#endif
