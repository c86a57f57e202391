#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "report/format.hpp"
#include "report/html.hpp"
#include "report/inspection_figures.hpp"
#include "report/inspection_report.hpp"
#include "report/inspection_words.hpp"
#include "report/svg.hpp"

namespace graft::report {
namespace {

using Align = Table::Align;

std::vector<Tile> tiles_of(const Inspection& inspection) {
  const Structure& facts = inspection.structure;
  std::vector<Tile> tiles{
      {"Items", count_text(facts.items), ""},
      {"Edges", count_text(facts.edges), counted(facts.self_loops, "self loop")},
      {"Neighbours of an item", number_text(facts.neighbours.spread.median), "median"},
      {"Isolated items", count_text(facts.isolated_items), percent_text(ratio(facts.isolated_items, facts.items))},
      {"Mutual edges", percent_text(facts.reciprocity), "of those between two items"},
      {"Largest component", percent_text(facts.components.largest_share),
       fmt::format("of the items; {} in all", counted(facts.components.count, "component"))}};
  if (inspection.audience) {
    tiles.push_back({"Edges with a common user", percent_text(inspection.audience->all.share()),
                     percent_text(inspection.audience->base_rate) + " of random pairs"});
  }
  if (inspection.comparison) {
    tiles.push_back({"Edges kept", percent_text(inspection.comparison->kept.share),
                     count_text(inspection.comparison->added.edges) + " added"});
  }
  if (inspection.labels) {
    tiles.push_back({"Edges within a label", percent_text(inspection.labels->homophily),
                     percent_text(inspection.labels->baseline) + " by chance"});
  }
  return tiles;
}

Section structure_section(const Structure& facts) {
  Section section("Neighbours and hubs");
  section.paragraph(
      "A row of the graph is an item that receives; its columns are its neighbours, the items it receives from. An "
      "item "
      "is used by the items that receive from it.");
  section.figure(neighbours_figure(facts));
  section.figure(used_by_figure(facts));
  section.paragraph(fmt::format(
      "The most used 1% of the items ({}) serve {} of the edges; the Gini coefficient of the used-by counts is {} (0: "
      "all are used alike). Empty rows: {}. Symmetric: {}.",
      count_text(facts.top_items), percent_text(facts.top_share), number_text(facts.gini), count_text(facts.empty_rows),
      symmetry_text(facts)));
  if (facts.hubs.empty()) return section;
  Table hubs{.columns = {{"Hub (item)"}, {"used by"}, {"share of all edges"}}};
  for (const Hub& hub : facts.hubs) {
    hubs.rows.push_back({std::to_string(hub.item), count_text(hub.used_by), percent_text(hub.share)});
  }
  section.table(hubs);
  return section;
}

Section weight_section(const WeightFacts& facts) {
  Section section("Weights");
  const Spread& spread = facts.spread;
  std::string text = weight_sentence(facts);
  if (!facts.histogram.counts.empty() && !facts.all_equal) {
    text += fmt::format(" They lie between {} and {}; half of them between {} and {}, the mean is {}.",
                        number_text(spread.least), number_text(spread.most), number_text(spread.first_quartile),
                        number_text(spread.third_quartile), number_text(spread.mean));
  }
  text += fmt::format(" Row sums go from {} to {}, with a mean of {}.", number_text(facts.row_sums.least),
                      number_text(facts.row_sums.most), number_text(facts.row_sums.mean));
  section.paragraph(text);
  if (facts.all_equal || facts.histogram.counts.empty()) return section;
  section.figure(weights_figure(facts));
  if (!facts.below.empty()) section.figure(threshold_figure(facts));
  return section;
}

std::vector<std::string> common_cells(const CommonUsers& common) {
  return {count_text(common.edges), percent_text(common.share()), number_text(common.mean_jaccard())};
}

/// Bars of common-user shares with the base rate as a line, and the numbers behind them.
class CommonUserBars {
 public:
  CommonUserBars(std::string title, const std::string& group) {
    chart_.title = std::move(title);
    chart_.axis = "share of edges with a common user";
    chart_.unit = Unit::percent;
    table_.columns = {{group, Align::text}, {"edges"}, {"with a common user"}, {"mean Jaccard"}};
  }

  void column(const std::string& title) { table_.columns.push_back({title}); }
  void bar(const std::string& label, const CommonUsers& common, Tone tone, std::vector<std::string> more = {}) {
    chart_.bars.push_back({.label = label, .value = common.share(), .tone = tone});
    std::vector<std::string> row{label};
    for (std::string& cell : common_cells(common)) row.push_back(std::move(cell));
    for (std::string& cell : more) row.push_back(std::move(cell));
    table_.rows.push_back(std::move(row));
  }
  Figure figure(double base_rate) {
    chart_.description = fmt::format("Random pairs: {}.", percent_text(base_rate));
    if (base_rate == base_rate) chart_.mark = Mark{base_rate, "random pairs " + percent_text(base_rate)};
    return {.title = chart_.title, .svg = svg(chart_), .numbers = table_};
  }

 private:
  BarChart chart_;
  Table table_;
};

Section audience_section(const AudienceFacts& facts, const Inspection& inspection, const InspectionNames& names) {
  Section section("Do users confirm the edges?");
  section.paragraph(fmt::format(
      "{}: {} and {} (split {}). {} of the {} between two items join items with {}, and the mean Jaccard of their "
      "audiences is {}. Random pairs: {}, {}.",
      names.interactions, counted(facts.users, "user"), counted(facts.pairs, "pair"), names.split,
      percent_text(facts.all.share()), counted(facts.all.edges, "edge"), common_user_words(names),
      number_text(facts.all.mean_jaccard()), percent_text(facts.base_rate),
      base_rate_sentence(facts, inspection.structure.items)));
  if (!facts.by_weight.empty()) {
    const std::string word = weight_word(inspection.weights.meaning);
    CommonUserBars bars("By " + word + " of the edge", word);
    for (const WeightGroup& group : facts.by_weight) bars.bar(range_text(group), group.common, Tone::one);
    section.figure(bars.figure(facts.base_rate));
  }
  if (!facts.by_popularity.empty()) {
    CommonUserBars bars("By audience of the receiving item", "audience");
    bars.column("items");
    bars.column("neighbours each");
    for (const PopularityGroup& group : facts.by_popularity) {
      bars.bar(range_text(group), group.common, Tone::three,
               {count_text(group.items), number_text(group.mean_neighbours)});
    }
    section.figure(bars.figure(facts.base_rate));
  }
  return section;
}

Table side_by_side(const Comparison& change, const Inspection& inspection) {
  Table table{.columns = {{"", Align::text}, {"before"}, {"after"}}};
  table.rows.push_back({"edges between items", count_text(change.edges_before), count_text(change.edges_after)});
  if (inspection.structure_before) {
    const Structure& before = *inspection.structure_before;
    const Structure& after = inspection.structure;
    const auto row = [&](const char* label, const auto& value) {
      table.rows.push_back({label, value(before), value(after)});
    };
    row("self loops", [](const Structure& s) { return count_text(s.self_loops); });
    row("neighbours, median", [](const Structure& s) { return number_text(s.neighbours.spread.median); });
    row("used by, most", [](const Structure& s) { return number_text(s.used_by.spread.most); });
    row("empty rows", [](const Structure& s) { return count_text(s.empty_rows); });
    row("isolated items", [](const Structure& s) { return count_text(s.isolated_items); });
    row("mutual edges", [](const Structure& s) { return percent_text(s.reciprocity); });
    row("components", [](const Structure& s) { return count_text(s.components.count); });
    row("largest component", [](const Structure& s) { return percent_text(s.components.largest_share); });
    row("edges of the most used 1%", [](const Structure& s) { return percent_text(s.top_share); });
  }
  if (change.before && change.after) {
    table.rows.push_back(
        {"edges with a common user", percent_text(change.before->share()), percent_text(change.after->share())});
    table.rows.push_back({"mean Jaccard of audiences", number_text(change.before->mean_jaccard()),
                          number_text(change.after->mean_jaccard())});
  }
  return table;
}

Section comparison_section(const Comparison& facts, const Inspection& inspection, const InspectionNames& names) {
  Section section("Before and after");
  section.paragraph(fmt::format(
      "Before is {}. Self loops are left out. The neighbours of an item before and after overlap by {} on average "
      "(Jaccard); {} unchanged, {} got a first neighbour, {} lost all.",
      names.before, number_text(facts.mean_overlap), counted(facts.items_unchanged, "item"),
      count_text(facts.first_neighbour), count_text(facts.lost_all)));
  const std::pair<const char*, const EdgeSet*> sets[] = {
      {"kept", &facts.kept}, {"added", &facts.added}, {"removed", &facts.removed}};
  constexpr Tone kTones[] = {Tone::one, Tone::three, Tone::two};
  BarChart counts{.title = "Edges kept, added and removed",
                  .description = fmt::format("{} edges before, {} after.", count_text(facts.edges_before),
                                             count_text(facts.edges_after)),
                  .axis = "edges"};
  Table numbers{.columns = {{"", Align::text}, {"edges"}, {"share"}, {"mean weight before"}, {"mean weight after"}}};
  CommonUserBars common("Do users confirm them?", "edges");
  for (std::size_t s = 0; s < 3; ++s) {
    const auto& [label, set] = sets[s];
    counts.bars.push_back({.label = label, .value = static_cast<double>(set->edges), .tone = kTones[s]});
    numbers.rows.push_back({label, count_text(set->edges),
                            percent_text(set->share) + (s == 1 ? " of after" : " of before"),
                            number_text(set->mean_weight_before), number_text(set->mean_weight_after)});
    if (set->common) common.bar(label, *set->common, kTones[s]);
  }
  section.figure({.title = counts.title, .svg = svg(counts), .numbers = numbers});
  if (inspection.audience && facts.kept.common) section.figure(common.figure(inspection.audience->base_rate));
  section.table(side_by_side(facts, inspection));
  return section;
}

Section label_section(const LabelFacts& facts, const InspectionNames& names) {
  Section section("Labels");
  section.paragraph(fmt::format(
      "{}: {} on {}. {} of the {} between labelled items stay within a label; random pairs of items would with {}. "
      "Adjusted for chance: {} (0: as by chance, 1: always within).",
      names.labels, counted(facts.labels, "label"), counted(facts.labelled_items, "item"),
      percent_text(facts.homophily), counted(facts.edges, "edge"), percent_text(facts.baseline),
      number_text(facts.adjusted)));
  if (facts.largest.empty()) return section;
  BarChart chart{.title = "Edges that stay within their label",
                 .description = "The labels with the most items.",
                 .axis = "share of the edges of its items",
                 .unit = Unit::percent};
  Table table{.columns = {{"label", Align::text}, {"items"}, {"edges"}, {"within"}, {"share"}}};
  for (const LabelGroup& group : facts.largest) {
    chart.bars.push_back({.label = group.label, .value = group.share()});
    table.rows.push_back({group.label, count_text(group.items), count_text(group.edges), count_text(group.within),
                          percent_text(group.share())});
  }
  if (facts.baseline == facts.baseline) {
    chart.mark = Mark{facts.baseline, "by chance, all labels " + percent_text(facts.baseline)};
  }
  section.figure({.title = chart.title, .svg = svg(chart), .numbers = table});
  return section;
}

Section provenance_section(const Provenance& provenance) {
  Section section("Where the graph comes from");
  if (provenance.empty()) return section.paragraph("The file does not say how it was made.");
  Table table{.columns = {{"fact", Align::text}, {"value", Align::text}}};
  for (const auto& [key, value] : provenance) table.rows.push_back({key, value});
  return section.table(table);
}

}  // namespace

std::string inspection_html(const Inspection& inspection, const InspectionNames& names) {
  Page page(names.graph, "graft inspect",
            names.before.empty() ? "An item-item graph" : "An item-item graph, compared with " + names.before);
  Section head("");
  head.tiles(tiles_of(inspection)).paragraph(inspection_reading(inspection, names));
  page.add(head);
  page.add(structure_section(inspection.structure));
  page.add(weight_section(inspection.weights));
  if (inspection.audience) page.add(audience_section(*inspection.audience, inspection, names));
  if (inspection.comparison) page.add(comparison_section(*inspection.comparison, inspection, names));
  if (inspection.labels) page.add(label_section(*inspection.labels, names));
  page.add(provenance_section(inspection.provenance));
  return page.html();
}

}  // namespace graft::report
