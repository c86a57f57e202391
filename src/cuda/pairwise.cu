// The k best columns of every row: knn_graph and top_k_scores.
//
// A block of rows meets the columns tile by tile. The tensor cores give a tile of scores, which stays in the
// second-level cache, where each row's list takes what may be among its best; then the tile is forgotten. At the end of
// a block of rows the lists are scored in float32, and each row is certified or put aside (pairwise_bounds.hpp). Rows
// put aside meet all columns again, in float32. So the result is that of float32 alone, to the bit.
//
// What is not on the device as a whole comes in groups of rows and of columns; the best of the groups of columns are
// joined by their exact scores.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "entry_points.hpp"
#include "feature_side.hpp"
#include "pairwise_kernels.hpp"
#include "pairwise_plan.hpp"
#include "runtime.hpp"

namespace graft::cuda {
namespace {

class PairwiseRun {
 public:
  PairwiseRun(const seam::Call& call, const seam::PairwiseCall& task)
      : task_(task), session_(call), sizes_(sizes_of(task)), plan_(planned(call)), blas_(session_.memory()) {}

  void run() {
    wait_for_producer(session_, task_.queries);
    if (!task_.same) wait_for_producer(session_, task_.items);
    queries_ = std::make_unique<FeatureSide>(session_, task_.queries, task_.metric, query_capacity());
    if (!plan_.resident) {
      items_ = std::make_unique<FeatureSide>(session_, task_.items, task_.metric,
                                             std::max<std::int64_t>(1, plan_.column_group));
    }
    measure_norms();
    if (sizes_.rows == 0 || sizes_.columns == 0 || sizes_.places == 0) {
      const std::vector<std::int32_t> none(static_cast<std::size_t>(sizes_.rows), 0);
      const std::size_t bytes = none.size() * sizeof(std::int32_t);
      if (bytes > 0) check(cudaMemcpy(task_.counts, none.data(), bytes, cudaMemcpyDefault), "copying counts");
      return;
    }
    allocate();
    if (plan_.resident) queries_->prepare(0, task_.queries.rows);
    for (std::int64_t begin = task_.row_begin; begin < task_.row_end; begin += plan_.row_group) {
      run_row_group(begin, std::min(task_.row_end, begin + plan_.row_group));
    }
  }

 private:
  static PairwiseSizes sizes_of(const seam::PairwiseCall& task) {
    PairwiseSizes sizes;
    sizes.query_rows = task.queries.rows;
    sizes.item_rows = task.items.rows;
    sizes.rows = task.row_end - task.row_begin;
    sizes.columns = task.column_end - task.column_begin;
    sizes.dims = task.queries.cols;
    sizes.places = task.places;
    sizes.same = task.same;
    if (task.excluded_offsets != nullptr) {
      sizes.extra_bytes = 8 * (task.queries.rows + 1) + 4 * task.excluded_offsets[task.queries.rows];
    }
    return sizes;
  }

  [[nodiscard]] DevicePlan planned(const seam::Call& call) const {
    const DevicePlan plan =
        plan_on_device(sizes_, call.memory_budget, cache_bytes(call.ordinal), Blas::kWorkspaceBytes + kSmallBytes);
    if (plan.fits) return plan;
    throw Failure(seam::Status::out_of_memory, "device_memory_budget = " + std::to_string(call.memory_budget) +
                                                   " bytes: at least " + std::to_string(plan.least_bytes) +
                                                   " bytes are needed for these sizes");
  }

  [[nodiscard]] std::int64_t query_capacity() const {
    return std::max<std::int64_t>(1, plan_.resident ? task_.queries.rows : plan_.row_group);
  }

  void measure_norms() {
    queries_->measure(0);
    if (!items_) return;
    if (task_.same) {
      items_->share_norms(*queries_);
    } else {
      items_->measure(1);
    }
  }

  void allocate() {
    const ListSizes& lists = plan_.lists;
    scores_ = session_.buffer<float>(plan_.tile_rows * plan_.tile_columns, "a tile of scores");
    entries_ = session_.buffer<RankingKey>(plan_.tile_rows * lists.capacity, "lists of candidates");
    list_counts_ = session_.buffer<int>(plan_.tile_rows, "lists of candidates");
    cut_ = session_.buffer<int>(plan_.tile_rows, "lists of candidates");
    bars_ = session_.buffer<RankingKey>(plan_.tile_rows, "lists of candidates");
    row_terms_ = session_.buffer<RowTerms>(plan_.row_group, "error terms");
    column_terms_ = session_.buffer<ColumnTerms>(plan_.column_group, "error terms");
    keys_ = session_.buffer<RankingKey>(plan_.row_group * lists.places, "results");
    ids_ = session_.buffer<std::int32_t>(plan_.row_group * lists.places, "results");
    values_ = session_.buffer<float>(plan_.row_group * lists.places, "results");
    counts_ = session_.buffer<int>(plan_.row_group, "results");
    failed_ = session_.buffer<std::int32_t>(plan_.row_group, "rows to score in float32");
    failed_count_ = session_.buffer<int>(1, "rows to score in float32");
    largest_ = session_.buffer<LargestTerms>(1, "error terms");
    if (task_.excluded_offsets == nullptr) return;
    const std::int64_t queries = task_.queries.rows;
    excluded_offsets_ = session_.buffer<std::int64_t>(queries + 1, "exclusions");
    excluded_offsets_.upload(task_.excluded_offsets, queries + 1);
    excluded_ = session_.buffer<std::int32_t>(task_.excluded_offsets[queries], "exclusions");
    excluded_.upload(task_.excluded, task_.excluded_offsets[queries]);
  }

  void run_row_group(std::int64_t begin, std::int64_t end) {
    const std::int64_t count = end - begin;
    if (!plan_.resident) queries_->prepare(begin, end);
    const PreparedRows rows = queries_->rows(plan_.resident ? begin : 0);
    counts_.fill_bytes(0);
    keys_.fill_bytes(0);
    for (std::int64_t first = task_.column_begin; first < task_.column_end; first += plan_.column_group) {
      const std::int64_t last = std::min(task_.column_end, first + plan_.column_group);
      if (!plan_.resident) items_->prepare(first, last);
      const PreparedRows columns = plan_.resident ? queries_->rows(first) : items_->rows();
      run_group(rows, begin, count, columns, first, last - first);
    }
    download(rows, begin, count);
  }

  /// All rows on the device against all columns on it.
  void run_group(const PreparedRows& rows, std::int64_t first_row, std::int64_t row_count, const PreparedRows& columns,
                 std::int64_t first_column, std::int64_t column_count) {
    const cudaStream_t stream = session_.stream().get();
    candidates_ = {.first_row_id = first_row,
                   .first_column_id = first_column,
                   .drop_self = task_.same,
                   .excluded_offsets = excluded_offsets_.data(),
                   .excluded = excluded_.data(),
                   .minimum = task_.minimum};
    launch_largest(columns, column_count, largest_.data(), stream);
    launch_column_terms(columns, column_count, largest_.data(), column_terms_.data(), stream);
    launch_row_terms(rows, row_count, largest_.data(), row_terms_.data(), stream);
    failed_count_.fill_bytes(0);
    const bool exact = sizes_.dims > kMostShortlistDims;
    for (std::int64_t first = 0; first < row_count; first += plan_.tile_rows) {
      const auto count = static_cast<int>(std::min(plan_.tile_rows, row_count - first));
      run_block(rows, {.list = nullptr, .first = first, .count = count}, columns, column_count, exact);
      count_units(count * column_count);
    }
    redo_failed(rows, columns, column_count);
  }

  /// The rows without a certificate, in float32.
  void redo_failed(const PreparedRows& rows, const PreparedRows& columns, std::int64_t column_count) {
    int failed = 0;
    failed_count_.download(&failed, 1);
    session_.stream().wait();
    for (std::int64_t first = 0; first < failed; first += plan_.tile_rows) {
      const auto count = static_cast<int>(std::min<std::int64_t>(plan_.tile_rows, failed - first));
      run_block(rows, {.list = failed_.data() + first, .first = 0, .count = count}, columns, column_count, true);
      count_units(0);
    }
  }

  /// A block of rows against all columns of the group.
  void run_block(const PreparedRows& rows, const RowPlaces& places, const PreparedRows& columns,
                 std::int64_t column_count, bool exact) {
    const cudaStream_t stream = session_.stream().get();
    const SelectionLists lists{entries_.data(), list_counts_.data(), bars_.data(), cut_.data(), plan_.lists};
    launch_begin(lists, places, row_terms_.data(), candidates_, task_.metric, exact, stream);
    for (std::int64_t first = 0; first < column_count; first += plan_.tile_columns) {
      const ScoreTile tile{.scores = scores_.data(),
                           .stride = plan_.tile_columns,
                           .first_column = first,
                           .columns = static_cast<int>(std::min(plan_.tile_columns, column_count - first))};
      if (exact) {
        launch_exact_tile(rows, columns, places, tile, stream);
      } else {
        multiply(rows, places, columns, tile);
      }
      launch_select(lists, places, tile, row_terms_.data(), column_terms_.data(), candidates_, task_.metric, exact,
                    stream);
    }
    const RowResults results{keys_.data(), counts_.data(), failed_.data(), failed_count_.data()};
    launch_finish(lists, places, rows, columns, row_terms_.data(), column_terms_.data(), largest_.data(), candidates_,
                  results, exact, stream);
  }

  /// tile = H_rows H_columns^T on the tensor cores. cuBLAS counts by columns, so to it the tile is transposed.
  void multiply(const PreparedRows& rows, const RowPlaces& places, const PreparedRows& columns, const ScoreTile& tile) {
    const std::int64_t width = short_stride(sizes_.dims);
    const float factor = 1.0F / (kHalfScale * kHalfScale);
    const float zero = 0.0F;
    check(cublasGemmEx(blas_.get(), CUBLAS_OP_T, CUBLAS_OP_N, tile.columns, places.count, static_cast<int>(width),
                       &factor, columns.shorts + tile.first_column * width, CUDA_R_16F, static_cast<int>(width),
                       rows.shorts + places.first * width, CUDA_R_16F, static_cast<int>(width), &zero, tile.scores,
                       CUDA_R_32F, static_cast<int>(tile.stride), CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT),
          "multiplying a tile");
  }

  /// Waits for the block before the last, so that the device always has one to do, and tells the caller.
  void count_units(std::int64_t pairs) {
    done_ += pairs;
    events_[1 - turn_].record(session_.stream());
    if (waiting_) events_[turn_].wait();
    waiting_ = true;
    turn_ = 1 - turn_;
    session_.tick(done_, sizes_.rows * sizes_.columns);
  }

  /// Hands the group's results over.
  void download(const PreparedRows& rows, std::int64_t begin, std::int64_t count) {
    const cudaStream_t stream = session_.stream().get();
    const std::int64_t place = begin - task_.row_begin;
    const std::int64_t entries = count * sizes_.places;
    launch_part_keys(keys_.data(), entries, ids_.data(), values_.data(), stream);
    ids_.download(task_.ids + place * sizes_.places, entries);
    values_.download(task_.values + place * sizes_.places, entries);
    counts_.download(task_.counts + place, count);
    if (task_.self_scores != nullptr) {
      const Buffer<float> scores = session_.buffer<float>(count, "scores of rows with themselves");
      launch_self_scores(rows, count, scores.data(), stream);
      scores.download(task_.self_scores + place, count);
    }
    session_.stream().wait();
  }

  /// Counters and the largest terms, with room.
  static constexpr std::int64_t kSmallBytes = 256;

  const seam::PairwiseCall& task_;
  Session session_;
  PairwiseSizes sizes_;
  DevicePlan plan_;
  Blas blas_;
  std::unique_ptr<FeatureSide> queries_;
  std::unique_ptr<FeatureSide> items_;  ///< none where one matrix is on the device as a whole
  Candidates candidates_{};
  Buffer<float> scores_;
  Buffer<RankingKey> entries_;
  Buffer<int> list_counts_;
  Buffer<int> cut_;
  Buffer<RankingKey> bars_;
  Buffer<RowTerms> row_terms_;
  Buffer<ColumnTerms> column_terms_;
  Buffer<RankingKey> keys_;
  Buffer<std::int32_t> ids_;
  Buffer<float> values_;
  Buffer<int> counts_;
  Buffer<std::int32_t> failed_;
  Buffer<int> failed_count_;
  Buffer<LargestTerms> largest_;
  Buffer<std::int64_t> excluded_offsets_;
  Buffer<std::int32_t> excluded_;
  Event events_[2];
  int turn_ = 0;
  bool waiting_ = false;
  std::int64_t done_ = 0;
};

}  // namespace

void pairwise(const seam::Call& call, const seam::PairwiseCall& task) { PairwiseRun(call, task).run(); }

}  // namespace graft::cuda
