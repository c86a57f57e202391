// User vectors made of the items that a user has in training.
#pragma once

#include <cstdint>
#include <vector>

#include <graft/core/interactions.hpp>
#include <graft/core/matrix_view.hpp>

#include "autodiff/tape.hpp"
#include "train/batch.hpp"
#include "train/user_features.hpp"

namespace graft::training {

/// What the profile of a training example (u, i) is made of.
enum class ProfileTraining {
  leave_one_out,  ///< the items of u but i
  half,           ///< a random half of the items of u, drawn anew for each example from those that are not i
  whole           ///< all items of u, i among them
};

/// Profiles by the normalised features e_i = x_i / |x_i| of items (0 for x_i = 0): with H the user's training items,
///
///     sum(H) = sum of e_i over i in H          mean(H) = sum(H) / |sum(H)|, 0 for no item
///
/// At evaluation H is the whole training history, which never holds the item that is looked for. A profile that holds
/// it in training teaches the model to look for what it was given, which is not there at evaluation: so an example
/// leaves its positive out, unless `whole` asks for the naive form. (A user with one training item has the profile 0.)
/// With `half`, floor(|H| / 2) items are drawn, and sum is scaled by |H| over that, to the length it has at evaluation.
class TrainProfiles {
 public:
  /// @param train  must outlive this   @param features  [items, dims]   @param profile  mean or sum
  /// Memory: the normalised features and the sums, [items, dims] and [users, dims].
  TrainProfiles(const Interactions& train, MatrixView<const float> features, UserProfile profile,
                ProfileTraining training, autodiff::Backend& backend);

  /// [users, dims]: as evaluation sees them.
  [[nodiscard]] autodiff::Var whole(autodiff::Tape& tape) const;
  /// [batch.size, dims]: those of a batch's examples. `half` draws from the tape's stream.
  [[nodiscard]] autodiff::Var of_batch(autodiff::Tape& tape, const Batch& batch) const;

 private:
  [[nodiscard]] autodiff::Var scaled(autodiff::Var sums) const;
  [[nodiscard]] autodiff::Csr halves(autodiff::RandomKey key, const Batch& batch) const;

  const Interactions& train_;
  UserProfile profile_;
  ProfileTraining training_;
  autodiff::Tensor items_;  ///< e
  autodiff::Tensor sums_;   ///< over the whole training history
};

/// Rows divided by their norms, zero rows as they are.
Matrix normalized_rows(MatrixView<const float> x);

/// A random direction a row: [rows, dims], a function of the seed alone.
Matrix random_directions(std::int64_t rows, std::int64_t dims, std::uint64_t seed);

}  // namespace graft::training
