// Eigen matrices in and out, without a copy where the layout allows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include <Eigen/Core>
#include <Eigen/SparseCore>

#include <graft/core/error.hpp>
#include <graft/core/graph.hpp>
#include <graft/core/matrix_view.hpp>

namespace graft::interop {

/// Views a row-major float32 Eigen matrix, map or block of rows. Copies nothing: the Eigen object must outlive the
/// view. A column-major matrix does not compile: assign it to a row-major one first.
template <class Derived>
MatrixView<const float> features_view(const Eigen::MatrixBase<Derived>& matrix) {
  static_assert(std::is_same_v<typename Derived::Scalar, float>, "graft features are float32");
  static_assert(Derived::IsRowMajor || Derived::IsVectorAtCompileTime, "graft features are row-major");
  static_assert((Eigen::internal::traits<Derived>::Flags & Eigen::DirectAccessBit) != 0,
                "an expression has no storage to view: evaluate it first");
  return {matrix.derived().data(), matrix.rows(), matrix.cols(), matrix.derived().outerStride()};
}

/// Views a matrix as Eigen's row-major map; writes through it write the matrix.
inline auto eigen_map(const MatrixView<const float>& view) {
  using Dense = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const Dense, 0, Eigen::OuterStride<>>(view.data(), view.rows(), view.cols(),
                                                          Eigen::OuterStride<>(view.stride()));
}

/// A graph as an Eigen sparse matrix: columns and weights are shared with the graph, which must outlive this; the row
/// offsets (items + 1 numbers) are narrowed to Eigen's 32 bits.
class EigenGraph {
 public:
  using Map = Eigen::Map<const Eigen::SparseMatrix<float, Eigen::RowMajor, std::int32_t>>;

  /// @throws InvalidArgument if the graph has more edges than 32-bit offsets can count
  explicit EigenGraph(const GraphView& graph) : graph_(graph) {
    if (graph.edges() > std::numeric_limits<std::int32_t>::max()) {
      throw InvalidArgument(detail::message("EigenGraph", "edges", std::to_string(graph.edges()),
                                            "must be at most 2147483647: Eigen holds 32-bit offsets"));
    }
    row_offsets_.assign(graph.row_offsets.begin(), graph.row_offsets.end());
    if (row_offsets_.empty()) row_offsets_.push_back(0);
  }
  explicit EigenGraph(Graph&&) = delete;  ///< would dangle

  /// The matrix, [items, items]; valid as long as this object and the graph.
  [[nodiscard]] Map matrix() const {
    return {graph_.items,        graph_.items,          graph_.edges(),
            row_offsets_.data(), graph_.columns.data(), graph_.weights.data()};
  }

 private:
  GraphView graph_;
  std::vector<std::int32_t> row_offsets_;
};

}  // namespace graft::interop
