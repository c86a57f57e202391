#include "autodiff/host_sparse.hpp"

#include <cassert>
#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include <graft/core/error.hpp>
#include <graft/detail/checked.hpp>

namespace graft::autodiff {
namespace {

using detail::as_size;

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

Sparse host_sparse(Csr matrix) {
  assert(matrix.row_offsets.size() == as_size(matrix.rows) + 1 && matrix.columns.size() == matrix.weights.size());
  const std::int64_t rows = matrix.rows;
  const std::int64_t cols = matrix.cols;
  try {
    Csr transposed = transpose(matrix);
    return {rows, cols, std::make_shared<const HostSparse>(HostSparse{std::move(matrix), std::move(transposed)})};
  } catch (const std::bad_alloc&) {
    throw OutOfMemory(
        detail::message("sparse", "rows", std::to_string(rows), "the system refused the memory of the transpose"));
  }
}

const Csr& oriented(const Sparse& s, bool transposed) {
  const auto& both = *static_cast<const HostSparse*>(s.storage());
  return transposed ? both.transposed : both.forward;
}

}  // namespace graft::autodiff
