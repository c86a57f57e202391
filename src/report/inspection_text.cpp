#include <algorithm>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

#include "report/format.hpp"
#include "report/inspection_report.hpp"
#include "report/inspection_words.hpp"

namespace graft::report {
namespace {

/// Aligned lines.
class Lines {
 public:
  void add(std::string_view label, const std::string& value) { text_ += fmt::format("{:<24}{}\n", label, value); }
  void gap() { text_ += "\n"; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string with_share(std::int64_t count, double share) {
  return fmt::format("{} ({})", count_text(count), percent_text(share));
}

std::string spread_text(const Spread& spread) {
  return fmt::format("min {}, quartiles {} {} {}, max {}, mean {}", number_text(spread.least),
                     number_text(spread.first_quartile), number_text(spread.median), number_text(spread.third_quartile),
                     number_text(spread.most), number_text(spread.mean));
}

/// A histogram in one line: the height of a block is the count of its bin.
std::string drawn(const Histogram& histogram) {
  if (histogram.counts.empty()) return "none";
  constexpr std::string_view kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const auto most = static_cast<double>(*std::max_element(histogram.counts.begin(), histogram.counts.end()));
  std::string text = number_text(histogram.bounds.front()) + " ";
  for (const std::int64_t count : histogram.counts) {
    const double height = std::ceil(8.0 * static_cast<double>(count) / most);
    text += count == 0 ? "·" : kBlocks[static_cast<std::size_t>(height) - 1];
  }
  const double last = histogram.bounds.back() - (histogram.bins == Histogram::Bins::equal ? 0.0 : 1.0);
  text += " " + number_text(last);
  return histogram.bins == Histogram::Bins::doubling ? text + " (bins double)" : text;
}

void add_structure(Lines& lines, const Structure& facts) {
  lines.add("items", count_text(facts.items));
  lines.add("edges", count_text(facts.edges));
  lines.add("self loops", count_text(facts.self_loops));
  lines.add("density", percent_text(facts.density));
  lines.add("neighbours", spread_text(facts.neighbours.spread) + " (items that an item receives from)");
  lines.add("", drawn(facts.neighbours.histogram));
  lines.add("used by", spread_text(facts.used_by.spread) + " (items that receive from an item)");
  lines.add("", drawn(facts.used_by.histogram));
  lines.add("empty rows", with_share(facts.empty_rows, ratio(facts.empty_rows, facts.items)));
  lines.add("isolated items", with_share(facts.isolated_items, ratio(facts.isolated_items, facts.items)));
  for (const Hub& hub : facts.hubs) {
    lines.add(&hub == &facts.hubs.front() ? "hubs" : "", fmt::format("item {}: used by {} ({} of the edges)", hub.item,
                                                                     count_text(hub.used_by), percent_text(hub.share)));
  }
  lines.add("most used 1% of items", fmt::format("{} of the edges ({}); Gini {}", percent_text(facts.top_share),
                                                 counted(facts.top_items, "item"), number_text(facts.gini)));
  lines.add("mutual edges", with_share(facts.mutual_edges, facts.reciprocity) + " of those between two items");
  lines.add("symmetric", symmetry_text(facts));
  lines.add("components",
            fmt::format("{}; the largest has {} ({}); {} of one item", count_text(facts.components.count),
                        counted(facts.components.largest, "item"), percent_text(facts.components.largest_share),
                        count_text(facts.components.singletons)));
}

void add_weights(Lines& lines, const WeightFacts& facts) {
  lines.gap();
  lines.add("weights", weight_sentence(facts));
  lines.add("", spread_text(facts.spread));
  lines.add("", drawn(facts.histogram));
  lines.add("row sums", spread_text(facts.row_sums));
  for (const Below& below : facts.below) {
    lines.add(&below == &facts.below.front() ? "edges below" : "",
              fmt::format("{:<6}{}", number_text(below.threshold), with_share(below.edges, below.share)));
  }
}

std::string common_text(const CommonUsers& common) {
  return fmt::format("{} of {} (mean Jaccard {})", percent_text(common.share()), counted(common.edges, "edge"),
                     number_text(common.mean_jaccard()));
}

void add_audience(Lines& lines, const AudienceFacts& facts, const Structure& structure, const InspectionNames& names) {
  lines.gap();
  lines.add("interactions", fmt::format("{}, {}: {}, {}", names.interactions, names.split, counted(facts.users, "user"),
                                        counted(facts.pairs, "pair")));
  lines.add("base rate",
            fmt::format("{} ({})", percent_text(facts.base_rate), base_rate_sentence(facts, structure.items)));
  lines.add("common user", common_text(facts.all));
  for (const WeightGroup& group : facts.by_weight) {
    lines.add(&group == &facts.by_weight.front() ? "  by weight" : "",
              padded(range_text(group), 24) + common_text(group.common));
  }
  for (const PopularityGroup& group : facts.by_popularity) {
    lines.add(&group == &facts.by_popularity.front() ? "  by audience" : "",
              fmt::format("{}{}; {}, {} neighbours each", padded(range_text(group), 24), common_text(group.common),
                          counted(group.items, "item"), number_text(group.mean_neighbours)));
  }
}

void add_comparison(Lines& lines, const Comparison& facts, const InspectionNames& names) {
  lines.gap();
  lines.add("compared with", names.before);
  lines.add("edges between items",
            fmt::format("{} -> {}", count_text(facts.edges_before), count_text(facts.edges_after)));
  const auto add_set = [&](const char* label, const EdgeSet& set, const char* whole) {
    std::string text = with_share(set.edges, set.share) + whole;
    if (!std::isnan(set.mean_weight_before)) text += "; mean weight before " + number_text(set.mean_weight_before);
    if (!std::isnan(set.mean_weight_after)) text += "; mean weight after " + number_text(set.mean_weight_after);
    if (set.common) text += "; common user " + percent_text(set.common->share());
    lines.add(label, text);
  };
  add_set("  kept", facts.kept, " of those before");
  add_set("  removed", facts.removed, " of those before");
  add_set("  added", facts.added, " of those after");
  if (facts.before && facts.after) {
    lines.add("common user",
              fmt::format("{} -> {}", percent_text(facts.before->share()), percent_text(facts.after->share())));
  }
  lines.add("overlap of neighbours", number_text(facts.mean_overlap) + " (mean Jaccard of an item's before and after)");
  lines.add("changes of items",
            fmt::format("{} unchanged, {} got their first neighbour, {} lost all", count_text(facts.items_unchanged),
                        count_text(facts.first_neighbour), count_text(facts.lost_all)));
}

void add_labels(Lines& lines, const LabelFacts& facts, const InspectionNames& names) {
  lines.gap();
  lines.add("labels", fmt::format("{}: {} on {}", names.labels, counted(facts.labels, "label"),
                                  counted(facts.labelled_items, "item")));
  lines.add("homophily",
            fmt::format("{} of {} stay within a label; by chance {}; adjusted {}", percent_text(facts.homophily),
                        counted(facts.edges, "edge"), percent_text(facts.baseline), number_text(facts.adjusted)));
  for (const LabelGroup& group : facts.largest) {
    lines.add(&group == &facts.largest.front() ? "  largest labels" : "",
              fmt::format("{}{} of {}; {}", padded(shortened(group.label, 26), 28), percent_text(group.share()),
                          counted(group.edges, "edge"), counted(group.items, "item")));
  }
}

}  // namespace

std::string inspection_text(const Inspection& inspection, const InspectionNames& names) {
  Lines lines;
  lines.add("graph", names.graph);
  add_structure(lines, inspection.structure);
  add_weights(lines, inspection.weights);
  if (inspection.audience) add_audience(lines, *inspection.audience, inspection.structure, names);
  if (inspection.comparison) add_comparison(lines, *inspection.comparison, names);
  if (inspection.labels) add_labels(lines, *inspection.labels, names);
  if (!inspection.provenance.empty()) lines.gap();
  for (const auto& [key, value] : inspection.provenance) {
    const bool first = key == inspection.provenance.begin()->first;
    lines.add(first ? "provenance" : "", fmt::format("{} = {}", key, printable(value)));
  }
  return lines.take();
}

}  // namespace graft::report
