// The space of item features as the training rows see it: what the reference profiles of an audit are made of.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <graft/core/context.hpp>
#include <graft/core/graph.hpp>
#include <graft/core/interactions.hpp>
#include <graft/core/matrix_view.hpp>

namespace graft::training {

/// A user vector that training rows alone give: the sum over the user's training items t of weight[t] * row t of
/// `summed`. It is compared to rows of `compared`.
struct ReferenceProfile {
  const Matrix* summed = nullptr;
  const Matrix* compared = nullptr;
  std::span<const float> weights = {};  ///< one an item; none: 1 each
};

/// Which of the references are worth having.
enum class SpaceDetail {
  edges,    ///< the plain one, and nearest_parts()
  profiles  ///< all of references()
};

class AuditSpace {
 public:
  /// @param features  [items, dims], finite; rows of zeros stay so
  AuditSpace(MatrixView<const float> features, const Interactions& train, std::uint64_t seed, SpaceDetail detail,
             const Context& context);
  AuditSpace(const AuditSpace&) = delete;  // the references point into it
  AuditSpace& operator=(const AuditSpace&) = delete;
  AuditSpace(AuditSpace&&) = delete;
  AuditSpace& operator=(AuditSpace&&) = delete;
  ~AuditSpace() = default;

  [[nodiscard]] const Matrix& unit() const { return unit_; }  ///< rows of length 1
  /// The nearest items by cosine, in parts: ranks 1 to 5; ranks 1 to 10 by fifths of their cosines; ranks 11 to 20.
  /// Symmetric, of weight 1.
  [[nodiscard]] const std::vector<Graph>& nearest_parts() const { return nearest_parts_; }
  [[nodiscard]] const std::vector<ReferenceProfile>& references() const { return references_; }

 private:
  void normalise(MatrixView<const float> features);
  void part_nearest(const Context& context);
  void smooth_over_users(const Interactions& train, const Context& context);
  void smooth_over_items(const Graph& nearest, const Context& context);
  void lead(std::uint64_t seed, std::int64_t columns);

  Matrix unit_;
  std::vector<float> norms_;
  std::vector<float> rarity_;  ///< 1 / log(2 + training users)
  std::vector<Graph> nearest_parts_;
  Matrix over_users_;  ///< R^T R of the normalised training rows, times unit_
  Matrix over_items_;  ///< mean over an item and its nearest
  Matrix leading_;     ///< coordinates along the directions of the greatest variance, rows of length 1
  Matrix first_;       ///< the same for the first few of them
  std::vector<ReferenceProfile> references_;
};

}  // namespace graft::training
