// Tiled similarity of all pairs of rows of one matrix with a running top-k: the engine of knn_graph. What it plans by
// is that of top_k_scores too.
//
// Rows are packed in groups of blocks that fit the memory budget; every pair of blocks gives one tile of scores that
// stays in cache, is scanned against the current k-th best of its rows and of its columns, so that each pair is
// computed once, and is forgotten.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <graft/core/plan.hpp>
#include <graft/core/row_range.hpp>
#include <graft/detail/kernel_table.hpp>
#include <graft/detail/packed_rows.hpp>
#include <graft/detail/parallel.hpp>
#include <graft/detail/top_k_rows.hpp>

namespace graft::detail {

/// Blocks [begin, end) of kTileRows rows that a range of rows touches.
struct BlockRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;

  static BlockRange of(const RowRange& rows) {
    if (rows.begin >= rows.end) return {};
    return {rows.begin / kernels::kTileRows, (rows.end + kernels::kTileRows - 1) / kernels::kTileRows};
  }
  [[nodiscard]] std::int64_t size() const { return end - begin; }
  [[nodiscard]] bool contains(std::int64_t block) const { return block >= begin && block < end; }
  [[nodiscard]] bool meets(const BlockRange& other) const { return begin < other.end && other.begin < end; }
};

/// Clips a range to [0, size). @throws InvalidArgument if it is negative or reversed
inline RowRange clipped(const char* operation, const char* argument, const RowRange& range, std::int64_t size) {
  if (range.begin < 0 || range.end < range.begin) {
    throw InvalidArgument(message(operation, argument,
                                  "[" + std::to_string(range.begin) + ", " + std::to_string(range.end) + ")",
                                  "must satisfy 0 <= begin <= end"));
  }
  return {std::min(range.begin, size), std::min(range.end, size)};
}

inline constexpr std::int64_t kTileElements = std::int64_t{kernels::kTileRows} * kernels::kTileRows;

/// What is asked of an engine, and how it will work within the budget.
struct PairwiseShape {
  RowRange rows;     ///< queries to fill
  RowRange columns;  ///< candidates
  std::int64_t dims;
  bool symmetric;             ///< both sides are the same matrix
  std::int64_t held_bytes;    ///< all the time, whatever the plan: norms, an order
  std::int64_t worker_bytes;  ///< a worker's tile and what it keeps of it
};

struct PairwisePlan {
  int workers = 1;
  std::int64_t row_group = 0;     ///< blocks packed at once on the row side
  std::int64_t column_group = 0;  ///< blocks packed at once on the column side; 0 if one group serves both
  std::int64_t workspace_bytes = 0;
  std::int64_t tiles = 0;
};

inline BlockRange hull(const BlockRange& a, const BlockRange& b) {
  if (a.size() == 0) return b;
  if (b.size() == 0) return a;
  return {std::min(a.begin, b.begin), std::max(a.end, b.end)};
}

/// Divides the budget between workers' tiles and packed rows. @throws OutOfMemory naming the least that would do
inline PairwisePlan plan_pairwise(const char* operation, const PairwiseShape& shape, const Context& context) {
  PairwisePlan plan;
  const BlockRange rows = BlockRange::of(shape.rows);
  const BlockRange columns = BlockRange::of(shape.columns);
  plan.workers = worker_count(context);
  if (rows.size() == 0 || columns.size() == 0) return plan;
  const std::int64_t block = saturating_multiply(PackedRows::block_floats(shape.dims), sizeof(float));
  const std::int64_t locks = rows.size() * std::int64_t{sizeof(std::mutex)};
  const BlockRange all = shape.symmetric ? hull(rows, columns) : rows;
  const std::int64_t diagonal = shape.symmetric ? all.size() : 0;  // a byte a block
  const std::int64_t fixed = shape.held_bytes + locks + diagonal;
  const std::int64_t whole = shape.symmetric ? all.size() : rows.size() + columns.size();
  const std::int64_t least_blocks = std::min<std::int64_t>(whole, 2);
  const std::int64_t least = saturating_add(saturating_multiply(least_blocks, block), fixed + shape.worker_bytes);
  if (context.memory_budget < least) {
    throw OutOfMemory(message(operation, "memory_budget", std::to_string(context.memory_budget) + " bytes",
                              "at least " + std::to_string(least) + " bytes are needed for these sizes"));
  }
  plan.tiles = shape.symmetric && rows.size() == columns.size() ? rows.size() * (rows.size() + 1) / 2
                                                                : saturating_multiply(rows.size(), columns.size());
  // Fewer workers rather than tiny groups: at most half of what is free goes to the workers' tiles.
  const std::int64_t affordable = 1 + (context.memory_budget - least) / 2 / shape.worker_bytes;
  plan.workers = static_cast<int>(std::min<std::int64_t>({plan.workers, affordable, plan.tiles}));
  const std::int64_t free = context.memory_budget - fixed - plan.workers * shape.worker_bytes;
  const std::int64_t blocks = free / block;
  if (blocks >= whole) {
    plan.row_group = all.size();
    plan.column_group = shape.symmetric ? 0 : columns.size();
  } else {
    plan.row_group = std::min(all.size(), std::max<std::int64_t>(1, blocks / 2));
    plan.column_group = std::min(shape.symmetric ? all.size() : columns.size(), blocks - plan.row_group);
  }
  plan.workspace_bytes = fixed + plan.workers * shape.worker_bytes + (plan.row_group + plan.column_group) * block;
  return plan;
}

/// A bound of clamped cosines as one of the raw scores: rounding may put them outside [-1, 1].
inline float raw_cosine_threshold(float threshold) {
  if (threshold > 1.0F) return std::numeric_limits<float>::infinity();
  if (threshold <= -1.0F) return -std::numeric_limits<float>::infinity();
  return threshold;
}

/// What an engine run needs besides its shape.
struct PairwiseTask {
  const char* operation;
  Metric metric;
  float minimum;                 ///< inclusive, -infinity for none
  float* self_scores = nullptr;  ///< where not null: score of rows.begin + r with itself
};

class PairwiseEngine {
 public:
  PairwiseEngine(const PairwiseTask& task, const PairwiseShape& shape, const PairwisePlan& plan, const PackedRows& rows,
                 TopKRows& top, const Context& context)
      : task_(task),
        shape_(shape),
        plan_(plan),
        rows_(rows),
        top_(top),
        context_(context),
        kernels_(kernel_table(context)),
        row_blocks_(BlockRange::of(shape.rows)),
        column_blocks_(BlockRange::of(shape.columns)),
        blocks_(hull(row_blocks_, column_blocks_)) {}

  /// Bytes of a worker's tile.
  static constexpr std::int64_t kWorkerBytes =
      kTileElements * std::int64_t{sizeof(float) + sizeof(kernels::Survivor)} +
      kernels::kTileRows * std::int64_t{2 * sizeof(float) + sizeof(std::int64_t)};

  /// Offers every pair of two different rows to the rows of `top`.
  void run() {
    if (row_blocks_.size() == 0 || column_blocks_.size() == 0) return;
    const std::int64_t block = PackedRows::block_floats(shape_.dims);
    workers_ = std::vector<Worker>(as_size(plan_.workers));
    for (Worker& worker : workers_) worker.allocate(task_.operation);
    locks_ = std::make_unique<std::mutex[]>(as_size(row_blocks_.size()));
    std::vector<float> a_packed = make_vector<float>(task_.operation, plan_.row_group * block);
    std::vector<float> b_packed = make_vector<float>(task_.operation, plan_.column_group * block);
    diagonal_done_ = make_vector<char>(task_.operation, blocks_.size());
    Ticker ticker(context_, task_.operation, count_tasks());
    for (std::int64_t p = blocks_.begin; p < blocks_.end; p += plan_.row_group) {
      const BlockRange a_group{p, std::min(blocks_.end, p + plan_.row_group)};
      pack(a_group, a_packed.data(), ticker);
      score_diagonal(a_group, a_packed.data(), ticker);
      score(a_group, a_packed.data(), a_group, a_packed.data(), ticker);
      if (plan_.column_group == 0) continue;
      for (std::int64_t q = a_group.end; q < blocks_.end; q += plan_.column_group) {
        const BlockRange b_group{q, std::min(blocks_.end, q + plan_.column_group)};
        if (!needed(a_group, b_group)) continue;
        pack(b_group, b_packed.data(), ticker);
        score_diagonal(b_group, b_packed.data(), ticker);
        score(a_group, a_packed.data(), b_group, b_packed.data(), ticker);
      }
    }
  }

 private:
  struct Worker {
    std::vector<float> scores;
    std::vector<kernels::Survivor> survivors;
    std::array<float, kernels::kTileRows> row_thresholds{};
    std::array<float, kernels::kTileRows> column_thresholds{};
    std::array<std::int64_t, kernels::kTileRows> open_places{};  ///< of the tile's rows, 0 where full

    void allocate(const char* operation) {
      scores = make_vector<float>(operation, kTileElements);
      survivors = make_vector<kernels::Survivor>(operation, kTileElements);
    }
  };

  /// Whether the tiles of (a, b) serve a wanted row from either side.
  [[nodiscard]] bool needed(const BlockRange& a, const BlockRange& b) const {
    return (a.meets(row_blocks_) && b.meets(column_blocks_)) || (b.meets(row_blocks_) && a.meets(column_blocks_));
  }

  [[nodiscard]] std::int64_t count_tasks() const {
    std::int64_t tasks = 0;
    for (std::int64_t p = blocks_.begin; p < blocks_.end; p += plan_.row_group) {
      const BlockRange a_group{p, std::min(blocks_.end, p + plan_.row_group)};
      tasks += a_group.size() * (a_group.size() + 2);
      if (plan_.column_group == 0) continue;
      for (std::int64_t q = a_group.end; q < blocks_.end; q += plan_.column_group) {
        const BlockRange b_group{q, std::min(blocks_.end, q + plan_.column_group)};
        if (needed(a_group, b_group)) tasks += b_group.size() * (a_group.size() + 2);
      }
    }
    return tasks;
  }

  void pack(const BlockRange& group, float* out, Ticker& ticker) const {
    parallel_tasks(plan_.workers, group.size(), ticker, [&](std::int64_t task, int /*worker*/) {
      rows_.pack(group.begin + task, out + task * PackedRows::block_floats(shape_.dims));
    });
  }

  /// Scores each block against itself, once in all: then no row meets another block without a k-th best to refuse
  /// candidates with, wherever k of its own block's rows are candidates.
  void score_diagonal(const BlockRange& group, const float* packed, Ticker& ticker) {
    const std::int64_t block = PackedRows::block_floats(shape_.dims);
    parallel_tasks(plan_.workers, group.size(), ticker, [&](std::int64_t task, int worker) {
      const std::int64_t i = group.begin + task;
      if (std::exchange(diagonal_done_[as_size(i - blocks_.begin)], 1) != 0) return;
      score_tile(i, packed + task * block, i, packed + task * block, workers_[as_size(worker)]);
    });
  }

  void score(const BlockRange& a_group, const float* a_packed, const BlockRange& b_group, const float* b_packed,
             Ticker& ticker) {
    const std::int64_t block = PackedRows::block_floats(shape_.dims);
    parallel_tasks(plan_.workers, a_group.size() * b_group.size(), ticker, [&](std::int64_t task, int worker) {
      const auto [i, j] = tile_of(task, a_group.size(), b_group.size());
      if (a_group.begin + i >= b_group.begin + j) return;  // its mirror image serves both
      score_tile(a_group.begin + i, a_packed + i * block, b_group.begin + j, b_packed + j * block,
                 workers_[as_size(worker)]);
    });
  }

  /// The order of tiles: in stripes of as many row blocks as there are workers, so that they seldom wait for each
  /// other's rows while these stay in cache.
  [[nodiscard]] std::pair<std::int64_t, std::int64_t> tile_of(std::int64_t task, std::int64_t a_blocks,
                                                              std::int64_t b_blocks) const {
    const std::int64_t stripe = task / (plan_.workers * b_blocks);
    const std::int64_t first = stripe * plan_.workers;
    const std::int64_t width = std::min<std::int64_t>(plan_.workers, a_blocks - first);
    const std::int64_t rest = task - first * b_blocks;
    return {first + rest % width, rest / width};
  }

  /// Scores block `i` of one side against block `j` of the other and offers the survivors.
  void score_tile(std::int64_t i, const float* a, std::int64_t j, const float* b, Worker& worker) {
    const bool serves_rows = row_blocks_.contains(i) && column_blocks_.contains(j);
    const bool serves_columns = i != j && row_blocks_.contains(j) && column_blocks_.contains(i);
    if (!serves_rows && !serves_columns) return;
    worker.open_places.fill(0);
    read_thresholds(serves_rows, i, j, worker.row_thresholds, worker.open_places.data());
    read_thresholds(serves_columns, j, i, worker.column_thresholds, nullptr);
    const auto compute = task_.metric == Metric::l2 ? kernels_.l2_tile : kernels_.dot_tile;
    const int b_panels = rows_.panels_in(j);
    compute(a, rows_.panels_in(i), b, b_panels, rows_.dims(), worker.scores.data());
    if (serves_rows) raise_open_thresholds(i, j, worker);
    const int count =
        kernels_.scan_tile(worker.scores.data(), rows_.rows_in(i), b_panels * kernels_.panel_rows,
                           worker.row_thresholds.data(), worker.column_thresholds.data(), worker.survivors.data());
    if (serves_rows) offer_rows(i, j, worker, count);
    if (serves_columns) offer_columns(i, j, worker, count);
    if (task_.self_scores != nullptr && i == j) store_self_scores(i, worker.scores.data());
  }

  /// Thresholds of the rows of `block` against candidates from `other`, and, unless null, the places of rows that are
  /// not full; a snapshot is enough, as thresholds only rise.
  void read_thresholds(bool serves, std::int64_t block, std::int64_t other,
                       std::array<float, kernels::kTileRows>& thresholds, std::int64_t* open_places) {
    thresholds.fill(std::numeric_limits<float>::infinity());
    if (!serves) return;
    const std::int64_t first = block * kernels::kTileRows;
    const std::int64_t begin = std::max(first, shape_.rows.begin);
    const std::int64_t end = std::min(first + kernels::kTileRows, shape_.rows.end);
    const std::scoped_lock lock(locks_[as_size(block - row_blocks_.begin)]);
    for (std::int64_t row = begin; row < end; ++row) {
      const float threshold = top_.entry_threshold(row - shape_.rows.begin, other * kernels::kTileRows, task_.minimum);
      thresholds[as_size(row - first)] = task_.metric == Metric::cosine ? raw_cosine_threshold(threshold) : threshold;
      if (open_places != nullptr) open_places[row - first] = top_.places_if_open(row - shape_.rows.begin);
    }
  }

  /// A row that is not full would take every score of its tile through the heap. Where the tile alone can fill it,
  /// scores below a bound that enough candidates of the tile reach cannot be among the row's best.
  void raise_open_thresholds(std::int64_t i, std::int64_t j, Worker& worker) const {
    const std::int64_t first_column = j * kernels::kTileRows;
    const std::int64_t end_column = first_column + rows_.rows_in(j);
    if (first_column < shape_.columns.begin || end_column > shape_.columns.end) return;  // some are no candidates
    for (int r = 0; r < rows_.rows_in(i); ++r) {
      const std::int64_t places = worker.open_places[as_size(r)];
      if (places == 0 || places >= end_column - first_column) continue;
      const std::int64_t needed = places + (i == j ? 1 : 0);  // the row itself is no candidate
      if (needed > end_column - first_column) continue;
      const float bound =
          kernels_.kth_largest_bound(worker.scores.data() + std::int64_t{r} * kernels::kTileRows,
                                     rows_.panels_in(j) * kernels_.panel_rows, static_cast<int>(needed));
      float& threshold = worker.row_thresholds[as_size(r)];
      threshold =
          std::max(threshold, task_.metric == Metric::cosine ? raw_cosine_threshold(std::min(bound, 1.0F)) : bound);
    }
  }

  void offer_rows(std::int64_t i, std::int64_t j, const Worker& worker, int count) {
    const std::scoped_lock lock(locks_[as_size(i - row_blocks_.begin)]);
    for (int s = 0; s < count; ++s) {
      const kernels::Survivor& survivor = worker.survivors[as_size(s)];
      if ((survivor.sides & kernels::kRowSide) == 0) continue;
      offer(i * kernels::kTileRows + survivor.row, survivor.value, j * kernels::kTileRows + survivor.column);
    }
  }

  void offer_columns(std::int64_t i, std::int64_t j, const Worker& worker, int count) {
    const std::scoped_lock lock(locks_[as_size(j - row_blocks_.begin)]);
    for (int s = 0; s < count; ++s) {
      const kernels::Survivor& survivor = worker.survivors[as_size(s)];
      if ((survivor.sides & kernels::kColumnSide) == 0) continue;
      offer(j * kernels::kTileRows + survivor.column, survivor.value, i * kernels::kTileRows + survivor.row);
    }
  }

  void offer(std::int64_t row, float value, std::int64_t column) {
    if (column < shape_.columns.begin || column >= shape_.columns.end) return;
    if (row == column) return;
    if (task_.metric == Metric::cosine) value = std::clamp(value, -1.0F, 1.0F);
    top_.offer(row - shape_.rows.begin, value, as_id(column));
  }

  void store_self_scores(std::int64_t block, const float* scores) const {
    const std::int64_t first = block * kernels::kTileRows;
    const std::int64_t begin = std::max(first, shape_.rows.begin);
    const std::int64_t end = std::min(first + kernels::kTileRows, shape_.rows.end);
    for (std::int64_t row = begin; row < end; ++row) {
      task_.self_scores[row - shape_.rows.begin] = scores[(row - first) * (kernels::kTileRows + 1)];
    }
  }

  PairwiseTask task_;
  PairwiseShape shape_;
  PairwisePlan plan_;
  const PackedRows& rows_;
  TopKRows& top_;
  const Context& context_;
  const kernels::KernelTable& kernels_;
  BlockRange row_blocks_;
  BlockRange column_blocks_;
  BlockRange blocks_;  ///< of either side
  std::vector<Worker> workers_;
  std::unique_ptr<std::mutex[]> locks_;
  std::vector<char> diagonal_done_;  ///< by block, from blocks_.begin
};

}  // namespace graft::detail
