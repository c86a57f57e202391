// Body of ops/symmetrize.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <graft/detail/csr_build.hpp>
#include <graft/detail/graph_steps_on_device.hpp>
#include <graft/detail/symmetric_weight.hpp>
#include <graft/ops/symmetrize.hpp>

namespace graft {
namespace detail {

/// A^T by counting sort: rows come out with ascending columns.
class TransposedGraph {
 public:
  TransposedGraph(const char* operation, const GraphView& graph, Ticker& ticker)
      : items_(graph.items),
        offsets_(make_vector<std::int64_t>(operation, graph.items + 1)),
        columns_(make_vector<std::int32_t>(operation, graph.edges())),
        weights_(make_vector<float>(operation, graph.edges())) {
    constexpr std::int64_t kEdgesPerCheck = std::int64_t{1} << 20;  // far less than 100 ms of work
    for (std::int64_t e = 0; e < graph.edges(); ++e) {
      if (e % kEdgesPerCheck == 0) ticker.check();
      ++offsets_[as_size(graph.columns[as_size(e)]) + 1];
    }
    sizes_to_offsets(offsets_);
    std::vector<std::int64_t> next = make_vector<std::int64_t>(operation, items_);
    std::copy_n(offsets_.begin(), items_, next.begin());
    for (std::int64_t row = 0; row < items_; ++row) {
      for (std::int64_t e = graph.row_begin(row); e < graph.row_end(row); ++e) {
        const std::int64_t place = next[as_size(graph.columns[as_size(e)])]++;
        columns_[as_size(place)] = as_id(row);
        weights_[as_size(place)] = graph.weights[as_size(e)];
      }
      if ((row + 1) % kRowsPerTask == 0 || row + 1 == items_) ticker.advance();
    }
  }

  [[nodiscard]] GraphView view() const { return {items_, offsets_, columns_, weights_}; }

 private:
  std::int64_t items_;
  std::vector<std::int64_t> offsets_;
  std::vector<std::int32_t> columns_;
  std::vector<float> weights_;
};

/// Calls only_one(column, weight) or both(column, weight, other weight) for every pair of a row and a column that is
/// joined in either direction, in ascending columns.
template <class OnlyOne, class Both>
void walk_pairs(const GraphView& graph, const GraphView& transposed, std::int64_t row, const OnlyOne& only_one,
                const Both& both) {
  std::int64_t out = graph.row_begin(row);
  std::int64_t in = transposed.row_begin(row);
  const std::int64_t out_end = graph.row_end(row);
  const std::int64_t in_end = transposed.row_end(row);
  while (out < out_end || in < in_end) {
    const std::int64_t out_column = out < out_end ? graph.columns[as_size(out)] : graph.items;
    const std::int64_t in_column = in < in_end ? transposed.columns[as_size(in)] : graph.items;
    if (out_column == in_column) {
      both(as_id(out_column), graph.weights[as_size(out++)], transposed.weights[as_size(in++)]);
    } else if (out_column < in_column) {
      only_one(as_id(out_column), graph.weights[as_size(out++)]);
    } else {
      only_one(as_id(in_column), transposed.weights[as_size(in++)]);
    }
  }
}

inline cuda::GraphCall symmetrize_step(Symmetrization how) {
  switch (how) {
    case Symmetrization::max:
      return {.step = cuda::GraphStep::symmetrize_max};
    case Symmetrization::min:
      return {.step = cuda::GraphStep::symmetrize_min};
    case Symmetrization::mean:
      break;
  }
  return {.step = cuda::GraphStep::symmetrize_mean};
}

}  // namespace detail

GRAFT_INLINE Graph symmetrize(GraphInput graph, Symmetrization how, const Context& context) {
  if (detail::names_device(context)) {
    return detail::run_host_step("symmetrize", graph, detail::symmetrize_step(how), "", context);
  }
  const std::int64_t blocks = detail::block_count(graph.items);
  detail::Ticker ticker(context, "symmetrize", 3 * blocks);
  const detail::TransposedGraph transposed("symmetrize", graph, ticker);
  const GraphView other = transposed.view();
  const bool either = how != Symmetrization::min;
  const auto make_count = [&] {
    return [&](std::int64_t row) {
      std::int64_t pairs = 0;
      detail::walk_pairs(
          graph, other, row, [&](std::int32_t, float) { pairs += either ? 1 : 0; },
          [&](std::int32_t, float, float) { ++pairs; });
      return pairs;
    };
  };
  const auto make_fill = [&] {
    return [&](std::int64_t row, std::int32_t* columns, float* weights) {
      detail::walk_pairs(
          graph, other, row,
          [&](std::int32_t column, float weight) {
            if (!either) return;
            *columns++ = column;
            *weights++ = detail::combine_one(weight, how);
          },
          [&](std::int32_t column, float weight, float other_weight) {
            *columns++ = column;
            *weights++ = detail::combine(weight, other_weight, how);
          });
    };
  };
  return detail::build_graph(detail::worker_count(context), ticker, "symmetrize", graph.items, make_count, make_fill,
                             [] {});
}

}  // namespace graft
