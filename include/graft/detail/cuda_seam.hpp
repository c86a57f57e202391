// The seam between graft and its CUDA plug-in: pointers, sizes and options, no CUDA type and no C++ object.
//
// Both sides are compiled from this file; `kSeamVersion` and the size of the table tell a plug-in of another version.
// No exception crosses it: the plug-in answers with a Status and a text, the hooks answer with a number.
#pragma once

#include <cstdint>

#include <graft/ops/audience.hpp>
#include <graft/ops/types.hpp>

namespace graft::detail::cuda {

/// Rises whenever anything in this file changes its meaning or layout.
inline constexpr std::int32_t kSeamVersion = 2;
inline constexpr const char* kPluginFile = "libgraft_cuda.so";
inline constexpr const char* kPluginSymbol = "graft_cuda_table";
/// Room for a message, its end included.
inline constexpr std::int64_t kMessageBytes = 1024;

enum class Status : std::int32_t {
  done,
  stopped,        ///< a hook asked for it
  unavailable,    ///< library, driver or device is missing
  out_of_memory,  ///< the budget, or the device, refused; the message says how much was asked for
  failed          ///< CUDA reported anything else
};

/// Where a refusal is explained: a text that ends with 0.
struct Message {
  char* text;
  std::int64_t bytes;
};

/// Who calls, where, and how the call is watched. Hooks are called on the calling thread; not 0 ends the call.
struct Call {
  const char* operation;
  std::int32_t ordinal;
  std::int64_t memory_budget;
  void* state;
  std::int32_t (*tick)(void* state, std::int64_t done, std::int64_t total);
  /// Euclidean norms of all rows of a matrix (0: rows or queries, 1: items), before anything is computed with them.
  std::int32_t (*norms)(void* state, std::int32_t side, const double* norms, std::int64_t rows);
  Message message;
};

/// Row-major float32, in host memory or in the device's.
struct Matrix {
  const float* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t stride = 0;
  bool on_device = false;
  bool stream_known = false;  ///< whether `stream` is the one that fills it; else any stream of the device may
  void* stream = nullptr;     ///< cudaStream_t
};

/// The k best columns of every row. Arrays lie in host memory; the results may lie in the device's instead.
struct PairwiseCall {
  Matrix queries = {};
  Matrix items = {};  ///< equal to `queries` where `same`
  bool same = false;  ///< a matrix against itself: a row is never offered itself
  Metric metric = Metric::cosine;
  float minimum = 0.0F;  ///< inclusive, -infinity for none
  std::int64_t places = 0;
  std::int64_t row_begin = 0;
  std::int64_t row_end = 0;
  std::int64_t column_begin = 0;
  std::int64_t column_end = 0;
  const std::int64_t* excluded_offsets = nullptr;  ///< [queries + 1], or null
  const std::int32_t* excluded = nullptr;
  std::int32_t* ids = nullptr;     ///< [rows * places], by rank
  float* values = nullptr;         ///< [rows * places]
  std::int32_t* counts = nullptr;  ///< [rows]
  float* self_scores = nullptr;    ///< [rows], or null: score of every row with itself
};

/// The k best audiences of every row. Arrays lie in host memory; the results may lie in the device's instead.
struct AudienceCall {
  std::int64_t users = 0;
  std::int64_t items = 0;
  const std::int64_t* user_offsets = nullptr;
  const std::int32_t* user_items = nullptr;
  const std::int64_t* item_offsets = nullptr;
  const std::int32_t* item_users = nullptr;
  std::int64_t k = 0;
  std::int64_t min_support = 0;
  Self self = Self::drop;
  Identical identical = Identical::keep;
  AudienceMeasure measure = AudienceMeasure::jaccard;
  std::int64_t row_begin = 0;
  std::int64_t row_end = 0;
  const std::int64_t* row_cost = nullptr;      ///< [rows]: counter increments
  const std::int64_t* row_capacity = nullptr;  ///< [rows + 1]: where a row's edges go
  std::int32_t* columns = nullptr;             ///< [row_capacity[rows]], ascending within a row
  float* weights = nullptr;
  std::int32_t* counts = nullptr;  ///< [rows]
};

/// A graph in the device's memory.
struct DeviceCsr {
  std::int64_t items = 0;
  std::int64_t edges = 0;
  const std::int64_t* row_offsets = nullptr;  ///< [items + 1]
  const std::int32_t* columns = nullptr;
  const float* weights = nullptr;
};

enum class GraphStep : std::int32_t {
  threshold,
  drop_self_loops,
  scale,
  binarize,
  normalize_symmetric,
  normalize_row,
  mix,
  join,  ///< union; an edge that both store must weigh the same, else its row is bad
  top_k,
  top_k_self_first,  ///< a stored self loop takes the first place, whatever it weighs
  transpose,
  symmetrize_max,
  symmetrize_mean,
  symmetrize_min
};

/// A graph from one or two graphs, all in the device's memory.
struct GraphCall {
  GraphStep step = GraphStep::threshold;
  DeviceCsr left = {};
  DeviceCsr right = {};      ///< mix and join only; as many items
  float value = 0.0F;        ///< least weight, factor, epsilon, or the left coefficient
  float right_value = 0.0F;  ///< the right coefficient
  std::int64_t k = 0;        ///< top_k
  // the result: arrays for the caller to release
  std::int64_t edges = 0;
  std::int64_t* row_offsets = nullptr;
  std::int32_t* columns = nullptr;
  float* weights = nullptr;
  std::int64_t bad_row = -1;  ///< the first with a weight that is not finite, or whose weights differ; or -1
};

/// A graph from the rows that `pairwise` or `audience` left in the device's memory.
struct RowsCall {
  std::int64_t items = 0;
  std::int64_t row_begin = 0;  ///< the other rows of the graph are empty
  std::int64_t row_end = 0;
  std::int64_t places = 0;                     ///< entries from one row to the next
  const std::int64_t* row_capacity = nullptr;  ///< in place of that: [rows + 1], host memory
  const std::int32_t* ids = nullptr;           ///< distinct within a row
  bool ascending = false;                      ///< ids ascend within a row; else they come by rank
  const float* values = nullptr;
  const std::int32_t* counts = nullptr;  ///< [rows]
  /// Rows [self_begin, self_end) of them give one place to the item itself: [rows], host memory; NaN: left empty.
  const float* self_values = nullptr;
  std::int64_t self_begin = 0;
  std::int64_t self_end = 0;
  bool binary = false;  ///< every weight becomes 1
  // the result: arrays for the caller to release
  std::int64_t edges = 0;
  std::int64_t* row_offsets = nullptr;
  std::int32_t* columns = nullptr;
  float* weights = nullptr;
};

/// out = factor * sum over l = 0..layers of graph^l features; edges in ascending columns, in fused float32.
struct PropagateCall {
  DeviceCsr graph = {};
  Matrix features = {};  ///< either memory
  std::int64_t layers = 0;
  float factor = 1.0F;
  float* out = nullptr;       ///< the device's memory, [items, dims] without padding
  std::int64_t bad_row = -1;  ///< the first of the features that is not finite, or -1
};

/// What a device does at most, measured: the floors that operators are held against.
struct Floors {
  double copied_bytes_per_second = 0.0;  ///< read and written by a copy within the device
  double half_flops_per_second = 0.0;    ///< large product of float16 matrices, sums in float32
  double float_flops_per_second = 0.0;   ///< the same of float32 matrices
};

struct Table {
  std::int32_t version;
  std::int64_t bytes;  ///< sizeof(Table)
  /// Devices that the plug-in can use, at least one where it answers `done`.
  Status (*count_devices)(std::int32_t* count, Message message);
  /// Name, compute capability, memory and driver of a device.
  Status (*describe)(std::int32_t ordinal, Message text);
  Status (*allocate)(const Call* call, std::int64_t bytes, void** out);
  void (*release)(std::int32_t ordinal, void* data);
  /// Either side may be the device's; done when it returns.
  Status (*copy)(const Call* call, void* to, const void* from, std::int64_t bytes);
  Status (*pairwise)(const Call* call, const PairwiseCall* task);
  Status (*audience)(const Call* call, const AudienceCall* task);
  Status (*graph)(const Call* call, GraphCall* task);
  Status (*rows)(const Call* call, RowsCall* task);
  Status (*propagate)(const Call* call, PropagateCall* task);
  /// Takes about a second and 3 GiB.
  Status (*floors)(const Call* call, Floors* out);
};

/// The one symbol of the plug-in. Null unless the version is its own.
using TableFunction = const Table* (*)(std::int32_t version);

}  // namespace graft::detail::cuda
