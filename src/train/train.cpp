// graft::train: a run from its options to its directory.
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <graft/core/error.hpp>
#include <graft/detail/atomic_file.hpp>
#include <graft/detail/file_handle.hpp>
#include <graft/io/npy.hpp>
#include <graft/train/train.hpp>

#include "report/json_text.hpp"
#include "train/checkpoint.hpp"
#include "train/invalid_option.hpp"
#include "train/log_file.hpp"
#include "train/run_files.hpp"
#include "train/run_record.hpp"
#include "train/stopwatch.hpp"
#include "train/trainer.hpp"
#include "train/trainer_settings.hpp"
#include "train/user_sidecar.hpp"

namespace graft::training {
namespace {

using Json = nlohmann::ordered_json;

GraphKind graph_kind(const std::string& graph, const ModelEntry& entry) {
  if (graph == "vanilla") return GraphKind::vanilla;
  if (graph != "refined") throw InvalidOption("graph", graph, "must be vanilla or refined");
  if (entry.uses_item_graph) return GraphKind::refined;
  throw InvalidOption("graph", graph, fmt::format("the model {} has no item graph to refine", entry.name));
}

std::vector<NamedPath> named_paths(const std::vector<NamedInput>& inputs) {
  std::vector<NamedPath> paths;
  paths.reserve(inputs.size());
  for (const NamedInput& input : inputs) paths.push_back({input.name, input.path});
  return paths;
}

void check_modalities(const Settings& settings, const Dataset& data) {
  std::vector<std::string> names;
  names.reserve(data.features.size() + data.similarities.size());
  for (const auto& [name, features] : data.features) names.push_back(name);
  for (const auto& [name, graph] : data.similarities) {
    if (!data.features.contains(name)) names.push_back(name);
  }
  settings.check_modalities(names);
}

/// @throws InvalidOption where user vectors are asked for that nobody reads
UserOptions user_options(const TrainOptions& options, const ModelEntry& entry, const Settings& settings) {
  const bool ever = entry.uses_user_features != nullptr;
  const bool wanted = ever && entry.uses_user_features(settings);
  const bool by_profile = !options.user_profile.empty();
  if (!wanted && (by_profile || !options.user_history.empty())) {
    throw InvalidOption(
        by_profile ? "user_profile" : "user_history", by_profile ? options.user_profile : options.user_history,
        fmt::format("the model {} reads no vectors of users{}", entry.name, ever ? " with these settings" : ""));
  }
  return {.wanted = wanted, .profile = options.user_profile, .history = options.user_history};
}

/// A run under way: the trainer and the files that follow it.
class Job {
 public:
  Job(const TrainOptions& options, const ModelRegistry& registry, const Context& context)
      : options_(options),
        context_(context),
        entry_(registry.find(options.model)),
        graph_(graph_kind(options.graph, entry_)),
        settings_(settings_with(entry_, options.settings)),
        files_(options.out) {
    if (!(options.checkpoint_seconds >= 0.0)) {
      throw InvalidArgument(detail::message(kTrainOperation, "checkpoint_seconds",
                                            fmt::format("{}", options.checkpoint_seconds), "must be >= 0"));
    }
    files_.check_free(options.resume);
    std::error_code error;
    if (std::filesystem::exists(files_.directory(), error)) lock_ = files_.lock();
    data_ = load_dataset({.directory = options.data,
                          .features = named_paths(options.features),
                          .similarities = named_paths(options.similarities),
                          .users = user_options(options, entry_, settings_)},
                         context);
    check_modalities(settings_, data_);
    config_ = run_config(options, settings_, data_);
    identity_ = identity_hash(config_);
  }

  Run run() {
    for (const std::string& notice : data_.notices) tell(notice);
    if (files_.hold_run()) {
      check_alike();
      if (is_over()) return Run::open(files_.directory());
    }
    prepare();
    train();
    return Run::open(files_.directory());
  }

 private:
  /// For the person at the screen and for the report.
  void tell(const std::string& text) {
    notices_.push_back(text);
    notice(text);
  }
  /// For the person at the screen alone: what a run that was never stopped would not say.
  void notice(const std::string& text) const {
    if (options_.on_notice) options_.on_notice(text);
  }

  /// @throws InvalidArgument naming the option that is not the run's
  void check_alike() const {
    try {
      const Json stored = parse_json(files_.config(), read_text(files_.config()));
      const std::string difference = config_difference(config_, stored);
      if (!difference.empty()) {
        throw InvalidArgument(detail::message(kTrainOperation, "resume", files_.directory().string(),
                                              difference + "; give the run's own options, or another directory"));
      }
      const std::string path = stored.value("numeric_path", "");
      const bool same_bits = (path == "baseline") == (config_.at("numeric_path") == "baseline");
      if (!same_bits) notice(fmt::format("the run began on another processor ({}): other bits from here on", path));
    } catch (const Json::exception& error) {
      throw FormatError(detail::message("run", files_.config().string(), "",
                                        fmt::format("is not as `graft train` writes it ({})", error.what())));
    }
  }

  /// Whether the run in the directory has ended and may not go on: epochs or stopping_step may have been raised.
  [[nodiscard]] bool is_over() const {
    std::error_code error;
    if (!std::filesystem::exists(files_.metrics(), error)) return false;
    const Json metrics = parse_json(files_.metrics(), read_text(files_.metrics()));
    const std::string stopped = metrics.value("stopped", "");
    if (stopped != "patience" && stopped != "epochs") return false;
    const std::vector<EpochReport> log = read_log(files_.log());
    EarlyStopping stopping(settings_.integer("stopping_step"));
    for (const EpochReport& report : log) {
      const auto metric = report.valid.find(kStoppingMetric);
      if (metric != report.valid.end()) stopping.observe(report.epoch, metric->second);
    }
    return stopping.exhausted() || static_cast<std::int64_t>(log.size()) >= settings_.integer("epochs");
  }

  /// Makes the model and the files: from here on there is a run to resume.
  void prepare() {
    backend_ = autodiff::cpu_backend(context_.threads);
    trainer_ = std::make_unique<Trainer>(data_, entry_, settings_, *backend_,
                                         TrainerOptions{.graph = graph_, .seed = options_.seed}, context_);
    data_.features.clear();
    data_.similarities.clear();
    data_.user_features.vectors = {};
    for (const std::string& text : trainer_->notices()) tell(text);
    if (!lock_.open()) {
      lock_ = files_.lock();
      files_.check_free(options_.resume);  // another process may have been here since
    }
    std::error_code error;
    const bool begun = files_.hold_run() && std::filesystem::exists(files_.checkpoint(), error);
    if (begun) load_checkpoint(files_.checkpoint(), identity_, *trainer_);
    files_.prepare();
    detail::write_file_atomically(files_.config(), report::json_text(config_), kTrainOperation);
    write_log(files_.log(), trainer_->state().log);
    if (options_.on_start) options_.on_start(report::json_text(config_));
    if (options_.resume) {
      const TrainingState& state = trainer_->state();
      notice(fmt::format("{} at epoch {}, batch {}", begun ? "goes on" : "no checkpoint yet: starts", state.epoch,
                         state.batch));
    }
  }

  void train() {
    const TrainerHooks hooks{.on_epoch =
                                 [this](const EpochReport& report) {
                                   append_to_log(files_.log(), report);
                                   if (options_.on_epoch) options_.on_epoch(report);
                                 },
                             .on_safe_point = [this](bool epoch_done) { save_if_due(epoch_done); }};
    since_save_ = Stopwatch();
    try {
      const Stop stop = trainer_->run(hooks);
      save();
      finish(stop == Stop::patience ? "patience" : "epochs");
    } catch (const NotFinite& error) {
      end_not_finite(error);
    } catch (const Cancelled&) {
      interrupt();
    }
  }

  void save_if_due(bool epoch_done) {
    const bool due =
        options_.checkpoint_seconds > 0.0 ? since_save_.seconds() >= options_.checkpoint_seconds : epoch_done;
    if (due && !trainer_->finished()) save();  // a finished run is saved by its end
  }

  void save() {
    save_checkpoint(files_.checkpoint(), identity_, *trainer_);
    since_save_ = Stopwatch();
  }

  [[nodiscard]] RunSummary summary(std::string stopped) const {
    return {.model = entry_.name,
            .seed = options_.seed,
            .stopped = std::move(stopped),
            .user_history = name(data_.user_features.history),
            .warning = data_.user_features.warning()};
  }

  /// Writes what the best epoch gives. metrics.json comes last: it marks a run that has ended.
  void finish(const char* stopped) {
    trainer_->restore_best();
    const Vectors best = trainer_->vectors();
    Context quiet = context_;
    quiet.progress = {};
    RunRecord record{.config = config_, .log = trainer_->state().log, .graphs = trainer_->graphs()};
    record.evaluation = trainer_->evaluator().full(best.users.view(), best.items.view(), quiet);
    record.metrics = run_metrics(summary(stopped), record.log, record.graphs, record.evaluation, true);
    record.notices = notices_;
    write_npy(files_.user_embeddings(), best.users.view());
    write_npy(files_.item_embeddings(), best.items.view());
    mark_embeddings();
    detail::write_file_atomically(files_.report(), run_report(record, data_, quiet), kTrainOperation);
    detail::write_file_atomically(files_.metrics(), report::json_text(record.metrics), kTrainOperation);
  }

  /// Vectors that were learnt from doubtful ones are no better: their own sidecar says so wherever they go.
  void mark_embeddings() const {
    if (data_.user_features.warning().empty()) return;
    write_user_sidecar(files_.user_embeddings(),
                       {.policy = name(data_.user_features.history), .split_sha256 = data_.split_sha256});
  }

  /// What was the best until then is a usable run; without any epoch there is none.
  [[noreturn]] void end_not_finite(const NotFinite& error) {
    if (trainer_->best_epoch() < 0) throw error;
    tell(error.what());
    finish("not finite");
    throw Error(fmt::format("{}; {} has the best epoch so far, {}", error.what(), files_.directory().string(),
                            trainer_->best_epoch()));
  }

  /// Keeps everything, for --resume, and the metrics of the best epoch so far, for a person who looks.
  [[noreturn]] void interrupt() {
    const TrainingState& state = trainer_->state();
    if (!trainer_->restored()) save();
    Evaluation best;
    for (const EpochReport& report : state.log) {
      if (!report.best) continue;
      best.valid.metrics = report.valid;
      best.test.metrics = report.test;
    }
    if (trainer_->best_epoch() >= 0) {
      const Json metrics = run_metrics(summary("interrupted"), state.log, trainer_->graphs(), best, false);
      detail::write_file_atomically(files_.metrics(), report::json_text(metrics), kTrainOperation);
    }
    throw Cancelled(fmt::format("train: cancelled at epoch {}, batch {}; resume goes on in {}", state.epoch,
                                state.batch, files_.directory().string()));
  }

  const TrainOptions& options_;
  Context context_;
  const ModelEntry& entry_;
  GraphKind graph_;
  Settings settings_;
  RunFiles files_;
  detail::FileHandle lock_;  ///< of the directory, while it is trained into
  Dataset data_;
  Json config_;
  std::string identity_;
  std::vector<std::string> notices_;
  std::unique_ptr<autodiff::Backend> backend_;
  std::unique_ptr<Trainer> trainer_;
  Stopwatch since_save_;
};

}  // namespace

Run train(const TrainOptions& options, const ModelRegistry& registry, const Context& context) {
  return Job(options, registry, context).run();
}

}  // namespace graft::training

namespace graft {

Run train(const TrainOptions& options, const Context& context) {
  return training::train(options, training::ModelRegistry::with_built_in(), context);
}

std::vector<ModelInfo> models() {
  std::vector<ModelInfo> result;
  const training::ModelRegistry registry = training::ModelRegistry::with_built_in();
  for (const training::ModelEntry& entry : registry.entries()) {
    ModelInfo info{.name = entry.name, .description = entry.description, .settings = {}};
    const training::Settings settings = training::default_settings(entry);
    for (const training::SettingSpec& spec : settings.specs()) {
      info.settings.push_back(
          {.name = spec.name, .default_value = training::text_of(spec.default_value), .description = spec.description});
    }
    result.push_back(std::move(info));
  }
  return result;
}

}  // namespace graft
