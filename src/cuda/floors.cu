// What the device can do at most: the rate of a copy and of large matrix products.
#include <cuda_fp16.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "entry_points.hpp"
#include "runtime.hpp"

namespace graft::cuda {
namespace {

constexpr int kRepeats = 5;

/// The least seconds of some runs of `work`, after one that warms up.
template <class Work>
double least_seconds(const Stream& stream, const Work& work) {
  work();
  stream.wait();
  double least = 1e30;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    stream.wait();
    least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return least;
}

double copy_rate(Session& session) {
  constexpr std::int64_t kBytes = std::int64_t{1} << 30;
  const auto from = session.buffer<std::byte>(kBytes, "a copy's source");
  const auto to = session.buffer<std::byte>(kBytes, "a copy's target");
  from.fill_bytes(1);
  return 2.0 * static_cast<double>(kBytes) / least_seconds(session.stream(), [&] { to.upload(from.data(), kBytes); });
}

template <class Element>
double product_rate(Session& session, const Blas& blas, cudaDataType_t type) {
  constexpr int kSide = 8192;
  constexpr std::int64_t kElements = std::int64_t{kSide} * kSide;
  const auto a = session.buffer<Element>(kElements, "a product's factors");
  const auto b = session.buffer<Element>(kElements, "a product's factors");
  const auto c = session.buffer<float>(kElements, "a product");
  // small numbers that are not 0, which the device would multiply with less power
  a.fill_bytes(0x2A);
  b.fill_bytes(0x29);
  const float one = 1.0F;
  const float zero = 0.0F;
  const double seconds = least_seconds(session.stream(), [&] {
    check(cublasGemmEx(blas.get(), CUBLAS_OP_T, CUBLAS_OP_N, kSide, kSide, kSide, &one, a.data(), type, kSide, b.data(),
                       type, kSide, &zero, c.data(), CUDA_R_32F, kSide, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
          "measuring a product");
  });
  return 2.0 * kSide * static_cast<double>(kElements) / seconds;
}

}  // namespace

seam::Floors measure_floors(const seam::Call& call) {
  Session session(call);
  const Blas blas(session.memory());
  return {.copied_bytes_per_second = copy_rate(session),
          .half_flops_per_second = product_rate<__half>(session, blas, CUDA_R_16F),
          .float_flops_per_second = product_rate<float>(session, blas, CUDA_R_32F)};
}

}  // namespace graft::cuda
