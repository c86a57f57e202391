#include "inspect_options.hpp"

#include <utility>

#include <fmt/format.h>

#include "file_checks.hpp"
#include "option_adder.hpp"
#include "values.hpp"

namespace graft::cli {
namespace {

constexpr const char* kGraph = "graph";
constexpr const char* kInspectFooter =
    R"(Example: what refinement did, with the users' word on it, as a page
  graft inspect graph.npz --compare knn10_text.npz --interactions baby.inter --html report.html
A row of the graph is an item that receives: its columns are its neighbours.
Exit codes: 0 done, 1 data or I/O, 2 usage, 130 interrupted.)";

}  // namespace

void add_inspect_options(CLI::App& parser, InspectArguments& arguments) {
  OptionAdder add(parser);
  add.group("Inputs");
  add.text(kGraph, arguments.graph, "GRAPH.npz", "the graph (required)");
  add.text("--interactions", arguments.interactions, "FILE.inter", "who interacted with what: do users confirm edges?");
  add.text("--split", arguments.split, "NAME", "rows of the interactions to use: train, valid, test or all");
  add.text("--compare", arguments.compare, "OTHER.npz", "a graph of the same items to compare with: the one before");
  add.text("--labels", arguments.labels, "FILE",
           "a label for every item: one a line, or tab-separated with the header itemID label, or integers (.npy)");

  add.group("Execution");
  add.text("--threads", arguments.threads, "N", "worker threads; 0 = one a core; never changes the result");

  add.group("Outputs");
  add.text("--json", arguments.json, "FILE", "every number for machines; - for standard output");
  add.text("--html", arguments.html, "FILE.html", "a self-contained report with drawings");
  add.flag("--quiet", arguments.quiet, "no progress, notices and text; warnings and errors stay");
  parser.footer(kInspectFooter);
}

InspectJob checked_job(const InspectArguments& arguments) {
  InspectJob job;
  job.graph = required(kGraph, arguments.graph, "a .npz file, as graft refine or scipy.sparse.save_npz writes it");
  job.interactions = arguments.interactions;
  job.split = parse_choice("--split", arguments.split, kSplits);
  job.compare = arguments.compare;
  job.labels = arguments.labels;
  job.threads = parse_threads(arguments.threads);
  job.json = arguments.json;
  job.html = arguments.html;
  job.quiet = arguments.quiet;
  return job;
}

void check_files(const InspectJob& job) {
  const std::pair<const char*, const std::filesystem::path*> inputs[] = {{kGraph, &job.graph},
                                                                         {"--interactions", &job.interactions},
                                                                         {"--compare", &job.compare},
                                                                         {"--labels", &job.labels}};
  const std::filesystem::path none;
  const std::pair<const char*, const std::filesystem::path*> outputs[] = {
      {"--json", job.json_to_stdout() ? &none : &job.json}, {"--html", &job.html}};
  for (const auto& [option, output] : outputs) {
    if (output->empty()) continue;
    for (const auto& [input_option, input] : inputs) {
      if (input->empty() || !same_file(*output, *input)) continue;
      throw bad_value(option, output->string(), fmt::format("is the file of {}", input_option));
    }
  }
  if (!job.html.empty() && !outputs[0].second->empty() && same_file(job.json, job.html)) {
    throw bad_value("--html", job.html.string(), "must not be the file of --json");
  }
  for (const auto& [option, input] : inputs) {
    if (!input->empty()) check_input(option, *input);
  }
  for (const auto& [option, output] : outputs) {
    if (!output->empty()) check_output(option, *output);
  }
}

}  // namespace graft::cli
