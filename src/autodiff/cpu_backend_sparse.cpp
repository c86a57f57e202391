// Products with sparse matrices.
#include <algorithm>
#include <cassert>
#include <cstddef>

#include <graft/detail/checked.hpp>

#include "autodiff/cpu_backend.hpp"
#include "autodiff/host_sparse.hpp"

namespace graft::autodiff {
namespace {

using detail::as_size;
using detail::kernels::SparseRows;

/// Rows of a matrix in parts of about equal cost, whatever their lengths.
class RowParts {
 public:
  RowParts(const Csr& matrix, std::int64_t cols)
      : matrix_(matrix), part_(std::max<std::int64_t>(256, kElements / std::max<std::int64_t>(cols, 1))) {}

  [[nodiscard]] std::int64_t size() const { return (cost(matrix_.rows) + part_ - 1) / part_; }
  [[nodiscard]] std::int64_t begin(std::int64_t part) const {
    std::int64_t first = 0;
    std::int64_t last = matrix_.rows;
    while (first < last) {
      const std::int64_t middle = first + (last - first) / 2;
      if (cost(middle) < part * part_) {
        first = middle + 1;
      } else {
        last = middle;
      }
    }
    return first;
  }
  [[nodiscard]] std::int64_t end(std::int64_t part) const { return part + 1 < size() ? begin(part + 1) : matrix_.rows; }

 private:
  static constexpr std::int64_t kElements = std::int64_t{1} << 17U;

  /// Of the rows before this one, in edges; to write a row costs as much as two.
  [[nodiscard]] std::int64_t cost(std::int64_t row) const { return matrix_.row_offsets[as_size(row)] + 2 * row; }

  const Csr& matrix_;
  std::int64_t part_;
};

/// Nanoseconds on one core for this many edges, rows that do not fit the caches included.
double work(std::int64_t edges, std::int64_t cols) {
  return static_cast<double>(edges) * (2.0 + 0.2 * static_cast<double>(cols));
}

}  // namespace

void CpuBackend::spmm(const Sparse& s, bool transposed, const Tensor& x, const Tensor& y, bool accumulate) {
  const Csr& matrix = oriented(s, transposed);
  assert(matrix.cols == x.rows() && matrix.rows == y.rows() && x.cols() == y.cols());
  const SparseRows rows{matrix.row_offsets.data(), matrix.columns.data(), matrix.weights.data(), nullptr};
  const RowParts parts(matrix, x.cols());
  run_tasks(parts.size(), work(matrix.row_offsets.back() + matrix.rows, x.cols()),
            [&](std::int64_t part, int /*worker*/) {
              kernels_.spmm(rows, parts.begin(part), parts.end(part), floats(x), x.cols(), floats(y), accumulate);
            });
}

void CpuBackend::spmm_rows(const Sparse& s, bool transposed, std::span<const std::int32_t> rows, const Tensor& x,
                           const Tensor& y) {
  const Csr& matrix = oriented(s, transposed);
  assert(matrix.cols == x.rows() && as_size(y.rows()) == rows.size() && x.cols() == y.cols());
  std::int64_t edges = 0;
  for (const std::int32_t row : rows) {
    assert(row >= 0 && row < matrix.rows);
    edges += matrix.row_offsets[as_size(row) + 1] - matrix.row_offsets[as_size(row)];
  }
  const SparseRows selected{matrix.row_offsets.data(), matrix.columns.data(), matrix.weights.data(), rows.data()};
  const double mean = work(edges + y.rows(), x.cols()) / std::max(1.0, static_cast<double>(y.rows()));
  run_blocks(y.rows(), mean, [&](std::int64_t begin, std::int64_t end) {
    kernels_.spmm(selected, begin, end, floats(x), x.cols(), floats(y), false);
  });
}

void CpuBackend::spmm_from_rows(const Sparse& s, bool transposed, std::span<const std::int32_t> ids, const Tensor& x,
                                const Tensor& y, bool accumulate) {
  const Csr& matrix = oriented(s, transposed);
  assert(matrix.rows == y.rows() && as_size(x.rows()) == ids.size() && x.cols() == y.cols());
  places_.resize(std::max(places_.size(), as_size(matrix.cols)), -1);
  for (std::size_t p = 0; p < ids.size(); ++p) places_[as_size(ids[p])] = static_cast<std::int32_t>(p);
  const RowParts parts(matrix, x.cols());
  const auto compute = [&](std::int64_t part, int worker) {
    // The edges that take part, as a matrix of their own.
    Workspace& space = workspaces_[as_size(worker)];
    const std::int64_t begin = parts.begin(part);
    const std::int64_t end = parts.end(part);
    const std::int64_t first = matrix.row_offsets[as_size(begin)];
    const std::size_t most = as_size(matrix.row_offsets[as_size(end)] - first) + 1;
    space.offsets.resize(std::max(space.offsets.size(), as_size(end - begin) + 1));
    space.columns.resize(std::max(space.columns.size(), most));
    space.weights.resize(std::max(space.weights.size(), most));
    std::size_t kept = 0;
    for (std::int64_t r = begin; r < end; ++r) {
      space.offsets[as_size(r - begin)] = static_cast<std::int64_t>(kept);
      for (std::int64_t e = matrix.row_offsets[as_size(r)]; e < matrix.row_offsets[as_size(r) + 1]; ++e) {
        const std::int32_t place = places_[as_size(matrix.columns[as_size(e)])];
        space.columns[kept] = place;  // overwritten by the next unless it takes part: no branch to guess
        space.weights[kept] = matrix.weights[as_size(e)];
        kept += place >= 0 ? 1 : 0;
      }
    }
    space.offsets[as_size(end - begin)] = static_cast<std::int64_t>(kept);
    const SparseRows rows{space.offsets.data(), space.columns.data(), space.weights.data(), nullptr};
    kernels_.spmm(rows, 0, end - begin, floats(x), x.cols(), floats(y) + begin * y.cols(), accumulate);
  };
  run_tasks(parts.size(), work(matrix.row_offsets.back() + matrix.rows, x.cols()), compute);
  for (const std::int32_t id : ids) places_[as_size(id)] = -1;
}

}  // namespace graft::autodiff
