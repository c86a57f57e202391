// The float backend's products against the reference's: dense with every kind of operand, sparse in all four forms.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "autodiff/backend.hpp"
#include "backend_runs.hpp"

namespace backend_products_test {
namespace {

using graft::autodiff::Backend;
using graft::autodiff::cpu_backend;
using graft::autodiff::Csr;
using graft::autodiff::IndexList;
using graft::autodiff::Indices;
using graft::autodiff::Operand;
using graft::autodiff::Sparse;
using graft::autodiff::Tensor;
using graft::test::check_alike;
using graft::test::draw;
using graft::test::Random;
using graft::test::some_floats;
using graft::test::some_tensor;
using graft::test::Values;

/// op(a) is [rows, inner], op(b) is [inner, cols].
struct Sizes {
  std::int64_t rows;
  std::int64_t inner;
  std::int64_t cols;
};

std::vector<std::int32_t> some_ids(std::int64_t count, std::int64_t bound, std::uint64_t number) {
  Random random(number);
  std::vector<std::int32_t> ids;
  for (std::int64_t p = 0; p < count; ++p) ids.push_back(static_cast<std::int32_t>(draw(random, 0, bound - 1)));
  return ids;
}

/// A factor of stored shape [rows, cols] before transposing, or such rows picked from a larger matrix.
struct Factor {
  Tensor tensor;
  std::vector<std::int32_t> ids;
  bool gathered;

  Factor(Backend& backend, std::int64_t rows, std::int64_t cols, bool pick, std::uint64_t number) : gathered(pick) {
    const std::int64_t stored = pick ? rows / 2 + 3 : rows;  // fewer than are picked: rows come repeatedly
    tensor = some_tensor(backend, stored, cols, number);
    if (pick) ids = some_ids(rows, stored, number + 100);
  }
  [[nodiscard]] Operand operand(bool transposed) const {
    if (!gathered) return {tensor, transposed};
    return {tensor, transposed, std::span<const std::int32_t>(ids)};
  }
};

Values product(Backend& backend, const Sizes& sizes, int kind) {
  const bool a_transposed = (kind & 1) != 0;
  const bool b_transposed = (kind & 2) != 0;
  const Factor a(backend, a_transposed ? sizes.inner : sizes.rows, a_transposed ? sizes.rows : sizes.inner,
                 (kind & 4) != 0, 1);
  const Factor b(backend, b_transposed ? sizes.cols : sizes.inner, b_transposed ? sizes.inner : sizes.cols,
                 (kind & 8) != 0, 2);
  const Tensor y = backend.allocate(sizes.rows, sizes.cols);
  backend.fill(y, std::nan(""));
  backend.matmul(a.operand(a_transposed), b.operand(b_transposed), y, false);
  backend.matmul(a.operand(a_transposed), b.operand(b_transposed), y, true);
  return backend.download(y);
}

constexpr int kKinds = 16;

/// Of sums of up to 600 products below 1 in float, one after the other.
constexpr double kTolerance = 1e-4;

TEST_CASE("matmul: both sides plain, transposed or gathered, written and added, at sizes around the tiles'") {
  constexpr std::array<std::int64_t, 9> kSizes{1, 2, 8, 47, 63, 64, 65, 192, 193};
  Random random(3);
  const auto size = [&] { return kSizes[static_cast<std::size_t>(draw(random, 0, kSizes.size() - 1))]; };
  for (int number = 0; number < 60; ++number) {
    const Sizes sizes{size(), number % 10 == 0 ? 600 : size(), size()};
    CAPTURE(sizes.rows);
    CAPTURE(sizes.inner);
    CAPTURE(sizes.cols);
    CAPTURE(number);
    check_alike([&](Backend& backend) { return product(backend, sizes, number % kKinds); }, kTolerance);
  }
}

TEST_CASE("matmul: many tiles over several threads, with either side in micro rows") {
  for (const Sizes& sizes : {Sizes{700, 300, 64}, Sizes{64, 257, 900}, Sizes{400, 70, 500}}) {
    for (const int kind : {0, 2, 7, 12}) {
      check_alike([&](Backend& backend) { return product(backend, sizes, kind); }, kTolerance);
    }
  }
}

TEST_CASE("matmul: empty sides and empty sums") {
  for (const Sizes& sizes : {Sizes{0, 3, 4}, Sizes{3, 4, 0}, Sizes{5, 0, 6}, Sizes{0, 0, 0}}) {
    for (const int kind : {0, 1, 2, 3}) {
      check_alike([&](Backend& backend) { return product(backend, sizes, kind); }, kTolerance);
    }
  }
}

TEST_CASE("matmul: an element is the same number wherever it stands in the result") {
  // One sum over ascending inner index, whatever the tile and whichever side is in micro rows.
  const auto backend = cpu_backend(2);
  const Tensor a = some_tensor(*backend, 300, 500, 1);
  const Tensor b = some_tensor(*backend, 500, 64, 2);
  const Tensor whole = backend->allocate(300, 64);
  const Tensor turned = backend->allocate(64, 300);
  const Tensor one = backend->allocate(1, 1);
  backend->matmul({a}, {b}, whole, false);
  backend->matmul({b, true}, {a, true}, turned, false);
  const Values values = backend->download(whole);
  const Values turned_values = backend->download(turned);
  for (const std::int64_t r : {0, 7, 48, 191, 192, 299}) {
    for (const std::int64_t c : {0, 8, 47, 63}) {
      const Tensor column = backend->allocate(500, 1);
      backend->copy_block(b, {0, c}, column, {0, 0}, 500, 1, false);
      const std::vector<std::int32_t> row{static_cast<std::int32_t>(r)};
      backend->matmul({a, false, std::span<const std::int32_t>(row)}, {column}, one, false);
      CHECK(backend->download(one)[0] == values[static_cast<std::size_t>(r * 64 + c)]);
      CHECK(turned_values[static_cast<std::size_t>(c * 300 + r)] == values[static_cast<std::size_t>(r * 64 + c)]);
    }
  }
}

/// Rows of uneven lengths; some are empty.
Csr some_matrix(std::int64_t rows, std::int64_t cols, std::int64_t most, std::uint64_t number) {
  Random random(number);
  Csr matrix;
  matrix.rows = rows;
  matrix.cols = cols;
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t degree = draw(random, 0, 3) == 0 ? 0 : draw(random, 0, most);
    std::int64_t column = -1;
    for (std::int64_t e = 0; e < degree; ++e) {
      column += draw(random, 1, std::max<std::int64_t>(1, 2 * cols / (degree + 1)));
      if (column >= cols) break;
      matrix.columns.push_back(static_cast<std::int32_t>(column));
    }
    matrix.row_offsets.push_back(static_cast<std::int64_t>(matrix.columns.size()));
  }
  matrix.weights = some_floats(static_cast<std::int64_t>(matrix.columns.size()), number + 1);
  return matrix;
}

/// All sparse products with a matrix and its transpose.
Values sparse_products(Backend& backend, const Csr& matrix, std::int64_t cols, bool transposed) {
  const Sparse s = backend.sparse(matrix);
  const std::int64_t rows_out = transposed ? matrix.cols : matrix.rows;
  const std::int64_t rows_in = transposed ? matrix.rows : matrix.cols;
  const Tensor x = some_tensor(backend, rows_in, cols, 1);
  const Tensor y = backend.allocate(rows_out, cols);
  backend.fill(y, std::nan(""));
  backend.spmm(s, transposed, x, y, false);
  backend.spmm(s, transposed, x, y, true);
  Values result = backend.download(y);
  const auto append = [&](const Tensor& tensor) {
    const Values more = backend.download(tensor);
    result.insert(result.end(), more.begin(), more.end());
  };
  const Indices out = IndexList::make(some_ids(rows_out / 3 + 1, rows_out, 4), rows_out);
  const Tensor rows = backend.allocate(out->size(), cols);
  backend.spmm_rows(s, transposed, out->ids(), x, rows);
  append(rows);
  const Indices in = IndexList::make(some_ids(rows_in / 3 + 1, rows_in, 5), rows_in);
  const Tensor part = some_tensor(backend, static_cast<std::int64_t>(in->distinct().size()), cols, 6);
  backend.spmm_from_rows(s, transposed, in->distinct(), part, y, true);
  append(y);
  backend.spmm_from_rows(s, transposed, in->distinct(), part, y, false);
  append(y);
  backend.spmm_from_rows(s, transposed, {}, backend.allocate(0, cols), y, false);
  append(y);
  return result;
}

TEST_CASE("spmm, spmm_rows, spmm_from_rows: both directions, written and added, at every width") {
  const Csr small = some_matrix(60, 45, 20, 7);
  for (const std::int64_t cols : {1, 3, 15, 16, 17, 63, 64, 65, 128, 193}) {
    CAPTURE(cols);
    for (const bool transposed : {false, true}) {
      check_alike([&](Backend& backend) { return sparse_products(backend, small, cols, transposed); });
    }
  }
}

TEST_CASE("spmm: many uneven rows over several threads") {
  Csr matrix = some_matrix(9000, 5000, 30, 8);
  for (const bool transposed : {false, true}) {
    check_alike([&](Backend& backend) { return sparse_products(backend, matrix, 64, transposed); });
  }
}

TEST_CASE("spmm: a matrix without edges gives zeros") {
  Csr matrix;
  matrix.rows = 4;
  matrix.cols = 3;
  matrix.row_offsets.assign(5, 0);
  for (const bool transposed : {false, true}) {
    check_alike([&](Backend& backend) { return sparse_products(backend, matrix, 5, transposed); });
  }
}

}  // namespace
}  // namespace backend_products_test
