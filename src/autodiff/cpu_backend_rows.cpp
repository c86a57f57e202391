// Sums, and rows moved from place to place.
#include <cassert>
#include <cmath>

#include <graft/detail/checked.hpp>

#include "autodiff/cpu_backend.hpp"

namespace graft::autodiff {
namespace {

using detail::as_size;

/// Work in nanoseconds of one row of `cols` elements, on one core.
double row_work(std::int64_t cols, double element) { return 5.0 + element * static_cast<double>(cols); }

/// Rows whose sum is taken in float; such sums are added in double.
constexpr std::int64_t kRowsPerSum = 64;

/// Elements whose sum is one task.
constexpr std::int64_t kElementsPerSum = std::int64_t{1} << 16U;

void put(float& y, double value, bool accumulate) {
  y = accumulate ? y + static_cast<float>(value) : static_cast<float>(value);
}

}  // namespace

void CpuBackend::sum_to(const Tensor& x, const Tensor& y, bool accumulate) {
  assert((y.rows() == x.rows() || y.rows() == 1) && (y.cols() == x.cols() || y.cols() == 1));
  const std::int64_t cols = x.cols();
  if (same_shape(x, y)) {
    if (accumulate) return add_scaled(1.0, x, y);
    return map(Unary::scale, 1.0, x, y);
  }
  if (y.rows() == x.rows()) {
    run_blocks(x.rows(), row_work(cols, 0.2), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r)
        put(floats(y)[r], kernels_.sum(floats(x) + r * cols, cols), accumulate);
    });
    return;
  }
  if (y.cols() == 1) {
    const std::int64_t parts = (x.size() + kElementsPerSum - 1) / kElementsPerSum;
    std::vector<double> sums(as_size(parts));
    run_tasks(parts, 0.2 * static_cast<double>(x.size()), [&](std::int64_t part, int /*worker*/) {
      const std::int64_t begin = part * kElementsPerSum;
      sums[as_size(part)] = kernels_.sum(floats(x) + begin, std::min(kElementsPerSum, x.size() - begin));
    });
    double total = 0.0;
    for (const double sum : sums) total += sum;
    return put(*floats(y), total, accumulate);
  }
  const std::int64_t parts = (x.rows() + kRowsPerSum - 1) / kRowsPerSum;
  const Tensor sums = allocate(parts, cols);
  run_tasks(parts, 0.2 * static_cast<double>(x.size()), [&](std::int64_t part, int /*worker*/) {
    const std::int64_t begin = part * kRowsPerSum;
    kernels_.add_rows(floats(x) + begin * cols, std::min(kRowsPerSum, x.rows() - begin), cols,
                      floats(sums) + part * cols);
  });
  for (std::int64_t c = 0; c < cols; ++c) {
    double total = 0.0;
    for (std::int64_t part = 0; part < parts; ++part) total += static_cast<double>(floats(sums)[part * cols + c]);
    put(floats(y)[c], total, accumulate);
  }
}

void CpuBackend::row_dot(const Tensor& a, const Tensor& b, const Tensor& y) {
  assert(same_shape(a, b) && y.rows() == a.rows() && y.cols() == 1);
  const std::int64_t cols = a.cols();
  run_blocks(a.rows(), row_work(cols, 0.2), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      floats(y)[r] = kernels_.dot(floats(a) + r * cols, floats(b) + r * cols, cols);
    }
  });
}

void CpuBackend::softmax(const Tensor& x, const Tensor& y) {
  assert(same_shape(x, y));
  const std::int64_t cols = x.cols();
  run_blocks(x.rows(), row_work(cols, 1.0), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) kernels_.softmax(floats(x) + r * cols, floats(y) + r * cols, cols);
  });
}

void CpuBackend::softmax_gradient(const Tensor& y, const Tensor& dy, const Tensor& dx, bool accumulate) {
  assert(same_shape(y, dy) && same_shape(y, dx));
  const std::int64_t cols = y.cols();
  run_blocks(y.rows(), row_work(cols, 0.4), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      kernels_.softmax_slope(floats(y) + r * cols, floats(dy) + r * cols, floats(dx) + r * cols, cols, accumulate);
    }
  });
}

void CpuBackend::log_sum_exp(const Tensor& x, const Tensor& y) {
  assert(y.rows() == x.rows() && y.cols() == 1);
  const std::int64_t cols = x.cols();
  run_blocks(x.rows(), row_work(cols, 1.0), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) floats(y)[r] = kernels_.log_sum_exp(floats(x) + r * cols, cols);
  });
}

void CpuBackend::gather(const Tensor& x, std::span<const std::int32_t> ids, const Tensor& y) {
  assert(as_size(y.rows()) == ids.size() && y.cols() == x.cols());
  const std::int64_t cols = x.cols();
  run_blocks(y.rows(), row_work(cols, 0.4), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) {
      assert(ids[as_size(p)] >= 0 && ids[as_size(p)] < x.rows());
      std::copy_n(floats(x) + ids[as_size(p)] * cols, cols, floats(y) + p * cols);
    }
  });
}

void CpuBackend::add_rows(const Tensor& x, std::span<const std::int32_t> ids, const Tensor& y) {
  assert(as_size(x.rows()) == ids.size() && y.cols() == x.cols());
  const std::int64_t cols = x.cols();
  run_blocks(x.rows(), row_work(cols, 0.4), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) {
      assert(ids[as_size(p)] >= 0 && ids[as_size(p)] < y.rows());
      kernels_.add_scaled(1.0F, floats(x) + p * cols, floats(y) + ids[as_size(p)] * cols, cols);
    }
  });
}

void CpuBackend::sum_by_place(const Tensor& x, const IndexList& list, const Tensor& y) {
  assert(x.rows() == list.size() && as_size(y.rows()) == list.distinct().size() && y.cols() == x.cols());
  const std::int64_t cols = x.cols();
  const double members = static_cast<double>(x.rows()) / std::max(1.0, static_cast<double>(y.rows()));
  run_blocks(y.rows(), members * row_work(cols, 0.4), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t d = begin; d < end; ++d) {
      const auto first = list.members().begin() + list.offsets()[as_size(d)];
      const auto last = list.members().begin() + list.offsets()[as_size(d) + 1];
      float* sum = floats(y) + d * cols;
      std::copy_n(floats(x) + *first * cols, cols, sum);
      for (auto p = first + 1; p != last; ++p) kernels_.add_scaled(1.0F, floats(x) + *p * cols, sum, cols);
    }
  });
}

void CpuBackend::copy_block(const Tensor& x, Corner from, const Tensor& y, Corner to, std::int64_t rows,
                            std::int64_t cols, bool accumulate) {
  assert(from.row + rows <= x.rows() && from.col + cols <= x.cols());
  assert(to.row + rows <= y.rows() && to.col + cols <= y.cols());
  run_blocks(rows, row_work(cols, 0.3), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const float* in = floats(x) + (from.row + r) * x.cols() + from.col;
      float* out = floats(y) + (to.row + r) * y.cols() + to.col;
      if (accumulate) {
        kernels_.add_scaled(1.0F, in, out, cols);
      } else {
        std::copy_n(in, cols, out);
      }
    }
  });
}

}  // namespace graft::autodiff
