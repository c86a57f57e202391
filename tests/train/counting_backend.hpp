// A backend that passes everything on and counts what the tape asks for.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "autodiff/backend.hpp"

namespace graft::test {

struct Counts {
  std::int64_t calls = 0;  ///< of anything that computes
  std::int64_t gathers = 0;
  std::int64_t matmuls = 0;
  std::int64_t gathered_matmuls = 0;  ///< with rows of an operand
  std::int64_t spmms = 0;             ///< of whole matrices
  std::int64_t spmm_rows = 0;
  std::int64_t spmm_from_rows = 0;
  std::int64_t live = 0;  ///< elements that are allocated
  std::int64_t peak = 0;
};

class CountingBackend final : public autodiff::Backend {
 public:
  using Tensor = autodiff::Tensor;
  using Sparse = autodiff::Sparse;
  using Ids = std::span<const std::int32_t>;

  explicit CountingBackend(autodiff::Backend& backend) : backend_(backend) {}

  [[nodiscard]] const Counts& counts() const { return *counts_; }
  /// Starts anew; what is allocated stays counted.
  void reset() {
    const std::int64_t live = counts_->live;
    *counts_ = {};
    counts_->live = counts_->peak = live;
  }

  Tensor allocate(std::int64_t rows, std::int64_t cols) override {
    const Tensor inner = backend_.allocate(rows, cols);
    counts_->live += inner.size();
    counts_->peak = std::max(counts_->peak, counts_->live);
    const auto give_back = [inner, counts = counts_](void* /*storage*/) { counts->live -= inner.size(); };
    return {rows, cols, std::shared_ptr<void>(inner.storage(), give_back)};
  }
  void trim() override { backend_.trim(); }
  void upload(const Tensor& y, MatrixView<const float> x) override { backend_.upload(y, x); }
  void upload(const Tensor& y, std::span<const double> x) override { backend_.upload(y, x); }
  void download(const Tensor& x, MatrixView<float> y) override { backend_.download(x, y); }
  std::vector<double> download(const Tensor& x) override { return backend_.download(x); }
  Sparse sparse(autodiff::Csr matrix) override { return backend_.sparse(std::move(matrix)); }

  void fill(const Tensor& y, double value) override { counted().fill(y, value); }
  void map(autodiff::Unary f, double p, const Tensor& x, const Tensor& y) override { counted().map(f, p, x, y); }
  void map_gradient(autodiff::Unary f, double p, const Tensor& x, const Tensor& y, const Tensor& dy, const Tensor& dx,
                    bool accumulate) override {
    counted().map_gradient(f, p, x, y, dy, dx, accumulate);
  }
  void combine(autodiff::Binary op, const Tensor& a, const Tensor& b, const Tensor& y) override {
    counted().combine(op, a, b, y);
  }
  void add_scaled(double factor, const Tensor& x, const Tensor& y) override { counted().add_scaled(factor, x, y); }
  void dropout_mask(autodiff::RandomKey key, double keep, const Tensor& y) override {
    counted().dropout_mask(key, keep, y);
  }

  void sum_to(const Tensor& x, const Tensor& y, bool accumulate) override { counted().sum_to(x, y, accumulate); }
  void row_dot(const Tensor& a, const Tensor& b, const Tensor& y) override { counted().row_dot(a, b, y); }
  void softmax(const Tensor& x, const Tensor& y) override { counted().softmax(x, y); }
  void softmax_gradient(const Tensor& y, const Tensor& dy, const Tensor& dx, bool accumulate) override {
    counted().softmax_gradient(y, dy, dx, accumulate);
  }
  void log_sum_exp(const Tensor& x, const Tensor& y) override { counted().log_sum_exp(x, y); }
  void gather(const Tensor& x, Ids ids, const Tensor& y) override {
    ++counts_->gathers;
    counted().gather(x, ids, y);
  }
  void add_rows(const Tensor& x, Ids ids, const Tensor& y) override { counted().add_rows(x, ids, y); }
  void sum_by_place(const Tensor& x, const autodiff::IndexList& list, const Tensor& y) override {
    counted().sum_by_place(x, list, y);
  }
  void copy_block(const Tensor& x, Corner from, const Tensor& y, Corner to, std::int64_t rows, std::int64_t cols,
                  bool accumulate) override {
    counted().copy_block(x, from, y, to, rows, cols, accumulate);
  }

  void matmul(const autodiff::Operand& a, const autodiff::Operand& b, const Tensor& y, bool accumulate) override {
    ++counts_->matmuls;
    if (a.rows || b.rows) ++counts_->gathered_matmuls;
    counted().matmul(a, b, y, accumulate);
  }
  void spmm(const Sparse& s, bool transposed, const Tensor& x, const Tensor& y, bool accumulate) override {
    ++counts_->spmms;
    counted().spmm(s, transposed, x, y, accumulate);
  }
  void spmm_rows(const Sparse& s, bool transposed, Ids rows, const Tensor& x, const Tensor& y) override {
    ++counts_->spmm_rows;
    counted().spmm_rows(s, transposed, rows, x, y);
  }
  void spmm_from_rows(const Sparse& s, bool transposed, Ids ids, const Tensor& x, const Tensor& y,
                      bool accumulate) override {
    ++counts_->spmm_from_rows;
    counted().spmm_from_rows(s, transposed, ids, x, y, accumulate);
  }

  void adam(const autodiff::AdamConstants& constants, std::span<const autodiff::AdamStep> steps, std::int64_t until,
            const autodiff::AdamState& state, std::span<std::int64_t> done, std::optional<Ids> rows,
            const Tensor* gradient) override {
    counted().adam(constants, steps, until, state, done, rows, gradient);
  }

 private:
  autodiff::Backend& counted() {
    ++counts_->calls;
    return backend_;
  }

  autodiff::Backend& backend_;
  std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();  ///< tensors may outlive the backend
};

}  // namespace graft::test
