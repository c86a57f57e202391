// The best k items for every query: retrieval over two different matrices.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <graft/core/config.hpp>
#include <graft/core/context.hpp>
#include <graft/core/matrix_view.hpp>
#include <graft/core/plan.hpp>
#include <graft/core/row_range.hpp>
#include <graft/ops/types.hpp>

namespace graft {

/// Ranked ids a query: row q is ids[row_offsets[q]] ... in order of score descending, then id ascending. Rows may
/// hold fewer than k; nothing is padded.
struct Ranking {
  std::vector<std::int64_t> row_offsets;  ///< [queries + 1]
  std::vector<std::int32_t> ids;
  std::vector<float> scores;

  [[nodiscard]] std::int64_t rows() const { return static_cast<std::int64_t>(row_offsets.size()) - 1; }
  [[nodiscard]] std::span<const std::int32_t> row_ids(std::int64_t row) const& { return slice(ids, row); }
  [[nodiscard]] std::span<const float> row_scores(std::int64_t row) const& { return slice(scores, row); }

  friend bool operator==(const Ranking&, const Ranking&) = default;

 private:
  template <class T>
  std::span<const T> slice(const std::vector<T>& values, std::int64_t row) const {
    const auto begin = static_cast<std::size_t>(row_offsets[static_cast<std::size_t>(row)]);
    const auto end = static_cast<std::size_t>(row_offsets[static_cast<std::size_t>(row) + 1]);
    return std::span<const T>(values).subspan(begin, end - begin);
  }
};

/// Item ids that a query must not get, as CSR without values: e.g. each user's training items.
struct Exclusions {
  std::span<const std::int64_t> row_offsets;  ///< [queries + 1], or none to exclude nothing
  std::span<const std::int32_t> columns;      ///< ascending within a row
};

struct TopKScoresOptions {
  std::int64_t k = 10;  ///< >= 1; above the number of candidates keeps them all
  Metric metric = Metric::dot;
  /// Inclusive lower bound of a score; the default is none.
  float min_score = -std::numeric_limits<float>::infinity();
  Exclusions exclude = {};
  RowRange row_range = {};  ///< queries to compute; the other rows of the result are empty
};

/// Ranks the catalogue for every query with the kernel of `knn_graph`: new items against a catalogue,
/// recommendation (users x items), evaluation.
///
/// Definition: row q holds the k largest S(query q, item i) over the items not excluded for q.
/// @param queries  [queries, dims]   @param items  [items, dims]; both row-major float32
/// @throws InvalidArgument (k, min_score, ranges, dims that differ, exclusions that are not an ascending CSR with ids
///         below items, a NaN or infinite feature: names the matrix and row, norms whose products overflow float32),
///         OutOfMemory, Cancelled, BackendUnavailable
/// Cost: 2 * queries * items * dims flops (3 for l2); workspace within the budget; never queries x items.
/// Determinism: as `knn_graph`.
Ranking top_k_scores(Features queries, Features items, const TopKScoresOptions& options = {},
                     const Context& context = {});

/// What `top_k_scores` would cost. Same errors for options and budget.
Plan plan(std::int64_t queries, std::int64_t items, std::int64_t dims, const TopKScoresOptions& options,
          const Context& context = {});

}  // namespace graft

#ifndef GRAFT_COMPILED
#include <graft/detail/top_k_scores_impl.hpp>
#endif
