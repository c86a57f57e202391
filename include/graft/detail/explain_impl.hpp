// Bodies of ops/explain.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <string>

#include <graft/detail/audience_measures.hpp>
#include <graft/detail/refine_impl.hpp>
#include <graft/ops/explain.hpp>

namespace graft {
namespace detail {

/// Place of `column` in a complete row, by weight descending, then column ascending; a kept self loop comes first.
/// 0 if the row does not hold it.
inline std::int64_t rank_in_row(const GraphView& graph, std::int64_t row, std::int64_t column) {
  const std::span<const std::int32_t> columns = graph.row_columns(row);
  const std::span<const float> weights = graph.row_weights(row);
  const auto found = std::lower_bound(columns.begin(), columns.end(), as_id(column));
  if (found == columns.end() || *found != column) return 0;
  if (column == row) return 1;
  const auto place = static_cast<std::size_t>(found - columns.begin());
  std::int64_t rank = 1;
  for (std::size_t e = 0; e < columns.size(); ++e) {
    const bool better = weights[e] > weights[place] || (weights[e] == weights[place] && columns[e] < columns[place]);
    if (e != place && (better || columns[e] == row)) ++rank;
  }
  return rank;
}

inline float weight_of(const GraphView& graph, std::int64_t row, std::int64_t column) {
  const std::span<const std::int32_t> columns = graph.row_columns(row);
  const auto found = std::lower_bound(columns.begin(), columns.end(), as_id(column));
  if (found == columns.end() || *found != column) return 0.0F;
  return graph.row_weights(row)[static_cast<std::size_t>(found - columns.begin())];
}

inline std::int64_t common_users(const Interactions& interactions, std::int64_t i, std::int64_t j) {
  const std::span<const std::int32_t> a = interactions.audience(i);
  const std::span<const std::int32_t> b = interactions.audience(j);
  std::int64_t common = 0;
  for (auto x = a.begin(), y = b.begin(); x != a.end() && y != b.end();) {
    common += *x == *y ? 1 : 0;
    const bool step_x = *x <= *y;
    const bool step_y = *y <= *x;
    if (step_x) ++x;
    if (step_y) ++y;
  }
  return common;
}

inline void explain_similarity(const Features& features, std::int64_t i, std::int64_t j, const RefineOptions& options,
                               const Context& context, Explanation& facts) {
  const Self self = rules_of(options.preset).similarity_self;
  const KnnOptions whole_row{
      .k = std::numeric_limits<std::int64_t>::max(), .self = Self::keep, .row_range = {i, i + 1}};
  const Graph all = knn_graph(features, whole_row, context);
  facts.cosine = weight_of(all, i, j);
  if (rank_in_row(all, i, j) == 0) {
    facts.similarity_rule = EdgeRule::zero_norm;
    return;
  }
  if (i == j && self == Self::drop) {
    facts.similarity_rule = EdgeRule::self_dropped;
    return;
  }
  // `all` holds the self loop first; without it everything moves up by one place
  facts.cosine_rank = rank_in_row(all, i, j) - (self == Self::drop ? 1 : 0);
  if (facts.cosine_rank > options.knn_k) {
    facts.similarity_rule = EdgeRule::below_rank;
  } else if (options.threshold > -1.0F && facts.cosine < options.threshold) {
    facts.similarity_rule = EdgeRule::below_threshold;
  } else {
    facts.weight += options.weights == Weights::binary ? 1.0F : facts.cosine;
  }
}

inline void explain_audience(const Interactions& interactions, std::int64_t i, std::int64_t j,
                             const RefineOptions& options, const Context& context, Explanation& facts) {
  const PresetRules rules = rules_of(options.preset);
  facts.degree_i = interactions.degree(i);
  facts.degree_j = interactions.degree(j);
  facts.common_audience = common_users(interactions, i, j);
  const bool identical = facts.common_audience == facts.degree_i && facts.common_audience == facts.degree_j;
  const bool by_reference = rules.identical == Identical::reference;
  if (facts.common_audience > 0) {
    facts.jaccard = by_reference && identical && facts.common_audience == 1
                        ? kSingleUserJaccard
                        : JaccardMeasure::weight(facts.common_audience, facts.degree_i, facts.degree_j, 0);
  }
  JaccardOptions whole_row = audience_options(options);
  whole_row.k = std::max<std::int64_t>(1, interactions.items());
  whole_row.row_range = {i, i + 1};
  const Graph all = jaccard_graph(interactions, whole_row, context);
  facts.jaccard_rank = rank_in_row(all, i, j);
  // by the preset alone: no min_support would let the pair in
  const bool dropped =
      by_reference ? identical && facts.common_audience > 1 : i == j && rules.audience_self == Self::drop;
  if (!enhances(options)) {
    facts.audience_rule = EdgeRule::switched_off;
  } else if (facts.common_audience == 0) {
    facts.audience_rule = EdgeRule::no_common_audience;
  } else if (dropped) {
    facts.audience_rule = i == j ? EdgeRule::self_dropped : EdgeRule::identical_dropped;
  } else if (facts.common_audience < options.min_support) {
    facts.audience_rule = EdgeRule::below_support;
  } else if (facts.jaccard_rank > options.jaccard_k) {
    facts.audience_rule = EdgeRule::below_rank;
  } else {
    facts.weight += options.enhancement_weight * facts.jaccard;
  }
}

}  // namespace detail

GRAFT_INLINE Explanation explain(Features features, const Interactions& interactions, std::int64_t i, std::int64_t j,
                                 const RefineOptions& options, const Context& context) {
  detail::check_refine_options(options);
  const std::array<Modality, 1> one{Modality{.features = features}};
  static_cast<void>(detail::check_modalities(one, interactions.items()));
  for (const auto& [argument, item] : {std::pair{"i", i}, std::pair{"j", j}}) {
    if (item >= 0 && item < features.rows()) continue;
    throw InvalidArgument(detail::message("explain", argument, std::to_string(item),
                                          "must lie in [0, " + std::to_string(features.rows()) + ")"));
  }
  Explanation facts;
  detail::explain_similarity(features, i, j, options, context, facts);
  detail::explain_audience(interactions, i, j, options, context, facts);
  return facts;
}

GRAFT_INLINE const char* describe(EdgeRule rule) {
  switch (rule) {
    case EdgeRule::kept:
      return "kept";
    case EdgeRule::switched_off:
      return "enhancement is switched off";
    case EdgeRule::self_dropped:
      return "an item is not its own neighbour in this preset";
    case EdgeRule::zero_norm:
      return "a feature row is zero";
    case EdgeRule::no_common_audience:
      return "no user interacted with both";
    case EdgeRule::identical_dropped:
      return "identical audiences are dropped in this preset";
    case EdgeRule::below_rank:
      return "not among the k best";
    case EdgeRule::below_threshold:
      return "below the threshold";
    case EdgeRule::below_support:
      return "too few users interacted with both";
  }
  return "unknown";
}

}  // namespace graft
