#include "graph_result.hpp"

#include <cub/device/device_scan.cuh>

#include <cstddef>
#include <string>

namespace graft::cuda {

template <class T>
std::unique_ptr<T, GraphResult::Free> GraphResult::lasting(std::int64_t size, const char* purpose) {
  void* data = nullptr;
  const std::size_t bytes = static_cast<std::size_t>(size > 0 ? size : 1) * sizeof(T);
  const cudaError_t result = cudaMalloc(&data, bytes);
  if (result == cudaErrorMemoryAllocation) {
    static_cast<void>(cudaGetLastError());
    throw Failure(seam::Status::out_of_memory,
                  "the device refused " + std::to_string(bytes) + " bytes for " + std::string(purpose));
  }
  check(result, "allocating device memory");
  return std::unique_ptr<T, Free>(static_cast<T*>(data));
}

void GraphResult::make_offsets(std::int64_t items) {
  items_ = items;
  offsets_ = lasting<std::int64_t>(items + 1, "row offsets");
}

void GraphResult::make_edges(std::int64_t edges) {
  edges_ = edges;
  columns_ = lasting<std::int32_t>(edges, "columns");
  weights_ = lasting<float>(edges, "weights");
}

void GraphResult::make_room(Session& session, const Buffer<std::int64_t>& sizes) {
  const cudaStream_t stream = session.stream().get();
  check(cudaMemsetAsync(sizes.data() + items_, 0, sizeof(std::int64_t), stream), "filling memory");
  std::size_t bytes = 0;
  check(cub::DeviceScan::ExclusiveSum(nullptr, bytes, sizes.data(), offsets(), sizes.size(), stream),
        "asking what a scan needs");
  const auto workspace = session.buffer<std::byte>(static_cast<std::int64_t>(bytes), "a scan");
  check(cub::DeviceScan::ExclusiveSum(workspace.data(), bytes, sizes.data(), offsets(), sizes.size(), stream),
        "summing sizes");
  std::int64_t edges = 0;
  check(cudaMemcpyAsync(&edges, offsets() + items_, sizeof(edges), cudaMemcpyDefault, stream),
        "copying from the device");
  session.stream().wait();
  make_edges(edges);
}

}  // namespace graft::cuda
