#include "evaluation_report.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "report/format.hpp"
#include "train/metric_names.hpp"
#include "train/run_files.hpp"

namespace graft::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string value_text(const Metrics& metrics, const std::string& metric) {
  const auto found = metrics.find(metric);
  return found == metrics.end() ? "-" : fmt::format("{:.4f}", found->second);
}

/// A line of cells, each right-aligned in its column.
std::string cells_line(const std::string& label, std::size_t label_width, const std::vector<std::string>& cells) {
  constexpr std::size_t kCell = 10;
  std::string line = report::padded(label, label_width);
  for (const std::string& cell : cells) line += fmt::format("{:>{}}", cell, kCell);
  return line + "\n";
}

std::vector<std::string> cutoff_titles(const std::vector<std::int64_t>& cutoffs) {
  std::vector<std::string> titles;
  titles.reserve(cutoffs.size());
  for (const std::int64_t cutoff : cutoffs) titles.push_back(fmt::format("@{}", cutoff));
  return titles;
}

std::string metric_lines(const std::string& head, const Metrics& metrics, std::size_t width) {
  const std::vector<std::int64_t> cutoffs = training::cutoffs_of(metrics);
  std::string text;
  for (const std::string& measure : training::measures_of(metrics)) {
    std::vector<std::string> cells;
    cells.reserve(cutoffs.size());
    for (const std::int64_t cutoff : cutoffs) {
      cells.push_back(value_text(metrics, training::metric_name(measure, cutoff)));
    }
    text += cells_line(head.empty() ? measure : fmt::format("{} {}", head, measure), width, cells);
  }
  return text;
}

std::string groups_table(const std::string& title, const std::vector<GroupMetrics>& groups) {
  if (groups.empty()) return "";
  const std::int64_t cutoff = training::main_cutoff(groups.front().metrics);
  const std::string recall = training::metric_name("recall", cutoff);
  const std::string ndcg = training::metric_name("ndcg", cutoff);
  std::size_t width = report::width_of(title);
  for (const GroupMetrics& group : groups) width = std::max(width, report::width_of(group.group));
  width += 2;
  std::string text = "\n" + cells_line(title, width, {"members", recall, ndcg});
  for (const GroupMetrics& group : groups) {
    text += cells_line(
        group.group, width,
        {report::count_text(group.members), value_text(group.metrics, recall), value_text(group.metrics, ndcg)});
  }
  return text;
}

constexpr std::size_t kLabelWidth = 18;

}  // namespace

std::string metrics_table(const std::vector<std::pair<std::string, const Metrics*>>& splits) {
  Metrics all;
  for (const auto& [name, metrics] : splits) all.insert(metrics->begin(), metrics->end());
  std::string text = cells_line("", kLabelWidth, cutoff_titles(training::cutoffs_of(all)));
  for (const auto& [name, metrics] : splits) text += metric_lines(name, *metrics, kLabelWidth);
  return text;
}

std::string evaluation_text(const Evaluation& evaluation) {
  std::string text;
  const std::pair<const char*, const SplitEvaluation*> splits[] = {{"valid", &evaluation.valid},
                                                                   {"test", &evaluation.test}};
  for (const auto& [name, split] : splits) {
    text += fmt::format("{}: {}, {}", name, report::counted(split->users, "user"),
                        report::counted(split->interactions, "held-out interaction"));
    if (evaluation.candidates == Candidates::cold) {
      text += fmt::format(", among {} without a training row", report::counted(split->candidates, "item"));
    }
    text += "\n";
    if (split->users > 0) {
      text += metrics_table({{"", &split->metrics}});
      text += groups_table("by activity", split->by_activity);
      text += groups_table("by popularity", split->by_popularity);
    }
    text += "\n";
  }
  if (!evaluation.catalogue.empty()) text += "catalogue\n" + metrics_table({{"", &evaluation.catalogue}});
  return text;
}

Json evaluation_json(const Evaluation& evaluation) {
  const Json metrics = training::run_metrics({}, {}, {}, evaluation, true);
  Json json = Json::object();
  for (const char* key : {"candidates", "valid", "test", "groups", "catalogue"}) json[key] = metrics.at(key);
  return json;
}

}  // namespace graft::cli
