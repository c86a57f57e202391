// Rows and columns: gathers, slices, concatenations.
#include <algorithm>
#include <string>

#include <graft/detail/checked.hpp>

#include "autodiff/gather.hpp"
#include "autodiff/recorder.hpp"

namespace graft::autodiff {
namespace {

using detail::as_id;
using detail::as_size;
using Corner = Backend::Corner;

/// The block of x, of the node's shape, that begins at a corner.
class Slice final : public Operation {
 public:
  explicit Slice(Corner corner) : corner_(corner) {}

  void forward(const Execution& run, const Node& self, const Tensor& y) const override {
    run.backend().copy_block(self.input(0).value, corner_, y, {}, self.rows, self.cols, false);
  }

  void backward(const Execution& run, const Node& self, const Tensor& dy) const override {
    const Execution::Target to = run.target(self.input(0));
    if (!to.accumulate) run.backend().fill(to.tensor, 0.0);
    run.backend().copy_block(dy, {}, to.tensor, corner_, self.rows, self.cols, to.accumulate);
  }

  std::optional<std::vector<Selection>> rows_from(Recorder& recorder, const Node& self,
                                                  const Indices& list) const override {
    Node& x = self.input(0);
    if (self.rows == x.rows) return std::vector<Selection>{{&x, list}};
    std::vector<std::int32_t> ids(list->ids().begin(), list->ids().end());
    for (std::int32_t& id : ids) id += as_id(corner_.row);
    return std::vector<Selection>{{&x, recorder.derived_list(std::move(ids), x.rows)}};
  }
  Node& on_rows(Recorder& recorder, const Node& self, const Indices& list,
                std::span<Node* const> selected) const override {
    if (self.cols == selected[0]->cols) return *selected[0];
    return recorder.record(std::make_shared<Slice>(Corner{0, corner_.col}), {selected[0]}, list->size(), self.cols);
  }

 private:
  Corner corner_;
};

enum class Direction { rows, columns };

class Concat final : public Operation {
 public:
  explicit Concat(Direction direction) : direction_(direction) {}

  void forward(const Execution& run, const Node& self, const Tensor& y) const override {
    Corner corner;
    for (const Node* part : self.inputs) {
      run.backend().copy_block(part->value, {}, y, corner, part->rows, part->cols, false);
      corner = after(corner, *part);
    }
  }

  void backward(const Execution& run, const Node& self, const Tensor& dy) const override {
    Corner corner;
    for (Node* part : self.inputs) {
      if (part->wants_gradient) {
        const Execution::Target to = run.target(*part);
        run.backend().copy_block(dy, corner, to.tensor, {}, part->rows, part->cols, to.accumulate);
      }
      corner = after(corner, *part);
    }
  }

  std::optional<std::vector<Selection>> rows_from(Recorder& recorder, const Node& self,
                                                  const Indices& list) const override {
    std::vector<Selection> parts;
    if (direction_ == Direction::columns) {
      for (Node* part : self.inputs) parts.push_back({part, list});
      return parts;
    }
    // The ids ascend, so each part has a run of them.
    std::size_t next = 0;
    std::int64_t begin = 0;
    const std::span<const std::int32_t> all = list->ids();
    for (Node* part : self.inputs) {
      std::vector<std::int32_t> ids;
      for (; next < all.size() && all[next] < begin + part->rows; ++next) ids.push_back(as_id(all[next] - begin));
      if (!ids.empty()) parts.push_back({part, recorder.derived_list(std::move(ids), part->rows)});
      begin += part->rows;
    }
    if (parts.empty()) parts.push_back({self.inputs[0], recorder.derived_list({}, self.input(0).rows)});
    return parts;
  }
  Node& on_rows(Recorder& recorder, const Node& self, const Indices& list,
                std::span<Node* const> selected) const override {
    if (selected.size() == 1) return *selected[0];
    return Operation::on_rows(recorder, self, list, selected);
  }

 private:
  [[nodiscard]] Corner after(Corner corner, const Node& part) const {
    if (direction_ == Direction::rows) return {corner.row + part.rows, 0};
    return {0, corner.col + part.cols};
  }

  Direction direction_;
};

/// The range [begin, begin + count) must lie in [0, size).
void check_range(const Recorder& recorder, std::int64_t begin, std::int64_t count, std::int64_t size) {
  if (begin < 0 || begin > size) {
    recorder.refuse("begin", std::to_string(begin), "must lie in [0, " + std::to_string(size) + "]");
  }
  if (count < 0 || count > size - begin) {
    recorder.refuse("count", std::to_string(count), "must lie in [0, " + std::to_string(size - begin) + "]");
  }
}

Var concat(const char* operation, std::span<const Var> parts, Direction direction) {
  if (parts.empty()) throw InvalidArgument(detail::message(operation, "parts", "none", "must be one or more"));
  Recorder recorder(operation, "parts[0]", parts[0]);
  std::vector<Node*> nodes;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  for (std::size_t p = 0; p < parts.size(); ++p) {
    const std::string name = "parts[" + std::to_string(p) + "]";
    Node& node = recorder.node(name.c_str(), parts[p]);
    if (direction == Direction::rows && p > 0 && node.cols != cols) {
      recorder.refuse(name.c_str(), node, "must have " + std::to_string(cols) + " columns, as parts[0] has");
    }
    if (direction == Direction::columns && p > 0 && node.rows != rows) {
      recorder.refuse(name.c_str(), node, "must have " + std::to_string(rows) + " rows, as parts[0] has");
    }
    rows = direction == Direction::rows ? rows + node.rows : node.rows;
    cols = direction == Direction::columns ? cols + node.cols : node.cols;
    nodes.push_back(&node);
  }
  if (nodes.size() == 1) return parts[0];
  return recorder.var(recorder.record(std::make_shared<Concat>(direction), std::move(nodes), rows, cols));
}

}  // namespace

Var rows(Var x, const Indices& indices) {
  Recorder recorder("rows", "x", x);
  Node& input = recorder.node("x", x);
  if (!indices) recorder.refuse("indices", "none", "must be a list");
  if (indices->bound() != input.rows) {
    recorder.refuse("indices", "a list of ids below " + std::to_string(indices->bound()),
                    "must be made with bound " + std::to_string(input.rows) + ", the rows of x");
  }
  return recorder.var(recorder.rows(input, indices));
}

Var slice_rows(Var x, std::int64_t begin, std::int64_t count) {
  Recorder recorder("slice_rows", "x", x);
  Node& input = recorder.node("x", x);
  check_range(recorder, begin, count, input.rows);
  if (count == input.rows) return x;
  return recorder.var(recorder.record(std::make_shared<Slice>(Corner{begin, 0}), {&input}, count, input.cols));
}

Var slice_columns(Var x, std::int64_t begin, std::int64_t count) {
  Recorder recorder("slice_columns", "x", x);
  Node& input = recorder.node("x", x);
  check_range(recorder, begin, count, input.cols);
  if (count == input.cols) return x;
  return recorder.var(recorder.record(std::make_shared<Slice>(Corner{0, begin}), {&input}, input.rows, count));
}

Var concat_rows(std::span<const Var> parts) { return concat("concat_rows", parts, Direction::rows); }
Var concat_columns(std::span<const Var> parts) { return concat("concat_columns", parts, Direction::columns); }

}  // namespace graft::autodiff
