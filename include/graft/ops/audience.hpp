// Choices of operators that compare audiences.
#pragma once

namespace graft {

/// How two audiences are compared, from c = |U_a n U_b|, d_a = |U_a|, d_b = |U_b| and U users.
enum class AudienceMeasure {
  jaccard,        ///< c / (d_a + d_b - c), in (0, 1]; compared exactly as integer fractions
  cosine,         ///< c / sqrt(d_a d_b), in (0, 1]; compared exactly
  overlap,        ///< c / min(d_a, d_b), in (0, 1]; compared exactly
  pmi,            ///< log(c U / (d_a d_b)) where positive: pointwise mutual information; compared exactly
  log_likelihood  ///< Dunning's G^2 of the 2 x 2 table, where the association is positive; compared in double
};

/// Pairs of different items with the same audience (Jaccard 1).
enum class Identical {
  keep,
  drop,
  /// What the published MLLMRec code does by zeroing float32 values equal to 1: drops every pair, the item with itself
  /// included, whose common audience is all of a union of two or more users; where the union is one single user, the
  /// pair, and the item's self loop, stay at 0.99999988. Overrides `self`. Jaccard only.
  reference
};

}  // namespace graft
