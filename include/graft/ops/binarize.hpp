// Sets every weight to 1.
#pragma once

#include <graft/core/config.hpp>
#include <graft/core/context.hpp>
#include <graft/core/graph.hpp>
#include <graft/core/pipe.hpp>

namespace graft {

/// Gives every stored edge weight 1, an edge of weight 0 included. @throws Cancelled
/// Cost: one pass over the edges; no workspace.
Graph binarize(GraphInput graph, const Context& context = {});

/// Pipe form.
inline auto binarize() {
  return PipeStep{[](const GraphView& graph) { return binarize(graph); }};
}

}  // namespace graft

#ifndef GRAFT_COMPILED
#include <graft/detail/elementwise_impl.hpp>
#endif
