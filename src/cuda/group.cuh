// Threads that work on one row together: a warp, or a block. What all threads of a group compute alike (counts, bars)
// lives in registers; every function here is called by all of them.
#pragma once

#include <cstdint>

namespace graft::cuda {

inline constexpr unsigned kAllLanes = 0xFFFFFFFFU;
inline constexpr int kLanes = 32;
/// Threads of a block where nothing speaks for another number.
inline constexpr int kThreads = 256;

struct WarpGroup {
  static constexpr int kThreads = kLanes;
  static __device__ int rank() { return static_cast<int>(threadIdx.x) % kLanes; }
  /// Orders the group's reads and writes of memory, too.
  static __device__ void sync() { __syncwarp(); }
  static __device__ bool any(bool vote) { return __any_sync(kAllLanes, vote) != 0; }
  /// Number of threads before this one that vote yes; `total` gets that of all.
  static __device__ int place(bool vote, int& total) {
    const unsigned votes = __ballot_sync(kAllLanes, vote);
    total = __popc(votes);
    return __popc(votes & ((1U << rank()) - 1U));
  }
};

template <int kBlockThreads>
struct BlockGroup {
  static constexpr int kThreads = kBlockThreads;
  static constexpr int kWarps = kBlockThreads / kLanes;
  static_assert(kBlockThreads % kLanes == 0);
  static __device__ int rank() { return static_cast<int>(threadIdx.x); }
  static __device__ void sync() { __syncthreads(); }
  static __device__ bool any(bool vote) { return __syncthreads_or(vote ? 1 : 0) != 0; }
  static __device__ int place(bool vote, int& total) {
    __shared__ int warp_totals[kWarps];
    const unsigned votes = __ballot_sync(kAllLanes, vote);
    const int lane = rank() % kLanes;
    const int warp = rank() / kLanes;
    if (lane == 0) warp_totals[warp] = __popc(votes);
    __syncthreads();
    int before = 0;
    total = 0;
    for (int w = 0; w < kWarps; ++w) {
      before += w < warp ? warp_totals[w] : 0;
      total += warp_totals[w];
    }
    __syncthreads();  // the totals are read: the next call may write them
    return before + __popc(votes & ((1U << lane) - 1U));
  }
};

}  // namespace graft::cuda
