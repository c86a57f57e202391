// Body of ops/mix.hpp.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include <graft/core/error.hpp>
#include <graft/detail/csr_build.hpp>
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

}  // namespace detail

GRAFT_INLINE Graph mix(std::span<const GraphView> graphs, std::span<const float> coefficients, const Context& context) {
  detail::check_mix(graphs, coefficients);
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
