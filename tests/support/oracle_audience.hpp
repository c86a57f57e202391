// Slow, obvious audience overlap with exact integer comparison.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <graft/core/graph.hpp>
#include <graft/core/interactions.hpp>
#include <graft/ops/jaccard.hpp>

namespace graft::test {

__extension__ using Wide = __int128;

/// The published code's value where the union is one user: 1 / (1 + 1e-7) in float32.
inline constexpr float kAlmostOne = 0.99999988F;

/// A candidate of a row: an exact fraction to compare by (or a double), and the weight it would have.
struct AudienceCandidate {
  std::int64_t column = 0;
  bool self = false;
  Wide numerator = 0;
  Wide denominator = 1;
  double approximate = 0.0;  ///< log-likelihood only
  float weight = 0.0F;
};

inline std::int64_t common(const Interactions& interactions, std::int64_t a, std::int64_t b) {
  const auto x = interactions.audience(a);
  const auto y = interactions.audience(b);
  std::vector<std::int32_t> both;
  std::set_intersection(x.begin(), x.end(), y.begin(), y.end(), std::back_inserter(both));
  return static_cast<std::int64_t>(both.size());
}

/// Dunning's G^2 of the 2 x 2 table.
inline double log_likelihood(std::int64_t c, std::int64_t da, std::int64_t db, std::int64_t users) {
  const double cells[2][2] = {{static_cast<double>(c), static_cast<double>(da - c)},
                              {static_cast<double>(db - c), static_cast<double>(users - da - db + c)}};
  double sum = 0.0;
  for (int r = 0; r < 2; ++r) {
    for (int s = 0; s < 2; ++s) {
      const double expected = (cells[r][0] + cells[r][1]) * (cells[0][s] + cells[1][s]) / static_cast<double>(users);
      if (cells[r][s] > 0.0) sum += cells[r][s] * std::log(cells[r][s] / expected);
    }
  }
  return 2.0 * sum;
}

/// The pair's value; false if it is no edge whatever k.
inline bool audience_value(const Interactions& interactions, std::int64_t a, std::int64_t b,
                           const JaccardOptions& options, AudienceCandidate& out) {
  const std::int64_t c = common(interactions, a, b);
  const std::int64_t da = interactions.degree(a);
  const std::int64_t db = interactions.degree(b);
  const std::int64_t users = interactions.users();
  if (c < options.min_support || c == 0) return false;
  const bool identical = c == da && c == db;
  out.column = b;
  out.self = a == b;
  switch (options.identical) {
    case Identical::keep:
      break;
    case Identical::drop:
      if (identical && a != b) return false;
      break;
    case Identical::reference:
      if (identical && da + db - c >= 2) return false;
      break;
  }
  if (a == b && options.identical != Identical::reference && options.self == Self::drop) return false;
  const bool associated = c * users > da * db;
  switch (options.measure) {
    case AudienceMeasure::jaccard:
      out.numerator = c;
      out.denominator = da + db - c;
      out.weight = static_cast<float>(c) / static_cast<float>(da + db - c);
      if (options.identical == Identical::reference && identical) out.weight = kAlmostOne;
      return true;
    case AudienceMeasure::cosine:
      out.numerator = Wide{c} * c;
      out.denominator = Wide{da} * db;
      out.weight = static_cast<float>(static_cast<double>(c) / std::sqrt(static_cast<double>(da * db)));
      return true;
    case AudienceMeasure::overlap:
      out.numerator = c;
      out.denominator = std::min(da, db);
      out.weight = static_cast<float>(c) / static_cast<float>(std::min(da, db));
      return true;
    case AudienceMeasure::pmi:
      out.numerator = c;
      out.denominator = Wide{da} * db;
      out.weight = static_cast<float>(std::log(static_cast<double>(c * users) / static_cast<double>(da * db)));
      return associated;
    case AudienceMeasure::log_likelihood:
      out.approximate = log_likelihood(c, da, db, users);
      out.weight = static_cast<float>(out.approximate);
      return associated;
  }
  return false;
}

/// True if a comes before b: self first among equals, then the larger value, then the smaller column. A self loop has
/// the largest value of every measure.
inline bool comes_before(const AudienceCandidate& a, const AudienceCandidate& b) {
  if (a.self != b.self) return a.self;
  if (a.approximate != b.approximate) return a.approximate > b.approximate;
  const Wide left = a.numerator * b.denominator;
  const Wide right = b.numerator * a.denominator;
  return left != right ? left > right : a.column < b.column;
}

inline std::vector<AudienceCandidate> audience_candidates(const Interactions& interactions, std::int64_t row,
                                                          const JaccardOptions& options) {
  std::vector<AudienceCandidate> candidates;
  for (std::int64_t b = 0; b < interactions.items(); ++b) {
    AudienceCandidate candidate;
    if (audience_value(interactions, row, b, options, candidate)) candidates.push_back(candidate);
  }
  std::sort(candidates.begin(), candidates.end(), comes_before);
  return candidates;
}

/// jaccard_graph, the slow way.
inline Graph audience_oracle(const Interactions& interactions, const JaccardOptions& options) {
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> columns;
  std::vector<float> weights;
  for (std::int64_t r = 0; r < interactions.items(); ++r) {
    std::vector<AudienceCandidate> row;
    if (r >= options.row_range.begin && r < options.row_range.end) row = audience_candidates(interactions, r, options);
    if (static_cast<std::int64_t>(row.size()) > options.k) row.resize(static_cast<std::size_t>(options.k));
    std::sort(row.begin(), row.end(), [](const auto& a, const auto& b) { return a.column < b.column; });
    for (const AudienceCandidate& candidate : row) {
      columns.push_back(static_cast<std::int32_t>(candidate.column));
      weights.push_back(candidate.weight);
    }
    offsets.push_back(static_cast<std::int64_t>(columns.size()));
  }
  return Graph(interactions.items(), std::move(offsets), std::move(columns), std::move(weights));
}

/// Empty if both graphs have the same edges and weights within `ulps` steps of float32; else the first difference.
inline std::string compare_graphs(const Graph& actual, const Graph& expected, int ulps) {
  if (actual.items() != expected.items()) return "items differ";
  for (std::int64_t r = 0; r < actual.items(); ++r) {
    const auto a = actual.row_columns(r);
    const auto b = expected.row_columns(r);
    if (!std::equal(a.begin(), a.end(), b.begin(), b.end())) return "columns of row " + std::to_string(r) + " differ";
    for (std::size_t e = 0; e < a.size(); ++e) {
      std::int32_t x = 0;
      std::int32_t y = 0;
      std::memcpy(&x, &actual.row_weights(r)[e], sizeof x);
      std::memcpy(&y, &expected.row_weights(r)[e], sizeof y);
      if (std::abs(std::int64_t{x} - y) > ulps) {
        return "weight (" + std::to_string(r) + ", " + std::to_string(a[e]) + ") is " +
               std::to_string(actual.row_weights(r)[e]) + ", expected " + std::to_string(expected.row_weights(r)[e]);
      }
    }
  }
  return {};
}

}  // namespace graft::test
