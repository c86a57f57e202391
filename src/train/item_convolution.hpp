// Propagation over a frozen item-item graph, as FREEDOM has it: what plugs a graph into a model.
#pragma once

#include <cstdint>
#include <vector>

#include "autodiff/tape.hpp"
#include "train/item_graph.hpp"
#include "train/model.hpp"
#include "train/settings.hpp"

namespace graft::training {

/// M^{n_mm_layers} X, with M = sum_m share_m M_m frozen. M_m joins an item to its knn_k nearest by modality m, itself
/// included, with equal weights; with --graph refined it is graft's graph.
///
/// Source: Zhou, Shen, "A tale of two graphs", ACM MM 2023 (doi:10.1145/3581783.3611943)
class ItemConvolution {
 public:
  /// Reads the settings below. Records the graphs in inputs.graphs.
  /// @throws InvalidArgument, OutOfMemory, Cancelled: as item_graph does
  ItemConvolution(const ModelInputs& inputs, const std::vector<ItemModality>& modalities);

  /// @param items  X [items, dims]
  [[nodiscard]] autodiff::Var apply(autodiff::Var items) const;

  /// n_mm_layers, knn_k, mm_image_weight, and those of refinement; `layers`: the default of the first.
  static std::vector<SettingSpec> settings(std::int64_t layers);

 private:
  autodiff::Sparse graph_;  ///< M
  std::int64_t layers_;
};

}  // namespace graft::training
