// The lists of a tile's rows: begun, offered tiles of scores that lie in the second-level cache, ended.
#include <cstdint>
#include <limits>

#include "exact_score.cuh"
#include "group.cuh"
#include "pairwise_kernels.hpp"
#include "running_top.cuh"
#include "runtime.hpp"

namespace graft::cuda {
namespace {

using BlockOfRow = BlockGroup<kSelectThreads>;

/// Scores that a thread reads at once: float4s, so that many loads are under way.
constexpr int kVector = 4;

/// What offers and ends share of a row's list, in the group's registers.
template <class Group>
using KeyTop = RunningTop<Group, RankingKey, KeyBefore>;

__device__ std::int64_t prepared_row(const RowPlaces& places, int place) {
  return places.list != nullptr ? places.list[place] : places.first + place;
}

/// The list of a place, and where its group may sort: shared memory of a warp, the list itself for a block.
template <class Group>
// NOLINTNEXTLINE(readability-non-const-parameter): `shared` is what the list sorts in
__device__ KeyTop<Group> list_of(const SelectionLists& lists, int place, RankingKey* shared) {
  RankingKey* const entries = lists.entries + std::int64_t{place} * lists.sizes.capacity;
  KeyTop<Group> top{.entries = entries,
                    .scratch = shared != nullptr ? shared : entries,
                    .capacity = static_cast<int>(lists.sizes.capacity),
                    .places = static_cast<int>(lists.sizes.shortlist),
                    .before = {},
                    .empty = kNoKey,
                    .count = lists.counts[place],
                    .bar = lists.bars[place],
                    .cut_once = lists.cut[place] != 0};
  return top;
}

/// Place of the group in its grid, and its part of the block's shared memory.
template <class Group>
__device__ int group_place() {
  if constexpr (Group::kThreads == kLanes) {
    return static_cast<int>(blockIdx.x) * (kSelectThreads / kLanes) + static_cast<int>(threadIdx.x) / kLanes;
  } else {
    return static_cast<int>(blockIdx.x);
  }
}

template <class Group>
__device__ RankingKey* group_scratch(std::int64_t capacity) {
  extern __shared__ RankingKey shared_keys[];
  if constexpr (Group::kThreads == kLanes) {
    return shared_keys + static_cast<int>(threadIdx.x) / kLanes * capacity;
  } else {
    return nullptr;
  }
}

__global__ void begin_kernel(SelectionLists lists, RowPlaces places, const RowTerms* row_terms, Candidates candidates,
                             Metric metric, bool exact) {
  const int place = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (place >= places.count) return;
  constexpr float kNone = -std::numeric_limits<float>::infinity();
  RankingKey bar = kNoKey;
  if (candidates.minimum != kNone && (exact || (metric == Metric::cosine && candidates.minimum > -1.0F))) {
    // A shortlisted cosine may lie E below its exact one. Others are held against the minimum when they are exact.
    bar = bar_below(exact ? candidates.minimum : candidates.minimum - row_terms[prepared_row(places, place)].error);
  }
  lists.bars[place] = bar;
  lists.counts[place] = 0;
  lists.cut[place] = 0;
}

__device__ bool is_excluded(const Candidates& candidates, std::int64_t row_id, std::int32_t column_id) {
  std::int64_t low = candidates.excluded_offsets[row_id];
  std::int64_t high = candidates.excluded_offsets[row_id + 1];
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (candidates.excluded[middle] < column_id) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < candidates.excluded_offsets[row_id + 1] && candidates.excluded[low] == column_id;
}

/// Four scores of a row from column c, NaN beyond the tile.
__device__ float4 four_scores(const float* scores, int c, int columns) {
  if (c + kVector <= columns) return *reinterpret_cast<const float4*>(scores + c);
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  return make_float4(c < columns ? scores[c] : kNan, c + 1 < columns ? scores[c + 1] : kNan,
                     c + 2 < columns ? scores[c + 2] : kNan, kNan);
}

/// What a score of the tile is ranked by.
template <Metric kMetric, bool kExact>
__device__ float ranked_value(float score, const RowTerms& row, const ColumnTerms* columns, std::int64_t column) {
  if constexpr (kExact) {
    // NaN stays NaN: fminf would drop it
    if constexpr (kMetric == Metric::cosine) {
      if (score > 1.0F) return 1.0F;
      if (score < -1.0F) return -1.0F;
    }
    return score;
  } else if constexpr (kMetric == Metric::cosine) {
    return score;
  } else {
    return shortlist_score<kMetric>(score, row, columns[column]);
  }
}

template <class Group, Metric kMetric, bool kExact>
__global__ void __launch_bounds__(kSelectThreads)
    select_kernel(SelectionLists lists, RowPlaces places, ScoreTile tile, const RowTerms* row_terms,
                  const ColumnTerms* column_terms, Candidates candidates) {
  constexpr int kVectors = Group::kThreads == kLanes ? 4 : 1;
  constexpr int kStep = Group::kThreads * kVector;
  const int place = group_place<Group>();
  if (place >= places.count) return;  // the whole group
  KeyTop<Group> top = list_of<Group>(lists, place, group_scratch<Group>(lists.sizes.capacity));
  const std::int64_t row = prepared_row(places, place);
  const std::int64_t row_id = candidates.first_row_id + row;
  const RowTerms terms = kExact ? RowTerms{0.0F, 1.0F} : row_terms[row];
  const float* const scores = tile.scores + std::int64_t{place} * tile.stride;
  bool changed = false;
  for (int begin = 0; begin < tile.columns; begin += kVectors * kStep) {
    float values[kVectors * kVector];
#pragma unroll
    for (int v = 0; v < kVectors; ++v) {
      const int c = begin + v * kStep + Group::rank() * kVector;
      const float4 four = four_scores(scores, c, tile.columns);
      const float parts[kVector] = {four.x, four.y, four.z, four.w};
#pragma unroll
      for (int part = 0; part < kVector; ++part) {
        // beyond the tile the score is NaN and its column is not read
        values[v * kVector + part] =
            c + part < tile.columns
                ? ranked_value<kMetric, kExact>(parts[part], terms, column_terms, tile.first_column + c + part)
                : parts[part];
      }
    }
    float least = top.bar == kNoKey ? -std::numeric_limits<float>::infinity() : value_of(top.bar);
    bool any = false;
#pragma unroll
    for (int v = 0; v < kVectors * kVector; ++v) any |= values[v] >= least;
    if (!Group::any(any)) continue;
    changed = true;
#pragma unroll
    for (int v = 0; v < kVectors * kVector; ++v) {
      const int c = begin + v / kVector * kStep + Group::rank() * kVector + v % kVector;
      const auto column_id = static_cast<std::int32_t>(candidates.first_column_id + tile.first_column + c);
      least = top.bar == kNoKey ? -std::numeric_limits<float>::infinity() : value_of(top.bar);
      bool take = values[v] >= least;
      if (take && candidates.drop_self && row_id == column_id) take = false;
      if (take && candidates.excluded_offsets != nullptr) take = !is_excluded(candidates, row_id, column_id);
      top.offer(take, take ? key_of(values[v], column_id) : kNoKey);
    }
  }
  if (!changed || Group::rank() != 0) return;
  lists.counts[place] = top.count;
  lists.bars[place] = top.bar;
  lists.cut[place] = top.cut_once ? 1 : 0;
}

/// The ended list of a row, in the group's scratch.
template <class Group, Metric kMetric>
struct Shortlist {
  RankingKey* keys;
  int count;
  float bar;      ///< no column left out has a larger value
  bool complete;  ///< none was left out for its rank

  /// Leaves those that can be among the k best. Keys are sorted.
  __device__ void prune(int k, const RowTerms& row, const ColumnTerms* columns, std::int64_t first_column_id) {
    if (count <= k) return;
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    float least = kInfinity;
    for (int e = 0; e < k; ++e) {  // every thread reads all: k is small beside what follows
      const float value = value_of(keys[e]);
      const ColumnTerms column =
          kMetric == Metric::dot ? columns[id_of(keys[e]) - first_column_id] : ColumnTerms{1.0F, 0.0F};
      least = fminf(least, least_value<kMetric>(value, row, column));
    }
    const float floor = shortlist_floor<kMetric>(least, row);
    int low = k;
    int high = count;
    while (low < high) {  // the first whose value is below the floor
      const int middle = (low + high) / 2;
      if (value_of(keys[middle]) >= floor) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    count = low;
  }
};

/// Real keys at the front of `size` sorted ones.
__device__ int real_keys(const RankingKey* keys, int size) {
  int low = 0;
  int high = size;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (keys[middle] != kNoKey) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/// Replaces the shortlist's values by exact scores; those below the minimum become kNoKey.
template <class Group, Metric kMetric>
__device__ void score_exactly(RankingKey* keys, int count, const float* row, const PreparedRows& columns,
                              const Candidates& candidates) {
  const std::int64_t width = exact_stride(columns.dims);
  for (int e = Group::rank(); e < count; e += Group::kThreads) {
    const std::int32_t id = id_of(keys[e]);
    const float* const column = columns.exact + (id - candidates.first_column_id) * width;
    const float score =
        ranked_value<kMetric, true>(exact_score < kMetric == Metric::l2 > (row, column, width), {}, nullptr, 0);
    keys[e] = score >= candidates.minimum ? key_of(score, id) : kNoKey;
  }
}

struct FinishArguments {
  SelectionLists lists;
  RowPlaces places;
  PreparedRows rows;
  PreparedRows columns;
  const RowTerms* row_terms;
  const ColumnTerms* column_terms;
  const LargestTerms* largest_columns;
  Candidates candidates;
  RowResults results;
};

template <class Group, Metric kMetric, bool kExact>
__global__ void __launch_bounds__(kSelectThreads) finish_kernel(FinishArguments a) {
  const int place = group_place<Group>();
  if (place >= a.places.count) return;  // the whole group
  const int k = static_cast<int>(a.lists.sizes.places);
  KeyTop<Group> top = list_of<Group>(a.lists, place, group_scratch<Group>(a.lists.sizes.capacity));
  const std::int64_t row = prepared_row(a.places, place);
  top.sort();
  RankingKey* const keys = top.scratch;
  const int held = power_of_two_from(top.count);
  const int listed = min(top.count, top.places);
  Shortlist<Group, kMetric> shortlist{keys, listed, 0.0F, !top.cut_once && top.count <= top.places};
  if (!shortlist.complete) {
    // the bar, or the best of those held beyond the shortlist
    const RankingKey beyond = top.count > top.places ? keys[top.places] : kNoKey;
    const RankingKey bar = top.cut_once && top.bar > beyond ? top.bar : beyond;
    shortlist.bar = value_of(bar);
  }
  int found = listed;
  if constexpr (!kExact) {
    const RowTerms terms = a.row_terms[row];
    shortlist.prune(k, terms, a.column_terms, a.candidates.first_column_id);
    found = shortlist.count;
    Group::sync();  // all have read the values
    score_exactly<Group, kMetric>(keys, found, a.rows.exact + row * exact_stride(a.rows.dims), a.columns, a.candidates);
  } else {
    found = min(found, k);
    Group::sync();
  }
  // Joined with the results from other columns: the list is cut to at most `shortlist`, half of the room is free.
  RankingKey* const results = a.results.keys + row * k;
  const int before = a.results.counts[row];
  const int joined = power_of_two_from(found + before);
  for (int e = Group::rank(); e < before; e += Group::kThreads) keys[found + e] = results[e];
  for (int e = found + before + Group::rank(); e < max(joined, held); e += Group::kThreads) keys[e] = kNoKey;
  sort_entries<Group>(keys, joined, KeyBefore{});
  const int kept = min(real_keys(keys, joined), k);
  if constexpr (!kExact) {
    if (!shortlist.complete) {
      const LimitTerms limit{a.row_terms[row], a.rows.exponent[row] + a.largest_columns->exponent,
                             a.rows.norms[row] * a.rows.norms[row], a.rows.dims};
      const float worst = kept == k ? value_of(keys[k - 1]) : a.candidates.minimum;
      if (!(score_limit<kMetric>(shortlist.bar, limit) < worst)) {
        if (Group::rank() == 0) a.results.failed[atomicAdd(a.results.failed_count, 1)] = static_cast<std::int32_t>(row);
        return;  // the whole group
      }
    }
  }
  for (int e = Group::rank(); e < kept; e += Group::kThreads) results[e] = keys[e];
  if (Group::rank() == 0) a.results.counts[row] = kept;
}

__global__ void part_keys_kernel(const RankingKey* keys, std::int64_t count, std::int32_t* ids, float* values) {
  const std::int64_t e = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (e >= count) return;
  ids[e] = id_of(keys[e]);
  values[e] = value_of(keys[e]);
}

struct LaunchShape {
  unsigned blocks;
  std::size_t shared_bytes;
};

LaunchShape shape_of(const ListSizes& sizes, int places) {
  constexpr int kWarps = kSelectThreads / kLanes;
  if (!sizes.by_warp) return {static_cast<unsigned>(places), 0};
  return {static_cast<unsigned>(blocks_of(places, kWarps)),
          static_cast<std::size_t>(kWarps * sizes.capacity) * sizeof(RankingKey)};
}

/// Calls `launch` with the group and the metric as template arguments.
template <bool kExact, class Launch>
void with_metric(Metric metric, bool by_warp, const Launch& launch) {
  const auto with_group = [&]<Metric kMetric>() {
    if (by_warp) {
      launch.template operator()<WarpGroup, kMetric, kExact>();
    } else {
      launch.template operator()<BlockOfRow, kMetric, kExact>();
    }
  };
  switch (metric) {
    case Metric::cosine:
      return with_group.template operator()<Metric::cosine>();
    case Metric::dot:
      return with_group.template operator()<Metric::dot>();
    case Metric::l2:
      return with_group.template operator()<Metric::l2>();
  }
}

template <class Launch>
void with_kernel(Metric metric, bool by_warp, bool exact, const Launch& launch) {
  if (exact) {
    with_metric<true>(metric, by_warp, launch);
  } else {
    with_metric<false>(metric, by_warp, launch);
  }
}

}  // namespace

void launch_begin(const SelectionLists& lists, const RowPlaces& places, const RowTerms* row_terms,
                  const Candidates& candidates, Metric metric, bool exact, cudaStream_t stream) {
  if (places.count == 0) return;
  const auto blocks = static_cast<unsigned>(blocks_of(places.count, kSelectThreads));
  begin_kernel<<<blocks, kSelectThreads, 0, stream>>>(lists, places, row_terms, candidates, metric, exact);
  check_launch("begin_kernel");
}

void launch_select(const SelectionLists& lists, const RowPlaces& places, const ScoreTile& tile,
                   const RowTerms* row_terms, const ColumnTerms* column_terms, const Candidates& candidates,
                   Metric metric, bool exact, cudaStream_t stream) {
  if (places.count == 0 || tile.columns == 0) return;
  const LaunchShape shape = shape_of(lists.sizes, places.count);
  with_kernel(metric, lists.sizes.by_warp, exact, [&]<class Group, Metric kMetric, bool kExact>() {
    select_kernel<Group, kMetric, kExact><<<shape.blocks, kSelectThreads, shape.shared_bytes, stream>>>(
        lists, places, tile, row_terms, column_terms, candidates);
  });
  check_launch("select_kernel");
}

void launch_finish(const SelectionLists& lists, const RowPlaces& places, const PreparedRows& rows,
                   const PreparedRows& columns, const RowTerms* row_terms, const ColumnTerms* column_terms,
                   const LargestTerms* largest_columns, const Candidates& candidates, const RowResults& results,
                   bool exact, cudaStream_t stream) {
  if (places.count == 0) return;
  const LaunchShape shape = shape_of(lists.sizes, places.count);
  const FinishArguments arguments{lists,        places,          rows,       columns, row_terms,
                                  column_terms, largest_columns, candidates, results};
  with_kernel(rows.metric, lists.sizes.by_warp, exact, [&]<class Group, Metric kMetric, bool kExact>() {
    finish_kernel<Group, kMetric, kExact><<<shape.blocks, kSelectThreads, shape.shared_bytes, stream>>>(arguments);
  });
  check_launch("finish_kernel");
}

void launch_part_keys(const RankingKey* keys, std::int64_t count, std::int32_t* ids, float* values,
                      cudaStream_t stream) {
  if (count == 0) return;
  part_keys_kernel<<<static_cast<unsigned>(blocks_of(count, kThreads)), kThreads, 0, stream>>>(keys, count, ids,
                                                                                               values);
  check_launch("part_keys_kernel");
}

}  // namespace graft::cuda
