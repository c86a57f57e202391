// Bodies of feature_side.hpp.
#include "feature_side.hpp"

#include <algorithm>
#include <cstddef>

namespace graft::cuda {

FeatureSide::FeatureSide(Session& session, const seam::Matrix& source, Metric metric, std::int64_t capacity)
    : session_(session),
      source_(source),
      metric_(metric),
      capacity_(capacity),
      exact_(session.buffer<float>(capacity * exact_stride(source.cols), "features")),
      shorts_(session.buffer<__half>(capacity * short_stride(source.cols), "features in half precision")),
      residual_(session.buffer<float>(capacity, "error terms")),
      norm_(session.buffer<float>(capacity, "error terms")),
      exponent_(session.buffer<int>(capacity, "error terms")) {}

void FeatureSide::load(std::int64_t begin, std::int64_t end) {
  first_ = begin;
  loaded_end_ = end;
  if (begin == end || source_.cols == 0) return;
  const std::int64_t stride = exact_stride(source_.cols);
  const float* const from = source_.data + begin * source_.stride;
  if (source_.stride == stride) {  // one piece: what lies between its rows comes along and is overwritten
    const std::int64_t elements = (end - begin - 1) * stride + source_.cols;
    return exact_.upload(from, elements);
  }
  check(cudaMemcpy2DAsync(exact_.data(), static_cast<std::size_t>(stride) * sizeof(float), from,
                          static_cast<std::size_t>(source_.stride) * sizeof(float),
                          static_cast<std::size_t>(source_.cols) * sizeof(float), static_cast<std::size_t>(end - begin),
                          cudaMemcpyDefault, session_.stream().get()),
        "copying features to the device");
}

void FeatureSide::measure(std::int32_t side) {
  all_norms_ = session_.buffer<double>(source_.rows, "norms");
  norms_ = all_norms_.data();
  for (std::int64_t begin = 0; begin < source_.rows; begin += capacity_) {
    const std::int64_t end = std::min(source_.rows, begin + capacity_);
    load(begin, end);
    launch_norms(exact_.data(), exact_stride(source_.cols), end - begin, source_.cols, all_norms_.data() + begin,
                 session_.stream().get());
  }
  std::vector<double> norms(static_cast<std::size_t>(source_.rows));
  all_norms_.download(norms.data(), source_.rows);
  session_.stream().wait();
  session_.norms(side, norms.data(), source_.rows);
}

void FeatureSide::prepare(std::int64_t begin, std::int64_t end) {
  if (begin != first_ || end != loaded_end_) load(begin, end);
  loaded_end_ = -1;  // cosine divides in place
  launch_prepare(rows(), end - begin, session_.stream().get());
}

PreparedRows FeatureSide::rows(std::int64_t place) const {
  return {.exact = exact_.data() + place * exact_stride(source_.cols),
          .shorts = shorts_.data() + place * short_stride(source_.cols),
          .norms = norms_ + first_ + place,
          .residual = residual_.data() + place,
          .norm = norm_.data() + place,
          .exponent = exponent_.data() + place,
          .dims = source_.cols,
          .metric = metric_};
}

}  // namespace graft::cuda
