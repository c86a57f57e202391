// Steps of the algebra of graphs through the seam to the device.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <graft/cuda/device_graph.hpp>
#include <graft/detail/cuda_backend.hpp>
#include <graft/detail/device_memory_impl.hpp>

namespace graft::detail {

inline cuda::DeviceCsr seam_csr(const DeviceGraph& graph) {
  return {.items = graph.items(),
          .edges = graph.edges(),
          .row_offsets = graph.device_row_offsets(),
          .columns = graph.device_columns(),
          .weights = graph.device_weights()};
}

/// @throws InvalidArgument unless the graph lies on the context's device
inline void require_device(const char* operation, const std::string& argument, const DeviceGraph& graph,
                           const Context& context) {
  if (graph.device_row_offsets() == nullptr) {
    throw InvalidArgument(message(operation, argument, "", "is on no device: it was moved from, or never made"));
  }
  if (graph.ordinal() == context.device) return;
  throw InvalidArgument(message(operation, argument, "on device " + std::to_string(graph.ordinal()),
                                "must be on the context's device, " + std::to_string(context.device)));
}

/// The graph that a call of the seam has made: a GraphCall or a RowsCall.
template <class Task>
DeviceGraph made_graph(const cuda::Table& table, std::int64_t items, const Task& task, const Context& context) {
  return {items, task.edges, DeviceArray(table, context.device, task.row_offsets),
          DeviceArray(table, context.device, task.columns), DeviceArray(table, context.device, task.weights)};
}

/// Runs a step. @param of_row, must_be  how the error begins and ends that names the first bad row
inline DeviceGraph run_step(const char* operation, cuda::GraphCall task, const char* of_row, const char* must_be,
                            const Context& context) {
  const cuda::Table& table = device_table(operation, context);
  CudaCall call(context, operation);
  call.run(table.graph, &task);
  if (task.bad_row >= 0) {
    throw InvalidArgument(message(operation, std::string(of_row) + std::to_string(task.bad_row), "", must_be));
  }
  return made_graph(table, task.left.items, task, context);
}

/// A step from one graph to another. @param must_be  how the error ends if a weight is not finite
inline DeviceGraph run_step(const char* operation, const DeviceGraph& graph, cuda::GraphCall task, const char* must_be,
                            const Context& context) {
  require_device(operation, "graph", graph, context);
  task.left = seam_csr(graph);
  return run_step(operation, task, "weights of row ", must_be, context);
}

/// Whether an operator of host graphs is to run on the device: only where a context says so. The algebra reads every
/// edge a few times, which pays no copying there and back.
inline bool names_device(const Context& context) { return context.backend == Backend::cuda; }

/// A step from one host graph to another, made on the device.
inline Graph run_host_step(const char* operation, const GraphView& graph, const cuda::GraphCall& task,
                           const char* must_be, const Context& context) {
  return to_host(run_step(operation, copied_to_device(operation, graph, context), task, must_be, context));
}

}  // namespace graft::detail
