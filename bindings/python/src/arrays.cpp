#include "arrays.hpp"

namespace py = pybind11;

namespace graft::python {

MatrixView<const float> matrix_of(const py::array_t<float>& array) {
  const std::int64_t rows = array.shape(0);
  const std::int64_t cols = array.shape(1);
  // of an empty array or a single row the stride says nothing
  const std::int64_t stride = rows > 1 && cols > 0 ? array.strides(0) / static_cast<py::ssize_t>(sizeof(float)) : cols;
  return {array.data(), rows, cols, stride};
}

GraphArgument::GraphArgument(const py::object& value) {
  if (py::isinstance<Graph>(value)) {
    view_ = value.cast<const Graph&>().view();
    return;
  }
  const auto parts = value.cast<py::tuple>();
  arrays_ = true;
  view_ = {parts[0].cast<std::int64_t>(), span_of(parts[1].cast<py::array_t<std::int64_t>>()),
           span_of(parts[2].cast<py::array_t<std::int32_t>>()), span_of(parts[3].cast<py::array_t<float>>())};
}

}  // namespace graft::python
