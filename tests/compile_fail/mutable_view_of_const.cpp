// A view of constant features does not become a writable one.
// refused with: -DOFFEND
// because: conversion from .*MatrixView<const float>.* to .*MatrixView<float>
#include <graft/core/matrix_view.hpp>

void overwrite(graft::MatrixView<const float> features) {
#ifdef OFFEND
  const graft::MatrixView<float> view = features;
#else
  const graft::MatrixView<const float> view = features;
#endif
  static_cast<void>(view);
}
