// The item features of a data set as one matrix.
#pragma once

#include <string>
#include <utility>

#include <graft/core/matrix_view.hpp>

#include "train/model.hpp"

namespace graft::training {

/// E_I and what it was made of.
class ItemFeatures {
 public:
  /// The modality `image_text`, if it is there, or the only one, as it is; else all, by name: rows scaled to length 1,
  /// concatenated, divided by sqrt(modalities), so that the inner product of two items is the mean of their cosines.
  /// @throws InvalidArgument if there are no features (names the options that give some)
  explicit ItemFeatures(const ModelInputs& inputs);

  [[nodiscard]] const std::string& name() const& { return name_; }  ///< "text", "image+text"
  /// [items, dims]; valid as long as this and the inputs.
  [[nodiscard]] MatrixView<const float> view() const& { return view_; }

 private:
  std::string name_;
  Matrix joined_;  ///< of several
  MatrixView<const float> view_;
};

}  // namespace graft::training
