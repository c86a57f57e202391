#include "train/audit_space.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <Eigen/QR>

#include <graft/detail/checked.hpp>
#include <graft/detail/parallel.hpp>
#include <graft/ops/binarize.hpp>
#include <graft/ops/knn.hpp>
#include <graft/ops/symmetrize.hpp>

#include "data/random.hpp"
#include "train/audit_sets.hpp"

namespace graft::training {
namespace {

using detail::as_size;
using FloatRow = Eigen::Map<Eigen::RowVectorXf>;
using ConstRow = Eigen::Map<const Eigen::RowVectorXf>;

constexpr std::int64_t kNearest = 10;
constexpr std::int64_t kLeading = 24;
constexpr std::int64_t kFirst = 8;

ConstRow row_of(const Matrix& matrix, std::int64_t row) { return {matrix.view().row(row), matrix.cols()}; }
FloatRow row_of(Matrix& matrix, std::int64_t row) { return {matrix.mutable_view().row(row), matrix.cols()}; }

void scale_to_one(FloatRow row) {
  const float norm = row.norm();
  if (norm > 0.0F) row /= norm;
}

Graph joined(const Graph& graph) { return symmetrize(binarize(graph), Symmetrization::max); }

/// The edges of a row that `keep(rank, weight)` chooses; ranks from 0 by falling weight.
template <class Keep>
Graph part_of(const Graph& graph, const Keep& keep) {
  std::vector<std::int32_t> rows;
  std::vector<std::int32_t> columns;
  for (std::int64_t row = 0; row < graph.items(); ++row) {
    const std::span<const float> weights = graph.row_weights(row);
    for (std::size_t e = 0; e < weights.size(); ++e) {
      const auto rank = std::count_if(weights.begin(), weights.end(), [&](float other) { return other > weights[e]; });
      if (!keep(rank, weights[e])) continue;
      rows.push_back(detail::as_id(row));
      columns.push_back(graph.row_columns(row)[e]);
    }
  }
  return joined(Graph::from_coo(graph.items(), rows, columns, std::vector<float>(rows.size(), 1.0F)));
}

}  // namespace

AuditSpace::AuditSpace(MatrixView<const float> features, const Interactions& train, std::uint64_t seed,
                       SpaceDetail detail, const Context& context)
    : unit_(features.rows(), features.cols()) {
  normalise(features);
  references_.push_back({.summed = &unit_, .compared = &unit_});
  if (detail == SpaceDetail::edges) {
    part_nearest(context);
    return;
  }
  for (std::int64_t item = 0; item < train.items(); ++item) {
    rarity_.push_back(static_cast<float>(1.0 / std::log(2.0 + static_cast<double>(train.degree(item)))));
  }
  smooth_over_users(train, context);
  smooth_over_items(joined(knn_graph(unit_, {.k = kNearest}, context)), context);
  lead(seed, std::min({kLeading, unit_.cols(), unit_.rows()}));
  references_.push_back({.summed = &unit_, .compared = &unit_, .weights = norms_});
  references_.push_back({.summed = &unit_, .compared = &unit_, .weights = rarity_});
  references_.push_back({.summed = &over_users_, .compared = &unit_});
  references_.push_back({.summed = &over_items_, .compared = &unit_});
  references_.push_back({.summed = &leading_, .compared = &leading_});
  references_.push_back({.summed = &first_, .compared = &first_});
}

void AuditSpace::normalise(MatrixView<const float> features) {
  for (std::int64_t item = 0; item < features.rows(); ++item) {
    const ConstRow row(features.row(item), features.cols());
    const double norm = row.cast<double>().norm();  // of floats, so it cannot overflow
    norms_.push_back(static_cast<float>(std::min(norm, double{std::numeric_limits<float>::max()})));
    if (norm > 0.0) row_of(unit_, item) = (row.cast<double>() / norm).cast<float>();
  }
}

void AuditSpace::part_nearest(const Context& context) {
  constexpr std::ptrdiff_t kFew = 5;
  constexpr std::size_t kFifths = 5;
  const Graph graph = knn_graph(unit_, {.k = 2 * kNearest}, context);
  std::vector<float> cosines(graph.weights().begin(), graph.weights().end());
  std::sort(cosines.begin(), cosines.end());
  nearest_parts_.push_back(part_of(graph, [](std::ptrdiff_t rank, float) { return rank < kFew; }));
  nearest_parts_.push_back(part_of(graph, [](std::ptrdiff_t rank, float) { return rank >= kNearest; }));
  float low = -2.0F;
  for (std::size_t fifth = 1; fifth <= kFifths; ++fifth) {
    const std::size_t end = cosines.size() * fifth / kFifths;
    const float high = fifth == kFifths || cosines.empty() ? 2.0F : cosines[end];
    nearest_parts_.push_back(part_of(
        graph, [&](std::ptrdiff_t rank, float cosine) { return rank < kNearest && cosine >= low && cosine < high; }));
    low = high;
  }
}

void AuditSpace::smooth_over_users(const Interactions& train, const Context& context) {
  const auto root = [](std::int64_t degree) {
    return 1.0F / std::sqrt(static_cast<float>(std::max<std::int64_t>(1, degree)));
  };
  Matrix users(train.users(), unit_.cols());
  detail::parallel_rows(context, kAuditOperation, train.users(), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t user = begin; user < end; ++user) {
      FloatRow sum(users.mutable_view().row(user), users.cols());
      for (const std::int32_t item : train.history(user))
        sum += root(train.degree(item)) * row_of(std::as_const(unit_), item);
      sum *= root(static_cast<std::int64_t>(train.history(user).size()));
    }
  });
  over_users_ = Matrix(unit_.rows(), unit_.cols());
  detail::parallel_rows(context, kAuditOperation, unit_.rows(), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t item = begin; item < end; ++item) {
      FloatRow sum(over_users_.mutable_view().row(item), over_users_.cols());
      for (const std::int32_t user : train.audience(item)) {
        sum += root(static_cast<std::int64_t>(train.history(user).size())) * row_of(std::as_const(users), user);
      }
      sum *= root(train.degree(item));
    }
  });
}

void AuditSpace::smooth_over_items(const Graph& nearest, const Context& context) {
  over_items_ = unit_;
  detail::parallel_rows(context, kAuditOperation, unit_.rows(), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t item = begin; item < end; ++item) {
      FloatRow sum(over_items_.mutable_view().row(item), over_items_.cols());
      const std::span<const std::int32_t> near = nearest.row_columns(item);
      for (const std::int32_t other : near) sum += row_of(std::as_const(unit_), other);
      sum /= static_cast<float>(near.size() + 1);
    }
  });
}

/// Randomised subspace iteration (Halko, Martinsson, Tropp, SIAM Review 53(2), 2011, doi:10.1137/090771806) on a sample
/// of the items: the directions need not be exact.
void AuditSpace::lead(std::uint64_t seed, std::int64_t columns) {
  constexpr std::int64_t kSample = 4096;
  constexpr int kIterations = 3;
  const std::int64_t rows = std::min(kSample, unit_.rows());
  Eigen::MatrixXf sample(rows, unit_.cols());
  for (std::int64_t r = 0; r < rows; ++r) sample.row(r) = row_of(std::as_const(unit_), r * unit_.rows() / rows);
  const Eigen::RowVectorXf mean = rows > 0 ? Eigen::RowVectorXf(sample.colwise().mean()) : Eigen::RowVectorXf();
  sample.rowwise() -= mean;
  data::RandomStream random(seed, audit_stream(AuditStream::basis));
  Eigen::MatrixXf basis(unit_.cols(), columns);
  for (std::int64_t c = 0; c < columns; ++c) {
    for (std::int64_t d = 0; d < unit_.cols(); ++d) basis(d, c) = static_cast<float>(random.normal());
  }
  for (int iteration = 0; iteration < kIterations; ++iteration) {
    const Eigen::MatrixXf grown = sample.transpose() * (sample * basis);
    basis =
        Eigen::HouseholderQR<Eigen::MatrixXf>(grown).householderQ() * Eigen::MatrixXf::Identity(unit_.cols(), columns);
  }
  const Eigen::MatrixXf inside = sample * basis;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXf> solver(inside.transpose() * inside);
  basis = basis * solver.eigenvectors().rowwise().reverse();  // the greatest variance first
  leading_ = Matrix(unit_.rows(), columns);
  first_ = Matrix(unit_.rows(), std::min(kFirst, columns));
  for (std::int64_t item = 0; item < unit_.rows(); ++item) {
    const Eigen::RowVectorXf place = (row_of(std::as_const(unit_), item) - mean) * basis;
    row_of(leading_, item) = place;
    row_of(first_, item) = place.head(first_.cols());
    scale_to_one(row_of(leading_, item));
    scale_to_one(row_of(first_, item));
  }
}

}  // namespace graft::training
