// Full-ranking evaluation of final vectors, made once for a dataset and used after every epoch.
#pragma once

#include <cstddef>
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

/// Ranks the candidates for the users of the validation and test splits and measures both: all items at once for both
/// (training items masked), or each split's cold items for its own users.
class Evaluator {
 public:
  /// `data` must outlive the evaluator. @throws InvalidArgument for a cutoff < 1, no cutoff, or cold candidates where
  /// no split has any
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

  /// Users of the validation split with rows that count.
  [[nodiscard]] std::int64_t valid_users() const { return static_cast<std::int64_t>(valid_.held.users.size()); }

 private:
  /// Who gets a list, and of what.
  struct Lists {
    std::vector<std::int32_t> users;       ///< ascending
    std::vector<std::int32_t> candidates;  ///< ascending; empty: all items, masked as follows
    std::vector<std::int64_t> mask_offsets;
    std::vector<std::int32_t> mask_items;
  };
  /// The rows of a split that count.
  struct Measured {
    HeldOut held;
    std::size_t lists = 0;           ///< which of lists_ has its users
    std::vector<std::int64_t> rows;  ///< of these lists, for held.users
  };

  void list_all();
  void list_cold();
  /// A list for each user of lists_, in the same order.
  [[nodiscard]] std::vector<Ranking> rank(MatrixView<const float> user_vectors, MatrixView<const float> item_vectors,
                                          const Context& context) const;
  [[nodiscard]] Evaluation measure(const std::vector<Ranking>& rankings, const Context& context) const;
  [[nodiscard]] Metrics catalogue(const std::vector<Ranking>& rankings) const;
  [[nodiscard]] std::vector<ValueRange> activity_ranges() const;
  [[nodiscard]] std::vector<ValueRange> popularity_ranges() const;
  void add_groups(const Measured& measured, const Ranking& ranking, const Context& context,
                  SplitEvaluation& split) const;

  const Dataset& data_;
  EvaluationOptions options_;  ///< cutoffs ascending, each once
  std::vector<Lists> lists_;   ///< of both splits together, or one a split
  Measured valid_;
  Measured test_;
};

}  // namespace graft::training
