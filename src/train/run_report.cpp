// report.html of a run: how it learned, how well it ranks, what graphs it used, what it was made from.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <graft/core/version.hpp>

#include "report/format.hpp"
#include "report/html.hpp"
#include "report/inspection.hpp"
#include "report/inspection_figures.hpp"
#include "report/inspection_report.hpp"
#include "report/inspection_words.hpp"
#include "report/svg.hpp"
#include "train/flat_json.hpp"
#include "train/metric_names.hpp"
#include "train/run_record.hpp"

namespace graft::training {
namespace {

using report::Figure;
using report::Section;
using report::Table;
using report::Tone;
using Align = report::Table::Align;
using Json = nlohmann::ordered_json;

double value_of(const Metrics& metrics, const std::string& metric) {
  const auto found = metrics.find(metric);
  return found == metrics.end() || !std::isfinite(found->second) ? report::kUndefined : found->second;
}

/// Metrics are compared by their fourth digit.
std::string metric_text(double value) { return std::isnan(value) ? "n/a" : fmt::format("{:.4f}", value); }

/// A value of config or metrics as text; nothing where there is none.
std::string text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::vector<report::Tile> tiles_of(const RunRecord& record) {
  const Metrics& valid = record.evaluation.valid.metrics;
  const Metrics& test = record.evaluation.test.metrics;
  const std::int64_t cutoff = main_cutoff(valid);
  std::vector<report::Tile> tiles;
  for (const char* measure : {"recall", "ndcg"}) {
    const std::string metric = metric_name(measure, cutoff);
    tiles.push_back({"Test " + metric, metric_text(value_of(test, metric)), "of the best epoch"});
    tiles.push_back({"Validation " + metric, metric_text(value_of(valid, metric)), "chose the epoch"});
  }
  tiles.push_back(
      {"Best epoch", text_of(record.metrics, "best_epoch"),
       fmt::format("of {}, the first is 0", report::count_text(static_cast<std::int64_t>(record.log.size())))});
  tiles.push_back({"Ended by", text_of(record.metrics, "stopped"), ""});
  const auto seconds = record.metrics.find("seconds_per_epoch");
  if (seconds != record.metrics.end() && seconds->is_number()) {
    tiles.push_back({"Seconds an epoch", report::number_text(seconds->get<double>()), ""});
  }
  return tiles;
}

Figure loss_figure(const std::vector<EpochReport>& log) {
  report::LineChart chart{.title = "Loss",
                          .description = "Mean loss of the batches of each epoch.",
                          .x_axis = "epoch",
                          .y_axis = "mean over the batches",
                          .y_from_zero = false,
                          .x_whole = true,
                          .series = {{.name = "loss"}}};
  Table table{.columns = {{"epoch"}, {"loss"}, {"learning rate"}}};
  for (const EpochReport& epoch : log) {
    const double loss = std::isfinite(epoch.loss) ? epoch.loss : report::kUndefined;
    chart.series.front().points.push_back({static_cast<double>(epoch.epoch), loss});
    table.rows.push_back(
        {std::to_string(epoch.epoch), report::number_text(loss), report::number_text(epoch.learning_rate)});
  }
  return {.title = chart.title, .svg = svg(chart), .numbers = table};
}

Figure metric_figure(const std::vector<EpochReport>& log, const std::string& metric) {
  report::LineChart chart{.title = metric,
                          .description = "Means over the users of each split, by epoch.",
                          .x_axis = "epoch",
                          .y_axis = metric,
                          .x_whole = true,
                          .series = {{.name = "validation", .tone = Tone::one}, {.name = "test", .tone = Tone::two}}};
  Table table{.columns = {{"epoch"}, {"validation"}, {"test"}, {"best so far", Align::text}}};
  for (const EpochReport& epoch : log) {
    const double valid = value_of(epoch.valid, metric);
    const double test = value_of(epoch.test, metric);
    if (std::isnan(valid) && std::isnan(test)) continue;  // not evaluated
    chart.series[0].points.push_back({static_cast<double>(epoch.epoch), valid});
    chart.series[1].points.push_back({static_cast<double>(epoch.epoch), test});
    table.rows.push_back(
        {std::to_string(epoch.epoch), metric_text(valid), metric_text(test), epoch.best ? "best" : ""});
  }
  return {.title = chart.title, .svg = svg(chart), .numbers = table};
}

Section training_section(const RunRecord& record) {
  Section section("Training");
  section.figure(loss_figure(record.log));
  const std::int64_t cutoff = main_cutoff(record.evaluation.valid.metrics);
  for (const char* measure : {"recall", "ndcg"}) {
    section.figure(metric_figure(record.log, metric_name(measure, cutoff)));
  }
  return section;
}

/// A row for each split and measure, a column for each cutoff.
Table metrics_table(const std::vector<std::pair<std::string, const Metrics*>>& splits) {
  Metrics all;
  for (const auto& [name, metrics] : splits) all.insert(metrics->begin(), metrics->end());
  const std::vector<std::int64_t> cutoffs = cutoffs_of(all);
  Table table{.columns = {{"", Align::text}}};
  for (const std::int64_t cutoff : cutoffs) table.columns.push_back({fmt::format("@{}", cutoff)});
  for (const auto& [name, metrics] : splits) {
    for (const std::string& measure : measures_of(*metrics)) {
      std::vector<std::string> row{name.empty() ? measure : fmt::format("{} {}", name, measure)};
      for (const std::int64_t cutoff : cutoffs) {
        row.push_back(metric_text(value_of(*metrics, metric_name(measure, cutoff))));
      }
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

/// "3 to 4" of "users with 3 to 4 training items", which is too long for a bar.
std::string short_label(const std::string& group) {
  constexpr std::string_view kWith = " with ";
  const std::size_t with = group.find(kWith);
  const std::size_t end = group.find(" training ");
  if (with == std::string::npos || end == std::string::npos) return group.substr(group.find(' ') + 1);
  return group.substr(with + kWith.size(), end - with - kWith.size());
}

Figure group_figure(const std::string& title, const std::vector<GroupMetrics>& groups, const char* members, Tone tone) {
  const std::int64_t cutoff = main_cutoff(groups.front().metrics);
  const std::string recall = metric_name("recall", cutoff);
  const std::string ndcg = metric_name("ndcg", cutoff);
  report::BarChart chart{.title = title, .description = "Means over the users of each group.", .axis = recall};
  Table table{.columns = {{"group", Align::text}, {members}, {recall}, {ndcg}}};
  for (const GroupMetrics& group : groups) {
    chart.bars.push_back({.label = short_label(group.group), .value = value_of(group.metrics, recall), .tone = tone});
    table.rows.push_back({group.group, report::count_text(group.members), metric_text(value_of(group.metrics, recall)),
                          metric_text(value_of(group.metrics, ndcg))});
  }
  return {.title = title, .svg = svg(chart), .numbers = table};
}

Section quality_section(const Evaluation& evaluation) {
  Section section("Ranking quality");
  constexpr const char* kAll =
      "Every item is ranked for every user, the user's training items left out; validation items are not left out when "
      "the test split is measured.";
  constexpr const char* kCold =
      "Each split's items without a training row are ranked against each other, and its rows of these items are "
      "measured.";
  section.paragraph(
      fmt::format("{} Validation chose the epoch, so its numbers flatter; those of the test split do not.",
                  evaluation.candidates == Candidates::cold ? kCold : kAll));
  section.table(metrics_table({{"validation", &evaluation.valid.metrics}, {"test", &evaluation.test.metrics}}));
  const SplitEvaluation& test = evaluation.test;
  if (!test.by_activity.empty()) {
    section.figure(group_figure("Test users by training items", test.by_activity, "users", Tone::one));
  }
  if (!test.by_popularity.empty()) {
    section.figure(group_figure("Test items by training interactions", test.by_popularity, "items", Tone::three));
  }
  if (!evaluation.catalogue.empty()) {
    section.paragraph(
        "The catalogue: the share of it that is in anybody's list (coverage), and how unequally items are recommended "
        "(Gini; 0: all alike, 1: one item only).");
    section.table(metrics_table({{"", &evaluation.catalogue}}));
  }
  return section;
}

Section graph_section(const NamedGraph& named, const Dataset& data, const Context& context) {
  const report::Inspection inspection = report::inspect(named.graph, {.interactions = &data.train}, context);
  const report::Structure& facts = inspection.structure;
  const report::WeightFacts& weights = inspection.weights;
  Section section("Item graph: " + named.name);
  section.paragraph(named.description);
  std::vector<report::Tile> tiles{
      {"Edges", report::count_text(facts.edges), report::counted(facts.self_loops, "self loop")},
      {"Neighbours of an item", report::number_text(facts.neighbours.spread.median), "median"},
      {"Isolated items", report::count_text(facts.isolated_items),
       report::percent_text(report::ratio(facts.isolated_items, facts.items))},
      {"Mutual edges", report::percent_text(facts.reciprocity), "of those between two items"}};
  if (inspection.audience) {
    tiles.push_back({"Edges with a common user", report::percent_text(inspection.audience->all.share()),
                     report::percent_text(inspection.audience->base_rate) + " of random pairs"});
  }
  section.tiles(tiles);
  section.paragraph(report::inspection_reading(
      inspection, {.graph = named.name, .interactions = data.name + ".inter", .split = "train"}));
  section.figure(neighbours_figure(facts));
  section.figure(used_by_figure(facts));
  if (weights.all_equal || weights.histogram.counts.empty()) {
    return section.paragraph(report::weight_sentence(weights));
  }
  return section.figure(weights_figure(weights));
}

Section notices_section(const std::vector<std::string>& notices) {
  Section section("Notices");
  for (const std::string& notice : notices) section.paragraph(notice);
  return section;
}

Section data_section(const Dataset& data) {
  Section section("Data");
  section.paragraph(fmt::format("{}: {}, {}. {}, {} and {} held out for validation and test.", data.name,
                                report::counted(data.users, "user"), report::counted(data.items, "item"),
                                report::counted(static_cast<std::int64_t>(data.train_users.size()), "training row"),
                                report::count_text(data.valid.size()), report::count_text(data.test.size())));
  Table files{
      .columns = {{"input", Align::text}, {"file", Align::text}, {"rows"}, {"columns"}, {"SHA-256", Align::text}}};
  for (const InputFile& file : data.files) {
    files.rows.push_back({file.role, file.path.filename().string(), report::count_text(file.rows),
                          file.cols == 0 ? "" : report::count_text(file.cols), file.sha256});
  }
  files.rows.push_back({"split", "users, items and labels", "", "", data.split_sha256});
  return section.table(files);
}

Section configuration_section(const Json& config) {
  Section section("Configuration");
  Table table{.columns = {{"setting", Align::text}, {"value", Align::text}}};
  for (const auto& [path, value] : flat(config)) table.rows.push_back({path, value});
  return section.table(table);
}

}  // namespace

std::string run_report(const RunRecord& record, const Dataset& data, const Context& context) {
  const std::string model = text_of(record.metrics, "model");
  const std::string graph = text_of(record.config, "graph");
  report::Page page(fmt::format("{} on {}", model, data.name), "graft train",
                    graph.empty() ? "" : fmt::format("Item graph: {}", graph));
  const std::string warning = text_of(record.metrics, "warning");
  if (!warning.empty()) page.banner("Warning: " + warning);
  Section head("");
  head.tiles(tiles_of(record));
  page.add(head);
  page.add(training_section(record));
  page.add(quality_section(record.evaluation));
  for (const NamedGraph& named : record.graphs) page.add(graph_section(named, data, context));
  if (!record.notices.empty()) page.add(notices_section(record.notices));
  page.add(data_section(data));
  page.add(configuration_section(record.config));
  page.footer(fmt::format("graft {}", kVersion));
  return page.html();
}

}  // namespace graft::training
