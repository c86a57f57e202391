// The statistics of an audit: conditional logit, orthogonal remainder, sign flips. Nothing here knows what an affinity
// or a covariate is.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <graft/core/context.hpp>

#include "train/audit.hpp"
#include "train/audit_sets.hpp"

namespace graft::training {

/// What is known of every item of every set.
struct AuditTable {
  std::int64_t covariates = 0;
  std::vector<float> covariate;  ///< [sets * width, covariates]
  std::vector<double> affinity;  ///< [sets * width]
};

/// Fits on the held-out sets, and tests them.
/// @param train        sets of training pairs, for the share
/// @param usual_shown  what a carried pair is taken to show where training pairs show less than a quarter of it; 0: not
///                     known
AuditTest audit_score(const Dataset& data, const AuditSets& held, AuditTable held_table, const AuditSets& train,
                      AuditTable train_table, double usual_shown, const AuditOptions& options, const Context& context);

}  // namespace graft::training
