// Tiled scores of queries against items with a running top-k a query: the engine of top_k_scores.
//
// A task is a block of queries against a run of item blocks. Tile by tile, scores that reach their query's bound are
// appended to its buffer; where enough have gathered, the k best stay and the worst of them is the new bound. Appending
// costs a fraction of keeping a heap in order. For a k whose buffers would leave the cache, the heaps of the result
// take the scores one by one.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <graft/detail/pairwise.hpp>
#include <graft/detail/ranking_key.hpp>

namespace graft::detail {

/// Rows by norm, largest first, then by id: met in this order, high products come early.
inline std::vector<std::int32_t> order_by_norm(const char* operation, const std::vector<double>& norms) {
  std::vector<std::int32_t> order = make_vector<std::int32_t>(operation, static_cast<std::int64_t>(norms.size()));
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    const double norm_a = norms[as_size(a)];
    const double norm_b = norms[as_size(b)];
    return norm_a > norm_b || (norm_a == norm_b && a < b);
  });
  return order;
}

/// What a ranking is asked for besides its shape.
struct RankingTask {
  const char* operation;
  Metric metric;
  float minimum;                                   ///< inclusive, -infinity for none
  std::span<const std::int64_t> excluded_offsets;  ///< per query, or none
  std::span<const std::int32_t> excluded;
  std::span<const std::int32_t> order;  ///< item at each place of the packed items; none: as they are
};

class RankingEngine {
 public:
  RankingEngine(const RankingTask& task, const PairwiseShape& shape, const PairwisePlan& plan,
                const PackedRows& queries, const PackedRows& items, TopKRows& top, const Context& context)
      : task_(task),
        shape_(shape),
        plan_(plan),
        queries_(queries),
        items_(items),
        top_(top),
        context_(context),
        kernels_(kernel_table(context)),
        query_blocks_(BlockRange::of(shape.rows)),
        item_blocks_(BlockRange::of(shape.columns)),
        buffered_(is_buffered(top.capacity())) {}

  /// Bytes of a worker's tile and buffers.
  static std::int64_t worker_bytes(std::int64_t k) {
    const std::int64_t keys = is_buffered(k) ? kernels::kTileRows * buffer_capacity(k) : 0;
    return kTileElements * std::int64_t{sizeof(float)} + keys * std::int64_t{sizeof(RankingKey)} +
           kernels::kTileRows * std::int64_t{2 * sizeof(float) + sizeof(std::int32_t) + 1};
  }

  /// Offers every pair to the rows of `top`.
  void run() {
    if (query_blocks_.size() == 0 || item_blocks_.size() == 0) return;
    const std::int64_t block = PackedRows::block_floats(shape_.dims);
    workers_ = std::vector<Worker>(as_size(plan_.workers));
    for (Worker& worker : workers_) allocate(worker);
    locks_ = std::make_unique<std::mutex[]>(as_size(query_blocks_.size()));
    std::vector<float> queries = make_vector<float>(task_.operation, plan_.row_group * block);
    std::vector<float> items = make_vector<float>(task_.operation, plan_.column_group * block);
    Ticker ticker(context_, task_.operation, count_units());
    for (std::int64_t p = query_blocks_.begin; p < query_blocks_.end; p += plan_.row_group) {
      const BlockRange query_group{p, std::min(query_blocks_.end, p + plan_.row_group)};
      pack(queries_, query_group, queries.data(), ticker);
      for (std::int64_t q = item_blocks_.begin; q < item_blocks_.end; q += plan_.column_group) {
        const BlockRange item_group{q, std::min(item_blocks_.end, q + plan_.column_group)};
        pack(items_, item_group, items.data(), ticker);
        rank(query_group, queries.data(), item_group, items.data(), ticker);
      }
    }
  }

 private:
  static constexpr std::int64_t kMostBuffered = 256;  ///< k whose buffers of a block stay in the second-level cache
  static constexpr std::size_t kShortList = 32;       ///< exclusions that are looked through faster than searched

  static bool is_buffered(std::int64_t k) { return k <= kMostBuffered; }
  /// Entries at which a buffer is cut back to k: more make cuts rarer and bounds older.
  static std::int64_t cut_at(std::int64_t k) { return k + std::max<std::int64_t>(16, k); }
  /// A buffer takes a whole tile before it is looked at.
  static std::int64_t buffer_capacity(std::int64_t k) { return cut_at(k) + kernels::kTileRows; }

  struct Worker {
    std::vector<float> scores;
    std::vector<float> kept;           ///< of one row of a tile
    std::vector<std::uint8_t> places;  ///< of the kept
    std::vector<RankingKey> keys;      ///< buffers [kTileRows, buffer_capacity]
    std::array<std::int32_t, kernels::kTileRows> counts{};
    std::array<float, kernels::kTileRows> bounds{};
  };

  void allocate(Worker& worker) const {
    worker.scores = make_vector<float>(task_.operation, kTileElements);
    worker.kept = make_vector<float>(task_.operation, kernels::kTileRows);
    worker.places = make_vector<std::uint8_t>(task_.operation, kernels::kTileRows);
    if (!buffered_) return;
    worker.keys = make_vector<RankingKey>(task_.operation, kernels::kTileRows * buffer_capacity(top_.capacity()));
  }

  /// Runs of item blocks that a block of queries is divided into: one, unless that leaves workers idle.
  [[nodiscard]] std::int64_t runs_for(std::int64_t query_blocks, std::int64_t item_blocks) const {
    constexpr std::int64_t kTasksPerWorker = 4;
    const std::int64_t wanted = (kTasksPerWorker * plan_.workers + query_blocks - 1) / query_blocks;
    return plan_.workers == 1 ? 1 : std::clamp<std::int64_t>(wanted, 1, item_blocks);
  }

  [[nodiscard]] std::int64_t count_units() const {
    std::int64_t units = 0;
    for (std::int64_t p = query_blocks_.begin; p < query_blocks_.end; p += plan_.row_group) {
      const std::int64_t queries = std::min(query_blocks_.end - p, plan_.row_group);
      units += queries;
      for (std::int64_t q = item_blocks_.begin; q < item_blocks_.end; q += plan_.column_group) {
        const std::int64_t items = std::min(item_blocks_.end - q, plan_.column_group);
        units += items + queries * runs_for(queries, items);
      }
    }
    return units;
  }

  void pack(const PackedRows& rows, const BlockRange& group, float* out, Ticker& ticker) const {
    parallel_tasks(plan_.workers, group.size(), ticker, [&](std::int64_t task, int /*worker*/) {
      rows.pack(group.begin + task, out + task * PackedRows::block_floats(shape_.dims));
    });
  }

  void rank(const BlockRange& query_group, const float* queries, const BlockRange& item_group, const float* items,
            Ticker& ticker) {
    const std::int64_t block = PackedRows::block_floats(shape_.dims);
    const std::int64_t runs = runs_for(query_group.size(), item_group.size());
    parallel_tasks(plan_.workers, query_group.size() * runs, ticker, [&](std::int64_t task, int worker) {
      const std::int64_t i = task / runs;
      const std::int64_t run = task % runs;
      const std::int64_t begin = item_group.size() * run / runs;
      const std::int64_t end = item_group.size() * (run + 1) / runs;
      Worker& mine = workers_[as_size(worker)];
      begin_block(query_group.begin + i, mine);
      for (std::int64_t j = begin; j < end; ++j) {
        ticker.check();
        score_tile(query_group.begin + i, queries + i * block, item_group.begin + j, items + j * block, mine);
      }
      end_block(query_group.begin + i, mine);
    });
  }

  /// Queries of a block that are wanted.
  [[nodiscard]] RowRange wanted(std::int64_t block) const {
    const std::int64_t first = block * kernels::kTileRows;
    return {std::max(first, shape_.rows.begin), std::min(first + kernels::kTileRows, shape_.rows.end)};
  }

  void begin_block(std::int64_t block, Worker& worker) {
    worker.counts.fill(0);
    read_bounds(block, worker);
  }

  /// A snapshot is enough, as bounds only rise.
  void read_bounds(std::int64_t block, Worker& worker) {
    const std::int64_t first = block * kernels::kTileRows;
    const std::scoped_lock lock(locks_[as_size(block - query_blocks_.begin)]);
    for (std::int64_t row = wanted(block).begin; row < wanted(block).end; ++row) {
      const float bound = top_.entry_threshold(row - shape_.rows.begin, 0, task_.minimum);
      worker.bounds[as_size(row - first)] = raw(bound);
    }
  }

  [[nodiscard]] float raw(float bound) const {
    return task_.metric == Metric::cosine ? raw_cosine_threshold(bound) : bound;
  }

  void score_tile(std::int64_t i, const float* queries, std::int64_t j, const float* items, Worker& worker) {
    const auto compute = task_.metric == Metric::l2 ? kernels_.l2_tile : kernels_.dot_tile;
    const int panels = items_.panels_in(j);
    compute(queries, queries_.panels_in(i), items, panels, items_.dims(), worker.scores.data());
    if (!buffered_) return offer_tile(i, j, worker);
    const std::int64_t first = i * kernels::kTileRows;
    for (std::int64_t row = wanted(i).begin; row < wanted(i).end; ++row) {
      const std::int64_t place = row - first;
      if (worker.counts[as_size(place)] == 0) raise_open_bound(row, j, worker);
      append(row, j, collect(place, panels, worker), worker);
      if (worker.counts[as_size(place)] >= cut_at(top_.capacity())) cut(place, worker);
    }
  }

  /// Scores of a row of the tile that reach its bound. @return their number
  int collect(std::int64_t place, int panels, Worker& worker) const {
    return kernels_.collect(worker.scores.data() + place * kernels::kTileRows, panels * kernels_.panel_rows,
                            worker.bounds[as_size(place)], worker.kept.data(), worker.places.data());
  }

  /// An empty buffer would take the whole tile. Where the tile alone can fill it, scores below one that enough items
  /// reach cannot be among the query's best.
  void raise_open_bound(std::int64_t row, std::int64_t j, Worker& worker) const {
    std::int64_t needed = top_.capacity();
    if (!task_.excluded_offsets.empty()) needed += static_cast<std::int64_t>(excluded_of(row).size());
    if (needed >= items_.rows_in(j)) return;
    const std::int64_t place = row % kernels::kTileRows;
    float bound = kernels_.kth_largest_bound(worker.scores.data() + place * kernels::kTileRows,
                                             items_.panels_in(j) * kernels_.panel_rows, static_cast<int>(needed));
    if (task_.metric == Metric::cosine) bound = raw(std::min(bound, 1.0F));
    worker.bounds[as_size(place)] = std::max(worker.bounds[as_size(place)], bound);
  }

  void append(std::int64_t row, std::int64_t j, int count, Worker& worker) const {
    const std::int64_t place = row % kernels::kTileRows;
    RankingKey* const keys = worker.keys.data() + place * buffer_capacity(top_.capacity());
    std::int32_t& size = worker.counts[as_size(place)];
    for (int s = 0; s < count; ++s) {
      const std::int32_t item = item_at(j, worker.places[as_size(s)]);
      if (is_excluded(row, item)) continue;
      keys[size++] = key_of(clamped(worker.kept[as_size(s)]), item);
    }
  }

  /// Leaves the k best of a buffer, and takes the worst of them for the bound.
  void cut(std::int64_t place, Worker& worker) const {
    const std::int64_t k = top_.capacity();
    std::int32_t& size = worker.counts[as_size(place)];
    if (size < k || k == 0) return;
    RankingKey* const keys = worker.keys.data() + place * buffer_capacity(k);
    std::nth_element(keys, keys + (k - 1), keys + size, std::greater<>());
    size = static_cast<std::int32_t>(k);
    const float bound = raw(value_of(keys[k - 1]));
    worker.bounds[as_size(place)] = std::max(worker.bounds[as_size(place)], bound);
  }

  void end_block(std::int64_t block, Worker& worker) {
    if (!buffered_) return;
    const std::int64_t first = block * kernels::kTileRows;
    const std::int64_t k = top_.capacity();
    const std::scoped_lock lock(locks_[as_size(block - query_blocks_.begin)]);
    for (std::int64_t row = wanted(block).begin; row < wanted(block).end; ++row) {
      cut(row - first, worker);
      RankingKey* const keys = worker.keys.data() + (row - first) * buffer_capacity(k);
      const std::int32_t size = worker.counts[as_size(row - first)];
      std::sort(keys, keys + size);  // from the worst on: an empty heap takes them without a move
      for (std::int32_t e = 0; e < size; ++e) {
        top_.offer(row - shape_.rows.begin, value_of(keys[e]), id_of(keys[e]));
      }
    }
  }

  /// Without buffers: what reaches the bounds goes into the heaps.
  void offer_tile(std::int64_t i, std::int64_t j, Worker& worker) {
    read_bounds(i, worker);
    const int panels = items_.panels_in(j);
    const std::int64_t first = i * kernels::kTileRows;
    const std::scoped_lock lock(locks_[as_size(i - query_blocks_.begin)]);
    for (std::int64_t row = wanted(i).begin; row < wanted(i).end; ++row) {
      const int count = collect(row - first, panels, worker);
      for (int s = 0; s < count; ++s) {
        const std::int32_t item = item_at(j, worker.places[as_size(s)]);
        if (is_excluded(row, item)) continue;
        top_.offer(row - shape_.rows.begin, clamped(worker.kept[as_size(s)]) + 0.0F, item);  // -0 counts as 0
      }
    }
  }

  [[nodiscard]] float clamped(float value) const {
    return task_.metric == Metric::cosine ? std::clamp(value, -1.0F, 1.0F) : value;
  }

  [[nodiscard]] std::int32_t item_at(std::int64_t block, std::uint8_t place) const {
    const std::int64_t packed = block * kernels::kTileRows + place;
    return task_.order.empty() ? as_id(packed) : task_.order[as_size(packed)];
  }

  [[nodiscard]] std::span<const std::int32_t> excluded_of(std::int64_t row) const {
    const std::int64_t begin = task_.excluded_offsets[as_size(row)];
    return task_.excluded.subspan(as_size(begin), as_size(task_.excluded_offsets[as_size(row + 1)] - begin));
  }

  [[nodiscard]] bool is_excluded(std::int64_t row, std::int32_t item) const {
    if (task_.excluded_offsets.empty()) return false;
    const auto excluded = excluded_of(row);
    if (excluded.size() > kShortList) return std::binary_search(excluded.begin(), excluded.end(), item);
    bool found = false;
    for (const std::int32_t id : excluded) found |= id == item;  // no branch, as none could be foretold
    return found;
  }

  RankingTask task_;
  PairwiseShape shape_;
  PairwisePlan plan_;
  const PackedRows& queries_;
  const PackedRows& items_;
  TopKRows& top_;
  const Context& context_;
  const kernels::KernelTable& kernels_;
  BlockRange query_blocks_;
  BlockRange item_blocks_;
  bool buffered_;
  std::vector<Worker> workers_;
  std::unique_ptr<std::mutex[]> locks_;
};

}  // namespace graft::detail
