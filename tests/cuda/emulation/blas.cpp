// What the plug-in asks of cuBLAS, for tests/cuda/emulation. Products are wrong by as much as the error bound of
// src/cuda/pairwise_bounds.hpp allows the tensor cores to be: what follows from the bound must hold even so.
#include <cublas_v2.h>
#include <cuda_fp16.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

struct cublasContext {
  cudaStream_t stream = nullptr;
};

namespace {

/// In [-1, 1], from a place alone.
double noise(std::uint64_t place) {
  place = (place ^ (place >> 30U)) * 0xBF58476D1CE4E5B9U;
  place = (place ^ (place >> 27U)) * 0x94D049BB133111EBU;
  return static_cast<double>((place ^ (place >> 31U)) >> 11U) * 0x1p-52 - 1.0;
}

std::vector<float> rows_of(const void* data, cudaDataType_t type, std::int64_t rows, std::int64_t width,
                           std::int64_t stride) {
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(rows * width));
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < width; ++c) {
      const std::int64_t place = r * stride + c;
      values.push_back(type == CUDA_R_16F ? __half2float(static_cast<const __half*>(data)[place])
                                          : static_cast<const float*>(data)[place]);
    }
  }
  return values;
}

}  // namespace

cublasStatus_t cublasCreate(cublasHandle_t* handle) {
  *handle = new cublasContext;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy(cublasHandle_t handle) {
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetWorkspace(cublasHandle_t /*handle*/, void* /*workspace*/, std::size_t /*bytes*/) {
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetMathMode(cublasHandle_t /*handle*/, cublasMath_t /*mode*/) { return CUBLAS_STATUS_SUCCESS; }

const char* cublasGetStatusString(cublasStatus_t /*status*/) { return "emulated"; }

cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t left_operation, cublasOperation_t right_operation,
                            int m, int n, int k, const void* alpha, const void* left, cudaDataType_t left_type,
                            int left_stride, const void* right, cudaDataType_t right_type, int right_stride,
                            const void* beta, void* out, cudaDataType_t out_type, int out_stride,
                            cublasComputeType_t compute, cublasGemmAlgo_t /*algorithm*/) {
  const float factor = *static_cast<const float*>(alpha);
  if (left_operation != CUBLAS_OP_T || right_operation != CUBLAS_OP_N || *static_cast<const float*>(beta) != 0.0F ||
      out_type != CUDA_R_32F || compute != CUBLAS_COMPUTE_32F || m > out_stride || k > left_stride ||
      k > right_stride) {
    return CUBLAS_STATUS_NOT_SUPPORTED;
  }
  ::emulation::run_later(handle->stream, [=] {
    const std::vector<float> lefts = rows_of(left, left_type, m, k, left_stride);
    const std::vector<float> rights = rows_of(right, right_type, n, k, right_stride);
    for (std::int64_t j = 0; j < n; ++j) {
      for (std::int64_t i = 0; i < m; ++i) {
        const float* const x = lefts.data() + i * k;
        const float* const y = rights.data() + j * k;
        double sum = 0.0;
        double size = 0.0;
        for (std::int64_t l = 0; l < k; ++l) {
          const float product = x[l] * y[l];  // of halves: exact
          sum += product;
          size += std::fabs(product);
        }
        constexpr double kShare = 0.99;  // the rest is for the rounding to float32
        const double error = kShare * noise(static_cast<std::uint64_t>(j * m + i)) * k * 0x1p-22 * size;
        static_cast<float*>(out)[j * out_stride + i] = static_cast<float>((sum + error) * factor);
      }
    }
  });
  return CUBLAS_STATUS_SUCCESS;
}
