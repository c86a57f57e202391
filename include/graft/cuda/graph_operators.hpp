// The algebra of graphs that lie on a CUDA device: nothing is copied to the host. Definitions, errors and bits are
// those of the operators of the same names on the host.
#pragma once

#include <cstdint>
#include <span>

#include <graft/core/config.hpp>
#include <graft/core/context.hpp>
#include <graft/cuda/device_graph.hpp>
#include <graft/cuda/device_matrix.hpp>
#include <graft/ops/normalize.hpp>
#include <graft/ops/propagate.hpp>
#include <graft/ops/types.hpp>

namespace graft {

/// Keeps the edges with weight >= min_similarity. This and the others run on the graph's device, which must be the
/// context's; they throw what they do on the host, InvalidArgument if the devices differ, BackendUnavailable,
/// OutOfMemory.
DeviceGraph threshold(const DeviceGraph& graph, float min_similarity, const Context& context = Context::cuda());
DeviceGraph drop_self_loops(const DeviceGraph& graph, const Context& context = Context::cuda());
DeviceGraph binarize(const DeviceGraph& graph, const Context& context = Context::cuda());
DeviceGraph scale(const DeviceGraph& graph, float factor, const Context& context = Context::cuda());
/// Cost: a warp passes over each row that is longer than k 33 times.
DeviceGraph top_k(const DeviceGraph& graph, std::int64_t k, const Context& context = Context::cuda());
/// Cost: one sort of the edges by column; workspace 40 bytes an edge.
DeviceGraph symmetrize(const DeviceGraph& graph, Symmetrization how = Symmetrization::max,
                       const Context& context = Context::cuda());
DeviceGraph normalize(const DeviceGraph& graph, const NormalizeOptions& options = {},
                      const Context& context = Context::cuda());
/// A^T, for what must multiply by it often, such as the gradient of a propagation. Cost as `symmetrize`.
DeviceGraph transpose(const DeviceGraph& graph, const Context& context = Context::cuda());
/// Union of the edges with weights summed.
DeviceGraph add(const DeviceGraph& left, const DeviceGraph& right, const Context& context = Context::cuda());
/// The same with a coefficient each.
DeviceGraph mix(const DeviceGraph& left, float left_coefficient, const DeviceGraph& right, float right_coefficient,
                const Context& context = Context::cuda());
DeviceGraph merge_top_k(std::span<const DeviceGraph> parts, std::int64_t k, const Context& context = Context::cuda());

/// Propagates features over the graph; sums are fused, in ascending columns, whatever the device.
DeviceMatrix propagate(const DeviceGraph& graph, const DeviceMatrixView& features, std::int64_t layers,
                       Aggregation aggregation, const Context& context = Context::cuda());

}  // namespace graft

#ifndef GRAFT_COMPILED
#include <graft/detail/device_graph_impl.hpp>
#endif
