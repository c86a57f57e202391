// Definitions: graft/train/evaluation.hpp.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <graft/detail/checked.hpp>
#include <graft/detail/parallel.hpp>

#include "train/evaluator.hpp"

namespace graft::training {
namespace {

using detail::as_size;

/// What a list has gathered down to a rank.
struct Gain {
  std::int64_t hits = 0;
  double discounted = 0.0;  ///< sum of hit_j / log2(j + 1)
  double precisions = 0.0;  ///< sum of hit_j (hits up to j) / j
};

/// Of one user, or the sums over users; of one cutoff.
struct Measures {
  double recall = 0.0;
  double ndcg = 0.0;
  double precision = 0.0;
  double map = 0.0;
};

std::vector<std::int64_t> ascending(std::span<const std::int64_t> cutoffs) {
  std::vector<std::int64_t> sorted(cutoffs.begin(), cutoffs.end());
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  return sorted;
}

/// Measures users, one after the other.
class Measuring {
 public:
  explicit Measuring(std::span<const std::int64_t> cutoffs) : cutoffs_(cutoffs) {}

  /// @param truth  the user's held-out rows   @param measures  one a cutoff
  void measure(std::span<const std::int32_t> list, std::span<const std::int32_t> truth, std::span<Measures> measures) {
    wanted_.assign(truth.begin(), truth.end());
    std::sort(wanted_.begin(), wanted_.end());
    Gain gain;
    std::size_t rank = 0;
    for (std::size_t c = 0; c < cutoffs_.size(); ++c) {
      for (; rank < list.size() && rank < as_size(cutoffs_[c]); ++rank) {
        if (!std::binary_search(wanted_.begin(), wanted_.end(), list[rank])) continue;
        ++gain.hits;
        gain.discounted += discount(rank);
        gain.precisions += static_cast<double>(gain.hits) / static_cast<double>(rank + 1);
      }
      measures[c] = of(gain, cutoffs_[c], static_cast<std::int64_t>(truth.size()));
    }
  }

 private:
  Measures of(const Gain& gain, std::int64_t cutoff, std::int64_t truth) {
    const std::int64_t most_hits = std::min(cutoff, truth);
    const auto hits = static_cast<double>(gain.hits);
    return {.recall = hits / static_cast<double>(truth),
            .ndcg = gain.discounted / ideal(most_hits),
            .precision = hits / static_cast<double>(cutoff),
            .map = gain.precisions / static_cast<double>(most_hits)};
  }

  /// 1 / log2(j + 1) of rank j = place + 1. The tables grow as far as lists and truth reach.
  double discount(std::size_t place) {
    grow(place + 1);
    return discounts_[place];
  }
  /// Sum of the first `hits` discounts.
  double ideal(std::int64_t hits) {
    grow(as_size(hits));
    return ideals_[as_size(hits)];
  }
  void grow(std::size_t size) {
    while (discounts_.size() < size) {
      discounts_.push_back(1.0 / std::log2(static_cast<double>(discounts_.size() + 2)));
      ideals_.push_back(ideals_.back() + discounts_.back());
    }
  }

  std::span<const std::int64_t> cutoffs_;
  std::vector<double> discounts_;
  std::vector<double> ideals_ = {0.0};
  std::vector<std::int32_t> wanted_;
};

/// Unequal recommendation; `counts` ascending.
double gini(std::span<const std::int64_t> counts) {
  const auto items = static_cast<std::int64_t>(counts.size());
  double weighted = 0.0;
  double total = 0.0;
  for (std::int64_t i = 0; i < items; ++i) {
    const auto count = static_cast<double>(counts[as_size(i)]);
    weighted += static_cast<double>(2 * (i + 1) - items - 1) * count;
    total += count;
  }
  return items < 2 || total == 0.0 ? 0.0 : weighted / (static_cast<double>(items - 1) * total);
}

}  // namespace

Metrics ranking_metrics(const Ranking& ranking, std::span<const std::int64_t> rows, const HeldOut& held,
                        std::span<const std::int64_t> cutoffs, const Context& context) {
  const std::vector<std::int64_t> sorted = ascending(cutoffs);
  const std::size_t width = sorted.size();
  std::vector<Measures> measures(held.users.size() * width);
  detail::parallel_rows(context, "evaluate", static_cast<std::int64_t>(held.users.size()),
                        [&](std::int64_t begin, std::int64_t end) {
                          Measuring measuring(sorted);
                          for (std::size_t e = as_size(begin); e < as_size(end); ++e) {
                            const std::size_t first = as_size(held.offsets[e]);
                            const std::size_t size = as_size(held.offsets[e + 1]) - first;
                            measuring.measure(ranking.row_ids(rows[e]), std::span(held.items).subspan(first, size),
                                              std::span(measures).subspan(e * width, width));
                          }
                        });
  Metrics metrics;
  for (std::size_t c = 0; c < width && !held.users.empty(); ++c) {
    Measures sums;  // in the users' order, whoever measured them
    for (std::size_t e = c; e < measures.size(); e += width) {
      sums.recall += measures[e].recall;
      sums.ndcg += measures[e].ndcg;
      sums.precision += measures[e].precision;
      sums.map += measures[e].map;
    }
    const auto put = [&](const char* name, double sum) {
      metrics[fmt::format("{}@{}", name, sorted[c])] = sum / static_cast<double>(held.users.size());
    };
    put("recall", sums.recall);
    put("ndcg", sums.ndcg);
    put("precision", sums.precision);
    put("map", sums.map);
  }
  return metrics;
}

Metrics catalogue_metrics(const Ranking& ranking, std::int64_t items, std::span<const std::int64_t> cutoffs) {
  Metrics metrics;
  std::vector<std::int64_t> counts(as_size(items));
  std::size_t counted = 0;  // ranks
  for (const std::int64_t cutoff : ascending(cutoffs)) {
    for (std::int64_t row = 0; row < ranking.rows(); ++row) {
      const std::span<const std::int32_t> list = ranking.row_ids(row);
      for (std::size_t rank = counted; rank < std::min(list.size(), as_size(cutoff)); ++rank) {
        ++counts[as_size(list[rank])];
      }
    }
    counted = as_size(cutoff);
    std::vector<std::int64_t> sorted(counts);
    std::sort(sorted.begin(), sorted.end());
    const auto recommended = sorted.end() - std::upper_bound(sorted.begin(), sorted.end(), 0);
    metrics[fmt::format("coverage@{}", cutoff)] =
        items == 0 ? 0.0 : static_cast<double>(recommended) / static_cast<double>(items);
    metrics[fmt::format("gini@{}", cutoff)] = gini(sorted);
  }
  return metrics;
}

}  // namespace graft::training
