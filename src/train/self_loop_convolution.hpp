// Propagation over the user-item graph in which every node is its own neighbour too.
#pragma once

#include <cstdint>

#include <graft/core/interactions.hpp>

#include "autodiff/tape.hpp"
#include "train/model.hpp"

namespace graft::training {

/// Layers of X^{l+1} = B X^l with B = D^-1 (A + I): every user and every item takes the mean of itself and its
/// neighbours. A = [[0, R], [R^T, 0]], R the binary training matrix, D the row sums of A + I.
///
/// Not symmetric, unlike R^ of light_convolution. Users and items are propagated apart, over R alone:
/// X_U^{l+1} = D_U^-1 (X_U^l + R X_I^l), and items with R^T.
/// Source: LATTICE as published; the mean aggregation with self loops of NGCF, Wang et al., SIGIR 2019
/// (doi:10.1145/3331184.3331267)
class SelfLoopConvolution {
 public:
  SelfLoopConvolution(autodiff::Backend& backend, const Interactions& train);

  /// The mean of layers 0 ... `layers`. @param ego  layer 0   @param layers  >= 0
  [[nodiscard]] Representations convolve(const Representations& ego, std::int64_t layers) const;

 private:
  autodiff::Sparse edges_;         ///< R
  autodiff::Tensor user_factors_;  ///< 1 / (degree + 1), [users, 1]
  autodiff::Tensor item_factors_;
};

}  // namespace graft::training
