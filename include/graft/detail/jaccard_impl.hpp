// Bodies of ops/jaccard.hpp: row-wise sparse R^T R with a dense counter and a running top-k.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <graft/detail/audience_measures.hpp>
#include <graft/detail/csr_build.hpp>
#include <graft/detail/knn_impl.hpp>
#include <graft/detail/top_k_rows.hpp>
#include <graft/ops/jaccard.hpp>

namespace graft {
namespace detail {

/// 1 / (1 + 1e-7) in float32: what the published code gives a pair whose union is one single user.
inline constexpr float kSingleUserJaccard = 0.99999988F;

/// Counters of a worker: 4 bytes a column for the count, 4 for the list of touched columns.
inline constexpr std::int64_t kCounterBytes = 2 * std::int64_t{sizeof(std::int32_t)};
/// A candidate of the row at work.
inline constexpr std::int64_t kEntryBytes = 16;
/// Fewer columns at once than this cost more in look-ups than they save.
inline constexpr std::int64_t kLeastCounterColumns = 4096;
/// Counter increments of a task: some milliseconds.
inline constexpr std::int64_t kIncrementsPerTask = std::int64_t{1} << 18;

struct JaccardPlan {
  RowRange rows;
  int workers = 1;
  std::int64_t counter_columns = 0;         ///< columns counted at once
  std::int64_t longest_row = 0;             ///< bound of the edges of a row
  std::int64_t workspace_bytes = 0;
  std::int64_t increments = 0;              ///< sum over rows of their cost
  std::vector<std::int64_t> row_capacity;   ///< offsets of the row buffers, [rows + 1]
  std::vector<std::int64_t> task_begin;     ///< first row of every task, and the end, relative to rows.begin
};

inline void check_jaccard(const JaccardOptions& options) {
  check_k("jaccard_graph", options.k);
  if (options.min_support < 1) {
    throw InvalidArgument(
        message("jaccard_graph", "min_support", std::to_string(options.min_support), "must be >= 1"));
  }
  if (options.identical == Identical::reference && options.measure != AudienceMeasure::jaccard) {
    throw InvalidArgument(message("jaccard_graph", "identical", "reference", "is defined for the measure jaccard only"));
  }
}

/// Counter increments of a row: also a bound of its edges.
inline std::int64_t row_cost(const Interactions& interactions, std::int64_t item) {
  std::int64_t cost = 0;
  for (const std::int32_t user : interactions.audience(item)) {
    cost += static_cast<std::int64_t>(interactions.history(user).size());
  }
  return cost;
}

/// Rows' costs, buffers and tasks, and how many columns each worker counts at once within the budget.
inline JaccardPlan plan_jaccard(const Interactions& interactions, const JaccardOptions& options,
                                const Context& context) {
  check_jaccard(options);
  JaccardPlan plan;
  const std::int64_t items = interactions.items();
  plan.rows = clipped("jaccard_graph", "row_range", options.row_range, items);
  const std::int64_t rows = plan.rows.end - plan.rows.begin;
  plan.row_capacity = make_vector<std::int64_t>("jaccard_graph", rows + 1);
  parallel_rows(context, "jaccard_graph", rows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      plan.row_capacity[as_size(r + 1)] = row_cost(interactions, plan.rows.begin + r);
    }
  });
  plan.task_begin.push_back(0);
  std::int64_t task_cost = 0;
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t cost = plan.row_capacity[as_size(r + 1)];
    plan.longest_row = std::max(plan.longest_row, std::min({options.k, items, cost}));
    plan.row_capacity[as_size(r + 1)] = plan.row_capacity[as_size(r)] + std::min({options.k, items, cost});
    plan.increments += cost;
    task_cost += cost + 1;
    if (task_cost >= kIncrementsPerTask || r + 1 == rows) {
      plan.task_begin.push_back(r + 1);
      task_cost = 0;
    }
  }
  const auto tasks = static_cast<std::int64_t>(plan.task_begin.size()) - 1;
  const std::int64_t fixed = items * std::int64_t{sizeof(std::int32_t)} + 16 * rows;
  const std::int64_t row_bytes = saturating_multiply(plan.longest_row, kEntryBytes);
  const std::int64_t least = saturating_add(fixed + kCounterBytes * std::min(items, kLeastCounterColumns), row_bytes);
  if (context.memory_budget < least) {
    throw OutOfMemory(message("jaccard_graph", "memory_budget", std::to_string(context.memory_budget) + " bytes",
                              "at least " + std::to_string(least) + " bytes are needed for these sizes"));
  }
  const std::int64_t free = context.memory_budget - fixed;
  const std::int64_t full = kCounterBytes * std::max<std::int64_t>(items, 1) + row_bytes;
  // Fewer workers that count all columns at once, down to one; only then fewer columns.
  plan.workers = static_cast<int>(std::max<std::int64_t>(
      1, std::min<std::int64_t>({worker_count(context), std::max<std::int64_t>(tasks, 1), free / full})));
  plan.counter_columns = std::min(items, (free / plan.workers - row_bytes) / kCounterBytes);
  plan.workspace_bytes = fixed + plan.workers * (kCounterBytes * plan.counter_columns + row_bytes);
  return plan;
}

/// Finds the rows of one measure. Rows are independent; one object a worker.
template <class Measure>
class AudienceRows {
 public:
  AudienceRows(const Interactions& interactions, std::span<const std::int32_t> degrees, const JaccardOptions& options,
               std::int64_t counter_columns, std::int64_t longest_row)
      : interactions_(interactions),
        degrees_(degrees),
        options_(options),
        counter_columns_(counter_columns),
        counts_(make_vector<std::int32_t>("jaccard_graph", counter_columns)),
        touched_(make_vector<std::int32_t>("jaccard_graph", counter_columns + 1)) {
    best_.reserve(as_size(longest_row));
  }

  /// Writes the row's edges, columns ascending, and gives their number.
  std::int32_t fill(std::int64_t item, std::int32_t* columns, float* weights) {
    const std::int64_t degree = degrees_[as_size(item)];
    const bool with_self = keeps_self(degree);
    open_ = options_.k - (with_self ? 1 : 0);
    best_.clear();
    full_ = false;
    for (std::int64_t begin = 0; begin < interactions_.items(); begin += counter_columns_) {
      count_and_offer(item, begin, std::min(interactions_.items(), begin + counter_columns_));
    }
    if (with_self) best_.push_back({Measure::make(degree, degree, degree, interactions_.users()), as_id(degree), as_id(item)});
    std::sort(best_.begin(), best_.end(), [](const Entry& a, const Entry& b) { return a.column < b.column; });
    for (std::size_t e = 0; e < best_.size(); ++e) {
      columns[e] = best_[e].column;
      weights[e] = weight(degree, best_[e]);
    }
    return static_cast<std::int32_t>(best_.size());
  }

 private:
  struct Entry {
    typename Measure::Key key;
    std::int32_t count;
    std::int32_t column;
  };
  static_assert(sizeof(Entry) <= kEntryBytes);

  static bool ranks_before(const Entry& a, const Entry& b) {
    if (Measure::before(a.key, b.key)) return true;
    return !Measure::before(b.key, a.key) && a.column < b.column;
  }

  [[nodiscard]] bool keeps_self(std::int64_t degree) const {
    if (options_.identical == Identical::reference) return degree == 1 && options_.min_support == 1;
    return options_.self == Self::keep && degree >= std::max<std::int64_t>(1, options_.min_support) &&
           Measure::admits(degree, degree, degree, interactions_.users());
  }

  [[nodiscard]] bool is_dropped_twin(std::int64_t count, std::int64_t degree, std::int64_t other) const {
    if (count != degree || count != other) return false;
    return options_.identical == Identical::drop || (options_.identical == Identical::reference && count >= 2);
  }

  [[nodiscard]] float weight(std::int64_t degree, const Entry& entry) const {
    const std::int64_t other = degrees_[as_size(entry.column)];
    if (options_.identical == Identical::reference && degree == 1 && other == 1) return kSingleUserJaccard;
    return Measure::weight(entry.count, degree, other, interactions_.users());
  }

  /// Counts the common audience of `item` with every column in [begin, end) and offers the pairs.
  void count_and_offer(std::int64_t item, std::int64_t begin, std::int64_t end) {
    const bool all = begin == 0 && end == interactions_.items();
    const std::span<const std::int32_t> audience = interactions_.audience(item);
    const std::int64_t first_entry = interactions_.item_offsets()[as_size(item)];
    std::int64_t size = 0;
    for (std::size_t u = 0; u < audience.size(); ++u) {
      prefetch_histories(first_entry + static_cast<std::int64_t>(u));
      const std::span<const std::int32_t> history = interactions_.history(audience[u]);
      const std::int32_t* first = history.data();
      const std::int32_t* last = first + history.size();
      if (!all) {
        first = std::lower_bound(first, last, begin);
        last = std::lower_bound(first, last, end);
      }
      size = count(first, last, begin, size);
    }
    offer_touched(item, begin, size);
  }

  /// Histories lie anywhere in memory: asks for those that come next, of the next rows too; first their offsets, then
  /// their ids. @param entry  place in the list of all audiences, one row after the other
  void prefetch_histories(std::int64_t entry) const {
    constexpr std::int64_t kOffsetsAhead = 24;
    constexpr std::int64_t kIdsAhead = 12;
    const std::span<const std::int32_t> users = interactions_.item_users();
    if (entry + kOffsetsAhead >= static_cast<std::int64_t>(users.size())) return;
    const std::int64_t* const offsets = interactions_.user_offsets().data();
    __builtin_prefetch(offsets + users[as_size(entry + kOffsetsAhead)]);
    const std::int64_t* const next = offsets + users[as_size(entry + kIdsAhead)];
    __builtin_prefetch(interactions_.user_items().data() + next[0]);
    __builtin_prefetch(interactions_.user_items().data() + next[1]);
  }

  std::int64_t count(const std::int32_t* first, const std::int32_t* last, std::int64_t begin, std::int64_t size) {
    std::int32_t* const counts = counts_.data();
    std::int32_t* const touched = touched_.data();
    for (; first != last; ++first) {
      const std::int64_t place = *first - begin;
      // without a branch: the list grows only where the count was zero
      touched[size] = static_cast<std::int32_t>(place);
      size += counts[place] == 0 ? 1 : 0;
      ++counts[place];
    }
    return size;
  }

  /// Offers the columns that were counted and clears their counts. Most pairs share one user and rank below the k-th
  /// best: they are rejected by an exact integer comparison. Pairs with more go first, so that the bar is high by then.
  void offer_touched(std::int64_t item, std::int64_t begin, std::int64_t size) {
    std::int32_t* const counts = counts_.data();
    std::int64_t singles = 0;
    for (std::int64_t t = 0; t < size; ++t) {
      const std::int32_t place = touched_[as_size(t)];
      const std::int64_t count = counts[place];
      counts[place] = 0;
      touched_[as_size(singles)] = place;
      singles += count == 1 ? 1 : 0;
      if (count > 1) offer_pair(item, begin + place, count);
    }
    if (options_.min_support > 1) return;
    for (std::int64_t t = 0; t < singles; ++t) offer_pair(item, begin + touched_[as_size(t)], 1);
  }

  void offer_pair(std::int64_t item, std::int64_t column, std::int64_t count) {
    const std::int64_t degree = degrees_[as_size(item)];
    const std::int64_t other = degrees_[as_size(column)];
    if (count < options_.min_support || !Measure::admits(count, degree, other, interactions_.users())) return;
    const Entry entry{Measure::make(count, degree, other, interactions_.users()), as_id(count), as_id(column)};
    if (full_ && !ranks_before(entry, worst_)) return;
    if (column == item || is_dropped_twin(count, degree, other)) return;
    insert(entry);
  }

  /// Puts an entry, which ranks before the worst if there is no room, in its place among the best.
  void insert(const Entry& entry) {
    if (open_ == 0) return;
    if (full_) {
      best_.back() = entry;
    } else {
      best_.push_back(entry);
    }
    constexpr std::int64_t kLinearPlaces = 32;
    if (open_ <= kLinearPlaces) {
      for (std::size_t e = best_.size() - 1; e > 0 && ranks_before(entry, best_[e - 1]); --e) {
        std::swap(best_[e], best_[e - 1]);
      }
    } else {
      const auto place = std::upper_bound(best_.begin(), best_.end() - 1, entry, ranks_before);
      std::rotate(place, best_.end() - 1, best_.end());
    }
    full_ = static_cast<std::int64_t>(best_.size()) == open_;
    worst_ = best_.back();
  }

  const Interactions& interactions_;
  std::span<const std::int32_t> degrees_;
  const JaccardOptions& options_;
  std::int64_t counter_columns_;
  std::int64_t open_ = 0;  ///< places for other items
  bool full_ = false;      ///< all of them are taken
  Entry worst_{};          ///< the last of best_
  std::vector<std::int32_t> counts_;
  std::vector<std::int32_t> touched_;
  std::vector<Entry> best_;  ///< sorted by rank
};

/// Moves rows of varying capacity together, in place, and makes a graph of them.
inline Graph join_rows(std::int64_t items, const JaccardPlan& plan, const std::vector<std::int32_t>& counts,
                       std::vector<std::int32_t> columns, std::vector<float> weights) {
  std::vector<std::int64_t> offsets = make_vector<std::int64_t>("jaccard_graph", items + 1);
  std::int64_t written = 0;
  for (std::int64_t r = 0; r < plan.rows.end - plan.rows.begin; ++r) {
    const std::int64_t from = plan.row_capacity[as_size(r)];
    const std::int64_t count = counts[as_size(r)];
    if (from != written) {
      std::copy_n(columns.data() + from, count, columns.data() + written);
      std::copy_n(weights.data() + from, count, weights.data() + written);
    }
    written += count;
    offsets[as_size(plan.rows.begin + r + 1)] = written;
  }
  for (std::int64_t row = plan.rows.end; row < items; ++row) offsets[as_size(row + 1)] = written;
  columns.resize(as_size(written));
  weights.resize(as_size(written));
  return Graph(Trusted{}, std::move(offsets), std::move(columns), std::move(weights));
}

template <class Measure>
Graph audience_graph(const Interactions& interactions, const JaccardOptions& options, const Context& context) {
  const JaccardPlan plan = plan_jaccard(interactions, options, context);
  const std::int64_t items = interactions.items();
  std::vector<std::int32_t> degrees = make_vector<std::int32_t>("jaccard_graph", items);
  for (std::int64_t i = 0; i < items; ++i) degrees[as_size(i)] = as_id(interactions.degree(i));
  std::vector<std::int32_t> columns = make_vector<std::int32_t>("jaccard_graph", plan.row_capacity.back());
  std::vector<float> weights = make_vector<float>("jaccard_graph", plan.row_capacity.back());
  std::vector<std::int32_t> counts = make_vector<std::int32_t>("jaccard_graph", plan.rows.end - plan.rows.begin);
  std::vector<AudienceRows<Measure>> workers;
  workers.reserve(as_size(plan.workers));
  for (int w = 0; w < plan.workers; ++w) workers.emplace_back(interactions, degrees, options, plan.counter_columns, plan.longest_row);
  const auto tasks = static_cast<std::int64_t>(plan.task_begin.size()) - 1;
  Ticker ticker(context, "jaccard_graph", tasks);
  parallel_tasks(plan.workers, tasks, ticker, [&](std::int64_t task, int worker) {
    for (std::int64_t r = plan.task_begin[as_size(task)]; r < plan.task_begin[as_size(task + 1)]; ++r) {
      const std::int64_t place = plan.row_capacity[as_size(r)];
      counts[as_size(r)] = workers[as_size(worker)].fill(plan.rows.begin + r, columns.data() + place,
                                                         weights.data() + place);
    }
  });
  return join_rows(items, plan, counts, std::move(columns), std::move(weights));
}

}  // namespace detail

GRAFT_INLINE Graph jaccard_graph(const Interactions& interactions, const JaccardOptions& options,
                                 const Context& context) {
  switch (options.measure) {
    case AudienceMeasure::cosine:
      return detail::audience_graph<detail::CosineMeasure>(interactions, options, context);
    case AudienceMeasure::overlap:
      return detail::audience_graph<detail::OverlapMeasure>(interactions, options, context);
    case AudienceMeasure::pmi:
      return detail::audience_graph<detail::PmiMeasure>(interactions, options, context);
    case AudienceMeasure::log_likelihood:
      return detail::audience_graph<detail::LogLikelihoodMeasure>(interactions, options, context);
    case AudienceMeasure::jaccard:
      break;
  }
  return detail::audience_graph<detail::JaccardMeasure>(interactions, options, context);
}

GRAFT_INLINE Plan plan(const Interactions& interactions, const JaccardOptions& options, const Context& context) {
  const detail::JaccardPlan jaccard = detail::plan_jaccard(interactions, options, context);
  return {.workspace_bytes = jaccard.workspace_bytes,
          .output_bytes = 8 * jaccard.row_capacity.back() + 8 * (interactions.items() + 1),
          .flops = static_cast<double>(jaccard.increments),
          .tiles = static_cast<std::int64_t>(jaccard.task_begin.size()) - 1};
}

}  // namespace graft
