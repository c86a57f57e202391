// C++ exceptions as Python exceptions.
#include <cstring>
#include <exception>

#include <pybind11/pybind11.h>

#include <graft/core/error.hpp>

#include "bindings.hpp"

namespace py = pybind11;

namespace graft::python {
namespace {

/// Sets the Python error. File names in messages may hold any bytes: they become what os.fsdecode makes of them.
void set_error(const char* name, const char* message) {
  const py::object type = py::module_::import("graft.errors").attr(name);
  const auto text = py::reinterpret_steal<py::object>(
      PyUnicode_DecodeUTF8(message, static_cast<py::ssize_t>(std::strlen(message)), "surrogateescape"));
  PyErr_SetObject(type.ptr(), text.ptr());
}

}  // namespace

void bind_errors(py::module_& /*module*/) {
  // NOLINTNEXTLINE(performance-unnecessary-value-param): the type that pybind11 wants
  py::register_local_exception_translator([](std::exception_ptr thrown) {
    if (!thrown) return;
    try {
      std::rethrow_exception(thrown);
    } catch (const InvalidArgument& error) {
      set_error("InvalidArgument", error.what());
    } catch (const IoError& error) {
      set_error("IoError", error.what());
    } catch (const FormatError& error) {
      set_error("FormatError", error.what());
    } catch (const BackendUnavailable& error) {
      set_error("BackendUnavailable", error.what());
    } catch (const OutOfMemory& error) {
      set_error("OutOfMemory", error.what());
    } catch (const Cancelled& error) {
      set_error("Cancelled", error.what());
    } catch (const Error& error) {
      set_error("Error", error.what());
    }
  });
}

}  // namespace graft::python
