// Slow, obvious similarity search in double precision, and the comparison of results with it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include <graft/core/graph.hpp>
#include <graft/core/matrix_view.hpp>
#include <graft/ops/knn.hpp>
#include <graft/ops/top_k_scores.hpp>

namespace graft::test {

struct Candidate {
  std::int64_t column = 0;
  double value = 0.0;
};

/// Similarity descending, then column ascending.
inline void rank(std::vector<Candidate>& candidates) {
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return a.value != b.value ? a.value > b.value : a.column < b.column;
  });
}

inline double norm(const float* row, std::int64_t dims) {
  double sum = 0.0;
  for (std::int64_t d = 0; d < dims; ++d) sum += static_cast<double>(row[d]) * static_cast<double>(row[d]);
  return std::sqrt(sum);
}

/// Similarity of two rows; rows of norm 0 have cosine 0.
inline double similarity(Metric metric, const float* x, const float* y, std::int64_t dims, double norm_x,
                         double norm_y) {
  double dot = 0.0;
  double squares = 0.0;
  for (std::int64_t d = 0; d < dims; ++d) {
    const auto a = static_cast<double>(x[d]);
    const auto b = static_cast<double>(y[d]);
    dot += a * b;
    squares += (a - b) * (a - b);
  }
  if (metric == Metric::l2) return -squares;
  if (metric == Metric::dot) return dot;
  return norm_x > 0.0 && norm_y > 0.0 ? std::clamp(dot / norm_x / norm_y, -1.0, 1.0) : 0.0;
}

/// All similarities of a query against a matrix, with the norms kept.
class Similarities {
 public:
  Similarities(MatrixView<const float> queries, MatrixView<const float> items, Metric metric)
      : queries_(queries), items_(items), metric_(metric) {
    for (std::int64_t q = 0; q < queries.rows(); ++q) query_norms_.push_back(norm(queries.row(q), queries.cols()));
    for (std::int64_t i = 0; i < items.rows(); ++i) item_norms_.push_back(norm(items.row(i), items.cols()));
    for (const double item_norm : item_norms_) largest_ = std::max(largest_, item_norm);
  }

  [[nodiscard]] double operator()(std::int64_t query, std::int64_t item) const {
    return similarity(metric_, queries_.row(query), items_.row(item), items_.cols(),
                      query_norms_[static_cast<std::size_t>(query)], item_norms_[static_cast<std::size_t>(item)]);
  }
  /// False where cosine has no meaning: a zero row has no edge.
  [[nodiscard]] bool comparable(std::int64_t query, std::int64_t item) const {
    return metric_ != Metric::cosine ||
           (query_norms_[static_cast<std::size_t>(query)] > 0.0 && item_norms_[static_cast<std::size_t>(item)] > 0.0);
  }
  /// Rounding error that float32 arithmetic may make in a row's similarities: the documented dims * 2^-24, at least
  /// 1e-6, in the unit of the metric.
  [[nodiscard]] double tolerance(std::int64_t query) const {
    const double relative = std::max(1e-6, static_cast<double>(items_.cols()) * 0x1p-24);
    const double query_norm = query_norms_[static_cast<std::size_t>(query)];
    if (metric_ == Metric::cosine) return relative;
    if (metric_ == Metric::dot) return relative * query_norm * largest_;
    return relative * (query_norm + largest_) * (query_norm + largest_);
  }

 private:
  MatrixView<const float> queries_;
  MatrixView<const float> items_;
  Metric metric_;
  std::vector<double> query_norms_;
  std::vector<double> item_norms_;
  double largest_ = 0.0;
};

struct Entry {
  std::int64_t column = 0;
  float weight = 0.0F;
};

/// What one row of a result must be: the ranked candidates, how many it keeps, and the lower bound.
struct ExpectedRow {
  std::vector<Candidate> ranked;
  std::int64_t places = 0;
  double lower_bound = 0.0;
  double tolerance = 0.0;  ///< 0: the row must be equal, ties included
};

/// Empty if the entries (in any order) are the best `places` candidates at or above the bound, but for candidates that
/// lie within the tolerance of the last place or of the bound; else the first violation in words.
inline std::string compare_row(const std::vector<Entry>& entries, const ExpectedRow& expected) {
  std::map<std::int64_t, double> value_of;
  for (const Candidate& candidate : expected.ranked) value_of[candidate.column] = candidate.value;
  const auto kept = static_cast<std::size_t>(
      std::min<std::int64_t>(expected.places, static_cast<std::int64_t>(expected.ranked.size())));
  const double slack = 2.0 * expected.tolerance;
  const double last = kept == 0 ? 0.0 : expected.ranked[kept - 1].value;
  std::map<std::int64_t, float> found;
  for (const Entry& entry : entries) {
    const std::string where = "column " + std::to_string(entry.column);
    if (value_of.count(entry.column) == 0) return where + " is not a candidate";
    if (!found.emplace(entry.column, entry.weight).second) return where + " is stored twice";
    const double value = value_of[entry.column];
    if (std::fabs(static_cast<double>(entry.weight) - value) > expected.tolerance) {
      return where + " weighs " + std::to_string(entry.weight) + ", expected " + std::to_string(value);
    }
    if (value < last - slack) return where + " lies below the last place";
    if (value < expected.lower_bound - expected.tolerance) return where + " lies below the bound";
  }
  std::size_t certain = 0;
  for (std::size_t place = 0; place < kept; ++place) {
    const Candidate& candidate = expected.ranked[place];
    if (candidate.value < expected.lower_bound + expected.tolerance) break;
    ++certain;
    const bool must_be_there = expected.tolerance == 0.0 || candidate.value > last + slack;
    if (must_be_there && found.count(candidate.column) == 0) {
      return "column " + std::to_string(candidate.column) + " (" + std::to_string(candidate.value) + ") is missing";
    }
  }
  if (found.size() > kept) return std::to_string(found.size()) + " entries, at most " + std::to_string(kept);
  if (found.size() < certain) return std::to_string(found.size()) + " entries, at least " + std::to_string(certain);
  return {};
}

/// Equal rows tie whatever the arithmetic: where a copy of a row is kept, the copies at smaller columns are too.
inline std::string check_copies(const MatrixView<const float>& features, std::int64_t row,
                                const std::map<std::string, std::vector<std::int64_t>>& copies,
                                const std::map<std::int64_t, float>& found, const KnnOptions& options) {
  const auto bytes = static_cast<std::size_t>(features.cols()) * sizeof(float);
  for (const auto& [column, weight] : found) {
    if (column == row) continue;
    const std::string key(reinterpret_cast<const char*>(features.row(column)), bytes);
    for (const std::int64_t copy : copies.at(key)) {
      if (copy >= column || copy < options.column_range.begin || copy == row) continue;
      const auto other = found.find(copy);
      if (other == found.end()) {
        return "column " + std::to_string(column) + " kept, its copy " + std::to_string(copy) + " not";
      }
      if (other->second != weight) return "copies " + std::to_string(copy) + ", " + std::to_string(column) + " differ";
    }
  }
  return {};
}

inline std::vector<Candidate> knn_candidates(const Similarities& similarities, std::int64_t items, std::int64_t row,
                                             const KnnOptions& options) {
  std::vector<Candidate> ranked;
  for (std::int64_t b = options.column_range.begin; b < std::min(items, options.column_range.end); ++b) {
    if (b != row && similarities.comparable(row, b)) ranked.push_back({b, similarities(row, b)});
  }
  rank(ranked);
  return ranked;
}

/// Empty if `graph` is knn_graph(features, options) within the tolerance (exactly if `exact`); else the first
/// difference in words. Similarity weights only.
inline std::string compare_knn(const Graph& graph, const MatrixView<const float>& features, const KnnOptions& options,
                               bool exact) {
  const Similarities similarities(features, features, options.metric);
  const auto bytes = static_cast<std::size_t>(features.cols()) * sizeof(float);
  std::map<std::string, std::vector<std::int64_t>> copies;
  for (std::int64_t r = 0; r < features.rows(); ++r) {
    copies[std::string(reinterpret_cast<const char*>(features.row(r)), bytes)].push_back(r);
  }
  if (graph.items() != features.rows()) return "items differ";
  validate(graph);
  for (std::int64_t r = 0; r < graph.items(); ++r) {
    const std::string where = "row " + std::to_string(r) + ": ";
    const bool computed = r >= options.row_range.begin && r < options.row_range.end;
    if (!computed) {
      if (!graph.row_columns(r).empty()) return where + "outside the range but not empty";
      continue;
    }
    ExpectedRow expected{knn_candidates(similarities, graph.items(), r, options), options.k,
                         static_cast<double>(options.min_similarity), exact ? 0.0 : similarities.tolerance(r)};
    const bool self = options.self == Self::keep && similarities.comparable(r, r) && r >= options.column_range.begin &&
                      r < options.column_range.end;
    if (self) --expected.places;
    std::vector<Entry> entries;
    std::map<std::int64_t, float> found;
    bool self_found = false;
    for (std::size_t e = 0; e < graph.row_columns(r).size(); ++e) {
      const Entry entry{graph.row_columns(r)[e], graph.row_weights(r)[e]};
      found[entry.column] = entry.weight;
      if (entry.column != r) {
        entries.push_back(entry);
        continue;
      }
      self_found = true;
      const double value = options.metric == Metric::cosine ? 1.0 : similarities(r, r);
      const double slack = options.metric == Metric::dot ? expected.tolerance : 0.0;
      if (std::fabs(static_cast<double>(entry.weight) - value) > slack) {
        return where + "self weighs " + std::to_string(entry.weight);
      }
    }
    if (self_found && !self) return where + "has a self loop";
    const double own = options.metric == Metric::cosine ? 1.0 : similarities(r, r);
    if (self && !self_found && own >= expected.lower_bound + expected.tolerance) return where + "lacks its self loop";
    const std::string problem = compare_row(entries, expected);
    if (!problem.empty()) return where + problem;
    const std::string copy_problem = check_copies(features, r, copies, found, options);
    if (!copy_problem.empty()) return where + copy_problem;
  }
  return {};
}

/// The same for top_k_scores; the order of the ids is part of the result.
inline std::string compare_ranking(const Ranking& ranking, const MatrixView<const float>& queries,
                                   const MatrixView<const float>& items, const TopKScoresOptions& options, bool exact) {
  const Similarities similarities(queries, items, options.metric);
  if (ranking.rows() != queries.rows() || ranking.ids.size() != ranking.scores.size()) return "sizes differ";
  for (std::int64_t q = 0; q < queries.rows(); ++q) {
    const std::string where = "query " + std::to_string(q) + ": ";
    const auto ids = ranking.row_ids(q);
    const auto scores = ranking.row_scores(q);
    if (q < options.row_range.begin || q >= options.row_range.end) {
      if (!ids.empty()) return where + "outside the range but not empty";
      continue;
    }
    std::vector<bool> excluded(static_cast<std::size_t>(items.rows()), false);
    if (!options.exclude.row_offsets.empty()) {
      for (std::int64_t e = options.exclude.row_offsets[static_cast<std::size_t>(q)];
           e < options.exclude.row_offsets[static_cast<std::size_t>(q) + 1]; ++e) {
        excluded[static_cast<std::size_t>(options.exclude.columns[static_cast<std::size_t>(e)])] = true;
      }
    }
    ExpectedRow expected{
        {}, options.k, static_cast<double>(options.min_score), exact ? 0.0 : similarities.tolerance(q)};
    for (std::int64_t i = 0; i < items.rows(); ++i) {
      if (!excluded[static_cast<std::size_t>(i)] && similarities.comparable(q, i)) {
        expected.ranked.push_back({i, similarities(q, i)});
      }
    }
    rank(expected.ranked);
    std::vector<Entry> entries;
    for (std::size_t e = 0; e < ids.size(); ++e) {
      entries.push_back({ids[e], scores[e]});
      const bool in_order = e == 0 || scores[e - 1] > scores[e] || (scores[e - 1] == scores[e] && ids[e - 1] < ids[e]);
      if (!in_order) return where + "place " + std::to_string(e) + " is out of order";
    }
    const std::string problem = compare_row(entries, expected);
    if (!problem.empty()) return where + problem;
  }
  return {};
}

}  // namespace graft::test
