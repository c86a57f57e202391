// The k best neighbours of a ready similarity graph.
#pragma once

#include <cstdint>

#include <graft/detail/csr_build.hpp>
#include <graft/detail/row_selection.hpp>
#include <graft/ops/types.hpp>

namespace graft::detail {

/// The neighbours that `refine` takes from a ready similarity graph. Self::drop: the k best others of every row, a
/// stored diagonal ignored. Self::keep: self first, with weight exactly 1 whether stored or not, and the k - 1 best
/// others.
inline Graph select_neighbours(const GraphView& similarity, std::int64_t k, Self self, const Context& context) {
  check_k("refine", k);
  const auto diagonal = [self](std::int64_t row) {
    return RowSelection::Diagonal{as_id(row), self == Self::keep, 1.0F};
  };
  const auto make_count = [&] {
    return [&](std::int64_t row) { return RowSelection::count(similarity.row_columns(row), k, diagonal(row)); };
  };
  const auto make_fill = [&] {
    return [&, selection = RowSelection()](std::int64_t row, std::int32_t* columns, float* weights) mutable {
      selection.select(similarity.row_columns(row), similarity.row_weights(row), k, diagonal(row), columns, weights);
    };
  };
  return build_graph(context, "refine", similarity.items, make_count, make_fill);
}

}  // namespace graft::detail
