// The device's operators beside the processor's result and the device's floors: a table, tab-separated, on standard
// output. scripts/gpu-check runs it. Arguments: the most items to try (default all shapes).
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include <graft/cuda/graph_operators.hpp>
#include <graft/cuda/on_device.hpp>
#include <graft/cuda/operators.hpp>
#include <graft/detail/cuda_backend.hpp>
#include <graft/ops/jaccard.hpp>
#include <graft/ops/knn.hpp>
#include <graft/ops/refine.hpp>

#include "shapes.hpp"

namespace {

using namespace graft;
using namespace graft::benchmarks;

constexpr int kRepeats = 3;

/// The least seconds of some runs, after one that warms up.
template <class Work>
double least_seconds(const Work& work) {
  work();
  double least = 1e30;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return least;
}

void print_row(const char* what, const char* shape, std::int64_t items, std::int64_t dims, double seconds,
               double floor_seconds) {
  std::printf("%s\t%s\t%lld\t%lld\t%.6f\t%.6f\t%.1f\n", what, shape, static_cast<long long>(items),
              static_cast<long long>(dims), seconds, floor_seconds, 100.0 * floor_seconds / seconds);
  std::fflush(stdout);
}

/// Least time for a KNN graph: its products at the matrix rate, or its features once at the rate of a copy.
double knn_floor(const detail::cuda::Floors& floors, double items, double dims) {
  return std::max(2.0 * items * items * dims / floors.half_flops_per_second,
                  4.0 * items * dims / floors.copied_bytes_per_second);
}

void time_knn(const detail::cuda::Floors& floors, const char* shape, const Matrix& features) {
  Context context = Context::cuda();
  context.device_memory_budget = std::int64_t{48} << 30;
  const auto items = static_cast<double>(features.rows());
  const double floor = knn_floor(floors, items, static_cast<double>(features.cols()));
  const KnnOptions options{.k = 10};
  const double from_host = least_seconds([&] { knn_graph(features, options, context); });
  print_row("knn_graph, host to host", shape, features.rows(), features.cols(), from_host, floor);
  const DeviceMatrix copy = to_device(features, context);
  const double resident = least_seconds([&] { knn_graph(copy.view(), options, context); });
  print_row("knn_graph, features on the device", shape, features.rows(), features.cols(), resident, floor);
}

void time_audiences(const detail::cuda::Floors& floors, const Shape& shape, const Matrix& features) {
  const Interactions interactions = skewed_interactions(shape);
  const Context context = Context::cuda();
  double increments = 0.0;
  for (std::int64_t user = 0; user < interactions.users(); ++user) {
    increments += std::pow(static_cast<double>(interactions.history(user).size()), 2.0);
  }
  const double floor = 4.0 * increments / floors.copied_bytes_per_second;
  print_row("jaccard_graph, host to host", shape.name, shape.items, 0,
            least_seconds([&] { jaccard_graph(interactions, {.k = 10}, context); }), floor);
  const double knn = knn_floor(floors, static_cast<double>(shape.items), static_cast<double>(features.cols()));
  print_row("refine, host to host", shape.name, shape.items, features.cols(),
            least_seconds([&] { refine(features, interactions, {}, context); }), floor + knn);
  const DeviceMatrix copy = to_device(features, context);
  print_row("refine, all on the device", shape.name, shape.items, features.cols(),
            least_seconds([&] { on_device::refine(copy.view(), interactions, {}, context); }), floor + knn);
  const DeviceGraph graph = on_device::refine(copy.view(), interactions, {}, context);
  // every matrix once: read twice and written, if the gathered rows come from the cache
  const double moved = 12.0 * static_cast<double>(features.rows()) * static_cast<double>(features.cols());
  print_row("propagate, one layer on the device", shape.name, shape.items, features.cols(),
            least_seconds([&] { propagate(graph, copy.view(), 1, Aggregation::sum, context); }),
            moved / floors.copied_bytes_per_second);
}

void run(std::int64_t most_items) {
  const detail::CudaPlugin plugin = detail::find_cuda_device(Context::cuda());
  if (plugin.table == nullptr) throw BackendUnavailable("benchmarks: " + plugin.missing);
  Context context = Context::cuda();
  detail::CudaCall call(context, "floors");
  detail::cuda::Floors floors;
  call.run(plugin.table->floors, &floors);
  std::printf("# copy %.0f GB/s, float16 products %.0f TFLOP/s, float32 products %.0f TFLOP/s\n",
              floors.copied_bytes_per_second / 1e9, floors.half_flops_per_second / 1e12,
              floors.float_flops_per_second / 1e12);
  std::printf("what\tshape\titems\tdims\tseconds\tfloor_seconds\tpercent_of_floor\n");
  for (const Shape& shape : kShapes) {
    if (shape.items > most_items || std::string(shape.name) == "skewed") continue;
    const Matrix features = clustered_features(shape.items, 384);
    time_knn(floors, shape.name, features);
    time_audiences(floors, shape, features);
    time_knn(floors, shape.name, clustered_features(shape.items, 4096));
  }
  constexpr std::int64_t kMillion = 1000000;
  if (most_items >= kMillion) time_knn(floors, "million", clustered_features(kMillion, 384));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(argc > 1 ? std::atoll(argv[1]) : std::int64_t{1} << 40);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
