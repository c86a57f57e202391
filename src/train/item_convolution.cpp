#include "train/item_convolution.hpp"

#include <utility>

#include <graft/ops/types.hpp>

namespace graft::training {
namespace {

constexpr float kEpsilon = 1e-7F;  ///< on the row sums

Graph frozen_graph(const ModelInputs& inputs, const std::vector<ItemModality>& modalities) {
  const ItemGraphFamily family{.knn_k = inputs.settings.integer("knn_k"), .normalization = {.epsilon = kEpsilon}};
  return item_graph(inputs, modalities, family);
}

}  // namespace

ItemConvolution::ItemConvolution(const ModelInputs& inputs, const std::vector<ItemModality>& modalities)
    : graph_(inputs.parameters.backend().sparse(as_csr(frozen_graph(inputs, modalities)))),
      layers_(inputs.settings.integer("n_mm_layers")) {}

autodiff::Var ItemConvolution::apply(autodiff::Var items) const {
  for (std::int64_t layer = 0; layer < layers_; ++layer) items = spmm(graph_, items);
  return items;
}

std::vector<SettingSpec> ItemConvolution::settings(std::int64_t layers) {
  std::vector<SettingSpec> specs{{"n_mm_layers", layers, "layers over the item-item graph", 0, 16},
                                 {"knn_k", std::int64_t{10}, "neighbours of an item by a modality, itself included", 1},
                                 {"mm_image_weight", 0.1, "share of the image graph where there is text too", 0, 1}};
  for (SettingSpec& spec : refinement_settings(Weights::binary)) specs.push_back(std::move(spec));
  return specs;
}

}  // namespace graft::training
