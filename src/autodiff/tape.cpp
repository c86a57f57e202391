#include "autodiff/tape.hpp"

#include <string>
#include <utility>

#include <graft/core/error.hpp>
#include <graft/detail/checked.hpp>

#include "autodiff/gather.hpp"
#include "autodiff/recorder.hpp"

namespace graft::autodiff {
namespace {

using Nodes = std::span<const std::unique_ptr<Node>>;

/// Computes what is asked for, in the order of recording, and lets go of values that nobody will read again.
class Computation {
 public:
  Computation(Backend& backend, Nodes nodes) : run_(backend), nodes_(nodes) {}

  void evaluate(Node& target) {
    begin(target);
    target.demanded = true;
    for (std::size_t n = target.number + 1; n-- > 0;) demand_inputs(*nodes_[n]);
    // Whoever was recorded and never computed may be asked for later.
    count_readers([](const Node& node) { return (node.demanded && !node.value) || !node.computed; });
    target.pinned = true;
    forward(target.number);
  }

  void backward(Node& loss) {
    begin(loss);
    loss.demanded = true;
    loss.on_path = loss.wants_gradient;
    for (std::size_t n = loss.number + 1; n-- > 0;) {
      Node& node = *nodes_[n];
      if (node.on_path && !node.leaf()) {
        for (Node* input : node.inputs) input->on_path = input->wants_gradient;
        for (Node* kept : kept_by(node)) {
          kept->demanded = true;
          ++kept->keepers;
        }
      }
      demand_inputs(node);
    }
    for (const auto& node : nodes_) {
      if (node->value && !node->demanded && !node->pinned) release(*node);
    }
    count_readers([](const Node& node) { return node.demanded && !node.value; });
    forward(loss.number);
    if (!loss.on_path) return;
    loss.gradient = run_.allocate(1, 1);
    run_.backend().fill(loss.gradient, 1.0);
    for (std::size_t n = loss.number + 1; n-- > 0;) step_back(*nodes_[n]);
  }

 private:
  void begin(Node& target) {
    for (const auto& node : nodes_) {
      node->reached = false;
      node->demanded = false;
      node->on_path = false;
      node->readers = 0;
      node->keepers = 0;
    }
    reach(target);
  }

  /// Where a whole matrix is needed anyway, its rows are taken from it and not computed a second time.
  void reach(Node& target) {
    target.reached = true;
    for (std::size_t n = target.number + 1; n-- > 0;) {
      if (!nodes_[n]->reached) continue;
      for (Node* input : nodes_[n]->inputs) input->reached = true;
    }
    for (std::size_t n = 0; n <= target.number; ++n) {
      Node& node = *nodes_[n];
      Node* whole = node.stands_for.node;
      if (!node.reached || node.value || whole == nullptr || !whole->reached) continue;
      node.operation = gather_operation(node.stands_for.list);
      node.inputs = {whole};
      node.stands_for = {};
    }
  }

  // Both lists are good until the next call.
  std::span<Node* const> read_by(const Node& node) {
    list_.clear();
    if (!node.leaf()) node.operation->reads(node, list_);
    return list_;
  }
  std::span<Node* const> kept_by(Node& node) {
    list_.clear();
    node.operation->keeps(node, list_);
    return list_;
  }

  void demand_inputs(const Node& node) {
    if (!node.demanded || node.value) return;
    for (Node* read : read_by(node)) read->demanded = true;
  }

  template <class Counts>
  void count_readers(const Counts& counts) {
    for (const auto& node : nodes_) {
      if (!counts(*node)) continue;
      for (Node* read : read_by(*node)) ++read->readers;
    }
  }

  void forward(std::size_t last) {
    for (std::size_t n = 0; n <= last; ++n) {
      Node& node = *nodes_[n];
      if (!node.demanded || node.value) continue;
      if (node.leaf()) {
        node.value = leaf_rows(node, std::nullopt);
        continue;
      }
      node.operation->forward(run_, node, output(node));
      node.computed = true;
      for (Node* read : read_by(node)) {
        --read->readers;
        release_if_unused(*read);
      }
    }
  }

  /// Storage of a node's value: that of its first input where nobody else will read it.
  const Tensor& output(Node& node) {
    if (node.operation->in_place() && !stays(node)) {
      const Node& first = node.input(0);
      const bool last_reader = first.readers == 1 && first.keepers == 0 && !first.pinned && !first.leaf();
      if (last_reader && first.rows == node.rows && first.cols == node.cols && !first.value.shared()) {
        return node.value = first.value;
      }
    }
    return node.value = run_.allocate(node.rows, node.cols);
  }

  void step_back(Node& node) {
    if (!node.on_path || node.leaf()) return;
    if (node.gradient) {
      const Tensor dy = std::move(node.gradient);
      node.gradient = {};
      node.operation->backward(run_, node, dy);
    }
    for (Node* kept : kept_by(node)) {
      --kept->keepers;
      release_if_unused(*kept);
    }
  }

  static void release_if_unused(Node& node) {
    if (node.readers == 0 && node.keepers == 0 && !node.pinned) release(node);
  }

  static void release(Node& node) {
    if (!stays(node)) node.value = {};
  }

  /// A single number costs nothing, and parts of a loss are asked for after backward().
  static bool stays(const Node& node) { return node.rows == 1 && node.cols == 1; }

  Execution run_;
  Nodes nodes_;
  std::vector<Node*> list_;
};

/// Makes one gradient of what a parameter's readers left, and takes it off the node.
Gradient collect(const Execution& run, Node& leaf) {
  std::vector<Node::RowGradient> parts = std::exchange(leaf.row_gradients, {});
  if (parts.size() == 1 && !leaf.gradient) return {run.unshared(std::move(parts[0].values)), parts[0].rows};
  if (!parts.empty()) {
    const Execution::Target whole = run.target(leaf);
    if (!whole.accumulate) run.backend().fill(whole.tensor, 0.0);
    for (const Node::RowGradient& part : parts) {
      run.backend().add_rows(part.values, part.rows->ids(), whole.tensor);
    }
  }
  if (!leaf.gradient) return {};
  return {run.unshared(std::exchange(leaf.gradient, {})), nullptr};
}

}  // namespace

std::int64_t Var::rows() const { return node_->rows; }
std::int64_t Var::cols() const { return node_->cols; }

Tape::Tape(Backend& backend, RandomKey random)
    : backend_(backend), random_(random), memory_(std::make_unique<TapeMemory>()) {}

Tape::~Tape() = default;

Var Tape::parameter(Parameter& parameter) {
  Recorder recorder("parameter", *this);
  if (!parameter.value) recorder.refuse(parameter.name.c_str(), "no matrix", "must have a value");
  const auto [place, is_new] = memory_->leaves.try_emplace(&parameter, nullptr);
  if (is_new) {
    Node& leaf = recorder.leaf(parameter.value.rows(), parameter.value.cols());
    leaf.parameter = &parameter;
    leaf.wants_gradient = true;
    place->second = &leaf;
  }
  return recorder.var(*place->second);
}

Var Tape::constant(Tensor value) {
  Recorder recorder("constant", *this);
  if (!value) recorder.refuse("value", "no matrix", "must be one");
  Node& leaf = recorder.leaf(value.rows(), value.cols());
  leaf.value = std::move(value);
  leaf.pinned = true;
  return recorder.var(leaf);
}

Var Tape::constant(MatrixView<const float> value) {
  const Tensor tensor = backend_.allocate(value.rows(), value.cols());
  backend_.upload(tensor, value);
  return constant(tensor);
}

Tensor Tape::evaluate(Var x) {
  Node& node = Recorder("evaluate", *this).node("x", x);
  if (!node.value) Computation(backend_, nodes_).evaluate(node);
  node.pinned = true;
  return node.value;
}

double Tape::scalar(Var x) {
  const Recorder recorder("scalar", *this);
  const Node& node = recorder.node("x", x);
  if (node.rows != 1 || node.cols != 1) recorder.refuse("x", node, "must be 1 x 1");
  return backend_.download(evaluate(x))[0];
}

RandomKey Tape::next_random() { return Recorder("random", *this).next_random(); }

double Tape::backward(Var loss) {
  const Recorder recorder("backward", *this);
  Node& node = recorder.node("loss", loss);
  if (node.rows != 1 || node.cols != 1) recorder.refuse("loss", node, "must be 1 x 1");
  if (memory_->backward_done)
    recorder.refuse("tape", "used", "backward runs once a tape: record the next step on another");
  memory_->backward_done = true;
  for (const auto& [parameter, leaf] : memory_->leaves) leaf->parameter->gradient = {};
  Computation(backend_, nodes_).backward(node);
  const Execution run(backend_);
  for (const auto& [parameter, leaf] : memory_->leaves) leaf->parameter->gradient = collect(run, *leaf);
  return backend_.download(node.value)[0];
}

}  // namespace graft::autodiff
