// graft train: a dataset directory in, a run out.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <graft/core/error.hpp>
#include <graft/core/version.hpp>
#include <graft/train/train.hpp>

#include "report/format.hpp"

#include "command.hpp"
#include "console.hpp"
#include "evaluation_report.hpp"
#include "exit_code.hpp"
#include "model_list.hpp"
#include "reporter.hpp"
#include "run_text.hpp"
#include "train_options.hpp"
#include "training_display.hpp"

namespace graft::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kTrainCommand = "graft train";

/// "0.31 s", "3 min 20 s".
std::string seconds_text(double seconds) {
  constexpr double kMinute = 60.0;
  return seconds < kMinute ? fmt::format("{:.2f} s", seconds) : duration_text(seconds);
}

class TrainRun {
 public:
  explicit TrainRun(TrainJob job)
      : job_(std::move(job)),
        reporter_(kTrainCommand, job_.json, job_.quiet),
        display_(reporter_.progress()),
        context_(reporter_.context(job_.threads)) {
    context_.progress = [this](const Progress& progress) { display_.update(progress); };
    job_.options.on_start = [this](const std::string& config) { start(config); };
    job_.options.on_epoch = [this](const EpochReport& report) { display_.epoch(report); };
    job_.options.on_notice = [this](const std::string& text) { reporter_.note(text); };
  }

  int run() {
    check_files(job_);
    const auto start = std::chrono::steady_clock::now();
    try {
      reporter_.reading(job_.options.data);
      const Run run = train(job_.options, context_);
      reporter_.progress().clear();
      report(run, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    } catch (const training::InvalidOption& error) {
      throw usage_error(error);
    } catch (const Cancelled&) {
      reporter_.progress().clear();
      print_message(kTrainCommand, "error", interrupted_text());
      return kInterrupted;
    }
    return kDone;
  }

 private:
  void start(const std::string& config) {
    const Json json = Json::parse(config);
    if (const auto settings = json.find("settings"); settings != json.end()) {
      display_.start({.epochs = settings->value("epochs", std::int64_t{0}),
                      .stopping_step = settings->value("stopping_step", std::int64_t{0}),
                      .eval_step = settings->value("eval_step", std::int64_t{1})});
    }
    reporter_.progress().clear();
    reporter_.say(config_text(json) + "\n");
  }

  [[nodiscard]] std::string interrupted_text() const {
    const std::filesystem::path& out = job_.options.out;
    std::error_code error;
    if (!std::filesystem::exists(out / "checkpoint.bin", error)) return "interrupted before training began";
    return fmt::format("interrupted; {} keeps what was trained: the same command with --resume goes on from there",
                       out.string());
  }

  void report(const Run& run, double seconds) const {
    try {
      write(run, seconds);
    } catch (const IoError& error) {
      throw IoError(fmt::format("{} (the run itself is complete: {})", error.what(), run.directory().string()));
    }
  }

  void write(const Run& run, double seconds) const {
    if (reporter_.writes_json()) {
      Json json = {{"command", "train"}, {"version", kVersion}};
      json["run"] = report::printable(run.directory().string());
      json["metrics"] = Json::parse(run.metrics_json());
      json["config"] = Json::parse(run.config_json());
      json["notices"] = reporter_.notices();
      json["seconds"] = seconds;
      reporter_.write_json(json);
    }
    const auto line = [](const char* label, const std::string& value) {
      return fmt::format("{:<18}{}\n", label, value);
    };
    for (const std::string& notice : run.notices()) reporter_.say(line("WARNING", notice) + "\n");
    reporter_.say(metrics_table({{"valid", &run.valid()}, {"test", &run.test()}}) + "\n" +
                  line("best epoch", fmt::format("{} ({} trained)", run.best_epoch(), run.epochs())) +
                  line("time", fmt::format("{} ({:.3g} s an epoch)", seconds_text(seconds), run.seconds_per_epoch())) +
                  line("run", run.directory().string()) + line("report", (run.directory() / "report.html").string()));
  }

  TrainJob job_;
  Reporter reporter_;
  TrainingDisplay display_;
  Context context_;
};

int run_train(const TrainArguments& arguments) {
  TrainJob job = checked_job(arguments);
  if (job.list) {
    print_models(job.options.model, job.json, job.quiet);
    return kDone;
  }
  return TrainRun(std::move(job)).run();
}

}  // namespace

Command add_train(CLI::App& graft) {
  CLI::App* parser = graft.add_subcommand("train", "Trains a recommender on a dataset directory and measures it");
  const auto arguments = std::make_shared<TrainArguments>();
  add_train_options(*parser, *arguments);
  return {parser, [arguments] { return run_train(*arguments); }};
}

}  // namespace graft::cli
