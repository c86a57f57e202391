// Training a recommender on a dataset directory, and what comes out: a run.
//
//     graft::Run run = graft::train({.model = "freedom", .data = "data/baby", .out = "runs/1", .graph = "refined"});
//     double recall = run.test().at("recall@20");
//     graft::Ranking best = run.recommend(users, 20);
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <graft/core/context.hpp>
#include <graft/core/matrix_view.hpp>
#include <graft/ops/top_k_scores.hpp>
#include <graft/train/evaluation.hpp>

namespace graft {

/// A file under the name of its modality.
struct NamedInput {
  std::string name;  ///< letters, digits and _: "text", "image"
  std::filesystem::path path;
};

/// One epoch, as log.csv has it.
struct EpochReport {
  std::int64_t epoch = 0;  ///< 0-based
  double loss = 0.0;       ///< mean over the batches
  double learning_rate = 0.0;
  Metrics valid = {};
  Metrics test = {};
  bool best = false;  ///< whether this epoch's weights are the best so far
  double train_seconds = 0.0;
  double evaluation_seconds = 0.0;
};

struct TrainOptions {
  std::string model;                          ///< one of models()
  std::filesystem::path data;                 ///< dataset directory
  std::filesystem::path out;                  ///< run directory; must not hold a run unless `resume`
  std::string graph = "vanilla";              ///< vanilla or refined: what the model's item graph is
  std::vector<NamedInput> features = {};      ///< .npy [items, dims], beside the directory's own *_feat.npy
  std::vector<NamedInput> similarities = {};  ///< .npz similarity graphs in place of features
  /// The vectors of users, for models that read some (mllmrec): "mean" or "sum" of the training items' features,
  /// "random", or a .npy file [users, dims]; empty: DIR/user_preferences_feat.npy where there is one, else "mean".
  std::string user_profile = {};
  /// What the file of user vectors was made from, on your word: "train", "unknown" or "all". Empty: its sidecar must
  /// say that it was the training rows of this very split. All that comes of "unknown" and "all" is marked.
  std::string user_history = {};
  std::vector<std::string> settings = {};  ///< "key=value", see models()
  std::uint64_t seed = 999;
  /// Continues the run in `out` from its checkpoint, with the bits it would have had; the other options must be those
  /// of the run (`epochs` and `stopping_step` may differ). A finished run is returned as it is.
  bool resume = false;
  double checkpoint_seconds = 60.0;  ///< time between checkpoints, >= 0; 0: after every epoch
  /// Called once, when data and model are ready and before the first batch (also of a run that goes on), with the text
  /// of config.json: the data's counts and hashes, every setting.
  std::function<void(const std::string& config_json)> on_start = {};
  /// Called after every epoch, from the calling thread.
  std::function<void(const EpochReport&)> on_epoch = {};
  /// Called with things a person should know: before training and when it ends early.
  std::function<void(const std::string&)> on_notice = {};
};

/// A trained model in its directory.
class Run {
 public:
  /// @throws IoError, FormatError if the directory holds no run, or one that has not finished (names `resume`)
  static Run open(const std::filesystem::path& directory);

  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  Run(Run&&) noexcept;
  Run& operator=(Run&&) noexcept;
  ~Run();

  [[nodiscard]] const std::filesystem::path& directory() const&;
  [[nodiscard]] const std::string& model() const&;
  /// Epochs that were trained, and the one whose weights were kept (0-based).
  [[nodiscard]] std::int64_t epochs() const;
  [[nodiscard]] std::int64_t best_epoch() const;
  [[nodiscard]] double seconds_per_epoch() const;
  /// Of the best epoch, which validation chose.
  [[nodiscard]] const Metrics& valid() const&;
  [[nodiscard]] const Metrics& test() const&;
  [[nodiscard]] const std::vector<EpochReport>& log() const&;
  /// What everybody who reads the run's numbers must know; none for a run like any other.
  [[nodiscard]] const std::vector<std::string>& notices() const&;
  /// config.json and metrics.json as they are in the directory.
  [[nodiscard]] const std::string& config_json() const&;
  [[nodiscard]] const std::string& metrics_json() const&;

  /// Final vectors of the best epoch: [users, dims] and [items, dims]; a score is the dot product.
  [[nodiscard]] const Matrix& user_embeddings() const&;
  [[nodiscard]] const Matrix& item_embeddings() const&;

  /// The best k items of each user, without the user's training items: row r of the ranking belongs to users[r].
  /// @param data  the dataset directory, if it has moved since training   @throws InvalidArgument (user, k), IoError,
  ///        FormatError (the training interactions are not those of the run)
  [[nodiscard]] Ranking recommend(std::span<const std::int32_t> users, std::int64_t k = 20,
                                  const std::filesystem::path& data = {}, const Context& context = {}) const;

 private:
  struct State;
  explicit Run(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Trains a model by the protocol of the MMRec family: one negative a positive, dense Adam, early stopping on
/// validation Recall@20, the best epoch's weights kept.
///
/// The result is a function of the data, the options and the seed on one numeric path; `context.threads` changes only
/// the time. Cancelling ends after the current batch with Cancelled, and leaves a directory that `resume` continues.
/// `context.progress` is called with operation "train": batches done of the epoch's.
/// @throws InvalidArgument (unknown model or setting: suggests the nearest; a directory that holds a run already, or
///         that another process trains into), IoError, FormatError, OutOfMemory, Cancelled, Error (a loss that is not
///         finite: names epoch, batch and parameter)
Run train(const TrainOptions& options, const Context& context = {});

/// A setting of a model or of the trainer, as `key=value` sets it.
struct SettingInfo {
  std::string name;
  std::string default_value;
  std::string description;
};
struct ModelInfo {
  std::string name;
  std::string description;
  std::vector<SettingInfo> settings;
};
/// The models of this build with all their settings.
std::vector<ModelInfo> models();

}  // namespace graft
