// The rows of one matrix on the device: all of them, or a group after the other.
#pragma once

#include <cuda_fp16.h>

#include <cstdint>
#include <vector>

#include "pairwise_kernels.hpp"
#include "runtime.hpp"

namespace graft::cuda {

class FeatureSide {
 public:
  /// @param capacity  rows held at once, >= 1
  FeatureSide(Session& session, const seam::Matrix& source, Metric metric, std::int64_t capacity);

  /// Measures the norms of all rows and hands them to the caller's hook. @throws Failure (stopped) if it refuses them
  void measure(std::int32_t side);

  /// Takes the norms of the same matrix that another side measured.
  void share_norms(const FeatureSide& other) { norms_ = other.norms_; }

  /// Holds rows [begin, end), prepared, from place 0 on.
  void prepare(std::int64_t begin, std::int64_t end);

  /// The prepared rows from the given place on.
  [[nodiscard]] PreparedRows rows(std::int64_t place = 0) const;

 private:
  void load(std::int64_t begin, std::int64_t end);

  Session& session_;
  seam::Matrix source_;
  Metric metric_;
  std::int64_t capacity_;
  Buffer<double> all_norms_;  ///< where this side measured
  const double* norms_ = nullptr;
  std::int64_t first_ = 0;        ///< row at place 0
  std::int64_t loaded_end_ = -1;  ///< rows [first_, loaded_end_) lie there as they came; -1: not so
  Buffer<float> exact_;
  Buffer<__half> shorts_;
  Buffer<float> residual_;
  Buffer<float> norm_;
  Buffer<int> exponent_;
};

}  // namespace graft::cuda
