// Launches of the pairwise kernels. Arrays lie on the device; row and column indices count from the first prepared row.
#pragma once

#include <cuda_fp16.h>
#include <cuda_runtime_api.h>

#include <cstdint>

#include <graft/ops/types.hpp>

#include "pairwise_bounds.hpp"
#include "pairwise_plan.hpp"
#include "ranking_key.hpp"

namespace graft::cuda {

/// Rows made ready for scoring. Rows without a direction (zero norm under cosine) hold NaN: no score of theirs passes
/// a comparison.
struct PreparedRows {
  float* exact;         ///< [rows, exact_stride]: what exact scores are made of, padded with 0
  __half* shorts;       ///< [rows, short_stride]: rounded x', padded with 0
  const double* norms;  ///< [rows]
  float* residual;      ///< [rows]: upper bound of |x' - h|
  float* norm;          ///< [rows]: upper bound of |h|
  int* exponent;        ///< [rows]: of the scale
  std::int64_t dims;
  Metric metric;
};

/// The largest of the rows' errors and exponents.
struct LargestTerms {
  float residual;
  float norm;
  int exponent;
};

/// norms[r] = |row r|, with the bits that the processor gives it.
void launch_norms(const float* rows, std::int64_t stride, std::int64_t count, std::int64_t dims, double* norms,
                  cudaStream_t stream);

/// Fills everything but norms from `exact`, which holds the features, and `norms`. Divides by the norm for cosine.
void launch_prepare(const PreparedRows& rows, std::int64_t count, cudaStream_t stream);

/// Gathers the largest terms of `count` rows into *largest.
void launch_largest(const PreparedRows& rows, std::int64_t count, LargestTerms* largest, cudaStream_t stream);

/// Terms of columns, and of rows against columns with these largest terms.
void launch_column_terms(const PreparedRows& rows, std::int64_t count, const LargestTerms* columns, ColumnTerms* terms,
                         cudaStream_t stream);
void launch_row_terms(const PreparedRows& rows, std::int64_t count, const LargestTerms* columns, RowTerms* terms,
                      cudaStream_t stream);

/// scores[r] = exact score of row r with itself.
void launch_self_scores(const PreparedRows& rows, std::int64_t count, float* scores, cudaStream_t stream);

/// Rows at work: place p of the tile is prepared row `list[p]`, or `first + p` without a list.
struct RowPlaces {
  const std::int32_t* list;
  std::int64_t first;
  int count;
};

/// A tile of scores: place p, column `first_column` + c is scores[p * stride + c].
struct ScoreTile {
  float* scores;
  std::int64_t stride;
  std::int64_t first_column;
  int columns;
};

/// Which pairs are candidates, and how prepared rows are called outside.
struct Candidates {
  std::int64_t first_row_id;             ///< id of prepared row 0
  std::int64_t first_column_id;          ///< id of prepared column 0
  bool drop_self;                        ///< rows and columns with the same id are none
  const std::int64_t* excluded_offsets;  ///< by row id, or null
  const std::int32_t* excluded;          ///< column ids, ascending within a row
  float minimum;
};

/// Lists of a tile's rows, [places of the tile].
struct SelectionLists {
  RankingKey* entries = nullptr;  ///< [places of the tile * capacity]
  int* counts = nullptr;
  RankingKey* bars = nullptr;  ///< keys that do not exceed a row's are refused
  int* cut = nullptr;          ///< whether a row has refused any for its rank
  ListSizes sizes;
};

/// Exact scores of the places against the tile's columns: the one accumulator of the processor's fused path.
void launch_exact_tile(const PreparedRows& rows, const PreparedRows& columns, const RowPlaces& places,
                       const ScoreTile& tile, cudaStream_t stream);

/// Empties the lists and sets their bars by the minimum. `exact`: the tiles to come hold exact scores.
void launch_begin(const SelectionLists& lists, const RowPlaces& places, const RowTerms* row_terms,
                  const Candidates& candidates, Metric metric, bool exact, cudaStream_t stream);

/// Offers a tile to the lists.
void launch_select(const SelectionLists& lists, const RowPlaces& places, const ScoreTile& tile,
                   const RowTerms* row_terms, const ColumnTerms* column_terms, const Candidates& candidates,
                   Metric metric, bool exact, cudaStream_t stream);

/// Results so far, by prepared row.
struct RowResults {
  RankingKey* keys;      ///< [rows * places], by rank
  int* counts;           ///< [rows]
  std::int32_t* failed;  ///< prepared rows that the shortlist cannot decide
  int* failed_count;
};

/// Ends the lists: scores the shortlist exactly, certifies, and joins the best with the results so far; rows without a
/// certificate are left as they were and listed. Exact lists need neither.
void launch_finish(const SelectionLists& lists, const RowPlaces& places, const PreparedRows& rows,
                   const PreparedRows& columns, const RowTerms* row_terms, const ColumnTerms* column_terms,
                   const LargestTerms* largest_columns, const Candidates& candidates, const RowResults& results,
                   bool exact, cudaStream_t stream);

/// Parts keys into ids and values.
void launch_part_keys(const RankingKey* keys, std::int64_t count, std::int32_t* ids, float* values,
                      cudaStream_t stream);

}  // namespace graft::cuda
