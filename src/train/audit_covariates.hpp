// What the training rows and the item features say of a user and an item: the covariates of an audit.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <graft/core/context.hpp>
#include <graft/core/graph.hpp>

#include "train/audit_score.hpp"
#include "train/audit_sets.hpp"
#include "train/audit_space.hpp"
#include "train/dataset.hpp"

namespace graft::training {

/// What a worker needs while it looks at a query.
struct AuditWorkspace {
  explicit AuditWorkspace(std::int64_t items) : slot(static_cast<std::size_t>(items), -1) {}

  std::vector<std::int32_t> slot;     ///< [items]: the first place of an item among the query's, -1 elsewhere
  std::vector<std::int32_t> history;  ///< the training items, without the one left out
  std::vector<float> profile;
  std::vector<float> sum;  ///< by place
};

/// Fills one number an item of the query. `workspace` has slots and history.
using AuditColumn =
    std::function<void(const AuditQuery&, std::span<const std::int32_t> items, AuditWorkspace&, std::span<float>)>;

/// The measures of a query's items, one after the other. What the columns refer to must outlive their use.
struct AuditColumns {
  std::vector<AuditColumn> plain;                             ///< a covariate each
  std::vector<bool> squared;                                  ///< whether its square is one too
  std::vector<std::pair<std::size_t, std::size_t>> products;  ///< of plain ones: a covariate each
  AuditColumn affinity;

  void add(AuditColumn column, bool square = true);
};

/// log of the collaborative score (R R^T R of the normalised training rows), whether it is above 0, log popularity.
void add_training_columns(const Dataset& data, AuditColumns& columns);
/// Cosine to each reference profile, greatest cosine to a training item.
void add_space_columns(const AuditSpace& space, AuditColumns& columns);

/// cosine(vector of the user, unit vector of the item)
AuditColumn user_affinity(MatrixView<const float> users, const AuditSpace& space);
/// Number of training items joined to the item that share no training user with it, the query's own left out.
/// @param joined  symmetric
AuditColumn edge_affinity(const Dataset& data, const Graph& joined);
/// Counts the joined pairs that share no training user. @param joined  symmetric
AuditEdges count_edges(const Dataset& data, const AuditHistories& histories, const Graph& joined,
                       const Context& context);
/// log(1 + two-step paths from training items) over items that the user has in no split. @param joined  symmetric
AuditColumn two_step_column(const AuditHistories& histories, const Graph& joined);

/// Evaluates all columns for all sets.
AuditTable audit_table(const Dataset& data, const AuditSets& sets, const AuditColumns& columns, const Context& context);

}  // namespace graft::training
