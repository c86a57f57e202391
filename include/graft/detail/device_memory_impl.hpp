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

/// A device's copy of a host array.
template <class T>
DeviceArray device_copy(const cuda::Table& table, CudaCall& call, int ordinal, std::span<const T> values) {
  const auto bytes = static_cast<std::int64_t>(values.size() * sizeof(T));
  void* data = nullptr;
  call.run(table.allocate, bytes, &data);
  DeviceArray array(table, ordinal, data);
  call.run(table.copy, data, static_cast<const void*>(values.data()), bytes);
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

}  // namespace detail

GRAFT_INLINE DeviceMatrix to_device(const MatrixView<const float>& matrix, const Context& context) {
  const detail::cuda::Table& table = detail::device_table("to_device", context);
  detail::CudaCall call(context, "to_device");
  const std::int64_t row_bytes = matrix.cols() * std::int64_t{sizeof(float)};
  void* data = nullptr;
  call.run(table.allocate, matrix.rows() * row_bytes, &data);
  DeviceMatrix result(detail::DeviceArray(table, context.device, data), matrix.rows(), matrix.cols());
  if (matrix.stride() == matrix.cols()) {
    call.run(table.copy, data, static_cast<const void*>(matrix.data()), matrix.rows() * row_bytes);
    return result;
  }
  for (std::int64_t row = 0; row < matrix.rows(); ++row) {
    call.run(table.copy, static_cast<void*>(static_cast<float*>(data) + row * matrix.cols()),
             static_cast<const void*>(matrix.row(row)), row_bytes);
  }
  return result;
}

GRAFT_INLINE Matrix to_host(const DeviceMatrixView& matrix) {
  const Context context = Context::cuda(matrix.ordinal());
  const detail::cuda::Table& table = detail::device_table("to_host", context);
  detail::CudaCall call(context, "to_host");
  Matrix result(matrix.rows(), matrix.cols());
  float* const values = result.mutable_view().data();
  for (std::int64_t row = 0; row < matrix.rows(); ++row) {
    call.run(table.copy, static_cast<void*>(values + row * matrix.cols()),
             static_cast<const void*>(matrix.device_data() + row * matrix.stride()),
             matrix.cols() * std::int64_t{sizeof(float)});
  }
  return result;
}

GRAFT_INLINE DeviceGraph to_device(GraphInput graph, const Context& context) {
  const detail::cuda::Table& table = detail::device_table("to_device", context);
  detail::CudaCall call(context, "to_device");
  static constexpr std::int64_t kNoOffset = 0;
  const std::span<const std::int64_t> offsets =
      graph.row_offsets.empty() ? std::span<const std::int64_t>(&kNoOffset, 1) : graph.row_offsets;
  detail::DeviceArray row_offsets = detail::device_copy(table, call, context.device, offsets);
  detail::DeviceArray columns = detail::device_copy(table, call, context.device, graph.columns);
  detail::DeviceArray weights = detail::device_copy(table, call, context.device, graph.weights);
  return {graph.items, graph.edges(), std::move(row_offsets), std::move(columns), std::move(weights)};
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
