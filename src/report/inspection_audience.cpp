// A graph in the light of who interacted with what.
#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "report/common_users.hpp"
#include "report/inspection.hpp"
#include "report/statistics.hpp"

namespace graft::report {
namespace {

using detail::as_size;

constexpr std::int64_t kWeightGroups = 4;
constexpr std::int64_t kPopularityGroups = 5;

/// Visits of items by way of a common user, all items together: the sum of squared history lengths.
std::int64_t visits_of(const Interactions& interactions) {
  std::int64_t visits = 0;
  for (std::int64_t user = 0; user < interactions.users(); ++user) {
    const auto length = static_cast<std::int64_t>(interactions.history(user).size());
    visits = detail::saturating_add(visits, length * length);
  }
  return visits;
}

void count_base_rate(const Interactions& interactions, std::int64_t most_visits, const Context& context,
                     AudienceFacts& facts) {
  const std::int64_t items = interactions.items();
  const std::int64_t stride =
      std::max<std::int64_t>(1, detail::block_count(visits_of(interactions), std::max<std::int64_t>(1, most_visits)));
  facts.base_rate_rows = detail::block_count(items, stride);
  std::vector<std::vector<std::int32_t>> seen(as_size(detail::worker_count(context)));
  const auto parts = by_blocks<std::int64_t>(
      context, facts.base_rate_rows, [&](auto begin, auto end, int worker, std::int64_t& pairs) {
        std::vector<std::int32_t>& last = seen[static_cast<std::size_t>(worker)];
        if (last.empty()) last.assign(as_size(items), -1);
        for (std::int64_t item = begin * stride; item < end * stride && item < items; item += stride) {
          const std::int32_t mark = detail::as_id(item);
          last[as_size(item)] = mark;  // no pair with itself
          for (const std::int32_t user : interactions.audience(item)) {
            for (const std::int32_t other : interactions.history(user)) {
              pairs += last[as_size(other)] != mark ? 1 : 0;
              last[as_size(other)] = mark;
            }
          }
        }
      });
  double pairs = 0.0;
  for (const std::int64_t part : parts) pairs += static_cast<double>(part);
  facts.base_rate = ratio(pairs, static_cast<double>(facts.base_rate_rows) * static_cast<double>(items - 1));
}

/// Where edges are sorted into.
struct Groups {
  std::vector<float> weights;           ///< largest weight of each group
  std::vector<std::int64_t> audiences;  ///< largest audience of each group of items that have one
};

struct Tally {
  CommonUsers all;
  std::array<CommonUsers, kWeightGroups> by_weight;
  std::array<CommonUsers, kPopularityGroups + 1> by_audience;  ///< first the items without one
};

std::size_t audience_group(const Groups& groups, std::int64_t audience) {
  return audience == 0 ? 0 : 1 + group_of(groups.audiences, audience);
}

Tally tally_edges(const GraphView& graph, const Interactions& interactions, const Groups& groups,
                  const Context& context) {
  std::vector<std::optional<CommonUserCounter>> counters(as_size(detail::worker_count(context)));
  const auto parts = by_blocks<Tally>(context, graph.items, [&](auto begin, auto end, int worker, Tally& part) {
    std::optional<CommonUserCounter>& counter = counters[static_cast<std::size_t>(worker)];
    if (!counter) counter.emplace(interactions);
    for (std::int64_t row = begin; row < end; ++row) {
      CommonUsers& own = part.by_audience[audience_group(groups, interactions.degree(row))];
      const auto columns = graph.row_columns(row);
      const auto weights = graph.row_weights(row);
      counter->fix(row);
      for (std::size_t e = 0; e < columns.size(); ++e) {
        if (columns[e] == row) continue;
        const CommonUsers edge = counter->edge_to(columns[e]);
        part.all += edge;
        part.by_weight[group_of(groups.weights, weights[e])] += edge;
        own += edge;
      }
    }
  });
  Tally sum;
  for (const Tally& part : parts) {
    sum.all += part.all;
    for (std::size_t g = 0; g < sum.by_weight.size(); ++g) sum.by_weight[g] += part.by_weight[g];
    for (std::size_t g = 0; g < sum.by_audience.size(); ++g) sum.by_audience[g] += part.by_audience[g];
  }
  return sum;
}

/// Ascending weights of the edges between two items.
std::vector<float> weights_between(const GraphView& graph, const Context& context) {
  std::vector<float> weights;
  weights.reserve(graph.weights.size());
  for (std::int64_t row = 0; row < graph.items; ++row) {
    const auto columns = graph.row_columns(row);
    for (std::size_t e = 0; e < columns.size(); ++e) {
      if (columns[e] != row) weights.push_back(graph.row_weights(row)[e]);
    }
  }
  return sorted(std::move(weights), context);
}

std::vector<WeightGroup> weight_groups(std::span<const float> ascending, const Groups& groups, const Tally& tally) {
  std::vector<WeightGroup> result;
  auto first = ascending.begin();
  for (std::size_t g = 0; g < groups.weights.size(); ++g) {
    result.push_back({.least = double{*first}, .most = double{groups.weights[g]}, .common = tally.by_weight[g]});
    first = std::upper_bound(first, ascending.end(), groups.weights[g]);
  }
  return result;
}

std::vector<PopularityGroup> popularity_groups(std::span<const std::int64_t> ascending, const Groups& groups,
                                               const Tally& tally) {
  std::vector<PopularityGroup> result;
  auto first = ascending.begin();
  for (std::size_t g = 0; g < 1 + groups.audiences.size(); ++g) {
    const std::int64_t most = g == 0 ? 0 : groups.audiences[g - 1];
    const auto end = std::upper_bound(first, ascending.end(), most);
    if (end == first) continue;
    const CommonUsers& common = tally.by_audience[g];
    result.push_back({.least_audience = *first,
                      .most_audience = most,
                      .items = end - first,
                      .mean_neighbours = ratio(common.edges, end - first),
                      .common = common});
    first = end;
  }
  return result;
}

}  // namespace

AudienceFacts inspect_audience(const GraphView& graph, const Interactions& interactions, std::int64_t base_rate_visits,
                               const Context& context) {
  AudienceFacts facts;
  facts.users = interactions.users();
  facts.pairs = interactions.size();
  count_base_rate(interactions, base_rate_visits, context, facts);
  const std::vector<float> weights = weights_between(graph, context);
  std::vector<std::int64_t> audiences = detail::make_vector<std::int64_t>(kInspect, graph.items);
  for (std::int64_t i = 0; i < graph.items; ++i) audiences[as_size(i)] = interactions.degree(i);
  audiences = sorted(std::move(audiences), context);
  const auto cold = std::upper_bound(audiences.begin(), audiences.end(), std::int64_t{0}) - audiences.begin();
  const auto with_audience = std::span<const std::int64_t>(audiences).subspan(as_size(cold));
  const Groups groups{.weights = group_bounds<float>(weights, kWeightGroups),
                      .audiences = group_bounds(with_audience, kPopularityGroups)};
  const Tally tally = tally_edges(graph, interactions, groups, context);
  facts.all = tally.all;
  facts.by_weight = weight_groups(weights, groups, tally);
  facts.by_popularity = popularity_groups(audiences, groups, tally);
  return facts;
}

}  // namespace graft::report
