// Construction of graphs row by row, in parallel.
#pragma once

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <graft/core/context.hpp>
#include <graft/core/graph.hpp>
#include <graft/detail/checked.hpp>
#include <graft/detail/parallel.hpp>

namespace graft::detail {

/// Smallest row that any task reported: makes the row that an error names independent of timing.
class FirstRow {
 public:
  void report(std::int64_t row) {
    std::int64_t seen = row_.load(std::memory_order_relaxed);
    while (row < seen && !row_.compare_exchange_weak(seen, row, std::memory_order_relaxed)) {
    }
  }
  [[nodiscard]] bool found() const { return row() != kNone; }
  [[nodiscard]] std::int64_t row() const { return row_.load(std::memory_order_relaxed); }

 private:
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();
  std::atomic<std::int64_t> row_{kNone};
};

/// Blocks of `block` rows in `rows` rows.
constexpr std::int64_t block_count(std::int64_t rows, std::int64_t block = kRowsPerTask) {
  return rows / block + (rows % block != 0 ? 1 : 0);
}

/// Runs body(begin, end) over [0, rows) in blocks of `block` rows, in parallel; every block is a unit of the ticker,
/// which several such passes may share.
template <class Body>
void parallel_blocks(int workers, Ticker& ticker, std::int64_t rows, std::int64_t block, const Body& body) {
  parallel_tasks(workers, block_count(rows, block), ticker,
                 [&](std::int64_t task, int /*worker*/) { body(task * block, std::min(rows, (task + 1) * block)); });
}

/// Turns row sizes, stored at [row + 1], into offsets.
inline void sizes_to_offsets(std::vector<std::int64_t>& offsets) {
  for (std::size_t r = 1; r < offsets.size(); ++r) offsets[r] += offsets[r - 1];
}

/// Builds a graph of `items` rows in two passes: sizes, then edges straight into their final place. Takes
/// 2 * block_count(items) units of the ticker.
/// @param make_count  called once a task; gives a callable (row) -> edges of the row, which may hold buffers
/// @param make_fill   called once a task; gives a callable (row, columns, weights) that writes as many edges as were
///                    counted, columns ascending
/// @param check       called at the end of either pass; throws what the tasks found wrong
template <class MakeCount, class MakeFill, class Check>
Graph build_graph(int workers, Ticker& ticker, const char* operation, std::int64_t items, const MakeCount& make_count,
                  const MakeFill& make_fill, const Check& check) {
  std::vector<std::int64_t> offsets = make_vector<std::int64_t>(operation, items + 1);
  parallel_blocks(workers, ticker, items, kRowsPerTask, [&](std::int64_t begin, std::int64_t end) {
    auto count = make_count();
    for (std::int64_t row = begin; row < end; ++row) offsets[as_size(row + 1)] = count(row);
  });
  check();
  sizes_to_offsets(offsets);
  std::vector<std::int32_t> columns = make_vector<std::int32_t>(operation, offsets.back());
  std::vector<float> weights = make_vector<float>(operation, offsets.back());
  parallel_blocks(workers, ticker, items, kRowsPerTask, [&](std::int64_t begin, std::int64_t end) {
    auto fill = make_fill();
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t first = offsets[as_size(row)];
      fill(row, columns.data() + first, weights.data() + first);
    }
  });
  check();
  return Graph(Trusted{}, std::move(offsets), std::move(columns), std::move(weights));
}

/// The same as the whole of an operator; `check` may be left out.
template <class MakeCount, class MakeFill, class Check>
Graph build_graph(const Context& context, const char* operation, std::int64_t items, const MakeCount& make_count,
                  const MakeFill& make_fill, const Check& check) {
  Ticker ticker(context, operation, 2 * block_count(items));
  return build_graph(worker_count(context), ticker, operation, items, make_count, make_fill, check);
}
template <class MakeCount, class MakeFill>
Graph build_graph(const Context& context, const char* operation, std::int64_t items, const MakeCount& make_count,
                  const MakeFill& make_fill) {
  return build_graph(context, operation, items, make_count, make_fill, [] {});
}

/// Closes the gaps between row buffers, in place, and gives the row offsets [rows + 1].
/// @param first_row  row that the first buffer belongs to; rows without a buffer are empty
/// @param counts     entries in each buffer, [buffers]
/// @param start_of   buffer -> place of its first entry; ascending, and no buffer reaches into the next
/// @param ids, values  the buffers, one after the other; cut to the entries
template <class StartOf>
std::vector<std::int64_t> close_gaps(const char* operation, std::int64_t rows, std::int64_t first_row,
                                     std::span<const std::int32_t> counts, const StartOf& start_of,
                                     std::vector<std::int32_t>& ids, std::vector<float>& values) {
  const auto buffers = static_cast<std::int64_t>(counts.size());
  assert(first_row >= 0 && first_row + buffers <= rows);
  std::vector<std::int64_t> offsets = make_vector<std::int64_t>(operation, rows + 1);
  std::int64_t written = 0;
  for (std::int64_t b = 0; b < buffers; ++b) {
    const std::int64_t from = start_of(b);
    const std::int64_t count = counts[as_size(b)];
    if (from != written) {
      // towards the front, so that overlapping rows are copied right
      std::copy_n(ids.data() + from, count, ids.data() + written);
      std::copy_n(values.data() + from, count, values.data() + written);
    }
    written += count;
    offsets[as_size(first_row + b + 1)] = written;
  }
  for (std::int64_t row = first_row + buffers; row < rows; ++row) offsets[as_size(row + 1)] = written;
  ids.resize(as_size(written));
  values.resize(as_size(written));
  if (ids.capacity() / 2 > ids.size()) {  // else the copy costs more memory than it frees
    ids.shrink_to_fit();
    values.shrink_to_fit();
  }
  return offsets;
}

/// A graph of row buffers whose columns ascend; the arrays are taken over. Parameters as `close_gaps`.
template <class StartOf>
Graph compact_rows(const char* operation, std::int64_t items, std::int64_t first_row,
                   std::span<const std::int32_t> counts, const StartOf& start_of, std::vector<std::int32_t> columns,
                   std::vector<float> weights) {
  std::vector<std::int64_t> offsets = close_gaps(operation, items, first_row, counts, start_of, columns, weights);
  return Graph(Trusted{}, std::move(offsets), std::move(columns), std::move(weights));
}

}  // namespace graft::detail
