// The float32 backend of the CPU: what its parts share.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <graft/core/context.hpp>
#include <graft/detail/kernels/train_table.hpp>
#include <graft/detail/parallel.hpp>

#include "autodiff/backend.hpp"
#include "autodiff/cpu_pool.hpp"

namespace graft::autodiff {

/// cpu_backend() on a chosen numeric path. @throws InvalidArgument, BackendUnavailable
std::unique_ptr<Backend> cpu_backend(int threads, NumericPath path);

class CpuBackend final : public Backend {
 public:
  CpuBackend(int threads, NumericPath path);

  [[nodiscard]] Tensor allocate(std::int64_t rows, std::int64_t cols) override;
  void trim() override;
  void upload(const Tensor& y, MatrixView<const float> x) override;
  void upload(const Tensor& y, std::span<const double> x) override;
  void download(const Tensor& x, MatrixView<float> y) override;
  [[nodiscard]] std::vector<double> download(const Tensor& x) override;
  [[nodiscard]] Sparse sparse(Csr matrix) override;

  void fill(const Tensor& y, double value) override;
  void map(Unary f, double p, const Tensor& x, const Tensor& y) override;
  void map_gradient(Unary f, double p, const Tensor& x, const Tensor& y, const Tensor& dy, const Tensor& dx,
                    bool accumulate) override;
  void combine(Binary op, const Tensor& a, const Tensor& b, const Tensor& y) override;
  void add_scaled(double factor, const Tensor& x, const Tensor& y) override;
  void dropout_mask(RandomKey key, double keep, const Tensor& y) override;

  void sum_to(const Tensor& x, const Tensor& y, bool accumulate) override;
  void row_dot(const Tensor& a, const Tensor& b, const Tensor& y) override;
  void softmax(const Tensor& x, const Tensor& y) override;
  void softmax_gradient(const Tensor& y, const Tensor& dy, const Tensor& dx, bool accumulate) override;
  void log_sum_exp(const Tensor& x, const Tensor& y) override;
  void gather(const Tensor& x, std::span<const std::int32_t> ids, const Tensor& y) override;
  void add_rows(const Tensor& x, std::span<const std::int32_t> ids, const Tensor& y) override;
  void sum_by_place(const Tensor& x, const IndexList& list, const Tensor& y) override;
  void copy_block(const Tensor& x, Corner from, const Tensor& y, Corner to, std::int64_t rows, std::int64_t cols,
                  bool accumulate) override;

  void matmul(const Operand& a, const Operand& b, const Tensor& y, bool accumulate) override;
  void spmm(const Sparse& s, bool transposed, const Tensor& x, const Tensor& y, bool accumulate) override;
  void spmm_rows(const Sparse& s, bool transposed, std::span<const std::int32_t> rows, const Tensor& x,
                 const Tensor& y) override;
  void spmm_from_rows(const Sparse& s, bool transposed, std::span<const std::int32_t> ids, const Tensor& x,
                      const Tensor& y, bool accumulate) override;

  void adam(const AdamConstants& constants, std::span<const AdamStep> steps, std::int64_t until, const AdamState& state,
            std::span<std::int64_t> done, std::optional<std::span<const std::int32_t>> rows,
            const Tensor* gradient) override;

 private:
  /// What a worker needs for a while; kept, so that steps of training allocate nothing.
  struct Workspace {
    std::vector<float> product;  ///< packed operands and scores
    std::vector<std::int64_t> offsets;
    std::vector<std::int32_t> columns;
    std::vector<float> weights;
  };

  /// Runs body(task, worker) for every task. Workers are started only where each would have enough to do.
  /// @param work  of all tasks together, about as many nanoseconds
  template <class Body>
  void run_tasks(std::int64_t tasks, double work, const Body& body) {
    constexpr double kWorkPerWorker = 30000;  // starting one costs 10 to 20 microseconds
    const auto useful = static_cast<std::int64_t>(std::min(work / kWorkPerWorker, 1e6));
    const auto workers = static_cast<int>(std::min<std::int64_t>({workers_, tasks, useful}));
    if (workers <= 1) {
      for (std::int64_t task = 0; task < tasks; ++task) body(task, 0);
      return;
    }
    detail::Ticker ticker(context_, "cpu_backend", tasks);
    detail::parallel_tasks(workers, tasks, ticker, body);
  }

  /// Runs body(begin, end) over blocks of [0, count).
  /// @param work  of one, in nanoseconds
  template <class Body>
  void run_blocks(std::int64_t count, double work, const Body& body) {
    constexpr double kWorkPerBlock = 20000;
    const auto block = static_cast<std::int64_t>(std::clamp(kWorkPerBlock / work, 1.0, 1e9));
    run_tasks((count + block - 1) / block, static_cast<double>(count) * work,
              [&](std::int64_t task, int /*worker*/) { body(task * block, std::min(count, (task + 1) * block)); });
  }

  Context context_;
  int workers_;
  const detail::kernels::TrainTable& kernels_;
  std::shared_ptr<FloatPool> pool_ = std::make_shared<FloatPool>();
  std::vector<Workspace> workspaces_;
  std::vector<std::int32_t> places_;  ///< of ids among those that take part; all -1 between calls
};

inline float* floats(const Tensor& x) { return static_cast<float*>(x.storage()); }

}  // namespace graft::autodiff
