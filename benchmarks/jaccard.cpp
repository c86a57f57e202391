// jaccard_graph and its other measures at the shapes of the published data sets.
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

}  // namespace
