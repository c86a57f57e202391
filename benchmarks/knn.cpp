// knn_graph at the shapes of the published data sets.
#include <graft/ops/knn.hpp>

#include "report.hpp"
#include "shapes.hpp"

namespace {

using namespace graft::benchmarks;

/// Arguments: items, dims. Flops are those of the pairs, each computed once.
void knn_cosine(benchmark::State& state) {
  const graft::Matrix features = clustered_features(state.range(0), state.range(1));
  const graft::KnnOptions options{.k = 10};
  reset_peak_memory();
  const double before = peak_memory();
  for (auto _ : state) benchmark::DoNotOptimize(graft::knn_graph(features, options));
  report_flops(state, graft::plan(state.range(0), state.range(1), options).flops, before);
}
BENCHMARK(knn_cosine)
    ->Args({7050, 384})
    ->Args({18357, 384})
    ->Args({23033, 384})
    ->Args({63001, 384})
    ->Args({18357, 64})
    ->Args({18357, 4096})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

/// Argument: k. Selection should cost little beside the products.
void knn_k(benchmark::State& state) {
  const graft::Matrix features = clustered_features(18357, 384);
  const graft::KnnOptions options{.k = state.range(0)};
  reset_peak_memory();
  const double before = peak_memory();
  for (auto _ : state) benchmark::DoNotOptimize(graft::knn_graph(features, options));
  report_flops(state, graft::plan(18357, 384, options).flops, before);
}
BENCHMARK(knn_k)->Arg(1)->Arg(10)->Arg(100)->Arg(1000)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
