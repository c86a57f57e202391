#include "train/self_loop_convolution.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "train/user_item_graph.hpp"

namespace graft::training {
namespace {

/// 1 / (degree + 1) from where each node's neighbours begin and end.
autodiff::Tensor factors(autodiff::Backend& backend, std::span<const std::int64_t> offsets) {
  std::vector<double> values(offsets.size() - 1);
  for (std::size_t node = 0; node < values.size(); ++node) {
    values[node] = 1.0 / static_cast<double>(offsets[node + 1] - offsets[node] + 1);
  }
  autodiff::Tensor tensor = backend.allocate(static_cast<std::int64_t>(values.size()), 1);
  backend.upload(tensor, values);
  return tensor;
}

autodiff::Csr binary_block(const Interactions& train) {
  autodiff::Csr block = normalized_block(train);
  std::fill(block.weights.begin(), block.weights.end(), 1.0F);
  return block;
}

}  // namespace

SelfLoopConvolution::SelfLoopConvolution(autodiff::Backend& backend, const Interactions& train)
    : edges_(backend.sparse(binary_block(train))),
      user_factors_(factors(backend, train.user_offsets())),
      item_factors_(factors(backend, train.item_offsets())) {}

Representations SelfLoopConvolution::convolve(const Representations& ego, std::int64_t layers) const {
  autodiff::Tape& tape = ego.users.tape();
  const autodiff::Var user_factors = tape.constant(user_factors_);
  const autodiff::Var item_factors = tape.constant(item_factors_);
  std::vector<autodiff::Var> users{ego.users};
  std::vector<autodiff::Var> items{ego.items};
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    const autodiff::Var next_users = (users.back() + spmm(edges_, items.back())) * user_factors;
    const autodiff::Var next_items = (items.back() + spmm_transposed(edges_, users.back())) * item_factors;
    users.push_back(next_users);
    items.push_back(next_items);
  }
  return {average(users), average(items)};
}

}  // namespace graft::training
