// MLLMRec: items and users by what is said of them, items smoothed over a refined item graph.
//
//   E*  = sum_{l = 0..n_ii_layers} A^l E_I                   frozen, computed once (gcn_ii=false: E* = E_I)
//   h_i = MLP_I(E*_i),  h_u = MLP_U(E_U,u)                   Linear(d_in, 4 d), LeakyReLU(0.01), Linear(4 d, d)
//   score(u, i) = <h_u, h_i>,  loss = BPR
//
// E_I: ItemFeatures. A: with --graph refined the paper's graph (thresholded KNN and Jaccard of audiences), vanilla the
// KNN graph of E_I alone, self included, equal weights (the paper's "w/o GD" and "w/o TE" at once); each of the two is
// left out by gr_threshold=-1 and gr_jaccard_k=0. E_U: vectors of a file, or profiles of the training items
// (TrainOptions::user_profile, TrainProfiles); user_vectors=table or random are the paper's "w/o RS". gcn_ui=true is
// its "w/ GCN_UI": with z_0 the rows of h scaled to length 1 and B the normalised user-item graph, z_l = B z_{l-1}, and
// h + z_0 + z_1 + z_2 takes the place of h. (B holds the pairs that are trained on, as in every graph model; z is of
// whole profiles.)
//
// "MLLMRec: A preference reasoning paradigm with graph refinement", Eq. 5-15, and the authors' settings. The paper
// initialises by Xavier, its code by Linear's own default (init). Published grid: gr_jaccard_k {5, 10, 15, 20} x
// gr_threshold {0.4, 0.5, 0.6, 0.7}; best on Baby 10, 0.7; Sports 10, 0.4; Clothing 15, 0.6, chosen with user vectors
// that held test interactions.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <graft/core/error.hpp>
#include <graft/ops/propagate.hpp>

#include "train/item_features.hpp"
#include "train/item_graph.hpp"
#include "train/light_convolution.hpp"
#include "train/model.hpp"
#include "train/ranking_loss.hpp"
#include "train/train_profiles.hpp"
#include "train/user_item_graph.hpp"

namespace graft::training::models {
namespace {

using autodiff::Parameter;
using autodiff::Sparse;
using autodiff::Tape;
using autodiff::Tensor;
using autodiff::Var;

Tensor uploaded(const ModelInputs& inputs, MatrixView<const float> matrix) {
  autodiff::Backend& backend = inputs.parameters.backend();
  Tensor tensor = backend.allocate(matrix.rows(), matrix.cols());
  backend.upload(tensor, matrix);
  return tensor;
}

/// Linear(in, 4 out), LeakyReLU, Linear(4 out, out).
class Tower {
 public:
  Tower(const ModelInputs& inputs, const std::string& name, std::int64_t in)
      : out_(inputs.settings.integer("feat_embed_dim")),
        weight1_(add_weight(inputs, name + "_weight1", kHidden * out_, in)),
        bias1_(add_bias(inputs, name + "_bias1", kHidden * out_, in)),
        weight2_(add_weight(inputs, name + "_weight2", out_, kHidden * out_)),
        bias2_(add_bias(inputs, name + "_bias2", out_, kHidden * out_)) {}

  Var apply(Var x) {
    Tape& tape = x.tape();
    const Var hidden = leaky_relu(linear(x, tape.parameter(weight1_), tape.parameter(bias1_)), kSlope);
    return linear(hidden, tape.parameter(weight2_), tape.parameter(bias2_));
  }

 private:
  static constexpr std::int64_t kHidden = 4;  ///< times out
  static constexpr double kSlope = 0.01;

  static bool xavier(const ModelInputs& inputs) { return inputs.settings.word("init") == "xavier"; }
  static Parameter& add_weight(const ModelInputs& inputs, const std::string& name, std::int64_t rows,
                               std::int64_t cols) {
    return inputs.parameters.add(name, rows, cols,
                                 xavier(inputs) ? Initializer::xavier_uniform : Initializer::torch_linear, cols);
  }
  static Parameter& add_bias(const ModelInputs& inputs, const std::string& name, std::int64_t size,
                             std::int64_t fan_in) {
    return inputs.parameters.add(name, 1, size, xavier(inputs) ? Initializer::zeros : Initializer::torch_linear,
                                 fan_in);
  }

  std::int64_t out_;
  Parameter& weight1_;
  Parameter& bias1_;
  Parameter& weight2_;
  Parameter& bias2_;
};

ProfileTraining profile_training(const ModelInputs& inputs) {
  const std::string& word = inputs.settings.word("profile_training");
  if (word == "half") return ProfileTraining::half;
  return word == "whole" ? ProfileTraining::whole : ProfileTraining::leave_one_out;
}

/// h_u, of everybody and of a batch: a trained table, or what MLP_U makes of frozen vectors or of profiles.
class UserSide {
 public:
  UserSide(const ModelInputs& inputs, MatrixView<const float> item_features) {
    const std::string& vectors = inputs.settings.word("user_vectors");
    const bool random = vectors == "random" || inputs.user_input.profile == UserProfile::random;
    std::int64_t dims = item_features.cols();
    if (vectors == "table") {
      table_ = &inputs.parameters.add("user_embedding", inputs.users, inputs.settings.integer("feat_embed_dim"),
                                      Initializer::xavier_uniform);
      return;
    }
    if (random) {
      const Matrix directions = random_directions(inputs.users, dims, inputs.seed);
      frozen_ = uploaded(inputs, directions.view());
    } else if (inputs.user_input.profile == UserProfile::file) {
      frozen_ = uploaded(inputs, inputs.user_input.vectors);
      dims = frozen_.cols();
    } else {
      profiles_ = std::make_unique<TrainProfiles>(inputs.train, item_features, inputs.user_input.profile,
                                                  profile_training(inputs), inputs.parameters.backend());
    }
    tower_ = std::make_unique<Tower>(inputs, "user", dims);
  }

  Var whole(Tape& tape) {
    if (table_ != nullptr) return tape.parameter(*table_);
    return tower_->apply(profiles_ ? profiles_->whole(tape) : tape.constant(frozen_));
  }
  Var of_batch(Tape& tape, const Batch& batch) {
    return profiles_ ? tower_->apply(profiles_->of_batch(tape, batch)) : rows(whole(tape), batch.users);
  }

 private:
  Parameter* table_ = nullptr;
  Tensor frozen_;
  std::unique_ptr<TrainProfiles> profiles_;
  std::unique_ptr<Tower> tower_;  ///< but for a table
};

class Mllmrec : public Model {
 public:
  explicit Mllmrec(const ModelInputs& inputs) : Mllmrec(inputs, ItemFeatures(inputs)) {}

  Var loss(Tape& tape, const Batch& batch) override {
    Var users = user_side_.of_batch(tape, batch);
    Var items = item_tower_.apply(tape.constant(items_));
    if (user_item_) {
      const Representations smooth = smoothed({user_side_.whole(tape), items});
      users = users + rows(smooth.users, batch.users);
      items = items + smooth.items;
    }
    const Var both = rows(items, batch.items);
    return bpr_loss(BatchRows{.users = users,
                              .positives = slice_rows(both, 0, batch.size),
                              .negatives = slice_rows(both, batch.size, batch.size)});
  }

  Representations represent(Tape& tape) override {
    const Representations own{user_side_.whole(tape), item_tower_.apply(tape.constant(items_))};
    if (!user_item_) return own;
    const Representations smooth = smoothed(own);
    return {own.users + smooth.users, own.items + smooth.items};
  }

 private:
  Mllmrec(const ModelInputs& inputs, const ItemFeatures& features)
      : items_(propagated(inputs, features)),
        item_tower_(inputs, "item", items_.cols()),
        user_side_(inputs, features.view()) {
    if (inputs.settings.flag("gcn_ui")) {
      user_item_ = inputs.parameters.backend().sparse(normalized_block(inputs.train));
    }
  }

  /// E*
  static Tensor propagated(const ModelInputs& inputs, const ItemFeatures& features) {
    inputs.settings.check_modalities(std::vector{features.name()});
    const std::int64_t layers = inputs.settings.flag("gcn_ii") ? inputs.settings.integer("n_ii_layers") : 0;
    if (layers == 0) {
      if (inputs.graph == GraphKind::refined) {
        inputs.notices.emplace_back("graph refined: has no effect: the model propagates over no item graph");
      }
      return uploaded(inputs, features.view());
    }
    ItemModality modality{.name = features.name(), .features = features.view()};
    for (const auto& [name, graph] : inputs.similarities) {
      if (name == modality.name) {
        modality.similarity = graph.view();
      } else {
        inputs.notices.push_back(
            fmt::format("similarity {}: left out: the item graph is that of {}", name, modality.name));
      }
    }
    const ItemGraphFamily family{.knn_k = inputs.settings.integer("knn_k")};
    const Graph graph = item_graph(inputs, {modality}, family);
    const Matrix sums = propagate(graph, features.view(), layers, Aggregation::sum, inputs.context);
    return uploaded(inputs, sums.view());
  }

  /// z_0 + z_1 + z_2
  [[nodiscard]] Representations smoothed(const Representations& own) const {
    constexpr std::int64_t kLayers = 2;
    const Representations unit{normalize_rows(own.users), normalize_rows(own.items)};
    const Representations mean = light_convolution(user_item_, unit, kLayers);
    constexpr double kTerms = kLayers + 1;
    return {kTerms * mean.users, kTerms * mean.items};
  }

  Tensor items_;  ///< E*
  Tower item_tower_;
  UserSide user_side_;
  Sparse user_item_;  ///< B, with gcn_ui
};

}  // namespace

ModelEntry mllmrec_model() {
  std::vector<SettingSpec> settings{
      {"feat_embed_dim", std::int64_t{64}, "length of a user's and an item's vector; hidden layers are 4 times as wide",
       1, 4096},
      {"n_ii_layers", std::int64_t{1}, "layers over the item graph", 0, 16},
      {"knn_k", std::int64_t{10}, "neighbours of an item by its features, itself included", 1},
      {.name = "init",
       .default_value = std::string("torch"),
       .description = "of the MLPs: as the published code or as the paper says",
       .choices = {"torch", "xavier"}},
      {"gcn_ii", true, "propagate over the item graph; false: the paper's w/o GCN_II"},
      {"gcn_ui", false, "propagate over the user-item graph, too: the paper's w/ GCN_UI"},
      {.name = "user_vectors",
       .default_value = std::string("profile"),
       .description =
           "what MLP_U reads; table: no MLP_U, a trained vector a user; random: fixed random directions (the "
           "paper's w/o RS)",
       .choices = {"profile", "table", "random"}},
      {.name = "profile_training",
       .default_value = std::string("leave_one_out"),
       .description = "training items in the profile of an example, where graft builds it: all but the positive, a "
                      "random half without it, or all (the naive form)",
       .choices = {"leave_one_out", "half", "whole"}}};
  for (SettingSpec& spec : refinement_settings(Weights::binary)) settings.push_back(std::move(spec));
  return {
      .name = "mllmrec",
      .description = "MLPs over item features, smoothed by a refined graph, and user vectors (MLLMRec, 2025)",
      .settings = std::move(settings),
      .uses_item_graph = true,
      .uses_user_features = [](const Settings& chosen) { return chosen.word("user_vectors") == "profile"; },
      .make = [](const ModelInputs& inputs) -> std::unique_ptr<Model> { return std::make_unique<Mllmrec>(inputs); }};
}

}  // namespace graft::training::models
