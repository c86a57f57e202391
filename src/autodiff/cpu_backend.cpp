#include "autodiff/cpu_backend.hpp"

#include <cassert>
#include <cstring>
#include <utility>

#include <graft/detail/checked.hpp>
#include <graft/detail/kernels/dispatch.hpp>

#include "autodiff/host_sparse.hpp"

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

Sparse CpuBackend::sparse(Csr matrix) { return host_sparse(std::move(matrix)); }

}  // namespace graft::autodiff
