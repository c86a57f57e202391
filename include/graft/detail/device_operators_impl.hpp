// Bodies of cuda/operators.hpp.
#pragma once

#include <graft/cuda/operators.hpp>
#include <graft/detail/cuda_backend.hpp>
#include <graft/detail/device_memory_impl.hpp>
#include <graft/detail/knn_impl.hpp>
#include <graft/detail/top_k_scores_impl.hpp>

namespace graft {

GRAFT_INLINE Graph knn_graph(const DeviceMatrixView& features, const KnnOptions& options, const Context& context) {
  const detail::PairwiseShape shape = detail::knn_shape(features.rows(), features.cols(), options);
  detail::require_device("knn_graph", "features", features, context);
  return detail::knn_on_device(detail::device_table("knn_graph", context), detail::seam_matrix(features), options,
                               shape, context);
}

GRAFT_INLINE Ranking top_k_scores(const DeviceMatrixView& queries, const DeviceMatrixView& items,
                                  const TopKScoresOptions& options, const Context& context) {
  detail::require_equal_dims(queries.cols(), items.cols());
  const detail::PairwiseShape shape = detail::top_k_scores_shape(queries.rows(), items.rows(), items.cols(), options);
  detail::check_exclusions(options.exclude, queries.rows(), items.rows());
  detail::require_device("top_k_scores", "queries", queries, context);
  detail::require_device("top_k_scores", "items", items, context);
  return detail::top_k_scores_on_device(detail::device_table("top_k_scores", context), detail::seam_matrix(queries),
                                        detail::seam_matrix(items), options, shape, context);
}

}  // namespace graft
