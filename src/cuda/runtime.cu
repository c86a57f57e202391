// Bodies of runtime.hpp.
#include "runtime.hpp"

#include <string>

namespace graft::cuda {
namespace {

bool is_missing(cudaError_t result) {
  switch (result) {
    case cudaErrorNoDevice:
    case cudaErrorInsufficientDriver:
    case cudaErrorStubLibrary:
    case cudaErrorSystemDriverMismatch:
    case cudaErrorSystemNotReady:
    case cudaErrorDevicesUnavailable:
    case cudaErrorNoKernelImageForDevice:
      return true;
    default:
      return false;
  }
}

int attribute(cudaDeviceAttr name, int ordinal) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, name, ordinal), "asking for the device's size");
  return value;
}

}  // namespace

void check(cudaError_t result, const char* what) {
  if (result == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());  // it is told now; the next call must not meet it again
  const seam::Status there = result == cudaErrorMemoryAllocation ? seam::Status::out_of_memory : seam::Status::failed;
  const seam::Status status = is_missing(result) ? seam::Status::unavailable : there;
  throw Failure(status, std::string(what) + ": " + cudaGetErrorName(result) + ": " + cudaGetErrorString(result));
}

void check(cublasStatus_t result, const char* what) {
  if (result == CUBLAS_STATUS_SUCCESS) return;
  const seam::Status status = result == CUBLAS_STATUS_ALLOC_FAILED ? seam::Status::out_of_memory : seam::Status::failed;
  throw Failure(status, std::string(what) + ": " + cublasGetStatusString(result));
}

int count_devices() {
  int driver = 0;
  // 0 without a driver, which cudaGetDeviceCount cannot always tell from an old one
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0) {
    static_cast<void>(cudaGetLastError());
    throw Failure(seam::Status::unavailable, "no NVIDIA driver (libcuda.so.1) is installed here");
  }
  int devices = 0;
  const cudaError_t result = cudaGetDeviceCount(&devices);
  if (result == cudaErrorInsufficientDriver) {
    static_cast<void>(cudaGetLastError());
    throw Failure(seam::Status::unavailable, "the NVIDIA driver supports CUDA " + std::to_string(driver / 1000) + "." +
                                                 std::to_string(driver % 1000 / 10) + " and this build needs CUDA " +
                                                 std::to_string(CUDART_VERSION / 1000) + " or later");
  }
  if (result == cudaErrorNoDevice || (result == cudaSuccess && devices == 0)) {
    static_cast<void>(cudaGetLastError());
    throw Failure(seam::Status::unavailable, "there is an NVIDIA driver here but no CUDA device");
  }
  check(result, "counting the CUDA devices");
  return devices;
}

CurrentDevice::CurrentDevice(int ordinal) {
  check(cudaGetDevice(&previous_), "asking for the current device");
  check(cudaSetDevice(ordinal), "choosing the device");
}

CurrentDevice::~CurrentDevice() { static_cast<void>(cudaSetDevice(previous_)); }

Stream::Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream"); }

void wait_for_producer(const Session& session, const seam::Matrix& matrix) {
  if (!matrix.on_device) return;
  if (!matrix.stream_known) return check(cudaDeviceSynchronize(), "waiting for the features");
  const Event filled;
  check(cudaEventRecord(filled.get(), static_cast<cudaStream_t>(matrix.stream)), "recording an event");
  check(cudaStreamWaitEvent(session.stream().get(), filled.get(), 0), "waiting for the features' stream");
}

Stream::~Stream() {
  // what was freed in stream order must be done before the stream goes; errors were told, or cannot be any more
  static_cast<void>(cudaStreamSynchronize(stream_));
  static_cast<void>(cudaStreamDestroy(stream_));
}

Event::Event() { check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "making an event"); }

Event::~Event() { static_cast<void>(cudaEventDestroy(event_)); }

void* Memory::allocate(std::int64_t bytes, const char* purpose) {
  if (bytes == 0) return nullptr;
  if (bytes > left()) {
    throw Failure(seam::Status::out_of_memory, std::to_string(bytes) + " bytes for " + purpose +
                                                   " were asked for with " + std::to_string(held_) +
                                                   " held: device_memory_budget is " + std::to_string(budget_));
  }
  void* data = nullptr;
  const cudaError_t result = cudaMallocAsync(&data, static_cast<std::size_t>(bytes), stream_.get());
  if (result == cudaErrorMemoryAllocation) {
    static_cast<void>(cudaGetLastError());
    throw Failure(seam::Status::out_of_memory, "the device refused " + std::to_string(bytes) + " bytes for " + purpose +
                                                   " with " + std::to_string(held_) + " held by this call");
  }
  check(result, "allocating device memory");
  held_ += bytes;
  return data;
}

void Memory::release(void* data, std::int64_t bytes) noexcept {
  static_cast<void>(cudaFreeAsync(data, stream_.get()));
  held_ -= bytes;
}

Blas::Blas(Memory& memory) : workspace_(memory, kWorkspaceBytes, "the workspace of cuBLAS") {
  check(cublasCreate(&handle_), "starting cuBLAS");
  try {
    check(cublasSetStream(handle_, memory.stream().get()), "giving cuBLAS its stream");
    check(cublasSetWorkspace(handle_, workspace_.data(), static_cast<std::size_t>(kWorkspaceBytes)),
          "giving cuBLAS its workspace");
    // partial sums stay in float32: the error bound counts on it
    check(cublasSetMathMode(handle_, static_cast<cublasMath_t>(CUBLAS_DEFAULT_MATH |
                                                               CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION)),
          "setting the mode of cuBLAS");
  } catch (...) {
    static_cast<void>(cublasDestroy(handle_));
    throw;
  }
}

Blas::~Blas() { static_cast<void>(cublasDestroy(handle_)); }

std::int64_t cache_bytes(int ordinal) { return attribute(cudaDevAttrL2CacheSize, ordinal); }

int multiprocessors(int ordinal) { return attribute(cudaDevAttrMultiProcessorCount, ordinal); }

}  // namespace graft::cuda
