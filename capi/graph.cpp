// Graphs: from arrays, from files, as arrays.
#include <algorithm>

#include "internal.hpp"

namespace graft::capi {
namespace {

template <class Offset>
graft_status graph_from_csr(const char* operation, std::int64_t items, const Offset* row_offsets,
                            const std::int32_t* columns, const float* weights, graft_unsorted unsorted,
                            graft_graph** out) {
  return produce(operation, out, [&] {
    const auto rows = offsets(operation, "row_offsets", row_offsets, items);
    const auto edges = static_cast<std::int64_t>(rows.back());
    const auto ids = array(operation, "columns", columns, edges);
    const auto values = array(operation, "weights", weights, edges);
    return Graph::from_csr(items, rows, ids, values, choice(operation, "unsorted", unsorted, Unsorted::sort_and_sum));
  });
}

graft_npz_options default_npz() {
  return {.size = sizeof(graft_npz_options), .compressed = 1, .facts = 0, .keys = nullptr, .values = nullptr};
}

Provenance facts_of(const char* operation, const graft_npz_options& options) {
  const auto keys = array(operation, "options.keys", options.keys, options.facts);
  const auto values = array(operation, "options.values", options.values, options.facts);
  Provenance facts;
  for (std::size_t f = 0; f < keys.size(); ++f) {
    const std::string place = "[" + std::to_string(f) + "]";
    const char* const key = &required(operation, ("options.keys" + place).c_str(), keys[f]);
    const char* const value = &required(operation, ("options.values" + place).c_str(), values[f]);
    if (!facts.emplace(key, value).second) refuse(operation, "options.keys" + place, key, "must not repeat");
  }
  return facts;
}

}  // namespace

const GraphView& graph_of(const char* operation, const char* argument, const graft_graph* graph) {
  return required(operation, argument, graph).view;
}

std::vector<GraphView> graphs_of(const char* operation, const char* argument, const graft_graph* const* graphs,
                                 std::size_t count) {
  std::vector<GraphView> views;
  views.reserve(count);
  for (const graft_graph* graph : array(operation, argument, graphs, static_cast<std::int64_t>(count))) {
    const std::string place = std::string(argument) + "[" + std::to_string(views.size()) + "]";
    views.push_back(graph_of(operation, place.c_str(), graph));
  }
  return views;
}

}  // namespace graft::capi

using namespace graft::capi;  // NOLINT(google-build-using-namespace): the functions below stand outside of it

graft_status graft_graph_from_csr(int64_t items, const int64_t* row_offsets, const int32_t* columns,
                                  const float* weights, graft_unsorted unsorted, graft_graph** out) {
  return graph_from_csr("graft_graph_from_csr", items, row_offsets, columns, weights, unsorted, out);
}

graft_status graft_graph_from_csr32(int64_t items, const int32_t* row_offsets, const int32_t* columns,
                                    const float* weights, graft_unsorted unsorted, graft_graph** out) {
  return graph_from_csr("graft_graph_from_csr32", items, row_offsets, columns, weights, unsorted, out);
}

graft_status graft_graph_borrow_csr(int64_t items, const int64_t* row_offsets, const int32_t* columns,
                                    const float* weights, graft_graph** out) {
  constexpr const char* kOperation = "graft_graph_borrow_csr";
  return produce(kOperation, out, [&] {
    graft::GraphView view;
    view.items = items;
    view.row_offsets = offsets(kOperation, "row_offsets", row_offsets, items);
    view.columns = array(kOperation, "columns", columns, view.row_offsets.back());
    view.weights = array(kOperation, "weights", weights, view.row_offsets.back());
    validate(view);
    return view;
  });
}

graft_status graft_graph_from_coo(int64_t items, int64_t edges, const int32_t* rows, const int32_t* columns,
                                  const float* weights, graft_graph** out) {
  constexpr const char* kOperation = "graft_graph_from_coo";
  return produce(kOperation, out, [&] {
    const auto from = array(kOperation, "rows", rows, edges);
    const auto to = array(kOperation, "columns", columns, edges);
    return graft::Graph::from_coo(items, from, to, array(kOperation, "weights", weights, edges));
  });
}

graft_status graft_graph_get(const graft_graph* graph, graft_csr_view* out) {
  return fill("graft_graph_get", out, [&] {
    const graft::GraphView& view = graph_of("graft_graph_get", "graph", graph);
    return graft_csr_view{view.items, view.edges(), view.row_offsets.data(), view.columns.data(), view.weights.data()};
  });
}

int graft_graph_equal(const graft_graph* a, const graft_graph* b) {
  if (a == nullptr || b == nullptr) return 0;
  return static_cast<int>(a->view == b->view);
}

void graft_graph_free(graft_graph* graph) { free_handle(graph); }

graft_status graft_graph_load_npz(const char* path, graft_unsorted unsorted, graft_graph** out) {
  constexpr const char* kOperation = "graft_graph_load_npz";
  if (out != nullptr) *out = nullptr;
  return guarded([&] {
    required(kOperation, "path", path);
    graft_graph*& place = required(kOperation, "out", out);
    graft::StoredGraph stored =
        graft::load_npz_with_provenance(path, choice(kOperation, "unsorted", unsorted, graft::Unsorted::sort_and_sum));
    auto handle = std::make_unique<graft_graph>(std::move(stored.graph));
    handle->facts.assign(stored.provenance.begin(), stored.provenance.end());
    place = handle.release();
  });
}

graft_status graft_npz_options_init(graft_npz_options* options, size_t size) {
  return init_options("graft_npz_options_init", options, size, default_npz());
}

graft_status graft_graph_save_npz(const graft_graph* graph, const char* path, const graft_npz_options* options) {
  constexpr const char* kOperation = "graft_graph_save_npz";
  return guarded([&] {
    const graft::GraphView& view = graph_of(kOperation, "graph", graph);
    required(kOperation, "path", path);
    const graft_npz_options given = options_or(kOperation, options, default_npz());
    graft::save_npz(path, view, facts_of(kOperation, given), given.compressed != 0);
  });
}

int64_t graft_graph_fact_count(const graft_graph* graph) {
  return graph == nullptr ? 0 : static_cast<std::int64_t>(graph->facts.size());
}

const char* graft_graph_fact_key(const graft_graph* graph, int64_t index) {
  if (index < 0 || index >= graft_graph_fact_count(graph)) return nullptr;
  return graph->facts[static_cast<std::size_t>(index)].first.c_str();
}

const char* graft_graph_fact_value(const graft_graph* graph, int64_t index) {
  if (index < 0 || index >= graft_graph_fact_count(graph)) return nullptr;
  return graph->facts[static_cast<std::size_t>(index)].second.c_str();
}
