// knn_graph, jaccard_graph, refine, explain, top_k_scores and their plans.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <graft/cuda/operators.hpp>
#include <graft/ops/explain.hpp>
#include <graft/ops/jaccard.hpp>
#include <graft/ops/knn.hpp>
#include <graft/ops/refine.hpp>
#include <graft/ops/top_k_scores.hpp>

#include "arrays.hpp"
#include "bindings.hpp"
#include "call.hpp"
#include "operator_options.hpp"
#include "options.hpp"

namespace py = pybind11;

namespace graft::python {
namespace {

TopKScoresOptions top_k_scores_options(const py::dict& values) {
  const Options options("top_k_scores", values);
  TopKScoresOptions scores;
  options.read("k", scores.k);
  options.read("metric", scores.metric, kMetrics);
  options.read("min_score", scores.min_score);
  options.read("row_range", scores.row_range);
  return scores;
}

}  // namespace

DeviceMatrixView device_matrix_of(const py::tuple& given) {
  constexpr std::size_t kFacts = 6;
  if (given.size() != kFacts) {
    throw py::type_error("a device matrix has a pointer, rows, cols, stride, a device and a stream");
  }
  // NOLINTBEGIN(performance-no-int-to-ptr): the interfaces hand addresses over as integers
  const auto* const data = reinterpret_cast<const float*>(given[0].cast<std::uintptr_t>());
  const DeviceMatrixView matrix =
      DeviceMatrixView::of_device_memory(data, given[1].cast<std::int64_t>(), given[2].cast<std::int64_t>(),
                                         given[3].cast<std::int64_t>(), given[4].cast<int>());
  if (given[5].is_none()) return matrix;
  return matrix.filled_on(reinterpret_cast<void*>(given[5].cast<std::uintptr_t>()));
  // NOLINTEND(performance-no-int-to-ptr)
}

KnnOptions knn_options(const py::dict& values) {
  const Options options("knn_graph", values);
  KnnOptions knn;
  options.read("k", knn.k);
  options.read("min_similarity", knn.min_similarity);
  options.read("metric", knn.metric, kMetrics);
  options.read("weights", knn.weights, kWeights);
  options.read("self", knn.self, kSelves);
  options.read("row_range", knn.row_range);
  options.read("column_range", knn.column_range);
  return knn;
}

JaccardOptions jaccard_options(const py::dict& values) {
  const Options options("jaccard_graph", values);
  JaccardOptions jaccard;
  options.read("k", jaccard.k);
  options.read("min_support", jaccard.min_support);
  options.read("self", jaccard.self, kSelves);
  options.read("identical", jaccard.identical, kIdenticals);
  options.read("measure", jaccard.measure, kMeasures);
  options.read("row_range", jaccard.row_range);
  return jaccard;
}

RefineOptions refine_options(const char* operation, const py::dict& values) {
  const Options options(operation, values);
  RefineOptions refinement;
  options.read("preset", refinement.preset, kPresets);
  options.read("knn_k", refinement.knn_k);
  options.read("threshold", refinement.threshold);
  options.read("jaccard_k", refinement.jaccard_k);
  options.read("min_support", refinement.min_support);
  options.read("weights", refinement.weights, kWeights);
  options.read("symmetrize", refinement.symmetrize, kSymmetrizations);
  options.read("add_self_loops", refinement.add_self_loops);
  options.read("normalization", refinement.normalization, kNormalizations);
  options.read("epsilon", refinement.epsilon);
  options.read("normalize_parts", refinement.normalize_parts);
  options.read("enhancement_weight", refinement.enhancement_weight);
  return refinement;
}

Sources::Sources(const py::list& given) {
  for (const py::handle handle : given) {
    const auto values = handle.cast<py::dict>();
    const Options options("refine", values);
    Modality modality;
    if (options.has("features")) modality.features = matrix_of(py::object(values["features"]).cast<Floats>());
    if (options.has("similarity")) graphs.emplace_back(modalities.size(), GraphArgument(values["similarity"]));
    options.read("weight", modality.weight);
    options.read("threshold", modality.threshold);
    modalities.push_back(modality);
  }
}

void Sources::check() {
  for (const auto& [modality, graph] : graphs) modalities[modality].similarity = graph.checked();
}

namespace {

py::tuple refine_sources(const py::list& modalities, const Interactions& interactions, const py::dict& values,
                         const CallSettings& settings) {
  const RefineOptions options = refine_options("refine", values);
  Sources sources(modalities);
  RefineSummary summary;
  Graph graph = run(settings, [&](const Context& context) {
    sources.check();
    return refine(sources.modalities, interactions, options, context, &summary);
  });
  py::dict counts;
  counts["similarity_edges_before"] = summary.similarity.edges_before;
  counts["similarity_edges_after"] = summary.similarity.edges_after;
  counts["similarity_edges"] = summary.similarity_edges;
  counts["jaccard_edges"] = summary.jaccard_edges;
  counts["edges"] = summary.edges;
  counts["self_loops"] = summary.self_loops;
  counts["isolated_items"] = summary.isolated_items;
  return py::make_tuple(std::move(graph), counts);
}

const char* spelling(EdgeRule rule) {
  switch (rule) {
    case EdgeRule::kept:
      return "kept";
    case EdgeRule::switched_off:
      return "switched_off";
    case EdgeRule::self_dropped:
      return "self_dropped";
    case EdgeRule::zero_norm:
      return "zero_norm";
    case EdgeRule::no_common_audience:
      return "no_common_audience";
    case EdgeRule::identical_dropped:
      return "identical_dropped";
    case EdgeRule::below_rank:
      return "below_rank";
    case EdgeRule::below_threshold:
      return "below_threshold";
    case EdgeRule::below_support:
      return "below_support";
  }
  return "unknown";
}

py::dict explain_edge(const Floats& features, const Interactions& interactions, const py::dict& pair,
                      const py::dict& values, const CallSettings& settings) {
  const RefineOptions options = refine_options("explain", values);
  std::int64_t i = 0;
  std::int64_t j = 0;
  const Options edge("explain", pair);
  edge.require("i", i);
  edge.require("j", j);
  const MatrixView<const float> matrix = matrix_of(features);
  const Explanation facts =
      run(settings, [&](const Context& context) { return explain(matrix, interactions, i, j, options, context); });
  py::dict result;
  result["cosine"] = facts.cosine;
  result["cosine_rank"] = facts.cosine_rank;
  result["similarity_rule"] = spelling(facts.similarity_rule);
  result["degree_i"] = facts.degree_i;
  result["degree_j"] = facts.degree_j;
  result["common_audience"] = facts.common_audience;
  result["jaccard"] = facts.jaccard;
  result["jaccard_rank"] = facts.jaccard_rank;
  result["audience_rule"] = spelling(facts.audience_rule);
  result["weight"] = facts.weight;
  return result;
}

/// @param exclude  None, or (indptr int64, indices int32)
template <class Side>
py::tuple rank(const Side& queries, const Side& items, const py::object& exclude, const py::dict& values,
               const CallSettings& settings) {
  TopKScoresOptions options = top_k_scores_options(values);
  if (!exclude.is_none()) {
    const auto arrays = exclude.cast<py::tuple>();
    options.exclude = {span_of(arrays[0].cast<py::array_t<std::int64_t>>()),
                       span_of(arrays[1].cast<py::array_t<std::int32_t>>())};
  }
  Ranking ranking =
      run(settings, [&](const Context& context) { return top_k_scores(queries, items, options, context); });
  return py::make_tuple(taken(std::move(ranking.row_offsets)), taken(std::move(ranking.ids)),
                        taken(std::move(ranking.scores)));
}

py::tuple as_tuple(const Plan& plan) {
  return py::make_tuple(plan.workspace_bytes, plan.output_bytes, plan.flops, plan.tiles);
}

/// Sizes of a plan, by name.
std::int64_t size_of(const char* operation, const py::dict& sizes, const char* name) {
  std::int64_t size = 0;
  Options(operation, sizes).require(name, size);
  return size;
}

Graph knn_graph_on_device(const py::tuple& features, const py::dict& values, const CallSettings& settings) {
  const KnnOptions options = knn_options(values);
  const DeviceMatrixView matrix = device_matrix_of(features);
  return run(settings, [&](const Context& context) { return knn_graph(matrix, options, context); });
}

void bind_plans(py::module_& module) {
  module.def("plan_knn_graph", [](const py::dict& sizes, const py::dict& values, const CallSettings& settings) {
    const std::int64_t items = size_of("knn_graph", sizes, "items");
    return as_tuple(plan(items, size_of("knn_graph", sizes, "dims"), knn_options(values), settings.context));
  });
  module.def("plan_jaccard_graph",
             [](const Interactions& interactions, const py::dict& values, const CallSettings& settings) {
               return as_tuple(plan(interactions, jaccard_options(values), settings.context));
             });
  module.def("plan_top_k_scores", [](const py::dict& sizes, const py::dict& values, const CallSettings& settings) {
    const std::int64_t queries = size_of("top_k_scores", sizes, "queries");
    const std::int64_t items = size_of("top_k_scores", sizes, "items");
    return as_tuple(
        plan(queries, items, size_of("top_k_scores", sizes, "dims"), top_k_scores_options(values), settings.context));
  });
}

}  // namespace

void bind_operators(py::module_& module) {
  module.def("knn_graph", [](const Floats& features, const py::dict& values, const CallSettings& settings) {
    const KnnOptions options = knn_options(values);
    const MatrixView<const float> matrix = matrix_of(features);
    return run(settings, [&](const Context& context) { return knn_graph(matrix, options, context); });
  });
  module.def("knn_graph_on_device", &knn_graph_on_device);
  module.def(
      "jaccard_graph", [](const Interactions& interactions, const py::dict& values, const CallSettings& settings) {
        const JaccardOptions options = jaccard_options(values);
        return run(settings, [&](const Context& context) { return jaccard_graph(interactions, options, context); });
      });
  module.def("refine", &refine_sources);
  module.def("explain", &explain_edge);
  module.def("top_k_scores", [](const Floats& queries, const Floats& items, const py::object& exclude,
                                const py::dict& values, const CallSettings& settings) {
    return rank(matrix_of(queries), matrix_of(items), exclude, values, settings);
  });
  module.def("top_k_scores_on_device", [](const py::tuple& queries, const py::tuple& items, const py::object& exclude,
                                          const py::dict& values, const CallSettings& settings) {
    return rank(device_matrix_of(queries), device_matrix_of(items), exclude, values, settings);
  });
  bind_plans(module);
}

}  // namespace graft::python
