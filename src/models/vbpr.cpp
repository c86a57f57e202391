// VBPR: matrix factorisation with item vectors that are partly projected features.
//
//   x_u = P_U,u [2 d],  x_i = [P_I,i ; W F_i + b] [d + d],  score(u, i) = <x_u, x_i>
//   loss = BPR + reg_weight (|U|_F + |I+|_F + |I-|_F) / B, of these vectors of the batch
//
// F is constant: the features of all modalities side by side, text first, then image, then others by name.
//
// He, McAuley, "VBPR: visual Bayesian personalized ranking from implicit feedback", AAAI 2016
// (doi:10.1609/aaai.v30i1.9973), in the form of the MMRec framework: all modalities in place of images alone, and
// without the bias terms of items and features. Published grid of reg_weight: {2, 1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5};
// which value gave the published numbers is not recorded.
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <graft/core/error.hpp>

#include "train/model.hpp"
#include "train/ranking_loss.hpp"

namespace graft::training::models {
namespace {

using autodiff::Parameter;
using autodiff::Tape;
using autodiff::Tensor;
using autodiff::Var;
using training::Batch;
using training::BatchRows;
using training::Initializer;
using training::ModelEntry;
using training::ModelInputs;
using training::Representations;

/// Text, image, then the others by name. @throws InvalidArgument if there is none
std::vector<const Matrix*> features_in_order(const ModelInputs& inputs) {
  for (const auto& [name, graph] : inputs.similarities) {
    inputs.notices.push_back(fmt::format("similarity {}: not used: the model has no item graph", name));
  }
  std::vector<const Matrix*> features;
  for (const char* name : {"text", "image"}) {
    if (const auto found = inputs.features.find(name); found != inputs.features.end()) {
      features.push_back(&found->second);
    }
  }
  for (const auto& [name, matrix] : inputs.features) {
    if (name != "text" && name != "image") features.push_back(&matrix);
  }
  if (features.empty()) {
    throw InvalidArgument(detail::message("train", "features", "none",
                                          "the model needs item features: text_feat.npy or image_feat.npy in the data "
                                          "directory, or a file given as features"));
  }
  return features;
}

/// The matrices side by side, on the backend. Blocks of rows: there is no second copy of any of them.
Tensor side_by_side(autodiff::Backend& backend, const std::vector<const Matrix*>& matrices) {
  constexpr std::int64_t kBlockRows = 1024;
  std::int64_t cols = 0;
  for (const Matrix* matrix : matrices) cols += matrix->cols();
  const std::int64_t rows = matrices.front()->rows();
  Tensor all = backend.allocate(rows, cols);
  std::int64_t begin = 0;
  for (const Matrix* matrix : matrices) {
    const MatrixView<const float> view = matrix->view();
    for (std::int64_t row = 0; row < rows; row += kBlockRows) {
      const std::int64_t count = std::min(kBlockRows, rows - row);
      const Tensor block = backend.allocate(count, view.cols());
      backend.upload(block, MatrixView<const float>(view.row(row), count, view.cols(), view.stride()));
      backend.copy_block(block, {}, all, {row, begin}, count, view.cols(), false);
    }
    begin += view.cols();
  }
  return all;
}

class Vbpr : public training::Model {
 public:
  explicit Vbpr(const ModelInputs& inputs)
      : features_(side_by_side(inputs.parameters.backend(), features_in_order(inputs))),
        users_(add_embedding(inputs, "user_embedding", inputs.users, 2)),
        items_(add_embedding(inputs, "item_embedding", inputs.items, 1)),
        weight_(inputs.parameters.add("feature_weight", inputs.settings.integer("embedding_size"), features_.cols(),
                                      Initializer::xavier_normal)),
        bias_(inputs.parameters.add("feature_bias", 1, inputs.settings.integer("embedding_size"), Initializer::zeros)),
        reg_weight_(inputs.settings.real("reg_weight")) {}

  Var loss(Tape& tape, const Batch& batch) override {
    const BatchRows rows = batch_rows(represent(tape), batch);
    return bpr_loss(rows) + reg_weight_ * embedding_norms(rows);
  }

  Representations represent(Tape& tape) override {
    const Var projected = linear(tape.constant(features_), tape.parameter(weight_), tape.parameter(bias_));
    return {tape.parameter(users_), concat_columns(std::array{tape.parameter(items_), projected})};
  }

 private:
  static Parameter& add_embedding(const ModelInputs& inputs, const char* name, std::int64_t rows, std::int64_t parts) {
    return inputs.parameters.add(name, rows, parts * inputs.settings.integer("embedding_size"),
                                 Initializer::xavier_uniform);
  }

  Tensor features_;  ///< F [items, dims of all modalities]
  Parameter& users_;
  Parameter& items_;
  Parameter& weight_;
  Parameter& bias_;
  double reg_weight_;
};

}  // namespace

ModelEntry vbpr_model() {
  return {
      .name = "vbpr",
      .description = "matrix factorisation with projected features (VBPR, He and McAuley, AAAI 2016)",
      .settings = {{"embedding_size", std::int64_t{64}, "length of an item's free and of its projected part", 1, 4096},
                   {"reg_weight", 0.1, "weight of the norms of the batch's vectors", 0}},
      .make = [](const ModelInputs& inputs) -> std::unique_ptr<training::Model> {
        return std::make_unique<Vbpr>(inputs);
      }};
}

}  // namespace graft::training::models
