#include "autodiff/cpu_backend.hpp"

#include <cassert>
#include <cstring>
#include <new>
#include <string>
#include <utility>

#include <graft/core/error.hpp>
#include <graft/detail/checked.hpp>
#include <graft/detail/kernels/dispatch.hpp>

namespace graft::autodiff {
namespace {

using detail::as_size;

const detail::kernels::TrainTable& train_table(const Context& context) {
  switch (resolve_numeric_path(context)) {
#if defined(__x86_64__)
    case NumericPath::avx512:
      return detail::kernels::kTrainAvx512;
    case NumericPath::avx2:
      return detail::kernels::kTrainAvx2;
#endif
    default:
      return detail::kernels::kTrainBaseline;
  }
}

Context context_of(int threads, NumericPath path) {
  Context context;
  context.threads = threads;
  context.path = path;
  return context;
}

/// Rows of the result ascend within each of its rows, as the rows of the matrix are read in order.
Csr transpose(const Csr& matrix) {
  Csr result;
  result.rows = matrix.cols;
  result.cols = matrix.rows;
  result.row_offsets.assign(as_size(matrix.cols) + 1, 0);
  result.columns.resize(matrix.columns.size());
  result.weights.resize(matrix.weights.size());
  for (const std::int32_t column : matrix.columns) ++result.row_offsets[as_size(column) + 1];
  for (std::size_t r = 1; r < result.row_offsets.size(); ++r) result.row_offsets[r] += result.row_offsets[r - 1];
  std::vector<std::int64_t> next(result.row_offsets.begin(), result.row_offsets.end() - 1);
  for (std::int64_t r = 0; r < matrix.rows; ++r) {
    for (std::int64_t e = matrix.row_offsets[as_size(r)]; e < matrix.row_offsets[as_size(r) + 1]; ++e) {
      const std::size_t place = as_size(next[as_size(matrix.columns[as_size(e)])]++);
      result.columns[place] = detail::as_id(r);
      result.weights[place] = matrix.weights[as_size(e)];
    }
  }
  return result;
}

}  // namespace

std::unique_ptr<Backend> cpu_backend(int threads) { return cpu_backend(threads, NumericPath::automatic); }

std::unique_ptr<Backend> cpu_backend(int threads, NumericPath path) {
  return std::make_unique<CpuBackend>(threads, path);
}

CpuBackend::CpuBackend(int threads, NumericPath path)
    : context_(context_of(threads, path)),
      workers_(detail::worker_count(context_)),
      kernels_(train_table(context_)),
      workspaces_(as_size(workers_)) {}

Tensor CpuBackend::allocate(std::int64_t rows, std::int64_t cols) {
  assert(rows >= 0 && cols >= 0);
  return {rows, cols, pool_->allocate(detail::saturating_multiply(rows, cols))};
}

void CpuBackend::trim() {
  pool_->trim();
  for (Workspace& workspace : workspaces_) workspace = {};
  places_ = {};
}

void CpuBackend::upload(const Tensor& y, MatrixView<const float> x) {
  assert(y.rows() == x.rows() && y.cols() == x.cols());
  if (x.cols() == 0) return;
  run_blocks(x.rows(), 0.3 * static_cast<double>(x.cols()), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) std::copy_n(x.row(r), x.cols(), floats(y) + r * y.cols());
  });
}

void CpuBackend::upload(const Tensor& y, std::span<const double> x) {
  assert(as_size(y.size()) == x.size());
  std::transform(x.begin(), x.end(), floats(y), [](double value) { return static_cast<float>(value); });
}

void CpuBackend::download(const Tensor& x, MatrixView<float> y) {
  assert(y.rows() == x.rows() && y.cols() == x.cols());
  if (x.cols() == 0) return;
  run_blocks(x.rows(), 0.3 * static_cast<double>(x.cols()), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) std::copy_n(floats(x) + r * x.cols(), x.cols(), y.row(r));
  });
}

std::vector<double> CpuBackend::download(const Tensor& x) { return {floats(x), floats(x) + x.size()}; }

Sparse CpuBackend::sparse(Csr matrix) {
  assert(matrix.row_offsets.size() == as_size(matrix.rows) + 1);
  assert(matrix.columns.size() == matrix.weights.size());
  const std::int64_t rows = matrix.rows;
  const std::int64_t cols = matrix.cols;
  try {
    Csr transposed = transpose(matrix);
    return {rows, cols, std::make_shared<const CpuSparse>(CpuSparse{std::move(matrix), std::move(transposed)})};
  } catch (const std::bad_alloc&) {
    throw OutOfMemory(
        detail::message("sparse", "rows", std::to_string(rows), "the system refused the memory of the transpose"));
  }
}

}  // namespace graft::autodiff
