// What a tape is made of: nodes, the operations behind them, and the work of computing them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "autodiff/backend.hpp"
#include "autodiff/index_list.hpp"
#include "autodiff/parameter.hpp"
#include "autodiff/tensor.hpp"

namespace graft::autodiff {

class Node;
class Recorder;

/// Rows of a matrix on the tape, by ids that ascend without repeats; all rows for a null list.
struct Selection {
  Node* node = nullptr;
  Indices list = {};
};

/// The backend and the gradients on their way, as operations see them.
class Execution {
 public:
  explicit Execution(Backend& backend) : backend_(backend) {}

  [[nodiscard]] Backend& backend() const { return backend_; }
  [[nodiscard]] Tensor allocate(std::int64_t rows, std::int64_t cols) const { return backend_.allocate(rows, cols); }
  /// Storage for a matrix of the shape of x, which nobody reads after: that of x, unless somebody else has it too.
  [[nodiscard]] Tensor in_place_of(const Tensor& x) const;
  /// x, or a copy if others have its storage too.
  [[nodiscard]] Tensor unshared(Tensor x) const;

  // Gradients: the first contribution is written (or shared), later ones are added.
  struct Target {
    const Tensor& tensor;
    bool accumulate;
  };
  /// Where a kernel puts its contribution to the gradient of x.
  [[nodiscard]] Target target(Node& x) const;
  /// Adds a contribution, which nobody changes after.
  void add(Node& x, const Tensor& contribution) const;
  void add_scaled(Node& x, double factor, const Tensor& contribution) const;
  /// Adds the contribution summed over the directions in which x is repeated.
  void add_repeated(Node& x, double factor, const Tensor& contribution) const;
  /// Adds to some rows (ascending without repeats) of a parameter's gradient.
  void add_rows(Node& x, const Indices& rows, const Tensor& contribution) const;

 private:
  /// Makes a gradient safe to change.
  Tensor& own(Tensor& gradient) const;

  Backend& backend_;
};

/// What computes a node from its inputs. It holds no state of the node, so nodes may share it.
class Operation {
 public:
  Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  Operation(Operation&&) = delete;
  Operation& operator=(Operation&&) = delete;
  virtual ~Operation() = default;

  /// Appends the nodes whose values forward() reads: all inputs unless the operation says otherwise.
  virtual void reads(const Node& self, std::vector<Node*>& nodes) const;
  /// Appends the nodes (inputs, or the node itself) whose values backward() reads.
  virtual void keeps(Node& self, std::vector<Node*>& nodes) const;
  /// Whether the output may take the storage of the first input.
  [[nodiscard]] virtual bool in_place() const { return false; }

  virtual void forward(const Execution& run, const Node& self, const Tensor& y) const = 0;
  /// Adds to the gradients of the inputs that want one. `dy` is used up.
  virtual void backward(const Execution& run, const Node& self, const Tensor& dy) const = 0;

  /// What rows `list` of the result are made of, if they are the same operation on rows of the inputs.
  [[nodiscard]] virtual std::optional<std::vector<Selection>> rows_from(Recorder& recorder, const Node& self,
                                                                        const Indices& list) const;
  /// Rows `list` of the result, from what rows_from() asked for: the same operation, unless overridden.
  [[nodiscard]] virtual Node& on_rows(Recorder& recorder, const Node& self, const Indices& list,
                                      std::span<Node* const> selected) const;
  /// The list if the operation gathers rows of its input by the list's ids.
  [[nodiscard]] virtual const IndexList* gathered() const { return nullptr; }
};

class Node {
 public:
  Node(std::shared_ptr<const Operation> made_by, std::vector<Node*> made_of, std::int64_t row_count,
       std::int64_t column_count)
      : operation(std::move(made_by)), inputs(std::move(made_of)), rows(row_count), cols(column_count) {}

  [[nodiscard]] bool leaf() const { return operation == nullptr; }
  [[nodiscard]] Node& input(std::size_t position) const { return *inputs[position]; }

  std::shared_ptr<const Operation> operation;  ///< none: a leaf
  std::vector<Node*> inputs;
  std::int64_t rows;
  std::int64_t cols;
  std::size_t number = 0;          ///< on the tape
  Parameter* parameter = nullptr;  ///< of a leaf that is trained
  bool wants_gradient = false;     ///< a parameter is behind it

  Tensor value = {};
  Tensor gradient = {};
  struct RowGradient {
    Indices rows;  ///< ascending without repeats
    Tensor values;
  };
  std::vector<RowGradient> row_gradients = {};  ///< of a parameter: beside `gradient`, rows that were gathered

  /// Of a node that was made in place of rows of another: that one, and which rows.
  Selection stands_for = {};

  // The plan of the evaluate() or backward() under way.
  bool reached = false;      ///< the target is made of it
  bool demanded = false;     ///< the value is needed
  bool on_path = false;      ///< between a parameter and the loss
  std::int64_t readers = 0;  ///< that have yet to read the value, going forward
  std::int64_t keepers = 0;  ///< that have yet to read the value, going backward
  bool pinned = false;       ///< a constant, or what evaluate() was asked for: the value stays
  bool computed = false;     ///< at any time
};

/// A matrix that exists before anything is computed, for products that gather rows of it themselves: that of a leaf
/// which x gathers, or null.
Node* gathered_leaf(const Node& x);

/// Rows of a leaf's matrix, brought up to date first.
const Tensor& leaf_rows(Node& leaf, std::optional<std::span<const std::int32_t>> rows);

}  // namespace graft::autodiff
