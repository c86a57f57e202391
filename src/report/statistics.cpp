#include "report/statistics.hpp"

#include <cmath>
#include <utility>

#include "report/scale.hpp"

namespace graft::report {
namespace {

/// Counts ascending values in the bins of `histogram`.
template <class T>
Histogram counted(Histogram histogram, std::span<const T> ascending) {
  auto begin = ascending.begin();
  for (std::size_t bin = 0; bin + 1 < histogram.bounds.size(); ++bin) {
    const bool last = bin + 2 == histogram.bounds.size();
    const auto end = last ? ascending.end()
                          : std::lower_bound(begin, ascending.end(), histogram.bounds[bin + 1],
                                             [](T value, double bound) { return static_cast<double>(value) < bound; });
    histogram.counts.push_back(end - begin);
    begin = end;
  }
  return histogram;
}

/// 0, 1, 2, 4, 8, ... as far as they are needed.
std::vector<double> doubling_bounds(std::int64_t least, std::int64_t most) {
  std::vector<double> bounds;
  if (least == 0) bounds.push_back(0.0);
  std::int64_t bound = 1;
  while (2 * bound <= least) bound *= 2;
  for (; bound <= most; bound *= 2) bounds.push_back(static_cast<double>(bound));
  bounds.push_back(static_cast<double>(bound));
  return bounds;
}

}  // namespace

Histogram histogram_of(std::span<const std::int64_t> ascending) {
  if (ascending.empty()) return {};
  const std::int64_t least = ascending.front();
  const std::int64_t most = ascending.back();
  constexpr std::int64_t kMostSingle = 32;
  constexpr double kSkewed = 8.0;
  Histogram histogram;
  if (most - least < kMostSingle) {
    histogram.bins = Histogram::Bins::single;
    for (std::int64_t value = least; value <= most + 1; ++value) {
      histogram.bounds.push_back(static_cast<double>(value));
    }
  } else if (static_cast<double>(most) > kSkewed * std::max(1.0, quantile(ascending, 0.5))) {
    histogram.bins = Histogram::Bins::doubling;
    histogram.bounds = doubling_bounds(least, most);
  } else {
    histogram.bins = Histogram::Bins::equal;
    // one more: the last bin then ends above the largest number, as the others do
    histogram.bounds = round_bounds(static_cast<double>(least), static_cast<double>(most + 1), 25, true);
  }
  return counted(std::move(histogram), ascending);
}

Histogram histogram_of(std::span<const float> ascending) {
  if (ascending.empty()) return {};
  constexpr int kBins = 40;
  // a cosine of 1 may be stored as 1.0000001: that is no reason for another bin
  constexpr double kRounding = 1e-6;
  const auto least = double{ascending.front()};
  const auto most = double{ascending.back()};
  Histogram histogram;
  histogram.bounds = round_bounds(least, std::max(least, most - kRounding * std::abs(most)), kBins);
  return counted(std::move(histogram), ascending);
}

}  // namespace graft::report
