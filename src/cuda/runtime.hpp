// Owners of what CUDA hands out, and checks of what it answers.
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "failure.hpp"

namespace graft::cuda {

/// @throws Failure saying what failed, unless CUDA succeeded
void check(cudaError_t result, const char* what);
void check(cublasStatus_t result, const char* what);

/// Devices that can be used. @throws Failure (unavailable) that says whether driver or device is missing
int count_devices();

/// Makes a device the thread's current one, and puts back which it was.
class CurrentDevice {
 public:
  explicit CurrentDevice(int ordinal);
  CurrentDevice(const CurrentDevice&) = delete;
  CurrentDevice& operator=(const CurrentDevice&) = delete;
  CurrentDevice(CurrentDevice&&) = delete;
  CurrentDevice& operator=(CurrentDevice&&) = delete;
  ~CurrentDevice();

 private:
  int previous_ = 0;
};

class Stream {
 public:
  Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  Stream(Stream&&) = delete;
  Stream& operator=(Stream&&) = delete;
  ~Stream();
  [[nodiscard]] cudaStream_t get() const { return stream_; }
  void wait() const { check(cudaStreamSynchronize(stream_), "waiting for the device"); }

 private:
  cudaStream_t stream_ = nullptr;
};

class Event {
 public:
  Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  Event(Event&&) = delete;
  Event& operator=(Event&&) = delete;
  ~Event();
  void record(const Stream& stream) const { check(cudaEventRecord(event_, stream.get()), "recording an event"); }
  void wait() const { check(cudaEventSynchronize(event_), "waiting for the device"); }
  [[nodiscard]] cudaEvent_t get() const { return event_; }

 private:
  cudaEvent_t event_ = nullptr;
};

/// Stream-ordered memory of one call, counted under its budget.
class Memory {
 public:
  Memory(const Stream& stream, std::int64_t budget) : stream_(stream), budget_(budget) {}
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  Memory(Memory&&) = delete;
  Memory& operator=(Memory&&) = delete;
  ~Memory() = default;

  /// @throws Failure (out_of_memory) that names the bytes asked for, held and allowed
  void* allocate(std::int64_t bytes, const char* purpose);
  void release(void* data, std::int64_t bytes) noexcept;
  [[nodiscard]] std::int64_t left() const { return budget_ - held_; }
  [[nodiscard]] const Stream& stream() const { return stream_; }

 private:
  const Stream& stream_;
  std::int64_t budget_;
  std::int64_t held_ = 0;
};

/// Device array; its elements are whatever the memory held.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  Buffer(Memory& memory, std::int64_t size, const char* purpose)
      : memory_(&memory),
        data_(static_cast<T*>(memory.allocate(size * static_cast<std::int64_t>(sizeof(T)), purpose))),
        size_(size) {}
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer(std::move(other)).swap(*this);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() {
    if (data_ != nullptr) memory_->release(data_, bytes());
  }

  [[nodiscard]] T* data() const { return data_; }
  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] std::int64_t bytes() const { return size_ * static_cast<std::int64_t>(sizeof(T)); }

  void fill_bytes(int value) const {
    if (size_ == 0) return;
    check(cudaMemsetAsync(data_, value, static_cast<std::size_t>(bytes()), memory_->stream().get()), "filling memory");
  }
  /// Copies `count` elements in; the source may be reused when this returns only if it is not pinned.
  void upload(const T* from, std::int64_t count) const {
    if (count == 0) return;
    check(cudaMemcpyAsync(data_, from, static_cast<std::size_t>(count) * sizeof(T), cudaMemcpyDefault,
                          memory_->stream().get()),
          "copying to the device");
  }
  /// Queues a copy of `count` elements out; they are there when the stream was waited for.
  void download(T* to, std::int64_t count) const {
    if (count == 0) return;
    check(cudaMemcpyAsync(to, data_, static_cast<std::size_t>(count) * sizeof(T), cudaMemcpyDefault,
                          memory_->stream().get()),
          "copying from the device");
  }

 private:
  void swap(Buffer& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

  Memory* memory_ = nullptr;
  T* data_ = nullptr;
  std::int64_t size_ = 0;
};

/// cuBLAS on a stream, with workspace of ours: stream-ordered, counted, and the same for every call.
class Blas {
 public:
  static constexpr std::int64_t kWorkspaceBytes = std::int64_t{32} << 20;  // what cuBLAS wants on Hopper

  explicit Blas(Memory& memory);
  Blas(const Blas&) = delete;
  Blas& operator=(const Blas&) = delete;
  Blas(Blas&&) = delete;
  Blas& operator=(Blas&&) = delete;
  ~Blas();
  [[nodiscard]] cublasHandle_t get() const { return handle_; }

 private:
  Buffer<std::byte> workspace_;
  cublasHandle_t handle_ = nullptr;
};

/// One call on one device: stream, memory, hooks.
class Session {
 public:
  explicit Session(const seam::Call& call) : call_(call), device_(call.ordinal), memory_(stream_, call.memory_budget) {}

  [[nodiscard]] const Stream& stream() const { return stream_; }
  [[nodiscard]] Memory& memory() { return memory_; }
  template <class T>
  Buffer<T> buffer(std::int64_t size, const char* purpose) {
    return Buffer<T>(memory_, size, purpose);
  }

  /// @throws Failure (stopped) if the caller wants no more
  void tick(std::int64_t done, std::int64_t total) const {
    if (call_.tick(call_.state, done, total) != 0) throw Failure(seam::Status::stopped, "stopped");
  }
  void norms(std::int32_t side, const double* norms, std::int64_t rows) const {
    if (call_.norms(call_.state, side, norms, rows) != 0) throw Failure(seam::Status::stopped, "stopped");
  }

 private:
  const seam::Call& call_;
  CurrentDevice device_;
  Stream stream_;
  Memory memory_;
};

/// Orders the session's work after what fills the caller's matrix: its stream where that is known, else whatever the
/// device has to do.
void wait_for_producer(const Session& session, const seam::Matrix& matrix);

/// What follows a launch: errors of its shape or of code that this device cannot run.
inline void check_launch(const char* kernel) { check(cudaGetLastError(), kernel); }

/// Bytes of the device's second-level cache. @throws Failure
std::int64_t cache_bytes(int ordinal);
int multiprocessors(int ordinal);

/// Blocks of `size` that cover `count`.
constexpr std::int64_t blocks_of(std::int64_t count, std::int64_t size) { return (count + size - 1) / size; }

}  // namespace graft::cuda
