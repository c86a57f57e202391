#include "report/inspection.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>
#include <utility>

#include <graft/core/error.hpp>

#include "report/statistics.hpp"

namespace graft::report {
namespace {

using detail::as_size;

/// Disjoint sets of items.
class Pieces {
 public:
  explicit Pieces(std::int64_t items) : parent_(detail::make_vector<std::int32_t>(kInspect, items)) {
    for (std::int64_t i = 0; i < items; ++i) parent_[as_size(i)] = detail::as_id(i);
  }

  void join(std::int64_t a, std::int64_t b) {
    const std::int32_t x = root(detail::as_id(a));
    const std::int32_t y = root(detail::as_id(b));
    parent_[as_size(std::max(x, y))] = std::min(x, y);
  }

  Components components() {
    const auto items = static_cast<std::int64_t>(parent_.size());
    std::vector<std::int64_t> sizes = detail::make_vector<std::int64_t>(kInspect, items);
    for (std::int64_t i = 0; i < items; ++i) ++sizes[as_size(root(detail::as_id(i)))];
    Components result;
    for (const std::int64_t size : sizes) {
      result.count += size > 0 ? 1 : 0;
      result.singletons += size == 1 ? 1 : 0;
      result.largest = std::max(result.largest, size);
    }
    result.largest_share = ratio(result.largest, items);
    return result;
  }

 private:
  std::int32_t root(std::int32_t item) {
    while (parent_[as_size(item)] != item) {
      parent_[as_size(item)] = parent_[as_size(parent_[as_size(item)])];  // halves the path
      item = parent_[as_size(item)];
    }
    return item;
  }

  std::vector<std::int32_t> parent_;
};

/// Edges on both sides of every item.
struct Sides {
  std::vector<std::int64_t> neighbours;
  std::vector<std::int64_t> used_by;
};

/// What one pass over the edges tells: degrees, self loops, isolated items, components.
Sides count_sides(const GraphView& graph, Structure& facts, const Context& context) {
  Sides sides{.neighbours = detail::make_vector<std::int64_t>(kInspect, graph.items),
              .used_by = detail::make_vector<std::int64_t>(kInspect, graph.items)};
  std::vector<bool> loops(as_size(graph.items));
  Pieces pieces(graph.items);
  detail::Ticker ticker(context, kInspect, detail::block_count(graph.items));
  for (std::int64_t row = 0; row < graph.items; ++row) {
    sides.neighbours[as_size(row)] = graph.row_size(row);
    facts.empty_rows += graph.row_size(row) == 0 ? 1 : 0;
    for (const std::int32_t column : graph.row_columns(row)) {
      ++sides.used_by[as_size(column)];
      if (column == row) {
        loops[as_size(row)] = true;
        ++facts.self_loops;
      } else {
        pieces.join(row, column);
      }
    }
    if ((row + 1) % detail::kRowsPerTask == 0) ticker.advance();
  }
  for (std::int64_t i = 0; i < graph.items; ++i) {
    const std::int64_t own = loops[as_size(i)] ? 2 : 0;  // a self loop is on both sides
    facts.isolated_items += sides.neighbours[as_size(i)] + sides.used_by[as_size(i)] == own ? 1 : 0;
  }
  facts.components = pieces.components();
  return sides;
}

Degrees degrees_of(std::span<const std::int64_t> ascending) {
  const auto positive = std::upper_bound(ascending.begin(), ascending.end(), std::int64_t{0});
  return {.spread = spread_of(ascending),
          .items_without = positive - ascending.begin(),
          .histogram = histogram_of(ascending)};
}

std::vector<Hub> most_used(std::span<const std::int64_t> used_by, std::int64_t edges, std::int64_t most) {
  std::vector<Hub> hubs;
  for (std::size_t i = 0; i < used_by.size(); ++i) {
    if (used_by[i] == 0) continue;
    hubs.push_back({.item = static_cast<std::int64_t>(i), .used_by = used_by[i], .share = ratio(used_by[i], edges)});
  }
  const auto better = [](const Hub& a, const Hub& b) {
    return a.used_by != b.used_by ? a.used_by > b.used_by : a.item < b.item;
  };
  const auto kept = std::min(hubs.size(), as_size(std::max<std::int64_t>(most, 0)));
  std::partial_sort(hubs.begin(), hubs.begin() + static_cast<std::ptrdiff_t>(kept), hubs.end(), better);
  hubs.resize(kept);
  return hubs;
}

/// How unevenly edges fall on the items that they use.
void describe_concentration(std::span<const std::int64_t> ascending, std::int64_t edges, Structure& facts) {
  const auto items = static_cast<std::int64_t>(ascending.size());
  constexpr std::int64_t kHundredth = 100;
  facts.top_items = detail::block_count(items, kHundredth);
  std::int64_t used = 0;
  for (const std::int64_t count : ascending.last(as_size(facts.top_items))) used += count;
  facts.top_share = ratio(used, edges);
  double weighted = 0.0;
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    weighted += static_cast<double>(i + 1) * static_cast<double>(ascending[i]);
  }
  const auto n = static_cast<double>(items);
  facts.gini = edges == 0 ? kUndefined : 2.0 * weighted / (n * static_cast<double>(edges)) - (n + 1.0) / n;
}

/// How many edges have a reverse, and how far the two weights are apart.
struct Mutual {
  std::int64_t edges = 0;
  double largest_difference = 0.0;
};

void describe_mutual(const GraphView& graph, Structure& facts, const Context& context) {
  const auto parts = by_blocks<Mutual>(context, graph.items, [&](auto begin, auto end, int, Mutual& part) {
    for (std::int64_t row = begin; row < end; ++row) {
      const auto columns = graph.row_columns(row);
      for (std::size_t e = 0; e < columns.size(); ++e) {
        if (columns[e] == row) continue;
        const auto back = graph.row_columns(columns[e]);
        const auto found = std::lower_bound(back.begin(), back.end(), detail::as_id(row));
        if (found == back.end() || *found != row) continue;
        const float reverse = graph.row_weights(columns[e])[as_size(found - back.begin())];
        const double difference = std::abs(double{graph.row_weights(row)[e]} - double{reverse});
        ++part.edges;
        part.largest_difference = std::max(part.largest_difference, difference);
      }
    }
  });
  for (const Mutual& part : parts) {
    facts.mutual_edges += part.edges;
    facts.largest_asymmetry = std::max(facts.largest_asymmetry, part.largest_difference);
  }
  const std::int64_t between = facts.edges - facts.self_loops;
  facts.reciprocity = ratio(facts.mutual_edges, between);
  facts.symmetric = facts.mutual_edges == between && facts.largest_asymmetry == 0.0;
}

void check_items(std::string_view argument, std::int64_t items, std::int64_t needed) {
  if (items == needed) return;
  throw InvalidArgument(detail::message(kInspect, argument, std::to_string(items) + " items",
                                        "must have as many as the graph, " + std::to_string(needed)));
}

}  // namespace

const char* name(Histogram::Bins bins) {
  switch (bins) {
    case Histogram::Bins::single:
      return "single";
    case Histogram::Bins::equal:
      return "equal";
    case Histogram::Bins::doubling:
      return "doubling";
  }
  return "unknown";
}

Structure inspect_structure(const GraphView& graph, std::int64_t hubs, const Context& context) {
  Structure facts;
  facts.items = graph.items;
  facts.edges = graph.edges();
  Sides sides = count_sides(graph, facts, context);
  const auto items = static_cast<double>(graph.items);
  facts.density = ratio(static_cast<double>(facts.edges - facts.self_loops), items * (items - 1.0));
  facts.hubs = most_used(sides.used_by, facts.edges, hubs);
  facts.neighbours = degrees_of(sorted(std::move(sides.neighbours), context));
  const std::vector<std::int64_t> used_by = sorted(std::move(sides.used_by), context);
  facts.used_by = degrees_of(used_by);
  describe_concentration(used_by, facts.edges, facts);
  describe_mutual(graph, facts, context);
  return facts;
}

Inspection inspect(GraphInput graph, const InspectOptions& options, const Context& context) {
  if (options.interactions != nullptr) check_items("interactions", options.interactions->items(), graph.items);
  if (options.before) check_items("before", options.before->items, graph.items);
  if (options.labels != nullptr) {
    check_items("labels", static_cast<std::int64_t>(options.labels->ids.size()), graph.items);
  }
  Inspection result;
  result.provenance = options.provenance;
  result.structure = inspect_structure(graph, options.hubs, context);
  result.weights = inspect_weights(graph, options.provenance, context);
  if (options.interactions != nullptr) {
    result.audience = inspect_audience(graph, *options.interactions, options.base_rate_visits, context);
  }
  if (options.before) {
    result.comparison = inspect_comparison(*options.before, graph, options.interactions, context);
    result.structure_before = inspect_structure(*options.before, options.hubs, context);
  }
  if (options.labels != nullptr) {
    result.labels = inspect_labels(graph, *options.labels, options.largest_labels, context);
  }
  return result;
}

}  // namespace graft::report
