// Bodies of ops/knn.hpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <graft/detail/csr_build.hpp>
#include <graft/detail/pairwise.hpp>
#include <graft/detail/pairwise_on_device.hpp>
#include <graft/ops/knn.hpp>

namespace graft {
namespace detail {

/// A lower bound of scores: -infinity for none, else finite and, for a cosine, in [-1, 1].
inline void check_minimum(const char* operation, const char* argument, Metric metric, float minimum) {
  if (minimum == -std::numeric_limits<float>::infinity()) return;
  if (!std::isfinite(minimum)) {
    throw InvalidArgument(message(operation, argument, std::to_string(minimum), "must be finite"));
  }
  if (metric == Metric::cosine && (minimum < -1.0F || minimum > 1.0F)) {
    throw InvalidArgument(message(operation, argument, std::to_string(minimum), "must lie in [-1, 1] for cosine"));
  }
}

inline void check_dims(const char* operation, std::int64_t dims) {
  if (dims < 0) throw InvalidArgument(message(operation, "dims", std::to_string(dims), "must be >= 0"));
}

inline PairwiseShape knn_shape(std::int64_t items, std::int64_t dims, const KnnOptions& options) {
  check_node_count("knn_graph", "items", items);
  check_dims("knn_graph", dims);
  check_k("knn_graph", options.k);
  check_minimum("knn_graph", "min_similarity", options.metric, options.min_similarity);
  return {.rows = clipped("knn_graph", "row_range", options.row_range, items),
          .columns = clipped("knn_graph", "column_range", options.column_range, items),
          .dims = dims,
          .symmetric = true,
          .held_bytes = items * std::int64_t{sizeof(double)},
          .worker_bytes = PairwiseEngine::kWorkerBytes};
}

/// Edges that a row can hold: its neighbours, and itself where it is kept.
inline std::int64_t knn_row_capacity(const PairwiseShape& shape, std::int64_t k) {
  return std::min(k, shape.columns.end - shape.columns.begin);
}

/// Bytes of a result of `rows` filled rows of at most `capacity` entries among `all_rows`, saturating.
inline std::int64_t top_k_bytes(std::int64_t rows, std::int64_t capacity, std::int64_t all_rows) {
  return saturating_add(saturating_multiply(rows, saturating_multiply(8, capacity)), 8 * (all_rows + 1) + 4 * rows);
}

/// Multiply-adds of the pairs that are computed once each.
inline double pair_flops(const PairwiseShape& shape, Metric metric) {
  const auto rows = static_cast<double>(shape.rows.end - shape.rows.begin);
  const auto columns = static_cast<double>(shape.columns.end - shape.columns.begin);
  const RowRange both{std::max(shape.rows.begin, shape.columns.begin), std::min(shape.rows.end, shape.columns.end)};
  const double shared = shape.symmetric && both.begin < both.end ? static_cast<double>(both.end - both.begin) : 0.0;
  const double pairs = rows * columns - shared * shared / 2.0;
  return pairs * static_cast<double>(shape.dims) * (metric == Metric::l2 ? 3.0 : 2.0);
}

/// Rows, counted from the first wanted one, whose own column is a candidate.
inline RowRange rows_with_self(const PairwiseShape& shape) {
  const std::int64_t begin = std::max(shape.rows.begin, shape.columns.begin);
  const std::int64_t end = std::min(shape.rows.end, shape.columns.end);
  if (begin >= end) return {0, 0};
  return {begin - shape.rows.begin, end - shape.rows.begin};
}

/// What a kept self loop weighs; NaN where there is none. @param place  of the row, counted from the first wanted one
inline float self_loop_weight(const KnnOptions& options, const PairwiseShape& shape, const std::vector<double>& norms,
                              const std::vector<float>& dot_scores, std::int64_t place) {
  constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
  float score = 0.0F;  // l2
  if (options.metric == Metric::cosine) score = norms[as_size(shape.rows.begin + place)] == 0.0 ? kNone : 1.0F;
  if (options.metric == Metric::dot) score = dot_scores[as_size(place)];
  return score >= options.min_similarity ? score : kNone;
}

/// Self loops come last into the heaps' rows: they hold one place, whatever their score.
inline void append_self_loops(const KnnOptions& options, const PairwiseShape& shape, const std::vector<double>& norms,
                              const std::vector<float>& dot_scores, TopKRows& top) {
  const RowRange places = rows_with_self(shape);
  for (std::int64_t place = places.begin; place < places.end; ++place) {
    const float score = self_loop_weight(options, shape, norms, dot_scores, place);
    if (!std::isnan(score)) top.append(place, score, as_id(shape.rows.begin + place));
  }
}

inline Graph knn_from_rows(std::int64_t items, const KnnOptions& options, const RowRange& rows, TopKRows& top,
                           const Context& context) {
  parallel_rows(without_progress(context), "knn_graph", top.rows(), [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::pair<std::int32_t, float>> scratch;
    for (std::int64_t row = begin; row < end; ++row) {
      sort_row_by_id(top.ids(row), top.values(row), top.count(row), scratch);
    }
  });
  if (options.weights == Weights::binary) std::fill(top.all_values().begin(), top.all_values().end(), 1.0F);
  return compact_rows(
      "knn_graph", items, rows.begin, top.all_counts(), [&](std::int64_t row) { return row * top.capacity(); },
      std::move(top.all_ids()), std::move(top.all_values()));
}

/// A call of the device for a KNN graph, with what the host must keep for it.
class DeviceKnn {
 public:
  DeviceKnn(const cuda::Matrix& features, const KnnOptions& options, const PairwiseShape& shape)
      : options_(options),
        shape_(shape),
        features_(features),
        norms_("knn_graph", options.metric, {"features", features}, {"features", features}, true) {
    if (keeps_self() && options.metric == Metric::dot) self_scores_ = make_vector<float>("knn_graph", rows());
  }

  [[nodiscard]] bool keeps_self() const { return options_.self == Self::keep; }
  [[nodiscard]] std::int64_t rows() const { return shape_.rows.end - shape_.rows.begin; }
  [[nodiscard]] std::int64_t capacity() const { return knn_row_capacity(shape_, options_.k); }
  [[nodiscard]] const std::vector<double>& norms() const { return norms_.of_queries(); }
  [[nodiscard]] const std::vector<float>& self_scores() const { return self_scores_; }

  /// Fills the rows, every one by rank.
  void run(const cuda::Table& table, std::int32_t* ids, float* values, std::int32_t* counts, const Context& context) {
    const cuda::PairwiseCall task{.queries = features_,
                                  .items = features_,
                                  .same = true,
                                  .metric = options_.metric,
                                  .minimum = options_.min_similarity,
                                  .places = capacity(),
                                  .row_begin = shape_.rows.begin,
                                  .row_end = shape_.rows.end,
                                  .column_begin = shape_.columns.begin,
                                  .column_end = shape_.columns.end,
                                  .ids = ids,
                                  .values = values,
                                  .counts = counts,
                                  .self_scores = self_scores_.empty() ? nullptr : self_scores_.data()};
    run_pairwise_on_device(table, "knn_graph", task, norms_, context);
  }

 private:
  const KnnOptions& options_;
  const PairwiseShape& shape_;
  cuda::Matrix features_;
  DeviceNorms norms_;
  std::vector<float> self_scores_;
};

/// The graph of features that the device reads, wherever they lie.
inline Graph knn_on_device(const cuda::Table& table, const cuda::Matrix& features, const KnnOptions& options,
                           const PairwiseShape& shape, const Context& context) {
  DeviceKnn knn(features, options, shape);
  TopKRows top("knn_graph", knn.rows(), knn.capacity());
  knn.run(table, top.all_ids().data(), top.all_values().data(), top.all_counts().data(), context);
  if (knn.keeps_self()) {
    // the best of k are the best of k - 1 and one more, which makes room for the row itself
    const RowRange places = rows_with_self(shape);
    for (std::int64_t place = places.begin; place < places.end; ++place) {
      std::int32_t& count = top.all_counts()[as_size(place)];
      count = std::min(count, static_cast<std::int32_t>(knn.capacity() - 1));
    }
    append_self_loops(options, shape, knn.norms(), knn.self_scores(), top);
  }
  return knn_from_rows(features.rows, options, shape.rows, top, on_host(context));
}

/// The same, left on the device.
inline DeviceGraph knn_left_on_device(const cuda::Matrix& features, const KnnOptions& options,
                                      const PairwiseShape& shape, const Context& context) {
  const cuda::Table& table = device_table("knn_graph", context);
  DeviceKnn knn(features, options, shape);
  const DeviceRows rows(table, "knn_graph", knn.rows(), saturating_multiply(knn.rows(), knn.capacity()), context);
  knn.run(table, rows.all_ids(), rows.all_values(), rows.all_counts(), context);
  cuda::RowsCall task{.items = features.rows,
                      .row_begin = shape.rows.begin,
                      .row_end = shape.rows.end,
                      .places = knn.capacity(),
                      .binary = options.weights == Weights::binary};
  std::vector<float> self_values;
  if (knn.keeps_self()) {
    const RowRange places = rows_with_self(shape);
    self_values.resize(as_size(knn.rows()));
    for (std::int64_t place = places.begin; place < places.end; ++place) {
      self_values[as_size(place)] = self_loop_weight(options, shape, knn.norms(), knn.self_scores(), place);
    }
    task.self_values = self_values.data();
    task.self_begin = places.begin;
    task.self_end = places.end;
  }
  return rows.graph(table, "knn_graph", task, context);
}

}  // namespace detail

GRAFT_INLINE Graph knn_graph(Features features, const KnnOptions& options, const Context& context) {
  const std::int64_t items = features.rows();
  const detail::PairwiseShape shape = detail::knn_shape(items, features.cols(), options);
  const detail::cuda::Table* const device =
      detail::cuda_table(context, "knn_graph", detail::pair_flops(shape, options.metric), detail::kLeastDeviceFlops);
  if (device != nullptr) {
    return detail::knn_on_device(*device, detail::seam_matrix(features), options, shape, context);
  }
  const std::vector<double> norms = detail::row_norms("knn_graph", "features", features, context);
  detail::check_products_fit("knn_graph", options.metric, {"features", norms}, {"features", norms});
  const detail::PairwisePlan plan = detail::plan_pairwise("knn_graph", shape, context);
  const std::int64_t capacity = detail::knn_row_capacity(shape, options.k);
  const bool keep_self = options.self == Self::keep;
  detail::TopKRows top("knn_graph", shape.rows.end - shape.rows.begin, capacity);
  if (keep_self) top.reserve_place(detail::rows_with_self(shape));
  std::vector<float> self_scores;
  if (keep_self && options.metric == Metric::dot) {
    self_scores = detail::make_vector<float>("knn_graph", shape.rows.end - shape.rows.begin);
  }
  const detail::PackedRows packed(features, norms, options.metric, detail::kernel_table(context).panel_rows);
  const detail::PairwiseTask task{.operation = "knn_graph",
                                  .metric = options.metric,
                                  .minimum = options.min_similarity,
                                  .self_scores = self_scores.empty() ? nullptr : self_scores.data()};
  detail::PairwiseEngine(task, shape, plan, packed, top, context).run();
  if (keep_self) detail::append_self_loops(options, shape, norms, self_scores, top);
  return detail::knn_from_rows(items, options, shape.rows, top, context);
}

GRAFT_INLINE Plan plan(std::int64_t items, std::int64_t dims, const KnnOptions& options, const Context& context) {
  detail::require_host(context, "plan of knn_graph");
  const detail::PairwiseShape shape = detail::knn_shape(items, dims, options);
  const detail::PairwisePlan pairwise = detail::plan_pairwise("knn_graph", shape, context);
  const std::int64_t rows = shape.rows.end - shape.rows.begin;
  return {.workspace_bytes = pairwise.workspace_bytes,
          .output_bytes = detail::top_k_bytes(rows, detail::knn_row_capacity(shape, options.k), items),
          .flops = detail::pair_flops(shape, options.metric),
          .tiles = pairwise.tiles};
}

}  // namespace graft
