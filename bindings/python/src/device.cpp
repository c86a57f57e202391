// Graphs that stay on a CUDA device.
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <graft/cuda/device_graph.hpp>
#include <graft/cuda/device_matrix.hpp>
#include <graft/cuda/on_device.hpp>
#include <graft/detail/dlpack.hpp>

#include "arrays.hpp"
#include "bindings.hpp"
#include "call.hpp"
#include "operator_options.hpp"

namespace py = pybind11;

namespace graft::python {
namespace {

std::unique_ptr<DeviceGraph> owned(DeviceGraph graph) { return std::make_unique<DeviceGraph>(std::move(graph)); }

std::unique_ptr<DeviceGraph> knn_of_device(const py::tuple& features, const py::dict& values,
                                           const CallSettings& settings) {
  const KnnOptions options = knn_options(values);
  const DeviceMatrixView matrix = device_matrix_of(features);
  return owned(run(settings, [&](const Context& c) { return on_device::knn_graph(matrix, options, c); }));
}

std::unique_ptr<DeviceGraph> knn_of_host(const Floats& features, const py::dict& values, const CallSettings& settings) {
  const KnnOptions options = knn_options(values);
  const MatrixView<const float> matrix = matrix_of(features);
  return owned(run(settings, [&](const Context& c) { return on_device::knn_graph(matrix, options, c); }));
}

std::unique_ptr<DeviceGraph> audiences(const Interactions& interactions, const py::dict& values,
                                       const CallSettings& settings) {
  const JaccardOptions options = jaccard_options(values);
  return owned(run(settings, [&](const Context& c) { return on_device::jaccard_graph(interactions, options, c); }));
}

std::unique_ptr<DeviceGraph> refine_of_device(const py::tuple& features, const Interactions& interactions,
                                              const py::dict& values, const CallSettings& settings) {
  const RefineOptions options = refine_options("refine", values);
  const DeviceMatrixView matrix = device_matrix_of(features);
  return owned(run(settings, [&](const Context& c) { return on_device::refine(matrix, interactions, options, c); }));
}

std::unique_ptr<DeviceGraph> refine_of_host(const py::list& modalities, const Interactions& interactions,
                                            const py::dict& values, const CallSettings& settings) {
  const RefineOptions options = refine_options("refine", values);
  Sources sources(modalities);
  return owned(run(settings, [&](const Context& c) {
    sources.check();
    return on_device::refine(sources.modalities, interactions, options, c);
  }));
}

std::uintptr_t address(const void* data) { return reinterpret_cast<std::uintptr_t>(data); }

/// What a DLPack capsule holds: (pointer, shape, strides in elements or None, device type, device, type code, bits). It
/// stays the capsule's.
py::tuple dlpack_facts(const py::capsule& capsule) {
  if (std::strcmp(capsule.name(), "dltensor") != 0) throw py::type_error("not a DLPack capsule that is still unused");
  const detail::DlTensor& tensor = capsule.get_pointer<detail::DlManagedTensor>()->tensor;
  py::tuple shape(static_cast<std::size_t>(tensor.dimensions));
  py::tuple strides(static_cast<std::size_t>(tensor.dimensions));
  for (std::int32_t d = 0; d < tensor.dimensions; ++d) {
    shape[static_cast<std::size_t>(d)] = tensor.shape[d];
    if (tensor.strides != nullptr) strides[static_cast<std::size_t>(d)] = tensor.strides[d];
  }
  return py::make_tuple(address(tensor.data) + tensor.byte_offset, shape,
                        tensor.strides != nullptr ? py::object(strides) : py::none(), tensor.device.type,
                        tensor.device.ordinal, tensor.type.code, tensor.type.bits);
}

}  // namespace

void bind_device(py::module_& module) {
  py::class_<DeviceGraph>(module, "DeviceGraph")
      .def_property_readonly("items", &DeviceGraph::items)
      .def_property_readonly("edges", &DeviceGraph::edges)
      .def_property_readonly("device", &DeviceGraph::ordinal)
      .def(
          "to_host", [](const DeviceGraph& graph) { return to_host(graph); }, py::call_guard<py::gil_scoped_release>())
      .def("_addresses", [](const DeviceGraph& graph) {
        return py::make_tuple(address(graph.device_row_offsets()), address(graph.device_columns()),
                              address(graph.device_weights()));
      });
  py::class_<DeviceMatrix>(module, "DeviceMatrix")
      .def_property_readonly("shape",
                             [](const DeviceMatrix& matrix) { return py::make_tuple(matrix.rows(), matrix.cols()); })
      .def_property_readonly("device", [](const DeviceMatrix& matrix) { return matrix.view().ordinal(); })
      .def("to_host",
           [](const DeviceMatrix& matrix) {
             Floats result({matrix.rows(), matrix.cols()});
             const MatrixView<float> out(result.mutable_data(), matrix.rows(), matrix.cols());
             {
               const py::gil_scoped_release release;
               copy_to_host(matrix.view(), out);
             }
             return result;
           })
      .def_property_readonly("__cuda_array_interface__", [](const DeviceMatrix& matrix) {
        py::dict facts;
        facts["shape"] = py::make_tuple(matrix.rows(), matrix.cols());
        facts["typestr"] = "<f4";
        facts["strides"] = py::none();
        facts["data"] = py::make_tuple(address(matrix.view().device_data()), false);
        facts["version"] = 3;
        facts["stream"] = py::none();  // complete: the call that made it has returned
        return facts;
      });
  module.def("device_knn_graph", &knn_of_device);
  module.def("device_knn_graph", &knn_of_host);
  module.def("device_jaccard_graph", &audiences);
  module.def("device_refine", &refine_of_device);
  module.def("device_refine", &refine_of_host);
  module.def("device_graph", [](const py::object& graph, const CallSettings& settings) {
    const GraphArgument argument(graph);
    return owned(run(settings, [&](const Context& context) { return to_device(argument.checked(), context); }));
  });
  module.def("dlpack_facts", &dlpack_facts);
}

}  // namespace graft::python
