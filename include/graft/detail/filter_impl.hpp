// Bodies of ops/threshold.hpp and ops/drop_self_loops.hpp.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include <graft/core/error.hpp>
#include <graft/detail/csr_build.hpp>
#include <graft/detail/graph_steps_on_device.hpp>
#include <graft/ops/drop_self_loops.hpp>
#include <graft/ops/threshold.hpp>

namespace graft {
namespace detail {

/// Keeps the edges for which keep(row, column, weight) holds.
template <class Keep>
Graph filter_edges(const Context& context, const char* operation, const GraphView& graph, const Keep& keep) {
  const auto make_count = [&] {
    return [&](std::int64_t row) {
      std::int64_t kept = 0;
      for (std::int64_t e = graph.row_begin(row); e < graph.row_end(row); ++e) {
        kept += keep(row, graph.columns[as_size(e)], graph.weights[as_size(e)]) ? 1 : 0;
      }
      return kept;
    };
  };
  const auto make_fill = [&] {
    return [&](std::int64_t row, std::int32_t* columns, float* weights) {
      for (std::int64_t e = graph.row_begin(row); e < graph.row_end(row); ++e) {
        const std::int32_t column = graph.columns[as_size(e)];
        const float weight = graph.weights[as_size(e)];
        if (!keep(row, column, weight)) continue;
        *columns++ = column;
        *weights++ = weight;
      }
    };
  };
  return build_graph(context, operation, graph.items, make_count, make_fill);
}

inline void check_threshold(float min_similarity) {
  if (std::isfinite(min_similarity)) return;
  throw InvalidArgument(message("threshold", "min_similarity", std::to_string(min_similarity), "must be finite"));
}

inline cuda::GraphCall threshold_step(float min_similarity) {
  return {.step = cuda::GraphStep::threshold, .value = min_similarity};
}

}  // namespace detail

GRAFT_INLINE Graph threshold(GraphInput graph, float min_similarity, const Context& context) {
  detail::check_threshold(min_similarity);
  if (detail::names_device(context)) {
    return detail::run_host_step("threshold", graph, detail::threshold_step(min_similarity), "", context);
  }
  return detail::filter_edges(context, "threshold", graph, [min_similarity](std::int64_t, std::int32_t, float weight) {
    return weight >= min_similarity;
  });
}

GRAFT_INLINE Graph drop_self_loops(GraphInput graph, const Context& context) {
  if (detail::names_device(context)) {
    return detail::run_host_step("drop_self_loops", graph, {.step = detail::cuda::GraphStep::drop_self_loops}, "",
                                 context);
  }
  return detail::filter_edges(context, "drop_self_loops", graph,
                              [](std::int64_t row, std::int32_t column, float) { return column != row; });
}

}  // namespace graft
