// The algebra of graphs on the device. A thread walks a row, edge after edge as the processor does: rows are short, and
// sums in its order have its bits.
#include <cub/device/device_scan.cuh>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "entry_points.hpp"
#include "runtime.hpp"

namespace graft::cuda {
namespace {

constexpr int kThreads = 256;
using BadRow = unsigned long long;  // what atomicMin takes; all ones: none

__device__ std::int64_t row_of_thread() { return std::int64_t{blockIdx.x} * kThreads + threadIdx.x; }

struct AtLeast {
  float least;
  __device__ bool operator()(std::int64_t, std::int32_t, float weight) const { return weight >= least; }
};
struct NotSelf {
  __device__ bool operator()(std::int64_t row, std::int32_t column, float) const { return column != row; }
};

struct Ones {
  __device__ float operator()(std::int64_t, std::int32_t, float) const { return 1.0F; }
};
struct Scaled {
  float factor;
  __device__ float operator()(std::int64_t, std::int32_t, float weight) const { return weight * factor; }
};
struct ByRow {
  const double* factors;
  __device__ float operator()(std::int64_t row, std::int32_t, float weight) const {
    return static_cast<float>(factors[row] * double{weight});
  }
};
struct BySides {
  const double* factors;
  __device__ float operator()(std::int64_t row, std::int32_t column, float weight) const {
    return static_cast<float>(factors[row] * double{weight} * factors[column]);
  }
};

template <class Keep>
__global__ void count_kept(seam::DeviceCsr graph, Keep keep, std::int64_t* sizes) {
  const std::int64_t row = row_of_thread();
  if (row >= graph.items) return;
  std::int64_t kept = 0;
  for (std::int64_t e = graph.row_offsets[row]; e < graph.row_offsets[row + 1]; ++e) {
    kept += keep(row, graph.columns[e], graph.weights[e]) ? 1 : 0;
  }
  sizes[row] = kept;
}

template <class Keep>
__global__ void fill_kept(seam::DeviceCsr graph, Keep keep, const std::int64_t* offsets, std::int32_t* columns,
                          float* weights) {
  const std::int64_t row = row_of_thread();
  if (row >= graph.items) return;
  std::int64_t place = offsets[row];
  for (std::int64_t e = graph.row_offsets[row]; e < graph.row_offsets[row + 1]; ++e) {
    if (!keep(row, graph.columns[e], graph.weights[e])) continue;
    columns[place] = graph.columns[e];
    weights[place] = graph.weights[e];
    ++place;
  }
}

template <class Map>
__global__ void map_weights(seam::DeviceCsr graph, Map map, float* weights, BadRow* bad) {
  const std::int64_t row = row_of_thread();
  if (row >= graph.items) return;
  bool finite = true;
  for (std::int64_t e = graph.row_offsets[row]; e < graph.row_offsets[row + 1]; ++e) {
    weights[e] = map(row, graph.columns[e], graph.weights[e]);
    finite &= isfinite(weights[e]);
  }
  if (!finite) atomicMin(bad, static_cast<BadRow>(row));
}

/// (row sum + epsilon)^-1, or its square root; 0 where the row sum is not positive.
__global__ void degree_factors(seam::DeviceCsr graph, float epsilon, bool by_row, double* factors) {
  const std::int64_t row = row_of_thread();
  if (row >= graph.items) return;
  double sum = 0.0;
  for (std::int64_t e = graph.row_offsets[row]; e < graph.row_offsets[row + 1]; ++e) sum += double{graph.weights[e]};
  const double degree = sum + double{epsilon};
  factors[row] = !(sum > 0.0) ? 0.0 : by_row ? 1.0 / degree : 1.0 / sqrt(degree);
}

/// Walks the union of a row of two graphs in ascending columns: visit(column, in left, in right, edge left, edge
/// right).
template <class Visit>
__device__ void walk_union(const seam::DeviceCsr& left, const seam::DeviceCsr& right, std::int64_t row,
                           const Visit& visit) {
  std::int64_t l = left.row_offsets[row];
  std::int64_t r = right.row_offsets[row];
  const std::int64_t left_end = left.row_offsets[row + 1];
  const std::int64_t right_end = right.row_offsets[row + 1];
  while (l < left_end || r < right_end) {
    const bool take_left = l < left_end && (r >= right_end || left.columns[l] <= right.columns[r]);
    const bool take_right = r < right_end && (l >= left_end || right.columns[r] <= left.columns[l]);
    visit(take_left ? left.columns[l] : right.columns[r], take_left, take_right, l, r);
    l += take_left ? 1 : 0;
    r += take_right ? 1 : 0;
  }
}

__global__ void count_union(seam::DeviceCsr left, seam::DeviceCsr right, std::int64_t* sizes) {
  const std::int64_t row = row_of_thread();
  if (row >= left.items) return;
  std::int64_t size = 0;
  walk_union(left, right, row, [&](std::int32_t, bool, bool, std::int64_t, std::int64_t) { ++size; });
  sizes[row] = size;
}

__global__ void fill_union(seam::DeviceCsr left, seam::DeviceCsr right, float left_factor, float right_factor,
                           const std::int64_t* offsets, std::int32_t* columns, float* weights, BadRow* bad) {
  const std::int64_t row = row_of_thread();
  if (row >= left.items) return;
  std::int64_t place = offsets[row];
  bool finite = true;
  walk_union(left, right, row, [&](std::int32_t column, bool in_left, bool in_right, std::int64_t l, std::int64_t r) {
    columns[place] = column;
    const float of_left = in_left ? left_factor * left.weights[l] : 0.0F;
    const float of_right = in_right ? right_factor * right.weights[r] : 0.0F;
    // not 0 + term, which would turn -0 into 0
    weights[place] = in_left && in_right ? of_left + of_right : in_left ? of_left : of_right;
    finite &= isfinite(weights[place]);
    ++place;
  });
  if (!finite) atomicMin(bad, static_cast<BadRow>(row));
}

struct Free {
  void operator()(void* data) const { static_cast<void>(cudaFree(data)); }
};

/// An array that outlives the call: the caller's to release. One element at least, so that it has an address.
template <class T>
std::unique_ptr<T, Free> lasting(std::int64_t size, const char* purpose) {
  void* data = nullptr;
  const std::size_t bytes = static_cast<std::size_t>(size > 0 ? size : 1) * sizeof(T);
  const cudaError_t result = cudaMalloc(&data, bytes);
  if (result == cudaErrorMemoryAllocation) {
    static_cast<void>(cudaGetLastError());
    throw Failure(seam::Status::out_of_memory,
                  "the device refused " + std::to_string(bytes) + " bytes for " + std::string(purpose));
  }
  check(result, "allocating device memory");
  return std::unique_ptr<T, Free>(static_cast<T*>(data));
}

class GraphRun {
 public:
  GraphRun(const seam::Call& call, seam::GraphCall& task)
      : task_(task),
        session_(call),
        bad_(session_.buffer<BadRow>(1, "a row's number")),
        offsets_(lasting<std::int64_t>(task.left.items + 1, "row offsets")) {
    bad_.fill_bytes(0xFF);
  }

  void run() {
    session_.tick(0, 1);
    switch (task_.step) {
      case seam::GraphStep::threshold:
        filter(AtLeast{task_.value});
        break;
      case seam::GraphStep::drop_self_loops:
        filter(NotSelf{});
        break;
      case seam::GraphStep::scale:
        map(Scaled{task_.value});
        break;
      case seam::GraphStep::binarize:
        map(Ones{});
        break;
      case seam::GraphStep::normalize_symmetric:
        normalize(false);
        break;
      case seam::GraphStep::normalize_row:
        normalize(true);
        break;
      case seam::GraphStep::mix:
        mix();
        break;
    }
    hand_over();
  }

 private:
  [[nodiscard]] unsigned blocks() const { return static_cast<unsigned>(blocks_of(task_.left.items, kThreads)); }
  [[nodiscard]] cudaStream_t stream() const { return session_.stream().get(); }

  template <class Keep>
  void filter(const Keep& keep) {
    const auto sizes = row_sizes();
    if (task_.left.items > 0) {
      count_kept<<<blocks(), kThreads, 0, stream()>>>(task_.left, keep, sizes.data());
      check_launch("count_kept");
    }
    make_room(sizes);
    if (edges_ == 0) return;
    fill_kept<<<blocks(), kThreads, 0, stream()>>>(task_.left, keep, offsets_.get(), columns_.get(), weights_.get());
    check_launch("fill_kept");
  }

  template <class Map>
  void map(const Map& map) {
    edges_ = task_.left.edges;
    columns_ = lasting<std::int32_t>(edges_, "columns");
    weights_ = lasting<float>(edges_, "weights");
    check(cudaMemcpyAsync(offsets_.get(), task_.left.row_offsets,
                          static_cast<std::size_t>(task_.left.items + 1) * sizeof(std::int64_t), cudaMemcpyDefault,
                          stream()),
          "copying row offsets");
    if (edges_ == 0) return;
    check(cudaMemcpyAsync(columns_.get(), task_.left.columns, static_cast<std::size_t>(edges_) * sizeof(std::int32_t),
                          cudaMemcpyDefault, stream()),
          "copying columns");
    map_weights<<<blocks(), kThreads, 0, stream()>>>(task_.left, map, weights_.get(), bad_.data());
    check_launch("map_weights");
  }

  void normalize(bool by_row) {
    const auto factors = session_.buffer<double>(task_.left.items, "factors of rows");
    if (task_.left.items > 0) {
      degree_factors<<<blocks(), kThreads, 0, stream()>>>(task_.left, task_.value, by_row, factors.data());
      check_launch("degree_factors");
    }
    if (by_row) {
      map(ByRow{factors.data()});
    } else {
      map(BySides{factors.data()});
    }
  }

  void mix() {
    const auto sizes = row_sizes();
    if (task_.left.items > 0) {
      count_union<<<blocks(), kThreads, 0, stream()>>>(task_.left, task_.right, sizes.data());
      check_launch("count_union");
    }
    make_room(sizes);
    if (edges_ == 0) return;
    fill_union<<<blocks(), kThreads, 0, stream()>>>(task_.left, task_.right, task_.value, task_.right_value,
                                                    offsets_.get(), columns_.get(), weights_.get(), bad_.data());
    check_launch("fill_union");
  }

  /// [items + 1]; the last is 0, so that the sums before each end with the sum of all.
  Buffer<std::int64_t> row_sizes() {
    auto sizes = session_.buffer<std::int64_t>(task_.left.items + 1, "sizes of rows");
    check(cudaMemsetAsync(sizes.data() + task_.left.items, 0, sizeof(std::int64_t), stream()), "filling memory");
    return sizes;
  }

  /// Turns sizes into offsets and makes room for that many edges.
  void make_room(const Buffer<std::int64_t>& sizes) {
    std::size_t bytes = 0;
    check(cub::DeviceScan::ExclusiveSum(nullptr, bytes, sizes.data(), offsets_.get(), sizes.size(), stream()),
          "asking what a scan needs");
    const auto workspace = session_.buffer<std::byte>(static_cast<std::int64_t>(bytes), "a scan");
    check(cub::DeviceScan::ExclusiveSum(workspace.data(), bytes, sizes.data(), offsets_.get(), sizes.size(), stream()),
          "summing sizes");
    check(cudaMemcpyAsync(&edges_, offsets_.get() + task_.left.items, sizeof(edges_), cudaMemcpyDefault, stream()),
          "copying from the device");
    session_.stream().wait();
    columns_ = lasting<std::int32_t>(edges_, "columns");
    weights_ = lasting<float>(edges_, "weights");
  }

  void hand_over() {
    BadRow bad = 0;
    bad_.download(&bad, 1);
    session_.stream().wait();
    if (bad != ~BadRow{0}) {
      task_.bad_row = static_cast<std::int64_t>(bad);
      return;
    }
    task_.edges = edges_;
    task_.row_offsets = offsets_.release();
    task_.columns = columns_.release();
    task_.weights = weights_.release();
  }

  seam::GraphCall& task_;
  // Before the session, whose stream is waited for first when a call fails: what its kernels write is freed last.
  std::unique_ptr<std::int32_t, Free> columns_;
  std::unique_ptr<float, Free> weights_;
  Session session_;
  Buffer<BadRow> bad_;
  std::unique_ptr<std::int64_t, Free> offsets_;
  std::int64_t edges_ = 0;
};

}  // namespace

void graph_step(const seam::Call& call, seam::GraphCall& task) { GraphRun(call, task).run(); }

}  // namespace graft::cuda
