// Matrix factorisation with a bias for every item.
//
//   score(u, i) = <p_u, q_i> + b_i
//   loss        = BPR + reg_weight (|P_U|^2 + |Q_I|^2) / B, the rows of the batch
//
// Koren, Bell, Volinsky, "Matrix factorization techniques for recommender systems", IEEE Computer 42(8), 2009.
#include <array>
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

class BiasedFactors : public training::Model {
 public:
  explicit BiasedFactors(const ModelInputs& inputs)
      : users_(inputs.parameters.add("users", inputs.users, inputs.settings.integer("embedding_size"),
                                     Initializer::xavier_uniform)),
        items_(inputs.parameters.add("items", inputs.items, inputs.settings.integer("embedding_size"),
                                     Initializer::xavier_uniform)),
        biases_(inputs.parameters.add("item_biases", inputs.items, 1, Initializer::zeros)),
        ones_(inputs.parameters.backend().allocate(inputs.users, 1)),
        reg_weight_(inputs.settings.real("reg_weight")) {
    inputs.parameters.backend().fill(ones_, 1.0);
  }

  /// A score must be a dot product: the bias is one more dimension, in which every user has 1.
  Representations represent(Tape& tape) override {
    const std::array<Var, 2> users{tape.parameter(users_), tape.constant(ones_)};
    const std::array<Var, 2> items{tape.parameter(items_), tape.parameter(biases_)};
    return {concat_columns(users), concat_columns(items)};
  }

  Var loss(Tape& tape, const Batch& batch) override {
    const BatchRows rows = batch_rows({tape.parameter(users_), tape.parameter(items_)}, batch);
    const Var squares = sum(square(rows.users)) + sum(square(rows.positives)) + sum(square(rows.negatives));
    return bpr_loss(batch_rows(represent(tape), batch)) + (reg_weight_ / static_cast<double>(batch.size)) * squares;
  }

 private:
  Parameter& users_;
  Parameter& items_;
  Parameter& biases_;
  autodiff::Tensor ones_;
  double reg_weight_;
};

}  // namespace

ModelEntry biased_factors_model() {
  return {.name = "biased_factors",
          .description = "matrix factorisation with item biases (Koren et al., IEEE Computer 2009)",
          .settings = {{"embedding_size", std::int64_t{16}, "length of a user's and an item's vector", 1, 4096},
                       {"reg_weight", 1e-3, "weight of the squared vectors of the batch", 0},
                       {"learning_rate", 1e-2, "step size of Adam", 0}},
          .make = [](const ModelInputs& inputs) -> std::unique_ptr<training::Model> {
            return std::make_unique<BiasedFactors>(inputs);
          }};
}

}  // namespace graft::training::models
