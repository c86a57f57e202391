// graft recommend: the best items for users, by a run.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <graft/core/error.hpp>
#include <graft/core/version.hpp>
#include <graft/detail/checked.hpp>
#include <graft/train/train.hpp>

#include "data/dataset_writer.hpp"
#include "report/format.hpp"

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

constexpr const char* kRecommendCommand = "graft recommend";
constexpr const char* kRecommendFooter =
    R"(Example: ten items for two users, then a file with twenty for everybody
  graft recommend --run runs/freedom --user 3 --user 17 -k 10
  graft recommend --run runs/freedom --all --out lists.tsv
A user's training items are left out. FILE.tsv has the columns userID, itemID, rank and score; FILE.jsonl has a line
{"user": ..., "items": [...], "scores": [...]} a user.)";

/// The options as they were typed; the values here are the defaults.
struct RecommendArguments {
  std::string run;
  std::vector<std::string> users;
  bool all = false;
  std::string k = "20";
  std::string data;
  std::string threads = "0";
  std::string out;
  std::string json;
  bool quiet = false;
};

struct RecommendJob {
  std::filesystem::path run;
  std::vector<std::int32_t> users;  ///< none: all
  std::int64_t k = 0;
  std::filesystem::path data;  ///< empty: where the run was trained
  int threads = 0;
  std::filesystem::path out;   ///< empty: none
  std::filesystem::path json;  ///< empty: none; "-": standard output
  bool quiet = false;

  [[nodiscard]] bool json_to_stdout() const { return json == "-"; }
};

void add_recommend_options(CLI::App& parser, RecommendArguments& arguments) {
  OptionAdder add(parser);
  add.group("Inputs");
  add.text("--run", arguments.run, "RUN", "the directory that graft train made (required)");
  add.text("--data", arguments.data, "DIR", "the dataset directory, if it has moved since training");

  add.group("Lists");
  add.texts("--user", arguments.users, "U[,U]...", "userIDs; repeatable");
  add.flag("--all", arguments.all, "every user; needs --out");
  add.text("-k,--k", arguments.k, "K", "items for each user, >= 1");

  add.group("Execution");
  add.text("--threads", arguments.threads, "N", "worker threads; 0 = one a core; never changes the result");

  add.group("Outputs");
  add.text("--out", arguments.out, "FILE", "lists as tab-separated text, or as JSON lines where it ends in .jsonl");
  add.text("--json", arguments.json, "FILE",
           "machine-readable summary, with the lists of --user; - for standard output");
  add.flag("--quiet", arguments.quiet, "no progress and summary; errors stay");
  parser.footer(kRecommendFooter);
}

/// "3,17" as ids. @throws UsageError
void add_users(const std::string& text, std::vector<std::int32_t>& users) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  std::string_view rest = text;
  while (true) {
    const std::size_t comma = rest.find(',');
    users.push_back(static_cast<std::int32_t>(parse_integer("--user", rest.substr(0, comma), 0, kMost)));
    if (comma == std::string_view::npos) return;
    rest.remove_prefix(comma + 1);
  }
}

RecommendJob checked_job(const RecommendArguments& arguments) {
  constexpr std::int64_t kMostItems = std::numeric_limits<std::int32_t>::max();
  RecommendJob job;
  job.run = required("--run", arguments.run, "a directory that graft train made");
  if (arguments.all && !arguments.users.empty()) throw UsageError("--all: leaves no room for --user: give one of them");
  if (!arguments.all && arguments.users.empty()) throw UsageError("--user: is required: whom for; --all for everybody");
  if (arguments.all && arguments.out.empty()) throw UsageError("--out: is required with --all: the file for the lists");
  for (const std::string& text : arguments.users) add_users(text, job.users);
  job.k = parse_integer("-k", arguments.k, 1, kMostItems);
  job.data = arguments.data;
  job.threads = parse_threads(arguments.threads);
  job.out = arguments.out;
  job.json = arguments.json;
  job.quiet = arguments.quiet;
  return job;
}

void check_files(const RecommendJob& job) {
  check_directory("--run", job.run);
  if (!job.data.empty()) check_directory("--data", job.data);
  const bool json_file = !job.json.empty() && !job.json_to_stdout();
  if (!job.out.empty() && json_file && same_file(job.out, job.json)) {
    throw bad_value("--json", job.json.string(), "must not be the file of --out");
  }
  if (!job.out.empty()) check_output("--out", job.out);
  if (json_file) check_output("--json", job.json);
}

/// Rows of rankings, as lines of a file.
class ListWriter {
 public:
  explicit ListWriter(const std::filesystem::path& path)
      : file_("--out", path), json_lines_(path.extension() == ".jsonl") {
    if (!json_lines_) file_.put("userID\titemID\trank\tscore\n");
  }

  void add(std::int32_t user, std::span<const std::int32_t> ids, std::span<const float> scores) {
    if (json_lines_) {
      file_.put(fmt::format(R"({{"user": {}, "items": [)", user));
      for (std::size_t r = 0; r < ids.size(); ++r) file_.put(fmt::format("{}{}", r == 0 ? "" : ", ", ids[r]));
      file_.put(R"(], "scores": [)");
      for (std::size_t r = 0; r < ids.size(); ++r) file_.put(fmt::format("{}{}", r == 0 ? "" : ", ", scores[r]));
      file_.put("]}\n");
      return;
    }
    for (std::size_t r = 0; r < ids.size(); ++r) {
      file_.put(fmt::format("{}\t{}\t{}\t{}\n", user, ids[r], r + 1, scores[r]));
    }
  }
  void commit() { file_.commit(); }

 private:
  data::TextFile file_;
  bool json_lines_;
};

class RecommendRun {
 public:
  explicit RecommendRun(RecommendJob job)
      : job_(std::move(job)),
        reporter_(kRecommendCommand, job_.json, job_.quiet),
        context_(reporter_.context(job_.threads)) {}

  void run() {
    check_files(job_);
    reporter_.reading(job_.run);
    const Run run = Run::open(job_.run);
    for (const std::string& notice : run.notices()) reporter_.warn(notice);
    const std::int64_t known = run.user_embeddings().rows();
    const bool all = job_.users.empty();
    std::vector<std::int32_t> users = job_.users;
    if (all) {
      users.resize(detail::as_size(known));
      std::iota(users.begin(), users.end(), 0);
    }
    for (const std::int32_t user : users) {
      if (user < known) continue;
      throw InvalidArgument(fmt::format("--user = {}: must be a userID of the run, in [0, {}]", user, known - 1));
    }
    recommend(run, users, !all);
    reporter_.progress().clear();
    report(users.size(), all);
  }

 private:
  /// A block of users at a time, so that memory stays small.
  void recommend(const Run& run, std::span<const std::int32_t> users, bool keep) {
    constexpr std::int64_t kEntries = std::int64_t{1} << 22U;  // of a block: some 32 MiB
    const auto count = static_cast<std::int64_t>(users.size());
    const std::int64_t wanted = std::min(job_.k, run.item_embeddings().rows());
    const std::int64_t block = std::max<std::int64_t>(1, kEntries / std::max<std::int64_t>(1, wanted));
    std::unique_ptr<ListWriter> file;
    if (!job_.out.empty()) file = std::make_unique<ListWriter>(job_.out);
    for (std::int64_t begin = 0; begin < count; begin += block) {
      context_.progress = [&](const Progress& now) {
        const std::int64_t done = now.total > 0 ? std::min(block, count - begin) * now.done / now.total : 0;
        reporter_.progress().update({kRecommendCommand, begin + done, count}, "ranking");
      };
      const auto part = users.subspan(detail::as_size(begin), detail::as_size(std::min(block, count - begin)));
      const Ranking ranking = run.recommend(part, job_.k, job_.data, context_);
      reporter_.throw_if_cancelled();
      for (std::int64_t row = 0; row < ranking.rows(); ++row) {
        const std::int32_t user = part[detail::as_size(row)];
        if (file) file->add(user, ranking.row_ids(row), ranking.row_scores(row));
        if (keep) add_list(user, ranking.row_ids(row), ranking.row_scores(row));
        entries_ += static_cast<std::int64_t>(ranking.row_ids(row).size());
      }
    }
    if (file) file->commit();
  }

  void add_list(std::int32_t user, std::span<const std::int32_t> ids, std::span<const float> scores) {
    text_ +=
        fmt::format("{}user {}\n{:>6}  {:>10}  {:>12}\n", text_.empty() ? "" : "\n", user, "rank", "item", "score");
    for (std::size_t r = 0; r < ids.size(); ++r) {
      text_ += fmt::format("{:>6}  {:>10}  {:>12.6g}\n", r + 1, ids[r], scores[r]);
    }
    lists_.push_back({{"user", user}, {"items", ids}, {"scores", scores}});
  }

  void report(std::size_t users, bool all) const {
    Json json = {{"command", "recommend"}, {"version", kVersion}, {"run", report::printable(job_.run.string())}};
    json["k"] = job_.k;
    json["users"] = users;
    json["recommendations"] = entries_;
    if (!reporter_.notices().empty()) json["warning"] = reporter_.notices().front();
    if (!job_.out.empty()) json["out"] = report::printable(job_.out.string());
    if (!all) json["lists"] = lists_;
    reporter_.write_json(json);
    if (reporter_.json_to_stdout()) return;
    if (job_.out.empty()) {
      print_output(text_);  // what was asked for, not a summary
    } else {
      reporter_.say(fmt::format("{:<18}{}\n{:<18}{}\n{:<18}{}\n", "users", users, "recommendations", entries_,
                                "written", job_.out.string()));
    }
  }

  RecommendJob job_;
  Reporter reporter_;
  Context context_;
  std::int64_t entries_ = 0;
  std::string text_;
  Json lists_ = Json::array();
};

}  // namespace

Command add_recommend(CLI::App& graft) {
  CLI::App* parser = graft.add_subcommand("recommend", "Ranks items for users by a run");
  const auto arguments = std::make_shared<RecommendArguments>();
  add_recommend_options(*parser, *arguments);
  return {parser, [arguments] {
            RecommendRun(checked_job(*arguments)).run();
            return kDone;
          }};
}

}  // namespace graft::cli
