// Bodies of cuda/device_matrix.hpp and cuda/device_graph.hpp.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <graft/cuda/device_graph.hpp>
#include <graft/cuda/device_matrix.hpp>
#include <graft/detail/checked.hpp>
#include <graft/detail/cuda_backend.hpp>

namespace graft {
namespace detail {

/// The plug-in for what can only be done on a device, whatever the context leaves open.
inline const cuda::Table& device_table(const char* operation, const Context& context) {
  Context device = context;
  device.backend = Backend::cuda;
  return *cuda_table(device, operation, 0.0, 0.0);
}

/// Memory on a device, which holds whatever it held.
template <class T>
DeviceArray device_array(const cuda::Table& table, CudaCall& call, int ordinal, std::int64_t size) {
  void* data = nullptr;
  call.run(table.allocate, saturating_multiply(size, sizeof(T)), &data);
  return {table, ordinal, data};
}

/// A device's copy of a host array.
template <class T>
DeviceArray device_copy(const cuda::Table& table, CudaCall& call, int ordinal, std::span<const T> values) {
  DeviceArray array = device_array<T>(table, call, ordinal, static_cast<std::int64_t>(values.size()));
  call.run(table.copy, array.data(), static_cast<const void*>(values.data()),
           static_cast<std::int64_t>(values.size() * sizeof(T)));
  return array;
}

/// A host's copy of a device's array.
template <class T>
std::vector<T> host_copy(const cuda::Table& table, CudaCall& call, const T* data, std::int64_t size) {
  std::vector<T> values = make_vector<T>("to_host", size);
  call.run(table.copy, static_cast<void*>(values.data()), static_cast<const void*>(data),
           size * static_cast<std::int64_t>(sizeof(T)));
  return values;
}

/// A device's copy of a graph. @param operation  that needs it
inline DeviceGraph copied_to_device(const char* operation, const GraphView& graph, const Context& context) {
  const cuda::Table& table = device_table(operation, context);
  CudaCall call(context, operation);
  static constexpr std::int64_t kNoOffset = 0;
  const std::span<const std::int64_t> offsets =
      graph.row_offsets.empty() ? std::span<const std::int64_t>(&kNoOffset, 1) : graph.row_offsets;
  DeviceArray row_offsets = device_copy(table, call, context.device, offsets);
  DeviceArray columns = device_copy(table, call, context.device, graph.columns);
  DeviceArray weights = device_copy(table, call, context.device, graph.weights);
  return {graph.items, graph.edges(), std::move(row_offsets), std::move(columns), std::move(weights)};
}

}  // namespace detail

GRAFT_INLINE DeviceMatrix to_device(const MatrixView<const float>& matrix, const Context& context) {
  const detail::cuda::Table& table = detail::device_table("to_device", context);
  detail::CudaCall call(context, "to_device");
  const std::int64_t row_bytes = matrix.cols() * std::int64_t{sizeof(float)};
  DeviceMatrix result(detail::device_array<float>(table, call, context.device, matrix.rows() * matrix.cols()),
                      matrix.rows(), matrix.cols());
  float* const data = result.mutable_device_data();
  if (matrix.stride() == matrix.cols()) {
    call.run(table.copy, static_cast<void*>(data), static_cast<const void*>(matrix.data()), matrix.rows() * row_bytes);
    return result;
  }
  for (std::int64_t row = 0; row < matrix.rows(); ++row) {
    call.run(table.copy, static_cast<void*>(data + row * matrix.cols()), static_cast<const void*>(matrix.row(row)),
             row_bytes);
  }
  return result;
}

GRAFT_INLINE void copy_to_host(const DeviceMatrixView& matrix, MatrixView<float> out) {
  if (out.rows() != matrix.rows() || out.cols() != matrix.cols()) {
    throw InvalidArgument(detail::message(
        "copy_to_host", "out", std::to_string(out.rows()) + " x " + std::to_string(out.cols()),
        "must be " + std::to_string(matrix.rows()) + " x " + std::to_string(matrix.cols()) + " as the matrix is"));
  }
  const Context context = Context::cuda(matrix.ordinal());
  const detail::cuda::Table& table = detail::device_table("to_host", context);
  detail::CudaCall call(context, "to_host");
  const std::int64_t row_bytes = matrix.cols() * std::int64_t{sizeof(float)};
  if (matrix.stride() == matrix.cols() && out.stride() == out.cols()) {
    call.run(table.copy, static_cast<void*>(out.data()), static_cast<const void*>(matrix.device_data()),
             matrix.rows() * row_bytes);
    return;
  }
  for (std::int64_t row = 0; row < matrix.rows(); ++row) {
    call.run(table.copy, static_cast<void*>(out.row(row)),
             static_cast<const void*>(matrix.device_data() + row * matrix.stride()), row_bytes);
  }
}

GRAFT_INLINE Matrix to_host(const DeviceMatrixView& matrix) {
  Matrix result(matrix.rows(), matrix.cols());
  copy_to_host(matrix, result.mutable_view());
  return result;
}

GRAFT_INLINE DeviceGraph to_device(GraphInput graph, const Context& context) {
  return detail::copied_to_device("to_device", graph, context);
}

GRAFT_INLINE Graph to_host(const DeviceGraph& graph) {
  if (graph.device_row_offsets() == nullptr) return {};
  const Context context = Context::cuda(graph.ordinal());
  const detail::cuda::Table& table = detail::device_table("to_host", context);
  detail::CudaCall call(context, "to_host");
  auto offsets = detail::host_copy(table, call, graph.device_row_offsets(), graph.items() + 1);
  auto columns = detail::host_copy(table, call, graph.device_columns(), graph.edges());
  auto weights = detail::host_copy(table, call, graph.device_weights(), graph.edges());
  return Graph(detail::Trusted{}, std::move(offsets), std::move(columns), std::move(weights));
}

}  // namespace graft
