// Propagation over the user-item graph without weights or activations.
#pragma once

#include <cstdint>

#include "autodiff/tape.hpp"
#include "train/model.hpp"

namespace graft::training {

/// The mean of layers 0 ... `layers` of X_U^{l+1} = R^ X_I^l, X_I^{l+1} = R^^T X_U^l.
///
/// Users and items are propagated apart: together they would be [[0, R^], [R^^T, 0]] times the concatenation.
/// @param block  R^ [users, items]   @param ego  layer 0   @param layers  >= 0
/// Source: LightGCN, He et al., SIGIR 2020, Eq. 3-4 and 8 with equal weights (doi:10.1145/3397271.3401063)
Representations light_convolution(const autodiff::Sparse& block, const Representations& ego, std::int64_t layers);

}  // namespace graft::training
