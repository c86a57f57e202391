// Choices that several operators share.
#pragma once

namespace graft {

/// How two feature rows are compared.
enum class Metric {
  cosine,  ///< <x, y> / (|x| |y|), clamped to [-1, 1]; a zero-norm row has no edge in or out
  dot,     ///< <x, y>
  l2       ///< -|x - y|^2: larger is nearer, as for the others
};

/// What happens to an item's own place in its row.
enum class Self {
  drop,  ///< never an edge; dropped by index
  keep   ///< takes one of the k places and is put first
};

/// What an edge weighs.
enum class Weights {
  similarity,  ///< the value it was selected by
  binary       ///< 1
};

/// How the two directions of a pair become one weight.
enum class Symmetrization {
  max,   ///< an edge where either direction is stored; the larger of the stored weights
  mean,  ///< an edge where either direction is stored; (A + A^T) / 2, an absent direction counting as 0
  min    ///< an edge where both directions are stored; the smaller weight
};

}  // namespace graft
