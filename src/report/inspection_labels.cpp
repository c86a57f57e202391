// Whether edges stay within labels.
#include <algorithm>
#include <utility>

#include "report/inspection.hpp"
#include "report/statistics.hpp"

namespace graft::report {

LabelFacts inspect_labels(const GraphView& graph, const Labels& labels, std::int64_t largest, const Context& context) {
  std::vector<LabelGroup> groups(labels.names.size());
  LabelFacts facts;
  facts.labels = static_cast<std::int64_t>(groups.size());
  detail::Ticker ticker(context, kInspect, detail::block_count(graph.items));
  for (std::int64_t row = 0; row < graph.items; ++row) {
    if ((row + 1) % detail::kRowsPerTask == 0) ticker.advance();
    const std::int32_t label = labels.ids[detail::as_size(row)];
    if (label < 0) continue;
    LabelGroup& group = groups[detail::as_size(label)];
    ++group.items;
    for (const std::int32_t column : graph.row_columns(row)) {
      const std::int32_t other = labels.ids[detail::as_size(column)];
      if (column == row || other < 0) continue;
      ++group.edges;
      group.within += other == label ? 1 : 0;
    }
  }
  for (std::size_t l = 0; l < groups.size(); ++l) {
    groups[l].label = labels.names[l];
    facts.labelled_items += groups[l].items;
    facts.edges += groups[l].edges;
    facts.within += groups[l].within;
  }
  facts.homophily = ratio(facts.within, facts.edges);
  facts.baseline = groups.empty() ? kUndefined : 0.0;
  for (const LabelGroup& group : groups) {
    const double p = ratio(group.items, facts.labelled_items);
    facts.baseline += p * p;
  }
  facts.adjusted = ratio(facts.homophily - facts.baseline, 1.0 - facts.baseline);
  // names ascend already: a stable order keeps them so among equals
  std::stable_sort(groups.begin(), groups.end(),
                   [](const LabelGroup& a, const LabelGroup& b) { return a.items > b.items; });
  groups.resize(std::min(groups.size(), detail::as_size(std::max<std::int64_t>(largest, 0))));
  facts.largest = std::move(groups);
  return facts;
}

}  // namespace graft::report
