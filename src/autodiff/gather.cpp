#include "autodiff/gather.hpp"

#include <graft/detail/checked.hpp>

#include "autodiff/recorder.hpp"

namespace graft::autodiff {
namespace {

using detail::as_size;

/// Which numbers of the list say where its rows lie.
enum class By { ids, places };

class Gather final : public Operation {
 public:
  /// @param distinct  the list's distinct ids
  Gather(Indices list, Indices distinct, By by) : list_(std::move(list)), distinct_(std::move(distinct)), by_(by) {}

  void reads(const Node& self, std::vector<Node*>& nodes) const override {
    if (self.input(0).parameter == nullptr) nodes.push_back(self.inputs[0]);  // of a parameter, the rows alone
  }

  void forward(const Execution& run, const Node& self, const Tensor& y) const override {
    Node& x = self.input(0);
    run.backend().gather(x.leaf() ? leaf_rows(x, list_->distinct()) : x.value, numbers(), y);
  }

  void backward(const Execution& run, const Node& self, const Tensor& dy) const override {
    Node& x = self.input(0);
    const Tensor sums = list_ == distinct_ ? dy : run.allocate(distinct_->size(), self.cols);
    if (list_ != distinct_) run.backend().sum_by_place(dy, *list_, sums);
    if (distinct_->size() == x.rows) {
      run.add(x, sums);
    } else if (x.parameter != nullptr) {
      run.add_rows(x, distinct_, sums);
    } else {
      const Execution::Target target = run.target(x);
      if (!target.accumulate) run.backend().fill(target.tensor, 0.0);
      run.backend().add_rows(sums, distinct_->ids(), target.tensor);
    }
  }

  std::optional<std::vector<Selection>> rows_from(Recorder& recorder, const Node& self,
                                                  const Indices& list) const override {
    return std::vector<Selection>{{self.inputs[0], recorder.distinct(composed(recorder, self, list))}};
  }
  Node& on_rows(Recorder& recorder, const Node& self, const Indices& list,
                std::span<Node* const> selected) const override {
    return recorder.arrange(self.input(0), *selected[0], composed(recorder, self, list));
  }

  [[nodiscard]] const IndexList* gathered() const override { return by_ == By::ids ? list_.get() : nullptr; }

 private:
  [[nodiscard]] std::span<const std::int32_t> numbers() const {
    return by_ == By::ids ? list_->ids() : list_->places();
  }
  /// Where in the input the rows `list` of the result lie.
  [[nodiscard]] Indices composed(Recorder& recorder, const Node& self, const Indices& list) const {
    std::vector<std::int32_t> ids;
    ids.reserve(as_size(list->size()));
    for (const std::int32_t row : list->ids()) ids.push_back(numbers()[as_size(row)]);
    return recorder.derived_list(std::move(ids), self.input(0).rows);
  }

  Indices list_;
  Indices distinct_;
  By by_;
};

Node& record(Recorder& recorder, Node& x, const Indices& list, By by) {
  return recorder.record(std::make_shared<Gather>(list, recorder.distinct(list), by), {&x}, list->size(), x.cols);
}

}  // namespace

Node& record_gather(Recorder& recorder, Node& x, const Indices& list) { return record(recorder, x, list, By::ids); }

Node& record_expand(Recorder& recorder, Node& x, const Indices& list) { return record(recorder, x, list, By::places); }

std::shared_ptr<const Operation> gather_operation(const Indices& distinct) {
  return std::make_shared<Gather>(distinct, distinct, By::ids);
}

}  // namespace graft::autodiff
