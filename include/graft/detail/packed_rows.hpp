// Feature rows made ready for the score kernels: checked, scaled, packed.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <graft/core/context.hpp>
#include <graft/core/matrix_view.hpp>
#include <graft/detail/checked.hpp>
#include <graft/detail/csr_build.hpp>
#include <graft/detail/kernels/table.hpp>
#include <graft/detail/parallel.hpp>
#include <graft/ops/types.hpp>

namespace graft::detail {

/// Sum of squares in double, in a fixed order; finite exactly if every element is.
inline double squared_norm(const float* row, std::int64_t dims) {
  constexpr int kLanes = 8;
  double lanes[kLanes] = {};
  std::int64_t k = 0;
  for (; k + kLanes <= dims; k += kLanes) {
    for (int l = 0; l < kLanes; ++l) {
      const double x = row[k + l];
      lanes[l] += x * x;
    }
  }
  double sum = 0.0;
  for (const double lane : lanes) sum += lane;
  for (; k < dims; ++k) {
    const double x = row[k];
    sum += x * x;
  }
  return sum;
}

[[noreturn]] inline void throw_not_finite(const char* operation, const char* argument,
                                          const MatrixView<const float>& matrix, std::int64_t row) {
  std::int64_t column = 0;
  while (std::isfinite(matrix(row, column))) ++column;
  throw InvalidArgument(
      message(operation, std::string(argument) + " row " + std::to_string(row) + ", column " + std::to_string(column),
              std::to_string(matrix(row, column)), "must be finite"));
}

/// Euclidean norm of every row. @throws InvalidArgument naming the first row that is not finite
inline std::vector<double> row_norms(const char* operation, const char* argument, const MatrixView<const float>& matrix,
                                     const Context& context) {
  std::vector<double> norms = make_vector<double>(operation, matrix.rows());
  FirstRow bad;
  parallel_rows(without_progress(context), operation, matrix.rows(), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const double norm = std::sqrt(squared_norm(matrix.row(r), matrix.cols()));
      norms[as_size(r)] = norm;
      if (!std::isfinite(norm)) bad.report(r);
    }
  });
  if (bad.found()) throw_not_finite(operation, argument, matrix, bad.row());
  return norms;
}

/// The norms of a matrix, and what the caller calls it.
struct NamedNorms {
  const char* argument;
  const std::vector<double>& norms;
};

/// Products of rows with these norms must not overflow float32 on the way: |<x, y>| <= |x| |y| bounds every partial
/// sum. @throws InvalidArgument naming the largest row
inline void check_products_fit(const char* operation, Metric metric, const NamedNorms& a, const NamedNorms& b) {
  if (metric == Metric::cosine || a.norms.empty() || b.norms.empty()) return;
  const auto largest_a = std::max_element(a.norms.begin(), a.norms.end());
  const auto largest_b = std::max_element(b.norms.begin(), b.norms.end());
  const double sum = *largest_a + *largest_b;
  const double bound = metric == Metric::dot ? *largest_a * *largest_b : sum * sum;
  if (bound < 0.99 * static_cast<double>(std::numeric_limits<float>::max())) return;
  const bool first = *largest_a >= *largest_b;
  const std::int64_t row = first ? largest_a - a.norms.begin() : largest_b - b.norms.begin();
  throw InvalidArgument(
      message(operation, "norm of " + std::string(first ? a.argument : b.argument) + " row " + std::to_string(row),
              std::to_string(std::max(*largest_a, *largest_b)),
              "its products could overflow float32; scale the values down or use cosine"));
}

/// Rows of a matrix in blocks of kTileRows, packed on demand in panels of the kernels' width.
class PackedRows {
 public:
  /// @param order  the row at each place; none: as they are
  PackedRows(const MatrixView<const float>& matrix, const std::vector<double>& norms, Metric metric, int panel_rows,
             std::span<const std::int32_t> order = {})
      : matrix_(matrix), norms_(&norms), metric_(metric), panel_rows_(panel_rows), order_(order) {}

  static std::int64_t block_floats(std::int64_t dims) {
    return saturating_multiply(kernels::kTileRows, std::max<std::int64_t>(dims, 1));
  }
  [[nodiscard]] int rows_in(std::int64_t block) const {
    return static_cast<int>(std::min<std::int64_t>(kernels::kTileRows, matrix_.rows() - block * kernels::kTileRows));
  }
  [[nodiscard]] int panels_in(std::int64_t block) const { return (rows_in(block) + panel_rows_ - 1) / panel_rows_; }
  /// Packed dimensions: at least one, so that padding is NaN even for features without dimensions.
  [[nodiscard]] std::int64_t dims() const { return std::max<std::int64_t>(matrix_.cols(), 1); }

  /// Packs a block; with cosine, rows are divided by their norm. Rows without a direction (zero norm under cosine) and
  /// padding become NaN, so that no comparison ever lets a score of theirs through.
  void pack(std::int64_t block, float* out) const {
    const int rows = rows_in(block);
    for (int r = 0; r < panels_in(block) * panel_rows_; ++r) {
      float* column = out + (r / panel_rows_) * dims() * panel_rows_ + r % panel_rows_;
      pack_row(r < rows ? row_at(block * kernels::kTileRows + r) : -1, column);
    }
  }

 private:
  [[nodiscard]] std::int64_t row_at(std::int64_t place) const {
    return order_.empty() ? place : order_[as_size(place)];
  }

  void pack_row(std::int64_t row, float* out) const {
    if (row < 0 || (metric_ == Metric::cosine && (*norms_)[as_size(row)] == 0.0)) {
      for (std::int64_t k = 0; k < dims(); ++k) out[k * panel_rows_] = std::numeric_limits<float>::quiet_NaN();
      return;
    }
    const std::int64_t dims = matrix_.cols();
    if (dims == 0) out[0] = 0.0F;
    const float* in = matrix_.row(row);
    if (metric_ != Metric::cosine) {
      for (std::int64_t k = 0; k < dims; ++k) out[k * panel_rows_] = in[k];
      return;
    }
    const double inverse = 1.0 / (*norms_)[as_size(row)];
    for (std::int64_t k = 0; k < dims; ++k) out[k * panel_rows_] = static_cast<float>(in[k] * inverse);
  }

  MatrixView<const float> matrix_;
  const std::vector<double>* norms_;
  Metric metric_;
  int panel_rows_;
  std::span<const std::int32_t> order_;
};

}  // namespace graft::detail
