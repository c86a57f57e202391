// The graph of rows that an operator left on the device: themselves put in, sorted by column, moved together.
#include <cmath>
#include <cstdint>

#include "entry_points.hpp"
#include "graph_result.hpp"
#include "group.cuh"
#include "runtime.hpp"

namespace graft::cuda {
namespace {

/// The rows as a kernel sees them; pointers are the device's.
struct Rows {
  std::int64_t items;
  std::int64_t begin;
  std::int64_t end;
  std::int64_t places;
  const std::int64_t* row_capacity;  ///< or null
  const std::int32_t* ids;
  const float* values;
  const std::int32_t* counts;
  const float* self_values;  ///< or null
  std::int64_t self_begin;
  std::int64_t self_end;
  bool ascending;
  bool binary;

  [[nodiscard]] __device__ bool gives_place_to_self(std::int64_t row) const {
    return self_values != nullptr && row >= self_begin && row < self_end;
  }
  [[nodiscard]] __device__ bool has_self(std::int64_t row) const {
    return gives_place_to_self(row) && !isnan(self_values[row]);
  }
  /// Entries that stay beside self: the last in rank makes room.
  [[nodiscard]] __device__ std::int64_t others(std::int64_t row) const {
    const std::int64_t most = gives_place_to_self(row) ? places - 1 : counts[row];
    return counts[row] < most ? counts[row] : most;
  }
  [[nodiscard]] __device__ std::int64_t first(std::int64_t row) const {
    return row_capacity != nullptr ? row_capacity[row] : row * places;
  }
};

__global__ void count_entries(Rows rows, std::int64_t* sizes) {
  const std::int64_t item = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (item >= rows.items) return;
  const std::int64_t row = item - rows.begin;
  const bool there = item >= rows.begin && item < rows.end;
  sizes[item] = there ? rows.others(row) + (rows.has_self(row) ? 1 : 0) : 0;
}

/// A warp writes a row. An entry's place is the number of smaller ids: rows are as short as k.
__global__ void fill_entries(Rows rows, const std::int64_t* offsets, std::int32_t* columns, float* weights) {
  const std::int64_t row = (std::int64_t{blockIdx.x} * kThreads + threadIdx.x) / kLanes;
  if (row >= rows.end - rows.begin) return;
  const auto item = static_cast<std::int32_t>(rows.begin + row);
  const std::int64_t first = rows.first(row);
  const std::int64_t offset = offsets[item];
  const std::int64_t others = rows.others(row);
  const bool self = rows.has_self(row);
  unsigned below_self = 0;
  for (std::int64_t e = WarpGroup::rank(); e < others; e += kLanes) {
    const std::int32_t id = rows.ids[first + e];
    std::int64_t place = rows.ascending ? e : 0;
    for (std::int64_t other = 0; !rows.ascending && other < others; ++other) {
      place += rows.ids[first + other] < id ? 1 : 0;
    }
    below_self += id < item ? 1U : 0U;
    place += self && item < id ? 1 : 0;
    columns[offset + place] = id;
    weights[offset + place] = rows.binary ? 1.0F : rows.values[first + e];
  }
  below_self = __reduce_add_sync(kAllLanes, below_self);
  if (self && WarpGroup::rank() == 0) {
    columns[offset + below_self] = item;
    weights[offset + below_self] = rows.binary ? 1.0F : rows.self_values[row];
  }
}

class RowsRun {
 public:
  RowsRun(const seam::Call& call, seam::RowsCall& task) : task_(task), session_(call) {
    result_.make_offsets(task.items);
  }

  void run() {
    session_.tick(0, 1);
    const std::int64_t count = task_.row_end - task_.row_begin;
    const auto capacity =
        session_.buffer<std::int64_t>(task_.row_capacity != nullptr ? count + 1 : 0, "places of rows");
    const auto self_values = session_.buffer<float>(task_.self_values != nullptr ? count : 0, "weights of self loops");
    capacity.upload(task_.row_capacity, capacity.size());
    self_values.upload(task_.self_values, self_values.size());
    const Rows rows{.items = task_.items,
                    .begin = task_.row_begin,
                    .end = task_.row_end,
                    .places = task_.places,
                    .row_capacity = task_.row_capacity != nullptr ? capacity.data() : nullptr,
                    .ids = task_.ids,
                    .values = task_.values,
                    .counts = task_.counts,
                    .self_values = task_.self_values != nullptr ? self_values.data() : nullptr,
                    .self_begin = task_.self_begin,
                    .self_end = task_.self_end,
                    .ascending = task_.ascending,
                    .binary = task_.binary};
    const auto sizes = row_sizes(session_, task_.items);
    const cudaStream_t stream = session_.stream().get();
    if (task_.items > 0) {
      count_entries<<<static_cast<unsigned>(blocks_of(task_.items, kThreads)), kThreads, 0, stream>>>(rows,
                                                                                                      sizes.data());
      check_launch("count_entries");
    }
    result_.make_room(session_, sizes);
    if (result_.edges() > 0) {
      fill_entries<<<static_cast<unsigned>(blocks_of(count * kLanes, kThreads)), kThreads, 0, stream>>>(
          rows, result_.offsets(), result_.columns(), result_.weights());
      check_launch("fill_entries");
    }
    session_.stream().wait();
    result_.hand_over(task_);
  }

 private:
  seam::RowsCall& task_;
  GraphResult result_;
  Session session_;
};

}  // namespace

void graph_of_rows(const seam::Call& call, seam::RowsCall& task) { RowsRun(call, task).run(); }

}  // namespace graft::cuda
