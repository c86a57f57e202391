// CUDA's language and runtime for the kernels' source, compiled as C++ and run on the processor, thread by thread.
//
// Included before anything else in each translated source (translate.py). What it can show: that a kernel stays within
// its arrays and reads only what was written (under the address sanitizer), that its threads meet at every barrier and
// warp operation, that its result depends neither on the order of threads nor on when a stream gets to its work, and
// that it is right. What it cannot: anything of a real device's memory order, limits, libraries or speed.
#pragma once

#include <cuda_runtime_api.h>
#include <math.h>  // as CUDA has it: isnan and its like without a namespace

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>

#define __global__
#define __device__
#define __host__
#define __shared__ static  // blocks come one after the other
#define __launch_bounds__(...)

namespace emulation {

/// The thread that runs.
struct Place {
  uint3 thread{};
  uint3 block{};
  dim3 block_size;
  dim3 grid_size;
};
const Place& here();
void* dynamic_shared_memory();

/// What the lanes of a warp, or the threads of a block, do together. Every function returns when all have called it;
/// a thread that has ended, or calls another, is an error.
enum class Meeting : std::int32_t { none, warp_sync, ballot, shuffle, reduce_add, block_sync, block_or };
/// @return what each lane brought, [32]
const std::uint64_t* meet_warp(Meeting kind, unsigned mask, std::uint64_t mine);
/// @return whether any thread of the block brought true
bool meet_block(Meeting kind, bool mine);
int lane();

struct Shape {
  dim3 grid;
  dim3 block;
  std::size_t shared_bytes = 0;
  cudaStream_t stream = nullptr;
};
void run_later(cudaStream_t stream, std::function<void()> work);
void run_grid(const Shape& shape, const std::function<void()>& thread);

/// kernel<<<shape>>>(arguments): values are copied now, the work is done when the stream comes to it.
template <class Kernel, class... Arguments>
void launch(const Shape& shape, Kernel kernel, Arguments... arguments) {
  run_later(shape.stream, [=] { run_grid(shape, [&] { kernel(arguments...); }); });
}

template <class T>
std::uint64_t bits_of(T value) {
  static_assert(sizeof(T) <= sizeof(std::uint64_t));
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  return bits;
}
template <class T>
T from_bits(std::uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

}  // namespace emulation

#define threadIdx (::emulation::here().thread)
#define blockIdx (::emulation::here().block)
#define blockDim (::emulation::here().block_size)
#define gridDim (::emulation::here().grid_size)

using std::max;
using std::min;

inline void __syncthreads() { ::emulation::meet_block(::emulation::Meeting::block_sync, false); }
inline int __syncthreads_or(int vote) {
  return ::emulation::meet_block(::emulation::Meeting::block_or, vote != 0) ? 1 : 0;
}
inline void __syncwarp(unsigned mask = ~0U) { ::emulation::meet_warp(::emulation::Meeting::warp_sync, mask, 0); }
inline unsigned __ballot_sync(unsigned mask, bool vote) {
  const std::uint64_t* const votes = ::emulation::meet_warp(::emulation::Meeting::ballot, mask, vote ? 1 : 0);
  unsigned bits = 0;
  for (unsigned l = 0; l < 32; ++l) bits |= votes[l] != 0 ? 1U << l : 0U;
  return bits;
}
inline int __any_sync(unsigned mask, bool vote) { return __ballot_sync(mask, vote) != 0 ? 1 : 0; }
template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
  const std::uint64_t* const values =
      ::emulation::meet_warp(::emulation::Meeting::shuffle, mask, ::emulation::bits_of(value));
  return ::emulation::from_bits<T>(values[::emulation::lane() / width * width + source % width]);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int step) {
  const std::uint64_t* const values =
      ::emulation::meet_warp(::emulation::Meeting::shuffle, mask, ::emulation::bits_of(value));
  return ::emulation::from_bits<T>(values[::emulation::lane() ^ step]);
}
inline unsigned __reduce_add_sync(unsigned mask, unsigned value) {
  const std::uint64_t* const values = ::emulation::meet_warp(::emulation::Meeting::reduce_add, mask, value);
  std::uint64_t sum = 0;
  for (int l = 0; l < 32; ++l) sum += values[l];
  return static_cast<unsigned>(sum);
}

// One thread runs at a time.
template <class T, class U>
T atomicAdd(T* place, U value) {
  const T old = *place;
  *place = old + static_cast<T>(value);
  return old;
}
template <class T, class U>
T atomicMin(T* place, U value) {
  const T old = *place;
  *place = std::min(old, static_cast<T>(value));
  return old;
}
template <class T, class U>
T atomicMax(T* place, U value) {
  const T old = *place;
  *place = std::max(old, static_cast<T>(value));
  return old;
}
template <class T, class U, class V>
T atomicCAS(T* place, U expected, V value) {
  const T old = *place;
  if (old == static_cast<T>(expected)) *place = static_cast<T>(value);
  return old;
}

inline int __popc(unsigned bits) { return std::popcount(bits); }
inline int __float_as_int(float value) { return std::bit_cast<int>(value); }
inline float __fmaf_rn(float x, float y, float z) { return std::fma(x, y, z); }
inline float __fsub_rn(float x, float y) { return x - y; }
inline float __double2float_rd(double value) {
  const auto nearest = static_cast<float>(value);
  return double{nearest} > value ? std::nextafterf(nearest, -HUGE_VALF) : nearest;
}
