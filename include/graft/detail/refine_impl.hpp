// Bodies of ops/refine.hpp.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <graft/detail/checked.hpp>
#include <graft/detail/device_graph_impl.hpp>
#include <graft/detail/jaccard_impl.hpp>
#include <graft/detail/knn_impl.hpp>
#include <graft/detail/parallel.hpp>
#include <graft/detail/preset_rules.hpp>
#include <graft/detail/select_neighbours.hpp>
#include <graft/ops/add.hpp>
#include <graft/ops/binarize.hpp>
#include <graft/ops/jaccard.hpp>
#include <graft/ops/knn.hpp>
#include <graft/ops/mix.hpp>
#include <graft/ops/refine.hpp>
#include <graft/ops/scale.hpp>
#include <graft/ops/threshold.hpp>

namespace graft {
namespace detail {

inline void check_alpha(const std::string& argument, float threshold) {
  if (!(threshold >= -1.0F && threshold <= 1.0F)) {  // NaN too
    throw InvalidArgument(
        message("refine", argument, std::to_string(threshold), "must lie in [-1, 1]; -1 switches denoising off"));
  }
}

inline void check_refine_options(const RefineOptions& options) {
  if (options.knn_k < 1) {
    throw InvalidArgument(message("refine", "knn_k", std::to_string(options.knn_k), "must be >= 1"));
  }
  check_alpha("threshold", options.threshold);
  if (options.jaccard_k < 0) {
    throw InvalidArgument(
        message("refine", "jaccard_k", std::to_string(options.jaccard_k), "must be >= 0; 0 switches enhancement off"));
  }
  if (options.min_support < 1) {
    throw InvalidArgument(message("refine", "min_support", std::to_string(options.min_support), "must be >= 1"));
  }
  if (!std::isfinite(options.epsilon) || options.epsilon < 0.0F) {
    throw InvalidArgument(message("refine", "epsilon", std::to_string(options.epsilon), "must be finite and >= 0"));
  }
  if (!std::isfinite(options.enhancement_weight) || options.enhancement_weight < 0.0F) {
    throw InvalidArgument(message("refine", "enhancement_weight", std::to_string(options.enhancement_weight),
                                  "must be finite and >= 0; 0 leaves enhancement out"));
  }
}

inline std::int64_t items_of(const Modality& modality) {
  return modality.similarity ? modality.similarity->items : modality.features.rows();
}

/// Shares of the modalities, scaled to sum to 1. @throws InvalidArgument naming the modality
inline std::vector<float> check_modalities(std::span<const Modality> modalities, std::int64_t items) {
  if (modalities.empty()) {
    throw InvalidArgument(message("refine", "modalities", "none", "at least one is needed"));
  }
  double total = 0.0;
  for (std::size_t m = 0; m < modalities.size(); ++m) {
    const Modality& modality = modalities[m];
    const std::string place = "modalities[" + std::to_string(m) + "]";
    if (modality.similarity && modality.features.rows() > 0) {
      throw InvalidArgument(message("refine", place, "features and similarity", "give exactly one of the two"));
    }
    if (items_of(modality) != items) {
      throw InvalidArgument(message("refine", place, std::to_string(items_of(modality)) + " items",
                                    "must be as many as the interactions have, " + std::to_string(items)));
    }
    if (!std::isfinite(modality.weight) || modality.weight < 0.0F) {
      throw InvalidArgument(
          message("refine", place + ".weight", std::to_string(modality.weight), "must be finite and >= 0"));
    }
    if (modality.threshold) check_alpha(place + ".threshold", *modality.threshold);
    total += modality.weight;
  }
  if (total <= 0.0) throw InvalidArgument(message("refine", "modality weights", "0", "must not all be 0"));
  std::vector<float> shares;
  for (const Modality& modality : modalities) shares.push_back(static_cast<float>(modality.weight / total));
  return shares;
}

inline std::int64_t count_self_loops(const GraphView& graph, const Context&) {
  std::int64_t loops = 0;
  for (std::int64_t row = 0; row < graph.items; ++row) {
    const std::span<const std::int32_t> columns = graph.row_columns(row);
    loops += std::binary_search(columns.begin(), columns.end(), as_id(row)) ? 1 : 0;
  }
  return loops;
}

inline std::int64_t count_isolated(const GraphView& graph) {
  std::vector<bool> touched(as_size(graph.items));
  for (std::int64_t row = 0; row < graph.items; ++row) {
    for (const std::int32_t column : graph.row_columns(row)) {
      if (column == row) continue;
      touched[as_size(row)] = true;
      touched[as_size(column)] = true;
    }
  }
  return std::count(touched.begin(), touched.end(), false);
}

inline std::int64_t count_self_loops(const DeviceGraph& graph, const Context& context) {
  return graph.edges() - drop_self_loops(graph, context).edges();
}

/// The k nearest of one modality.
inline Graph nearest(const Modality& modality, const RefineOptions& options, const Context& context) {
  const Self self = rules_of(options.preset).similarity_self;
  return modality.similarity ? select_neighbours(*modality.similarity, options.knn_k, self, on_host(context))
                             : knn_graph(modality.features, {.k = options.knn_k, .self = self}, context);
}

inline DeviceGraph nearest_on_device(const Modality& modality, const RefineOptions& options, const Context& context) {
  if (modality.similarity) return to_device(nearest(modality, options, context), context);
  const KnnOptions knn{.k = options.knn_k, .self = rules_of(options.preset).similarity_self};
  return knn_left_on_device(seam_matrix(modality.features), knn,
                            knn_shape(modality.features.rows(), modality.features.cols(), knn), context);
}

// From here on the steps are those of graphs in either memory: `AnyGraph` is Graph or DeviceGraph, and `context` that
// of its algebra.

/// S~ of one modality from its k nearest: alpha, then (binary) ones.
template <class AnyGraph>
AnyGraph denoised(AnyGraph graph, const Modality& modality, const RefineOptions& options, const Context& context,
                  DenoisingCounts& counts) {
  counts.edges_before += graph.edges() - count_self_loops(graph, context);
  const float alpha = modality.threshold.value_or(options.threshold);
  if (alpha > -1.0F) graph = threshold(graph, alpha, context);
  counts.edges_after += graph.edges() - count_self_loops(graph, context);
  if (options.weights == Weights::binary) graph = binarize(graph, context);
  return graph;
}

inline Graph mixed(const std::vector<Graph>& graphs, std::span<const float> coefficients, const Context& context) {
  return mix(std::vector<GraphView>(graphs.begin(), graphs.end()), coefficients, context);
}

inline DeviceGraph mixed(const std::vector<DeviceGraph>& graphs, std::span<const float> coefficients,
                         const Context& context) {
  return mix_on_device(graphs, coefficients, context);
}

/// @param nearest_of  (modality) -> its k nearest
template <class AnyGraph, class NearestOf>
AnyGraph denoised_sum(std::span<const Modality> modalities, std::span<const float> shares, const RefineOptions& options,
                      const Context& context, DenoisingCounts& counts, const NearestOf& nearest_of) {
  std::vector<AnyGraph> graphs;
  std::vector<float> coefficients;
  for (std::size_t m = 0; m < modalities.size(); ++m) {
    if (shares[m] == 0.0F) continue;
    graphs.push_back(denoised<AnyGraph>(nearest_of(modalities[m]), modalities[m], options, context, counts));
    coefficients.push_back(shares[m]);
  }
  if (graphs.size() == 1) return std::move(graphs.front());
  return mixed(graphs, coefficients, context);
}

inline bool enhances(const RefineOptions& options) {
  return options.jaccard_k > 0 && options.enhancement_weight > 0.0F;
}

/// graph + enhancement_weight * enhancement
template <class AnyGraph>
AnyGraph with_enhancement(const AnyGraph& graph, AnyGraph enhancement, const RefineOptions& options,
                          const Context& context) {
  if (options.enhancement_weight != 1.0F) enhancement = scale(enhancement, options.enhancement_weight, context);
  return add(graph, enhancement, context);
}

inline Graph with_self_loops(const Graph& graph, const Context& context) {
  return add(graph, Graph::identity(graph.items()), context);
}

inline DeviceGraph with_self_loops(const DeviceGraph& graph, const Context& context) {
  return add(graph, to_device(Graph::identity(graph.items()), context), context);
}

/// Symmetrised, with self loops where asked for, normalised.
template <class AnyGraph>
AnyGraph finished(AnyGraph graph, bool add_self_loops, const RefineOptions& options, const Context& context) {
  if (options.symmetrize) graph = symmetrize(graph, *options.symmetrize, context);
  if (add_self_loops) graph = with_self_loops(graph, context);
  return normalize(graph, {.normalization = options.normalization, .epsilon = options.epsilon}, context);
}

/// A^ of S~ and C~.
/// @param audience  () -> C~
template <class AnyGraph, class Audience>
AnyGraph refined(AnyGraph graph, const Audience& audience, const RefineOptions& options, const Context& context,
                 RefineSummary& facts) {
  facts.similarity_edges = graph.edges();
  if (!enhances(options)) return finished(std::move(graph), options.add_self_loops, options, context);
  AnyGraph enhancement = audience();
  facts.jaccard_edges = enhancement.edges();
  if (options.normalize_parts) {
    graph = finished(std::move(graph), options.add_self_loops, options, context);
    return with_enhancement(graph, finished(std::move(enhancement), false, options, context), options, context);
  }
  return finished(with_enhancement(graph, std::move(enhancement), options, context), options.add_self_loops, options,
                  context);
}

/// The counts that the result itself gives.
inline void count_result(const GraphView& graph, const Context& context, RefineSummary& facts) {
  facts.edges = graph.edges();
  facts.self_loops = count_self_loops(graph, context);
  facts.isolated_items = count_isolated(graph);
}

/// All of it on the device, and left there; arguments are checked.
/// @param nearest_of  (modality) -> its k nearest, on the device
template <class NearestOf>
DeviceGraph refine_on_device(std::span<const Modality> modalities, std::span<const float> shares,
                             const Interactions& interactions, const RefineOptions& options, const Context& context,
                             RefineSummary& facts, const NearestOf& nearest_of) {
  return refined(
      denoised_sum<DeviceGraph>(modalities, shares, options, context, facts.similarity, nearest_of),
      [&] { return jaccard_left_on_device(interactions, audience_options(options), context); }, options, context,
      facts);
}

}  // namespace detail

GRAFT_INLINE Graph refine(std::span<const Modality> modalities, const Interactions& interactions,
                          const RefineOptions& options, const Context& context, RefineSummary* summary) {
  detail::check_refine_options(options);
  const std::vector<float> shares = detail::check_modalities(modalities, interactions.items());
  RefineSummary facts;
  Graph graph;
  if (detail::names_device(context)) {
    graph = to_host(detail::refine_on_device(
        modalities, shares, interactions, options, context, facts,
        [&](const Modality& modality) { return detail::nearest_on_device(modality, options, context); }));
  } else {
    // where the context leaves the choice, the algebra between the operators is the processor's
    const Context host = detail::on_host(context);
    graph = detail::refined(
        detail::denoised_sum<Graph>(
            modalities, shares, options, host, facts.similarity,
            [&](const Modality& modality) { return detail::nearest(modality, options, context); }),
        [&] { return jaccard_graph(interactions, detail::audience_options(options), context); }, options, host, facts);
  }
  if (summary != nullptr) {
    detail::count_result(graph, context, facts);
    *summary = facts;
  }
  return graph;
}

GRAFT_INLINE Graph refine(Features features, const Interactions& interactions, const RefineOptions& options,
                          const Context& context, RefineSummary* summary) {
  const std::array<Modality, 1> one{Modality{.features = features}};
  return refine(one, interactions, options, context, summary);
}

GRAFT_INLINE Graph refine(GraphInput similarity, const Interactions& interactions, const RefineOptions& options,
                          const Context& context, RefineSummary* summary) {
  const std::array<Modality, 1> one{Modality{.similarity = similarity}};
  return refine(one, interactions, options, context, summary);
}

GRAFT_INLINE const char* name(Preset preset) {
  switch (preset) {
    case Preset::noself:
      return "noself";
    case Preset::reference:
      return "reference";
    case Preset::paper:
      return "paper";
  }
  return "unknown";
}

}  // namespace graft
