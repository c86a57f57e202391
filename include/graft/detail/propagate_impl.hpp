// Body of ops/propagate.hpp.
//
// Horner's form: H_0 = E, H_l = E + A H_(l-1), E* = H_layers. Layers alternate between the result and one block of
// workspace so that the last lands in the result; columns are independent, so wide features go block by block.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/detail/csr_build.hpp>
#include <graft/detail/graph_steps_on_device.hpp>
#include <graft/detail/pairwise_on_device.hpp>
#include <graft/ops/propagate.hpp>

namespace graft {
namespace detail {

/// Rows of a propagation task: few, because a row costs edges * columns.
inline constexpr std::int64_t kPropagateRows = 128;

/// Columns of a block where the budget allows more: wider blocks of many items fall out of the cache between two uses
/// of a row, narrower ones read the edges again too often.
inline constexpr std::int64_t kPropagateColumns = 256;

/// Floats that are added at once, as wide as the build allows; elements do not depend on it.
#if defined(__AVX512F__)
inline constexpr std::int64_t kLanes = 16;
#elif defined(__AVX__)
inline constexpr std::int64_t kLanes = 8;
#else
inline constexpr std::int64_t kLanes = 4;
#endif
using Lanes __attribute__((vector_size(kLanes * sizeof(float)))) = float;

/// First and last address that a matrix touches (end excluded).
template <class T>
std::pair<const float*, const float*> address_range(const MatrixView<T>& matrix) {
  if (matrix.rows() == 0 || matrix.cols() == 0) return {nullptr, nullptr};
  return {matrix.data(), matrix.row(matrix.rows() - 1) + matrix.cols()};
}

inline void check_propagate(std::int64_t items, std::int64_t rows, std::int64_t layers) {
  if (rows != items) {
    throw InvalidArgument(message("propagate", "features", std::to_string(rows) + " rows",
                                  "must have one for each of the graph's " + std::to_string(items) + " items"));
  }
  if (layers < 0) throw InvalidArgument(message("propagate", "layers", std::to_string(layers), "must be >= 0"));
}

inline void check_out(const MatrixView<const float>& features, const MatrixView<float>& out) {
  if (out.rows() != features.rows() || out.cols() != features.cols()) {
    throw InvalidArgument(message("propagate", "out", std::to_string(out.rows()) + " x " + std::to_string(out.cols()),
                                  "must have the shape of the features, " + std::to_string(features.rows()) + " x " +
                                      std::to_string(features.cols())));
  }
  const auto [read, read_end] = address_range(features);
  const auto [write, write_end] = address_range(out);
  // std::less orders pointers into different arrays
  if (std::less<>{}(read, write_end) && std::less<>{}(write, read_end)) {
    throw InvalidArgument(message("propagate", "out", "",
                                  "must not share its range of addresses with the features; pass another matrix"));
  }
}

/// Columns of a block: as many as fit the budget in one workspace block of items * columns floats.
inline std::int64_t block_columns(std::int64_t items, std::int64_t dims, std::int64_t layers, const Context& context) {
  const std::int64_t wanted = std::min(dims, kPropagateColumns);
  if (layers < 2 || wanted == 0 || items == 0) return wanted;
  const std::int64_t column_bytes = items * static_cast<std::int64_t>(sizeof(float));
  if (column_bytes > context.memory_budget) {
    throw OutOfMemory(message("propagate", "memory_budget", std::to_string(context.memory_budget),
                              "needs at least " + std::to_string(column_bytes) + " bytes"));
  }
  const std::int64_t fitting = std::min(wanted, context.memory_budget / column_bytes);
  return fitting > kLanes ? fitting - fitting % kLanes : fitting;
}

/// Units of the ticker: row blocks of the check and of every layer of every column block.
inline std::int64_t propagate_units(std::int64_t row_blocks, std::int64_t dims, std::int64_t width,
                                    std::int64_t layers) {
  if (width == 0) return 0;
  const std::int64_t passes = layers == 0 ? 1 : saturating_multiply(layers, block_count(dims, width));
  return saturating_multiply(std::min(passes, std::numeric_limits<std::int64_t>::max() - 1) + 1, row_blocks);
}

/// Columns [begin, begin + count) of a matrix.
template <class T>
MatrixView<T> column_block(const MatrixView<T>& matrix, std::int64_t begin, std::int64_t count) {
  return {matrix.data() + begin, matrix.rows(), count, matrix.stride()};
}

/// out = (features + graph * input) * factor, row by row; edges are added in ascending columns. All columns go
/// through the same vector arithmetic, the last few padded, so that they are rounded alike (fused or not) wherever a
/// block begins.
class PropagateRow {
 public:
  PropagateRow(const GraphView& graph, const MatrixView<const float>& input, const MatrixView<const float>& features,
               const MatrixView<float>& out, float factor)
      : graph_(graph), input_(input), features_(features), out_(out), factor_(factor) {}

  void operator()(std::int64_t row) const {
    const std::int64_t columns = out_.cols();
    std::int64_t column = 0;
    for (; columns - column >= 8 * kLanes; column += 8 * kLanes) add_neighbours<8>(row, column, kLanes);
    for (; columns - column >= 2 * kLanes; column += 2 * kLanes) add_neighbours<2>(row, column, kLanes);
    for (; columns - column >= kLanes; column += kLanes) add_neighbours<1>(row, column, kLanes);
    if (column < columns) add_neighbours<1>(row, column, columns - column);
  }

 private:
  /// kVectors vectors of columns at a time: their sums stay in registers. @param lanes  below kLanes only at the end
  template <std::size_t kVectors>
  void add_neighbours(std::int64_t row, std::int64_t column, std::int64_t lanes) const {
    add_neighbours(row, column, lanes, std::make_index_sequence<kVectors>{});
  }

  template <std::size_t... kVector>
  void add_neighbours(std::int64_t row, std::int64_t column, std::int64_t lanes,
                      std::index_sequence<kVector...>) const {
    constexpr auto kStep = static_cast<std::size_t>(kLanes);
    Lanes sums[sizeof...(kVector)] = {};
    for (std::int64_t e = graph_.row_begin(row); e < graph_.row_end(row); ++e) {
      const float weight = graph_.weights[as_size(e)];
      const float* source = input_.row(graph_.columns[as_size(e)]) + column;
      ((sums[kVector] += weight * load(source + kVector * kStep, lanes)), ...);
    }
    const float* own = features_.row(row) + column;
    float* target = out_.row(row) + column;
    (store((sums[kVector] + load(own + kVector * kStep, lanes)) * factor_, target + kVector * kStep, lanes), ...);
  }

  static Lanes load(const float* source, std::int64_t lanes) {
    Lanes values = {};
    if (lanes == kLanes) {
      std::memcpy(&values, source, sizeof values);
    } else {
      std::memcpy(&values, source, as_size(lanes) * sizeof(float));
    }
    return values;
  }

  static void store(const Lanes& values, float* target, std::int64_t lanes) {
    if (lanes == kLanes) {
      std::memcpy(target, &values, sizeof values);
    } else {
      std::memcpy(target, &values, as_size(lanes) * sizeof(float));
    }
  }

  GraphView graph_;
  MatrixView<const float> input_;
  MatrixView<const float> features_;
  MatrixView<float> out_;
  float factor_;
};

/// @throws InvalidArgument naming the row
[[noreturn]] inline void refuse_features(std::int64_t row) {
  throw InvalidArgument(
      message("propagate", "features row " + std::to_string(row), "", "must hold no NaN and no infinity"));
}

/// @throws InvalidArgument naming the first row that holds a NaN or an infinity
inline void check_finite_rows(int workers, Ticker& ticker, const MatrixView<const float>& features) {
  FirstRow bad;
  parallel_blocks(workers, ticker, features.rows(), kPropagateRows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const float* values = features.row(row);
      bool finite = true;
      for (std::int64_t c = 0; c < features.cols(); ++c) finite &= std::isfinite(values[c]);
      if (!finite) bad.report(row);
    }
  });
  if (bad.found()) refuse_features(bad.row());
}

/// All layers of one block of columns.
inline void propagate_block(int workers, Ticker& ticker, const GraphView& graph,
                            const MatrixView<const float>& features, std::int64_t layers, float factor,
                            const MatrixView<float>& out, const MatrixView<float>& workspace) {
  MatrixView<const float> input = features;
  for (std::int64_t layer = 1; layer <= layers; ++layer) {
    const bool last = layer == layers;
    const MatrixView<float>& target = (layers - layer) % 2 == 0 ? out : workspace;
    const PropagateRow propagate_row(graph, input, features, target, last ? factor : 1.0F);
    parallel_blocks(workers, ticker, graph.items, kPropagateRows, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) propagate_row(row);
    });
    input = target;
  }
}

inline void copy_scaled(int workers, Ticker& ticker, const MatrixView<const float>& features, float factor,
                        const MatrixView<float>& out) {
  parallel_blocks(workers, ticker, features.rows(), kPropagateRows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      std::transform(features.row(row), features.row(row) + features.cols(), out.row(row),
                     [factor](float value) { return value * factor; });
    }
  });
}

inline float aggregation_factor(Aggregation aggregation, std::int64_t layers) {
  return aggregation == Aggregation::mean ? static_cast<float>(1.0 / (static_cast<double>(layers) + 1.0)) : 1.0F;
}

/// On the device, from features in either memory; sizes are checked.
inline DeviceMatrix propagate_on_device(const DeviceGraph& graph, const cuda::Matrix& features, std::int64_t layers,
                                        Aggregation aggregation, const Context& context) {
  const cuda::Table& table = device_table("propagate", context);
  CudaCall call(context, "propagate");
  DeviceMatrix result(device_array<float>(table, call, context.device, features.rows * features.cols), features.rows,
                      features.cols);
  cuda::PropagateCall task{.graph = seam_csr(graph),
                           .features = features,
                           .layers = layers,
                           .factor = aggregation_factor(aggregation, layers),
                           .out = result.mutable_device_data()};
  call.run(table.propagate, &task);
  if (task.bad_row >= 0) refuse_features(task.bad_row);
  return result;
}

}  // namespace detail

GRAFT_INLINE void propagate(GraphInput graph, Features features, std::int64_t layers, Aggregation aggregation,
                            MatrixView<float> out, const Context& context) {
  detail::check_propagate(graph.items, features.rows(), layers);
  detail::check_out(features, out);
  if (detail::names_device(context)) {
    const DeviceMatrix result =
        detail::propagate_on_device(detail::copied_to_device("propagate", graph, context),
                                    detail::seam_matrix(features), layers, aggregation, context);
    return copy_to_host(result.view(), out);
  }
  const std::int64_t dims = features.cols();
  const int workers = detail::worker_count(context);
  const std::int64_t width = detail::block_columns(graph.items, dims, layers, context);
  const std::int64_t row_blocks = detail::block_count(graph.items, detail::kPropagateRows);
  detail::Ticker ticker(context, "propagate", detail::propagate_units(row_blocks, dims, width, layers));
  if (graph.items == 0 || dims == 0) return;
  detail::check_finite_rows(workers, ticker, features);
  const float factor = detail::aggregation_factor(aggregation, layers);
  if (layers == 0) return detail::copy_scaled(workers, ticker, features, factor, out);
  std::vector<float> workspace;
  if (layers > 1) workspace = detail::make_vector<float>("propagate", graph.items * width);
  for (std::int64_t begin = 0; begin < dims; begin += width) {
    const std::int64_t count = std::min(width, dims - begin);
    detail::propagate_block(workers, ticker, graph, detail::column_block<const float>(features, begin, count), layers,
                            factor, detail::column_block(out, begin, count),
                            layers > 1 ? MatrixView<float>(workspace.data(), graph.items, count) : MatrixView<float>());
  }
}

GRAFT_INLINE Matrix propagate(GraphInput graph, Features features, std::int64_t layers, Aggregation aggregation,
                              const Context& context) {
  Matrix result(features.rows(), features.cols());
  propagate(graph, features, layers, aggregation, result.mutable_view(), context);
  return result;
}

}  // namespace graft
