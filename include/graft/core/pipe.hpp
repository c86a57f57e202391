// `graph | step | step`: operators as steps of a pipeline.
#pragma once

#include <type_traits>
#include <utility>

#include <graft/core/graph.hpp>

namespace graft {

/// A Graph -> Graph operator with its options bound; made by the short forms, e.g. `threshold(0.7F)`.
template <class Function>
struct PipeStep {
  Function function;
};

template <class Function>
PipeStep(Function) -> PipeStep<Function>;

/// Applies the step: `graph | threshold(0.7F)` is `threshold(graph, 0.7F)`.
template <class Function>
Graph operator|(GraphInput graph, const PipeStep<Function>& step) {
  return step.function(static_cast<const GraphView&>(graph));
}

}  // namespace graft
