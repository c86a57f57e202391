#include "train/train_profiles.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>

#include <graft/detail/checked.hpp>

#include "data/random.hpp"

namespace graft::training {
namespace {

using autodiff::Backend;
using autodiff::Csr;
using autodiff::Tape;
using autodiff::Tensor;
using autodiff::Var;
using detail::as_size;

Tensor uploaded(Backend& backend, const Matrix& matrix) {
  Tensor tensor = backend.allocate(matrix.rows(), matrix.cols());
  backend.upload(tensor, matrix.view());
  return tensor;
}

/// R: weight 1 for each training pair.
Csr pairs_of(const Interactions& train) {
  Csr csr;
  csr.rows = train.users();
  csr.cols = train.items();
  csr.row_offsets.assign(train.user_offsets().begin(), train.user_offsets().end());
  csr.columns.assign(train.user_items().begin(), train.user_items().end());
  csr.weights.assign(csr.columns.size(), 1.0F);
  return csr;
}

void scale_row(const float* from, std::int64_t count, float* to) {
  double squares = 0.0;
  for (std::int64_t c = 0; c < count; ++c) squares += static_cast<double>(from[c]) * static_cast<double>(from[c]);
  const double scale = squares > 0.0 ? 1.0 / std::sqrt(squares) : 0.0;
  for (std::int64_t c = 0; c < count; ++c) to[c] = static_cast<float>(scale * static_cast<double>(from[c]));
}

}  // namespace

TrainProfiles::TrainProfiles(const Interactions& train, MatrixView<const float> features, UserProfile profile,
                             ProfileTraining training, Backend& backend)
    : train_(train), profile_(profile), training_(training), items_(uploaded(backend, normalized_rows(features))) {
  Tape tape(backend);
  sums_ = tape.evaluate(spmm(backend.sparse(pairs_of(train)), tape.constant(items_)));
}

Var TrainProfiles::whole(Tape& tape) const { return scaled(tape.constant(sums_)); }

Var TrainProfiles::of_batch(Tape& tape, const Batch& batch) const {
  if (training_ == ProfileTraining::whole) return rows(whole(tape), batch.users);
  const Var items = tape.constant(items_);
  if (training_ == ProfileTraining::half) {
    return scaled(spmm(tape.backend().sparse(halves(tape.next_random(), batch)), items));
  }
  const std::span<const std::int32_t> positives = batch.items->ids().first(as_size(batch.size));
  const auto list = autodiff::IndexList::make({positives.begin(), positives.end()}, train_.items());
  return scaled(rows(tape.constant(sums_), batch.users) - rows(items, list));
}

Var TrainProfiles::scaled(Var sums) const { return profile_ == UserProfile::mean ? normalize_rows(sums) : sums; }

Csr TrainProfiles::halves(autodiff::RandomKey key, const Batch& batch) const {
  data::RandomStream random(key.seed, key.stream);
  Csr csr;
  csr.rows = batch.size;
  csr.cols = train_.items();
  std::vector<std::int32_t> others;
  for (std::size_t b = 0; b < as_size(batch.size); ++b) {
    const std::span<const std::int32_t> history = train_.history(batch.users->ids()[b]);
    others.assign(history.begin(), history.end());
    std::erase(others, batch.items->ids()[b]);
    random.shuffle(std::span(others));
    others.resize(std::min(others.size(), history.size() / 2));
    std::sort(others.begin(), others.end());
    csr.columns.insert(csr.columns.end(), others.begin(), others.end());
    csr.weights.resize(csr.columns.size(),
                       static_cast<float>(static_cast<double>(history.size()) /
                                          static_cast<double>(std::max<std::size_t>(1, others.size()))));
    csr.row_offsets.push_back(static_cast<std::int64_t>(csr.columns.size()));
  }
  return csr;
}

Matrix normalized_rows(MatrixView<const float> x) {
  Matrix result(x.rows(), x.cols());
  const MatrixView<float> to = result.mutable_view();
  for (std::int64_t r = 0; r < x.rows(); ++r) scale_row(x.row(r), x.cols(), to.row(r));
  return result;
}

Matrix random_directions(std::int64_t rows, std::int64_t dims, std::uint64_t seed) {
  constexpr std::uint64_t kStream = 0xF0'0000'0000'0000;  // apart from the trainer's and the parameters'
  Matrix result(rows, dims);
  const MatrixView<float> to = result.mutable_view();
  for (std::int64_t r = 0; r < rows; ++r) {
    data::RandomStream random(seed, kStream | static_cast<std::uint64_t>(r));
    for (std::int64_t c = 0; c < dims; ++c) to.row(r)[c] = static_cast<float>(random.normal());
    scale_row(to.row(r), dims, to.row(r));
  }
  return result;
}

}  // namespace graft::training
