// Body of ops/top_k.hpp, and the same selection for ready similarity graphs.
#pragma once

#include <algorithm>
#include <cstdint>

#include <graft/detail/csr_build.hpp>
#include <graft/detail/row_selection.hpp>
#include <graft/ops/top_k.hpp>
#include <graft/ops/types.hpp>

namespace graft {
namespace detail {

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

}  // namespace detail

GRAFT_INLINE Graph top_k(GraphInput graph, std::int64_t k, const Context& context) {
  detail::check_k("top_k", k);
  const auto make_count = [&] { return [&](std::int64_t row) { return std::min(k, graph.row_size(row)); }; };
  const auto make_fill = [&] {
    return [&, selection = detail::RowSelection()](std::int64_t row, std::int32_t* columns, float* weights) mutable {
      selection.select(graph.row_columns(row), graph.row_weights(row), k, columns, weights);
    };
  };
  return detail::build_graph(context, "top_k", graph.items, make_count, make_fill);
}

}  // namespace graft
