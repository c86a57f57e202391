// Graph convolution of features without parameters.
#pragma once

#include <cstdint>

#include <graft/core/config.hpp>
#include <graft/core/context.hpp>
#include <graft/core/graph.hpp>
#include <graft/core/matrix_view.hpp>

namespace graft {

/// How the layers become one matrix. Always named by the caller: published models differ.
enum class Aggregation {
  sum,  ///< E* = sum over l = 0..layers of A^l E (MLLMRec, Eq. 12)
  mean  ///< the same divided by layers + 1 (LightGCN)
};

/// Propagates features over the graph.
/// @param graph  [items, items], as given: normalise first   @param features  [items, dims]   @param layers  >= 0
/// @return Matrix [items, dims]
/// @throws InvalidArgument (sizes that differ: names both, layers, a NaN or infinite feature: names the row),
///         OutOfMemory (budget; names the least), Cancelled
/// Cost: 2 * layers * edges * dims flops; workspace none for one layer, else one block of 1 to 256 columns,
/// 4 * items * columns bytes, within the budget. Evaluated as E + A(E + A(...)); edges in ascending columns, in
/// float32.
Matrix propagate(GraphInput graph, Features features, std::int64_t layers, Aggregation aggregation,
                 const Context& context = {});

/// The same into the caller's matrix [items, dims], which must not share its range of addresses with the features.
/// What it holds after an exception is unspecified.
void propagate(GraphInput graph, Features features, std::int64_t layers, Aggregation aggregation, MatrixView<float> out,
               const Context& context = {});

}  // namespace graft

#ifndef GRAFT_COMPILED
#include <graft/detail/propagate_impl.hpp>
#endif
