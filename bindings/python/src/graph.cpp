// graft.Graph.
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <graft/core/error.hpp>
#include <graft/core/graph.hpp>
#include <graft/detail/checked.hpp>

#include "arrays.hpp"
#include "bindings.hpp"
#include "options.hpp"

namespace py = pybind11;

namespace graft::python {
namespace {

using Offsets = py::array_t<std::int64_t, py::array::c_style>;
using Columns = py::array_t<std::int32_t, py::array::c_style>;
using EdgeWeights = py::array_t<float, py::array::c_style>;

constexpr const char* kGraphDoc =
    R"(The item-item graph: a square, weighted, directed CSR matrix; row = the receiving item.

It never changes. Columns ascend within a row, none repeats, weights are finite float32.

    Graph(items)                                  a graph without edges
    Graph.from_scipy(matrix)                      a copy of any SciPy sparse matrix
    Graph.from_csr(items, indptr, indices, data)  a copy of three arrays
    Graph.identity(items, weight=1.0)             self loops

Two graphs are equal if their structure and the bits of their weights are. Graphs can be pickled.

>>> import graft
>>> graph = graft.Graph.from_csr(2, [0, 1, 2], [1, 0], [0.5, 0.25])
>>> graph
<graft.Graph: 2 items, 2 edges>
>>> graph.to_scipy().toarray()
array([[0.  , 0.5 ],
       [0.25, 0.  ]], dtype=float32)
)";

constexpr const char* kToScipyDoc = R"(The graph as a scipy.sparse.csr_array.

It shares indices and data with the graph, read-only; indptr is narrowed to int32 where it fits. From 2^31 edges on
SciPy wants int64 indices, which are then a copy.

copy -- True gives arrays of its own, which may be written to.
)";

constexpr const char* kFromCsrDoc = R"(A copy of CSR arrays.

items -- nodes; indptr -- [items + 1] offsets; indices, data -- [edges] columns and weights
unsorted -- what to do with rows whose columns do not ascend: 'refuse', or 'sort_and_sum' (sort, sum repeated columns)

Raises InvalidArgument, naming the array, the position and the value.
)";

std::int64_t checked_row(const Graph& graph, std::int64_t row) {
  if (row < 0 || row >= graph.items()) {
    throw InvalidArgument(
        detail::message("Graph", "row", std::to_string(row), "must lie in [0, " + std::to_string(graph.items()) + ")"));
  }
  return row;
}

Unsorted unsorted_of(const char* operation, const py::object& value) {
  Unsorted unsorted = Unsorted::refuse;
  py::dict values;
  values["unsorted"] = value;
  Options(operation, values).read("unsorted", unsorted, kUnsorted);
  return unsorted;
}

Graph graph_from_csr(std::int64_t items, const Offsets& indptr, const Columns& indices, const EdgeWeights& data,
                     const py::object& unsorted) {
  const Unsorted choice = unsorted_of("Graph.from_csr", unsorted);
  const auto offsets = span_of<std::int64_t>(indptr);
  const auto columns = span_of<std::int32_t>(indices);
  const auto weights = span_of<float>(data);
  const py::gil_scoped_release unlocked;
  return Graph::from_csr(items, offsets, columns, weights, choice);
}

py::object to_scipy(const py::object& self, bool copy) {
  const auto& graph = self.cast<const Graph&>();
  py::object indptr = view_of(graph.row_offsets(), self);
  if (graph.edges() <= std::numeric_limits<std::int32_t>::max()) indptr = indptr.attr("astype")("int32");
  py::object arrays = py::make_tuple(view_of(graph.weights(), self), view_of(graph.columns(), self), indptr);
  const py::object csr_array = py::module_::import("scipy.sparse").attr("csr_array");
  py::object matrix =
      csr_array(arrays, py::arg("shape") = py::make_tuple(graph.items(), graph.items()), py::arg("copy") = copy);
  matrix.attr("has_sorted_indices") = true;  // true by the invariants of a graph: SciPy need not look
  matrix.attr("has_canonical_format") = true;
  return matrix;
}

py::tuple state_of(const py::object& self) {
  const auto& graph = self.cast<const Graph&>();
  return py::make_tuple(graph.items(), view_of(graph.row_offsets(), self), view_of(graph.columns(), self),
                        view_of(graph.weights(), self));
}

std::string graph_text(const Graph& graph) {
  return "<graft.Graph: " + std::to_string(graph.items()) + " items, " + std::to_string(graph.edges()) + " edges>";
}

void bind_makers(py::class_<Graph>& graph) {
  graph.def(py::init<std::int64_t>(), py::arg("items"))
      .def_static("_from_csr", &graph_from_csr, py::arg("items"), py::arg("indptr"), py::arg("indices"),
                  py::arg("data"), py::arg("unsorted"))
      .def_static(
          "from_csr",
          [](const py::object& items, const py::object& indptr, const py::object& indices, const py::object& data,
             const py::object& unsorted) {
            return py::module_::import("graft._inputs").attr("graph_from_csr")(items, indptr, indices, data, unsorted);
          },
          py::arg("items"), py::arg("indptr"), py::arg("indices"), py::arg("data"), py::kw_only(),
          py::arg("unsorted") = "refuse", kFromCsrDoc)
      .def_static(
          "from_scipy",
          [](const py::object& matrix, const py::object& unsorted) {
            return py::module_::import("graft._inputs").attr("graph_from_scipy")(matrix, unsorted);
          },
          py::arg("matrix"), py::kw_only(), py::arg("unsorted") = "sort_and_sum",
          "A copy of a square SciPy sparse matrix or array of any format; weights become float32.\n\n"
          "Raises InvalidArgument, naming the array, the position and the value.")
      .def_static("identity", &Graph::identity, py::arg("items"), py::arg("weight") = 1.0F,
                  "Self loops of one weight.");
}

void bind_members(py::class_<Graph>& graph) {
  graph.def_property_readonly("items", &Graph::items, "Nodes.")
      .def_property_readonly("edges", &Graph::edges, "Stored edges, each direction counted.")
      .def_property_readonly(
          "shape", [](const Graph& self) { return py::make_tuple(self.items(), self.items()); }, "(items, items)")
      .def_property_readonly(
          "indptr", [](const py::object& self) { return view_of(self.cast<const Graph&>().row_offsets(), self); },
          "Row offsets, int64 [items + 1]; read-only, shared with the graph.")
      .def_property_readonly(
          "indices", [](const py::object& self) { return view_of(self.cast<const Graph&>().columns(), self); },
          "Columns, int32 [edges], ascending within a row; read-only, shared with the graph.")
      .def_property_readonly(
          "data", [](const py::object& self) { return view_of(self.cast<const Graph&>().weights(), self); },
          "Weights, float32 [edges]; read-only, shared with the graph.")
      .def(
          "row_columns",
          [](const py::object& self, std::int64_t row) {
            const auto& held = self.cast<const Graph&>();
            return view_of(held.row_columns(checked_row(held, row)), self);
          },
          py::arg("row"), "The items that `row` receives from: a read-only view of `indices`.")
      .def(
          "row_weights",
          [](const py::object& self, std::int64_t row) {
            const auto& held = self.cast<const Graph&>();
            return view_of(held.row_weights(checked_row(held, row)), self);
          },
          py::arg("row"), "The weights of a row: a read-only view of `data`.")
      .def("to_scipy", &to_scipy, py::kw_only(), py::arg("copy") = false, kToScipyDoc)
      .def(
          "_shared_data",
          [](const py::object& self) { return view_of(self.cast<const Graph&>().weights(), self, true); },
          "Weights for libraries whose arrays cannot be read-only.")
      .def(
          "_shared_indices",
          [](const py::object& self) { return view_of(self.cast<const Graph&>().columns(), self, true); },
          "Columns for libraries whose arrays cannot be read-only.")
      .def(
          "save_npz",
          [](const py::object& self, const py::object& path, const py::object& provenance,
             const py::object& compressed) {
            py::module_::import("graft").attr("save_npz")(path, self, provenance, py::arg("compressed") = compressed);
          },
          py::arg("path"), py::arg("provenance") = py::none(), py::kw_only(), py::arg("compressed") = true,
          "Writes the graph as scipy.sparse.save_npz does; see graft.save_npz.")
      .def("__repr__", &graph_text)
      .def(
          "__eq__", [](const Graph& self, const Graph& other) { return self == other; }, py::is_operator())
      .def(py::pickle(&state_of, [](const py::tuple& state) {
        return graph_from_csr(state[0].cast<std::int64_t>(), state[1].cast<Offsets>(), state[2].cast<Columns>(),
                              state[3].cast<EdgeWeights>(), py::str("refuse"));
      }));
  graph.attr("__hash__") = py::none();
}

}  // namespace

void bind_graph(py::module_& module) {
  py::class_<Graph> graph(module, "Graph", kGraphDoc);
  graph.attr("__module__") = "graft";
  bind_makers(graph);
  bind_members(graph);
}

}  // namespace graft::python
