#include "train/light_convolution.hpp"

#include <vector>

namespace graft::training {

Representations light_convolution(const autodiff::Sparse& block, const Representations& ego, std::int64_t layers) {
  std::vector<autodiff::Var> users{ego.users};
  std::vector<autodiff::Var> items{ego.items};
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    const autodiff::Var next_users = spmm(block, items.back());
    const autodiff::Var next_items = spmm_transposed(block, users.back());
    users.push_back(next_users);
    items.push_back(next_items);
  }
  return {average(users), average(items)};
}

}  // namespace graft::training
