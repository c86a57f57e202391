// Full-ranking evaluation of final vectors, made once for a dataset and used after every epoch.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <graft/core/context.hpp>
#include <graft/core/matrix_view.hpp>
#include <graft/ops/top_k_scores.hpp>
#include <graft/train/evaluation.hpp>

#include "train/dataset.hpp"
#include "train/held_out_groups.hpp"

namespace graft::training {

/// Recall, NDCG, Precision and MAP at the cutoffs, means over the users of `held`; none at all where it has no user.
/// Sums are taken in double precision, by rank, then by user as `held` lists them.
/// @param ranking  its row rows[e] is the list of held.users[e]; shorter lists count as misses
Metrics ranking_metrics(const Ranking& ranking, std::span<const std::int64_t> rows, const HeldOut& held,
                        std::span<const std::int64_t> cutoffs, const Context& context = {});

/// coverage@k and gini@k of the lists' first k, as graft::Evaluation defines them.
Metrics catalogue_metrics(const Ranking& ranking, std::int64_t items, std::span<const std::int64_t> cutoffs);

/// Ranks all items for all users of the validation and test splits once (training items masked) and measures both.
class Evaluator {
 public:
  /// `data` must outlive the evaluator. @throws InvalidArgument for a cutoff < 1, or no cutoff
  Evaluator(const Dataset& data, EvaluationOptions options);

  /// Metrics only, what early stopping needs: groups and catalogue stay empty.
  /// @throws InvalidArgument: rows that are not the data's users and items, dims that differ, a value that is not
  /// finite
  ///         or a norm whose products overflow float32 (names matrix and row)
  [[nodiscard]] Evaluation quick(MatrixView<const float> user_vectors, MatrixView<const float> item_vectors,
                                 const Context& context) const;
  /// All that options ask for.
  [[nodiscard]] Evaluation full(MatrixView<const float> user_vectors, MatrixView<const float> item_vectors,
                                const Context& context) const;

 private:
  /// The list of each user of users_.
  [[nodiscard]] Ranking rank(MatrixView<const float> user_vectors, MatrixView<const float> item_vectors,
                             const Context& context) const;
  [[nodiscard]] Evaluation measure(const Ranking& ranking, const Context& context) const;
  /// Where the ranking has the lists of held.users.
  [[nodiscard]] std::vector<std::int64_t> rows_of(const HeldOut& held) const;
  [[nodiscard]] std::vector<ValueRange> activity_ranges() const;
  [[nodiscard]] std::vector<ValueRange> popularity_ranges() const;
  void add_groups(const Ranking& ranking, const HeldOut& held, const Context& context, SplitEvaluation& split) const;

  const Dataset& data_;
  EvaluationOptions options_;             ///< cutoffs ascending, each once
  std::vector<std::int32_t> users_;       ///< of either split, ascending: the rows of the ranking
  std::vector<std::int64_t> valid_rows_;  ///< row of each user of data.valid
  std::vector<std::int64_t> test_rows_;
  std::vector<std::int64_t> mask_offsets_;
  std::vector<std::int32_t> mask_items_;
};

}  // namespace graft::training
