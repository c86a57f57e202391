// Bodies of ops/binarize.hpp and ops/scale.hpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/detail/csr_build.hpp>
#include <graft/detail/graph_steps_on_device.hpp>
#include <graft/ops/binarize.hpp>
#include <graft/ops/scale.hpp>

namespace graft {
namespace detail {

inline constexpr const char* kScaledMustBe = "must stay finite in float32 when multiplied; use a smaller factor";

inline void check_scale(float factor) {
  if (std::isfinite(factor)) return;
  throw InvalidArgument(message("scale", "factor", std::to_string(factor), "must be finite"));
}

inline cuda::GraphCall scale_step(float factor) { return {.step = cuda::GraphStep::scale, .value = factor}; }

/// A graph of the same edges with weight map(row, column, weight); block_count(items) units of the ticker.
/// @param must_be  how an error ends that names the first row with a mapped weight that is not finite
template <class Map>
Graph map_weights(int workers, Ticker& ticker, const char* operation, const GraphView& graph, const char* must_be,
                  const Map& map) {
  const std::int64_t items = graph.items;
  std::vector<std::int64_t> offsets = make_vector<std::int64_t>(operation, items + 1);
  std::vector<std::int32_t> columns = make_vector<std::int32_t>(operation, graph.edges());
  std::vector<float> weights = make_vector<float>(operation, graph.edges());
  FirstRow overflow;
  parallel_blocks(workers, ticker, items, kRowsPerTask, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      offsets[as_size(row + 1)] = graph.row_end(row);
      bool finite = true;
      for (std::int64_t e = graph.row_begin(row); e < graph.row_end(row); ++e) {
        const std::int32_t column = graph.columns[as_size(e)];
        const float weight = map(row, column, graph.weights[as_size(e)]);
        columns[as_size(e)] = column;
        weights[as_size(e)] = weight;
        finite &= std::isfinite(weight);
      }
      if (!finite) overflow.report(row);
    }
  });
  if (overflow.found()) {
    throw InvalidArgument(message(operation, "weights of row " + std::to_string(overflow.row()), "", must_be));
  }
  return Graph(Trusted{}, std::move(offsets), std::move(columns), std::move(weights));
}

}  // namespace detail

GRAFT_INLINE Graph binarize(GraphInput graph, const Context& context) {
  if (detail::names_device(context)) {
    return detail::run_host_step("binarize", graph, {.step = detail::cuda::GraphStep::binarize}, "", context);
  }
  detail::Ticker ticker(context, "binarize", detail::block_count(graph.items));
  return detail::map_weights(detail::worker_count(context), ticker, "binarize", graph, "must be finite",
                             [](std::int64_t, std::int32_t, float) { return 1.0F; });
}

GRAFT_INLINE Graph scale(GraphInput graph, float factor, const Context& context) {
  detail::check_scale(factor);
  if (detail::names_device(context)) {
    return detail::run_host_step("scale", graph, detail::scale_step(factor), detail::kScaledMustBe, context);
  }
  detail::Ticker ticker(context, "scale", detail::block_count(graph.items));
  return detail::map_weights(detail::worker_count(context), ticker, "scale", graph, detail::kScaledMustBe,
                             [factor](std::int64_t, std::int32_t, float weight) { return weight * factor; });
}

}  // namespace graft
