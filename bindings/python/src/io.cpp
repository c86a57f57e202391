// Readers and writers.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <graft/io/inter.hpp>
#include <graft/io/npy.hpp>
#include <graft/io/npz.hpp>

#include "arrays.hpp"
#include "bindings.hpp"
#include "call.hpp"
#include "options.hpp"

namespace py = pybind11;

namespace graft::python {
namespace {

Unsorted unsorted_of(const py::dict& values) {
  auto unsorted = Unsorted::sort_and_sum;
  Options("load_npz", values).read("unsorted", unsorted, kUnsorted);
  return unsorted;
}

InterOptions inter_options(const py::dict& values) {
  const Options options("read_inter", values);
  InterOptions result;
  options.read("split", result.split, kSplits);
  options.read("items", result.items);
  options.read("users", result.users);
  return result;
}

py::array matrix_array(Matrix matrix) {
  const auto rows = static_cast<py::ssize_t>(matrix.rows());
  const auto cols = static_cast<py::ssize_t>(matrix.cols());
  auto owned = std::make_unique<Matrix>(std::move(matrix));
  const float* const values = owned->view().data();
  return py::array_t<float>({rows, cols}, values, owner_of(owned));
}

/// Labels as int8: 0 train, 1 valid, 2 test.
std::vector<std::int8_t> label_numbers(const std::vector<Split>& labels) {
  std::vector<std::int8_t> numbers;
  numbers.reserve(labels.size());
  for (const Split label : labels) numbers.push_back(static_cast<std::int8_t>(label));
  return numbers;
}

py::tuple read_table(const py::bytes& path, const CallSettings& settings) {
  const std::filesystem::path file = path_of(path);
  InterTable table = run(settings, [&](const Context&) { return read_inter_table(file); });
  const py::object has_labels = py::bool_(table.has_labels);
  const py::object notices = py::cast(table.notices);
  return py::make_tuple(taken(std::move(table.users)), taken(std::move(table.items)),
                        taken(label_numbers(table.labels)), has_labels, table.user_count, table.item_count, notices);
}

/// @return interactions, notices
py::tuple read_interactions(const py::bytes& path, const py::dict& values, const CallSettings& settings) {
  const InterOptions options = inter_options(values);
  const std::filesystem::path file = path_of(path);
  std::vector<std::string> notices;
  Interactions interactions = run(settings, [&](const Context&) {
    const InterTable table = read_inter_table(file);
    const bool too_large = (options.items >= 0 && table.item_count > options.items) ||
                           (options.users >= 0 && table.user_count > options.users);
    if (too_large) return read_inter(file, options);  // says the line in its message
    notices = table.notices;
    return interactions_of(table, options);
  });
  return py::make_tuple(std::move(interactions), notices);
}

}  // namespace

void bind_io(py::module_& module) {
  module.def("load_npz", [](const py::bytes& path, const py::dict& values, const CallSettings& settings) {
    const Unsorted unsorted = unsorted_of(values);
    const std::filesystem::path file = path_of(path);
    StoredGraph stored = run(settings, [&](const Context&) { return load_npz_with_provenance(file, unsorted); });
    return py::make_tuple(std::move(stored.graph), stored.provenance);
  });
  module.def("load_npz_graph", [](const py::bytes& path, const py::dict& values, const CallSettings& settings) {
    const Unsorted unsorted = unsorted_of(values);
    const std::filesystem::path file = path_of(path);
    return run(settings, [&](const Context&) { return load_npz(file, unsorted); });
  });
  module.def("save_npz", [](const py::bytes& path, const py::object& graph, const Provenance& provenance,
                            bool compressed, const CallSettings& settings) {
    const std::filesystem::path file = path_of(path);
    const GraphArgument argument(graph);
    run_work(settings, [&](const Context&) { save_npz(file, argument.checked(), provenance, compressed); });
  });
  module.def("read_inter_table", &read_table);
  module.def("read_inter", &read_interactions);
  module.def("read_npy", [](const py::bytes& path, const CallSettings& settings) {
    const std::filesystem::path file = path_of(path);
    return matrix_array(run(settings, [&](const Context&) { return read_npy(file); }));
  });
  module.def("write_npy", [](const py::bytes& path, const py::array_t<float>& matrix, const CallSettings& settings) {
    const std::filesystem::path file = path_of(path);
    const MatrixView<const float> view = matrix_of(matrix);
    run_work(settings, [&](const Context&) { write_npy(file, view); });
  });
}

}  // namespace graft::python
