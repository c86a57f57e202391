// graft.Interactions.
#include <cstdint>
#include <string>
#include <utility>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <graft/core/error.hpp>
#include <graft/core/interactions.hpp>

#include "arrays.hpp"
#include "bindings.hpp"

namespace py = pybind11;

namespace graft::python {
namespace {

using Ids = py::array_t<std::int32_t, py::array::c_style>;
using Offsets = py::array_t<std::int64_t, py::array::c_style>;

constexpr const char* kDoc = R"(Who interacted with what: a binary user x item matrix, held by user and by item.

    Interactions.from_pairs(user_ids, item_ids)  two integer arrays, numbers from 0
    Interactions.from_ids(users, items)          two columns of any ids, which are numbered
    Interactions.from_scipy(matrix)              users x items; a stored entry is an interaction, whatever its value
    graft.read_inter(path)                       a .inter file

Repeated pairs are merged and counted (`duplicates`). It never changes, and can be pickled.

>>> import graft
>>> train = graft.Interactions.from_pairs([0, 0, 1], [2, 1, 1])
>>> train
<graft.Interactions: 2 users, 3 items, 3 pairs>
>>> train.audience(1)
array([0, 1], dtype=int32)
)";

constexpr const char* kFromPairsDoc = R"(From pairs (user_ids[e], item_ids[e]) in any order: numbers from 0.

users, items -- sizes of the matrix; -1 takes the largest id + 1. Trailing ones without interactions are fine.

Raises InvalidArgument: arrays of different length, an id that is negative or not below its size.
)";

constexpr const char* kFromIdsDoc = R"(From two columns of ids of any kind: (interactions, user_ids, item_ids).

A column is an integer or string array, a list, a pandas or Polars column, a pyarrow array, or anything else with the
Arrow PyCapsule interface (integers, utf8, large_utf8, utf8_view, dictionaries of them). Ids are numbered from 0 by
their first appearance; user_ids[n] is the id of number n: int64, or object for strings.

Raises InvalidArgument (a missing id, columns of different length), TypeError (another type of column).

>>> import graft
>>> train, users, items = graft.Interactions.from_ids(["ann", "bob", "ann"], [70, 70, 11])
>>> list(users), items.tolist(), train.size
(['ann', 'bob'], [70, 11], 3)
)";

Interactions interactions_from_pairs(const Ids& user_ids, const Ids& item_ids, std::int64_t users, std::int64_t items) {
  const auto u = span_of<std::int32_t>(user_ids);
  const auto i = span_of<std::int32_t>(item_ids);
  const py::gil_scoped_release unlocked;
  return Interactions::from_pairs(u, i, users, items);
}

Interactions interactions_from_csr(std::int64_t users, std::int64_t items, const Offsets& indptr, const Ids& indices) {
  const auto offsets = span_of<std::int64_t>(indptr);
  const auto columns = span_of<std::int32_t>(indices);
  const py::gil_scoped_release unlocked;
  return Interactions::from_csr(users, items, offsets, columns);
}

std::int64_t checked_place(const char* argument, std::int64_t place, std::int64_t size) {
  if (place < 0 || place >= size) {
    throw InvalidArgument(detail::message("Interactions", argument, std::to_string(place),
                                          "must lie in [0, " + std::to_string(size) + ")"));
  }
  return place;
}

std::string interactions_text(const Interactions& held) {
  return "<graft.Interactions: " + std::to_string(held.users()) + " users, " + std::to_string(held.items()) +
         " items, " + std::to_string(held.size()) + " pairs>";
}

/// A static method that graft._inputs carries out: it needs Python's ways with arrays.
py::object converted(const char* function, const py::args& arguments) {
  return py::module_::import("graft._inputs").attr(function)(*arguments);
}

void bind_makers(py::class_<Interactions>& interactions) {
  interactions.def(py::init<>(), "No user, no item.")
      .def_static("_from_pairs", &interactions_from_pairs)
      .def_static("_from_csr", &interactions_from_csr)
      .def_static(
          "from_pairs",
          [](const py::object& user_ids, const py::object& item_ids, const py::object& users, const py::object& items) {
            return converted("interactions_from_pairs", py::make_tuple(user_ids, item_ids, users, items));
          },
          py::arg("user_ids"), py::arg("item_ids"), py::kw_only(), py::arg("users") = -1, py::arg("items") = -1,
          kFromPairsDoc)
      .def_static(
          "from_ids",
          [](const py::object& users, const py::object& items) {
            return converted("interactions_from_ids", py::make_tuple(users, items));
          },
          py::arg("users"), py::arg("items"), kFromIdsDoc)
      .def_static(
          "from_scipy",
          [](const py::object& matrix) { return converted("interactions_from_scipy", py::make_tuple(matrix)); },
          py::arg("matrix"),
          "From a users x items SciPy sparse matrix or array of any format: a stored entry is an interaction, whatever "
          "its value.");
}

void bind_members(py::class_<Interactions>& interactions) {
  const auto array = [&interactions](const char* name, auto member, const char* doc) {
    interactions.def_property_readonly(
        name, [member](const py::object& self) { return view_of((self.cast<const Interactions&>().*member)(), self); },
        doc);
  };
  using Offset = std::span<const std::int64_t> (Interactions::*)() const&;
  using Id = std::span<const std::int32_t> (Interactions::*)() const&;
  array("user_offsets", static_cast<Offset>(&Interactions::user_offsets), "int64 [users + 1], of user_items");
  array("user_items", static_cast<Id>(&Interactions::user_items), "int32 [size], ascending within a user");
  array("item_offsets", static_cast<Offset>(&Interactions::item_offsets), "int64 [items + 1], of item_users");
  array("item_users", static_cast<Id>(&Interactions::item_users), "int32 [size], ascending within an item");
  interactions.def_property_readonly("users", &Interactions::users, "Users, those without interactions included.")
      .def_property_readonly("items", &Interactions::items, "Items, those without interactions included.")
      .def_property_readonly("size", &Interactions::size, "Distinct (user, item) pairs.")
      .def_property_readonly("duplicates", &Interactions::duplicates, "Pairs that were given again and merged.")
      .def_property_readonly(
          "shape", [](const Interactions& self) { return py::make_tuple(self.users(), self.items()); },
          "(users, items)")
      .def(
          "audience",
          [](const py::object& self, std::int64_t item) {
            const auto& held = self.cast<const Interactions&>();
            return view_of(held.audience(checked_place("item", item, held.items())), self);
          },
          py::arg("item"), "The users of an item, ascending: a read-only view.")
      .def(
          "history",
          [](const py::object& self, std::int64_t user) {
            const auto& held = self.cast<const Interactions&>();
            return view_of(held.history(checked_place("user", user, held.users())), self);
          },
          py::arg("user"), "The items of a user, ascending: a read-only view.")
      .def(
          "degree",
          [](const Interactions& self, std::int64_t item) {
            return self.degree(checked_place("item", item, self.items()));
          },
          py::arg("item"), "The number of users of an item.")
      .def(
          "to_scipy", [](const py::object& self) { return converted("interactions_to_scipy", py::make_tuple(self)); },
          "The matrix as a users x items scipy.sparse.csr_array of float32 ones; it shares its indices, read-only.")
      .def("__len__", &Interactions::size)
      .def("__repr__", &interactions_text)
      .def(py::pickle(
          [](const py::object& self) {
            const auto& held = self.cast<const Interactions&>();
            return py::make_tuple(held.users(), held.items(), view_of(held.user_offsets(), self),
                                  view_of(held.user_items(), self));
          },
          [](const py::tuple& state) {
            return interactions_from_csr(state[0].cast<std::int64_t>(), state[1].cast<std::int64_t>(),
                                         state[2].cast<Offsets>(), state[3].cast<Ids>());
          }));
}

}  // namespace

void bind_interactions(py::module_& module) {
  py::class_<Interactions> interactions(module, "Interactions", kDoc);
  interactions.attr("__module__") = "graft";
  bind_makers(interactions);
  bind_members(interactions);
}

}  // namespace graft::python
