// BPR-MF: matrix factorisation, learnt from pairs.
//
//   score(u, i) = <p_u, p_i>
//   loss        = BPR + reg_weight (|U|_F + |I+|_F + |I-|_F) / B
//
// Rendle, Freudenthaler, Gantner, Schmidt-Thieme, "BPR: Bayesian personalized ranking from implicit feedback", UAI
// 2009, in the form of the MMRec framework. Published grid of reg_weight: {2, 1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5}; which
// value gave the published numbers is not recorded.
#include <cstdint>
#include <memory>

#include "train/model.hpp"
#include "train/ranking_loss.hpp"

namespace graft::training::models {
namespace {

using autodiff::Parameter;
using autodiff::Tape;
using autodiff::Var;
using training::Batch;
using training::BatchRows;
using training::Initializer;
using training::ModelEntry;
using training::ModelInputs;
using training::Representations;

class Bpr : public training::Model {
 public:
  explicit Bpr(const ModelInputs& inputs)
      : users_(add_embedding(inputs, "user_embedding", inputs.users)),
        items_(add_embedding(inputs, "item_embedding", inputs.items)),
        reg_weight_(inputs.settings.real("reg_weight")) {}

  Var loss(Tape& tape, const Batch& batch) override {
    const BatchRows rows = batch_rows(represent(tape), batch);
    return bpr_loss(rows) + reg_weight_ * embedding_norms(rows);
  }

  Representations represent(Tape& tape) override { return {tape.parameter(users_), tape.parameter(items_)}; }

 private:
  static Parameter& add_embedding(const ModelInputs& inputs, const char* name, std::int64_t rows) {
    return inputs.parameters.add(name, rows, inputs.settings.integer("embedding_size"), Initializer::xavier_normal);
  }

  Parameter& users_;
  Parameter& items_;
  double reg_weight_;
};

}  // namespace

ModelEntry bpr_model() {
  return {.name = "bpr",
          .description = "matrix factorisation, learnt from pairs (BPR, Rendle et al., UAI 2009)",
          .settings = {{"embedding_size", std::int64_t{64}, "length of a user's and an item's vector", 1, 4096},
                       {"reg_weight", 0.1, "weight of the norms of the batch's vectors", 0}},
          .make = [](const ModelInputs& inputs) -> std::unique_ptr<training::Model> {
            return std::make_unique<Bpr>(inputs);
          }};
}

}  // namespace graft::training::models
