// Removes the diagonal.
#pragma once

#include <graft/core/config.hpp>
#include <graft/core/context.hpp>
#include <graft/core/graph.hpp>
#include <graft/core/pipe.hpp>

namespace graft {

/// Removes every edge from an item to itself (by index). @throws Cancelled
/// Cost: two passes over the edges; no workspace.
Graph drop_self_loops(GraphInput graph, const Context& context = {});

/// Pipe form.
inline auto drop_self_loops() {
  return PipeStep{[](const GraphView& graph) { return drop_self_loops(graph); }};
}

}  // namespace graft

#ifndef GRAFT_COMPILED
#include <graft/detail/filter_impl.hpp>
#endif
