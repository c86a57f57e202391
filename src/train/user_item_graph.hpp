// The bipartite graph of users and items as models propagate over it.
#pragma once

#include <cstdint>
#include <vector>

#include <graft/core/interactions.hpp>

#include "autodiff/sparse.hpp"
#include "data/random.hpp"

namespace graft::training {

/// Added to every degree before its root is taken, as the MMRec family does: an isolated node gives no division by 0.
inline constexpr double kDegreeEpsilon = 1e-7;

/// The block R^ [users, items] of the symmetrically normalised bipartite adjacency matrix [[0, R^], [R^^T, 0]].
///
/// Definition: R^_ui = 1 / sqrt((d_u + epsilon) (d_i + epsilon)) for every training pair, d the degrees; computed in
/// double and rounded once. Propagation of both sides is R^ X_I and R^^T X_U: the square matrix is never built.
autodiff::Csr normalized_block(const Interactions& train, double epsilon = kDegreeEpsilon);

/// Degree-sensitive edge pruning: keeps part of the edges, drawn anew for every epoch, those between popular nodes
/// least likely.
///
/// Definition: m = floor(edges * (1 - dropout)) edges are drawn without replacement, each draw with a probability
/// proportional to p_ui = R^_ui; drawn at once as the m smallest of e_ui / p_ui, e_ui ~ Exp(1). Degrees, and so the
/// weights, are then those of the kept edges (FREEDOM, section 3.2, doi:10.1145/3581783.3611943; the keys: Efraimidis
/// and Spirakis, "Weighted random sampling with a reservoir", 2006).
class EdgePruning {
 public:
  /// @param dropout  share of the edges that is left out, in [0, 1]   @throws InvalidArgument
  EdgePruning(const Interactions& train, double dropout, double epsilon = kDegreeEpsilon);

  /// Edges that every draw keeps.
  [[nodiscard]] std::int64_t kept() const { return kept_; }
  /// Whether a draw leaves out any.
  [[nodiscard]] bool drops() const { return kept_ < static_cast<std::int64_t>(edges_.columns.size()); }
  /// The block of a draw, [users, items]. Takes one number from the stream for every edge, by user and then item.
  [[nodiscard]] autodiff::Csr draw(data::RandomStream& random) const;

 private:
  autodiff::Csr edges_;  ///< all of them; the weights are p
  std::int64_t kept_ = 0;
  double epsilon_;
};

}  // namespace graft::training
