// Operators on matrices that lie on a CUDA device already.
#pragma once

#include <graft/core/config.hpp>
#include <graft/core/context.hpp>
#include <graft/core/graph.hpp>
#include <graft/cuda/device_matrix.hpp>
#include <graft/ops/knn.hpp>
#include <graft/ops/top_k_scores.hpp>

namespace graft {

/// `knn_graph` of features on a device; the context's device must be the matrix's.
/// Throws what that does, and InvalidArgument if the devices differ.
Graph knn_graph(const DeviceMatrixView& features, const KnnOptions& options = {},
                const Context& context = Context::cuda());

/// `top_k_scores` of two matrices on one device.
/// Throws what that does, and InvalidArgument if the devices differ.
Ranking top_k_scores(const DeviceMatrixView& queries, const DeviceMatrixView& items,
                     const TopKScoresOptions& options = {}, const Context& context = Context::cuda());

}  // namespace graft

#ifndef GRAFT_COMPILED
#include <graft/detail/device_operators_impl.hpp>
#endif
