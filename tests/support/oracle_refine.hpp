// The paper's refinement on dense matrices in double precision, preset by preset as published.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include <graft/core/interactions.hpp>
#include <graft/core/matrix_view.hpp>
#include <graft/ops/refine.hpp>

#include "check.hpp"
#include "oracle.hpp"
#include "oracle_audience.hpp"

namespace graft::test {

inline Dense zeros(std::size_t rows, std::size_t cols) { return Dense(rows, std::vector<double>(cols, 0.0)); }

/// Columns of the k largest of the candidates, `first` (if >= 0) taking one of the places in front of all.
inline std::vector<std::int64_t> largest(std::vector<Candidate> candidates, std::int64_t k, std::int64_t first) {
  rank(candidates);
  std::vector<std::int64_t> columns;
  if (first >= 0) columns.push_back(first);
  for (const Candidate& candidate : candidates) {
    if (static_cast<std::int64_t>(columns.size()) == k) break;
    if (candidate.column != first) columns.push_back(candidate.column);
  }
  return columns;
}

/// Cosines; NaN where a row is zero, as 0 / 0: no edge.
inline Dense cosines(const MatrixView<const float>& features) {
  const Similarities similarities(features, features, Metric::cosine);
  const auto items = static_cast<std::size_t>(features.rows());
  Dense result = zeros(items, items);
  for (std::size_t a = 0; a < items; ++a) {
    for (std::size_t b = 0; b < items; ++b) {
      const auto row = static_cast<std::int64_t>(a);
      const auto column = static_cast<std::int64_t>(b);
      result[a][b] = similarities.comparable(row, column) ? similarities(row, column) : std::nan("");
      if (a == b && !std::isnan(result[a][b])) result[a][b] = 1.0;
    }
  }
  return result;
}

/// St: the knn_k largest of each row, then the threshold; self in front where the preset keeps it.
inline Dense denoised(const Dense& cosine, const RefineOptions& options) {
  const std::size_t items = cosine.size();
  Dense result = zeros(items, items);
  for (std::size_t a = 0; a < items; ++a) {
    std::vector<Candidate> candidates;
    for (std::size_t b = 0; b < items; ++b) {
      if (b != a && !std::isnan(cosine[a][b])) candidates.push_back({static_cast<std::int64_t>(b), cosine[a][b]});
    }
    const bool self = options.preset != Preset::noself && !std::isnan(cosine[a][a]);
    for (const std::int64_t b : largest(candidates, options.knn_k, self ? static_cast<std::int64_t>(a) : -1)) {
      const double value = cosine[a][static_cast<std::size_t>(b)];
      if (value < static_cast<double>(options.threshold)) continue;
      result[a][static_cast<std::size_t>(b)] = options.weights == Weights::binary ? 1.0 : value;
    }
  }
  return result;
}

/// C before selection, 0 where fewer than min_support users are common. `reference`: inter / (union + 1e-7) in float32,
/// then entries equal to 1 set to 0.
inline Dense audience_overlap(const Interactions& interactions, const RefineOptions& options) {
  const auto items = static_cast<std::size_t>(interactions.items());
  Dense result = zeros(items, items);
  for (std::size_t a = 0; a < items; ++a) {
    for (std::size_t b = 0; b < items; ++b) {
      const auto row = static_cast<std::int64_t>(a);
      const auto column = static_cast<std::int64_t>(b);
      const std::int64_t inter = common(interactions, row, column);
      const std::int64_t united = interactions.degree(row) + interactions.degree(column) - inter;
      if (inter == 0 || inter < options.min_support) continue;
      if (options.preset == Preset::reference) {
        const float value = static_cast<float>(inter) / (static_cast<float>(united) + 1e-7F);
        result[a][b] = value == 1.0F ? 0.0 : static_cast<double>(value);
      } else {
        result[a][b] = static_cast<double>(inter) / static_cast<double>(united);
      }
    }
  }
  return result;
}

/// Ct: the jaccard_k largest of each row; zero is no edge.
inline Dense enhanced(const Dense& overlap, const RefineOptions& options) {
  const std::size_t items = overlap.size();
  Dense result = zeros(items, items);
  for (std::size_t a = 0; a < items; ++a) {
    std::vector<Candidate> candidates;
    for (std::size_t b = 0; b < items; ++b) {
      if (b != a && overlap[a][b] > 0.0) candidates.push_back({static_cast<std::int64_t>(b), overlap[a][b]});
    }
    if (options.jaccard_k == 0) continue;
    const bool self = options.preset != Preset::noself && overlap[a][a] > 0.0;
    for (const std::int64_t b : largest(candidates, options.jaccard_k, self ? static_cast<std::int64_t>(a) : -1)) {
      result[a][static_cast<std::size_t>(b)] = overlap[a][static_cast<std::size_t>(b)];
    }
  }
  return result;
}

inline Dense sum(const Dense& a, const Dense& b, double factor = 1.0) {
  Dense result = a;
  for (std::size_t r = 0; r < a.size(); ++r) {
    for (std::size_t c = 0; c < a[r].size(); ++c) result[r][c] += factor * b[r][c];
  }
  return result;
}

inline std::vector<double> row_sums(const Dense& matrix, double epsilon = 0.0) {
  std::vector<double> sums(matrix.size(), epsilon);
  for (std::size_t r = 0; r < matrix.size(); ++r) {
    for (const double value : matrix[r]) sums[r] += value;
  }
  return sums;
}

inline Dense normalized(const Dense& matrix, Normalization how, double epsilon = 0.0) {
  const std::vector<double> sums = row_sums(matrix, epsilon);
  Dense result = matrix;
  if (how == Normalization::none) return result;
  for (std::size_t r = 0; r < matrix.size(); ++r) {
    for (std::size_t c = 0; c < matrix.size(); ++c) {
      const double row_factor = sums[r] > 0.0 ? 1.0 / sums[r] : 0.0;
      const double column_factor = sums[c] > 0.0 ? 1.0 / sums[c] : 0.0;
      result[r][c] *= how == Normalization::row ? row_factor : std::sqrt(row_factor) * std::sqrt(column_factor);
    }
  }
  return result;
}

inline Dense symmetrized(const Dense& matrix, const std::optional<Symmetrization>& how) {
  Dense result = matrix;
  if (!how) return result;
  for (std::size_t r = 0; r < matrix.size(); ++r) {
    for (std::size_t c = 0; c < matrix.size(); ++c) {
      const double x = matrix[r][c];
      const double y = matrix[c][r];
      if (*how == Symmetrization::mean) result[r][c] = (x + y) / 2.0;
      if (*how == Symmetrization::max) result[r][c] = std::max(x, y);
      if (*how == Symmetrization::min) result[r][c] = std::min(x, y);
    }
  }
  return result;
}

inline Dense scaled(Dense matrix, double factor) {
  for (auto& row : matrix) {
    for (double& value : row) value *= factor;
  }
  return matrix;
}

/// The refined graph, from dense cosines.
inline Dense refined(const Dense& cosine, const Interactions& interactions, const RefineOptions& options) {
  const auto finish = [&](Dense w, bool self_loops) {
    w = symmetrized(w, options.symmetrize);
    for (std::size_t r = 0; self_loops && r < w.size(); ++r) w[r][r] += 1.0;
    return normalized(w, options.normalization, options.epsilon);
  };
  const Dense similarity = denoised(cosine, options);
  const Dense audience = enhanced(audience_overlap(interactions, options), options);
  const double weight = options.enhancement_weight;
  if (!options.normalize_parts) return finish(sum(similarity, scaled(audience, weight)), options.add_self_loops);
  return sum(finish(similarity, options.add_self_loops), scaled(finish(audience, false), weight));
}

/// E* = sum over l = 0..layers of A^l E.
inline Dense propagated(const Dense& matrix, const Dense& features, std::int64_t layers) {
  Dense layer = features;
  Dense total = features;
  for (std::int64_t l = 0; l < layers; ++l) {
    Dense next = zeros(features.size(), features.empty() ? 0 : features[0].size());
    for (std::size_t r = 0; r < matrix.size(); ++r) {
      for (std::size_t c = 0; c < matrix.size(); ++c) {
        for (std::size_t d = 0; d < next[r].size(); ++d) next[r][d] += matrix[r][c] * layer[c][d];
      }
    }
    layer = next;
    total = sum(total, layer);
  }
  return total;
}

}  // namespace graft::test
