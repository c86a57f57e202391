// Sums by index: what edges bring to their nodes.
#include <string>

#include "autodiff/recorder.hpp"

namespace graft::autodiff {
namespace {

class SumBy final : public Operation {
 public:
  explicit SumBy(Indices list) : list_(std::move(list)) {}

  void forward(const Execution& run, const Node& self, const Tensor& y) const override {
    const auto ids = list_->distinct();
    const bool all = static_cast<std::int64_t>(ids.size()) == self.rows;
    const Tensor sums = all ? y : run.allocate(static_cast<std::int64_t>(ids.size()), self.cols);
    run.backend().sum_by_place(self.input(0).value, *list_, sums);
    if (all) return;
    run.backend().fill(y, 0.0);
    run.backend().add_rows(sums, ids, y);
  }

  void backward(const Execution& run, const Node& self, const Tensor& dy) const override {
    Node& x = self.input(0);
    const Tensor contribution = run.allocate(x.rows, x.cols);
    run.backend().gather(dy, list_->ids(), contribution);
    run.add(x, contribution);
  }

 private:
  Indices list_;
};

}  // namespace

Var sum_by(Var x, const Indices& indices) {
  Recorder recorder("sum_by", "x", x);
  Node& input = recorder.node("x", x);
  if (!indices) recorder.refuse("indices", "none", "must be a list");
  if (indices->size() != input.rows) {
    recorder.refuse("indices", std::to_string(indices->size()) + " ids",
                    "must be " + std::to_string(input.rows) + ", one for each row of x");
  }
  return recorder.var(recorder.record(std::make_shared<SumBy>(indices), {&input}, indices->bound(), input.cols));
}

}  // namespace graft::autodiff
