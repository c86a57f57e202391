// graft prepare split: files of interactions in, a dataset directory with a split out.
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <graft/core/error.hpp>

#include "data/split_dataset.hpp"

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

constexpr const char* kPrepareSplitCommand = "graft prepare split";
constexpr const char* kPrepareSplitFooter =
    R"(Example: the 5-core of a ratings dump (user,item,rating,timestamp), split 8:1:1 for each user
  graft prepare split ratings_Baby.csv --out baby --seed 999
The directory holds NAME.inter, u_id_mapping.csv and i_id_mapping.csv (id and number; tabs separate) and dataset.json
(counts of each step, hashes). COL is a name in the header, a JSON key, or a place from 1; columns with usual names
(user_id, reviewerID, asin, item_id, timestamp, unixReviewTime, rating, overall, ...) are found; without a header the
order is user, item, rating, time. Ids are texts: leading zeros count.)";

constexpr Choice<data::LogFormat> kFormats[] = {{"auto", data::LogFormat::automatic},
                                                {"csv", data::LogFormat::csv},
                                                {"tsv", data::LogFormat::tsv},
                                                {"jsonl", data::LogFormat::jsonl}};
constexpr Choice<data::LogHeader> kHeaders[] = {
    {"auto", data::LogHeader::automatic}, {"yes", data::LogHeader::yes}, {"no", data::LogHeader::no}};
constexpr Choice<data::Protocol> kProtocols[] = {{"random", data::Protocol::random},
                                                 {"temporal", data::Protocol::temporal},
                                                 {"temporal-user", data::Protocol::temporal_user},
                                                 {"cold-item", data::Protocol::cold_item}};
constexpr Choice<data::Duplicates> kDuplicates[] = {
    {"triple", data::Duplicates::triple}, {"pair", data::Duplicates::pair}, {"keep", data::Duplicates::keep}};

/// The options as they were typed.
struct SplitArguments {
  std::vector<std::string> files;
  std::string format = "auto";
  std::string header = "auto";
  std::string user;
  std::string item;
  std::string time;
  std::string rating;
  bool trim_ids = false;
  std::string min_rating;
  std::string duplicates = "triple";
  std::string k_core = "5";
  std::string protocol = "random";
  std::string cold_share;
  std::string seed = "999";
  std::string out;
  std::string name;
  std::string json;
  bool quiet = false;
};

struct SplitJob {
  std::vector<std::filesystem::path> files;
  data::SplitDatasetOptions options;
  std::filesystem::path out;
  std::filesystem::path json;  ///< empty: none; "-": standard output
  bool quiet = false;
};

void add_split_options(CLI::App& parser, SplitArguments& arguments) {
  OptionAdder add(parser);
  add.group("Input");
  parser.add_option("FILE", arguments.files, "interactions: CSV, TSV or JSON lines, plain or .gz; several are joined")
      ->type_name("");
  add.text("--format", arguments.format, "NAME", "auto, csv, tsv or jsonl");
  add.text("--header", arguments.header, "NAME", "whether the first line names the columns: auto, yes or no");
  add.text("--user", arguments.user, "COL", "column of the user");
  add.text("--item", arguments.item, "COL", "column of the item");
  add.text("--time", arguments.time, "COL", "column of the time, a whole number; none = do not read it");
  add.text("--rating", arguments.rating, "COL", "column of the rating; none = do not read it");
  add.flag("--trim-ids", arguments.trim_ids, "take blanks around ids away");

  add.group("Rows to keep");
  add.text("--min-rating", arguments.min_rating, "R", "leave out rows with a lower rating or none");
  add.text("--duplicates", arguments.duplicates, "NAME",
           "remove rows that repeat user, item and time (triple), user and item (pair), or none (keep)");
  add.text("--k-core", arguments.k_core, "K", "least rows of each user and each item, >= 0; 0 = off");

  add.group("Split");
  add.text("--protocol", arguments.protocol, "NAME",
           "random, temporal-user (8:1:1 of each user: by chance, by time), temporal (80/10/10 by time) or cold-item "
           "(some items never train)");
  add.text("--cold-share", arguments.cold_share, "SHARE", "of items that cold-item holds out, in [0, 1] (0.2)");
  add.text("--seed", arguments.seed, "N", "another seed is another split; the same one gives the same bytes");

  add.group("Outputs");
  add.text("--out", arguments.out, "DIR", "the directory to make: new, or empty (required)");
  add.text("--name", arguments.name, "NAME", "of NAME.inter (the base name of DIR)");
  add.text("--json", arguments.json, "FILE", "machine-readable summary; - for standard output");
  add.flag("--quiet", arguments.quiet, "no progress, notices and summary; errors stay");
  parser.footer(kPrepareSplitFooter);
}

double parse_double(const char* option, const std::string& text, double least, double most, const char* allowed) {
  const double number = as_number(text).value_or(std::numeric_limits<double>::quiet_NaN());
  if (!(number >= least && number <= most)) throw bad_value(option, text, allowed);
  return number;
}

std::string checked_name(const std::string& name) {
  if (name.find('/') == std::string::npos) return name;
  throw bad_value("--name", name, "must be a file name without a folder");
}

SplitJob checked_job(const SplitArguments& arguments) {
  SplitJob job;
  if (arguments.files.empty()) throw UsageError("FILE: is required: a file of interactions");
  job.files.assign(arguments.files.begin(), arguments.files.end());
  data::LogOptions& log = job.options.log;
  log.format = parse_choice("--format", arguments.format, kFormats);
  log.header = parse_choice("--header", arguments.header, kHeaders);
  log.columns = {arguments.user, arguments.item, arguments.time, arguments.rating};
  log.trim_ids = arguments.trim_ids;
  if (!arguments.min_rating.empty()) {
    constexpr double kMost = std::numeric_limits<double>::max();
    log.min_rating = parse_double("--min-rating", arguments.min_rating, -kMost, kMost, "must be a finite number");
  }
  job.options.duplicates = parse_choice("--duplicates", arguments.duplicates, kDuplicates);
  job.options.k_core = parse_integer("--k-core", arguments.k_core, 0);
  job.options.split.protocol = parse_choice("--protocol", arguments.protocol, kProtocols);
  job.options.split.seed = static_cast<std::uint64_t>(parse_integer("--seed", arguments.seed, 0));
  if (!arguments.cold_share.empty()) {
    job.options.split.cold_share =
        parse_double("--cold-share", arguments.cold_share, 0.0, 1.0, "must be a number in [0, 1]");
    if (job.options.split.protocol != data::Protocol::cold_item) {
      throw bad_value("--cold-share", arguments.cold_share, "is for --protocol cold-item only");
    }
  }
  job.out = required("--out", arguments.out, "the directory to make");
  job.options.name = checked_name(arguments.name);
  job.json = arguments.json;
  job.quiet = arguments.quiet;
  return job;
}

void check_files(const SplitJob& job) {
  const bool json_file = !job.json.empty() && job.json != "-";
  for (std::size_t f = 0; f < job.files.size(); ++f) {
    const std::filesystem::path& file = job.files[f];
    check_input("FILE", file);
    if (json_file && same_file(job.json, file)) throw bad_value("--json", job.json.string(), "is an input too");
    for (std::size_t before = 0; before < f; ++before) {
      if (same_file(job.files[before], file)) throw bad_value("FILE", file.string(), "may be given only once");
    }
  }
  data::check_dataset_directory("--out", job.out);
  if (!json_file) return;
  if (same_file(job.out, job.json)) throw bad_value("--json", job.json.string(), "must not be the directory of --out");
  check_output("--json", job.json);
}

std::string table_text(const data::TableCounts& counts) {
  return fmt::format("{} rows, {} users, {} items", counts.rows, counts.users, counts.items);
}

std::string summary_text(const SplitJob& job, const data::SplitDatasetSummary& summary, double seconds) {
  std::string text;
  const auto line = [&text](const char* label, const std::string& value) {
    text += fmt::format("{:<20}{}\n", label, value);
  };
  line("read", fmt::format("{} rows", summary.rows_read));
  line("complete", table_text(summary.complete));
  line("duplicates", fmt::format("{} removed ({})", summary.repeated, data::name(summary.options.duplicates)));
  line("k-core",
       fmt::format("{} (k {}, {} rounds)", table_text(summary.kept), summary.options.k_core, summary.rounds.size()));
  line("protocol", fmt::format("{}, seed {}", data::name(summary.options.split.protocol), summary.options.split.seed));
  for (const auto& [label, s] : {std::pair{"train", 0U}, std::pair{"valid", 1U}, std::pair{"test", 2U}}) {
    line(label, table_text(summary.parts[s].counts));
  }
  line("time", fmt::format("{:.2f} s", seconds));
  for (const data::FileFacts& file : summary.files) {
    line("written", fmt::format("{} ({})", (job.out / file.name).string(), bytes_text(file.bytes)));
  }
  line("written", (job.out / "dataset.json").string());
  return text;
}

Json summary_json(const SplitJob& job, const data::SplitDatasetSummary& summary, double seconds) {
  Json json = {{"command", "prepare split"}};
  json.update(Json::parse(data::split_description(summary)));
  json["notices"] = summary.notices;
  json["seconds"] = seconds;
  json["out"] = job.out.string();
  return json;
}

int run_split(const SplitArguments& arguments) {
  const SplitJob job = checked_job(arguments);
  check_files(job);
  Reporter reporter(kPrepareSplitCommand, job.json, job.quiet);
  const auto tell = [&](const std::string& notice) { reporter.note(notice); };
  const auto start = std::chrono::steady_clock::now();
  const data::SplitDatasetSummary summary =
      data::split_dataset(job.out, job.files, job.options, reporter.context(), tell);
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

Command add_prepare_split(CLI::App& prepare) {
  CLI::App* parser =
      prepare.add_subcommand("split", "Makes a data set from files of interactions: k-core, new ids, split");
  const auto arguments = std::make_shared<SplitArguments>();
  add_split_options(*parser, *arguments);
  return {parser, [arguments] { return run_split(*arguments); }};
}

}  // namespace graft::cli
