// Options of operators, as the package's Python files pass them.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <pybind11/pybind11.h>

#include <graft/cuda/device_matrix.hpp>
#include <graft/ops/jaccard.hpp>
#include <graft/ops/knn.hpp>
#include <graft/ops/refine.hpp>

#include "arrays.hpp"

namespace graft::python {

KnnOptions knn_options(const pybind11::dict& values);
JaccardOptions jaccard_options(const pybind11::dict& values);
RefineOptions refine_options(const char* operation, const pybind11::dict& values);

/// (pointer, rows, cols, stride, device, stream or None), as graft._inputs.device_matrix makes it.
DeviceMatrixView device_matrix_of(const pybind11::tuple& given);

/// Modalities of `refine`: dicts with features or similarity, weight and threshold.
struct Sources {
  std::vector<Modality> modalities;
  std::vector<std::pair<std::size_t, GraphArgument>> graphs;  ///< modality, its graph

  explicit Sources(const pybind11::list& given);
  /// Needs no GIL. @throws InvalidArgument (a graph)
  void check();
};

}  // namespace graft::python
