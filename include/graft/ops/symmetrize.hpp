// Makes a directed graph undirected.
#pragma once

#include <graft/core/config.hpp>
#include <graft/core/context.hpp>
#include <graft/core/graph.hpp>
#include <graft/core/pipe.hpp>
#include <graft/ops/types.hpp>

namespace graft {

/// Gives a graph with A_ab = A_ba. A self loop keeps its weight. @throws Cancelled, OutOfMemory (system)
/// Cost: one transpose and one merge, about 5 passes over the edges; workspace 8 bytes an edge and 16 an item (the
/// transpose), which the memory budget does not bound.
Graph symmetrize(GraphInput graph, Symmetrization how = Symmetrization::max, const Context& context = {});

/// Pipe form.
inline auto symmetrize(Symmetrization how = Symmetrization::max, const Context& context = {}) {
  return PipeStep{[=](const GraphView& graph) { return symmetrize(graph, how, context); }};
}

}  // namespace graft

#ifndef GRAFT_COMPILED
#include <graft/detail/symmetrize_impl.hpp>
#endif
