// Runs the processor's own tests on the device: the operators' names, once this is included, mean the device's.
#pragma once

#include <cstdint>

#include <graft/ops/add.hpp>
#include <graft/ops/binarize.hpp>
#include <graft/ops/jaccard.hpp>
#include <graft/ops/knn.hpp>
#include <graft/ops/merge_top_k.hpp>
#include <graft/ops/normalize.hpp>
#include <graft/ops/propagate.hpp>
#include <graft/ops/refine.hpp>
#include <graft/ops/threshold.hpp>
#include <graft/ops/top_k_scores.hpp>

#include "../../support/check.hpp"
#include "../../support/oracle.hpp"
#include "../../support/oracle_audience.hpp"
#include "../../support/oracle_refine.hpp"
#include "../../support/random_data.hpp"

namespace graft {

inline Context device_context(Context context) {
  context.backend = Backend::cuda;
  return context;
}

inline Graph device_knn_graph(Features features, const KnnOptions& options = {}, const Context& context = {}) {
  return knn_graph(features, options, device_context(context));
}

inline Graph device_jaccard_graph(const Interactions& interactions, const JaccardOptions& options = {},
                                  const Context& context = {}) {
  return jaccard_graph(interactions, options, device_context(context));
}

inline Ranking device_top_k_scores(Features queries, Features items, const TopKScoresOptions& options = {},
                                   const Context& context = {}) {
  return top_k_scores(queries, items, options, device_context(context));
}

template <class Source>
Graph device_refine(const Source& source, const Interactions& interactions, const RefineOptions& options = {},
                    const Context& context = {}, RefineSummary* summary = nullptr) {
  return refine(source, interactions, options, device_context(context), summary);
}

}  // namespace graft

#define knn_graph device_knn_graph
#define jaccard_graph device_jaccard_graph
#define top_k_scores device_top_k_scores
#define refine device_refine
