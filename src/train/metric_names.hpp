// Names of metrics such as "recall@20", taken apart for tables.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <graft/train/evaluation.hpp>

namespace graft::training {

/// The number after the '@'; 0 where there is none.
inline std::int64_t cutoff_of(std::string_view metric) {
  std::int64_t cutoff = 0;
  const std::size_t at = metric.find('@');
  if (at != std::string_view::npos) std::from_chars(metric.data() + at + 1, metric.data() + metric.size(), cutoff);
  return cutoff;
}

/// The cutoffs that occur, ascending.
inline std::vector<std::int64_t> cutoffs_of(const Metrics& metrics) {
  std::set<std::int64_t> cutoffs;
  for (const auto& [metric, value] : metrics) cutoffs.insert(cutoff_of(metric));
  return {cutoffs.begin(), cutoffs.end()};
}

/// What is measured, without cutoffs: recall and ndcg, which people look for, first.
inline std::vector<std::string> measures_of(const Metrics& metrics) {
  constexpr std::string_view kShownFirst[] = {"recall", "ndcg"};
  std::set<std::string> names;
  for (const auto& [metric, value] : metrics) names.insert(metric.substr(0, metric.find('@')));
  std::vector<std::string> result;
  for (const std::string_view name : kShownFirst) {
    if (names.erase(std::string(name)) > 0) result.emplace_back(name);
  }
  result.insert(result.end(), names.begin(), names.end());
  return result;
}

/// The cutoff for short tables: 20, which early stopping looks at, or else the largest; 0 without metrics.
inline std::int64_t main_cutoff(const Metrics& metrics) {
  constexpr std::int64_t kUsual = 20;
  const std::vector<std::int64_t> cutoffs = cutoffs_of(metrics);
  if (cutoffs.empty()) return 0;
  return std::find(cutoffs.begin(), cutoffs.end(), kUsual) != cutoffs.end() ? kUsual : cutoffs.back();
}

inline std::string metric_name(std::string_view measure, std::int64_t cutoff) {
  return std::string(measure) + "@" + std::to_string(cutoff);
}

}  // namespace graft::training
