// Why an edge is, or is not, in the refined graph.
#pragma once

#include <cstdint>

#include <graft/core/config.hpp>
#include <graft/core/context.hpp>
#include <graft/core/interactions.hpp>
#include <graft/core/matrix_view.hpp>
#include <graft/ops/refine.hpp>

namespace graft {

/// The rule that decided over an edge of one of the two graphs; the first that applies.
enum class EdgeRule {
  kept,
  switched_off,        ///< enhancement is off (jaccard_k or enhancement_weight = 0)
  self_dropped,        ///< j is i, and the preset has no self loops here
  zero_norm,           ///< one of the two feature rows is zero: its cosine to everything is 0, no edge
  no_common_audience,  ///< no user interacted with both
  identical_dropped,   ///< identical audiences, dropped by the `reference` preset
  below_rank,          ///< more than k items come before j in row i
  below_threshold,     ///< among the k best, but below alpha
  below_support        ///< some users interacted with both, but fewer than min_support
};

/// Facts about the directed pair i <- j (row i receives from column j).
struct Explanation {
  float cosine = 0.0F;           ///< 0 where a row is zero; exactly 1 for i = j
  std::int64_t cosine_rank = 0;  ///< place of j in row i, 1 = first; 0 if it has none
  EdgeRule similarity_rule = EdgeRule::kept;
  std::int64_t degree_i = 0;         ///< users of i
  std::int64_t degree_j = 0;         ///< users of j
  std::int64_t common_audience = 0;  ///< users of both
  float jaccard = 0.0F;              ///< weight the pair has, or would have, in the enhancement graph
  std::int64_t jaccard_rank = 0;     ///< place of j in row i, 1 = first; 0 if it has none, as below min_support
  EdgeRule audience_rule = EdgeRule::kept;
  float weight = 0.0F;  ///< W_ij before any normalisation
};

/// Tells the facts about edge i <- j of `refine(features, interactions, options)`, computed by the same kernels.
/// `symmetrize`, `add_self_loops` and normalisation are not looked at.
/// @throws InvalidArgument (i or j not in [0, items); as `refine`)
/// Cost: one row of each graph in full.
Explanation explain(Features features, const Interactions& interactions, std::int64_t i, std::int64_t j,
                    const RefineOptions& options = {}, const Context& context = {});

/// The rule in words, e.g. "below the threshold".
const char* describe(EdgeRule rule);

}  // namespace graft

#ifndef GRAFT_COMPILED
#include <graft/detail/explain_impl.hpp>
#endif
