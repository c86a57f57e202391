// Dense row-major matrices: a non-owning view and a small owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/core/in.hpp>

namespace graft {

/// Non-owning dense matrix, row-major: element (r, c) is `data[r * stride + c]`. Copies nothing, owns nothing.
template <class T>
class MatrixView {
 public:
  MatrixView() = default;

  /// @param data    first element; may be null only if the matrix is empty
  /// @param rows, cols  sizes, >= 0
  /// @param stride  elements between the starts of two rows, >= cols; defaults to cols
  /// @throws InvalidArgument on a negative size, a stride below cols, or null data of a non-empty matrix
  MatrixView(T* data, std::int64_t rows, std::int64_t cols, std::int64_t stride)
      : data_(data), rows_(rows), cols_(cols), stride_(stride) {
    if (rows < 0) {
      throw InvalidArgument(detail::message("MatrixView", "rows", std::to_string(rows), "must be >= 0"));
    }
    if (cols < 0) {
      throw InvalidArgument(detail::message("MatrixView", "cols", std::to_string(cols), "must be >= 0"));
    }
    if (stride < cols) {
      throw InvalidArgument(
          detail::message("MatrixView", "stride", std::to_string(stride), "must be >= cols = " + std::to_string(cols)));
    }
    if (data == nullptr && rows > 0 && cols > 0) {
      throw InvalidArgument(detail::message("MatrixView", "data", "null", "must point to rows * stride elements"));
    }
    std::int64_t elements = 0;
    if (__builtin_mul_overflow(rows, stride, &elements) ||
        elements > static_cast<std::int64_t>(PTRDIFF_MAX / sizeof(T))) {
      throw InvalidArgument(
          detail::message("MatrixView", "rows", std::to_string(rows), "rows * stride must be addressable in 64 bits"));
    }
  }
  MatrixView(T* data, std::int64_t rows, std::int64_t cols) : MatrixView(data, rows, cols, cols) {}

  /// A mutable view converts to a const one.
  template <class U>
    requires(std::is_const_v<T> && std::is_same_v<std::remove_const_t<T>, U>)
  // NOLINTNEXTLINE(google-explicit-constructor): as a pointer to non-const converts
  MatrixView(const MatrixView<U>& other)
      : data_(other.data()), rows_(other.rows()), cols_(other.cols()), stride_(other.stride()) {}

  [[nodiscard]] T* data() const { return data_; }
  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::int64_t cols() const { return cols_; }
  [[nodiscard]] std::int64_t stride() const { return stride_; }
  [[nodiscard]] T* row(std::int64_t r) const { return data_ + r * stride_; }
  [[nodiscard]] T& operator()(std::int64_t r, std::int64_t c) const { return data_[r * stride_ + c]; }

 private:
  T* data_ = nullptr;
  std::int64_t rows_ = 0;
  std::int64_t cols_ = 0;
  std::int64_t stride_ = 0;
};

/// Owning dense row-major float32 matrix without padding between rows.
class Matrix {
 public:
  Matrix() = default;

  /// Zero-filled. @throws InvalidArgument on negative sizes, OutOfMemory
  Matrix(std::int64_t rows, std::int64_t cols) : rows_(rows), cols_(cols) {
    const std::int64_t elements = checked_elements(rows, cols);
    try {
      values_.resize(static_cast<std::size_t>(elements));
    } catch (const std::exception&) {
      throw OutOfMemory(detail::message("Matrix", "rows * cols", std::to_string(elements),
                                        "the system refused " + std::to_string(elements) + " floats"));
    }
  }

  /// Takes `values` over. @throws InvalidArgument unless values.size() == rows * cols
  Matrix(std::int64_t rows, std::int64_t cols, std::vector<float> values)
      : rows_(rows), cols_(cols), values_(std::move(values)) {
    const std::int64_t elements = checked_elements(rows, cols);
    if (static_cast<std::int64_t>(values_.size()) != elements) {
      throw InvalidArgument(detail::message("Matrix", "values", std::to_string(values_.size()) + " elements",
                                            "must be rows * cols = " + std::to_string(elements)));
    }
  }

  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::int64_t cols() const { return cols_; }
  [[nodiscard]] std::span<const float> values() const& { return values_; }
  [[nodiscard]] float operator()(std::int64_t r, std::int64_t c) const {
    return values_[static_cast<std::size_t>(r * cols_ + c)];
  }

  [[nodiscard]] MatrixView<const float> view() const& { return {values_.data(), rows_, cols_}; }
  MatrixView<const float> view() const&& = delete;
  [[nodiscard]] MatrixView<float> mutable_view() & { return {values_.data(), rows_, cols_}; }
  // NOLINTNEXTLINE(google-explicit-constructor): an owner reads as its view
  operator MatrixView<const float>() const& { return view(); }
  operator MatrixView<const float>() const&& = delete;  ///< would dangle

 private:
  static std::int64_t checked_elements(std::int64_t rows, std::int64_t cols) {
    std::int64_t elements = 0;
    if (rows < 0 || cols < 0 || __builtin_mul_overflow(rows, cols, &elements) ||
        elements > static_cast<std::int64_t>(PTRDIFF_MAX / sizeof(float))) {
      throw InvalidArgument(detail::message("Matrix", "rows, cols", std::to_string(rows) + ", " + std::to_string(cols),
                                            "must be >= 0 with a product addressable in 64 bits"));
    }
    return elements;
  }

  std::int64_t rows_ = 0;
  std::int64_t cols_ = 0;
  std::vector<float> values_;
};

/// Dense features as operators take them: [items, dims] row-major float32 on the host.
using Features = In<MatrixView<const float>>;

}  // namespace graft
