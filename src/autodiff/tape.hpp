// A reverse-mode tape over matrices.
//
//     Tape tape(backend);
//     Var users = rows(tape.parameter(user_table), batch.users);
//     Var items = rows(tape.parameter(item_table), batch.items);
//     Var loss = mean(softplus(-row_dot(users, items)));
//     tape.backward(loss);                        // fills the parameters' gradients
//
// The tape is lazy: an operation is recorded when it is called and computed when its value is asked for, by backward()
// or evaluate(). `rows` of an operation that works row by row (a sum, a layer of an MLP, a convolution) is recorded as
// that operation on rows of its inputs, so a model states its mathematics on whole matrices and only the rows that a
// batch needs are computed. Gradients of parameters that were only read by `rows` hold those rows alone.
//
// Shapes are checked when an operation is recorded. @throws InvalidArgument naming the operation and both shapes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <graft/core/matrix_view.hpp>

#include "autodiff/backend.hpp"
#include "autodiff/index_list.hpp"
#include "autodiff/parameter.hpp"
#include "autodiff/sparse.hpp"
#include "autodiff/tensor.hpp"

namespace graft::autodiff {

class Tape;
class Node;
struct TapeMemory;

/// A matrix on a tape: cheap to copy, valid as long as the tape.
class Var {
 public:
  Var() = default;
  [[nodiscard]] std::int64_t rows() const;
  [[nodiscard]] std::int64_t cols() const;
  [[nodiscard]] Tape& tape() const { return *tape_; }

 private:
  friend class Recorder;
  Var(Tape& tape, Node& node) : tape_(&tape), node_(&node) {}
  Tape* tape_ = nullptr;
  Node* node_ = nullptr;
};

class Tape {
 public:
  /// Both must outlive the tape. @param random  where dropout and models draw from; each dropout on the tape and each
  /// next_random() takes a stream of its own, in the order of recording
  explicit Tape(Backend& backend, RandomKey random = {});
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;
  Tape(Tape&&) = delete;
  Tape& operator=(Tape&&) = delete;
  ~Tape();

  /// The same Parameter gives the same Var.
  Var parameter(Parameter& parameter);
  Var constant(Tensor value);
  Var constant(MatrixView<const float> value);

  /// The value of a Var. Recording may go on afterwards. Values on the way are kept only while something recorded may
  /// still read them; what was let go is computed again when it is asked for.
  Tensor evaluate(Var x);
  /// Of a [1, 1].
  double scalar(Var x);

  /// Computes the loss [1, 1] and writes the gradient of every parameter on the tape; one without a part in the loss
  /// gets none. Once a tape. @throws InvalidArgument if the loss is not [1, 1]
  double backward(Var loss);

  /// Where a model draws what it samples itself for a step: a stream of its own, taken as a dropout takes one.
  [[nodiscard]] RandomKey next_random();

  [[nodiscard]] Backend& backend() const { return backend_; }

 private:
  friend class Recorder;  // the operations, tape.cpp and ops*.cpp
  Backend& backend_;
  RandomKey random_;
  std::vector<std::unique_ptr<Node>> nodes_;  ///< in the order of recording: inputs come before what is made of them
  std::unique_ptr<TapeMemory> memory_;
};

// Elements -----------------------------------------------------------------------------------------------------------
// b has a's shape or is repeated: one row, one column or one element.
Var operator+(Var a, Var b);
Var operator-(Var a, Var b);
Var operator*(Var a, Var b);  ///< element by element
Var operator/(Var a, Var b);
Var operator*(double factor, Var x);
Var operator+(Var x, double term);
Var operator-(Var x);
Var square(Var x);
Var square_root(Var x);  ///< gradient 0 where x = 0
Var exponential(Var x);
Var logarithm(Var x);
Var sigmoid(Var x);
Var tanh(Var x);
Var relu(Var x);
Var leaky_relu(Var x, double slope = 0.01);
Var softplus(Var x);                ///< log(1 + e^x), stable
Var log_sigmoid(Var x);             ///< -softplus(-x)
Var at_least(Var x, double bound);  ///< max(x, bound); gradient 0 below
/// Zeroes elements with probability p and scales the others by 1 / (1 - p); the identity for p = 0.
/// @throws InvalidArgument unless 0 <= p < 1
Var dropout(Var x, double p);

// Products -----------------------------------------------------------------------------------------------------------
Var matmul(Var a, Var b);             ///< a b
Var matmul_transposed(Var a, Var b);  ///< a b^T
Var transposed_matmul(Var a, Var b);  ///< a^T b
/// x W^T + bias, W [out, in], bias [1, out]: a linear layer.
Var linear(Var x, Var weight, Var bias);
Var spmm(const Sparse& s, Var x);             ///< s x
Var spmm_transposed(const Sparse& s, Var x);  ///< s^T x

// Rows and columns ---------------------------------------------------------------------------------------------------
Var rows(Var x, const Indices& indices);  ///< x[indices], repeats allowed
Var slice_rows(Var x, std::int64_t begin, std::int64_t count);
Var slice_columns(Var x, std::int64_t begin, std::int64_t count);
Var concat_rows(std::span<const Var> parts);
Var concat_columns(std::span<const Var> parts);

// Sums ---------------------------------------------------------------------------------------------------------------
Var sum(Var x);          ///< [1, 1]
Var mean(Var x);         ///< [1, 1]
Var sum_rows(Var x);     ///< over the rows: [1, cols]
Var sum_columns(Var x);  ///< over the columns: [rows, 1]
/// y[i] = sum of x[p] over the positions p with indices[p] = i: [bound of the list, cols]. The reverse of `rows`.
Var sum_by(Var x, const Indices& indices);
Var row_dot(Var a, Var b);                ///< [rows, 1]
Var average(std::span<const Var> parts);  ///< of matrices of one shape
/// sqrt of the sum of squares, [1, 1]; gradient 0 for the zero matrix.
Var frobenius_norm(Var x);
/// Every row divided by max(its norm, epsilon).
Var normalize_rows(Var x, double epsilon = 1e-12);
Var softmax(Var x);      ///< along every row
Var log_sum_exp(Var x);  ///< of every row: [rows, 1]

// Losses -------------------------------------------------------------------------------------------------------------
/// Mean of -log sigmoid(positive - negative) over the batch; both [batch, 1] (BPR, Rendle et al., UAI 2009).
Var bpr_loss(Var positive, Var negative);
/// Mean over rows i of -log(exp(x_i y_i / tau) / sum_j exp(x_i y_j / tau)), rows normalised first (InfoNCE).
Var info_nce(Var x, Var y, double temperature);

}  // namespace graft::autodiff
