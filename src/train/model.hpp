// What a model is: parameters, a forward pass and a loss on the tape. Everything else is the trainer's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <graft/core/context.hpp>
#include <graft/core/graph.hpp>
#include <graft/core/interactions.hpp>
#include <graft/core/matrix_view.hpp>

#include "autodiff/tape.hpp"
#include "data/random.hpp"
#include "train/batch.hpp"
#include "train/settings.hpp"
#include "train/user_features.hpp"

namespace graft::training {

/// Which item-item graph a model's graph slots hold.
enum class GraphKind {
  vanilla,  ///< the model's own
  refined   ///< graft's: thresholded and enhanced ("Vanilla+GR")
};

/// How a new parameter is filled; sizes are those of the parameter's matrix [rows, cols].
enum class Initializer {
  zeros,
  xavier_uniform,  ///< U(-l, l), l = sqrt(6 / (rows + cols))
  xavier_normal,   ///< N(0, 2 / (rows + cols))
  torch_linear     ///< U(-1/sqrt(fan_in), 1/sqrt(fan_in)), fan_in given
};

/// The parameters of a model, each drawn from a random stream of its own that its name decides: adding one does not
/// change the others.
class ParameterStore {
 public:
  ParameterStore(autodiff::Backend& backend, std::uint64_t seed) : backend_(backend), seed_(seed) {}

  /// @param fan_in  for torch_linear   @throws InvalidArgument if the name exists
  autodiff::Parameter& add(std::string name, std::int64_t rows, std::int64_t cols, Initializer initializer,
                           std::int64_t fan_in = 0);
  autodiff::Parameter& add(std::string name, MatrixView<const float> value);

  [[nodiscard]] std::deque<autodiff::Parameter>& all() { return parameters_; }  ///< in order of adding
  [[nodiscard]] autodiff::Backend& backend() const { return backend_; }

 private:
  autodiff::Parameter& insert(std::string name, std::int64_t rows, std::int64_t cols);

  autodiff::Backend& backend_;
  std::uint64_t seed_;
  std::deque<autodiff::Parameter> parameters_;  // a deque: references stay valid
};

/// An item graph that a model built, for the run's report.
struct NamedGraph {
  std::string name;         ///< "text", "image", "mixed"
  std::string description;  ///< one line: how it was made
  Graph graph;
};

/// The vectors of users, for models that read some.
struct UserInput {
  UserProfile profile = UserProfile::mean;  ///< mean, sum, random: the model makes them from what it is given
  MatrixView<const float> vectors = {};     ///< [users, dims], for UserProfile::file
};

/// What a model is made from. It holds training interactions only: a model cannot see the held-out ones. Features and
/// similarities are there only while the model is made.
struct ModelInputs {
  std::int64_t users = 0;
  std::int64_t items = 0;
  const Interactions& train;
  const std::map<std::string, Matrix>& features;
  const std::map<std::string, Graph>& similarities;
  UserInput user_input = {};
  GraphKind graph = GraphKind::vanilla;
  const Settings& settings;
  std::uint64_t seed = 999;
  Context context = {};  ///< for operators
  ParameterStore& parameters;
  std::vector<NamedGraph>& graphs;    ///< the model adds those it uses
  std::vector<std::string>& notices;  ///< the model adds what a person should know
};

/// Final vectors: a user's score for an item is the dot product of theirs.
struct Representations {
  autodiff::Var users;  ///< [users, dims]
  autodiff::Var items;  ///< [items, dims]
};

class Model {
 public:
  Model() = default;
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
  Model(Model&&) = delete;
  Model& operator=(Model&&) = delete;
  virtual ~Model() = default;

  /// Before the first batch of an epoch (0-based): a model that samples graphs does it here, from `random`, which is a
  /// function of seed and epoch: a resumed run samples the same.
  virtual void begin_epoch(std::int64_t epoch, data::RandomStream& random) {
    static_cast<void>(epoch);
    static_cast<void>(random);
  }
  /// What the rest of the epoch depends on and neither the parameters nor begin_epoch() give, such as a graph that its
  /// first batch learned: goes into checkpoints that are written between two batches of an epoch.
  [[nodiscard]] virtual std::vector<std::byte> save_state() const { return {}; }
  /// Takes back what save_state() gave; begin_epoch() of the epoch that goes on follows.
  /// @throws InvalidArgument if it is no state of this model
  virtual void load_state(std::span<const std::byte> state);
  /// The loss [1, 1] of a batch.
  virtual autodiff::Var loss(autodiff::Tape& tape, const Batch& batch) = 0;
  /// As evaluation sees them: no dropout, full graphs.
  virtual Representations represent(autodiff::Tape& tape) = 0;
};

/// An entry of the list of models.
struct ModelEntry {
  std::string name;         ///< as --model spells it
  std::string description;  ///< one line with the paper
  std::vector<SettingSpec> settings;
  bool uses_item_graph = false;  ///< whether --graph refined has a meaning
  /// Whether the model reads vectors of users (--user-profile) with these settings; null: with none.
  bool (*uses_user_features)(const Settings&) = nullptr;
  std::unique_ptr<Model> (*make)(const ModelInputs&) = nullptr;
  /// Gradients of parameters that had no part in a step's loss skip the step instead of counting as zero. A setting
  /// `skip_missing_gradients` of the model decides in place of this.
  bool skip_missing_gradients = false;
};

/// The models of the program: those under src/models (a file NAME.cpp defines `ModelEntry NAME_model()`), then those
/// that were added.
class ModelRegistry {
 public:
  static ModelRegistry with_built_in();
  /// @throws InvalidArgument if the name exists
  void add(ModelEntry entry);
  /// @throws InvalidArgument for an unknown name: suggests the nearest, names the rest
  [[nodiscard]] const ModelEntry& find(std::string_view name) const;
  [[nodiscard]] const std::vector<ModelEntry>& entries() const& { return entries_; }

 private:
  std::vector<ModelEntry> entries_;
};

}  // namespace graft::training
