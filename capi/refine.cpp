// Refinement and its explanation.
#include "internal.hpp"

namespace graft::capi {
namespace {

graft_refine_options default_refine() {
  const RefineOptions defaults;
  return {.size = sizeof(graft_refine_options),
          .preset = GRAFT_PRESET_NOSELF,
          .threshold = defaults.threshold,
          .knn_k = defaults.knn_k,
          .jaccard_k = defaults.jaccard_k,
          .weights = GRAFT_WEIGHTS_BINARY,
          .symmetrize = GRAFT_SYMMETRIZE_NOT,
          .add_self_loops = 0,
          .normalization = GRAFT_NORMALIZATION_SYMMETRIC,
          .epsilon = defaults.epsilon,
          .normalize_parts = 0,
          .enhancement_weight = defaults.enhancement_weight,
          .min_support = defaults.min_support};
}

/// Runs `refine` and hands its summary over.
template <class Refine>
graft_status refined(const char* operation, const graft_interactions* interactions, const graft_refine_options* options,
                     graft_refine_summary* summary, graft_graph** out, const Refine& run) noexcept {
  return produce(operation, out, [&] {
    RefineSummary counts;
    Graph graph = run(interactions_of(operation, interactions), refine_of(operation, options), &counts);
    if (summary != nullptr) *summary = plain(counts);
    return graph;
  });
}

Modality modality_of(const char* operation, const graft_modality& given, const std::string& place) {
  Modality modality;
  if ((given.features == nullptr) == (given.similarity == nullptr)) {
    refuse(operation, place, given.features == nullptr ? "neither" : "both",
           "must have exactly one of features and similarity");
  }
  if (given.features != nullptr) {
    modality.features = matrix_of(operation, (place + ".features").c_str(), given.features);
  } else {
    modality.similarity = graph_of(operation, (place + ".similarity").c_str(), given.similarity);
  }
  modality.weight = given.weight;
  if (given.own_threshold != 0) modality.threshold = given.threshold;
  return modality;
}

}  // namespace

RefineOptions refine_of(const char* operation, const graft_refine_options* options) {
  const graft_refine_options given = options_or(operation, options, default_refine());
  RefineOptions result{
      .preset = choice(operation, "options.preset", given.preset, Preset::paper),
      .knn_k = given.knn_k,
      .threshold = given.threshold,
      .jaccard_k = given.jaccard_k,
      .min_support = given.min_support,
      .weights = choice(operation, "options.weights", given.weights, Weights::binary),
      .symmetrize = std::nullopt,
      .add_self_loops = given.add_self_loops != 0,
      .normalization = choice(operation, "options.normalization", given.normalization, Normalization::none),
      .epsilon = given.epsilon,
      .normalize_parts = given.normalize_parts != 0,
      .enhancement_weight = given.enhancement_weight};
  if (given.symmetrize != GRAFT_SYMMETRIZE_NOT) {
    result.symmetrize = choice(operation, "options.symmetrize", given.symmetrize, Symmetrization::min);
  }
  return result;
}

std::vector<Modality> modalities_of(const char* operation, const graft_modality* modalities, std::size_t count) {
  std::vector<Modality> sources;
  for (const graft_modality& given : array(operation, "modalities", modalities, static_cast<std::int64_t>(count))) {
    sources.push_back(modality_of(operation, given, "modalities[" + std::to_string(sources.size()) + "]"));
  }
  return sources;
}

graft_refine_summary plain(const RefineSummary& summary) {
  return {.edges_before = summary.similarity.edges_before,
          .edges_after = summary.similarity.edges_after,
          .similarity_edges = summary.similarity_edges,
          .jaccard_edges = summary.jaccard_edges,
          .edges = summary.edges,
          .self_loops = summary.self_loops,
          .isolated_items = summary.isolated_items};
}

}  // namespace graft::capi

using namespace graft::capi;  // NOLINT(google-build-using-namespace): the functions below stand outside of it

graft_status graft_refine_options_init(graft_refine_options* options, size_t size) {
  return init_options("graft_refine_options_init", options, size, default_refine());
}

graft_status graft_refine(const graft_matrix_view* features, const graft_interactions* interactions,
                          const graft_refine_options* options, const graft_context* context,
                          graft_refine_summary* summary, graft_graph** out) {
  constexpr const char* kOperation = "graft_refine";
  return refined(kOperation, interactions, options, summary, out,
                 [&](const graft::Interactions& train, const graft::RefineOptions& how, graft::RefineSummary* counts) {
                   return graft::refine(matrix_of(kOperation, "features", features), train, how, context_of(context),
                                        counts);
                 });
}

graft_status graft_refine_graph(const graft_graph* similarity, const graft_interactions* interactions,
                                const graft_refine_options* options, const graft_context* context,
                                graft_refine_summary* summary, graft_graph** out) {
  constexpr const char* kOperation = "graft_refine_graph";
  return refined(kOperation, interactions, options, summary, out,
                 [&](const graft::Interactions& train, const graft::RefineOptions& how, graft::RefineSummary* counts) {
                   return graft::refine(graph_of(kOperation, "similarity", similarity), train, how, context_of(context),
                                        counts);
                 });
}

graft_status graft_refine_modalities(const graft_modality* modalities, size_t count,
                                     const graft_interactions* interactions, const graft_refine_options* options,
                                     const graft_context* context, graft_refine_summary* summary, graft_graph** out) {
  constexpr const char* kOperation = "graft_refine_modalities";
  return refined(kOperation, interactions, options, summary, out,
                 [&](const graft::Interactions& train, const graft::RefineOptions& how, graft::RefineSummary* counts) {
                   return graft::refine(modalities_of(kOperation, modalities, count), train, how, context_of(context),
                                        counts);
                 });
}

graft_status graft_explain(const graft_matrix_view* features, const graft_interactions* interactions, int64_t i,
                           int64_t j, const graft_refine_options* options, const graft_context* context,
                           graft_explanation* out) {
  constexpr const char* kOperation = "graft_explain";
  return fill(kOperation, out, [&] {
    const graft::Explanation facts =
        graft::explain(matrix_of(kOperation, "features", features), interactions_of(kOperation, interactions), i, j,
                       refine_of(kOperation, options), context_of(context));
    return graft_explanation{.cosine = facts.cosine,
                             .similarity_rule = static_cast<graft_edge_rule>(facts.similarity_rule),
                             .cosine_rank = facts.cosine_rank,
                             .degree_i = facts.degree_i,
                             .degree_j = facts.degree_j,
                             .common_audience = facts.common_audience,
                             .jaccard_rank = facts.jaccard_rank,
                             .jaccard = facts.jaccard,
                             .audience_rule = static_cast<graft_edge_rule>(facts.audience_rule),
                             .weight = facts.weight};
  });
}

const char* graft_edge_rule_text(graft_edge_rule rule) {
  if (rule < GRAFT_EDGE_KEPT || rule > GRAFT_EDGE_BELOW_SUPPORT) return "unknown rule";
  return graft::describe(static_cast<graft::EdgeRule>(rule));
}
