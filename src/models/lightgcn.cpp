// LightGCN: collaborative filtering by propagation over the user-item graph alone.
//
//   X^0 = P,  X^{l+1} = A X^l,  X = mean(X^0 ... X^L),  score(u, i) = <x_u, x_i>
//   A   = D^-1/2 [[0, R], [R^T, 0]] D^-1/2, R the binary training matrix
//   loss = BPR + reg_weight (|P_U|_F + |P_I+|_F + |P_I-|_F) / B, the norms of the batch's rows of layer 0
//
// With n_mm_layers > 0 an item graph is plugged in as FREEDOM has its own: M^{n_mm_layers} P_I is added to the items'
// final vectors (ItemConvolution): no published model, but the plainest host for a graph.
//
// He, Deng, Wang, Li, Zhang, Wang, "LightGCN: simplifying and powering graph convolution network for recommendation",
// SIGIR 2020 (doi:10.1145/3397271.3401063), in the form of the MMRec framework. Published grid: n_layers {1, 2, 3, 4} x
// reg_weight {1e-2, 1e-3, 1e-4, 1e-5, 1e-6}; which point gave the published numbers is not recorded.
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

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
using autodiff::Var;
using training::Batch;
using training::Initializer;
using training::ItemConvolution;
using training::ModelEntry;
using training::ModelInputs;
using training::Representations;

class LightGcn : public training::Model {
 public:
  explicit LightGcn(const ModelInputs& inputs)
      : users_(add_embedding(inputs, "user_embedding", inputs.users)),
        items_(add_embedding(inputs, "item_embedding", inputs.items)),
        user_item_(inputs.parameters.backend().sparse(training::normalized_block(inputs.train))),
        layers_(inputs.settings.integer("n_layers")),
        reg_weight_(inputs.settings.real("reg_weight")) {
    if (inputs.settings.integer("n_mm_layers") > 0) {
      item_item_.emplace(inputs, training::item_modalities(inputs, inputs.settings.real("mm_image_weight")));
    } else if (inputs.graph == training::GraphKind::refined) {
      inputs.notices.emplace_back("graph refined: has no effect: the setting n_mm_layers=1 plugs the item graph in");
    }
  }

  Var loss(Tape& tape, const Batch& batch) override {
    return bpr_loss(batch_rows(represent(tape), batch)) + reg_weight_ * embedding_norms(batch_rows(ego(tape), batch));
  }

  Representations represent(Tape& tape) override {
    const Representations start = ego(tape);
    Representations all = light_convolution(user_item_, start, layers_);
    if (item_item_) all.items = all.items + item_item_->apply(start.items);
    return all;
  }

 private:
  static Parameter& add_embedding(const ModelInputs& inputs, const char* name, std::int64_t rows) {
    return inputs.parameters.add(name, rows, inputs.settings.integer("embedding_size"), Initializer::xavier_uniform);
  }

  Representations ego(Tape& tape) { return {tape.parameter(users_), tape.parameter(items_)}; }

  Parameter& users_;
  Parameter& items_;
  Sparse user_item_;
  std::optional<ItemConvolution> item_item_;  ///< with n_mm_layers > 0
  std::int64_t layers_;
  double reg_weight_;
};

}  // namespace

ModelEntry lightgcn_model() {
  std::vector<training::SettingSpec> settings{
      {"embedding_size", std::int64_t{64}, "length of a user's and an item's vector", 1, 4096},
      {"n_layers", std::int64_t{2}, "layers over the user-item graph", 0, 16},
      {"reg_weight", 1e-3, "weight of the norms of the batch's layer-0 vectors", 0}};
  constexpr std::int64_t kPublished = 0;  // no item graph
  for (training::SettingSpec& spec : ItemConvolution::settings(kPublished)) settings.push_back(std::move(spec));
  return {.name = "lightgcn",
          .description = "propagation over the user-item graph (LightGCN, He et al., SIGIR 2020)",
          .settings = std::move(settings),
          .uses_item_graph = true,
          .make = [](const ModelInputs& inputs) -> std::unique_ptr<training::Model> {
            return std::make_unique<LightGcn>(inputs);
          }};
}

}  // namespace graft::training::models
