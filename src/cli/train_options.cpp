#include "train_options.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <fmt/format.h>

#include "file_checks.hpp"
#include "option_adder.hpp"
#include "values.hpp"

namespace graft::cli {
namespace {

constexpr Choice<const char*> kGraphs[] = {{"vanilla", "vanilla"}, {"refined", "refined"}};
constexpr const char* kTrainFooter =
    R"(Example: FREEDOM on a planted data set, with the graph that graft refines
  graft prepare synth --shape demo --out demo
  graft train --model freedom --data demo --graph refined --set knn_k=10 --out runs/freedom
The run holds report.html, metrics.json, log.csv, config.json, user_embeddings.npy, item_embeddings.npy and
checkpoint.bin. An interrupted run goes on, to the same bits, by the same command with --resume.
graft train --list shows the models and their settings, graft train --list --model NAME those of one.)";

/// NAME=PATH. @throws UsageError naming the option and the text
NamedInput parse_named_input(const char* option, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    throw bad_value(option, text, "must be NAME=PATH, e.g. text=text_feat.npy");
  }
  NamedInput input{.name = text.substr(0, equals), .path = text.substr(equals + 1)};
  const bool plain = std::all_of(input.name.begin(), input.name.end(), [](char letter) {
    return letter == '_' || std::isalnum(static_cast<unsigned char>(letter)) != 0;
  });
  if (!plain) throw bad_value(option, text, "the name before '=' must be of letters, digits and _");
  return input;
}

std::vector<NamedInput> parse_named_inputs(const char* option, const std::vector<std::string>& texts) {
  std::vector<NamedInput> inputs;
  inputs.reserve(texts.size());
  for (const std::string& text : texts) inputs.push_back(parse_named_input(option, text));
  return inputs;
}

/// @throws UsageError for a modality that is named twice
void refuse_repeated_names(const TrainOptions& options) {
  std::vector<std::string> names;
  const auto check = [&names](const char* option, const std::vector<NamedInput>& inputs) {
    for (const NamedInput& input : inputs) {
      if (std::find(names.begin(), names.end(), input.name) != names.end()) {
        throw bad_value(option, fmt::format("{}={}", input.name, input.path.string()),
                        fmt::format("the name {} may be given only once", input.name));
      }
      names.push_back(input.name);
    }
  };
  check("--features", options.features);
  check("--similarity", options.similarities);
}

}  // namespace

void add_train_options(CLI::App& parser, TrainArguments& arguments) {
  OptionAdder add(parser);
  add.group("Model");
  add.text("--model", arguments.model, "NAME", "the model to train (required); --list shows them");
  add.text("--graph", arguments.graph, "KIND", "the model's item graph: vanilla (its own) or refined (by graft)");
  add.texts("--set", arguments.settings, "KEY=VALUE", "a setting of the model or of the trainer; repeatable");
  add.text("--seed", arguments.seed, "N", "another seed is another run; the same one gives the same metrics");
  add.flag("--list", arguments.list, "print the models and their settings, or those of --model, and exit");

  add.group("Inputs");
  add.text("--data", arguments.data, "DIR", "dataset directory: NAME.inter and *_feat.npy (required)");
  add.texts("--features", arguments.features, "NAME=PATH",
            "item features (.npy) beside the directory's own, or in place of those of that name; repeatable");
  add.texts("--similarity", arguments.similarities, "NAME=PATH",
            "ready similarity graph (.npz) in place of features; repeatable");
  add.text("--user-profile", arguments.user_profile, "WHAT",
           "vectors of users, for models that read some: mean or sum of their training items' features, random, or "
           "FILE.npy (default: DIR/user_preferences_feat.npy if it is there, else mean)");
  add.text("--user-history", arguments.user_history, "WHICH",
           "interactions that FILE.npy was made from, on your word: train, or unknown or all, which mark every output "
           "(default: FILE.npy.json must say train, and name this split)");

  add.group("Execution");
  add.text("--threads", arguments.threads, "N", "worker threads; 0 = one a core; never changes the result");
  add.text("--checkpoint-seconds", arguments.checkpoint_seconds, "S",
           "time between checkpoints, >= 0; 0 = after every epoch");

  add.group("Outputs");
  add.text("--out", arguments.out, "RUN", "the run's directory: new, or empty, or one to --resume (required)");
  add.flag("--resume", arguments.resume, "continue the run in --out from its last checkpoint");
  add.text("--json", arguments.json, "FILE", "machine-readable summary; - for standard output");
  add.flag("--quiet", arguments.quiet, "no progress, notices and summary; errors stay");
  parser.footer(kTrainFooter);
}

TrainJob checked_job(const TrainArguments& arguments) {
  TrainJob job;
  TrainOptions& options = job.options;
  job.list = arguments.list;
  job.json = arguments.json;
  job.quiet = arguments.quiet;
  options.model = arguments.model;
  if (job.list) return job;
  options.model = required("--model", arguments.model, "a model's name; graft train --list shows them");
  options.data = required("--data", arguments.data, "a dataset directory");
  options.out = required("--out", arguments.out, "the run's directory");
  options.graph = parse_choice("--graph", arguments.graph, kGraphs);
  options.features = parse_named_inputs("--features", arguments.features);
  options.similarities = parse_named_inputs("--similarity", arguments.similarities);
  refuse_repeated_names(options);
  options.user_profile = arguments.user_profile;
  options.user_history = arguments.user_history;
  for (const std::string& setting : arguments.settings) {
    if (setting.find('=') == std::string::npos) throw bad_value("--set", setting, "must be KEY=VALUE");
  }
  options.settings = arguments.settings;
  options.seed = static_cast<std::uint64_t>(parse_integer("--seed", arguments.seed, 0));
  options.resume = arguments.resume;
  options.checkpoint_seconds = double{parse_real("--checkpoint-seconds", arguments.checkpoint_seconds, 0.0)};
  job.threads = parse_threads(arguments.threads);
  return job;
}

void check_files(const TrainJob& job) {
  const TrainOptions& options = job.options;
  check_directory("--data", options.data);
  for (const NamedInput& input : options.features) check_input("--features " + input.name, input.path);
  for (const NamedInput& input : options.similarities) check_input("--similarity " + input.name, input.path);
  if (same_file(options.out, options.data)) {
    throw bad_value("--out", options.out.string(), "is the directory of --data");
  }
  if (job.json.empty() || job.json_to_stdout()) return;
  if (same_file(job.json, options.out)) throw bad_value("--json", job.json.string(), "is the directory of --out");
  check_output("--json", job.json);
}

UsageError usage_error(const training::InvalidOption& refusal) {
  std::string option = "--" + (refusal.option() == "settings" ? "set" : refusal.option());
  std::replace(option.begin(), option.end(), '_', '-');
  return bad_value(option, refusal.value(), refusal.allowed());
}

}  // namespace graft::cli
