// Bodies of ops/jaccard.hpp: row-wise sparse R^T R with a dense counter and a running top-k.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <graft/detail/audience_rows.hpp>
#include <graft/detail/csr_build.hpp>
#include <graft/detail/jaccard_on_device.hpp>
#include <graft/detail/pairwise.hpp>
#include <graft/ops/jaccard.hpp>

namespace graft {
namespace detail {

/// Counters of a worker: 4 bytes a column for the count, 4 for the list of touched columns.
inline constexpr std::int64_t kCounterBytes = 2 * std::int64_t{sizeof(std::int32_t)};
/// Fewer columns at once than this cost more in look-ups than they save.
inline constexpr std::int64_t kLeastCounterColumns = 4096;
/// Counter increments of a task: some milliseconds.
inline constexpr std::int64_t kIncrementsPerTask = std::int64_t{1} << 18;

struct JaccardPlan {
  RowRange rows;
  int workers = 1;
  std::int64_t counter_columns = 0;  ///< columns counted at once
  std::int64_t candidates = 0;       ///< candidates of a row held at once
  std::int64_t workspace_bytes = 0;
  std::int64_t increments = 0;             ///< sum over rows of their cost
  std::vector<std::int64_t> row_capacity;  ///< offsets of the row buffers, [rows + 1]
  std::vector<std::int64_t> task_begin;    ///< first row of every task, and the end, relative to rows.begin
};

inline void check_jaccard(const JaccardOptions& options) {
  check_k("jaccard_graph", options.k);
  if (options.min_support < 1) {
    throw InvalidArgument(message("jaccard_graph", "min_support", std::to_string(options.min_support), "must be >= 1"));
  }
  if (options.identical == Identical::reference && options.measure != AudienceMeasure::jaccard) {
    throw InvalidArgument(
        message("jaccard_graph", "identical", "reference", "is defined for the measure jaccard only"));
  }
}

/// Counter increments of a row: also a bound of its edges.
inline std::int64_t row_cost(const Interactions& interactions, std::int64_t item) {
  std::int64_t cost = 0;
  for (const std::int32_t user : interactions.audience(item)) {
    cost += static_cast<std::int64_t>(interactions.history(user).size());
  }
  return cost;
}

/// Rows' costs, buffers and tasks, and how many columns each worker counts at once within the budget.
inline JaccardPlan plan_jaccard(const Interactions& interactions, const JaccardOptions& options,
                                const Context& context) {
  check_jaccard(options);
  JaccardPlan plan;
  const std::int64_t items = interactions.items();
  plan.rows = clipped("jaccard_graph", "row_range", options.row_range, items);
  const std::int64_t rows = plan.rows.end - plan.rows.begin;
  plan.row_capacity = make_vector<std::int64_t>("jaccard_graph", rows + 1);
  parallel_rows(without_progress(context), "jaccard_graph", rows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      plan.row_capacity[as_size(r + 1)] = row_cost(interactions, plan.rows.begin + r);
    }
  });
  plan.task_begin.push_back(0);
  std::int64_t task_cost = 0;
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t cost = plan.row_capacity[as_size(r + 1)];
    plan.candidates = std::max(plan.candidates, std::min({candidate_capacity(options.k), items, cost}));
    plan.row_capacity[as_size(r + 1)] = plan.row_capacity[as_size(r)] + std::min({options.k, items, cost});
    plan.increments += cost;
    task_cost += cost + 1;
    if (task_cost >= kIncrementsPerTask || r + 1 == rows) {
      plan.task_begin.push_back(r + 1);
      task_cost = 0;
    }
  }
  const auto tasks = static_cast<std::int64_t>(plan.task_begin.size()) - 1;
  const std::int64_t fixed = items * std::int64_t{sizeof(std::int32_t)} + 16 * rows;
  const std::int64_t row_bytes = (plan.candidates + 1) * kCandidateBytes;
  const std::int64_t least = saturating_add(fixed + kCounterBytes * std::min(items, kLeastCounterColumns), row_bytes);
  if (context.memory_budget < least) {
    throw OutOfMemory(message("jaccard_graph", "memory_budget", std::to_string(context.memory_budget) + " bytes",
                              "at least " + std::to_string(least) + " bytes are needed for these sizes"));
  }
  const std::int64_t free = context.memory_budget - fixed;
  const std::int64_t full = kCounterBytes * std::max<std::int64_t>(items, 1) + row_bytes;
  // Fewer workers that count all columns at once, down to one; only then fewer columns.
  plan.workers = static_cast<int>(std::max<std::int64_t>(
      1, std::min<std::int64_t>({worker_count(context), std::max<std::int64_t>(tasks, 1), free / full})));
  plan.counter_columns = std::min(items, (free / plan.workers - row_bytes) / kCounterBytes);
  plan.workspace_bytes = fixed + plan.workers * (kCounterBytes * plan.counter_columns + row_bytes);
  return plan;
}

template <class Measure>
Graph audience_graph(const Interactions& interactions, const JaccardOptions& options, const Context& context) {
  const JaccardPlan plan = plan_jaccard(interactions, options, context);
  const std::int64_t items = interactions.items();
  std::vector<std::int32_t> degrees = make_vector<std::int32_t>("jaccard_graph", items);
  for (std::int64_t i = 0; i < items; ++i) degrees[as_size(i)] = as_id(interactions.degree(i));
  std::vector<std::int32_t> columns = make_vector<std::int32_t>("jaccard_graph", plan.row_capacity.back());
  std::vector<float> weights = make_vector<float>("jaccard_graph", plan.row_capacity.back());
  std::vector<std::int32_t> counts = make_vector<std::int32_t>("jaccard_graph", plan.rows.end - plan.rows.begin);
  std::vector<AudienceRows<Measure>> workers;
  workers.reserve(as_size(plan.workers));
  for (int w = 0; w < plan.workers; ++w) {
    workers.emplace_back(interactions, degrees, options, plan.counter_columns, plan.candidates);
  }
  const auto tasks = static_cast<std::int64_t>(plan.task_begin.size()) - 1;
  Ticker ticker(context, "jaccard_graph", tasks);
  parallel_tasks(plan.workers, tasks, ticker, [&](std::int64_t task, int worker) {
    for (std::int64_t r = plan.task_begin[as_size(task)]; r < plan.task_begin[as_size(task + 1)]; ++r) {
      const std::int64_t place = plan.row_capacity[as_size(r)];
      counts[as_size(r)] =
          workers[as_size(worker)].fill(plan.rows.begin + r, columns.data() + place, weights.data() + place);
    }
  });
  return compact_rows(
      "jaccard_graph", items, plan.rows.begin, counts,
      [&](std::int64_t row) { return plan.row_capacity[as_size(row)]; }, std::move(columns), std::move(weights));
}

/// On the device, and left there.
inline DeviceGraph jaccard_left_on_device(const Interactions& interactions, const JaccardOptions& options,
                                          const Context& context) {
  check_jaccard(options);
  const RowRange rows = clipped("jaccard_graph", "row_range", options.row_range, interactions.items());
  const auto cost = [&](std::int64_t item) { return row_cost(interactions, item); };
  return jaccard_left_on_device(interactions, options, rows, cost, context);
}

}  // namespace detail

GRAFT_INLINE Graph jaccard_graph(const Interactions& interactions, const JaccardOptions& options,
                                 const Context& context) {
  if (context.backend != Backend::cpu) {
    detail::check_jaccard(options);
    const RowRange rows = detail::clipped("jaccard_graph", "row_range", options.row_range, interactions.items());
    const auto cost = [&](std::int64_t item) { return detail::row_cost(interactions, item); };
    std::optional<Graph> graph = detail::jaccard_on_device(interactions, options, rows, cost, context);
    if (graph) return *std::move(graph);
  }
  switch (options.measure) {
    case AudienceMeasure::cosine:
      return detail::audience_graph<detail::CosineMeasure>(interactions, options, context);
    case AudienceMeasure::overlap:
      return detail::audience_graph<detail::OverlapMeasure>(interactions, options, context);
    case AudienceMeasure::pmi:
      return detail::audience_graph<detail::PmiMeasure>(interactions, options, context);
    case AudienceMeasure::log_likelihood:
      return detail::audience_graph<detail::LogLikelihoodMeasure>(interactions, options, context);
    case AudienceMeasure::jaccard:
      break;
  }
  return detail::audience_graph<detail::JaccardMeasure>(interactions, options, context);
}

GRAFT_INLINE Plan plan(const Interactions& interactions, const JaccardOptions& options, const Context& context) {
  detail::require_host(context, "plan of jaccard_graph");
  const detail::JaccardPlan jaccard = detail::plan_jaccard(interactions, options, context);
  return {.workspace_bytes = jaccard.workspace_bytes,
          .output_bytes = 8 * jaccard.row_capacity.back() + 8 * (interactions.items() + 1),
          .flops = static_cast<double>(jaccard.increments),
          .tiles = static_cast<std::int64_t>(jaccard.task_begin.size()) - 1};
}

}  // namespace graft
