// Products with dense and sparse matrices.
#include <string>

#include <graft/detail/checked.hpp>

#include "autodiff/recorder.hpp"

namespace graft::autodiff {
namespace {

using detail::as_size;

/// A side of a product. Rows that are gathered from a leaf are read where they are.
Operand operand(const Node& x, bool transposed) {
  const Node* leaf = gathered_leaf(x);
  if (leaf == nullptr) return {x.value, transposed};
  return {leaf->parameter != nullptr ? leaf->parameter->value : leaf->value, transposed,
          x.operation->gathered()->ids()};
}

/// The node whose value a side of a product needs; null if only rows of a parameter.
Node* value_behind(Node& x) {
  Node* leaf = gathered_leaf(x);
  if (leaf == nullptr) return &x;
  return leaf->parameter != nullptr ? nullptr : leaf;
}

void push_value_behind(Node& x, std::vector<Node*>& nodes) {
  if (Node* node = value_behind(x)) nodes.push_back(node);
}

/// op(a) op(b), at most one of them transposed.
class Matmul final : public Operation {
 public:
  Matmul(bool a_transposed, bool b_transposed) : a_transposed_(a_transposed), b_transposed_(b_transposed) {}

  void reads(const Node& self, std::vector<Node*>& nodes) const override {
    push_value_behind(self.input(0), nodes);
    push_value_behind(self.input(1), nodes);
  }
  void keeps(Node& self, std::vector<Node*>& nodes) const override {
    if (self.input(0).wants_gradient) push_value_behind(self.input(1), nodes);
    if (self.input(1).wants_gradient) push_value_behind(self.input(0), nodes);
  }

  void forward(const Execution& run, const Node& self, const Tensor& y) const override {
    for (const Node* x : self.inputs) {
      if (Node* leaf = gathered_leaf(*x)) leaf_rows(*leaf, x->operation->gathered()->distinct());
    }
    run.backend().matmul(operand(self.input(0), a_transposed_), operand(self.input(1), b_transposed_), y, false);
  }

  void backward(const Execution& run, const Node& self, const Tensor& dy) const override {
    Node& a = self.input(0);
    Node& b = self.input(1);
    if (a.wants_gradient) {
      const Execution::Target to = run.target(a);
      // y = a op(b): da = dy op(b)^T; y = a^T b: da = b dy^T
      if (a_transposed_) {
        run.backend().matmul(operand(b, false), {dy, true}, to.tensor, to.accumulate);
      } else {
        run.backend().matmul({dy, false}, operand(b, !b_transposed_), to.tensor, to.accumulate);
      }
    }
    if (b.wants_gradient) {
      const Execution::Target to = run.target(b);
      // y = op(a) b: db = op(a)^T dy; y = a b^T: db = dy^T a
      if (b_transposed_) {
        run.backend().matmul({dy, true}, operand(a, false), to.tensor, to.accumulate);
      } else {
        run.backend().matmul(operand(a, !a_transposed_), {dy, false}, to.tensor, to.accumulate);
      }
    }
  }

  std::optional<std::vector<Selection>> rows_from(Recorder& /*recorder*/, const Node& self,
                                                  const Indices& list) const override {
    if (a_transposed_) return std::nullopt;  // rows of the result are columns of a
    return std::vector<Selection>{{self.inputs[0], list}, {self.inputs[1], nullptr}};
  }

 private:
  bool a_transposed_;
  bool b_transposed_;
};

/// Rows `list` of op(s) x, all for a null list.
class Spmm final : public Operation {
 public:
  Spmm(Sparse s, bool transposed, Indices list) : s_(std::move(s)), transposed_(transposed), list_(std::move(list)) {}

  void forward(const Execution& run, const Node& self, const Tensor& y) const override {
    const Tensor& x = self.input(0).value;
    if (list_) {
      run.backend().spmm_rows(s_, transposed_, list_->ids(), x, y);
    } else {
      run.backend().spmm(s_, transposed_, x, y, false);
    }
  }

  void backward(const Execution& run, const Node& self, const Tensor& dy) const override {
    const Execution::Target to = run.target(self.input(0));
    if (list_) {
      run.backend().spmm_from_rows(s_, !transposed_, list_->ids(), dy, to.tensor, to.accumulate);
    } else {
      run.backend().spmm(s_, !transposed_, dy, to.tensor, to.accumulate);
    }
  }

  std::optional<std::vector<Selection>> rows_from(Recorder& /*recorder*/, const Node& self,
                                                  const Indices& /*list*/) const override {
    return std::vector<Selection>{{self.inputs[0], nullptr}};
  }
  Node& on_rows(Recorder& recorder, const Node& self, const Indices& list,
                std::span<Node* const> selected) const override {
    Indices rows = list;
    if (list_) {
      std::vector<std::int32_t> ids;
      ids.reserve(as_size(list->size()));
      for (const std::int32_t row : list->ids()) ids.push_back(list_->ids()[as_size(row)]);
      rows = recorder.derived_list(std::move(ids), list_->bound());
    }
    return recorder.record(std::make_shared<Spmm>(s_, transposed_, rows), {selected[0]}, rows->size(), self.cols);
  }

 private:
  Sparse s_;
  bool transposed_;
  Indices list_;  ///< ascending without repeats
};

struct Transposed {
  bool a = false;
  bool b = false;
};

Node& product(Recorder& recorder, const char* b_name, const char* a_name, Node& a, Node& b, Transposed transposed) {
  const std::int64_t a_inner = transposed.a ? a.rows : a.cols;
  const std::int64_t b_inner = transposed.b ? b.cols : b.rows;
  if (a_inner != b_inner) {
    recorder.refuse(b_name, b,
                    "must have " + std::to_string(a_inner) + (transposed.b ? " columns" : " rows") + ", as " + a_name +
                        " has " + (transposed.a ? "rows" : "columns"));
  }
  return recorder.record(std::make_shared<Matmul>(transposed.a, transposed.b), {&a, &b}, transposed.a ? a.cols : a.rows,
                         transposed.b ? b.rows : b.cols);
}

Var product(const char* operation, Var left, Var right, Transposed transposed) {
  Recorder recorder(operation, "a", left);
  Node& a = recorder.node("a", left);
  return recorder.var(product(recorder, "b", "a", a, recorder.node("b", right), transposed));
}

Var sparse_product(const char* operation, const Sparse& s, bool transposed, Var x) {
  Recorder recorder(operation, "x", x);
  Node& input = recorder.node("x", x);
  if (!s) recorder.refuse("s", std::string(), "must be a matrix");
  if (input.rows != (transposed ? s.rows() : s.cols())) {
    recorder.refuse("x", input,
                    "must have " + std::to_string(transposed ? s.rows() : s.cols()) + " rows, as s (" +
                        shape_text(s.rows(), s.cols()) + ") has " + (transposed ? "rows" : "columns"));
  }
  return recorder.var(recorder.record(std::make_shared<Spmm>(s, transposed, nullptr), {&input},
                                      transposed ? s.cols() : s.rows(), input.cols));
}

}  // namespace

Var matmul(Var a, Var b) { return product("matmul", a, b, {}); }
Var matmul_transposed(Var a, Var b) { return product("matmul_transposed", a, b, {.b = true}); }
Var transposed_matmul(Var a, Var b) { return product("transposed_matmul", a, b, {.a = true}); }

Var linear(Var x, Var weight, Var bias) {
  Recorder recorder("linear", "x", x);
  Node& input = recorder.node("x", x);
  Node& w = recorder.node("weight", weight);
  const Node& b = recorder.node("bias", bias);
  if (b.rows != 1 || b.cols != w.rows) {
    recorder.refuse("bias", b, "must be " + shape_text(1, w.rows) + ", a number for each row of weight");
  }
  return recorder.var(product(recorder, "weight", "x", input, w, {.b = true})) + bias;
}

Var spmm(const Sparse& s, Var x) { return sparse_product("spmm", s, false, x); }
Var spmm_transposed(const Sparse& s, Var x) { return sparse_product("spmm_transposed", s, true, x); }

}  // namespace graft::autodiff
