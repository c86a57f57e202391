// The operators whose results stay on the CUDA device: a pipeline of these and of graph_operators.hpp copies nothing
// back before `to_host`.
//
//     const graft::DeviceGraph graph = graft::on_device::refine(features, train, {.threshold = 0.6F});
//     const graft::DeviceMatrix convolved = graft::propagate(graph, features, 1, graft::Aggregation::sum);
#pragma once

#include <span>

#include <graft/core/config.hpp>
#include <graft/core/context.hpp>
#include <graft/core/interactions.hpp>
#include <graft/core/matrix_view.hpp>
#include <graft/cuda/device_graph.hpp>
#include <graft/cuda/device_matrix.hpp>
#include <graft/ops/jaccard.hpp>
#include <graft/ops/knn.hpp>
#include <graft/ops/refine.hpp>

namespace graft::on_device {

/// Definitions, errors and bits of the operators of the same names; the result is on the context's device. It is not
/// counted under the context's budget.
DeviceGraph knn_graph(const DeviceMatrixView& features, const KnnOptions& options = {},
                      const Context& context = Context::cuda());
/// Features of the host are streamed through the budget.
DeviceGraph knn_graph(Features features, const KnnOptions& options = {}, const Context& context = Context::cuda());
DeviceGraph jaccard_graph(const Interactions& interactions, const JaccardOptions& options = {},
                          const Context& context = Context::cuda());
/// @param summary  where not null, receives the counts, for which the result is copied to the host
DeviceGraph refine(const DeviceMatrixView& features, const Interactions& interactions,
                   const RefineOptions& options = {}, const Context& context = Context::cuda(),
                   RefineSummary* summary = nullptr);
/// Modalities of the host: features are streamed through the budget.
DeviceGraph refine(std::span<const Modality> modalities, const Interactions& interactions,
                   const RefineOptions& options = {}, const Context& context = Context::cuda(),
                   RefineSummary* summary = nullptr);

}  // namespace graft::on_device

#ifndef GRAFT_COMPILED
#include <graft/detail/on_device_impl.hpp>
#endif
