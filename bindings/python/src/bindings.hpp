// The parts of the module graft._core. The package's Python files check and convert arguments, hold the documentation,
// and call what is bound here.
#pragma once

#include <pybind11/pybind11.h>

namespace graft::python {

/// C++ exceptions become those of graft.errors.
void bind_errors(pybind11::module_& module);

/// CallSettings and CancelToken.
void bind_calls(pybind11::module_& module);

/// Graph.
void bind_graph(pybind11::module_& module);

/// Interactions.
void bind_interactions(pybind11::module_& module);

/// Graph -> Graph operators.
void bind_algebra(pybind11::module_& module);

/// knn_graph, jaccard_graph, refine and what belongs to them.
void bind_operators(pybind11::module_& module);

/// Graphs on a CUDA device.
void bind_device(pybind11::module_& module);

/// Readers and writers.
void bind_io(pybind11::module_& module);

/// Columns of the Arrow C data interface.
void bind_arrow(pybind11::module_& module);

/// Data sets and inspection.
void bind_tools(pybind11::module_& module);

/// Training, runs, evaluation.
void bind_train(pybind11::module_& module);

}  // namespace graft::python
