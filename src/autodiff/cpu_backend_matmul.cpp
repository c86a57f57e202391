// Dense products: both operands are packed tile by tile for the operators' micro-kernel.
//
// A tile of the result has one side in micro rows and the other in panels, which are several times as wide; the side
// that wastes less padding gets the micro rows, so that a product with 64 columns does not pay for 96.
#include <algorithm>
#include <array>
#include <cassert>

#include <graft/detail/checked.hpp>

#include "autodiff/cpu_backend.hpp"

namespace graft::autodiff {
namespace {

using detail::as_size;
using detail::kernels::kTileRows;
using detail::kernels::TrainTable;

/// Inner indices that are packed at once: both sides and the scores then stay in a second-level cache.
constexpr std::int64_t kDepth = 256;

/// A packed operand of a tile, and the tile's scores.
constexpr std::int64_t kPackedFloats = kTileRows * kDepth;
constexpr std::int64_t kScoreFloats = std::int64_t{kTileRows} * kTileRows;

constexpr std::array<float, kDepth> kPadding{};

std::int64_t round_up(std::int64_t value, std::int64_t unit) { return (value + unit - 1) / unit * unit; }

struct Range {
  std::int64_t begin;
  std::int64_t count;
};

Range tile_range(std::int64_t tile, std::int64_t size) {
  const std::int64_t begin = tile * kTileRows;
  return {begin, std::min<std::int64_t>(kTileRows, size - begin)};
}

/// One factor as a set of lines along the inner index: rows of op(a), columns of op(b).
class Lines {
 public:
  /// @param lines_are_rows  whether a line is a row of the tensor (its values follow each other) or a column
  Lines(const Operand& operand, bool lines_are_rows)
      : data_(floats(operand.tensor)),
        stride_(operand.tensor.cols()),
        rows_(operand.rows),
        lines_are_rows_(lines_are_rows),
        stored_rows_(rows_ ? static_cast<std::int64_t>(rows_->size()) : operand.tensor.rows()) {}

  [[nodiscard]] std::int64_t count() const { return lines_are_rows_ ? stored_rows_ : stride_; }
  [[nodiscard]] std::int64_t depth() const { return lines_are_rows_ ? stride_ : stored_rows_; }

  /// Packs some lines at some inner indices, at most kDepth: whole panels, padded with zeros.
  void pack(const TrainTable& kernels, Range lines, Range inner, float* out) const {
    if (!lines_are_rows_) {
      std::array<const float*, kDepth> rows{};
      for (std::int64_t k = 0; k < inner.count; ++k) rows[as_size(k)] = row(inner.begin + k) + lines.begin;
      kernels.pack(rows.data(), inner.count, static_cast<int>(lines.count), out);
      return;
    }
    std::array<const float*, kTileRows> starts{};
    for (std::int64_t l = 0; l < kTileRows; ++l) {
      starts[as_size(l)] = l < lines.count ? row(lines.begin + l) + inner.begin : kPadding.data();
    }
    const int panel = kernels.panel_rows;
    for (std::int64_t l = 0; l < lines.count; l += panel) {
      kernels.transpose(starts.data() + l, panel, inner.count, out + l * inner.count, panel);
    }
  }

 private:
  [[nodiscard]] const float* row(std::int64_t r) const {
    return data_ + (rows_ ? std::int64_t{(*rows_)[as_size(r)]} : r) * stride_;
  }

  const float* data_;
  std::int64_t stride_;
  std::optional<std::span<const std::int32_t>> rows_;
  bool lines_are_rows_;
  std::int64_t stored_rows_;
};

/// One product, tile by tile.
class Product {
 public:
  Product(const TrainTable& kernels, const Operand& a, const Operand& b, const Tensor& y, bool accumulate)
      : kernels_(kernels), rows_(a, !a.transposed), columns_(b, b.transposed), y_(y), accumulate_(accumulate) {
    assert(rows_.depth() == columns_.depth() && y.rows() == rows_.count() && y.cols() == columns_.count());
    turned_ = padded(y.cols(), y.rows()) < padded(y.rows(), y.cols());
    if (turned_) std::swap(rows_, columns_);
  }

  static constexpr std::int64_t kWorkspace = 2 * kPackedFloats + 2 * kScoreFloats;

  [[nodiscard]] std::int64_t tiles() const { return row_tiles() * column_tiles(); }

  [[nodiscard]] std::int64_t depth() const { return rows_.depth(); }

  /// Computes tile number `tile` of the result.
  void compute(std::int64_t tile, float* space) const {
    const Range row = tile_range(tile % row_tiles(), rows_.count());
    const Range column = tile_range(tile / row_tiles(), columns_.count());
    float* row_panels = space;
    float* column_panels = row_panels + kPackedFloats;
    float* scores = column_panels + kPackedFloats;
    const auto micro_rows = static_cast<int>(round_up(row.count, kernels_.micro_rows));
    const auto panels = static_cast<int>(round_up(column.count, kernels_.panel_rows) / kernels_.panel_rows);
    std::int64_t from = 0;
    do {  // once even where the sums are empty: they are 0 then
      const std::int64_t depth = std::min(kDepth, rows_.depth() - from);
      rows_.pack(kernels_, row, {from, depth}, row_panels);
      columns_.pack(kernels_, column, {from, depth}, column_panels);
      kernels_.product(row_panels, micro_rows, column_panels, panels, depth, from > 0, scores);
      from += kDepth;
    } while (from < rows_.depth());
    if (!turned_) return write(scores, row, column);
    std::array<const float*, kTileRows> lines{};
    for (std::int64_t r = 0; r < kTileRows; ++r) lines[as_size(r)] = scores + r * kTileRows;
    float* turned = scores + kScoreFloats;
    kernels_.transpose(lines.data(), static_cast<int>(round_up(row.count, 16)), column.count, turned, kTileRows);
    // NOLINTNEXTLINE(readability-suspicious-call-argument): turned round
    write(turned, column, row);
  }

 private:
  [[nodiscard]] std::int64_t row_tiles() const { return (rows_.count() + kTileRows - 1) / kTileRows; }
  [[nodiscard]] std::int64_t column_tiles() const { return (columns_.count() + kTileRows - 1) / kTileRows; }
  [[nodiscard]] std::int64_t padded(std::int64_t micro_side, std::int64_t panel_side) const {
    return round_up(micro_side, kernels_.micro_rows) * round_up(panel_side, kernels_.panel_rows);
  }

  void write(const float* tile, Range rows, Range columns) const {
    for (std::int64_t r = 0; r < rows.count; ++r) {
      float* to = floats(y_) + (rows.begin + r) * y_.cols() + columns.begin;
      if (accumulate_) {
        kernels_.add_scaled(1.0F, tile + r * kTileRows, to, columns.count);
      } else {
        std::copy_n(tile + r * kTileRows, columns.count, to);
      }
    }
  }

  const TrainTable& kernels_;
  Lines rows_;     ///< in micro rows
  Lines columns_;  ///< in panels
  const Tensor& y_;
  bool accumulate_;
  bool turned_ = false;  ///< micro rows are columns of the result
};

}  // namespace

void CpuBackend::matmul(const Operand& a, const Operand& b, const Tensor& y, bool accumulate) {
  constexpr double kNanosecondsPerProduct = 0.03;
  const Product product(kernels_, a, b, y, accumulate);
  const double work =
      kNanosecondsPerProduct * static_cast<double>(y.size()) * static_cast<double>(product.depth() + 16);
  run_tasks(product.tiles(), work, [&](std::int64_t tile, int worker) {
    std::vector<float>& space = workspaces_[as_size(worker)].product;
    space.resize(as_size(Product::kWorkspace));
    product.compute(tile, space.data());
  });
}

}  // namespace graft::autodiff
