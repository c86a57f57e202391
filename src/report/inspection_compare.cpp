// What changed between two graphs.
#include <algorithm>
#include <optional>

#include "report/common_users.hpp"
#include "report/inspection.hpp"
#include "report/statistics.hpp"

namespace graft::report {
namespace {

using detail::as_size;

/// Edges of one set, as they are counted.
struct SetTally {
  std::int64_t edges = 0;
  double weight_before = 0.0;
  double weight_after = 0.0;
  CommonUsers common;

  void add(const SetTally& part) {
    edges += part.edges;
    weight_before += part.weight_before;
    weight_after += part.weight_after;
    common += part.common;
  }
};

struct ChangeTally {
  SetTally kept;
  SetTally added;
  SetTally removed;
  double overlap = 0.0;
  std::int64_t rows_with_any = 0;
  std::int64_t unchanged = 0;
  std::int64_t first_neighbour = 0;
  std::int64_t lost_all = 0;

  void add(const ChangeTally& part) {
    kept.add(part.kept);
    added.add(part.added);
    removed.add(part.removed);
    overlap += part.overlap;
    rows_with_any += part.rows_with_any;
    unchanged += part.unchanged;
    first_neighbour += part.first_neighbour;
    lost_all += part.lost_all;
  }
};

/// The neighbours of one row before and after, side by side.
class RowChanges {
 public:
  RowChanges(const GraphView& before, const GraphView& after, const CommonUserCounter* counter)
      : before_(before), after_(after), counter_(counter) {}

  void tally(std::int64_t row, ChangeTally& sum) const {
    const auto old_columns = before_.row_columns(row);
    const auto new_columns = after_.row_columns(row);
    const auto old_weights = before_.row_weights(row);
    const auto new_weights = after_.row_weights(row);
    std::int64_t kept = 0;
    std::int64_t added = 0;
    std::int64_t removed = 0;
    for (std::size_t o = 0, n = 0; o < old_columns.size() || n < new_columns.size();) {
      const std::int64_t old_column = o < old_columns.size() ? old_columns[o] : before_.items;
      const std::int64_t new_column = n < new_columns.size() ? new_columns[n] : before_.items;
      const std::int64_t column = std::min(old_column, new_column);
      const bool was = old_column == column;
      const bool is = new_column == column;
      if (column != row) {
        kept += was && is ? 1 : 0;
        added += was ? 0 : 1;
        removed += is ? 0 : 1;
        SetTally& before = is ? sum.kept : sum.removed;
        SetTally& set = was ? before : sum.added;
        ++set.edges;
        if (was) set.weight_before += double{old_weights[o]};
        if (is) set.weight_after += double{new_weights[n]};
        if (counter_ != nullptr) set.common += counter_->edge_to(column);
      }
      o += was ? 1 : 0;
      n += is ? 1 : 0;
    }
    count_item(kept, added, removed, sum);
  }

 private:
  static void count_item(std::int64_t kept, std::int64_t added, std::int64_t removed, ChangeTally& sum) {
    if (kept + added + removed == 0) return;
    ++sum.rows_with_any;
    sum.overlap += ratio(kept, kept + added + removed);
    sum.unchanged += added + removed == 0 ? 1 : 0;
    sum.first_neighbour += kept + removed == 0 ? 1 : 0;
    sum.lost_all += kept + added == 0 ? 1 : 0;
  }

  const GraphView& before_;
  const GraphView& after_;
  const CommonUserCounter* counter_;
};

EdgeSet edge_set(const SetTally& tally, std::int64_t whole, bool was, bool is, bool with_common) {
  const auto edges = static_cast<double>(tally.edges);
  EdgeSet set;
  set.edges = tally.edges;
  set.share = ratio(tally.edges, whole);
  if (was) set.mean_weight_before = ratio(tally.weight_before, edges);
  if (is) set.mean_weight_after = ratio(tally.weight_after, edges);
  if (with_common) set.common = tally.common;
  return set;
}

}  // namespace

Comparison inspect_comparison(const GraphView& before, const GraphView& after, const Interactions* interactions,
                              const Context& context) {
  std::vector<std::optional<CommonUserCounter>> counters(as_size(detail::worker_count(context)));
  const auto parts =
      by_blocks<ChangeTally>(context, after.items, [&](auto begin, auto end, int worker, ChangeTally& part) {
        std::optional<CommonUserCounter>& counter = counters[static_cast<std::size_t>(worker)];
        if (interactions != nullptr && !counter) counter.emplace(*interactions);
        const RowChanges changes(before, after, counter ? &*counter : nullptr);
        for (std::int64_t row = begin; row < end; ++row) {
          if (counter) counter->fix(row);
          changes.tally(row, part);
        }
      });
  ChangeTally sum;
  for (const ChangeTally& part : parts) sum.add(part);
  const bool common = interactions != nullptr;
  Comparison result;
  result.edges_before = sum.kept.edges + sum.removed.edges;
  result.edges_after = sum.kept.edges + sum.added.edges;
  result.kept = edge_set(sum.kept, result.edges_before, true, true, common);
  result.added = edge_set(sum.added, result.edges_after, false, true, common);
  result.removed = edge_set(sum.removed, result.edges_before, true, false, common);
  result.mean_overlap = ratio(sum.overlap, static_cast<double>(sum.rows_with_any));
  result.items_unchanged = sum.unchanged;
  result.first_neighbour = sum.first_neighbour;
  result.lost_all = sum.lost_all;
  if (common) {
    result.before = sum.kept.common;
    *result.before += sum.removed.common;
    result.after = sum.kept.common;
    *result.after += sum.added.common;
  }
  return result;
}

}  // namespace graft::report
