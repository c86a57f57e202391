// The algebra of graphs on the device. A thread walks a row, edge after edge as the processor does: rows are short, and
// sums in its order have its bits. Only the choice of a row's heaviest edges is a warp's.
#include <cub/device/device_radix_sort.cuh>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include <graft/detail/symmetric_weight.hpp>

#include "bad_row.cuh"
#include "entry_points.hpp"
#include "graph_result.hpp"
#include "group.cuh"
#include "ranking_key.hpp"
#include "runtime.hpp"

namespace graft::cuda {
namespace {

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
  if (!finite) report_row(bad, row);
}

/// (row sum + epsilon)^-1, or its square root; 0 where the row sum is not positive.
__global__ void degree_factors(seam::DeviceCsr graph, float epsilon, bool by_row, double* factors) {
  const std::int64_t row = row_of_thread();
  if (row >= graph.items) return;
  double sum = 0.0;
  for (std::int64_t e = graph.row_offsets[row]; e < graph.row_offsets[row + 1]; ++e) sum += double{graph.weights[e]};
  const double degree = sum + double{epsilon};
  const double factor = by_row ? 1.0 / degree : 1.0 / sqrt(degree);
  factors[row] = sum > 0.0 ? factor : 0.0;
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
    const float of_one = in_left ? of_left : of_right;
    weights[place] = in_left && in_right ? of_left + of_right : of_one;  // not 0 + term, which would turn -0 into 0
    finite &= isfinite(weights[place]);
    ++place;
  });
  if (!finite) report_row(bad, row);
}

__global__ void fill_joined(seam::DeviceCsr left, seam::DeviceCsr right, const std::int64_t* offsets,
                            std::int32_t* columns, float* weights, BadRow* bad) {
  const std::int64_t row = row_of_thread();
  if (row >= left.items) return;
  std::int64_t place = offsets[row];
  bool agree = true;
  walk_union(left, right, row, [&](std::int32_t column, bool in_left, bool in_right, std::int64_t l, std::int64_t r) {
    columns[place] = column;
    weights[place] = in_left ? left.weights[l] : right.weights[r];
    agree &= !(in_left && in_right) || left.weights[l] == right.weights[r];
    ++place;
  });
  if (!agree) report_row(bad, row);
}

__global__ void count_pairs(seam::DeviceCsr graph, seam::DeviceCsr transposed, bool either, std::int64_t* sizes) {
  const std::int64_t row = row_of_thread();
  if (row >= graph.items) return;
  std::int64_t pairs = 0;
  walk_union(graph, transposed, row, [&](std::int32_t, bool out, bool in, std::int64_t, std::int64_t) {
    pairs += either || (out && in) ? 1 : 0;
  });
  sizes[row] = pairs;
}

__global__ void fill_pairs(seam::DeviceCsr graph, seam::DeviceCsr transposed, Symmetrization how,
                           const std::int64_t* offsets, std::int32_t* columns, float* weights) {
  const std::int64_t row = row_of_thread();
  if (row >= graph.items) return;
  std::int64_t place = offsets[row];
  walk_union(graph, transposed, row, [&](std::int32_t column, bool out, bool in, std::int64_t o, std::int64_t i) {
    if (how == Symmetrization::min && !(out && in)) return;
    columns[place] = column;
    weights[place] = out && in ? graft::detail::combine(graph.weights[o], transposed.weights[i], how)
                               : graft::detail::combine_one(out ? graph.weights[o] : transposed.weights[i], how);
    ++place;
  });
}

/// An edge as the transpose's sort carries it: its row above its weight's bits.
using PackedEdge = std::uint64_t;

__global__ void pack_edges(seam::DeviceCsr graph, PackedEdge* edges) {
  const std::int64_t row = row_of_thread();
  if (row >= graph.items) return;
  for (std::int64_t e = graph.row_offsets[row]; e < graph.row_offsets[row + 1]; ++e) {
    edges[e] = static_cast<PackedEdge>(row) << 32U | std::bit_cast<std::uint32_t>(graph.weights[e]);
  }
}

__global__ void unpack_edges(const PackedEdge* edges, std::int64_t count, std::int32_t* columns, float* weights) {
  const std::int64_t e = row_of_thread();
  if (e >= count) return;
  columns[e] = static_cast<std::int32_t>(edges[e] >> 32U);
  weights[e] = std::bit_cast<float>(static_cast<std::uint32_t>(edges[e]));
}

/// offsets[r] = the first place in ascending rows that is not below r, for r in [0, items].
__global__ void find_offsets(const std::int32_t* rows, std::int64_t edges, std::int64_t items, std::int64_t* offsets) {
  const std::int64_t row = row_of_thread();
  if (row > items) return;
  std::int64_t begin = 0;
  std::int64_t end = edges;
  while (begin < end) {
    const std::int64_t middle = begin + (end - begin) / 2;
    if (rows[middle] < row) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  offsets[row] = begin;
}

__global__ void count_top(seam::DeviceCsr graph, std::int64_t k, std::int64_t* sizes) {
  const std::int64_t row = row_of_thread();
  if (row >= graph.items) return;
  const std::int64_t size = graph.row_offsets[row + 1] - graph.row_offsets[row];
  sizes[row] = size < k ? size : k;
}

/// A warp copies the k heaviest edges of a row, the lower columns first where the last are equal. The weight of the
/// k-th is found bit by bit: no memory, and as many passes over the row whatever it holds.
__global__ void fill_top(seam::DeviceCsr graph, std::int64_t k, bool self_first, const std::int64_t* offsets,
                         std::int32_t* columns, float* weights) {
  const std::int64_t row = row_of_thread() / kLanes;
  if (row >= graph.items) return;
  const int lane = WarpGroup::rank();
  const std::int64_t begin = graph.row_offsets[row];
  const std::int64_t end = graph.row_offsets[row + 1];
  std::int64_t place = offsets[row];
  if (end - begin <= k) {
    for (std::int64_t e = begin + lane; e < end; e += kLanes) {
      columns[place + e - begin] = graph.columns[e];
      weights[place + e - begin] = graph.weights[e];
    }
    return;
  }
  const auto key = [&](std::int64_t e) {
    return self_first && graph.columns[e] == row ? ~std::uint32_t{0} : graft::detail::ordered_bits(graph.weights[e]);
  };
  const auto reaching = [&](std::uint32_t least) {
    unsigned count = 0;
    for (std::int64_t e = begin + lane; e < end; e += kLanes) count += key(e) >= least ? 1U : 0U;
    return std::int64_t{__reduce_add_sync(kAllLanes, count)};
  };
  std::uint32_t bar = 0;  // in the end the k-th largest key
  for (std::uint32_t bit = 0x80000000U; bit != 0; bit >>= 1U) {
    if (reaching(bar | bit) >= k) bar |= bit;
  }
  const std::int64_t above = bar == ~std::uint32_t{0} ? 0 : reaching(bar + 1);
  std::int64_t equal_left = k - above;
  for (std::int64_t first = begin; first < end; first += kLanes) {
    const std::int64_t e = first + lane;
    const std::uint32_t mine = e < end ? key(e) : 0;
    int equals = 0;
    const bool equal = e < end && mine == bar;
    const int equal_place = WarpGroup::place(equal, equals);
    const bool keep = (e < end && mine > bar) || (equal && equal_place < equal_left);
    int kept = 0;
    const int kept_place = WarpGroup::place(keep, kept);
    if (keep) {
      columns[place + kept_place] = graph.columns[e];
      weights[place + kept_place] = graph.weights[e];
    }
    place += kept;
    equal_left -= equals;
  }
}

class GraphRun {
 public:
  GraphRun(const seam::Call& call, seam::GraphCall& task) : task_(task), session_(call), bad_(session_) {
    result_.make_offsets(task.left.items);
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
      case seam::GraphStep::join:
        join();
        break;
      case seam::GraphStep::top_k:
        top_k(false);
        break;
      case seam::GraphStep::top_k_self_first:
        top_k(true);
        break;
      case seam::GraphStep::transpose:
        result_.make_edges(task_.left.edges);
        transpose(result_.offsets(), result_.columns(), result_.weights());
        break;
      case seam::GraphStep::symmetrize_max:
        symmetrize(Symmetrization::max);
        break;
      case seam::GraphStep::symmetrize_mean:
        symmetrize(Symmetrization::mean);
        break;
      case seam::GraphStep::symmetrize_min:
        symmetrize(Symmetrization::min);
        break;
    }
    task_.bad_row = bad_.found();
    if (task_.bad_row < 0) result_.hand_over(task_);
  }

 private:
  [[nodiscard]] cudaStream_t stream() const { return session_.stream().get(); }

  /// Launches a kernel with a thread each of `count`, of a row unless said otherwise.
  template <class Kernel, class... Arguments>
  void launch(const char* name, Kernel kernel, std::int64_t count, const Arguments&... arguments) {
    if (count == 0) return;
    kernel<<<static_cast<unsigned>(blocks_of(count, kThreads)), kThreads, 0, stream()>>>(arguments...);
    check_launch(name);
  }

  [[nodiscard]] std::int64_t items() const { return task_.left.items; }

  template <class Keep>
  void filter(const Keep& keep) {
    const auto sizes = row_sizes(session_, items());
    launch("count_kept", count_kept<Keep>, items(), task_.left, keep, sizes.data());
    result_.make_room(session_, sizes);
    launch("fill_kept", fill_kept<Keep>, items(), task_.left, keep, result_.offsets(), result_.columns(),
           result_.weights());
  }

  template <class Map>
  void map(const Map& map) {
    result_.make_edges(task_.left.edges);
    copy(result_.offsets(), task_.left.row_offsets, items() + 1);
    copy(result_.columns(), task_.left.columns, task_.left.edges);
    launch("map_weights", map_weights<Map>, items(), task_.left, map, result_.weights(), bad_.data());
  }

  template <class T>
  void copy(T* to, const T* from, std::int64_t count) {
    if (count == 0) return;
    check(cudaMemcpyAsync(to, from, static_cast<std::size_t>(count) * sizeof(T), cudaMemcpyDefault, stream()),
          "copying within the device");
  }

  void normalize(bool by_row) {
    const auto factors = session_.buffer<double>(items(), "factors of rows");
    launch("degree_factors", degree_factors, items(), task_.left, task_.value, by_row, factors.data());
    if (by_row) {
      map(ByRow{factors.data()});
    } else {
      map(BySides{factors.data()});
    }
  }

  void make_room_for_union() {
    const auto sizes = row_sizes(session_, items());
    launch("count_union", count_union, items(), task_.left, task_.right, sizes.data());
    result_.make_room(session_, sizes);
  }

  void mix() {
    make_room_for_union();
    launch("fill_union", fill_union, items(), task_.left, task_.right, task_.value, task_.right_value,
           result_.offsets(), result_.columns(), result_.weights(), bad_.data());
  }

  void join() {
    make_room_for_union();
    launch("fill_joined", fill_joined, items(), task_.left, task_.right, result_.offsets(), result_.columns(),
           result_.weights(), bad_.data());
  }

  void top_k(bool self_first) {
    const auto sizes = row_sizes(session_, items());
    launch("count_top", count_top, items(), task_.left, task_.k, sizes.data());
    result_.make_room(session_, sizes);
    launch("fill_top", fill_top, items() * kLanes, task_.left, task_.k, self_first, result_.offsets(),
           result_.columns(), result_.weights());
  }

  /// Sorts the edges by column. The sort is stable and the edges come row by row, so rows ascend within a column.
  void transpose(std::int64_t* offsets, std::int32_t* columns, float* weights) {
    const std::int64_t edges = task_.left.edges;
    const auto packed = session_.buffer<PackedEdge>(edges, "edges to sort");
    const auto sorted = session_.buffer<PackedEdge>(edges, "edges to sort");
    const auto rows = session_.buffer<std::int32_t>(edges, "edges to sort");
    launch("pack_edges", pack_edges, items(), task_.left, packed.data());
    const int bits = std::bit_width(static_cast<std::uint64_t>(items()));
    const auto sort = [&](void* workspace, std::size_t& bytes) {
      check(cub::DeviceRadixSort::SortPairs(workspace, bytes, task_.left.columns, rows.data(), packed.data(),
                                            sorted.data(), edges, 0, bits, stream()),
            "sorting edges");
    };
    if (edges > 0) {
      std::size_t bytes = 0;
      sort(nullptr, bytes);
      const auto workspace = session_.buffer<std::byte>(static_cast<std::int64_t>(bytes), "a sort");
      sort(workspace.data(), bytes);
    }
    launch("find_offsets", find_offsets, items() + 1, rows.data(), edges, items(), offsets);
    launch("unpack_edges", unpack_edges, edges, sorted.data(), edges, columns, weights);
  }

  void symmetrize(Symmetrization how) {
    const auto offsets = session_.buffer<std::int64_t>(items() + 1, "the transpose");
    const auto columns = session_.buffer<std::int32_t>(task_.left.edges, "the transpose");
    const auto weights = session_.buffer<float>(task_.left.edges, "the transpose");
    transpose(offsets.data(), columns.data(), weights.data());
    const seam::DeviceCsr transposed{items(), task_.left.edges, offsets.data(), columns.data(), weights.data()};
    const auto sizes = row_sizes(session_, items());
    launch("count_pairs", count_pairs, items(), task_.left, transposed, how != Symmetrization::min, sizes.data());
    result_.make_room(session_, sizes);
    launch("fill_pairs", fill_pairs, items(), task_.left, transposed, how, result_.offsets(), result_.columns(),
           result_.weights());
  }

  seam::GraphCall& task_;
  GraphResult result_;
  Session session_;
  BadRowFlag bad_;
};

}  // namespace

void graph_step(const seam::Call& call, seam::GraphCall& task) { GraphRun(call, task).run(); }

}  // namespace graft::cuda
