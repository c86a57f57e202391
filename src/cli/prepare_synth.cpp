// graft prepare synth: a dataset directory with a planted truth.
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <graft/core/error.hpp>

#include "data/synth.hpp"

#include "command.hpp"
#include "console.hpp"
#include "exit_code.hpp"
#include "file_checks.hpp"
#include "option_adder.hpp"
#include "reporter.hpp"
#include "values.hpp"

namespace graft::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kPrepareSynthCommand = "graft prepare synth";
constexpr const char* kPrepareSynthFooter =
    R"(Example: a set in the shape of Amazon Baby, and what refinement finds of the planted truth
  graft prepare synth --shape baby --seed 1 --out synth-baby
  graft refine --features synth-baby/text_feat.npy --interactions synth-baby/synth-baby.inter --out graph.npz
The directory holds NAME.inter (NAME = its base name), text_feat.npy, image_feat.npy, truth.npz (pairs that belong
together: weight 1 = one family, 2 = bought together), labels.tsv (each item's cluster), planted.tsv, dataset.json.)";

/// The options as they were typed; empty ones keep what the shape says.
struct SynthArguments {
  std::string shape = "demo";
  std::string users;
  std::string items;
  std::string interactions;
  std::string dims = "384";
  std::string image_dims = "128";
  std::string clusters = "0";
  std::string noise = "0.1";
  std::string noisy_items = "0.2";
  std::string bridges = "0.3";
  std::string seed = "1";
  std::string threads = "0";
  std::string out;
  std::string json;
  bool quiet = false;
};

struct SynthJob {
  data::SynthOptions options;
  std::string shape;
  int threads = 0;
  std::filesystem::path out;
  std::filesystem::path json;  ///< empty: none; "-": standard output
  bool quiet = false;
};

void add_synth_options(CLI::App& parser, SynthArguments& arguments) {
  OptionAdder add(parser);
  add.group("Size");
  add.text("--shape", arguments.shape, "NAME", data::synth_shape_names());
  add.text("--users", arguments.users, "N", "in place of the shape's");
  add.text("--items", arguments.items, "N", "in place of the shape's");
  add.text("--interactions", arguments.interactions, "N", "exact total, in place of the shape's");
  add.text("--dims", arguments.dims, "D", "columns of text_feat.npy, >= 1");
  add.text("--image-dims", arguments.image_dims, "D", "columns of image_feat.npy, a weaker signal; 0 writes none");

  add.group("What is planted");
  add.text("--clusters", arguments.clusters, "C", "clusters of items; 0 = half the square root of the items");
  add.text("--noise", arguments.noise, "SHARE", "of interactions that follow no taste, in [0, 1]");
  add.text("--noisy-items", arguments.noisy_items, "SHARE", "of items with misleading features, in [0, 1]");
  add.text("--bridges", arguments.bridges, "SHARE",
           "of items that are bought together with items of other clusters, in [0, 1]");
  add.text("--seed", arguments.seed, "N", "another seed is another data set; the same one gives the same bytes");

  add.group("Execution");
  add.text("--threads", arguments.threads, "N", "worker threads; 0 = one a core; never changes the result");

  add.group("Outputs");
  add.text("--out", arguments.out, "DIR", "the directory to make: new, or empty (required)");
  add.text("--json", arguments.json, "FILE", "machine-readable summary; - for standard output");
  add.flag("--quiet", arguments.quiet, "no progress and summary; errors stay");
  parser.footer(kPrepareSynthFooter);
}

/// The sizes of the shape. @throws UsageError naming the shapes
data::SynthOptions shape_options(const std::string& name) {
  try {
    return data::synth_options_of_shape(name);
  } catch (const InvalidArgument&) {
    throw bad_value("--shape", name, "must be one of " + data::synth_shape_names());
  }
}

void override_count(const char* option, const std::string& text, std::int64_t most, std::int64_t& count) {
  if (!text.empty()) count = parse_integer(option, text, 1, most);
}

/// A share as it was typed: parse_real gives a float, whose double is another number.
double parse_share(const char* option, const std::string& text) {
  parse_real(option, text, 0.0, 1.0);
  return as_number(text).value_or(0.0);
}

SynthJob checked_job(const SynthArguments& arguments) {
  constexpr std::int64_t kMostIds = std::numeric_limits<std::int32_t>::max() - 1;
  constexpr std::int64_t kMostDims = std::int64_t{1} << 20;
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  SynthJob job;
  data::SynthOptions options = shape_options(arguments.shape);
  override_count("--users", arguments.users, kMostIds, options.users);
  override_count("--items", arguments.items, kMostIds, options.items);
  override_count("--interactions", arguments.interactions, kMost, options.interactions);
  options.text_dims = parse_integer("--dims", arguments.dims, 1, kMostDims);
  options.image_dims = parse_integer("--image-dims", arguments.image_dims, 0, kMostDims);
  options.clusters = parse_integer("--clusters", arguments.clusters, 0, kMostIds);
  options.noise = parse_share("--noise", arguments.noise);
  options.noisy_items = parse_share("--noisy-items", arguments.noisy_items);
  options.bridges = parse_share("--bridges", arguments.bridges);
  options.seed = static_cast<std::uint64_t>(parse_integer("--seed", arguments.seed, 0));
  try {
    job.options = data::checked_synth_options(options);  // what the options must be to each other
  } catch (const InvalidArgument& error) {
    // what is wrong is an option's name here too
    const std::string_view what = error.what();
    throw UsageError(fmt::format("--{}", what.substr(what.find(' ') + 1)));
  }
  job.shape = arguments.shape;
  job.threads = parse_threads(arguments.threads);
  job.out = required("--out", arguments.out, "the directory to make");
  job.json = arguments.json;
  job.quiet = arguments.quiet;
  return job;
}

std::string summary_text(const SynthJob& job, const data::SynthSummary& summary, double seconds) {
  std::string text;
  const auto line = [&text](const char* label, const std::string& value) {
    text += fmt::format("{:<20}{}\n", label, value);
  };
  const data::SynthOptions& options = summary.options;
  line("items", fmt::format("{} in {} clusters, {} families", options.items, options.clusters, summary.families));
  line("users", std::to_string(options.users));
  line("interactions", fmt::format("{} (train {}, valid {}, test {})", options.interactions, summary.train,
                                   summary.valid, summary.test));
  line("noisy items", fmt::format("{} (text)", summary.noisy_text_items));
  line("bridges", fmt::format("{} of {} items", summary.bridges, summary.bridged_items));
  line("true edges", fmt::format("{} content, {} bought together", summary.content_edges, summary.bridge_edges));
  line("time", fmt::format("{:.2f} s", seconds));
  for (const data::FileFacts& file : summary.files) {
    line("written", fmt::format("{} ({})", (job.out / file.name).string(), bytes_text(file.bytes)));
  }
  line("written", (job.out / "dataset.json").string());
  return text;
}

Json summary_json(const SynthJob& job, const data::SynthSummary& summary, double seconds) {
  Json json = {{"command", "prepare synth"}, {"shape", job.shape}};
  json.update(Json::parse(data::synth_description(summary)));
  json["seconds"] = seconds;
  json["out"] = job.out.string();
  return json;
}

int run_synth(const SynthArguments& arguments) {
  const SynthJob job = checked_job(arguments);
  Reporter reporter(kPrepareSynthCommand, job.json,
                    job.quiet);  // sees signals before anything is made that they could leave behind
  data::check_dataset_directory("--out", job.out);
  if (!job.json.empty() && job.json != "-") {
    if (same_file(job.out, job.json))
      throw bad_value("--json", job.json.string(), "must not be the directory of --out");
    check_output("--json", job.json);
  }
  const auto start = std::chrono::steady_clock::now();
  const data::SynthSummary summary = data::write_synth_dataset(job.out, job.options, reporter.context(job.threads));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  reporter.progress().clear();
  try {
    reporter.write_json(summary_json(job, summary, seconds));
    reporter.say(summary_text(job, summary, seconds));
  } catch (const IoError& error) {
    throw IoError(fmt::format("{} (the data set itself is complete: {})", error.what(), job.out.string()));
  }
  return kDone;
}

}  // namespace

Command add_prepare_synth(CLI::App& prepare) {
  CLI::App* parser = prepare.add_subcommand("synth", "Makes planted data: clusters, misleading features, co-purchases");
  const auto arguments = std::make_shared<SynthArguments>();
  add_synth_options(*parser, *arguments);
  return {parser, [arguments] { return run_synth(*arguments); }};
}

}  // namespace graft::cli
