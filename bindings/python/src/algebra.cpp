// Graph -> Graph operators, propagation, merging.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <graft/cuda/graph_operators.hpp>
#include <graft/ops/add.hpp>
#include <graft/ops/binarize.hpp>
#include <graft/ops/drop_self_loops.hpp>
#include <graft/ops/merge_top_k.hpp>
#include <graft/ops/mix.hpp>
#include <graft/ops/normalize.hpp>
#include <graft/ops/propagate.hpp>
#include <graft/ops/scale.hpp>
#include <graft/ops/symmetrize.hpp>
#include <graft/ops/threshold.hpp>
#include <graft/ops/top_k.hpp>

#include "arrays.hpp"
#include "bindings.hpp"
#include "call.hpp"
#include "operator_options.hpp"
#include "options.hpp"

namespace py = pybind11;

namespace graft::python {
namespace {

/// Binds, as "device_...", an operator of graphs on a device with at most a few options: `read` takes them from the
/// dict, `apply` runs without the GIL.
template <class Read, class Apply>
void bind_device_step(py::module_& module, const std::string& operation, Read read, Apply apply) {
  module.def(("device_" + operation).c_str(),
             [operation, read, apply](const DeviceGraph& graph, const py::dict& values, const CallSettings& settings) {
               const auto options = read(Options(operation.c_str(), values));
               return std::make_unique<DeviceGraph>(
                   run(settings, [&](const Context& context) { return apply(graph, options, context); }));
             });
}

/// The same of graphs of the host, and of a device.
template <class Read, class Apply>
void bind_step(py::module_& module, const char* operation, Read read, Apply apply) {
  bind_device_step(module, operation, read, apply);
  module.def(operation, [operation, read, apply](const py::object& graph, const py::dict& values,
                                                 const CallSettings& settings) {
    const auto options = read(Options(operation, values));
    const GraphArgument argument(graph);
    return run(settings, [&](const Context& context) { return apply(argument.checked(), options, context); });
  });
}

struct NoOptions {};

void bind_steps(py::module_& module) {
  bind_step(
      module, "threshold",
      [](const Options& options) {
        float value = 0.0F;
        options.require("min_similarity", value);
        return value;
      },
      [](const auto& graph, float value, const Context& context) { return threshold(graph, value, context); });
  bind_step(
      module, "binarize", [](const Options&) { return NoOptions{}; },
      [](const auto& graph, NoOptions, const Context& context) { return binarize(graph, context); });
  bind_step(
      module, "drop_self_loops", [](const Options&) { return NoOptions{}; },
      [](const auto& graph, NoOptions, const Context& context) { return drop_self_loops(graph, context); });
  bind_step(
      module, "top_k",
      [](const Options& options) {
        std::int64_t k = 0;
        options.require("k", k);
        return k;
      },
      [](const auto& graph, std::int64_t k, const Context& context) { return top_k(graph, k, context); });
  bind_step(
      module, "scale",
      [](const Options& options) {
        float factor = 0.0F;
        options.require("factor", factor);
        return factor;
      },
      [](const auto& graph, float factor, const Context& context) { return scale(graph, factor, context); });
  bind_step(
      module, "symmetrize",
      [](const Options& options) {
        auto how = Symmetrization::max;
        options.read("how", how, kSymmetrizations);
        return how;
      },
      [](const auto& graph, Symmetrization how, const Context& context) { return symmetrize(graph, how, context); });
  bind_step(
      module, "normalize",
      [](const Options& options) {
        NormalizeOptions normalization;
        options.read("normalization", normalization.normalization, kNormalizations);
        options.read("epsilon", normalization.epsilon);
        return normalization;
      },
      [](const auto& graph, const NormalizeOptions& options, const Context& context) {
        return normalize(graph, options, context);
      });
}

std::vector<GraphArgument> arguments_of(const py::list& graphs) {
  std::vector<GraphArgument> arguments;
  for (const py::handle graph : graphs) arguments.emplace_back(py::reinterpret_borrow<py::object>(graph));
  return arguments;
}

std::vector<GraphView> checked_views(const std::vector<GraphArgument>& arguments) {
  std::vector<GraphView> views;
  views.reserve(arguments.size());
  for (const GraphArgument& argument : arguments) views.push_back(argument.checked());
  return views;
}

Graph mix_graphs(const py::list& graphs, const std::vector<float>& coefficients, const CallSettings& settings) {
  const std::vector<GraphArgument> arguments = arguments_of(graphs);
  return run(settings, [&](const Context& context) { return mix(checked_views(arguments), coefficients, context); });
}

Graph add_graphs(const py::object& left, const py::object& right, const CallSettings& settings) {
  const GraphArgument a(left);
  const GraphArgument b(right);
  return run(settings, [&](const Context& context) { return add(a.checked(), b.checked(), context); });
}

Graph merge_graphs(const py::list& parts, const py::dict& values, const CallSettings& settings) {
  std::int64_t k = 0;
  Options("merge_top_k", values).require("k", k);
  const std::vector<GraphArgument> arguments = arguments_of(parts);
  return run(settings, [&](const Context& context) { return merge_top_k(checked_views(arguments), k, context); });
}

struct Propagation {
  std::int64_t layers = 0;
  Aggregation aggregation = Aggregation::sum;
};

Propagation propagation_of(const py::dict& values) {
  const Options options("propagate", values);
  Propagation result;
  options.require("layers", result.layers);
  options.require("aggregation", result.aggregation, kAggregations);
  return result;
}

/// @param out  float32 [items, dims], writeable, rows contiguous
void propagate_into(const py::object& graph, const py::array_t<float>& features, const py::dict& values,
                    py::array_t<float> out, const CallSettings& settings) {
  const Propagation how = propagation_of(values);
  const GraphArgument argument(graph);
  const MatrixView<const float> in = matrix_of(features);
  const MatrixView<const float> shape = matrix_of(out);
  const MatrixView<float> target(out.mutable_data(), shape.rows(), shape.cols(), shape.stride());
  run_work(settings, [&](const Context& context) {
    propagate(argument.checked(), in, how.layers, how.aggregation, target, context);
  });
}

std::unique_ptr<DeviceMatrix> propagate_on_device(const DeviceGraph& graph, const py::tuple& features,
                                                  const py::dict& values, const CallSettings& settings) {
  const Propagation how = propagation_of(values);
  const DeviceMatrixView in = device_matrix_of(features);
  return std::make_unique<DeviceMatrix>(run(
      settings, [&](const Context& context) { return propagate(graph, in, how.layers, how.aggregation, context); }));
}

std::unique_ptr<DeviceGraph> mix_on_device(const DeviceGraph& left, float left_coefficient, const DeviceGraph& right,
                                           float right_coefficient, const CallSettings& settings) {
  return std::make_unique<DeviceGraph>(run(settings, [&](const Context& context) {
    return mix(left, left_coefficient, right, right_coefficient, context);
  }));
}

}  // namespace

void bind_algebra(py::module_& module) {
  bind_steps(module);
  module.def("mix", &mix_graphs);
  module.def("add", &add_graphs);
  module.def("merge_top_k", &merge_graphs);
  module.def("propagate", &propagate_into);
  bind_device_step(
      module, "transpose", [](const Options&) { return NoOptions{}; },
      [](const DeviceGraph& graph, NoOptions, const Context& context) { return transpose(graph, context); });
  module.def("device_mix", &mix_on_device);
  module.def("device_propagate", &propagate_on_device);
}

}  // namespace graft::python
