// K-way merge of the same row of several graphs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <graft/core/graph.hpp>
#include <graft/detail/checked.hpp>

namespace graft::detail {

/// Walks the union of one row of several graphs in ascending columns. Holds a cursor a graph: make one a task.
class RowMerge {
 public:
  explicit RowMerge(std::span<const GraphView> graphs) : graphs_(graphs) { cursors_.reserve(graphs.size()); }

  /// Calls visit_column(column), then visit_term(graph, weight) for every graph that stores the edge, in their order.
  template <class VisitColumn, class VisitTerm>
  void walk(std::int64_t row, const VisitColumn& visit_column, const VisitTerm& visit_term) {
    start(row);
    for (;;) {
      std::int64_t column = kEnd;
      for (const Cursor& cursor : cursors_) column = std::min(column, cursor.head);
      if (column == kEnd) return;
      visit_column(static_cast<std::int32_t>(column));
      for (Cursor& cursor : cursors_) {
        if (cursor.head != column) continue;
        visit_term(cursor.graph, *cursor.weight);
        ++cursor.column;
        ++cursor.weight;
        cursor.head = cursor.column == cursor.end ? kEnd : *cursor.column;
      }
    }
  }

  /// Distinct columns of the row.
  [[nodiscard]] std::int64_t count(std::int64_t row) {
    std::int64_t columns = 0;
    walk(row, [&](std::int32_t) { ++columns; }, [](std::size_t, float) {});
    return columns;
  }

 private:
  static constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();

  struct Cursor {
    std::int64_t head;  ///< *column, or kEnd
    const std::int32_t* column;
    const std::int32_t* end;
    const float* weight;
    std::size_t graph;
  };

  void start(std::int64_t row) {
    cursors_.clear();
    for (std::size_t g = 0; g < graphs_.size(); ++g) {
      const std::span<const std::int32_t> columns = graphs_[g].row_columns(row);
      if (columns.empty()) continue;
      cursors_.push_back(
          {columns.front(), columns.data(), columns.data() + columns.size(), graphs_[g].row_weights(row).data(), g});
    }
  }

  std::span<const GraphView> graphs_;
  std::vector<Cursor> cursors_;
};

}  // namespace graft::detail
