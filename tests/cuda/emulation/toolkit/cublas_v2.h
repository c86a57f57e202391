// What the plug-in uses of cuBLAS, for tests/cuda/emulation: declared as the toolkit does, defined in blas.cpp.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>

enum cublasStatus_t { CUBLAS_STATUS_SUCCESS = 0, CUBLAS_STATUS_ALLOC_FAILED = 3, CUBLAS_STATUS_NOT_SUPPORTED = 15 };
enum cublasMath_t { CUBLAS_DEFAULT_MATH = 0, CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION = 16 };
enum cublasOperation_t { CUBLAS_OP_N = 0, CUBLAS_OP_T = 1 };
enum cudaDataType_t { CUDA_R_32F = 0, CUDA_R_16F = 2 };
enum cublasComputeType_t { CUBLAS_COMPUTE_32F = 68 };
enum cublasGemmAlgo_t { CUBLAS_GEMM_DEFAULT = -1 };

using cublasHandle_t = struct cublasContext*;

cublasStatus_t cublasCreate(cublasHandle_t* handle);
cublasStatus_t cublasDestroy(cublasHandle_t handle);
cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream);
cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void* workspace, std::size_t bytes);
cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode);
const char* cublasGetStatusString(cublasStatus_t status);
/// out = alpha * left^T * right, column-major: the one form that is used.
cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t left_operation, cublasOperation_t right_operation,
                            int m, int n, int k, const void* alpha, const void* left, cudaDataType_t left_type,
                            int left_stride, const void* right, cudaDataType_t right_type, int right_stride,
                            const void* beta, void* out, cudaDataType_t out_type, int out_stride,
                            cublasComputeType_t compute, cublasGemmAlgo_t algorithm);
