// Norms, scaled copies and error terms of feature rows.
#include <cuda_fp16.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "group.cuh"
#include "pairwise_kernels.hpp"
#include "runtime.hpp"

namespace graft::cuda {
namespace {

/// Partial sums of a norm, as the processor's `squared_norm` keeps them.
constexpr int kNormLanes = 8;

__device__ double sum_of_lanes(double value) {
  for (int step = kLanes / 2; step > 0; step /= 2) value += __shfl_xor_sync(kAllLanes, value, step);
  return value;
}

/// Eight threads a row. Products of two floats are exact in double; sums are in the processor's order.
__global__ void norms_kernel(const float* rows, std::int64_t stride, std::int64_t count, std::int64_t dims,
                             double* norms) {
  const std::int64_t thread = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const std::int64_t row = thread / kNormLanes;
  const int lane = static_cast<int>(thread % kNormLanes);
  const bool real = row < count;
  const float* const values = rows + (real ? row : 0) * stride;
  const std::int64_t whole = real ? dims / kNormLanes * kNormLanes : 0;
  double partial = 0.0;
  for (std::int64_t k = lane; k < whole; k += kNormLanes) {
    const double x = values[k];
    partial += x * x;
  }
  double sum = 0.0;
  for (int l = 0; l < kNormLanes; ++l) sum += __shfl_sync(kAllLanes, partial, l, kNormLanes);
  if (!real || lane != 0) return;
  for (std::int64_t k = whole; k < dims; ++k) {
    const double x = values[k];
    sum += x * x;
  }
  norms[row] = sqrt(sum);
}

/// A warp a row.
__global__ void prepare_kernel(PreparedRows rows, std::int64_t count) {
  const std::int64_t row = std::int64_t{blockIdx.x} * (kThreads / kLanes) + threadIdx.x / kLanes;
  if (row >= count) return;  // the whole warp
  const int lane = WarpGroup::rank();
  const std::int64_t exact_width = exact_stride(rows.dims);
  const std::int64_t short_width = short_stride(rows.dims);
  float* const exact = rows.exact + row * exact_width;
  __half* const shorts = rows.shorts + row * short_width;
  const double norm = rows.norms[row];
  const bool cosine = rows.metric == Metric::cosine;
  const bool no_direction = cosine && norm == 0.0;
  const int exponent = scale_exponent(rows.metric, norm);
  const double inverse = 1.0 / norm;
  double residual = 0.0;
  double size = 0.0;
  for (std::int64_t k = lane; k < short_width; k += kLanes) {
    float value = k < rows.dims ? exact[k] : 0.0F;
    if (cosine && k < rows.dims) value = static_cast<float>(value * inverse);
    if (no_direction) value = std::numeric_limits<float>::quiet_NaN();
    if (k < exact_width) exact[k] = value;
    const double scaled = ldexp(static_cast<double>(value), -exponent);
    __half rounded = __float2half_rn(static_cast<float>(scaled * kHalfScale));
    if (fabsf(__half2float(rounded)) < kLeastNormalHalf) rounded = __float2half_rn(0.0F);  // NaN stays
    shorts[k] = rounded;
    const double held = __half2float(rounded) / kHalfScale;
    residual += (scaled - held) * (scaled - held);
    size += held * held;
  }
  residual = sum_of_lanes(residual);
  size = sum_of_lanes(size);
  if (lane != 0) return;
  constexpr double kUp = 1.0 + 0x1p-20;  // of sums in double and one rounding to float
  rows.residual[row] = no_direction ? 0.0F : static_cast<float>(sqrt(residual) * kUp);
  rows.norm[row] = no_direction ? 0.0F : static_cast<float>(sqrt(size) * kUp);
  rows.exponent[row] = exponent;
}

/// Floats that are not negative order as the integers of their bits.
__device__ void raise(float* largest, float value) {
  atomicMax(reinterpret_cast<int*>(largest), __float_as_int(value));
}

__global__ void largest_kernel(PreparedRows rows, std::int64_t count, LargestTerms* largest) {
  float residual = 0.0F;
  float norm = 0.0F;
  int exponent = kZeroRowExponent;
  for (std::int64_t row = std::int64_t{blockIdx.x} * kThreads + threadIdx.x; row < count;
       row += std::int64_t{gridDim.x} * kThreads) {
    residual = fmaxf(residual, rows.residual[row]);
    norm = fmaxf(norm, rows.norm[row]);
    exponent = max(exponent, rows.exponent[row]);
  }
  for (int step = kLanes / 2; step > 0; step /= 2) {
    residual = fmaxf(residual, __shfl_xor_sync(kAllLanes, residual, step));
    norm = fmaxf(norm, __shfl_xor_sync(kAllLanes, norm, step));
    exponent = max(exponent, __shfl_xor_sync(kAllLanes, exponent, step));
  }
  if (WarpGroup::rank() != 0) return;
  raise(&largest->residual, residual);
  raise(&largest->norm, norm);
  atomicMax(&largest->exponent, exponent);
}

__global__ void column_terms_kernel(PreparedRows rows, std::int64_t count, const LargestTerms* largest,
                                    ColumnTerms* terms) {
  const std::int64_t row = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (row >= count) return;
  const double norm = rows.norms[row];
  ColumnTerms column{1.0F, 0.0F};
  if (rows.metric != Metric::cosine) column.scale = ldexpf(1.0F, rows.exponent[row] - largest->exponent);
  if (rows.metric == Metric::l2) column.squared_norm = __double2float_rd(norm * norm * kNormDown);
  terms[row] = column;
}

__global__ void row_terms_kernel(PreparedRows rows, std::int64_t count, const LargestTerms* largest, RowTerms* terms) {
  const std::int64_t row = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (row >= count) return;
  const RowError error{rows.residual[row], rows.norm[row]};
  const RowError columns{largest->residual, largest->norm};
  const bool l2 = rows.metric == Metric::l2;
  terms[row] = {shortlist_error(error, columns, short_stride(rows.dims)),
                l2 ? ldexpf(1.0F, 1 + rows.exponent[row] + largest->exponent) : 1.0F};
}

__global__ void self_scores_kernel(PreparedRows rows, std::int64_t count, float* scores) {
  const std::int64_t row = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (row >= count) return;
  const float* const values = rows.exact + row * exact_stride(rows.dims);
  float score = 0.0F;
  for (std::int64_t k = 0; k < rows.dims; ++k) score = __fmaf_rn(values[k], values[k], score);
  scores[row] = score;
}

unsigned grid(std::int64_t threads) { return static_cast<unsigned>(blocks_of(threads, kThreads)); }

}  // namespace

void launch_norms(const float* rows, std::int64_t stride, std::int64_t count, std::int64_t dims, double* norms,
                  cudaStream_t stream) {
  if (count == 0) return;
  norms_kernel<<<grid(count * kNormLanes), kThreads, 0, stream>>>(rows, stride, count, dims, norms);
  check_launch("norms_kernel");
}

void launch_prepare(const PreparedRows& rows, std::int64_t count, cudaStream_t stream) {
  if (count == 0) return;
  prepare_kernel<<<grid(count * kLanes), kThreads, 0, stream>>>(rows, count);
  check_launch("prepare_kernel");
}

void launch_largest(const PreparedRows& rows, std::int64_t count, LargestTerms* largest, cudaStream_t stream) {
  // 0 as a float, and an integer far below every exponent
  check(cudaMemsetAsync(largest, 0, sizeof(LargestTerms), stream), "filling memory");
  check(cudaMemsetAsync(&largest->exponent, 0x80, sizeof(int), stream), "filling memory");
  if (count == 0) return;
  constexpr std::int64_t kMostBlocks = 1024;
  const auto blocks = static_cast<unsigned>(std::min(blocks_of(count, kThreads), kMostBlocks));
  largest_kernel<<<blocks, kThreads, 0, stream>>>(rows, count, largest);
  check_launch("largest_kernel");
}

void launch_column_terms(const PreparedRows& rows, std::int64_t count, const LargestTerms* columns, ColumnTerms* terms,
                         cudaStream_t stream) {
  if (count == 0) return;
  column_terms_kernel<<<grid(count), kThreads, 0, stream>>>(rows, count, columns, terms);
  check_launch("column_terms_kernel");
}

void launch_row_terms(const PreparedRows& rows, std::int64_t count, const LargestTerms* columns, RowTerms* terms,
                      cudaStream_t stream) {
  if (count == 0) return;
  row_terms_kernel<<<grid(count), kThreads, 0, stream>>>(rows, count, columns, terms);
  check_launch("row_terms_kernel");
}

void launch_self_scores(const PreparedRows& rows, std::int64_t count, float* scores, cudaStream_t stream) {
  if (count == 0) return;
  self_scores_kernel<<<grid(count), kThreads, 0, stream>>>(rows, count, scores);
  check_launch("self_scores_kernel");
}

}  // namespace graft::cuda
