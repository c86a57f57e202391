// Exact scores of a tile, for rows that a shortlist cannot decide: float32 on the ordinary cores.
#include <cstdint>

#include "exact_score.cuh"
#include "pairwise_kernels.hpp"
#include "runtime.hpp"

namespace graft::cuda {
namespace {

/// A block of 16 x 16 threads scores 64 x 64 pairs, 4 x 4 a thread, from slices of 16 dimensions in shared memory.
constexpr int kSide = 64;
constexpr int kThreadSide = 16;
constexpr int kPairs = kSide / kThreadSide;
constexpr int kSlice = 16;
constexpr int kTileThreads = kThreadSide * kThreadSide;

/// slice[k][r] = element first_k + k of row `row_of(r)`; 0 beyond the dimensions and for rows that are none (-1).
template <class RowOf>
__device__ void load_slice(const PreparedRows& rows, std::int64_t first_k, const RowOf& row_of,
                           float (&slice)[kSlice][kSide + 1]) {
  const std::int64_t width = exact_stride(rows.dims);
  for (int e = static_cast<int>(threadIdx.x); e < kSlice * kSide; e += kTileThreads) {
    const int k = e % kSlice;
    const int r = e / kSlice;
    const std::int64_t row = row_of(r);
    slice[k][r] = row >= 0 && first_k + k < width ? rows.exact[row * width + first_k + k] : 0.0F;
  }
}

template <bool kL2>
__global__ void __launch_bounds__(kTileThreads)
    exact_tile_kernel(PreparedRows rows, PreparedRows columns, RowPlaces places, ScoreTile tile) {
  __shared__ float row_slice[kSlice][kSide + 1];  // one more, so that columns of it meet different banks
  __shared__ float column_slice[kSlice][kSide + 1];
  const int first_place = static_cast<int>(blockIdx.y) * kSide;
  const int first_column = static_cast<int>(blockIdx.x) * kSide;
  const int x = static_cast<int>(threadIdx.x) % kThreadSide;
  const int y = static_cast<int>(threadIdx.x) / kThreadSide;
  const auto row_of = [&](int r) -> std::int64_t {
    const int place = first_place + r;
    if (place >= places.count) return -1;
    return places.list != nullptr ? places.list[place] : places.first + place;
  };
  const auto column_of = [&](int c) -> std::int64_t {
    return first_column + c < tile.columns ? tile.first_column + first_column + c : -1;
  };
  float acc[kPairs][kPairs] = {};
  const std::int64_t width = exact_stride(rows.dims);  // at least one step: NaN rows must give NaN
  for (std::int64_t k = 0; k < width; k += kSlice) {
    load_slice(rows, k, row_of, row_slice);
    load_slice(columns, k, column_of, column_slice);
    __syncthreads();
#pragma unroll
    for (int step = 0; step < kSlice; ++step) {
#pragma unroll
      for (int r = 0; r < kPairs; ++r) {
#pragma unroll
        for (int c = 0; c < kPairs; ++c) {
          acc[r][c] =
              exact_step<kL2>(acc[r][c], row_slice[step][y + r * kThreadSide], column_slice[step][x + c * kThreadSide]);
        }
      }
    }
    __syncthreads();  // the slices are read: the next may come
  }
#pragma unroll
  for (int r = 0; r < kPairs; ++r) {
    const int place = first_place + y + r * kThreadSide;
#pragma unroll
    for (int c = 0; c < kPairs; ++c) {
      const int column = first_column + x + c * kThreadSide;
      if (place < places.count && column < tile.columns) {
        tile.scores[std::int64_t{place} * tile.stride + column] = acc[r][c];
      }
    }
  }
}

}  // namespace

void launch_exact_tile(const PreparedRows& rows, const PreparedRows& columns, const RowPlaces& places,
                       const ScoreTile& tile, cudaStream_t stream) {
  if (places.count == 0 || tile.columns == 0) return;
  const dim3 blocks(static_cast<unsigned>(blocks_of(tile.columns, kSide)),
                    static_cast<unsigned>(blocks_of(places.count, kSide)));
  if (rows.metric == Metric::l2) {
    exact_tile_kernel<true><<<blocks, kTileThreads, 0, stream>>>(rows, columns, places, tile);
  } else {
    exact_tile_kernel<false><<<blocks, kTileThreads, 0, stream>>>(rows, columns, places, tile);
  }
  check_launch("exact_tile_kernel");
}

}  // namespace graft::cuda
