// Bodies of ops/top_k_scores.hpp.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <graft/detail/csr_check.hpp>
#include <graft/detail/knn_impl.hpp>
#include <graft/detail/pairwise_on_device.hpp>
#include <graft/detail/ranking_engine.hpp>
#include <graft/ops/top_k_scores.hpp>

namespace graft {
namespace detail {

inline void require_equal_dims(std::int64_t query_dims, std::int64_t item_dims) {
  if (query_dims == item_dims) return;
  throw InvalidArgument(message("top_k_scores", "items", std::to_string(item_dims) + " dims",
                                "must have as many as queries, " + std::to_string(query_dims)));
}

inline PairwiseShape top_k_scores_shape(std::int64_t queries, std::int64_t items, std::int64_t dims,
                                        const TopKScoresOptions& options) {
  check_node_count("top_k_scores", "queries", queries);
  check_node_count("top_k_scores", "items", items);
  check_dims("top_k_scores", dims);
  check_k("top_k_scores", options.k);
  check_minimum("top_k_scores", "min_score", options.metric, options.min_score);
  return {.rows = clipped("top_k_scores", "row_range", options.row_range, queries),
          .columns = {0, items},
          .dims = dims,
          .symmetric = false,
          .held_bytes = (queries + items) * std::int64_t{sizeof(double)} +
                        (options.metric == Metric::dot ? items * std::int64_t{sizeof(std::int32_t)} : 0),
          .worker_bytes = RankingEngine::worker_bytes(std::min(options.k, items))};
}

inline void check_exclusions(const Exclusions& exclude, std::int64_t queries, std::int64_t items) {
  if (exclude.row_offsets.empty() && exclude.columns.empty()) return;
  check_csr<std::int64_t>("top_k_scores: exclude", queries, items, exclude.row_offsets, exclude.columns, {}, false);
  const std::int64_t row = first_unsorted_row(exclude.row_offsets, exclude.columns);
  if (row >= 0) {
    throw InvalidArgument(
        message("top_k_scores", "exclude.columns of row " + std::to_string(row), "", "must ascend without repeats"));
  }
}

/// Rows that are in rank order, without their gaps.
inline Ranking ranking_of(std::int64_t queries, const RowRange& rows, TopKRows& top) {
  Ranking ranking;
  ranking.row_offsets = close_gaps(
      "top_k_scores", queries, rows.begin, top.all_counts(), [&](std::int64_t row) { return row * top.capacity(); },
      top.all_ids(), top.all_values());
  ranking.ids = std::move(top.all_ids());
  ranking.scores = std::move(top.all_values());
  return ranking;
}

/// Rankings of matrices that the device reads, wherever they lie.
inline Ranking top_k_scores_on_device(const cuda::Table& table, const cuda::Matrix& queries, const cuda::Matrix& items,
                                      const TopKScoresOptions& options, const PairwiseShape& shape,
                                      const Context& context) {
  TopKRows top("top_k_scores", shape.rows.end - shape.rows.begin, std::min(options.k, items.rows));
  DeviceNorms norms("top_k_scores", options.metric, {"queries", queries}, {"items", items}, false);
  const Exclusions& exclude = options.exclude;
  const cuda::PairwiseCall task{.queries = queries,
                                .items = items,
                                .same = false,
                                .metric = options.metric,
                                .minimum = options.min_score,
                                .row_begin = shape.rows.begin,
                                .row_end = shape.rows.end,
                                .column_begin = shape.columns.begin,
                                .column_end = shape.columns.end,
                                .excluded_offsets = exclude.row_offsets.empty() ? nullptr : exclude.row_offsets.data(),
                                .excluded = exclude.columns.data()};
  run_pairwise_on_device(table, "top_k_scores", task, norms, top, context);
  return ranking_of(queries.rows, shape.rows, top);
}

}  // namespace detail

GRAFT_INLINE Ranking top_k_scores(Features queries, Features items, const TopKScoresOptions& options,
                                  const Context& context) {
  detail::require_equal_dims(queries.cols(), items.cols());
  const detail::PairwiseShape shape = detail::top_k_scores_shape(queries.rows(), items.rows(), items.cols(), options);
  detail::check_exclusions(options.exclude, queries.rows(), items.rows());
  const detail::cuda::Table* const device =
      detail::cuda_table(context, "top_k_scores", detail::pair_flops(shape, options.metric), detail::kLeastDeviceFlops);
  if (device != nullptr) {
    return detail::top_k_scores_on_device(*device, detail::seam_matrix(queries), detail::seam_matrix(items), options,
                                          shape, context);
  }
  const std::vector<double> query_norms = detail::row_norms("top_k_scores", "queries", queries, context);
  const std::vector<double> item_norms = detail::row_norms("top_k_scores", "items", items, context);
  detail::check_products_fit("top_k_scores", options.metric, {"queries", query_norms}, {"items", item_norms});
  const detail::PairwisePlan plan = detail::plan_pairwise("top_k_scores", shape, context);
  detail::TopKRows top("top_k_scores", shape.rows.end - shape.rows.begin, std::min(options.k, items.rows()));
  const int panel_rows = detail::kernel_table(context).panel_rows;
  const detail::PackedRows packed_queries(queries, query_norms, options.metric, panel_rows);
  std::vector<std::int32_t> order;  // norms tell nothing of a cosine, and little of a distance
  if (options.metric == Metric::dot) order = detail::order_by_norm("top_k_scores", item_norms);
  const detail::PackedRows packed_items(items, item_norms, options.metric, panel_rows, order);
  const detail::RankingTask task{.operation = "top_k_scores",
                                 .metric = options.metric,
                                 .minimum = options.min_score,
                                 .excluded_offsets = options.exclude.row_offsets,
                                 .excluded = options.exclude.columns,
                                 .order = order};
  detail::RankingEngine(task, shape, plan, packed_queries, packed_items, top, context).run();
  detail::parallel_rows(detail::without_progress(context), "top_k_scores", top.rows(),
                        [&](std::int64_t begin, std::int64_t end) {
                          for (std::int64_t row = begin; row < end; ++row) top.sort_by_rank(row);
                        });
  return detail::ranking_of(queries.rows(), shape.rows, top);
}

GRAFT_INLINE Plan plan(std::int64_t queries, std::int64_t items, std::int64_t dims, const TopKScoresOptions& options,
                       const Context& context) {
  detail::require_host(context, "plan of top_k_scores");
  const detail::PairwiseShape shape = detail::top_k_scores_shape(queries, items, dims, options);
  const detail::PairwisePlan pairwise = detail::plan_pairwise("top_k_scores", shape, context);
  const std::int64_t rows = shape.rows.end - shape.rows.begin;
  return {.workspace_bytes = pairwise.workspace_bytes,
          .output_bytes = detail::top_k_bytes(rows, std::min(options.k, items), queries),
          .flops = detail::pair_flops(shape, options.metric),
          .tiles = pairwise.tiles};
}

}  // namespace graft
