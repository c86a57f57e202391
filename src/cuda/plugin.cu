// The table of the plug-in: where exceptions end and plain data begins.
#include <cuda_runtime_api.h>

#include <cstddef>
#include <exception>
#include <new>
#include <string>

#include <graft/detail/cuda_seam.hpp>

#include "entry_points.hpp"
#include "failure.hpp"
#include "runtime.hpp"

namespace graft::cuda {
namespace {

/// Runs `body`; what it throws becomes a status and a text.
template <class Body>
seam::Status guarded(const seam::Message& message, const Body& body) noexcept {
  try {
    body();
    return seam::Status::done;
  } catch (const Failure& failure) {
    write_message(message, failure.what());
    return failure.status();
  } catch (const std::bad_alloc&) {
    write_message(message, "the system refused host memory");
    return seam::Status::out_of_memory;
  } catch (const std::exception& error) {
    write_message(message, error.what());
    return seam::Status::failed;
  } catch (...) {
    write_message(message, "an unknown defect of the CUDA backend");
    return seam::Status::failed;
  }
}

seam::Status count(std::int32_t* devices, seam::Message message) {
  return guarded(message, [&] { *devices = count_devices(); });
}

seam::Status describe(std::int32_t ordinal, seam::Message text) {
  return guarded(text, [&] {
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, ordinal), "asking for the device's properties");
    int driver = 0;
    check(cudaDriverGetVersion(&driver), "asking for the driver's version");
    write_message(text, std::string(properties.name) + ", compute capability " + std::to_string(properties.major) +
                            "." + std::to_string(properties.minor) + ", " +
                            std::to_string(properties.totalGlobalMem >> 20U) + " MiB, driver for CUDA " +
                            std::to_string(driver / 1000) + "." + std::to_string(driver % 1000 / 10));
  });
}

seam::Status allocate(const seam::Call* call, std::int64_t bytes, void** out) {
  *out = nullptr;
  return guarded(call->message, [&] {
    const CurrentDevice device(call->ordinal);
    if (bytes == 0) return;
    const cudaError_t result = cudaMalloc(out, static_cast<std::size_t>(bytes));
    if (result == cudaErrorMemoryAllocation) {
      static_cast<void>(cudaGetLastError());
      throw Failure(seam::Status::out_of_memory, "the device refused " + std::to_string(bytes) + " bytes");
    }
    check(result, "allocating device memory");
  });
}

void release(std::int32_t ordinal, void* data) {
  static_cast<void>(guarded({nullptr, 0}, [&] {
    const CurrentDevice device(ordinal);
    check(cudaFree(data), "freeing device memory");
  }));
}

seam::Status copy(const seam::Call* call, void* to, const void* from, std::int64_t bytes) {
  return guarded(call->message, [&] {
    if (bytes == 0) return;
    const CurrentDevice device(call->ordinal);
    const Stream stream;
    check(cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), cudaMemcpyDefault, stream.get()), "copying");
    stream.wait();
  });
}

seam::Status run_pairwise(const seam::Call* call, const seam::PairwiseCall* task) {
  return guarded(call->message, [&] { pairwise(*call, *task); });
}

seam::Status run_audience(const seam::Call* call, const seam::AudienceCall* task) {
  return guarded(call->message, [&] { audience(*call, *task); });
}

seam::Status run_graph(const seam::Call* call, seam::GraphCall* task) {
  return guarded(call->message, [&] { graph_step(*call, *task); });
}

seam::Status run_rows(const seam::Call* call, seam::RowsCall* task) {
  return guarded(call->message, [&] { graph_of_rows(*call, *task); });
}

seam::Status run_propagate(const seam::Call* call, seam::PropagateCall* task) {
  return guarded(call->message, [&] { propagate(*call, *task); });
}

seam::Status run_floors(const seam::Call* call, seam::Floors* out) {
  return guarded(call->message, [&] { *out = measure_floors(*call); });
}

}  // namespace
}  // namespace graft::cuda

extern "C" __attribute__((visibility("default"))) const graft::detail::cuda::Table* graft_cuda_table(
    std::int32_t version) {
  namespace cuda = graft::cuda;
  static constexpr cuda::seam::Table kTable{.version = cuda::seam::kSeamVersion,
                                            .bytes = sizeof(cuda::seam::Table),
                                            .count_devices = &cuda::count,
                                            .describe = &cuda::describe,
                                            .allocate = &cuda::allocate,
                                            .release = &cuda::release,
                                            .copy = &cuda::copy,
                                            .pairwise = &cuda::run_pairwise,
                                            .audience = &cuda::run_audience,
                                            .graph = &cuda::run_graph,
                                            .rows = &cuda::run_rows,
                                            .propagate = &cuda::run_propagate,
                                            .floors = &cuda::run_floors};
  return version == cuda::seam::kSeamVersion ? &kTable : nullptr;
}
