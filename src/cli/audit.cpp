// graft audit: whether user vectors, or an item graph, carry held-out interactions.
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <graft/core/error.hpp>
#include <graft/core/version.hpp>
#include <graft/io/inter.hpp>
#include <graft/io/npy.hpp>
#include <graft/io/npz.hpp>

#include "report/format.hpp"
#include "train/audit.hpp"
#include "train/dataset.hpp"
#include "train/stopwatch.hpp"

#include "command.hpp"
#include "exit_code.hpp"
#include "file_checks.hpp"
#include "option_adder.hpp"
#include "reporter.hpp"
#include "values.hpp"

namespace graft::cli {
namespace {

using Json = nlohmann::ordered_json;
using training::AuditSplit;
using training::AuditTest;
using training::AuditVerdict;
using training::GraphOrigin;

constexpr const char* kAuditCommand = "graft audit";
constexpr const char* kGiven = "given";  ///< modality of --item-features
constexpr const char* kAuditFooter =
    R"(Example: user vectors that a language model's profiles gave, then a graph that somebody else made
  graft audit --data data/baby --user-features user_preferences_feat.npy
  graft audit --data data/baby --graph graph.npz --split test --strict
A leak shows as held-out items that the vectors or edges favour over items that other users hold out, beyond what the
training rows say. docs/audit.md tells what is tested and what cannot be told.)";

constexpr Choice<AuditSplit> kAuditSplits[] = {
    {"valid", AuditSplit::valid}, {"test", AuditSplit::test}, {"both", AuditSplit::both}};

/// The options as they were typed; the values here are the defaults.
struct AuditArguments {
  std::string data;
  std::string user_features;
  std::string graph;
  std::string item_features;
  std::string split = "both";
  std::string permutations = "1000";
  std::string seed = "1";
  std::string alpha = "0.01";
  std::string tolerance = "0.01";
  std::string threads = "0";
  std::string json;
  bool strict = false;
  bool quiet = false;
};

struct AuditJob {
  std::filesystem::path data;
  std::filesystem::path user_features;  ///< or
  std::filesystem::path graph;
  std::filesystem::path item_features;  ///< empty: the directory's own
  training::AuditOptions options;
  int threads = 0;
  std::filesystem::path json;  ///< empty: none; "-": standard output
  bool strict = false;
  bool quiet = false;

  [[nodiscard]] bool json_to_stdout() const { return json == "-"; }
};

void add_audit_options(CLI::App& parser, AuditArguments& arguments) {
  OptionAdder add(parser);
  add.group("Inputs");
  add.text("--data", arguments.data, "DIR", "the dataset directory, with its split (required)");
  add.text("--user-features", arguments.user_features, "FILE.npy", "user vectors to look at, a row a userID");
  add.text("--graph", arguments.graph, "GRAPH.npz", "an item graph to look at, in place of user vectors");
  add.text("--item-features", arguments.item_features, "FILE.npy",
           "item vectors, a row an itemID, of the space of the user vectors (default: DIR's own)");
  add.text("--split", arguments.split, "SPLIT", "held-out rows to look for: valid, test or both");

  add.group("Test");
  add.text("--permutations", arguments.permutations, "N", "the smallest p-value is 1 / (N + 1)");
  add.text("--seed", arguments.seed, "N", "of controls and permutations");
  add.text("--alpha", arguments.alpha, "P", "a p-value below it is called a leak: how often clean data may be");
  add.text("--tolerance", arguments.tolerance, "SHARE",
           "of held-out pairs, in [0, 1): fewer carried pairs are not called a leak");

  add.group("Execution");
  add.text("--threads", arguments.threads, "N", "worker threads; 0 = one a core; never changes the result");

  add.group("Outputs");
  add.flag("--strict", arguments.strict, "exit with 1 unless the verdict is clean");
  add.text("--json", arguments.json, "FILE", "machine-readable summary; - for standard output");
  add.flag("--quiet", arguments.quiet, "no progress, notices and summary; errors stay");
  parser.footer(kAuditFooter);
}

/// A number as it was typed: parse_real gives a float, whose double is another number.
double parse_share(const char* option, const std::string& text, bool zero) {
  const double share = as_number(text).value_or(std::numeric_limits<double>::quiet_NaN());
  if (share > 0.0 && share < 1.0) return share;
  if (zero && share == 0.0) return share;
  throw bad_value(option, text, zero ? "must be a number in [0, 1)" : "must be a number between 0 and 1");
}

AuditJob checked_job(const AuditArguments& arguments) {
  constexpr std::int64_t kMostPermutations = 1'000'000;
  AuditJob job;
  job.data = required("--data", arguments.data, "a dataset directory");
  if (arguments.user_features.empty() == arguments.graph.empty()) {
    throw UsageError(arguments.graph.empty() ? "--user-features: is required: user vectors, or a graph with --graph"
                                             : "--graph: leaves no room for --user-features: one at a time");
  }
  job.user_features = arguments.user_features;
  job.graph = arguments.graph;
  job.item_features = arguments.item_features;
  job.options.split = parse_choice("--split", arguments.split, kAuditSplits);
  job.options.permutations = parse_integer("--permutations", arguments.permutations, 1, kMostPermutations);
  job.options.seed = static_cast<std::uint64_t>(parse_integer("--seed", arguments.seed, 0));
  job.options.alpha = parse_share("--alpha", arguments.alpha, false);
  job.options.tolerance = parse_share("--tolerance", arguments.tolerance, true);
  if (job.options.alpha * static_cast<double>(job.options.permutations + 1) <= 1.0) {
    throw bad_value(
        "--permutations", arguments.permutations,
        fmt::format("no p-value is below 1 / (N + 1), so none below --alpha {}: take more", arguments.alpha));
  }
  job.threads = parse_threads(arguments.threads);
  job.json = arguments.json;
  job.strict = arguments.strict;
  job.quiet = arguments.quiet;
  return job;
}

void check_files(const AuditJob& job) {
  check_directory("--data", job.data);
  const std::pair<const char*, const std::filesystem::path*> inputs[] = {
      {"--user-features", &job.user_features}, {"--graph", &job.graph}, {"--item-features", &job.item_features}};
  for (const auto& [option, input] : inputs) {
    if (input->empty()) continue;
    check_input(option, *input);
    if (!job.json.empty() && !job.json_to_stdout() && same_file(job.json, *input)) {
      throw bad_value("--json", job.json.string(), fmt::format("is the file of {}", option));
    }
  }
  if (!job.json.empty() && !job.json_to_stdout()) check_output("--json", job.json);
}

const char* held_words(AuditSplit split) {
  switch (split) {
    case AuditSplit::valid:
      return "validation";
    case AuditSplit::test:
      return "test";
    case AuditSplit::both:
      break;
  }
  return "validation or test";
}

/// What was found.
struct AuditFindings {
  AuditTest test;
  std::optional<training::GraphRecord> record;  ///< of a graph
  std::optional<training::AuditEdges> edges;    ///< of a graph
  std::string item_features;                    ///< which were used

  [[nodiscard]] AuditVerdict verdict() const {
    if (record && record->origin == GraphOrigin::held_out) return AuditVerdict::leak;
    if (test.verdict != AuditVerdict::cannot_tell) return test.verdict;
    return record && record->origin == GraphOrigin::train ? AuditVerdict::clean : AuditVerdict::cannot_tell;
  }
};

std::string verdict_text(const AuditFindings& found, const AuditJob& job) {
  const char* held = held_words(job.options.split);
  const std::string_view what = job.graph.empty() ? "the user vectors" : "the graph";
  switch (found.verdict()) {
    case AuditVerdict::clean:
      if (found.test.verdict == AuditVerdict::cannot_tell) {
        return "no sign of a leak: by its own record the graph is made of these training rows; the test cannot tell";
      }
      return fmt::format("no sign of {} interactions in {}", held, what);
    case AuditVerdict::leak:
      if (found.record && found.record->origin == GraphOrigin::held_out) {
        return "LEAK: by its own record the graph is not made of the training rows alone; make it again from them";
      }
      if (found.edges && found.edges->made_of_held_out_rows()) {
        return fmt::format(
            "LEAK: nearly all edges that training rows do not explain are those of {} interactions; make the graph "
            "again from training rows",
            held);
      }
      return fmt::format(
          "LEAK: there is more of {0} interactions in {1} than the training rows tell; make {1} again from training "
          "rows, or explain where the knowledge comes from",
          held, what);
    case AuditVerdict::cannot_tell:
      break;
  }
  return fmt::format("cannot tell: {} with {} interactions; at least {} are needed",
                     report::counted(found.test.users, "user"), held, training::kLeastAuditedUsers);
}

std::string share_text(const AuditTest& test) {
  if (std::isnan(test.share)) return "n/a (training pairs do not show either)";
  return fmt::format("{:.1f}% of the held-out pairs (95%: {:.1f} to {:.1f})", 100.0 * test.share,
                     100.0 * test.share_low, 100.0 * test.share_high);
}

std::string summary_text(const AuditFindings& found, const AuditJob& job, double seconds) {
  const AuditTest& test = found.test;
  std::string text;
  const auto line = [&text](const char* label, const std::string& value) {
    text += fmt::format("{:<20}{}\n", label, value);
  };
  line("looked for", fmt::format("{} of {}, {}", report::counted(test.pairs, "held-out pair"),
                                 report::counted(test.users, "user"), spelling(job.options.split, kAuditSplits)));
  if (test.skipped_pairs > 0) line("left out", report::counted(test.skipped_pairs, "pair"));
  line("item features", found.item_features);
  if (found.record) line("record", found.record->text);
  if (found.edges) {
    line("edges",
         fmt::format("{} of items without a common training user, {} of these with one in held-out rows",
                     report::count_text(found.edges->beyond_train), report::count_text(found.edges->held_out)));
  }
  if (test.users >= training::kLeastAuditedUsers) {
    line("p-value", fmt::format("{:.4g} (alpha {:.4g}, tolerance {:.4g}, {})", test.p_value, job.options.alpha,
                                job.options.tolerance, report::counted(job.options.permutations, "permutation")));
    line("effect", fmt::format("{:.4f} standard deviations (z = {:.2f})", test.effect, test.z));
    line("share carried", share_text(test));
    line("explained",
         fmt::format("{} of what is looked at, by training rows and features", report::percent_text(test.explained)));
  }
  line("time", fmt::format("{:.2f} s", seconds));
  line("verdict", verdict_text(found, job));
  return text;
}

Json number_or_null(double value) { return std::isnan(value) ? Json(nullptr) : Json(value); }

Json findings_json(const AuditFindings& found, const AuditJob& job) {
  const AuditTest& test = found.test;
  Json json = {{"verdict", training::name(found.verdict())},
               {"text", verdict_text(found, job)},
               {"p_value", test.p_value},
               {"alpha", job.options.alpha},
               {"tolerance", job.options.tolerance},
               {"effect", test.effect},
               {"z", test.z},
               {"share", number_or_null(test.share)},
               {"share_interval", {number_or_null(test.share_low), number_or_null(test.share_high)}},
               {"explained", test.explained},
               {"pairs", test.pairs},
               {"users", test.users},
               {"skipped_pairs", test.skipped_pairs},
               {"train_pairs", test.train_pairs},
               {"statistical_verdict", training::name(test.verdict)}};
  if (found.edges) {
    json["edges"] = {{"beyond_train", found.edges->beyond_train},
                     {"held_out", found.edges->held_out},
                     {"exchanged", found.edges->exchanged},
                     {"exchanged_held_out", found.edges->exchanged_held_out}};
  }
  if (found.record) {
    constexpr const char* kOrigins[] = {"unknown", "train", "held-out"};
    json["record"] = {{"origin", kOrigins[static_cast<std::size_t>(found.record->origin)]},
                      {"text", found.record->text}};
  }
  return json;
}

class AuditRun {
 public:
  explicit AuditRun(AuditJob job)
      : job_(std::move(job)),
        reporter_(kAuditCommand, job_.json, job_.quiet),
        context_(reporter_.context(job_.threads)) {}

  int run() {
    check_files(job_);
    const training::Stopwatch watch;
    const AuditFindings found = job_.graph.empty() ? look_at_users() : look_at_graph();
    reporter_.progress().clear();
    write(found, watch.seconds());
    return job_.strict && found.verdict() != AuditVerdict::clean ? kFailed : kDone;
  }

 private:
  /// @param items  of a graph; -1: as the features say
  training::Dataset load(std::int64_t items) {
    training::DatasetOptions options{.directory = job_.data, .items = items, .validation_required = false};
    if (!job_.item_features.empty()) {
      options.default_features = false;
      options.features.push_back({kGiven, job_.item_features});
    }
    training::Dataset data = training::load_dataset(options, context_);
    for (const std::string& notice : data.notices) reporter_.note(notice);
    split_sha256_ = data.split_sha256;
    return data;
  }

  AuditFindings look_at_users() {
    reporter_.reading(job_.user_features);
    const Matrix users = read_npy(job_.user_features);
    reporter_.throw_if_cancelled();
    const training::Dataset data = load(-1);
    const std::string modality = chosen_features(data, users.cols());
    AuditFindings found{.test = {}, .record = {}, .edges = {}, .item_features = file_of(data, modality)};
    found.test = training::audit_user_features(data, users, data.features.at(modality), job_.options, context_);
    return found;
  }

  /// The first of the features that have as many columns as the user vectors, else the first.
  /// @throws InvalidArgument if there is none
  [[nodiscard]] std::string chosen_features(const training::Dataset& data, std::int64_t columns) const {
    std::string first;
    for (const char* modality : {kGiven, "image_text", "text", "image"}) {
      const auto found = data.features.find(modality);
      if (found == data.features.end()) continue;
      if (found->second.cols() == columns) return modality;
      if (first.empty()) first = modality;
    }
    if (!first.empty()) return first;
    throw InvalidArgument(
        fmt::format("--item-features: {} has no item features (image_text_feat.npy, text_feat.npy or image_feat.npy): "
                    "give the item "
                    "vectors of the space of the user vectors",
                    job_.data.string()));
  }

  static std::string file_of(const training::Dataset& data, const std::string& modality) {
    for (const training::InputFile& file : data.files) {
      if (file.role == "features " + modality) return file.path.filename().string();
    }
    return modality;
  }

  AuditFindings look_at_graph() {
    reporter_.reading(job_.graph);
    const StoredGraph stored = load_npz_with_provenance(job_.graph);
    reporter_.throw_if_cancelled();
    const training::Dataset data = load(stored.graph.items());
    AuditFindings found;
    for (const auto& [modality, features] : data.features) {
      found.item_features += (found.item_features.empty() ? "" : ", ") + file_of(data, modality);
    }
    if (data.features.empty()) {
      found.item_features = "none";
      reporter_.note("no item features: a graph made of content can look like a leak; give them with --item-features");
    }
    const training::GraphAudit audit = training::audit_graph(data, stored.graph, job_.options, context_);
    found.test = audit.test;
    found.edges = audit.edges;
    found.record = training::graph_record(stored.provenance, read_inter_table(data.files.front().path), data.items);
    return found;
  }

  void write(const AuditFindings& found, double seconds) const {
    if (reporter_.writes_json()) {
      Json json = {{"command", "audit"}, {"version", kVersion}, {"data", report::printable(job_.data.string())}};
      const bool graph = !job_.graph.empty();
      json[graph ? "graph" : "user_features"] = report::printable((graph ? job_.graph : job_.user_features).string());
      json["item_features"] = report::printable(found.item_features);
      json["split"] = spelling(job_.options.split, kAuditSplits);
      json["split_sha256"] = split_sha256_;
      json["permutations"] = job_.options.permutations;
      json["seed"] = job_.options.seed;
      json.update(findings_json(found, job_));
      json["notices"] = reporter_.notices();
      json["seconds"] = seconds;
      reporter_.write_json(json);
    }
    reporter_.say(summary_text(found, job_, seconds));
  }

  AuditJob job_;
  Reporter reporter_;
  Context context_;
  std::string split_sha256_;
};

}  // namespace

Command add_audit(CLI::App& graft) {
  CLI::App* parser = graft.add_subcommand("audit", "Tells whether user vectors or a graph carry held-out interactions");
  const auto arguments = std::make_shared<AuditArguments>();
  add_audit_options(*parser, *arguments);
  return {parser, [arguments] { return AuditRun(checked_job(*arguments)).run(); }};
}

}  // namespace graft::cli
