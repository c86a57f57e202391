#include "autodiff/node.hpp"

#include "autodiff/recorder.hpp"

namespace graft::autodiff {

// Operation
// ------------------------------------------------------------------------------------------------------------

void Operation::reads(const Node& self, std::vector<Node*>& nodes) const {
  nodes.insert(nodes.end(), self.inputs.begin(), self.inputs.end());
}

void Operation::keeps(Node& /*self*/, std::vector<Node*>& /*nodes*/) const {}

std::optional<std::vector<Selection>> Operation::rows_from(Recorder& /*recorder*/, const Node& /*self*/,
                                                           const Indices& /*list*/) const {
  return std::nullopt;
}

Node& Operation::on_rows(Recorder& recorder, const Node& self, const Indices& list,
                         std::span<Node* const> selected) const {
  return recorder.record(self.operation, {selected.begin(), selected.end()}, list->size(), self.cols);
}

// Leaves
// ---------------------------------------------------------------------------------------------------------------

Node* gathered_leaf(const Node& x) {
  const bool gathers = x.operation && x.operation->gathered() != nullptr && x.input(0).leaf();
  return gathers ? x.inputs[0] : nullptr;
}

const Tensor& leaf_rows(Node& leaf, std::optional<std::span<const std::int32_t>> rows) {
  if (leaf.parameter == nullptr) return leaf.value;
  if (leaf.parameter->pending != nullptr) leaf.parameter->pending->bring_up_to_date(rows);
  return leaf.parameter->value;
}

// Execution
// ------------------------------------------------------------------------------------------------------------

Tensor Execution::in_place_of(const Tensor& x) const { return x.shared() ? allocate(x.rows(), x.cols()) : x; }

Tensor Execution::unshared(Tensor x) const {
  if (!x.shared()) return x;
  Tensor copy = allocate(x.rows(), x.cols());
  backend_.copy_block(x, {}, copy, {}, x.rows(), x.cols(), false);
  return copy;
}

Tensor& Execution::own(Tensor& gradient) const { return gradient = unshared(std::move(gradient)); }

Execution::Target Execution::target(Node& x) const {
  const bool accumulate = static_cast<bool>(x.gradient);
  if (!accumulate) x.gradient = allocate(x.rows, x.cols);
  return {own(x.gradient), accumulate};
}

void Execution::add(Node& x, const Tensor& contribution) const { add_scaled(x, 1.0, contribution); }

void Execution::add_scaled(Node& x, double factor, const Tensor& contribution) const {
  if (x.gradient) return backend_.add_scaled(factor, contribution, own(x.gradient));
  if (factor == 1.0) {
    x.gradient = contribution;
    return;
  }
  x.gradient = allocate(x.rows, x.cols);
  backend_.map(Unary::scale, factor, contribution, x.gradient);
}

void Execution::add_repeated(Node& x, double factor, const Tensor& contribution) const {
  if (x.rows == contribution.rows() && x.cols == contribution.cols()) return add_scaled(x, factor, contribution);
  if (factor == 1.0) {
    const Target to = target(x);
    return backend_.sum_to(contribution, to.tensor, to.accumulate);
  }
  const Tensor sums = allocate(x.rows, x.cols);
  backend_.sum_to(contribution, sums, false);
  add_scaled(x, factor, sums);
}

void Execution::add_rows(Node& x, const Indices& rows, const Tensor& contribution) const {
  for (Node::RowGradient& known : x.row_gradients) {
    if (known.rows == rows) return backend_.add_scaled(1.0, contribution, own(known.values));
  }
  x.row_gradients.push_back({rows, contribution});
}

}  // namespace graft::autodiff
