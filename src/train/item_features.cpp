#include "train/item_features.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

#include <graft/core/error.hpp>

#include "train/train_profiles.hpp"

namespace graft::training {
namespace {

constexpr const char* kPreferred = "image_text";

Matrix joined(const std::map<std::string, Matrix>& features, std::int64_t items) {
  std::int64_t dims = 0;
  for (const auto& [name, matrix] : features) dims += matrix.cols();
  const double scale = 1.0 / std::sqrt(static_cast<double>(features.size()));
  Matrix result(items, dims);
  std::int64_t column = 0;
  for (const auto& [name, matrix] : features) {
    const Matrix unit = normalized_rows(matrix.view());
    for (std::int64_t item = 0; item < items; ++item) {
      const float* const from = unit.view().row(item);
      std::transform(from, from + unit.cols(), result.mutable_view().row(item) + column,
                     [scale](float x) { return static_cast<float>(scale * static_cast<double>(x)); });
    }
    column += matrix.cols();
  }
  return result;
}

}  // namespace

ItemFeatures::ItemFeatures(const ModelInputs& inputs) {
  const auto& features = inputs.features;
  if (features.empty()) {
    throw InvalidArgument(detail::message("train", "features", "none",
                                          "the model needs item features: image_text_feat.npy, text_feat.npy or "
                                          "image_feat.npy in the data directory, or a file given as features"));
  }
  const auto preferred = features.find(kPreferred);
  if (preferred != features.end() || features.size() == 1) {
    const auto& [modality, matrix] = preferred != features.end() ? *preferred : *features.begin();
    name_ = modality;
    view_ = matrix.view();
    for (const auto& [other, unused] : features) {
      if (other != modality)
        inputs.notices.push_back(fmt::format("modality {}: left out: {} is there", other, modality));
    }
    return;
  }
  for (const auto& [modality, matrix] : features) name_ += (name_.empty() ? "" : "+") + modality;
  joined_ = joined(features, inputs.items);
  view_ = joined_.view();
}

}  // namespace graft::training
