// What one step of training sees.
#pragma once

#include <cstdint>

#include "autodiff/index_list.hpp"

namespace graft::training {

/// Positives and their sampled negatives. Scores of the batch: users[b] with items[b] (positive) and items[size + b]
/// (negative).
struct Batch {
  autodiff::Indices users;  ///< [size]
  autodiff::Indices items;  ///< [2 size]: positives, then negatives
  std::int64_t size = 0;
};

}  // namespace graft::training
