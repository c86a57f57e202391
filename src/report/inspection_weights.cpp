// What the weights of a graph are.
#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>
#include <utility>

#include "report/inspection.hpp"
#include "report/scale.hpp"
#include "report/statistics.hpp"

namespace graft::report {
namespace {

std::vector<double> row_sums_of(const GraphView& graph, const Context& context) {
  std::vector<double> sums = detail::make_vector<double>(kInspect, graph.items);
  detail::parallel_rows(context, kInspect, graph.items, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      double sum = 0.0;
      for (const float weight : graph.row_weights(row)) sum += double{weight};
      sums[detail::as_size(row)] = sum;
    }
  });
  return sums;
}

bool says(const Provenance& provenance, const char* key, std::string_view value) {
  const auto found = provenance.find(key);
  return found != provenance.end() && found->second == value;
}

/// Weights can be similarities only where nothing was added to them, scaled or normalised.
bool says_cosine(const Provenance& provenance) {
  if (says(provenance, "operator", "knn_graph")) return says(provenance, "similarity", "cosine");
  return says(provenance, "operator", "refine") && says(provenance, "weights", "similarity") &&
         says(provenance, "normalization", "none") && says(provenance, "jaccard_k", "0") &&
         says(provenance, "modalities", "1") && says(provenance, "add_self_loops", "false");
}

/// Whether every row that has edges sums to 1, and some row has two.
bool rows_sum_to_one(const GraphView& graph, std::span<const double> sums) {
  constexpr double kRounding = 1e-4;  // of float weights in rows of thousands
  bool tells = false;
  for (std::int64_t row = 0; row < graph.items; ++row) {
    if (graph.row_size(row) == 0) continue;
    if (std::abs(sums[detail::as_size(row)] - 1.0) > kRounding) return false;
    tells = tells || graph.row_size(row) > 1;
  }
  return tells;
}

WeightMeaning meaning_of(const GraphView& graph, const Provenance& provenance, bool all_equal,
                         std::span<const double> sums) {
  if (says(provenance, "normalization", "symmetric")) return WeightMeaning::symmetric_normalized;
  if (says(provenance, "normalization", "row") || rows_sum_to_one(graph, sums)) return WeightMeaning::row_normalized;
  if (all_equal) return WeightMeaning::equal;
  return says_cosine(provenance) ? WeightMeaning::cosine : WeightMeaning::unknown;
}

/// Tenths where they tell weights apart, else round numbers in the range of nearly all weights.
std::vector<double> thresholds_for(std::span<const float> ascending) {
  constexpr double kMostCosine = 1.0 + 1e-5;  // as float rounding leaves it
  constexpr double kLeastMedian = 0.1;
  const auto least = double{ascending.front()};
  const auto most = double{ascending.back()};
  const bool spread = least == most || std::abs(quantile(ascending, 0.5)) >= kLeastMedian;
  if (least >= -kMostCosine && most <= kMostCosine && spread) return {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};
  constexpr double kNearlyAll = 0.99;
  constexpr int kThresholds = 10;
  std::vector<double> thresholds = round_bounds(least, std::max(least, quantile(ascending, kNearlyAll)), kThresholds);
  std::erase_if(thresholds, [&](double threshold) { return threshold <= least || threshold > most; });
  return thresholds;
}

std::vector<Below> below_thresholds(std::span<const float> ascending) {
  std::vector<Below> result;
  if (ascending.empty()) return result;
  const auto edges = static_cast<std::int64_t>(ascending.size());
  for (const double threshold : thresholds_for(ascending)) {
    const auto kept = std::lower_bound(ascending.begin(), ascending.end(), static_cast<float>(threshold));
    const std::int64_t below = kept - ascending.begin();
    result.push_back({.threshold = threshold, .edges = below, .share = ratio(below, edges)});
  }
  return result;
}

}  // namespace

const char* name(WeightMeaning meaning) {
  switch (meaning) {
    case WeightMeaning::unknown:
      return "unknown";
    case WeightMeaning::equal:
      return "equal";
    case WeightMeaning::cosine:
      return "cosine";
    case WeightMeaning::symmetric_normalized:
      return "symmetric_normalized";
    case WeightMeaning::row_normalized:
      return "row_normalized";
  }
  return "unknown";
}

WeightFacts inspect_weights(const GraphView& graph, const Provenance& provenance, const Context& context) {
  WeightFacts facts;
  const std::vector<double> sums = row_sums_of(graph, context);
  const std::vector<float> ascending = sorted(std::vector<float>(graph.weights.begin(), graph.weights.end()), context);
  facts.all_equal = !ascending.empty() && ascending.front() == ascending.back();
  facts.meaning = meaning_of(graph, provenance, facts.all_equal, sums);
  facts.spread = spread_of<float>(ascending);
  facts.histogram = histogram_of(std::span<const float>(ascending));
  facts.below = below_thresholds(ascending);
  facts.row_sums = spread_of<double>(sorted(sums, context));
  return facts;
}

}  // namespace graft::report
