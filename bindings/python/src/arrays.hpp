// NumPy arrays at the edge of the library.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <graft/core/graph.hpp>
#include <graft/core/matrix_view.hpp>

namespace graft::python {

using Floats = pybind11::array_t<float>;

/// An array, read-only unless told otherwise, over memory that `owner` keeps alive.
template <class T>
pybind11::array view_of(std::span<const T> values, pybind11::handle owner, bool writeable = false) {
  pybind11::array array(pybind11::dtype::of<T>(), {static_cast<pybind11::ssize_t>(values.size())},
                        {static_cast<pybind11::ssize_t>(sizeof(T))}, values.data(), owner);
  if (!writeable) array.attr("setflags")(pybind11::arg("write") = false);
  return array;
}

/// A capsule that owns the object.
template <class T>
pybind11::capsule owner_of(std::unique_ptr<T>& object) {
  pybind11::capsule owner(object.get(), [](void* pointer) { std::unique_ptr<T>(static_cast<T*>(pointer)).reset(); });
  static_cast<void>(object.release());
  return owner;
}

/// An array that takes the vector over.
template <class T>
pybind11::array taken(std::vector<T>&& values) {
  auto owned = std::make_unique<std::vector<T>>(std::move(values));
  const std::span<const T> elements(*owned);
  return view_of(elements, owner_of(owned), true);
}

template <class T>
std::span<const T> span_of(const pybind11::array_t<T>& array) {
  return {array.data(), static_cast<std::size_t>(array.size())};
}

/// float32 [rows, cols] whose rows are contiguous, as graft._inputs.features makes it.
MatrixView<const float> matrix_of(const pybind11::array_t<float>& array);

/// A graph as an operator's argument: a Graph, or the arrays (items, indptr int64, indices int32, data float32) of a
/// SciPy matrix, which are read in place.
class GraphArgument {
 public:
  /// @throws TypeError
  explicit GraphArgument(const pybind11::object& value);

  /// The view; arrays of the caller are checked first. Needs no GIL. @throws InvalidArgument
  [[nodiscard]] const GraphView& checked() const {
    if (arrays_) validate(view_);
    return view_;
  }

 private:
  GraphView view_;
  bool arrays_ = false;
};

}  // namespace graft::python
