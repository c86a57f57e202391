// The training loop: any model, any backend.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <graft/core/context.hpp>
#include <graft/core/error.hpp>
#include <graft/core/matrix_view.hpp>
#include <graft/train/evaluation.hpp>
#include <graft/train/train.hpp>

#include "autodiff/backend.hpp"
#include "train/adam.hpp"
#include "train/dataset.hpp"
#include "train/early_stopping.hpp"
#include "train/evaluator.hpp"
#include "train/model.hpp"
#include "train/sampler.hpp"
#include "train/settings.hpp"

namespace graft::training {

/// graft::train with the models of `registry`: those of the program, or a test's own.
Run train(const TrainOptions& options, const ModelRegistry& registry, const Context& context = {});

/// A loss, or a final vector, is NaN or infinite: there is nothing to train on. The best epoch so far is untouched.
class NotFinite : public Error {
 public:
  using Error::Error;
};

/// Why training ended.
enum class Stop {
  patience,  ///< validation did not get better for long enough
  epochs     ///< all epochs are done
};

/// Where training is: together with the parameters and the optimiser's state, what a checkpoint holds.
struct TrainingState {
  std::int64_t epoch = 0;            ///< that is being trained, 0-based
  std::int64_t batch = 0;            ///< batches of it that are done
  double loss_sum = 0.0;             ///< over those batches
  double seconds = 0.0;              ///< spent on those batches
  std::vector<EpochReport> log;      ///< of the epochs before
  std::vector<Matrix> best_weights;  ///< parameters of the best epoch, in order of adding; none before the first
};

/// User and item vectors in host memory.
struct Vectors {
  Matrix users;  ///< [users, dims]
  Matrix items;  ///< [items, dims]
};

struct TrainerOptions {
  GraphKind graph = GraphKind::vanilla;
  std::uint64_t seed = 999;
};

/// What the loop calls, from the calling thread.
struct TrainerHooks {
  /// After an epoch, which is in the log.
  std::function<void(const EpochReport&)> on_epoch = [](const EpochReport&) {};
  /// After each batch and, with `epoch_done`, each epoch: the state is whole, and may be saved.
  std::function<void(bool epoch_done)> on_safe_point = [](bool) {};
};

/// Trains a model by the protocol: shuffled batches, one negative a positive, Adam, early stopping.
///
/// Every step is a function of (data, settings, seed, epoch, number of the batch) and of the weights, so training may
/// end after any batch and go on, from a checkpoint, in another process: the bits are those of one that never stopped.
class Trainer {
 public:
  /// Makes the model. All but `options` and `context` must outlive the trainer, `data`'s features and similarities
  /// excepted: a model reads them while it is made. @throws InvalidArgument as the model and the sampler do
  Trainer(const Dataset& data, const ModelEntry& entry, const Settings& settings, autodiff::Backend& backend,
          TrainerOptions options, const Context& context);

  /// Trains from where the state is to the end.
  /// @throws Cancelled after a batch, NotFinite; the state is then that after the last whole batch
  Stop run(const TrainerHooks& hooks);

  [[nodiscard]] const TrainingState& state() const& { return state_; }
  [[nodiscard]] std::int64_t best_epoch() const { return stopping_.best_epoch(); }  ///< -1: none yet
  [[nodiscard]] bool finished() const { return stopping_.exhausted() || state_.epoch >= epochs_; }

  /// Replaces the parameters by those of the best epoch: for final vectors; training cannot go on after it.
  void restore_best();
  [[nodiscard]] bool restored() const { return restored_; }
  /// @throws NotFinite naming the first user or item whose vector is not finite
  Vectors vectors();

  // For checkpoints.
  [[nodiscard]] ParameterStore& parameters() { return parameters_; }
  [[nodiscard]] Model& model() { return *model_; }
  /// Settled: every row has taken every step, which changes no bit of what follows.
  Adam& settled_adam();
  void set_state(TrainingState state);

  [[nodiscard]] const std::vector<NamedGraph>& graphs() const& { return graphs_; }
  [[nodiscard]] const std::vector<std::string>& notices() const& { return notices_; }
  [[nodiscard]] const Evaluator& evaluator() const& { return evaluator_; }

 private:
  void train_epoch(const TrainerHooks& hooks);
  double train_batch(double learning_rate);
  void end_epoch(const TrainerHooks& hooks);
  void evaluate(EpochReport& report);
  [[nodiscard]] Evaluation quick_evaluation(const Vectors& final) const;
  void keep_best();
  [[noreturn]] void fail_not_finite(double loss);

  const Dataset& data_;
  const ModelEntry& entry_;
  const Settings& settings_;
  autodiff::Backend& backend_;
  TrainerOptions options_;
  Context context_;
  Context quiet_context_;  ///< without progress: for the steps within
  std::int64_t epochs_;
  Evaluator evaluator_;  // before the model: what it refuses costs nothing yet
  ParameterStore parameters_;
  std::vector<NamedGraph> graphs_;
  std::vector<std::string> notices_;
  std::unique_ptr<Model> model_;
  Adam adam_;  // after the model, which adds the parameters
  Sampler sampler_;
  EarlyStopping stopping_;
  TrainingState state_;
  bool restored_ = false;
};

}  // namespace graft::training
