#include "options.hpp"

#include <utility>

namespace py = pybind11;

namespace graft::python {
namespace {

/// The whole number, or null with a Python error set. bool is no number here: k = True is a mistake.
py::object as_index(const py::object& value) {
  if (PyBool_Check(value.ptr())) {
    PyErr_SetString(PyExc_TypeError, "bool");
    return {};
  }
  return py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
}

}  // namespace

std::filesystem::path path_of(const py::handle& path) { return {path.cast<std::string>()}; }

void Options::refuse(const char* name, std::string_view allowed) const {
  throw InvalidArgument(detail::message(operation_, name, py::repr(given(name)).cast<std::string>(), allowed));
}

void Options::refuse_type(const char* name, std::string_view allowed) const {
  PyErr_Clear();
  throw py::type_error(detail::message(operation_, name, py::repr(given(name)).cast<std::string>(), allowed));
}

std::string Options::text(const char* name) const {
  const py::object value = given(name);
  if (!py::isinstance<py::str>(value)) refuse_type(name, "must be a str");
  return value.cast<std::string>();
}

void Options::read(const char* name, std::int64_t& value) const {
  if (!has(name)) return;
  const py::object index = as_index(given(name));
  if (!index) refuse_type(name, "must be an int");
  int overflow = 0;
  const long long number = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
  if (overflow != 0) refuse(name, "must fit into 64 bits");
  value = number;
}

void Options::read(const char* name, std::uint64_t& value) const {
  if (!has(name)) return;
  const py::object index = as_index(given(name));
  if (!index) refuse_type(name, "must be an int");
  const unsigned long long number = PyLong_AsUnsignedLongLong(index.ptr());
  if (PyErr_Occurred() != nullptr) {
    PyErr_Clear();
    refuse(name, "must lie in [0, 2^64)");
  }
  value = number;
}

void Options::read(const char* name, double& value) const {
  if (!has(name)) return;
  const py::object object = given(name);
  const double number = PyBool_Check(object.ptr()) ? -1.0 : PyFloat_AsDouble(object.ptr());
  if (PyBool_Check(object.ptr()) || PyErr_Occurred() != nullptr) refuse_type(name, "must be a float");
  value = number;
}

void Options::read(const char* name, float& value) const {
  double wide = value;
  read(name, wide);
  value = static_cast<float>(wide);
}

void Options::read(const char* name, bool& value) const {
  if (!has(name)) return;
  const py::object object = given(name);
  if (!PyBool_Check(object.ptr())) refuse_type(name, "must be a bool");
  value = object.ptr() == Py_True;
}

void Options::read(const char* name, std::string& value) const {
  if (has(name)) value = text(name);
}

void Options::read(const char* name, RowRange& value) const {
  if (!has(name)) return;
  const py::object object = given(name);
  if (!py::isinstance<py::tuple>(object) || py::len(object) != 2) {
    refuse_type(name, "must be a tuple of two ints (begin, end)");
  }
  py::dict ends;
  ends["begin"] = object[py::int_(0)];
  ends["end"] = object[py::int_(1)];
  const Options range(operation_, ends);
  range.read("begin", value.begin);
  range.read("end", value.end);
}

}  // namespace graft::python
