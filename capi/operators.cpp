// The operators.
#include <array>
#include <limits>

#include <graft/cuda/operators.hpp>

#include "internal.hpp"

namespace graft::capi {
namespace {

constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();

graft_knn_options default_knn() {
  const KnnOptions defaults;
  return {.size = sizeof(graft_knn_options),
          .k = defaults.k,
          .min_similarity = defaults.min_similarity,
          .metric = GRAFT_METRIC_COSINE,
          .weights = GRAFT_WEIGHTS_SIMILARITY,
          .self = GRAFT_SELF_DROP,
          .row_begin = 0,
          .row_end = kAll,
          .column_begin = 0,
          .column_end = kAll};
}

graft_jaccard_options default_jaccard() {
  const JaccardOptions defaults;
  return {.size = sizeof(graft_jaccard_options),
          .k = defaults.k,
          .min_support = defaults.min_support,
          .self = GRAFT_SELF_DROP,
          .identical = GRAFT_IDENTICAL_KEEP,
          .measure = GRAFT_MEASURE_JACCARD,
          .row_begin = 0,
          .row_end = kAll};
}

graft_top_k_scores_options default_top_k_scores() {
  const TopKScoresOptions defaults;
  return {.size = sizeof(graft_top_k_scores_options),
          .k = defaults.k,
          .metric = GRAFT_METRIC_DOT,
          .min_score = defaults.min_score,
          .exclude_offsets = nullptr,
          .exclude_columns = nullptr,
          .row_begin = 0,
          .row_end = kAll};
}

TopKScoresOptions top_k_scores_of(const char* operation, const graft_top_k_scores_options* options,
                                  std::int64_t queries) {
  const graft_top_k_scores_options given = options_or(operation, options, default_top_k_scores());
  TopKScoresOptions result{.k = given.k,
                           .metric = choice(operation, "options.metric", given.metric, Metric::l2),
                           .min_score = given.min_score,
                           .row_range = {given.row_begin, given.row_end}};
  if (given.exclude_offsets != nullptr) {
    result.exclude.row_offsets = offsets(operation, "options.exclude_offsets", given.exclude_offsets, queries);
    result.exclude.columns =
        array(operation, "options.exclude_columns", given.exclude_columns, result.exclude.row_offsets.back());
  } else if (given.exclude_columns != nullptr) {
    refuse(operation, "options.exclude_offsets", "NULL", "must be given with exclude_columns");
  }
  return result;
}

/// An operator from one graph to another.
template <class Operator>
graft_status transform(const char* operation, const graft_graph* graph, graft_graph** out,
                       const Operator& run) noexcept {
  return produce(operation, out, [&] { return run(graph_of(operation, "graph", graph)); });
}

}  // namespace

KnnOptions knn_of(const char* operation, const graft_knn_options* options) {
  const graft_knn_options given = options_or(operation, options, default_knn());
  return {.k = given.k,
          .min_similarity = given.min_similarity,
          .metric = choice(operation, "options.metric", given.metric, Metric::l2),
          .weights = choice(operation, "options.weights", given.weights, Weights::binary),
          .self = choice(operation, "options.self", given.self, Self::keep),
          .row_range = {given.row_begin, given.row_end},
          .column_range = {given.column_begin, given.column_end}};
}

JaccardOptions jaccard_of(const char* operation, const graft_jaccard_options* options) {
  const graft_jaccard_options given = options_or(operation, options, default_jaccard());
  return {.k = given.k,
          .min_support = given.min_support,
          .self = choice(operation, "options.self", given.self, Self::keep),
          .identical = choice(operation, "options.identical", given.identical, Identical::reference),
          .measure = choice(operation, "options.measure", given.measure, AudienceMeasure::log_likelihood),
          .row_range = {given.row_begin, given.row_end}};
}

DeviceMatrixView device_matrix_of(const char* operation, const char* argument, const graft_device_matrix_view* view) {
  const graft_device_matrix_view& given = required(operation, argument, view);
  try {
    const DeviceMatrixView matrix =
        DeviceMatrixView::of_device_memory(given.device_data, given.rows, given.cols, given.stride, given.device);
    return given.stream_known != 0 ? matrix.filled_on(given.stream) : matrix;
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(std::string(operation) + ": " + argument + ": " + error.what());
  }
}

const Context& device_context_of(const char* operation, const graft_context* context) {
  const Context& given = context_of(context);
  if (given.backend != Backend::cuda) refuse(operation, "context", name(given.backend), "must be of a CUDA device");
  return given;
}

}  // namespace graft::capi

using namespace graft::capi;  // NOLINT(google-build-using-namespace): the functions below stand outside of it

graft_status graft_knn_options_init(graft_knn_options* options, size_t size) {
  return init_options("graft_knn_options_init", options, size, default_knn());
}

graft_status graft_knn_graph(const graft_matrix_view* features, const graft_knn_options* options,
                             const graft_context* context, graft_graph** out) {
  constexpr const char* kOperation = "graft_knn_graph";
  return produce(kOperation, out, [&] {
    return graft::knn_graph(matrix_of(kOperation, "features", features), knn_of(kOperation, options),
                            context_of(context));
  });
}

graft_status graft_knn_graph_on_device(const graft_device_matrix_view* features, const graft_knn_options* options,
                                       const graft_context* context, graft_graph** out) {
  constexpr const char* kOperation = "graft_knn_graph_on_device";
  return produce(kOperation, out, [&] {
    return graft::knn_graph(device_matrix_of(kOperation, "features", features), knn_of(kOperation, options),
                            device_context_of(kOperation, context));
  });
}

graft_status graft_knn_plan(int64_t items, int64_t dims, const graft_knn_options* options, const graft_context* context,
                            graft_plan* out) {
  return fill("graft_knn_plan", out,
              [&] { return plain(graft::plan(items, dims, knn_of("graft_knn_plan", options), context_of(context))); });
}

graft_status graft_jaccard_options_init(graft_jaccard_options* options, size_t size) {
  return init_options("graft_jaccard_options_init", options, size, default_jaccard());
}

graft_status graft_jaccard_graph(const graft_interactions* interactions, const graft_jaccard_options* options,
                                 const graft_context* context, graft_graph** out) {
  constexpr const char* kOperation = "graft_jaccard_graph";
  return produce(kOperation, out, [&] {
    return graft::jaccard_graph(interactions_of(kOperation, interactions), jaccard_of(kOperation, options),
                                context_of(context));
  });
}

graft_status graft_jaccard_plan(const graft_interactions* interactions, const graft_jaccard_options* options,
                                const graft_context* context, graft_plan* out) {
  constexpr const char* kOperation = "graft_jaccard_plan";
  return fill(kOperation, out, [&] {
    return plain(
        graft::plan(interactions_of(kOperation, interactions), jaccard_of(kOperation, options), context_of(context)));
  });
}

graft_status graft_top_k_scores_options_init(graft_top_k_scores_options* options, size_t size) {
  return init_options("graft_top_k_scores_options_init", options, size, default_top_k_scores());
}

graft_status graft_top_k_scores(const graft_matrix_view* queries, const graft_matrix_view* items,
                                const graft_top_k_scores_options* options, const graft_context* context,
                                graft_ranking** out) {
  constexpr const char* kOperation = "graft_top_k_scores";
  return produce(kOperation, out, [&] {
    const auto asked = matrix_of(kOperation, "queries", queries);
    const auto catalogue = matrix_of(kOperation, "items", items);
    return graft_ranking{
        graft::top_k_scores(asked, catalogue, top_k_scores_of(kOperation, options, asked.rows()), context_of(context))};
  });
}

graft_status graft_top_k_scores_on_device(const graft_device_matrix_view* queries,
                                          const graft_device_matrix_view* items,
                                          const graft_top_k_scores_options* options, const graft_context* context,
                                          graft_ranking** out) {
  constexpr const char* kOperation = "graft_top_k_scores_on_device";
  return produce(kOperation, out, [&] {
    const graft::DeviceMatrixView rows = device_matrix_of(kOperation, "queries", queries);
    return graft_ranking{graft::top_k_scores(rows, device_matrix_of(kOperation, "items", items),
                                             top_k_scores_of(kOperation, options, rows.rows()),
                                             device_context_of(kOperation, context))};
  });
}

graft_status graft_top_k_scores_plan(int64_t queries, int64_t items, int64_t dims,
                                     const graft_top_k_scores_options* options, const graft_context* context,
                                     graft_plan* out) {
  constexpr const char* kOperation = "graft_top_k_scores_plan";
  return fill(kOperation, out, [&] {
    return plain(graft::plan(queries, items, dims, top_k_scores_of(kOperation, options, queries), context_of(context)));
  });
}

graft_status graft_ranking_get(const graft_ranking* ranking, graft_ranking_view* out) {
  return fill("graft_ranking_get", out, [&] {
    const graft::Ranking& owner = required("graft_ranking_get", "ranking", ranking).ranking;
    return graft_ranking_view{owner.rows(), static_cast<std::int64_t>(owner.ids.size()), owner.row_offsets.data(),
                              owner.ids.data(), owner.scores.data()};
  });
}

void graft_ranking_free(graft_ranking* ranking) { free_handle(ranking); }

graft_status graft_threshold(const graft_graph* graph, float min_similarity, const graft_context* context,
                             graft_graph** out) {
  return transform("graft_threshold", graph, out, [&](const graft::GraphView& view) {
    return graft::threshold(view, min_similarity, context_of(context));
  });
}

graft_status graft_binarize(const graft_graph* graph, const graft_context* context, graft_graph** out) {
  return transform("graft_binarize", graph, out,
                   [&](const graft::GraphView& view) { return graft::binarize(view, context_of(context)); });
}

graft_status graft_scale(const graft_graph* graph, float factor, const graft_context* context, graft_graph** out) {
  return transform("graft_scale", graph, out,
                   [&](const graft::GraphView& view) { return graft::scale(view, factor, context_of(context)); });
}

graft_status graft_drop_self_loops(const graft_graph* graph, const graft_context* context, graft_graph** out) {
  return transform("graft_drop_self_loops", graph, out,
                   [&](const graft::GraphView& view) { return graft::drop_self_loops(view, context_of(context)); });
}

graft_status graft_top_k(const graft_graph* graph, int64_t k, const graft_context* context, graft_graph** out) {
  return transform("graft_top_k", graph, out,
                   [&](const graft::GraphView& view) { return graft::top_k(view, k, context_of(context)); });
}

graft_status graft_symmetrize(const graft_graph* graph, graft_symmetrization how, const graft_context* context,
                              graft_graph** out) {
  return transform("graft_symmetrize", graph, out, [&](const graft::GraphView& view) {
    return graft::symmetrize(view, choice("graft_symmetrize", "how", how, graft::Symmetrization::min),
                             context_of(context));
  });
}

graft_status graft_add(const graft_graph* left, const graft_graph* right, const graft_context* context,
                       graft_graph** out) {
  return produce("graft_add", out, [&] {
    return graft::add(graph_of("graft_add", "left", left), graph_of("graft_add", "right", right), context_of(context));
  });
}

graft_status graft_mix(const graft_graph* const* graphs, const float* coefficients, size_t count,
                       const graft_context* context, graft_graph** out) {
  return produce("graft_mix", out, [&] {
    const std::vector<graft::GraphView> views = graphs_of("graft_mix", "graphs", graphs, count);
    return graft::mix(views, array("graft_mix", "coefficients", coefficients, static_cast<std::int64_t>(count)),
                      context_of(context));
  });
}

graft_status graft_normalize(const graft_graph* graph, graft_normalization normalization, float epsilon,
                             const graft_context* context, graft_graph** out) {
  return transform("graft_normalize", graph, out, [&](const graft::GraphView& view) {
    const auto how = choice("graft_normalize", "normalization", normalization, graft::Normalization::none);
    return graft::normalize(view, {.normalization = how, .epsilon = epsilon}, context_of(context));
  });
}

graft_status graft_merge_top_k(const graft_graph* const* parts, size_t count, int64_t k, const graft_context* context,
                               graft_graph** out) {
  return produce("graft_merge_top_k", out, [&] {
    return graft::merge_top_k(graphs_of("graft_merge_top_k", "parts", parts, count), k, context_of(context));
  });
}

graft_status graft_propagate(const graft_graph* graph, const graft_matrix_view* features, int64_t layers,
                             graft_aggregation aggregation, const graft_context* context, graft_matrix** out) {
  constexpr const char* kOperation = "graft_propagate";
  return produce(kOperation, out, [&] {
    const auto how = choice(kOperation, "aggregation", aggregation, graft::Aggregation::mean);
    return graft_matrix{graft::propagate(graph_of(kOperation, "graph", graph),
                                         matrix_of(kOperation, "features", features), layers, how,
                                         context_of(context))};
  });
}
