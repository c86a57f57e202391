// FREEDOM: a frozen item-item graph of the modalities beside a pruned user-item graph.
//
//   h   = M^{n_mm_layers} P_I,   M = w M_image + (1 - w) M_text, frozen, from the features as they were given
//   X^0 = [P_U; P_I],  X^{l+1} = A X^l,  X = mean(X^0 ... X^{n_ui_layers});   u = X_U,  i = X_I + h
//   score(u, i) = <u, i>
//   loss = BPR(u, i) + reg_weight sum_m BPR(u, W_m F_m + b_m)
//
// M and its parts: ItemConvolution. In training A is pruned anew for every epoch (EdgePruning); evaluation uses all
// edges. The features F_m are trained too, unless freeze_feats. Modalities: see item_modalities.
//
// Zhou, Shen, "A tale of two graphs: freezing and denoising graph structures for multimodal recommendation", ACM MM
// 2023 (doi:10.1145/3581783.3611943). Published grid: dropout {0.8, 0.9} x reg_weight {0, 1e-5, 1e-4, 1e-3}; which
// point gave the published numbers is not recorded.
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <graft/core/error.hpp>

#include "train/invalid_option.hpp"
#include "train/item_convolution.hpp"
#include "train/item_graph.hpp"
#include "train/light_convolution.hpp"
#include "train/model.hpp"
#include "train/ranking_loss.hpp"
#include "train/user_item_graph.hpp"

namespace graft::training::models {
namespace {

using autodiff::Parameter;
using autodiff::Sparse;
using autodiff::Tape;
using autodiff::Tensor;
using autodiff::Var;
using training::Batch;
using training::BatchRows;
using training::EdgePruning;
using training::Initializer;
using training::ItemConvolution;
using training::ItemModality;
using training::ModelEntry;
using training::ModelInputs;
using training::Representations;

/// W F + b of one modality. The published layer has b, though it cancels in the difference of two scores.
class Projection {
 public:
  Projection(const ModelInputs& inputs, const ItemModality& modality, std::int64_t dims, bool frozen)
      : weight_(inputs.parameters.add(modality.name + "_weight", dims, modality.features.cols(),
                                      Initializer::torch_linear, modality.features.cols())),
        bias_(inputs.parameters.add(modality.name + "_bias", 1, dims, Initializer::torch_linear,
                                    modality.features.cols())) {
    if (frozen) {
      autodiff::Backend& backend = inputs.parameters.backend();
      frozen_ = backend.allocate(modality.features.rows(), modality.features.cols());
      backend.upload(frozen_, modality.features);
    } else {
      trained_ = &inputs.parameters.add(modality.name + "_features", modality.features);
    }
  }

  Var apply(Tape& tape) {
    const Var features = trained_ != nullptr ? tape.parameter(*trained_) : tape.constant(frozen_);
    return linear(features, tape.parameter(weight_), tape.parameter(bias_));
  }

 private:
  Parameter& weight_;
  Parameter& bias_;
  Parameter* trained_ = nullptr;  ///< the features, unless frozen
  Tensor frozen_;
};

class Freedom : public training::Model {
 public:
  explicit Freedom(const ModelInputs& inputs)
      : Freedom(inputs, training::item_modalities(inputs, inputs.settings.real("mm_image_weight"))) {}

  void begin_epoch(std::int64_t, data::RandomStream& random) override {
    if (pruning_.drops()) pruned_user_item_ = backend_.sparse(pruning_.draw(random));
  }

  Var loss(Tape& tape, const Batch& batch) override {
    const Representations all = forward(tape, pruned_user_item_);
    Var loss = bpr_loss(batch_rows(all, batch));
    for (Projection& projection : projections_) {
      loss = loss + reg_weight_ * bpr_loss(batch_rows({all.users, projection.apply(tape)}, batch));
    }
    return loss;
  }

  Representations represent(Tape& tape) override { return forward(tape, user_item_); }

 private:
  Freedom(const ModelInputs& inputs, const std::vector<ItemModality>& modalities)
      : backend_(inputs.parameters.backend()),
        users_(add_embedding(inputs, "user_embedding", inputs.users)),
        items_(add_embedding(inputs, "item_embedding", inputs.items)),
        pruning_(inputs.train, inputs.settings.real("dropout")),
        user_item_(backend_.sparse(training::normalized_block(inputs.train))),
        pruned_user_item_(user_item_),
        item_item_(inputs, modalities),
        user_item_layers_(inputs.settings.integer("n_ui_layers")),
        reg_weight_(inputs.settings.real("reg_weight")) {
    if (reg_weight_ > 0.0) add_projections(inputs, modalities);
  }

  static Parameter& add_embedding(const ModelInputs& inputs, const char* name, std::int64_t rows) {
    return inputs.parameters.add(name, rows, inputs.settings.integer("embedding_size"), Initializer::xavier_uniform);
  }

  /// @throws InvalidArgument for a modality without features
  void add_projections(const ModelInputs& inputs, const std::vector<ItemModality>& modalities) {
    for (const ItemModality& modality : modalities) {
      if (!modality.has_features()) {
        throw training::InvalidOption(
            "settings", fmt::format("reg_weight={}", reg_weight_),
            fmt::format("needs features of modality {}, which is there as a similarity graph only: give its features, "
                        "or reg_weight=0",
                        modality.name));
      }
      projections_.emplace_back(inputs, modality, inputs.settings.integer("embedding_size"),
                                inputs.settings.flag("freeze_feats"));
    }
  }

  Representations forward(Tape& tape, const Sparse& user_item) {
    const Representations ego{tape.parameter(users_), tape.parameter(items_)};
    const Representations behaviour = light_convolution(user_item, ego, user_item_layers_);
    return {behaviour.users, behaviour.items + item_item_.apply(ego.items)};
  }

  autodiff::Backend& backend_;
  Parameter& users_;
  Parameter& items_;
  EdgePruning pruning_;
  Sparse user_item_;
  Sparse pruned_user_item_;  ///< of this epoch
  ItemConvolution item_item_;
  std::vector<Projection> projections_;
  std::int64_t user_item_layers_;
  double reg_weight_;
};

}  // namespace

ModelEntry freedom_model() {
  std::vector<training::SettingSpec> settings{
      {"embedding_size", std::int64_t{64}, "length of a user's and an item's vector", 1, 4096},
      {"n_ui_layers", std::int64_t{2}, "layers over the user-item graph", 0, 16},
      {"reg_weight", 0.0, "weight of the loss on the projected features; 0 leaves them out", 0},
      {"dropout", 0.8, "share of the user-item edges that an epoch leaves out", 0, 1},
      {"freeze_feats", false, "keep the features as they are in place of training them"}};
  for (training::SettingSpec& spec : ItemConvolution::settings(1)) settings.push_back(std::move(spec));
  return {.name = "freedom",
          .description = "frozen item graph, pruned user-item graph (FREEDOM, Zhou and Shen, ACM MM 2023)",
          .settings = std::move(settings),
          .uses_item_graph = true,
          .make = [](const ModelInputs& inputs) -> std::unique_ptr<training::Model> {
            return std::make_unique<Freedom>(inputs);
          }};
}

}  // namespace graft::training::models
