// graft evaluate: how well final vectors rank the held-out interactions.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <graft/core/error.hpp>
#include <graft/core/version.hpp>
#include <graft/io/npy.hpp>
#include <graft/train/evaluation.hpp>
#include <graft/train/train.hpp>

#include "report/format.hpp"
#include "train/dataset.hpp"
#include "train/evaluator.hpp"
#include "train/stopwatch.hpp"
#include "train/user_sidecar.hpp"

#include "command.hpp"
#include "evaluation_report.hpp"
#include "exit_code.hpp"
#include "file_checks.hpp"
#include "option_adder.hpp"
#include "reporter.hpp"
#include "run_text.hpp"
#include "values.hpp"

namespace graft::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kEvaluateCommand = "graft evaluate";
constexpr const char* kEvaluateFooter =
    R"(Example: a run of graft train, then vectors that another program trained
  graft evaluate --run runs/freedom
  graft evaluate --users user_vectors.npy --items item_vectors.npy --data data/baby --json metrics.json
A user's score for an item is the dot product of their vectors. Every item is ranked but the user's training items;
validation items are not left out when the test split is measured. --candidates cold ranks each split's items that have
no training row against each other, and measures the rows of these items alone.)";

constexpr Choice<Candidates> kCandidates[] = {{"all", Candidates::all}, {"cold", Candidates::cold}};

/// The options as they were typed; the values here are the defaults.
struct EvaluateArguments {
  std::string run;
  std::string users;
  std::string items;
  std::string data;
  std::string cutoffs = "5,10,20,50";
  std::string candidates;
  std::string threads = "0";
  std::string json;
  bool quiet = false;
};

struct EvaluateJob {
  std::filesystem::path run;    ///< empty: vectors are given
  std::filesystem::path users;  ///< with `items`, in place of a run
  std::filesystem::path items;
  std::filesystem::path data;  ///< empty: where the run was trained
  EvaluationOptions options;
  bool own_candidates = false;  ///< those of the run
  int threads = 0;
  std::filesystem::path json;  ///< empty: none; "-": standard output
  bool quiet = false;

  [[nodiscard]] bool json_to_stdout() const { return json == "-"; }
};

void add_evaluate_options(CLI::App& parser, EvaluateArguments& arguments) {
  OptionAdder add(parser);
  add.group("Inputs");
  add.text("--run", arguments.run, "RUN", "a directory that graft train made");
  add.text("--users", arguments.users, "FILE.npy", "user vectors, a row a userID, in place of a run");
  add.text("--items", arguments.items, "FILE.npy", "item vectors, a row an itemID, in place of a run");
  add.text("--data", arguments.data, "DIR", "the dataset directory (default: the run's)");

  add.group("Measures");
  add.text("--cutoffs", arguments.cutoffs, "K[,K]...", "lengths of the lists that are measured");
  add.text("--candidates", arguments.candidates, "NAME",
           "items that are ranked: all, or cold, those without a training row (default: the run's, else all)");

  add.group("Execution");
  add.text("--threads", arguments.threads, "N", "worker threads; 0 = one a core; never changes the result");

  add.group("Outputs");
  add.text("--json", arguments.json, "FILE", "machine-readable summary; - for standard output");
  add.flag("--quiet", arguments.quiet, "no progress, notices and summary; errors stay");
  parser.footer(kEvaluateFooter);
}

std::vector<std::int64_t> parse_cutoffs(const std::string& text) {
  constexpr std::int64_t kMost = 1 << 20;
  std::vector<std::int64_t> cutoffs;
  std::string_view rest = text;
  while (true) {
    const std::size_t comma = rest.find(',');
    cutoffs.push_back(parse_integer("--cutoffs", rest.substr(0, comma), 1, kMost));
    if (comma == std::string_view::npos) return cutoffs;
    rest.remove_prefix(comma + 1);
  }
}

EvaluateJob checked_job(const EvaluateArguments& arguments) {
  EvaluateJob job;
  if (arguments.run.empty()) {
    if (arguments.users.empty() && arguments.items.empty()) {
      throw UsageError("--run: is required: a directory that graft train made, or --users and --items");
    }
    job.users = required("--users", arguments.users, "a .npy file of vectors, beside --items");
    job.items = required("--items", arguments.items, "a .npy file of vectors, beside --users");
    job.data = required("--data", arguments.data, "a dataset directory");
  } else if (!arguments.users.empty() || !arguments.items.empty()) {
    throw UsageError("--run: holds vectors: leaves no room for --users and --items");
  }
  job.run = arguments.run;
  job.data = arguments.data;
  job.options.cutoffs = parse_cutoffs(arguments.cutoffs);
  job.own_candidates = arguments.candidates.empty();
  if (!job.own_candidates) job.options.candidates = parse_choice("--candidates", arguments.candidates, kCandidates);
  job.threads = parse_threads(arguments.threads);
  job.json = arguments.json;
  job.quiet = arguments.quiet;
  return job;
}

void check_files(const EvaluateJob& job) {
  if (!job.data.empty()) check_directory("--data", job.data);
  if (job.run.empty()) {
    check_input("--users", job.users);
    check_input("--items", job.items);
  } else {
    check_directory("--run", job.run);
  }
  if (job.json.empty() || job.json_to_stdout()) return;
  for (const auto& [option, input] : {std::pair("--users", job.users), std::pair("--items", job.items)}) {
    if (!input.empty() && same_file(job.json, input)) {
      throw bad_value("--json", job.json.string(), fmt::format("is the file of {}", option));
    }
  }
  check_output("--json", job.json);
}

class EvaluateRun {
 public:
  explicit EvaluateRun(EvaluateJob job)
      : job_(std::move(job)),
        reporter_(kEvaluateCommand, job_.json, job_.quiet),
        context_(reporter_.context(job_.threads)) {}

  void run() {
    check_files(job_);
    const training::Stopwatch watch;
    load_vectors();
    reporter_.throw_if_cancelled();
    const training::Dataset data = training::load_dataset({.directory = job_.data,
                                                           .default_features = false,
                                                           .items = item_vectors().rows(),
                                                           .validation_required = false},
                                                          context_);
    for (const std::string& notice : data.notices) reporter_.note(notice);
    check_split(data);
    const Evaluation evaluation =
        training::Evaluator(data, job_.options).full(user_vectors(), item_vectors(), context_);
    reporter_.progress().clear();
    write(evaluation, data, watch.seconds());
  }

 private:
  /// Goes with the numbers, not only to the screen.
  void warn(const std::string& text) {
    warnings_.push_back(report::printable(text));
    reporter_.note(text);
  }

  void load_vectors() {
    if (!job_.run.empty()) {
      reporter_.reading(job_.run);
      run_.emplace(Run::open(job_.run));
      for (const std::string& notice : run_->notices()) warn(notice);
      const Json config = Json::parse(run_->config_json());
      if (job_.data.empty()) job_.data = data_directory(config);
      if (job_.own_candidates) job_.options.candidates = candidates(config);
      return;
    }
    reporter_.reading(job_.users);
    users_ = read_npy(job_.users);
    const auto sidecar = training::read_user_sidecar(job_.users);
    if (sidecar && sidecar->policy != "train") {
      warn(fmt::format("{} says that the vectors were made from other interactions than the training rows (policy {})",
                       training::user_sidecar_path(job_.users).string(), sidecar->policy));
    }
    reporter_.throw_if_cancelled();
    reporter_.reading(job_.items);
    items_ = read_npy(job_.items);
  }

  [[nodiscard]] MatrixView<const float> user_vectors() const {
    return run_ ? run_->user_embeddings().view() : users_.view();
  }
  [[nodiscard]] MatrixView<const float> item_vectors() const {
    return run_ ? run_->item_embeddings().view() : items_.view();
  }

  /// Another split may have trained on what this one holds out.
  void check_split(const training::Dataset& data) {
    if (!run_ || split_sha256(Json::parse(run_->config_json())) == data.split_sha256) return;
    reporter_.note(
        fmt::format("{}: is not the split that {} was trained on: the metrics are not of held-out interactions",
                    job_.data.string(), job_.run.string()));
  }

  void write(const Evaluation& evaluation, const training::Dataset& data, double seconds) const {
    if (reporter_.writes_json()) {
      Json json = {{"command", "evaluate"}, {"version", kVersion}};
      if (run_) {
        json["run"] = report::printable(job_.run.string());
        json["model"] = run_->model();
      } else {
        json["users"] = report::printable(job_.users.string());
        json["items"] = report::printable(job_.items.string());
      }
      json["data"] = report::printable(job_.data.string());
      json["split_sha256"] = data.split_sha256;
      if (!warnings_.empty()) json["warning"] = warnings_.front();
      json.update(evaluation_json(evaluation));
      json["notices"] = reporter_.notices();
      json["seconds"] = seconds;
      reporter_.write_json(json);
    }
    std::string text;
    for (const std::string& warning : warnings_) text += fmt::format("WARNING: {}\n\n", warning);
    reporter_.say(text + evaluation_text(evaluation));
  }

  EvaluateJob job_;
  Reporter reporter_;
  Context context_;
  std::optional<Run> run_;
  Matrix users_;
  Matrix items_;
  std::vector<std::string> warnings_;  ///< among the notices
};

}  // namespace

Command add_evaluate(CLI::App& graft) {
  CLI::App* parser = graft.add_subcommand("evaluate", "Measures how well vectors rank held-out interactions");
  const auto arguments = std::make_shared<EvaluateArguments>();
  add_evaluate_options(*parser, *arguments);
  return {parser, [arguments] {
            EvaluateRun(checked_job(*arguments)).run();
            return kDone;
          }};
}

}  // namespace graft::cli
