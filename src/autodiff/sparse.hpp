// Constant sparse matrices of a backend.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace graft::autodiff {

/// A constant sparse matrix in host memory: CSR, columns ascending within a row.
struct Csr {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::vector<std::int64_t> row_offsets = {0};  ///< [rows + 1]
  std::vector<std::int32_t> columns = {};
  std::vector<float> weights = {};
};

/// The same on a backend, with its stored transpose: most graphs here are not symmetric, and both directions are needed
/// at every step. Made by Backend::sparse; copies share.
class Sparse {
 public:
  Sparse() = default;
  Sparse(std::int64_t rows, std::int64_t cols, std::shared_ptr<const void> storage)
      : rows_(rows), cols_(cols), storage_(std::move(storage)) {}

  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::int64_t cols() const { return cols_; }
  /// For the backend alone.
  [[nodiscard]] const void* storage() const { return storage_.get(); }
  explicit operator bool() const { return storage_ != nullptr; }

 private:
  std::int64_t rows_ = 0;
  std::int64_t cols_ = 0;
  std::shared_ptr<const void> storage_;
};

}  // namespace graft::autodiff
