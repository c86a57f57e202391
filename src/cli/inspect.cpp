// graft inspect: a graph in numbers, as text, JSON and a page.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <graft/core/error.hpp>
#include <graft/core/version.hpp>
#include <graft/detail/atomic_file.hpp>
#include <graft/io/inter.hpp>
#include <graft/io/npz.hpp>

#include "report/format.hpp"
#include "report/inspection.hpp"
#include "report/inspection_report.hpp"
#include "report/json_text.hpp"
#include "report/labels.hpp"

#include "command.hpp"
#include "console.hpp"
#include "exit_code.hpp"
#include "inspect_options.hpp"
#include "refine_options.hpp"
#include "reporter.hpp"

namespace graft::cli {
namespace {

constexpr const char* kInspectCommand = "graft inspect";

std::string base_name(const std::filesystem::path& path) { return report::printable(path.filename().string()); }

/// A file that is replaced once the run has succeeded, if its option was given.
std::unique_ptr<detail::AtomicFile> prepared(const char* option, const std::filesystem::path& path,
                                             std::string_view content) {
  if (path.empty()) return nullptr;
  auto file = std::make_unique<detail::AtomicFile>(option, path);
  file->write(content);
  return file;
}

class InspectRun {
 public:
  explicit InspectRun(InspectJob job)
      : job_(std::move(job)),
        reporter_(kInspectCommand, job_.json, job_.quiet),
        context_(reporter_.context(job_.threads)) {}

  void run() {
    check_files(job_);
    load();
    reporter_.progress().stage("inspecting " + job_.graph.string());
    const report::Inspection inspection = report::inspect(graph_.graph, options(), context_);
    reporter_.throw_if_cancelled();
    reporter_.progress().clear();
    write(inspection);
  }

 private:
  void load() {
    reporter_.reading(job_.graph);
    graph_ = load_npz_with_provenance(job_.graph);
    if (!job_.compare.empty()) {
      reporter_.reading(job_.compare);
      before_ = load_npz(job_.compare);
      check_items("--compare", job_.compare, before_->items(), before_->items() == items(), "as many");
    }
    if (!job_.labels.empty()) {
      reporter_.reading(job_.labels);
      labels_ = report::read_labels(job_.labels, items());
    }
    if (!job_.interactions.empty()) load_interactions();
    reporter_.throw_if_cancelled();
  }

  void load_interactions() {
    reporter_.reading(job_.interactions);
    const InterTable table = read_inter_table(job_.interactions);
    check_items("--interactions", job_.interactions, table.item_count, table.item_count <= items(), "at most as many");
    interactions_ = interactions_of(table, {.split = job_.split, .items = items()});
    for (const std::string& notice : table.notices) reporter_.note(notice);
    if (interactions_->duplicates() > 0) {
      reporter_.note(
          fmt::format("{}: {} repeated interactions merged", job_.interactions.string(), interactions_->duplicates()));
    }
    if (interactions_->size() == 0) {
      reporter_.note(fmt::format("{}: no interactions in split {}: no edge can have a common user",
                                 job_.interactions.string(), spelling_of(job_.split)));
    }
  }

  /// @throws InvalidArgument saying both numbers of items unless they fit
  void check_items(std::string_view option, const std::filesystem::path& path, std::int64_t items_of_file, bool fits,
                   std::string_view how_many) const {
    if (fits) return;
    throw InvalidArgument(fmt::format("{} = {}: {} items: must be {} as graph = {} has: {} items", option,
                                      path.string(), items_of_file, how_many, job_.graph.string(), items()));
  }

  [[nodiscard]] std::int64_t items() const { return graph_.graph.items(); }

  [[nodiscard]] report::InspectOptions options() const {
    report::InspectOptions options;
    if (interactions_) options.interactions = &*interactions_;
    if (before_) options.before = before_->view();
    if (labels_) options.labels = &*labels_;
    options.provenance = graph_.provenance;
    return options;
  }

  [[nodiscard]] std::string json_of(const report::Inspection& inspection) const {
    nlohmann::ordered_json json = {{"command", "inspect"}, {"version", kVersion}};
    json["graph"] = report::printable(job_.graph.string());
    if (interactions_) {
      json["interactions_file"] = report::printable(job_.interactions.string());
      json["split"] = spelling_of(job_.split);
    }
    if (before_) json["compare_file"] = report::printable(job_.compare.string());
    if (labels_) json["labels_file"] = report::printable(job_.labels.string());
    json.update(report::inspection_json(inspection));
    json["notices"] = reporter_.notices();
    return report::json_text(json);
  }

  void write(const report::Inspection& inspection) const {
    const report::InspectionNames names{.graph = base_name(job_.graph),
                                        .before = base_name(job_.compare),
                                        .interactions = base_name(job_.interactions),
                                        .split = std::string(spelling_of(job_.split)),
                                        .labels = base_name(job_.labels)};
    const bool json_to_stdout = reporter_.json_to_stdout();
    const std::string json = reporter_.writes_json() ? json_of(inspection) : "";
    const auto json_file = prepared("--json", json_to_stdout ? "" : job_.json, json);
    const auto html_file = prepared("--html", job_.html, job_.html.empty() ? "" : inspection_html(inspection, names));
    // both are whole before either is put in its place
    if (json_file) json_file->commit();
    if (html_file) html_file->commit();
    if (json_to_stdout) print_output(json);
    reporter_.say(inspection_text(inspection, names));
  }

  InspectJob job_;
  Reporter reporter_;
  Context context_;
  StoredGraph graph_;
  std::optional<Graph> before_;
  std::optional<report::Labels> labels_;
  std::optional<Interactions> interactions_;
};

}  // namespace

Command add_inspect(CLI::App& graft) {
  CLI::App* parser =
      graft.add_subcommand("inspect", "Says what is in a graph, and what users, labels and another graph say of it");
  const auto arguments = std::make_shared<InspectArguments>();
  add_inspect_options(*parser, *arguments);
  return {parser, [arguments] {
            InspectRun(checked_job(*arguments)).run();
            return kDone;
          }};
}

}  // namespace graft::cli
