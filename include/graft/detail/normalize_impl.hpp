// Body of ops/normalize.hpp.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/detail/csr_build.hpp>
#include <graft/detail/elementwise_impl.hpp>
#include <graft/ops/normalize.hpp>

namespace graft {
namespace detail {

inline constexpr const char* kNormalizedMustBe =
    "must stay finite in float32 when divided; row sums near 0 of weights of both signs cannot normalise";

inline void check_epsilon(float epsilon) {
  if (std::isfinite(epsilon) && epsilon >= 0.0F) return;
  throw InvalidArgument(message("normalize", "epsilon", std::to_string(epsilon), "must be finite and >= 0"));
}

inline void check_normalize(const GraphView& graph, const NormalizeOptions& options, const Context& context) {
  check_epsilon(options.epsilon);
  const std::int64_t least = saturating_multiply(graph.items, sizeof(double));
  if (options.normalization != Normalization::none && least > context.memory_budget) {
    throw OutOfMemory(message("normalize", "memory_budget", std::to_string(context.memory_budget),
                              "needs at least " + std::to_string(least) + " bytes"));
  }
}

inline cuda::GraphCall normalize_step(const NormalizeOptions& options) {
  if (options.normalization == Normalization::none) return scale_step(1.0F);  // a copy: times 1 changes no bit
  return {.step = options.normalization == Normalization::row ? cuda::GraphStep::normalize_row
                                                              : cuda::GraphStep::normalize_symmetric,
          .value = options.epsilon};
}

/// (row sum + epsilon)^-1, or its square root; 0 where the row sum is not positive.
inline double degree_factor(std::span<const float> weights, const NormalizeOptions& options) {
  double sum = 0.0;
  for (const float weight : weights) sum += double{weight};
  if (!(sum > 0.0)) return 0.0;
  const double degree = sum + double{options.epsilon};
  return options.normalization == Normalization::row ? 1.0 / degree : 1.0 / std::sqrt(degree);
}

}  // namespace detail

GRAFT_INLINE Graph normalize(GraphInput graph, const NormalizeOptions& options, const Context& context) {
  if (detail::names_device(context)) {
    detail::check_epsilon(options.epsilon);
    return detail::run_host_step("normalize", graph, detail::normalize_step(options), detail::kNormalizedMustBe,
                                 context);
  }
  detail::check_normalize(graph, options, context);
  const int workers = detail::worker_count(context);
  const std::int64_t blocks = detail::block_count(graph.items);
  if (options.normalization == Normalization::none) {
    detail::Ticker ticker(context, "normalize", blocks);
    return detail::map_weights(workers, ticker, "normalize", graph, detail::kNormalizedMustBe,
                               [](std::int64_t, std::int32_t, float weight) { return weight; });
  }
  detail::Ticker ticker(context, "normalize", 2 * blocks);
  std::vector<double> factors = detail::make_vector<double>("normalize", graph.items);
  detail::parallel_blocks(workers, ticker, graph.items, detail::kRowsPerTask,
                          [&](std::int64_t begin, std::int64_t end) {
                            for (std::int64_t row = begin; row < end; ++row) {
                              factors[detail::as_size(row)] = detail::degree_factor(graph.row_weights(row), options);
                            }
                          });
  if (options.normalization == Normalization::row) {
    return detail::map_weights(workers, ticker, "normalize", graph, detail::kNormalizedMustBe,
                               [&](std::int64_t row, std::int32_t, float weight) {
                                 return static_cast<float>(factors[detail::as_size(row)] * double{weight});
                               });
  }
  return detail::map_weights(
      workers, ticker, "normalize", graph, detail::kNormalizedMustBe,
      [&](std::int64_t row, std::int32_t column, float weight) {
        return static_cast<float>(factors[detail::as_size(row)] * double{weight} * factors[detail::as_size(column)]);
      });
}

}  // namespace graft
