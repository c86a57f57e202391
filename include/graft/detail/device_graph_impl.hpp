// Bodies of cuda/graph_operators.hpp.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <graft/cuda/graph_operators.hpp>
#include <graft/detail/elementwise_impl.hpp>
#include <graft/detail/filter_impl.hpp>
#include <graft/detail/graph_steps_on_device.hpp>
#include <graft/detail/merge_top_k_impl.hpp>
#include <graft/detail/mix_impl.hpp>
#include <graft/detail/normalize_impl.hpp>
#include <graft/detail/pairwise_on_device.hpp>
#include <graft/detail/propagate_impl.hpp>
#include <graft/detail/symmetrize_impl.hpp>
#include <graft/detail/top_k_impl.hpp>

namespace graft {
namespace detail {

inline void check_coefficient(const char* argument, float coefficient) {
  if (std::isfinite(coefficient)) return;
  throw InvalidArgument(message("mix", argument, std::to_string(coefficient), "must be finite"));
}

}  // namespace detail

GRAFT_INLINE DeviceGraph threshold(const DeviceGraph& graph, float min_similarity, const Context& context) {
  detail::check_threshold(min_similarity);
  return detail::run_step("threshold", graph, detail::threshold_step(min_similarity), "", context);
}

GRAFT_INLINE DeviceGraph drop_self_loops(const DeviceGraph& graph, const Context& context) {
  return detail::run_step("drop_self_loops", graph, {.step = detail::cuda::GraphStep::drop_self_loops}, "", context);
}

GRAFT_INLINE DeviceGraph binarize(const DeviceGraph& graph, const Context& context) {
  return detail::run_step("binarize", graph, {.step = detail::cuda::GraphStep::binarize}, "", context);
}

GRAFT_INLINE DeviceGraph scale(const DeviceGraph& graph, float factor, const Context& context) {
  detail::check_scale(factor);
  return detail::run_step("scale", graph, detail::scale_step(factor), detail::kScaledMustBe, context);
}

GRAFT_INLINE DeviceGraph top_k(const DeviceGraph& graph, std::int64_t k, const Context& context) {
  detail::check_k("top_k", k);
  return detail::run_step("top_k", graph, detail::top_k_step(k), "", context);
}

GRAFT_INLINE DeviceGraph symmetrize(const DeviceGraph& graph, Symmetrization how, const Context& context) {
  return detail::run_step("symmetrize", graph, detail::symmetrize_step(how), "", context);
}

GRAFT_INLINE DeviceGraph transpose(const DeviceGraph& graph, const Context& context) {
  return detail::run_step("transpose", graph, {.step = detail::cuda::GraphStep::transpose}, "", context);
}

GRAFT_INLINE DeviceGraph normalize(const DeviceGraph& graph, const NormalizeOptions& options, const Context& context) {
  detail::check_epsilon(options.epsilon);
  return detail::run_step("normalize", graph, detail::normalize_step(options), detail::kNormalizedMustBe, context);
}

GRAFT_INLINE DeviceGraph merge_top_k(std::span<const DeviceGraph> parts, std::int64_t k, const Context& context) {
  detail::check_merge_top_k(parts, k);
  for (std::size_t p = 0; p < parts.size(); ++p) {
    detail::require_device("merge_top_k", "parts[" + std::to_string(p) + "]", parts[p], context);
  }
  return detail::merge_on_device(parts, k, context);
}

GRAFT_INLINE DeviceMatrix propagate(const DeviceGraph& graph, const DeviceMatrixView& features, std::int64_t layers,
                                    Aggregation aggregation, const Context& context) {
  detail::check_propagate(graph.items(), features.rows(), layers);
  detail::require_device("propagate", "graph", graph, context);
  detail::require_device("propagate", "features", features, context);
  return detail::propagate_on_device(graph, detail::seam_matrix(features), layers, aggregation, context);
}

GRAFT_INLINE DeviceGraph mix(const DeviceGraph& left, float left_coefficient, const DeviceGraph& right,
                             float right_coefficient, const Context& context) {
  if (left.items() != right.items()) {
    throw InvalidArgument(detail::message("mix", "right.items", std::to_string(right.items()),
                                          "must equal left.items = " + std::to_string(left.items())));
  }
  detail::check_coefficient("left_coefficient", left_coefficient);
  detail::check_coefficient("right_coefficient", right_coefficient);
  detail::require_device("mix", "left", left, context);
  detail::require_device("mix", "right", right, context);
  return detail::run_step("mix",
                          {.step = detail::cuda::GraphStep::mix,
                           .left = detail::seam_csr(left),
                           .right = detail::seam_csr(right),
                           .value = left_coefficient,
                           .right_value = right_coefficient},
                          "sum in row ", detail::kMixedMustBe, context);
}

GRAFT_INLINE DeviceGraph add(const DeviceGraph& left, const DeviceGraph& right, const Context& context) {
  return mix(left, 1.0F, right, 1.0F, context);
}

}  // namespace graft
