// Body of ops/mix.hpp.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/detail/csr_build.hpp>
#include <graft/detail/graph_steps_on_device.hpp>
#include <graft/detail/row_merge.hpp>
#include <graft/ops/mix.hpp>

namespace graft {
namespace detail {

inline constexpr const char* kMixedMustBe = "must be finite in float32; use smaller coefficients";

inline void check_mix(std::span<const GraphView> graphs, std::span<const float> coefficients) {
  if (graphs.empty()) throw InvalidArgument(message("mix", "graphs", "none", "must be one or more"));
  if (coefficients.size() != graphs.size()) {
    throw InvalidArgument(message("mix", "coefficients", std::to_string(coefficients.size()) + " entries",
                                  "must be one a graph, " + std::to_string(graphs.size())));
  }
  for (std::size_t g = 0; g < graphs.size(); ++g) {
    if (graphs[g].items != graphs[0].items) {
      throw InvalidArgument(message("mix", "graphs[" + std::to_string(g) + "].items", std::to_string(graphs[g].items),
                                    "must equal graphs[0].items = " + std::to_string(graphs[0].items)));
    }
    if (!std::isfinite(coefficients[g])) {
      throw InvalidArgument(
          message("mix", "coefficients[" + std::to_string(g) + "]", std::to_string(coefficients[g]), "must be finite"));
    }
  }
}

/// Writes one mixed row. @return whether every sum is finite
inline bool mix_row(RowMerge& merge, std::span<const float> coefficients, std::int64_t row, std::int32_t* columns,
                    float* weights) {
  std::int64_t edge = -1;
  bool first = true;
  bool finite = true;
  merge.walk(
      row,
      [&](std::int32_t column) {
        columns[++edge] = column;
        first = true;
      },
      [&](std::size_t graph, float weight) {
        const float term = coefficients[graph] * weight;
        // not 0 + term, which would turn -0 into +0
        weights[edge] = first ? term : weights[edge] + term;
        first = false;
        finite &= std::isfinite(weights[edge]);
      });
  return finite;
}

/// The same of graphs on the device; arguments are checked. Two at a time, as the processor adds: left to right.
inline DeviceGraph mix_on_device(std::span<const DeviceGraph> graphs, std::span<const float> coefficients,
                                 const Context& context) {
  constexpr const char* kOfRow = "sum in row ";
  DeviceGraph sum;
  if (graphs.size() == 1) {
    const cuda::GraphCall task{.step = cuda::GraphStep::scale, .left = seam_csr(graphs[0]), .value = coefficients[0]};
    return run_step("mix", task, kOfRow, kMixedMustBe, context);
  }
  for (std::size_t g = 1; g < graphs.size(); ++g) {
    const bool first = g == 1;
    const cuda::GraphCall task{.step = cuda::GraphStep::mix,
                               .left = seam_csr(first ? graphs[0] : sum),
                               .right = seam_csr(graphs[g]),
                               .value = first ? coefficients[0] : 1.0F,
                               .right_value = coefficients[g]};
    sum = run_step("mix", task, kOfRow, kMixedMustBe, context);
  }
  return sum;
}

/// Copies of host graphs on the device.
inline std::vector<DeviceGraph> all_to_device(const char* operation, std::span<const GraphView> graphs,
                                              const Context& context) {
  std::vector<DeviceGraph> copies;
  copies.reserve(graphs.size());
  for (const GraphView& graph : graphs) copies.push_back(copied_to_device(operation, graph, context));
  return copies;
}

}  // namespace detail

GRAFT_INLINE Graph mix(std::span<const GraphView> graphs, std::span<const float> coefficients, const Context& context) {
  detail::check_mix(graphs, coefficients);
  if (detail::names_device(context)) {
    return to_host(detail::mix_on_device(detail::all_to_device("mix", graphs, context), coefficients, context));
  }
  detail::FirstRow overflow;
  const auto make_count = [&] {
    return [merge = detail::RowMerge(graphs)](std::int64_t row) mutable { return merge.count(row); };
  };
  const auto make_fill = [&] {
    return [&, merge = detail::RowMerge(graphs)](std::int64_t row, std::int32_t* columns, float* weights) mutable {
      if (!detail::mix_row(merge, coefficients, row, columns, weights)) overflow.report(row);
    };
  };
  const auto check = [&] {
    if (!overflow.found()) return;
    throw InvalidArgument(
        detail::message("mix", "sum in row " + std::to_string(overflow.row()), "", detail::kMixedMustBe));
  };
  return detail::build_graph(context, "mix", graphs[0].items, make_count, make_fill, check);
}

}  // namespace graft
