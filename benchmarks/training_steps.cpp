// The heavy calls of a training step at the shape of the Baby data set: 64 dimensions, batches of 2048 pairs.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <numeric>
#include <random>
#include <span>
#include <vector>

#include "autodiff/backend.hpp"
#include "report.hpp"
#include "shapes.hpp"

namespace {

using namespace graft::benchmarks;
using graft::autodiff::AdamConstants;
using graft::autodiff::AdamState;
using graft::autodiff::AdamStep;
using graft::autodiff::Backend;
using graft::autodiff::cpu_backend;
using graft::autodiff::Csr;
using graft::autodiff::Operand;
using graft::autodiff::Sparse;
using graft::autodiff::Tensor;

constexpr std::int64_t kDims = 64;
constexpr std::int64_t kFeatures = 4096;

Tensor random_tensor(Backend& backend, std::int64_t rows, std::int64_t cols) {
  const Tensor x = backend.allocate(rows, cols);
  const graft::Matrix values = clustered_features(rows, cols);
  backend.upload(x, values.view());
  return x;
}

/// `count` distinct rows of `rows`, ascending, as a batch touches them.
std::vector<std::int32_t> some_rows(std::int64_t rows, std::int64_t count) {
  std::mt19937 generator(3);
  std::vector<std::int32_t> all(static_cast<std::size_t>(rows));
  std::iota(all.begin(), all.end(), 0);
  std::shuffle(all.begin(), all.end(), generator);
  all.resize(static_cast<std::size_t>(count));
  std::sort(all.begin(), all.end());
  return all;
}

/// Users by items, every interaction with weight 1.
Csr interaction_matrix(const Shape& shape) {
  const graft::Interactions interactions = skewed_interactions(shape);
  Csr matrix;
  matrix.rows = shape.users;
  matrix.cols = shape.items;
  for (std::int64_t u = 0; u < shape.users; ++u) {
    const auto items = interactions.history(u);
    matrix.columns.insert(matrix.columns.end(), items.begin(), items.end());
    matrix.row_offsets.push_back(static_cast<std::int64_t>(matrix.columns.size()));
  }
  matrix.weights.assign(matrix.columns.size(), 1.0F);
  return matrix;
}

/// One layer over users and items: both directions.
void spmm_both_ways(benchmark::State& state) {
  const auto backend = cpu_backend();
  const Shape& shape = kShapes[0];
  const Sparse s = backend->sparse(interaction_matrix(shape));
  const Tensor users = random_tensor(*backend, shape.users, kDims);
  const Tensor items = random_tensor(*backend, shape.items, kDims);
  reset_peak_memory();
  const double before = peak_memory();
  for (auto _ : state) {
    const Tensor new_users = backend->allocate(shape.users, kDims);
    const Tensor new_items = backend->allocate(shape.items, kDims);
    backend->spmm(s, false, items, new_users, false);
    backend->spmm(s, true, users, new_items, false);
    benchmark::DoNotOptimize(new_users.storage());
  }
  const auto edges = static_cast<double>(shape.interactions);
  const auto rows = static_cast<double>(shape.users + shape.items);
  report_bytes(state, 2.0 * edges * (8.0 + 4.0 * kDims) + rows * 4.0 * kDims, before);
}
BENCHMARK(spmm_both_ways)->Unit(benchmark::kMillisecond)->UseRealTime();

/// The rows of a batch, and the gradient back to all rows. Argument: rows.
void spmm_of_a_batch(benchmark::State& state) {
  const auto backend = cpu_backend();
  const Shape& shape = kShapes[0];
  const Sparse s = backend->sparse(interaction_matrix(shape));
  const Tensor items = random_tensor(*backend, shape.items, kDims);
  const std::vector<std::int32_t> rows = some_rows(shape.users, state.range(0));
  const Tensor y = random_tensor(*backend, state.range(0), kDims);
  const Tensor gradient = random_tensor(*backend, shape.items, kDims);
  reset_peak_memory();
  const double before = peak_memory();
  for (auto _ : state) {
    backend->spmm_rows(s, false, rows, items, y);
    backend->spmm_from_rows(s, true, rows, y, gradient, false);
  }
  const double share = static_cast<double>(state.range(0)) / static_cast<double>(shape.users);
  report_bytes(state, 2.0 * share * static_cast<double>(shape.interactions) * (8.0 + 4.0 * kDims), before);
}
BENCHMARK(spmm_of_a_batch)->Arg(1024)->Arg(2048)->Unit(benchmark::kMicrosecond)->UseRealTime();

/// A linear layer over gathered rows of the items' features. Arguments: rows; which product: 0 forward, 1 the gradient
/// of the weights, 2 the gradient of the features.
void matmul_gathered(benchmark::State& state) {
  const auto backend = cpu_backend();
  const std::int64_t rows = state.range(0);
  const Tensor features = random_tensor(*backend, 7050, kFeatures);
  const Tensor weights = random_tensor(*backend, kDims, kFeatures);
  const Tensor y = random_tensor(*backend, rows, kDims);
  const std::vector<std::int32_t> ids = some_rows(7050, rows);
  const Operand gathered{features, false, std::span<const std::int32_t>(ids)};
  reset_peak_memory();
  const double before = peak_memory();
  for (auto _ : state) {
    if (state.range(1) == 0) {
      backend->matmul(gathered, {weights, true}, y, false);
    } else if (state.range(1) == 1) {
      const Tensor gradient = backend->allocate(kDims, kFeatures);
      backend->matmul({y, true}, gathered, gradient, false);
    } else {
      const Tensor gradient = backend->allocate(rows, kFeatures);
      backend->matmul({y}, {weights}, gradient, false);
    }
  }
  report_flops(state, 2.0 * static_cast<double>(rows) * kDims * kFeatures, before);
}
BENCHMARK(matmul_gathered)
    ->Args({3000, 0})
    ->Args({3000, 1})
    ->Args({3000, 2})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

/// Similarities within a batch: argument: rows.
void matmul_of_a_batch(benchmark::State& state) {
  const auto backend = cpu_backend();
  const Tensor x = random_tensor(*backend, state.range(0), kDims);
  const Tensor y = backend->allocate(state.range(0), state.range(0));
  reset_peak_memory();
  const double before = peak_memory();
  for (auto _ : state) backend->matmul({x}, {x, true}, y, false);
  report_flops(state, 2.0 * static_cast<double>(state.range(0) * state.range(0) * kDims), before);
}
BENCHMARK(matmul_of_a_batch)->Arg(2048)->Unit(benchmark::kMillisecond)->UseRealTime();

/// What Adam works on, for `rows` x `cols`.
struct Table {
  Table(Backend& backend, std::int64_t rows, std::int64_t cols)
      : value(random_tensor(backend, rows, cols)),
        first(backend.allocate(rows, cols)),
        second(backend.allocate(rows, cols)),
        done(static_cast<std::size_t>(rows), 0) {
    backend.fill(first, 1e-3);
    backend.fill(second, 1e-5);
  }

  Tensor value;
  Tensor first;
  Tensor second;
  std::vector<std::int64_t> done;
};

std::vector<AdamStep> adam_steps(std::int64_t count) {
  std::vector<AdamStep> steps;
  for (std::int64_t t = 1; t <= count; ++t) {
    const auto power = static_cast<double>(t);
    steps.push_back({1e-3, 1.0 - std::pow(0.9, power), 1.0 - std::pow(0.999, power)});
  }
  return steps;
}

/// A step on every row. Arguments: rows, cols.
void adam_dense(benchmark::State& state) {
  const auto backend = cpu_backend();
  Table table(*backend, state.range(0), state.range(1));
  const Tensor gradient = random_tensor(*backend, state.range(0), state.range(1));
  const std::vector<AdamStep> steps = adam_steps(1);
  reset_peak_memory();
  const double before = peak_memory();
  for (auto _ : state) {
    std::fill(table.done.begin(), table.done.end(), 0);
    backend->adam(AdamConstants{}, steps, 1, {table.value, table.first, table.second}, table.done, {}, &gradient);
  }
  report_bytes(state, 7.0 * 4.0 * static_cast<double>(state.range(0) * state.range(1)), before);
}
BENCHMARK(adam_dense)->Args({7050, 4096})->Args({19445, 64})->Unit(benchmark::kMillisecond)->UseRealTime();

/// The rows of a batch catch up with the steps they missed. Arguments: rows, cols, rows of a batch.
void adam_deferred(benchmark::State& state) {
  const auto backend = cpu_backend();
  Table table(*backend, state.range(0), state.range(1));
  const Tensor gradient = random_tensor(*backend, state.range(2), state.range(1));
  const std::vector<AdamStep> steps = adam_steps(100);
  std::vector<std::vector<std::int32_t>> batches;
  std::mt19937 generator(3);
  for (int b = 0; b < 16; ++b) {
    std::vector<std::int32_t> rows(static_cast<std::size_t>(state.range(0)));
    std::iota(rows.begin(), rows.end(), 0);
    std::shuffle(rows.begin(), rows.end(), generator);
    rows.resize(static_cast<std::size_t>(state.range(2)));
    std::sort(rows.begin(), rows.end());
    batches.push_back(rows);
  }
  reset_peak_memory();
  const double before = peak_memory();
  std::int64_t step = 0;
  for (auto _ : state) {
    if (step == 100) {
      std::fill(table.done.begin(), table.done.end(), 0);
      step = 0;
    }
    ++step;
    backend->adam(AdamConstants{}, steps, step, {table.value, table.first, table.second}, table.done,
                  std::span<const std::int32_t>(batches[static_cast<std::size_t>(step % 16)]), &gradient);
  }
  report_bytes(state, 7.0 * 4.0 * static_cast<double>(state.range(2) * state.range(1)), before);
}
BENCHMARK(adam_deferred)
    ->Args({7050, 4096, 3000})
    ->Args({19445, 64, 2000})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
