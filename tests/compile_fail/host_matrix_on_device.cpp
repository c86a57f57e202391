// A host matrix is none of a device: it has to be copied there by name.
// refused with: -DOFFEND
// because: conversion from .*MatrixView<const float>.* requested|could not convert|no matching|no viable
#include <graft/cuda/operators.hpp>

graft::Graph graph_of(const graft::MatrixView<const float>& features) {
#ifdef OFFEND
  const graft::DeviceMatrixView view = features;
#else
  const graft::DeviceMatrix copy = graft::to_device(features);
  const graft::DeviceMatrixView view = copy.view();
#endif
  return graft::knn_graph(view);
}
