// top_k_scores as evaluation uses it: every user against the catalogue, training items excluded.
#include <graft/ops/top_k_scores.hpp>

#include "report.hpp"
#include "shapes.hpp"

namespace {

using namespace graft::benchmarks;

/// Arguments: index of the shape, dims.
void rank_catalogue(benchmark::State& state) {
  const Shape& shape = kShapes[static_cast<std::size_t>(state.range(0))];
  const graft::Matrix users = clustered_features(shape.users, state.range(1));
  const graft::Matrix items = clustered_features(shape.items, state.range(1));
  const graft::Interactions train = skewed_interactions(shape);
  const graft::TopKScoresOptions options{.k = 50, .exclude = {train.user_offsets(), train.user_items()}};
  reset_peak_memory();
  const double before = peak_memory();
  for (auto _ : state) benchmark::DoNotOptimize(graft::top_k_scores(users, items, options));
  report_flops(state, graft::plan(shape.users, shape.items, state.range(1), options).flops, before);
  state.SetLabel(shape.name);
}
BENCHMARK(rank_catalogue)->Args({0, 64})->Args({1, 64})->Args({3, 64})->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
