// The module graft._core.
#include <graft/core/version.hpp>

#include "bindings.hpp"

PYBIND11_MODULE(_core, module) {
  module.doc() = "Compiled part of graft; use the package graft.";
  module.attr("__version__") = graft::kVersion;
  graft::python::bind_errors(module);
  graft::python::bind_calls(module);
  graft::python::bind_graph(module);
  graft::python::bind_interactions(module);
  graft::python::bind_algebra(module);
  graft::python::bind_operators(module);
  graft::python::bind_device(module);
  graft::python::bind_io(module);
  graft::python::bind_arrow(module);
  graft::python::bind_tools(module);
  graft::python::bind_train(module);
}
