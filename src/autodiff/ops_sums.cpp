// Sums, and what is made of them.
#include <string>

#include "autodiff/recorder.hpp"

namespace graft::autodiff {
namespace {

/// factor * (x summed over the directions in which the node has size 1).
class SumTo final : public Operation {
 public:
  explicit SumTo(double factor) : factor_(factor) {}

  void forward(const Execution& run, const Node& self, const Tensor& y) const override {
    run.backend().sum_to(self.input(0).value, y, false);
    if (factor_ != 1.0) run.backend().map(Unary::scale, factor_, y, y);
  }

  void backward(const Execution& run, const Node& self, const Tensor& dy) const override {
    Tensor scaled = dy;
    if (factor_ != 1.0) {
      scaled = run.in_place_of(dy);
      run.backend().map(Unary::scale, factor_, dy, scaled);
    }
    const Execution::Target to = run.target(self.input(0));
    if (!to.accumulate) run.backend().fill(to.tensor, 0.0);
    run.backend().combine(Binary::add, to.tensor, scaled, to.tensor);
  }

  std::optional<std::vector<Selection>> rows_from(Recorder& /*recorder*/, const Node& self,
                                                  const Indices& list) const override {
    if (self.rows != self.input(0).rows) return std::nullopt;
    return std::vector<Selection>{{self.inputs[0], list}};
  }

 private:
  double factor_;
};

class RowDot final : public Operation {
 public:
  void keeps(Node& self, std::vector<Node*>& nodes) const override {
    if (self.input(0).wants_gradient) nodes.push_back(self.inputs[1]);
    if (self.input(1).wants_gradient) nodes.push_back(self.inputs[0]);
  }

  void forward(const Execution& run, const Node& self, const Tensor& y) const override {
    run.backend().row_dot(self.input(0).value, self.input(1).value, y);
  }

  void backward(const Execution& run, const Node& self, const Tensor& dy) const override {
    Node& a = self.input(0);
    Node& b = self.input(1);
    if (&a == &b) {
      const Tensor twice = run.in_place_of(dy);
      run.backend().map(Unary::scale, 2.0, dy, twice);
      return add_scaled_rows(run, a, a.value, twice);
    }
    if (a.wants_gradient) add_scaled_rows(run, a, b.value, dy);
    if (b.wants_gradient) add_scaled_rows(run, b, a.value, dy);
  }

  std::optional<std::vector<Selection>> rows_from(Recorder& /*recorder*/, const Node& self,
                                                  const Indices& list) const override {
    return std::vector<Selection>{{self.inputs[0], list}, {self.inputs[1], list}};
  }

 private:
  static void add_scaled_rows(const Execution& run, Node& x, const Tensor& rows, const Tensor& factors) {
    const Tensor scaled = run.allocate(x.rows, x.cols);
    run.backend().combine(Binary::multiply, rows, factors, scaled);
    run.add(x, scaled);
  }
};

class Average final : public Operation {
 public:
  [[nodiscard]] bool in_place() const override { return true; }

  void forward(const Execution& run, const Node& self, const Tensor& y) const override {
    const double factor = 1.0 / static_cast<double>(self.inputs.size());
    run.backend().map(Unary::scale, factor, self.input(0).value, y);
    for (std::size_t p = 1; p < self.inputs.size(); ++p) run.backend().add_scaled(factor, self.input(p).value, y);
  }

  void backward(const Execution& run, const Node& self, const Tensor& dy) const override {
    const Tensor scaled = run.in_place_of(dy);
    run.backend().map(Unary::scale, 1.0 / static_cast<double>(self.inputs.size()), dy, scaled);
    for (Node* part : self.inputs) {
      if (part->wants_gradient) run.add(*part, scaled);
    }
  }

  std::optional<std::vector<Selection>> rows_from(Recorder& /*recorder*/, const Node& self,
                                                  const Indices& list) const override {
    std::vector<Selection> parts;
    parts.reserve(self.inputs.size());
    for (Node* part : self.inputs) parts.push_back({part, list});
    return parts;
  }
};

class Softmax final : public Operation {
 public:
  void keeps(Node& self, std::vector<Node*>& nodes) const override { nodes.push_back(&self); }
  [[nodiscard]] bool in_place() const override { return true; }

  void forward(const Execution& run, const Node& self, const Tensor& y) const override {
    run.backend().softmax(self.input(0).value, y);
  }

  void backward(const Execution& run, const Node& self, const Tensor& dy) const override {
    const Execution::Target to = run.target(self.input(0));
    run.backend().softmax_gradient(self.value, dy, to.tensor, to.accumulate);
  }

  std::optional<std::vector<Selection>> rows_from(Recorder& /*recorder*/, const Node& self,
                                                  const Indices& list) const override {
    return std::vector<Selection>{{self.inputs[0], list}};
  }
};

class LogSumExp final : public Operation {
 public:
  void keeps(Node& self, std::vector<Node*>& nodes) const override { nodes.push_back(self.inputs[0]); }

  void forward(const Execution& run, const Node& self, const Tensor& y) const override {
    run.backend().log_sum_exp(self.input(0).value, y);
  }

  void backward(const Execution& run, const Node& self, const Tensor& dy) const override {
    Node& x = self.input(0);
    const Tensor shares = run.allocate(x.rows, x.cols);
    run.backend().softmax(x.value, shares);
    run.backend().combine(Binary::multiply, shares, dy, shares);
    run.add(x, shares);
  }

  std::optional<std::vector<Selection>> rows_from(Recorder& /*recorder*/, const Node& self,
                                                  const Indices& list) const override {
    return std::vector<Selection>{{self.inputs[0], list}};
  }
};

Var sum_to(Recorder& recorder, Node& x, std::int64_t rows, std::int64_t cols, double factor = 1.0) {
  return recorder.var(recorder.record(std::make_shared<SumTo>(factor), {&x}, rows, cols));
}

void check_same_shape(const Recorder& recorder, const Node& a, const char* b_name, const Node& b, const char* a_name) {
  if (a.rows == b.rows && a.cols == b.cols) return;
  recorder.refuse(b_name, b, "must be " + shape_text(a.rows, a.cols) + ", as " + a_name + " is");
}

}  // namespace

Var sum(Var x) {
  Recorder recorder("sum", "x", x);
  return sum_to(recorder, recorder.node("x", x), 1, 1);
}

Var mean(Var x) {
  Recorder recorder("mean", "x", x);
  Node& input = recorder.node("x", x);
  if (input.rows == 0 || input.cols == 0) recorder.refuse("x", input, "must have an element");
  return sum_to(recorder, input, 1, 1, 1.0 / (static_cast<double>(input.rows) * static_cast<double>(input.cols)));
}

Var sum_rows(Var x) {
  Recorder recorder("sum_rows", "x", x);
  Node& input = recorder.node("x", x);
  return sum_to(recorder, input, 1, input.cols);
}

Var sum_columns(Var x) {
  Recorder recorder("sum_columns", "x", x);
  Node& input = recorder.node("x", x);
  return sum_to(recorder, input, input.rows, 1);
}

Var row_dot(Var a, Var b) {
  Recorder recorder("row_dot", "a", a);
  Node& left = recorder.node("a", a);
  Node& right = recorder.node("b", b);
  check_same_shape(recorder, left, "b", right, "a");
  return recorder.var(recorder.record(std::make_shared<RowDot>(), {&left, &right}, left.rows, 1));
}

Var average(std::span<const Var> parts) {
  if (parts.empty()) throw InvalidArgument(detail::message("average", "parts", "none", "must be one or more"));
  Recorder recorder("average", "parts[0]", parts[0]);
  std::vector<Node*> nodes;
  for (std::size_t p = 0; p < parts.size(); ++p) {
    const std::string name = "parts[" + std::to_string(p) + "]";
    nodes.push_back(&recorder.node(name.c_str(), parts[p]));
    check_same_shape(recorder, *nodes[0], name.c_str(), *nodes[p], "parts[0]");
  }
  if (nodes.size() == 1) return parts[0];
  const std::int64_t rows = nodes[0]->rows;
  const std::int64_t cols = nodes[0]->cols;
  return recorder.var(recorder.record(std::make_shared<Average>(), std::move(nodes), rows, cols));
}

Var frobenius_norm(Var x) {
  const Recorder recorder("frobenius_norm", "x", x);
  return square_root(sum(row_dot(x, x)));
}

Var normalize_rows(Var x, double epsilon) {
  const Recorder recorder("normalize_rows", "x", x);
  if (!(epsilon > 0.0)) recorder.refuse("epsilon", std::to_string(epsilon), "must be > 0");
  return x / at_least(square_root(row_dot(x, x)), epsilon);
}

Var softmax(Var x) {
  Recorder recorder("softmax", "x", x);
  Node& input = recorder.node("x", x);
  return recorder.var(recorder.record(std::make_shared<Softmax>(), {&input}, input.rows, input.cols));
}

Var log_sum_exp(Var x) {
  Recorder recorder("log_sum_exp", "x", x);
  Node& input = recorder.node("x", x);
  if (input.cols == 0) recorder.refuse("x", input, "must have a column");
  return recorder.var(recorder.record(std::make_shared<LogSumExp>(), {&input}, input.rows, 1));
}

// Losses
// ---------------------------------------------------------------------------------------------------------------

Var bpr_loss(Var positive, Var negative) {
  const Recorder recorder("bpr_loss", "positive", positive);
  const Node& good = recorder.node("positive", positive);
  if (good.cols != 1 || good.rows == 0) recorder.refuse("positive", good, "must be one column, a score for each row");
  check_same_shape(recorder, good, "negative", recorder.node("negative", negative), "positive");
  return mean(softplus(negative - positive));
}

Var info_nce(Var x, Var y, double temperature) {
  const Recorder recorder("info_nce", "x", x);
  const Node& anchors = recorder.node("x", x);
  if (anchors.rows == 0) recorder.refuse("x", anchors, "must have a row");
  check_same_shape(recorder, anchors, "y", recorder.node("y", y), "x");
  if (!(temperature > 0.0)) recorder.refuse("temperature", std::to_string(temperature), "must be > 0");
  const Var scaled = 1.0 / temperature * normalize_rows(x);
  const Var others = normalize_rows(y);
  return mean(log_sum_exp(matmul_transposed(scaled, others)) - row_dot(scaled, others));
}

}  // namespace graft::autodiff
