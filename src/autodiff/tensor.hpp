// Matrices that live on a backend.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

namespace graft::autodiff {

/// Row-major matrix without padding in the memory, and of the scalar type, of the backend that allocated it; only that
/// backend reads or writes it. Copies share the storage; it goes back to the backend with the last of them.
class Tensor {
 public:
  /// No matrix: 0 x 0.
  Tensor() = default;
  Tensor(std::int64_t rows, std::int64_t cols, std::shared_ptr<void> storage)
      : rows_(rows), cols_(cols), storage_(std::move(storage)) {}

  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::int64_t cols() const { return cols_; }
  [[nodiscard]] std::int64_t size() const { return rows_ * cols_; }
  /// Whether another Tensor has the same storage.
  [[nodiscard]] bool shared() const { return storage_.use_count() > 1; }
  /// For the backend alone.
  [[nodiscard]] void* storage() const { return storage_.get(); }
  /// Whether there is a matrix at all (it may be empty).
  explicit operator bool() const { return storage_ != nullptr; }

 private:
  std::int64_t rows_ = 0;
  std::int64_t cols_ = 0;
  std::shared_ptr<void> storage_;
};

inline bool same_shape(const Tensor& a, const Tensor& b) { return a.rows() == b.rows() && a.cols() == b.cols(); }

}  // namespace graft::autodiff
