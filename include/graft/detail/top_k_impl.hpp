// Body of ops/top_k.hpp.
#pragma once

#include <algorithm>
#include <cstdint>

#include <graft/detail/csr_build.hpp>
#include <graft/detail/graph_steps_on_device.hpp>
#include <graft/detail/row_selection.hpp>
#include <graft/ops/top_k.hpp>

namespace graft {
namespace detail {

inline cuda::GraphCall top_k_step(std::int64_t k) { return {.step = cuda::GraphStep::top_k, .k = k}; }

}  // namespace detail

GRAFT_INLINE Graph top_k(GraphInput graph, std::int64_t k, const Context& context) {
  detail::check_k("top_k", k);
  if (detail::names_device(context)) return detail::run_host_step("top_k", graph, detail::top_k_step(k), "", context);
  const auto make_count = [&] { return [&](std::int64_t row) { return std::min(k, graph.row_size(row)); }; };
  const auto make_fill = [&] {
    return [&, selection = detail::RowSelection()](std::int64_t row, std::int32_t* columns, float* weights) mutable {
      selection.select(graph.row_columns(row), graph.row_weights(row), k, columns, weights);
    };
  };
  return detail::build_graph(context, "top_k", graph.items, make_count, make_fill);
}

}  // namespace graft
