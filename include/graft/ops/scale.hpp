// Multiplies every weight.
#pragma once

#include <graft/core/config.hpp>
#include <graft/core/context.hpp>
#include <graft/core/graph.hpp>
#include <graft/core/pipe.hpp>

namespace graft {

/// Multiplies every weight by `factor`. @throws InvalidArgument if factor is NaN or infinite, or a product overflows
/// float32 (names the row); Cancelled
/// Cost: one pass over the edges; no workspace.
Graph scale(GraphInput graph, float factor, const Context& context = {});

/// Pipe form.
inline auto scale(float factor, const Context& context = {}) {
  return PipeStep{[=](const GraphView& graph) { return scale(graph, factor, context); }};
}

}  // namespace graft

#ifndef GRAFT_COMPILED
#include <graft/detail/elementwise_impl.hpp>
#endif
