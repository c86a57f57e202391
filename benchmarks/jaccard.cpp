// jaccard_graph and its other measures at the shapes of the published data sets.
#include <algorithm>
#include <numeric>
#include <vector>

#include <graft/ops/jaccard.hpp>

#include "report.hpp"
#include "shapes.hpp"

namespace {

using namespace graft::benchmarks;

/// Arguments: index of the shape, measure. "ns/count" is wall time a counter increment, all threads together; its
/// bytes are the 4 of an id that every increment reads.
void audience_top_10(benchmark::State& state) {
  const Shape& shape = kShapes[static_cast<std::size_t>(state.range(0))];
  const graft::Interactions train = skewed_interactions(shape);
  const graft::JaccardOptions options{.k = 10, .measure = static_cast<graft::AudienceMeasure>(state.range(1))};
  const double increments = graft::plan(train, options).flops;
  reset_peak_memory();
  const double before = peak_memory();
  for (auto _ : state) benchmark::DoNotOptimize(graft::jaccard_graph(train, options));
  report_bytes(state, 4.0 * increments, before);
  state.counters["counts"] = increments;
  state.counters["counts/s"] =
      benchmark::Counter(increments, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
  state.SetLabel(shape.name);
}
BENCHMARK(audience_top_10)
    ->ArgsProduct({{0, 1, 2, 3, 4}, {0}})
    ->ArgsProduct({{3}, {1, 2, 3, 4}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

/// The items numbered by falling popularity, so that the counters that are used most lie side by side.
graft::Interactions relabelled_by_degree(const graft::Interactions& train) {
  std::vector<std::int32_t> order(static_cast<std::size_t>(train.items()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int32_t a, std::int32_t b) { return train.degree(a) > train.degree(b); });
  std::vector<std::int32_t> label(order.size());
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    label[static_cast<std::size_t>(order[rank])] = static_cast<std::int32_t>(rank);
  }
  std::vector<std::int32_t> users;
  std::vector<std::int32_t> items;
  for (std::int64_t user = 0; user < train.users(); ++user) {
    for (const std::int32_t item : train.history(user)) {
      users.push_back(static_cast<std::int32_t>(user));
      items.push_back(label[static_cast<std::size_t>(item)]);
    }
  }
  return graft::Interactions::from_pairs(users, items, train.users(), train.items());
}

/// What relabelling would gain, its own cost left out. Arguments: index of the shape, whether to relabel.
void audience_relabelled(benchmark::State& state) {
  const Shape& shape = kShapes[static_cast<std::size_t>(state.range(0))];
  const graft::Interactions given = skewed_interactions(shape);
  const graft::Interactions train = state.range(1) != 0 ? relabelled_by_degree(given) : given;
  for (auto _ : state) benchmark::DoNotOptimize(graft::jaccard_graph(train, {.k = 10}));
  state.SetLabel(shape.name);
}
BENCHMARK(audience_relabelled)->ArgsProduct({{1, 2, 3, 4}, {0, 1}})->Unit(benchmark::kMillisecond)->UseRealTime();

/// What smaller blocks of counters would gain: the budget allows one thread so many columns at once. Arguments: index
/// of the shape, columns.
void audience_blocked(benchmark::State& state) {
  const Shape& shape = kShapes[static_cast<std::size_t>(state.range(0))];
  const graft::Interactions train = skewed_interactions(shape);
  graft::Context context;
  context.threads = 1;
  const std::int64_t whole = graft::plan(train, graft::JaccardOptions{.k = 10}, context).workspace_bytes;
  constexpr std::int64_t kBytesOfAColumn = 8;
  context.memory_budget = whole - kBytesOfAColumn * (shape.items - state.range(1));
  for (auto _ : state) benchmark::DoNotOptimize(graft::jaccard_graph(train, {.k = 10}, context));
  state.SetLabel(shape.name);
}
BENCHMARK(audience_blocked)
    ->ArgsProduct({{1}, {18357, 16384}})
    ->ArgsProduct({{2}, {23033, 16384}})
    ->ArgsProduct({{3}, {63001, 32768, 16384}})
    ->ArgsProduct({{4}, {200000, 65536, 32768, 16384}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
