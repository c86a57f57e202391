// Columns of ids of any producer of Arrow data, numbered: no Arrow library is needed.
#include <string>
#include <utility>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <graft/core/error.hpp>

#include "arrays.hpp"
#include "arrow_column.hpp"
#include "bindings.hpp"

namespace py = pybind11;

namespace graft::python {
namespace {

/// Takes the structure out of a capsule, which is left empty.
template <class Structure>
void take(const py::object& capsule, const char* name, Owned<Structure>& owned) {
  auto* const source = static_cast<Structure*>(PyCapsule_GetPointer(capsule.ptr(), name));
  if (source == nullptr) throw py::error_already_set();
  owned.value = std::exchange(*source, Structure{});
}

[[noreturn]] void fail(const std::string& argument, ArrowArrayStream& stream) {
  const char* const error = stream.get_last_error(&stream);
  throw InvalidArgument(detail::message("Interactions.from_ids", argument, "",
                                        std::string("its producer failed: ") + (error == nullptr ? "" : error)));
}

/// @return numbers int32 [rows], ids: int64 array or list of str
py::tuple result_of(bool texts, Numbering& numbering) {
  py::object ids;
  if (texts) {
    py::list names;
    for (std::int32_t id = 0; id < numbering.texts().size(); ++id) {
      const std::string_view text = numbering.texts().text(id);
      names.append(py::str(text.data(), text.size()));
    }
    ids = std::move(names);
  } else {
    ids = taken(std::move(numbering.ids()));
  }
  return py::make_tuple(taken(std::move(numbering.rows())), ids);
}

py::tuple number_stream(const std::string& argument, const py::object& capsule) {
  Owned<ArrowArrayStream> stream;
  take(capsule, "arrow_array_stream", stream);
  Owned<ArrowSchema> schema;
  if (stream.value.get_schema(&stream.value, &schema.value) != 0) fail(argument, stream.value);
  const bool texts = holds_texts(argument, schema.value);
  Numbering numbering;
  while (true) {
    Owned<ArrowArray> array;
    if (stream.value.get_next(&stream.value, &array.value) != 0) fail(argument, stream.value);
    if (array.value.release == nullptr) return result_of(texts, numbering);
    append_array(argument, schema.value, array.value, numbering);
  }
}

py::tuple number_array(const std::string& argument, const py::object& schema_capsule, const py::object& capsule) {
  Owned<ArrowSchema> schema;
  Owned<ArrowArray> array;
  take(schema_capsule, "arrow_schema", schema);
  take(capsule, "arrow_array", array);
  const bool texts = holds_texts(argument, schema.value);
  Numbering numbering;
  append_array(argument, schema.value, array.value, numbering);
  return result_of(texts, numbering);
}

py::tuple number_integers(const py::array_t<std::int64_t, py::array::c_style>& ids) {
  Numbering numbering;
  for (const std::int64_t id : span_of<std::int64_t>(ids)) numbering.append(id);
  return result_of(false, numbering);
}

}  // namespace

void bind_arrow(py::module_& module) {
  module.def("number_arrow_stream", &number_stream);
  module.def("number_arrow_array", &number_array);
  module.def("number_integers", &number_integers);
}

}  // namespace graft::python
