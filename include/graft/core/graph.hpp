// The item-item graph: a square, weighted, directed CSR matrix.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include <graft/core/config.hpp>
#include <graft/core/in.hpp>

namespace graft {
namespace detail {

/// Tag of constructors that take the caller's word for the invariants.
struct Trusted {};

}  // namespace detail

/// What to do with unsorted or repeated columns in a user's arrays.
enum class Unsorted {
  refuse,       ///< throw InvalidArgument naming the row
  sort_and_sum  ///< sort each row and sum the weights of repeated columns, in a copy
};

class Graph;

/// Non-owning twin of Graph. Whoever makes one from raw arrays vouches for Graph's invariants, or calls `validate`.
struct GraphView {
  std::int64_t items = 0;                     ///< nodes; the matrix is items x items
  std::span<const std::int64_t> row_offsets;  ///< items + 1 offsets, or none for a graph without nodes
  std::span<const std::int32_t> columns;      ///< ascending within a row
  std::span<const float> weights;             ///< one a column

  [[nodiscard]] std::int64_t edges() const { return static_cast<std::int64_t>(columns.size()); }
  [[nodiscard]] std::int64_t row_size(std::int64_t row) const { return row_end(row) - row_begin(row); }
  [[nodiscard]] std::int64_t row_begin(std::int64_t row) const { return row_offsets[static_cast<std::size_t>(row)]; }
  [[nodiscard]] std::int64_t row_end(std::int64_t row) const { return row_offsets[static_cast<std::size_t>(row) + 1]; }
  [[nodiscard]] std::span<const std::int32_t> row_columns(std::int64_t row) const {
    return columns.subspan(static_cast<std::size_t>(row_begin(row)), static_cast<std::size_t>(row_size(row)));
  }
  [[nodiscard]] std::span<const float> row_weights(std::int64_t row) const {
    return weights.subspan(static_cast<std::size_t>(row_begin(row)), static_cast<std::size_t>(row_size(row)));
  }

  /// Whether the arrays are alike, weights to the bit.
  friend bool operator==(const GraphView& a, const GraphView& b) {
    const auto same_bits = [](float x, float y) {
      return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y);
    };
    return std::equal(a.row_offsets.begin(), a.row_offsets.end(), b.row_offsets.begin(), b.row_offsets.end()) &&
           std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end()) &&
           std::equal(a.weights.begin(), a.weights.end(), b.weights.begin(), b.weights.end(), same_bits);
  }
};

/// Checks every invariant of Graph. @throws InvalidArgument naming the array, the position and the value
/// Cost: one pass over the arrays.
void validate(const GraphView& graph);

/// Owning CSR of a square, weighted, directed graph: row = the receiving item.
///
/// Invariants: `row_offsets` has items + 1 entries, starts at 0 and never falls; columns lie in [0, items) and
/// ascend strictly within a row; weights are finite.
class Graph {
 public:
  /// No nodes, no edges.
  Graph() : row_offsets_(1, 0) {}

  /// `items` nodes and no edge. @throws InvalidArgument if items is negative or above 2^31 - 1
  explicit Graph(std::int64_t items);

  /// Takes validated arrays over.
  /// @param row_offsets [items + 1]   @param columns, weights [edges]
  /// @throws InvalidArgument naming the array, the position and the value
  Graph(std::int64_t items, std::vector<std::int64_t> row_offsets, std::vector<std::int32_t> columns,
        std::vector<float> weights, Unsorted unsorted = Unsorted::refuse);

  /// For operators: takes arrays that keep the invariants over; only assertions look at them.
  Graph(detail::Trusted, std::vector<std::int64_t> row_offsets, std::vector<std::int32_t> columns,
        std::vector<float> weights);

  /// Copies a user's CSR with 32-bit offsets (as SciPy and cuSPARSE hold them). Errors as above.
  static Graph from_csr(std::int64_t items, std::span<const std::int32_t> row_offsets,
                        std::span<const std::int32_t> columns, std::span<const float> weights,
                        Unsorted unsorted = Unsorted::refuse);

  /// Copies a user's CSR with 64-bit offsets. Errors as above.
  static Graph from_csr(std::int64_t items, std::span<const std::int64_t> row_offsets,
                        std::span<const std::int32_t> columns, std::span<const float> weights,
                        Unsorted unsorted = Unsorted::refuse);

  /// From edges (rows[e], columns[e], weights[e]) in any order; weights of repeated edges are summed in their order.
  /// @throws InvalidArgument if the spans differ in length, or naming the array, the position and the value
  static Graph from_coo(std::int64_t items, std::span<const std::int32_t> rows, std::span<const std::int32_t> columns,
                        std::span<const float> weights);
  /// Copies a view. @throws InvalidArgument as above
  static Graph copy_of(const GraphView& view);

  /// `items` self loops of the given weight. @throws InvalidArgument on a bad size or a weight that is not finite
  static Graph identity(std::int64_t items, float weight = 1.0F);

  [[nodiscard]] std::int64_t items() const {
    // a moved-from graph has no offsets: no nodes
    return row_offsets_.empty() ? 0 : static_cast<std::int64_t>(row_offsets_.size()) - 1;
  }
  [[nodiscard]] std::int64_t edges() const { return static_cast<std::int64_t>(columns_.size()); }
  [[nodiscard]] std::span<const std::int64_t> row_offsets() const& { return row_offsets_; }
  [[nodiscard]] std::span<const std::int32_t> columns() const& { return columns_; }
  [[nodiscard]] std::span<const float> weights() const& { return weights_; }
  [[nodiscard]] std::span<const std::int32_t> row_columns(std::int64_t row) const& { return view().row_columns(row); }
  [[nodiscard]] std::span<const float> row_weights(std::int64_t row) const& { return view().row_weights(row); }

  [[nodiscard]] GraphView view() const& { return {items(), row_offsets_, columns_, weights_}; }
  GraphView view() const&& = delete;
  // NOLINTNEXTLINE(google-explicit-constructor): an owner reads as its view
  operator GraphView() const& { return view(); }
  operator GraphView() const&& = delete;  ///< would dangle; operators take temporaries through In<GraphView>

  /// Equal structure and equal weight bits.
  friend bool operator==(const Graph& a, const Graph& b) { return a.view() == b.view(); }

 private:
  std::vector<std::int64_t> row_offsets_;
  std::vector<std::int32_t> columns_;
  std::vector<float> weights_;
};

/// A graph as operators take it: a view, a Graph, or a temporary Graph.
using GraphInput = In<GraphView>;

}  // namespace graft

#ifndef GRAFT_COMPILED
#include <graft/detail/graph_impl.hpp>
#endif
