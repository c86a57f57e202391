// Bodies of cuda/on_device.hpp.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include <graft/cuda/on_device.hpp>
#include <graft/detail/jaccard_impl.hpp>
#include <graft/detail/knn_impl.hpp>
#include <graft/detail/refine_impl.hpp>

namespace graft::on_device {

/// The counts with those that the result itself gives.
inline RefineSummary with_result(const DeviceGraph& graph, const Context& context, RefineSummary facts) {
  const Graph copy = to_host(graph);
  detail::count_result(copy, context, facts);
  return facts;
}

GRAFT_INLINE DeviceGraph knn_graph(const DeviceMatrixView& features, const KnnOptions& options,
                                   const Context& context) {
  const detail::PairwiseShape shape = detail::knn_shape(features.rows(), features.cols(), options);
  detail::require_device("knn_graph", "features", features, context);
  return detail::knn_left_on_device(detail::seam_matrix(features), options, shape, context);
}

GRAFT_INLINE DeviceGraph knn_graph(Features features, const KnnOptions& options, const Context& context) {
  const detail::PairwiseShape shape = detail::knn_shape(features.rows(), features.cols(), options);
  return detail::knn_left_on_device(detail::seam_matrix(features), options, shape, context);
}

GRAFT_INLINE DeviceGraph jaccard_graph(const Interactions& interactions, const JaccardOptions& options,
                                       const Context& context) {
  return detail::jaccard_left_on_device(interactions, options, context);
}

GRAFT_INLINE DeviceGraph refine(const DeviceMatrixView& features, const Interactions& interactions,
                                const RefineOptions& options, const Context& context, RefineSummary* summary) {
  detail::check_refine_options(options);
  if (features.rows() != interactions.items()) {
    throw InvalidArgument(
        detail::message("refine", "features", std::to_string(features.rows()) + " items",
                        "must be as many as the interactions have, " + std::to_string(interactions.items())));
  }
  const std::array<Modality, 1> one{};
  constexpr std::array<float, 1> kWhole{1.0F};
  RefineSummary facts;
  DeviceGraph graph =
      detail::refine_on_device(one, kWhole, interactions, options, context, facts, [&](const Modality&) {
        return on_device::knn_graph(
            features, {.k = options.knn_k, .self = detail::rules_of(options.preset).similarity_self}, context);
      });
  if (summary != nullptr) *summary = with_result(graph, context, facts);
  return graph;
}

GRAFT_INLINE DeviceGraph refine(std::span<const Modality> modalities, const Interactions& interactions,
                                const RefineOptions& options, const Context& context, RefineSummary* summary) {
  detail::check_refine_options(options);
  const std::vector<float> shares = detail::check_modalities(modalities, interactions.items());
  RefineSummary facts;
  DeviceGraph graph = detail::refine_on_device(
      modalities, shares, interactions, options, context, facts,
      [&](const Modality& modality) { return detail::nearest_on_device(modality, options, context); });
  if (summary != nullptr) *summary = with_result(graph, context, facts);
  return graph;
}

}  // namespace graft::on_device
