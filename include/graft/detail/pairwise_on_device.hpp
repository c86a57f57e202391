// knn_graph and top_k_scores through the seam to the device.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <graft/core/matrix_view.hpp>
#include <graft/cuda/device_matrix.hpp>
#include <graft/detail/cuda_backend.hpp>
#include <graft/detail/graph_steps_on_device.hpp>
#include <graft/detail/packed_rows.hpp>
#include <graft/detail/pairwise.hpp>
#include <graft/detail/top_k_rows.hpp>

namespace graft::detail {

inline cuda::Matrix seam_matrix(const MatrixView<const float>& matrix) {
  return {.data = matrix.data(),
          .rows = matrix.rows(),
          .cols = matrix.cols(),
          .stride = matrix.stride(),
          .on_device = false};
}

inline void require_device(const char* operation, const char* argument, const DeviceMatrixView& matrix,
                           const Context& context) {
  if (matrix.ordinal() == context.device) return;
  throw InvalidArgument(message(operation, argument, "on device " + std::to_string(matrix.ordinal()),
                                "must be on the context's device, " + std::to_string(context.device)));
}

inline cuda::Matrix seam_matrix(const DeviceMatrixView& matrix) {
  return {.data = matrix.device_data(),
          .rows = matrix.rows(),
          .cols = matrix.cols(),
          .stride = matrix.stride(),
          .on_device = true,
          .stream_known = matrix.stream_known(),
          .stream = matrix.stream()};
}

/// A matrix of a call and what the caller calls it.
struct NamedMatrix {
  const char* argument;
  cuda::Matrix matrix;
};

/// @throws InvalidArgument naming the first row whose norm is not finite, and where the host can read it the element
inline void check_device_norms(const char* operation, const NamedMatrix& named, const std::vector<double>& norms) {
  const auto bad = std::find_if(norms.begin(), norms.end(), [](double norm) { return !std::isfinite(norm); });
  if (bad == norms.end()) return;
  const std::int64_t row = bad - norms.begin();
  const cuda::Matrix& matrix = named.matrix;
  if (!matrix.on_device) {
    throw_not_finite(operation, named.argument, {matrix.data, matrix.rows, matrix.cols, matrix.stride}, row);
  }
  throw InvalidArgument(
      message(operation, std::string(named.argument) + " row " + std::to_string(row), "", "must be finite"));
}

/// Norms as the device hands them over, checked as the processor checks its own.
class DeviceNorms {
 public:
  DeviceNorms(const char* operation, Metric metric, const NamedMatrix& queries, const NamedMatrix& items, bool same)
      : operation_(operation), metric_(metric), queries_(queries), items_(items), same_(same) {}

  /// @throws InvalidArgument
  void take(std::int32_t side, const double* norms, std::int64_t rows) {
    const bool first = side == 0;
    std::vector<double>& kept = first ? query_norms_ : item_norms_;
    kept.assign(norms, norms + rows);
    check_device_norms(operation_, first ? queries_ : items_, kept);
    if (first && !same_) return;
    const std::vector<double>& others = same_ ? query_norms_ : item_norms_;
    check_products_fit(operation_, metric_, {queries_.argument, query_norms_}, {items_.argument, others});
  }

  [[nodiscard]] const std::vector<double>& of_queries() const { return query_norms_; }

 private:
  const char* operation_;
  Metric metric_;
  NamedMatrix queries_;
  NamedMatrix items_;
  bool same_;
  std::vector<double> query_norms_;
  std::vector<double> item_norms_;
};

/// Runs a task whose outputs are named.
inline void run_pairwise_on_device(const cuda::Table& table, const char* operation, const cuda::PairwiseCall& task,
                                   DeviceNorms& norms, const Context& context) {
  CudaCall call(context, operation, [&norms](std::int32_t side, const double* values, std::int64_t rows) {
    norms.take(side, values, rows);
  });
  call.run(table.pairwise, &task);
}

/// Fills `top`, every row by rank; `task` lacks its outputs but `self_scores`.
inline void run_pairwise_on_device(const cuda::Table& table, const char* operation, cuda::PairwiseCall task,
                                   DeviceNorms& norms, TopKRows& top, const Context& context) {
  task.places = top.capacity();
  task.ids = top.all_ids().data();
  task.values = top.all_values().data();
  task.counts = top.all_counts().data();
  run_pairwise_on_device(table, operation, task, norms, context);
}

/// Rows that an operator leaves on the device for `graph_of_rows`.
struct DeviceRows {
  DeviceArray ids;
  DeviceArray values;
  DeviceArray counts;

  DeviceRows(const cuda::Table& table, const char* operation, std::int64_t rows, std::int64_t entries,
             const Context& context) {
    CudaCall call(context, operation);
    ids = device_array<std::int32_t>(table, call, context.device, entries);
    values = device_array<float>(table, call, context.device, entries);
    counts = device_array<std::int32_t>(table, call, context.device, rows);
  }

  [[nodiscard]] std::int32_t* all_ids() const { return static_cast<std::int32_t*>(ids.data()); }
  [[nodiscard]] float* all_values() const { return static_cast<float*>(values.data()); }
  [[nodiscard]] std::int32_t* all_counts() const { return static_cast<std::int32_t*>(counts.data()); }

  /// The graph of these rows; `task` lacks them.
  DeviceGraph graph(const cuda::Table& table, const char* operation, cuda::RowsCall task,
                    const Context& context) const {
    task.ids = all_ids();
    task.values = all_values();
    task.counts = all_counts();
    CudaCall call(context, operation);
    call.run(table.rows, &task);
    return made_graph(table, task.items, task, context);
  }
};

}  // namespace graft::detail
