// Operations element by element.
#include <string>

#include "autodiff/recorder.hpp"

namespace graft::autodiff {
namespace {

class Map final : public Operation {
 public:
  Map(Unary f, double p) : f_(f), p_(p) {}

  void keeps(Node& self, std::vector<Node*>& nodes) const override {
    if (gradient_reads_input(f_)) nodes.push_back(self.inputs[0]);
    if (gradient_reads_output(f_)) nodes.push_back(&self);
  }
  [[nodiscard]] bool in_place() const override { return true; }

  void forward(const Execution& run, const Node& self, const Tensor& y) const override {
    run.backend().map(f_, p_, self.input(0).value, y);
  }

  void backward(const Execution& run, const Node& self, const Tensor& dy) const override {
    Node& x = self.input(0);
    if (f_ == Unary::shift) return run.add(x, dy);
    if (x.gradient) {
      const Execution::Target to = run.target(x);
      return run.backend().map_gradient(f_, p_, x.value, self.value, dy, to.tensor, true);
    }
    const Tensor dx = run.in_place_of(dy);
    run.backend().map_gradient(f_, p_, x.value, self.value, dy, dx, false);
    run.add(x, dx);
  }

  std::optional<std::vector<Selection>> rows_from(Recorder& /*recorder*/, const Node& self,
                                                  const Indices& list) const override {
    return std::vector<Selection>{{self.inputs[0], list}};
  }

 private:
  Unary f_;
  double p_;
};

class Combine final : public Operation {
 public:
  explicit Combine(Binary op) : op_(op) {}

  void keeps(Node& self, std::vector<Node*>& nodes) const override {
    const bool product = op_ == Binary::multiply || op_ == Binary::divide;
    if (product && self.input(0).wants_gradient) nodes.push_back(self.inputs[1]);
    if (!self.input(1).wants_gradient) return;
    if (op_ == Binary::multiply) nodes.push_back(self.inputs[0]);
    if (op_ == Binary::divide) {
      nodes.push_back(self.inputs[1]);
      nodes.push_back(&self);
    }
  }
  [[nodiscard]] bool in_place() const override { return true; }

  void forward(const Execution& run, const Node& self, const Tensor& y) const override {
    run.backend().combine(op_, self.input(0).value, self.input(1).value, y);
  }

  void backward(const Execution& run, const Node& self, const Tensor& dy) const override {
    Node& a = self.input(0);
    Node& b = self.input(1);
    switch (op_) {
      case Binary::add:
      case Binary::subtract:
        if (b.wants_gradient) run.add_repeated(b, op_ == Binary::add ? 1.0 : -1.0, dy);
        if (a.wants_gradient) run.add(a, dy);
        return;
      case Binary::multiply:
        if (b.wants_gradient) add_products(run, b, 1.0, dy, a.value);
        if (a.wants_gradient) add_combined(run, a, dy, b.value, run.in_place_of(dy));
        return;
      case Binary::divide: {
        const Tensor quotients = run.in_place_of(dy);  // dy / b
        run.backend().combine(Binary::divide, dy, b.value, quotients);
        if (b.wants_gradient) add_products(run, b, -1.0, quotients, self.value);
        if (a.wants_gradient) run.add(a, quotients);
      }
    }
  }

  std::optional<std::vector<Selection>> rows_from(Recorder& /*recorder*/, const Node& self,
                                                  const Indices& list) const override {
    const bool repeated = self.input(1).rows == 1;
    return std::vector<Selection>{{self.inputs[0], list}, {self.inputs[1], repeated ? nullptr : list}};
  }

 private:
  void add_combined(const Execution& run, Node& x, const Tensor& dy, const Tensor& b, const Tensor& result) const {
    run.backend().combine(op_, dy, b, result);
    run.add(x, result);
  }

  /// Adds factor * p * q, summed over the directions in which x is repeated.
  static void add_products(const Execution& run, Node& x, double factor, const Tensor& p, const Tensor& q) {
    const bool column = x.cols == 1 && x.rows == p.rows();
    const Tensor products = run.allocate(p.rows(), column ? 1 : p.cols());
    if (column) {
      run.backend().row_dot(p, q, products);
    } else {
      run.backend().combine(Binary::multiply, p, q, products);
    }
    run.add_repeated(x, factor, products);
  }

  Binary op_;
};

class DropoutMask final : public Operation {
 public:
  DropoutMask(RandomKey key, double keep) : key_(key), keep_(keep) {}

  void forward(const Execution& run, const Node& /*self*/, const Tensor& y) const override {
    run.backend().dropout_mask(key_, keep_, y);
  }
  void backward(const Execution& /*run*/, const Node& /*self*/, const Tensor& /*dy*/) const override {}

 private:
  RandomKey key_;
  double keep_;
};

Var map(const char* operation, Unary f, double p, Var x) {
  Recorder recorder(operation, "x", x);
  Node& input = recorder.node("x", x);
  return recorder.var(recorder.record(std::make_shared<Map>(f, p), {&input}, input.rows, input.cols));
}

Var combine(const char* operation, Binary op, Var left, Var right) {
  Recorder recorder(operation, "a", left);
  Node& a = recorder.node("a", left);
  Node& b = recorder.node("b", right);
  if ((b.rows != a.rows && b.rows != 1) || (b.cols != a.cols && b.cols != 1)) {
    recorder.refuse(
        "b", b,
        "must be " + shape_text(a.rows, a.cols) + ", as a is, or one row, one column or one element that is repeated");
  }
  return recorder.var(recorder.record(std::make_shared<Combine>(op), {&a, &b}, a.rows, a.cols));
}

}  // namespace

Var operator+(Var a, Var b) { return combine("add", Binary::add, a, b); }
Var operator-(Var a, Var b) { return combine("subtract", Binary::subtract, a, b); }
Var operator*(Var a, Var b) { return combine("multiply", Binary::multiply, a, b); }
Var operator/(Var a, Var b) { return combine("divide", Binary::divide, a, b); }

Var operator*(double factor, Var x) { return map("scale", Unary::scale, factor, x); }
Var operator+(Var x, double term) { return map("shift", Unary::shift, term, x); }
Var operator-(Var x) { return map("negate", Unary::scale, -1.0, x); }

Var square(Var x) { return map("square", Unary::square, 0.0, x); }
Var square_root(Var x) { return map("square_root", Unary::square_root, 0.0, x); }
Var exponential(Var x) { return map("exponential", Unary::exponential, 0.0, x); }
Var logarithm(Var x) { return map("logarithm", Unary::logarithm, 0.0, x); }
Var sigmoid(Var x) { return map("sigmoid", Unary::sigmoid, 0.0, x); }
Var tanh(Var x) { return map("tanh", Unary::tanh, 0.0, x); }
Var relu(Var x) { return map("relu", Unary::relu, 0.0, x); }
Var leaky_relu(Var x, double slope) { return map("leaky_relu", Unary::leaky_relu, slope, x); }
Var softplus(Var x) { return map("softplus", Unary::softplus, 0.0, x); }
Var log_sigmoid(Var x) { return -softplus(-x); }
Var at_least(Var x, double bound) { return map("at_least", Unary::at_least, bound, x); }

Var dropout(Var x, double p) {
  Recorder recorder("dropout", "x", x);
  Node& input = recorder.node("x", x);
  if (!(p >= 0.0 && p < 1.0)) recorder.refuse("p", std::to_string(p), "must lie in [0, 1)");
  const RandomKey key = recorder.next_random();
  if (p == 0.0) return x;
  Node& mask = recorder.record(std::make_shared<DropoutMask>(key, 1.0 - p), {}, input.rows, input.cols);
  return x * recorder.var(mask);
}

}  // namespace graft::autodiff
