#include "train/run_files.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include <graft/core/context.hpp>
#include <graft/core/error.hpp>
#include <graft/core/version.hpp>
#include <graft/detail/checked.hpp>
#include <graft/detail/file_reader.hpp>

#include "data/sha256.hpp"
#include "train/epoch_json.hpp"
#include "train/flat_json.hpp"
#include "train/invalid_option.hpp"

namespace graft::training {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

/// A file that a killed process had not finished writing.
bool is_left_over(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with(".graft-") && name.ends_with(".tmp");
}

[[noreturn]] void refuse(const fs::path& directory, const char* problem) {
  throw InvalidArgument(detail::message(kTrainOperation, "out", directory.string(), problem));
}

Json value_json(const SettingValue& value) {
  return std::visit([](const auto& held) { return Json(held); }, value);
}

Json groups_json(const std::vector<GroupMetrics>& groups) {
  Json json = Json::array();
  for (const GroupMetrics& group : groups) {
    json.push_back({{"group", group.group}, {"members", group.members}, {"metrics", metrics_json(group.metrics)}});
  }
  return json;
}

Json split_json(const SplitEvaluation& split) {
  return {{"users", split.users},
          {"interactions", split.interactions},
          {"candidates", split.candidates},
          {"by_activity", groups_json(split.by_activity)},
          {"by_popularity", groups_json(split.by_popularity)}};
}

double mean_train_seconds(const std::vector<EpochReport>& log) {
  double sum = 0.0;
  for (const EpochReport& report : log) sum += report.train_seconds;
  return log.empty() ? 0.0 : sum / static_cast<double>(log.size());
}

std::int64_t best_epoch_of(const std::vector<EpochReport>& log) {
  std::int64_t best = -1;
  for (const EpochReport& report : log) best = report.best ? report.epoch : best;
  return best;
}

}  // namespace

bool RunFiles::hold_run() const {
  std::error_code error;
  return fs::exists(config(), error);
}

void RunFiles::check_free(bool resume) const {
  std::error_code error;
  if (directory_.empty()) refuse(directory_, "must name a directory for the run");
  const fs::file_status status = fs::status(directory_, error);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(status)) refuse(directory_, "exists and is no directory; choose another");
  if (hold_run()) {
    if (!resume) refuse(directory_, "holds a run already; choose another directory, or let it go on (resume)");
    return;
  }
  fs::directory_iterator entries(directory_, error);
  if (error) throw detail::io_error(kTrainOperation, directory_, "cannot read", error.value());
  for (const fs::directory_entry& entry : entries) {
    if (!is_left_over(entry.path())) refuse(directory_, "is not empty and holds no run; choose another directory");
  }
}

detail::FileHandle RunFiles::lock() const {
  std::error_code error;
  fs::create_directories(directory_, error);
  if (error) throw detail::io_error(kTrainOperation, directory_, "cannot create the directory", error.value());
  detail::FileHandle handle(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // A file system without locks is no reason not to train.
  if (handle.open() && ::flock(handle.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    refuse(directory_, "another process is training there; wait for it, or choose another directory");
  }
  return handle;
}

void RunFiles::prepare() const {
  std::error_code error;
  fs::directory_iterator entries(directory_, error);
  if (error) throw detail::io_error(kTrainOperation, directory_, "cannot read", error.value());
  std::vector<fs::path> removed = {metrics(), report()};
  for (const fs::directory_entry& entry : entries) {
    if (is_left_over(entry.path())) removed.push_back(entry.path());
  }
  for (const fs::path& path : removed) {
    fs::remove(path, error);
    if (error) throw detail::io_error(kTrainOperation, path, "cannot remove", error.value());
  }
}

std::string read_text(const fs::path& path) {
  const detail::FileReader file("run", path);
  std::string text(detail::as_size(file.size()), '\0');
  file.read_at(0, std::as_writable_bytes(std::span(text)));
  return text;
}

Json parse_json(const fs::path& path, std::string_view text) {
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) {
    throw FormatError(detail::message("run", path.string(), "", "must be a JSON object, as `graft train` writes it"));
  }
  return json;
}

Json run_config(const TrainOptions& options, const Settings& settings, const Dataset& data) {
  Json values = Json::object();
  for (const auto& [name, value] : settings.values()) values[name] = value_json(value);
  Json inputs = Json::array();
  for (const InputFile& file : data.files) {
    inputs.push_back({{"role", file.role},
                      {"path", file.path.string()},
                      {"rows", file.rows},
                      {"cols", file.cols},
                      {"sha256", file.sha256}});
  }
  std::error_code error;
  const fs::path directory = fs::absolute(options.data, error);
  Json config = {{"version", kVersion},
                 {"model", options.model},
                 {"graph", options.graph},
                 {"seed", options.seed},
                 {"settings", std::move(values)},
                 {"data",
                  {{"directory", (error ? options.data : directory).lexically_normal().string()},
                   {"name", data.name},
                   {"users", data.users},
                   {"items", data.items},
                   {"train", static_cast<std::int64_t>(data.train_users.size())},
                   {"valid", data.valid.size()},
                   {"test", data.test.size()},
                   {"split_sha256", data.split_sha256}}},
                 {"inputs", std::move(inputs)},
                 {"numeric_path", name(resolve_numeric_path())}};
  if (data.user_features.wanted) {
    config["users"] = {{"profile", name(data.user_features.profile)},
                       {"history", name(data.user_features.history)},
                       {"history_known_by", name(data.user_features.source)}};
  }
  return config;
}

Json run_identity(const Json& config) {
  Json identity = Json::object();
  for (const char* key : {"model", "graph", "users", "seed", "settings"}) {
    if (config.contains(key)) identity[key] = config.at(key);
  }
  if (identity.contains("settings")) {
    for (const char* key : {"epochs", "stopping_step"}) identity["settings"].erase(key);
  }
  const Json data = config.value("data", Json::object());
  for (const char* key : {"users", "items", "split_sha256"}) {
    if (data.contains(key)) identity["data"][key] = data.at(key);
  }
  for (const Json& input : config.value("inputs", Json::array())) {
    const std::string role = input.value("role", "");
    // Columns that training does not read may differ; the split's hash has those that it does.
    if (role != "interactions") identity["inputs"][role] = input.value("sha256", "");
  }
  return identity;
}

std::string identity_hash(const Json& config) {
  const std::string text = run_identity(config).dump();
  data::Sha256 hash;
  hash.update(text.data(), text.size());
  return hash.finish();
}

std::string config_difference(const Json& asked, const Json& stored) {
  const auto ours = flat(run_identity(asked));
  const auto theirs = flat(run_identity(stored));
  const auto value_in = [](const auto& rows, const std::string& path) {
    for (const auto& [key, value] : rows) {
      if (key == path) return value;
    }
    return std::string("none");
  };
  for (const auto& [path, value] : ours) {
    const std::string other = value_in(theirs, path);
    if (other != value) return fmt::format("{} = {}, but the run has {}", path, value, other);
  }
  for (const auto& [path, value] : theirs) {
    if (value_in(ours, path) != value) return fmt::format("{} = none, but the run has {}", path, value);
  }
  return "";
}

Json run_metrics(const RunSummary& summary, const std::vector<EpochReport>& log, const std::vector<NamedGraph>& graphs,
                 const Evaluation& evaluation, bool with_groups) {
  Json json = {{"model", summary.model},     {"best_epoch", best_epoch_of(log)},
               {"epochs", log.size()},       {"seconds_per_epoch", mean_train_seconds(log)},
               {"stopped", summary.stopped}, {"seed", summary.seed}};
  if (!summary.warning.empty()) {
    json["user_history"] = summary.user_history;
    json["warning"] = summary.warning;
  }
  json["valid"] = metrics_json(evaluation.valid.metrics);
  json["test"] = metrics_json(evaluation.test.metrics);
  if (with_groups) {
    json["groups"] = {{"valid", split_json(evaluation.valid)}, {"test", split_json(evaluation.test)}};
    json["candidates"] = name(evaluation.candidates);
    json["catalogue"] = metrics_json(evaluation.catalogue);
  }
  for (const NamedGraph& graph : graphs) {
    json["graphs"].push_back(
        {{"name", graph.name}, {"edges", graph.graph.edges()}, {"description", graph.description}});
  }
  return json;
}

}  // namespace graft::training
