// What the files of the C API share: handles, the guard that turns exceptions into statuses, checked arguments.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <graft/cuda/device_graph.hpp>
#include <graft/cuda/device_matrix.hpp>
#include <graft/graft.hpp>

#include "graft.h"

struct graft_context {
  graft::Context context;
};

struct graft_matrix {
  graft::Matrix matrix;
};

struct graft_interactions {
  graft::Interactions interactions;
};

struct graft_ranking {
  graft::Ranking ranking;
};

struct graft_device_graph {
  graft::DeviceGraph graph;
};

struct graft_device_matrix {
  graft::DeviceMatrix matrix;
};

/// Owns its arrays or borrows the caller's; `view` tells either way.
struct graft_graph {
  explicit graft_graph(graft::Graph graph) : owned(std::move(graph)), view(owned.view()) {}
  explicit graft_graph(const graft::GraphView& borrowed) : view(borrowed) {}
  graft_graph(const graft_graph&) = delete;
  graft_graph& operator=(const graft_graph&) = delete;
  graft_graph(graft_graph&&) = delete;
  graft_graph& operator=(graft_graph&&) = delete;
  ~graft_graph() = default;

  graft::Graph owned;
  graft::GraphView view;
  std::vector<std::pair<std::string, std::string>> facts;
};

namespace graft::capi {

/// Status of the exception being handled; its message becomes the thread's last error. Call in a catch block.
graft_status status_of_current_exception() noexcept;

/// Runs `body`; what it throws becomes a status.
template <class Body>
graft_status guarded(const Body& body) noexcept {
  try {
    body();
    return GRAFT_OK;
  } catch (...) {
    return status_of_current_exception();
  }
}

[[noreturn]] inline void refuse(const char* operation, const std::string& argument, const std::string& value,
                                const std::string& allowed) {
  throw InvalidArgument(detail::message(operation, argument, value, allowed));
}

/// @throws InvalidArgument if the pointer is NULL
template <class T>
T& required(const char* operation, const char* argument, T* pointer) {
  if (pointer == nullptr) refuse(operation, argument, "NULL", "must not be NULL");
  return *pointer;
}

/// Gives `*out` a new handle of what `make` returns, or NULL.
template <class Handle, class Make>
graft_status produce(const char* operation, Handle** out, const Make& make) noexcept {
  if (out != nullptr) *out = nullptr;
  return guarded([&] {
    Handle*& place = required(operation, "out", out);
    place = std::make_unique<Handle>(make()).release();
  });
}

/// Frees a handle that `produce` made, or NULL.
template <class Handle>
void free_handle(Handle* handle) noexcept {
  const std::unique_ptr<Handle> owner(handle);
}

/// Fills a caller's plain struct.
template <class View, class Make>
graft_status fill(const char* operation, View* out, const Make& make) noexcept {
  return guarded([&] { required(operation, "out", out) = make(); });
}

/// @throws InvalidArgument unless `size` is that of the struct. A field that is added makes the older size valid, too.
template <class Options>
void check_size(const char* operation, std::size_t size) {
  if (size != sizeof(Options)) {
    refuse(operation, "size", std::to_string(size),
           "must be sizeof the options, " + std::to_string(sizeof(Options)) + ": fill them with their _init function");
  }
}

template <class Options>
graft_status init_options(const char* operation, Options* options, std::size_t size, const Options& defaults) noexcept {
  return guarded([&] {
    required(operation, "options", options);
    check_size<Options>(operation, size);
    *options = defaults;
    options->size = size;
  });
}

/// The caller's options, or the defaults for NULL.
template <class Options>
Options options_or(const char* operation, const Options* options, const Options& defaults) {
  if (options == nullptr) return defaults;
  check_size<Options>(operation, options->size);
  return *options;
}

/// A named value from the integer that C holds: C's names count from 0 in the order of C++'s.
template <class Choice>
Choice choice(const char* operation, const char* argument, std::int32_t value, Choice last) {
  const auto most = static_cast<std::int32_t>(last);
  if (value < 0 || value > most) {
    refuse(operation, argument, std::to_string(value), "must be a named value, 0 to " + std::to_string(most));
  }
  return static_cast<Choice>(value);
}

/// An array of `count` elements. @throws InvalidArgument if it is NULL though not empty, or count is negative
template <class T>
std::span<const T> array(const char* operation, const char* argument, const T* data, std::int64_t count) {
  if (count < 0) refuse(operation, std::string("size of ") + argument, std::to_string(count), "must be >= 0");
  if (data == nullptr && count > 0) refuse(operation, argument, "NULL", "must not be NULL");
  return {data, static_cast<std::size_t>(data == nullptr ? 0 : count)};
}

/// Row offsets [rows + 1], and the entries that they announce.
template <std::integral Offset>
std::span<const Offset> offsets(const char* operation, const char* argument, const Offset* data, std::int64_t rows) {
  if (rows < 0 || rows > std::numeric_limits<std::int32_t>::max()) {
    refuse(operation, std::string("rows of ") + argument, std::to_string(rows), "must lie in [0, 2147483647]");
  }
  return array(operation, argument, data, rows + 1);
}

const Context& context_of(const graft_context* context);
MatrixView<const float> matrix_of(const char* operation, const char* argument, const graft_matrix_view* view);
const Interactions& interactions_of(const char* operation, const graft_interactions* interactions);
const GraphView& graph_of(const char* operation, const char* argument, const graft_graph* graph);
std::vector<GraphView> graphs_of(const char* operation, const char* argument, const graft_graph* const* graphs,
                                 std::size_t count);

/// The caller's options, checked.
KnnOptions knn_of(const char* operation, const graft_knn_options* options);
JaccardOptions jaccard_of(const char* operation, const graft_jaccard_options* options);
RefineOptions refine_of(const char* operation, const graft_refine_options* options);
std::vector<Modality> modalities_of(const char* operation, const graft_modality* modalities, std::size_t count);
graft_refine_summary plain(const RefineSummary& summary);

/// @throws InvalidArgument unless the context names a device
const Context& device_context_of(const char* operation, const graft_context* context);
DeviceMatrixView device_matrix_of(const char* operation, const char* argument, const graft_device_matrix_view* view);

inline graft_plan plain(const Plan& plan) { return {plan.workspace_bytes, plan.output_bytes, plan.flops, plan.tiles}; }

}  // namespace graft::capi
