// Bodies of cuda/operators.hpp.
#pragma once

#include <string>

#include <graft/cuda/operators.hpp>
#include <graft/detail/cuda_backend.hpp>
#include <graft/detail/device_memory_impl.hpp>
#include <graft/detail/knn_impl.hpp>
#include <graft/detail/top_k_scores_impl.hpp>

namespace graft {
namespace detail {

inline void require_device(const char* operation, const char* argument, const DeviceMatrixView& matrix,
                           const Context& context) {
  if (matrix.ordinal() == context.device) return;
  throw InvalidArgument(message(operation, argument, "on device " + std::to_string(matrix.ordinal()),
                                "must be on the context's device, " + std::to_string(context.device)));
}

inline cuda::Matrix seam_matrix(const DeviceMatrixView& matrix) {
  return {.data = matrix.device_data(),
          .rows = matrix.rows(),
          .cols = matrix.cols(),
          .stride = matrix.stride(),
          .on_device = true};
}

}  // namespace detail

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
