// What stays on a CUDA device.
#include <utility>

#include <graft/cuda/graph_operators.hpp>
#include <graft/cuda/on_device.hpp>

#include "internal.hpp"

namespace graft::capi {
namespace {

const DeviceGraph& device_graph_of(const char* operation, const char* argument, const graft_device_graph* graph) {
  return required(operation, argument, graph).graph;
}

/// A graph that `make` leaves on the context's device.
template <class Make>
graft_status produce_graph(const char* operation, const graft_context* context, graft_device_graph** out,
                           const Make& make) noexcept {
  return produce(operation, out, [&] { return graft_device_graph{make(device_context_of(operation, context))}; });
}

/// An operator from one graph to another.
template <class Operator>
graft_status transform(const char* operation, const graft_device_graph* graph, const graft_context* context,
                       graft_device_graph** out, const Operator& run) noexcept {
  return produce_graph(operation, context, out,
                       [&](const Context& where) { return run(device_graph_of(operation, "graph", graph), where); });
}

/// Runs `refine`, and hands its summary over if the caller wants it.
template <class Refine>
graft_status refined(const char* operation, const graft_interactions* interactions, const graft_refine_options* options,
                     const graft_context* context, graft_refine_summary* summary, graft_device_graph** out,
                     const Refine& run) noexcept {
  return produce_graph(operation, context, out, [&](const Context& where) {
    RefineSummary counts;
    DeviceGraph graph = run(interactions_of(operation, interactions), refine_of(operation, options), where,
                            summary == nullptr ? nullptr : &counts);
    if (summary != nullptr) *summary = plain(counts);
    return graph;
  });
}

}  // namespace
}  // namespace graft::capi

using namespace graft::capi;  // NOLINT(google-build-using-namespace): the functions below stand outside of it
using graft::Context;
using graft::DeviceGraph;

graft_status graft_device_graph_get(const graft_device_graph* graph, graft_device_csr_view* out) {
  return fill("graft_device_graph_get", out, [&] {
    const DeviceGraph& owner = device_graph_of("graft_device_graph_get", "graph", graph);
    return graft_device_csr_view{.items = owner.items(),
                                 .edges = owner.edges(),
                                 .device_row_offsets = owner.device_row_offsets(),
                                 .device_columns = owner.device_columns(),
                                 .device_weights = owner.device_weights(),
                                 .device = owner.ordinal()};
  });
}

void graft_device_graph_free(graft_device_graph* graph) { free_handle(graph); }

graft_status graft_graph_to_device(const graft_graph* graph, const graft_context* context, graft_device_graph** out) {
  constexpr const char* kOperation = "graft_graph_to_device";
  return produce_graph(kOperation, context, out, [&](const Context& where) {
    return graft::to_device(graph_of(kOperation, "graph", graph), where);
  });
}

graft_status graft_device_graph_to_host(const graft_device_graph* graph, graft_graph** out) {
  constexpr const char* kOperation = "graft_device_graph_to_host";
  return produce(kOperation, out, [&] { return graft::to_host(device_graph_of(kOperation, "graph", graph)); });
}

graft_status graft_device_matrix_get(const graft_device_matrix* matrix, graft_device_matrix_view* out) {
  return fill("graft_device_matrix_get", out, [&] {
    const graft::DeviceMatrixView view = required("graft_device_matrix_get", "matrix", matrix).matrix.view();
    return graft_device_matrix_view{.device_data = view.device_data(),
                                    .rows = view.rows(),
                                    .cols = view.cols(),
                                    .stride = view.stride(),
                                    .device = view.ordinal(),
                                    .stream_known = 0,
                                    .stream = nullptr};
  });
}

void graft_device_matrix_free(graft_device_matrix* matrix) { free_handle(matrix); }

graft_status graft_matrix_to_device(const graft_matrix_view* matrix, const graft_context* context,
                                    graft_device_matrix** out) {
  constexpr const char* kOperation = "graft_matrix_to_device";
  return produce(kOperation, out, [&] {
    return graft_device_matrix{
        graft::to_device(matrix_of(kOperation, "matrix", matrix), device_context_of(kOperation, context))};
  });
}

graft_status graft_device_matrix_to_host(const graft_device_matrix* matrix, graft_matrix** out) {
  constexpr const char* kOperation = "graft_device_matrix_to_host";
  return produce(kOperation, out,
                 [&] { return graft_matrix{graft::to_host(required(kOperation, "matrix", matrix).matrix.view())}; });
}

graft_status graft_device_knn_graph(const graft_device_matrix_view* features, const graft_knn_options* options,
                                    const graft_context* context, graft_device_graph** out) {
  constexpr const char* kOperation = "graft_device_knn_graph";
  return produce_graph(kOperation, context, out, [&](const Context& where) {
    return graft::on_device::knn_graph(device_matrix_of(kOperation, "features", features), knn_of(kOperation, options),
                                       where);
  });
}

graft_status graft_device_jaccard_graph(const graft_interactions* interactions, const graft_jaccard_options* options,
                                        const graft_context* context, graft_device_graph** out) {
  constexpr const char* kOperation = "graft_device_jaccard_graph";
  return produce_graph(kOperation, context, out, [&](const Context& where) {
    return graft::on_device::jaccard_graph(interactions_of(kOperation, interactions), jaccard_of(kOperation, options),
                                           where);
  });
}

graft_status graft_device_refine(const graft_device_matrix_view* features, const graft_interactions* interactions,
                                 const graft_refine_options* options, const graft_context* context,
                                 graft_refine_summary* summary, graft_device_graph** out) {
  constexpr const char* kOperation = "graft_device_refine";
  return refined(kOperation, interactions, options, context, summary, out,
                 [&](const graft::Interactions& train, const graft::RefineOptions& how, const Context& where,
                     graft::RefineSummary* counts) {
                   return graft::on_device::refine(device_matrix_of(kOperation, "features", features), train, how,
                                                   where, counts);
                 });
}

graft_status graft_device_refine_modalities(const graft_modality* modalities, size_t count,
                                            const graft_interactions* interactions, const graft_refine_options* options,
                                            const graft_context* context, graft_refine_summary* summary,
                                            graft_device_graph** out) {
  constexpr const char* kOperation = "graft_device_refine_modalities";
  return refined(kOperation, interactions, options, context, summary, out,
                 [&](const graft::Interactions& train, const graft::RefineOptions& how, const Context& where,
                     graft::RefineSummary* counts) {
                   return graft::on_device::refine(modalities_of(kOperation, modalities, count), train, how, where,
                                                   counts);
                 });
}

graft_status graft_device_threshold(const graft_device_graph* graph, float min_similarity, const graft_context* context,
                                    graft_device_graph** out) {
  return transform("graft_device_threshold", graph, context, out, [&](const DeviceGraph& given, const Context& where) {
    return graft::threshold(given, min_similarity, where);
  });
}

graft_status graft_device_binarize(const graft_device_graph* graph, const graft_context* context,
                                   graft_device_graph** out) {
  return transform("graft_device_binarize", graph, context, out,
                   [](const DeviceGraph& given, const Context& where) { return graft::binarize(given, where); });
}

graft_status graft_device_scale(const graft_device_graph* graph, float factor, const graft_context* context,
                                graft_device_graph** out) {
  return transform("graft_device_scale", graph, context, out,
                   [&](const DeviceGraph& given, const Context& where) { return graft::scale(given, factor, where); });
}

graft_status graft_device_drop_self_loops(const graft_device_graph* graph, const graft_context* context,
                                          graft_device_graph** out) {
  return transform("graft_device_drop_self_loops", graph, context, out,
                   [](const DeviceGraph& given, const Context& where) { return graft::drop_self_loops(given, where); });
}

graft_status graft_device_top_k(const graft_device_graph* graph, int64_t k, const graft_context* context,
                                graft_device_graph** out) {
  return transform("graft_device_top_k", graph, context, out,
                   [&](const DeviceGraph& given, const Context& where) { return graft::top_k(given, k, where); });
}

graft_status graft_device_symmetrize(const graft_device_graph* graph, graft_symmetrization how,
                                     const graft_context* context, graft_device_graph** out) {
  constexpr const char* kOperation = "graft_device_symmetrize";
  return transform(kOperation, graph, context, out, [&](const DeviceGraph& given, const Context& where) {
    return graft::symmetrize(given, choice(kOperation, "how", how, graft::Symmetrization::min), where);
  });
}

graft_status graft_device_transpose(const graft_device_graph* graph, const graft_context* context,
                                    graft_device_graph** out) {
  return transform("graft_device_transpose", graph, context, out,
                   [](const DeviceGraph& given, const Context& where) { return graft::transpose(given, where); });
}

graft_status graft_device_normalize(const graft_device_graph* graph, graft_normalization normalization, float epsilon,
                                    const graft_context* context, graft_device_graph** out) {
  constexpr const char* kOperation = "graft_device_normalize";
  return transform(kOperation, graph, context, out, [&](const DeviceGraph& given, const Context& where) {
    const auto how = choice(kOperation, "normalization", normalization, graft::Normalization::none);
    return graft::normalize(given, {.normalization = how, .epsilon = epsilon}, where);
  });
}

graft_status graft_device_add(const graft_device_graph* left, const graft_device_graph* right,
                              const graft_context* context, graft_device_graph** out) {
  constexpr const char* kOperation = "graft_device_add";
  return produce_graph(kOperation, context, out, [&](const Context& where) {
    const DeviceGraph& first = device_graph_of(kOperation, "left", left);
    return graft::add(first, device_graph_of(kOperation, "right", right), where);
  });
}

graft_status graft_device_mix(const graft_device_graph* left, float left_coefficient, const graft_device_graph* right,
                              float right_coefficient, const graft_context* context, graft_device_graph** out) {
  constexpr const char* kOperation = "graft_device_mix";
  return produce_graph(kOperation, context, out, [&](const Context& where) {
    const DeviceGraph& first = device_graph_of(kOperation, "left", left);
    return graft::mix(first, left_coefficient, device_graph_of(kOperation, "right", right), right_coefficient, where);
  });
}

graft_status graft_device_propagate(const graft_device_graph* graph, const graft_device_matrix_view* features,
                                    int64_t layers, graft_aggregation aggregation, const graft_context* context,
                                    graft_device_matrix** out) {
  constexpr const char* kOperation = "graft_device_propagate";
  return produce(kOperation, out, [&] {
    const auto how = choice(kOperation, "aggregation", aggregation, graft::Aggregation::mean);
    return graft_device_matrix{graft::propagate(device_graph_of(kOperation, "graph", graph),
                                                device_matrix_of(kOperation, "features", features), layers, how,
                                                device_context_of(kOperation, context))};
  });
}
