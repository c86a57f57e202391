// The files of a run directory, and what config.json and metrics.json say.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/detail/file_handle.hpp>
#include <graft/train/evaluation.hpp>
#include <graft/train/train.hpp>

#include "train/dataset.hpp"
#include "train/model.hpp"
#include "train/settings.hpp"

namespace graft::training {

/// Where things are.
class RunFiles {
 public:
  explicit RunFiles(std::filesystem::path directory) : directory_(std::move(directory)) {}

  [[nodiscard]] const std::filesystem::path& directory() const& { return directory_; }
  [[nodiscard]] std::filesystem::path config() const { return directory_ / "config.json"; }
  [[nodiscard]] std::filesystem::path metrics() const { return directory_ / "metrics.json"; }
  [[nodiscard]] std::filesystem::path log() const { return directory_ / "log.csv"; }
  [[nodiscard]] std::filesystem::path checkpoint() const { return directory_ / "checkpoint.bin"; }
  [[nodiscard]] std::filesystem::path report() const { return directory_ / "report.html"; }
  [[nodiscard]] std::filesystem::path user_embeddings() const { return directory_ / "user_embeddings.npy"; }
  [[nodiscard]] std::filesystem::path item_embeddings() const { return directory_ / "item_embeddings.npy"; }

  /// Whether the directory holds a run, finished or not: its configuration is there.
  [[nodiscard]] bool hold_run() const;
  /// @throws InvalidArgument unless training may write here: the directory is absent or empty or, with `resume`, holds
  ///         a run
  void check_free(bool resume) const;
  /// Keeps other processes from training here for as long as what it returns lives; makes the directory.
  /// @throws InvalidArgument: another process is training here
  [[nodiscard]] detail::FileHandle lock() const;
  /// Removes what a killed run left half-written, and the marks of one that ended: it is going on.
  void prepare() const;

 private:
  std::filesystem::path directory_;
};

/// The text of a file. @throws IoError
std::string read_text(const std::filesystem::path& path);
/// @throws FormatError naming `path` if the text is no JSON object
nlohmann::ordered_json parse_json(const std::filesystem::path& path, std::string_view text);

/// config.json: all that decides the result, and where the data were.
nlohmann::ordered_json run_config(const TrainOptions& options, const Settings& settings, const Dataset& data);
/// The part that must be alike for a run to go on: not the paths, nor how long to train.
nlohmann::ordered_json run_identity(const nlohmann::ordered_json& config);
/// SHA-256 of run_identity.
std::string identity_hash(const nlohmann::ordered_json& config);
/// The first value that keeps a run from going on with another configuration, in words: "settings.learning_rate = 0.1,
/// but the run has 0.001". Empty: none.
std::string config_difference(const nlohmann::ordered_json& asked, const nlohmann::ordered_json& stored);

/// What metrics.json tells beside the metrics.
struct RunSummary {
  std::string model;
  std::uint64_t seed = 0;
  std::string stopped;  ///< "patience", "epochs", "not finite", "interrupted"
  /// Of user vectors that may hold what is measured; empty: there are none such.
  std::string user_history = {};
  std::string warning = {};
};

/// metrics.json. seconds_per_epoch is the mean of the epochs' train_seconds.
/// @param graphs  that the model used   @param evaluation  of the best epoch   @param with_groups  also groups and
/// catalogue
nlohmann::ordered_json run_metrics(const RunSummary& summary, const std::vector<EpochReport>& log,
                                   const std::vector<NamedGraph>& graphs, const Evaluation& evaluation,
                                   bool with_groups);

}  // namespace graft::training
