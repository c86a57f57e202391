// Bodies of cuda/graph_operators.hpp.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include <graft/cuda/graph_operators.hpp>
#include <graft/detail/cuda_backend.hpp>
#include <graft/detail/device_memory_impl.hpp>
#include <graft/detail/elementwise_impl.hpp>
#include <graft/detail/filter_impl.hpp>
#include <graft/detail/mix_impl.hpp>
#include <graft/detail/normalize_impl.hpp>

namespace graft {
namespace detail {

inline cuda::DeviceCsr seam_csr(const DeviceGraph& graph) {
  return {.items = graph.items(),
          .edges = graph.edges(),
          .row_offsets = graph.device_row_offsets(),
          .columns = graph.device_columns(),
          .weights = graph.device_weights()};
}

/// @throws InvalidArgument unless the graph lies on the context's device
inline void require_device(const char* operation, const char* argument, const DeviceGraph& graph,
                           const Context& context) {
  if (graph.device_row_offsets() == nullptr) {
    throw InvalidArgument(message(operation, argument, "", "is on no device: it was moved from, or never made"));
  }
  if (graph.ordinal() == context.device) return;
  throw InvalidArgument(message(operation, argument, "on device " + std::to_string(graph.ordinal()),
                                "must be on the context's device, " + std::to_string(context.device)));
}

/// Runs a step. @param of_row, must_be  how the error begins and ends that names the first row with a weight that is
/// not finite
inline DeviceGraph run_step(const char* operation, cuda::GraphCall task, const char* of_row, const char* must_be,
                            const Context& context) {
  const cuda::Table& table = device_table(operation, context);
  CudaCall call(context, operation);
  call.run(table.graph, &task);
  if (task.bad_row >= 0) {
    throw InvalidArgument(message(operation, std::string(of_row) + std::to_string(task.bad_row), "", must_be));
  }
  return {task.left.items, task.edges, DeviceArray(table, context.device, task.row_offsets),
          DeviceArray(table, context.device, task.columns), DeviceArray(table, context.device, task.weights)};
}

/// A step from one graph to another.
inline DeviceGraph run_step(const char* operation, cuda::GraphStep step, const DeviceGraph& graph, float value,
                            const char* must_be, const Context& context) {
  require_device(operation, "graph", graph, context);
  return run_step(operation, {.step = step, .left = seam_csr(graph), .value = value}, "weights of row ", must_be,
                  context);
}

inline void check_coefficient(const char* argument, float coefficient) {
  if (std::isfinite(coefficient)) return;
  throw InvalidArgument(message("mix", argument, std::to_string(coefficient), "must be finite"));
}

}  // namespace detail

GRAFT_INLINE DeviceGraph threshold(const DeviceGraph& graph, float min_similarity, const Context& context) {
  detail::check_threshold(min_similarity);
  return detail::run_step("threshold", detail::cuda::GraphStep::threshold, graph, min_similarity, "", context);
}

GRAFT_INLINE DeviceGraph drop_self_loops(const DeviceGraph& graph, const Context& context) {
  return detail::run_step("drop_self_loops", detail::cuda::GraphStep::drop_self_loops, graph, 0.0F, "", context);
}

GRAFT_INLINE DeviceGraph binarize(const DeviceGraph& graph, const Context& context) {
  return detail::run_step("binarize", detail::cuda::GraphStep::binarize, graph, 0.0F, "", context);
}

GRAFT_INLINE DeviceGraph scale(const DeviceGraph& graph, float factor, const Context& context) {
  detail::check_scale(factor);
  return detail::run_step("scale", detail::cuda::GraphStep::scale, graph, factor, detail::kScaledMustBe, context);
}

GRAFT_INLINE DeviceGraph normalize(const DeviceGraph& graph, const NormalizeOptions& options, const Context& context) {
  using Step = detail::cuda::GraphStep;
  detail::check_epsilon(options.epsilon);
  if (options.normalization == Normalization::none) {  // a copy: times 1 changes no bit
    return detail::run_step("normalize", Step::scale, graph, 1.0F, detail::kNormalizedMustBe, context);
  }
  const Step step = options.normalization == Normalization::row ? Step::normalize_row : Step::normalize_symmetric;
  return detail::run_step("normalize", step, graph, options.epsilon, detail::kNormalizedMustBe, context);
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
