#include <graft/interop/eigen.hpp>

#include <vector>

#include <doctest/doctest.h>

#include <graft/ops/knn.hpp>
#include <graft/ops/propagate.hpp>

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

TEST_CASE("features_view: an Eigen matrix and a block of its columns are viewed in place") {
  RowMajor matrix(3, 4);
  matrix << 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12;
  const graft::MatrixView<const float> whole = graft::interop::features_view(matrix);
  CHECK(whole.data() == matrix.data());
  CHECK(whole(2, 1) == 10.0F);
  const auto block = matrix.middleCols(1, 2);
  const graft::MatrixView<const float> part = graft::interop::features_view(block);
  CHECK(part.cols() == 2);
  CHECK(part.stride() == 4);
  CHECK(part(1, 1) == 7.0F);
}

TEST_CASE("EigenGraph: a product with Eigen equals propagate") {
  RowMajor features = RowMajor::Random(50, 6);
  const graft::Graph graph = graft::knn_graph(graft::interop::features_view(features), {.k = 4});
  const graft::interop::EigenGraph sparse(graph);
  CHECK(sparse.matrix().valuePtr() == graph.weights().data());
  const RowMajor expected = features + sparse.matrix() * features;
  const graft::Matrix actual =
      graft::propagate(graph, graft::interop::features_view(features), 1, graft::Aggregation::sum);
  CHECK((graft::interop::eigen_map(actual) - expected).cwiseAbs().maxCoeff() < 1e-5F);
}

TEST_CASE("EigenGraph: a graph without nodes is an empty matrix") {
  const graft::interop::EigenGraph sparse{graft::GraphView{}};
  CHECK(sparse.matrix().rows() == 0);
  CHECK(sparse.matrix().nonZeros() == 0);
}
