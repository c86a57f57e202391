// Sum of two graphs.
#pragma once

#include <array>
#include <utility>

#include <graft/core/pipe.hpp>
#include <graft/ops/mix.hpp>

namespace graft {

/// Union of the edges with weights summed: W = A + B (MLLMRec, Eq. 10). Errors and cost as `mix`.
inline Graph add(GraphInput left, GraphInput right, const Context& context = {}) {
  const std::array<GraphView, 2> graphs{left, right};
  constexpr std::array<float, 2> kOnes{1.0F, 1.0F};
  return mix(graphs, kOnes, context);
}

/// Pipe form; owns the other graph.
inline auto add(Graph other) {
  return PipeStep{[other = std::move(other)](const GraphView& graph) { return add(graph, other); }};
}

}  // namespace graft
