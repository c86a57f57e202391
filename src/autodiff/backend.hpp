// The seam between the tape and the hardware: what a backend must compute.
//
// The tape, the models and the optimiser are written over this interface alone and never look inside a Tensor. The
// scalar type belongs to the backend: the CPU has one in float (training) and one in double (gradient checks); CUDA
// is another implementation. Rules of all implementations:
// - results do not depend on the number of threads: every output element is computed by one worker, over its inputs in
//   one fixed order; sums over many values are blocked in a way that depends on the shape alone;
// - shapes are the caller's duty and are asserted, not reported: the tape checks them and names the operation;
// - `accumulate` adds to the output; otherwise the output is overwritten, whatever it held;
// - an output shares no storage with an input unless a function says that it may.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <graft/core/matrix_view.hpp>

#include "autodiff/index_list.hpp"
#include "autodiff/sparse.hpp"
#include "autodiff/tensor.hpp"

namespace graft::autodiff {

/// y = f(x), element by element; `p` is the function's parameter where it has one.
enum class Unary {
  scale,        ///< p x
  shift,        ///< x + p
  square,       ///< x^2
  square_root,  ///< sqrt(x); gradient 0 where x = 0
  reciprocal,   ///< 1 / x
  exponential,
  logarithm,
  sigmoid,
  tanh,
  relu,
  leaky_relu,  ///< x if x > 0, else p x
  softplus,    ///< log(1 + e^x) = -log sigmoid(-x), without overflow
  at_least     ///< max(x, p); gradient 0 where x < p
};

/// What map_gradient reads besides dy, and so what the tape must keep: x, or y = f(x), or neither.
constexpr bool gradient_reads_input(Unary f) {
  return f == Unary::square || f == Unary::logarithm || f == Unary::leaky_relu || f == Unary::softplus ||
         f == Unary::at_least;
}
constexpr bool gradient_reads_output(Unary f) {
  return f == Unary::square_root || f == Unary::reciprocal || f == Unary::exponential || f == Unary::sigmoid ||
         f == Unary::tanh || f == Unary::relu;
}

/// y = a op b. b has a's shape, or is one row [1, cols], one column [rows, 1] or one element [1, 1] that is repeated.
enum class Binary { add, subtract, multiply, divide };

/// One side of a matrix product.
struct Operand {
  const Tensor& tensor;
  bool transposed = false;
  /// Rows of the tensor (before transposing) that take part, in this order; all without. Saves the copy of a gather.
  std::optional<std::span<const std::int32_t>> rows = {};
};

/// One step of Adam (Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015).
struct AdamStep {
  double learning_rate = 1e-3;
  double correction1 = 1.0;  ///< 1 - beta1^t
  double correction2 = 1.0;  ///< 1 - beta2^t
};

struct AdamConstants {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;      ///< added to the root, after the correction of v
  double weight_decay = 0.0;  ///< coupled: added to the gradient as weight_decay * value
};

/// The state of one parameter.
struct AdamState {
  const Tensor& value;
  const Tensor& first;   ///< m, shape of value
  const Tensor& second;  ///< v, shape of value
};

/// A draw of random numbers: a function of these and of the element's position alone.
struct RandomKey {
  std::uint64_t seed = 0;
  std::uint64_t stream = 0;
};

class Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  Backend(Backend&&) = delete;
  Backend& operator=(Backend&&) = delete;
  virtual ~Backend() = default;

  // Memory -----------------------------------------------------------------------------------------------------------
  /// Contents unspecified. Storage is kept and given out again: steps of training allocate the same shapes again and
  /// again. @throws OutOfMemory
  [[nodiscard]] virtual Tensor allocate(std::int64_t rows, std::int64_t cols) = 0;
  /// Gives storage that nobody uses back to the system.
  virtual void trim() = 0;
  virtual void upload(const Tensor& y, MatrixView<const float> x) = 0;
  virtual void upload(const Tensor& y, std::span<const double> x) = 0;  ///< row-major
  virtual void download(const Tensor& x, MatrixView<float> y) = 0;
  [[nodiscard]] virtual std::vector<double> download(const Tensor& x) = 0;  ///< row-major
  /// The matrix and its transpose. @throws OutOfMemory
  [[nodiscard]] virtual Sparse sparse(Csr matrix) = 0;

  // Elements ---------------------------------------------------------------------------------------------------------
  virtual void fill(const Tensor& y, double value) = 0;
  virtual void map(Unary f, double p, const Tensor& x, const Tensor& y) = 0;  ///< y may be x
  /// dx (+)= dy * f'(x); x and y = f(x) are those of the forward pass; one that f does not read (see above) may be no
  /// tensor. dx may be dy.
  virtual void map_gradient(Unary f, double p, const Tensor& x, const Tensor& y, const Tensor& dy, const Tensor& dx,
                            bool accumulate) = 0;
  virtual void combine(Binary op, const Tensor& a, const Tensor& b, const Tensor& y) = 0;  ///< y may be a
  virtual void add_scaled(double factor, const Tensor& x, const Tensor& y) = 0;  ///< y += factor * x, one shape
  /// Writes 1 / keep with probability `keep`, else 0 (inverted dropout). Element e is kept if word e % 4 of
  /// philox4x32({e / 4, stream}, seed), counter and key in 32-bit halves, lower first, is below keep * 2^32.
  virtual void dropout_mask(RandomKey key, double keep, const Tensor& y) = 0;

  // Rows and columns -------------------------------------------------------------------------------------------------
  /// y (+)= x summed over the directions in which y has size 1: [r, c] -> [1, c], [r, 1], [1, 1] or [r, c].
  virtual void sum_to(const Tensor& x, const Tensor& y, bool accumulate) = 0;
  /// y[r] = <a[r], b[r]>, y is [rows, 1].
  virtual void row_dot(const Tensor& a, const Tensor& b, const Tensor& y) = 0;
  virtual void softmax(const Tensor& x, const Tensor& y) = 0;  ///< along every row; y may be x
  /// dx (+)= y * (dy - <y, dy>), row by row.
  virtual void softmax_gradient(const Tensor& y, const Tensor& dy, const Tensor& dx, bool accumulate) = 0;
  virtual void log_sum_exp(const Tensor& x, const Tensor& y) = 0;  ///< of every row; y is [rows, 1]
  /// y[p] = x[ids[p]].
  virtual void gather(const Tensor& x, std::span<const std::int32_t> ids, const Tensor& y) = 0;
  /// y[ids[p]] += x[p]; ids are distinct.
  virtual void add_rows(const Tensor& x, std::span<const std::int32_t> ids, const Tensor& y) = 0;
  /// y[d] = sum of x[p] over the positions p of the d-th distinct id, in ascending p; y is [distinct, cols].
  virtual void sum_by_place(const Tensor& x, const IndexList& list, const Tensor& y) = 0;
  /// The block [rows, cols] of y at (y_row, y_col) (+)= that of x at (x_row, x_col).
  struct Corner {
    std::int64_t row = 0;
    std::int64_t col = 0;
  };
  virtual void copy_block(const Tensor& x, Corner from, const Tensor& y, Corner to, std::int64_t rows,
                          std::int64_t cols, bool accumulate) = 0;

  // Products ---------------------------------------------------------------------------------------------------------
  /// y (+)= op(a) op(b); every element is one sum over ascending inner index.
  virtual void matmul(const Operand& a, const Operand& b, const Tensor& y, bool accumulate) = 0;
  /// y (+)= op(s) x, edges in ascending columns.
  virtual void spmm(const Sparse& s, bool transposed, const Tensor& x, const Tensor& y, bool accumulate) = 0;
  /// y[p] = row rows[p] of op(s) x.
  virtual void spmm_rows(const Sparse& s, bool transposed, std::span<const std::int32_t> rows, const Tensor& x,
                         const Tensor& y) = 0;
  /// y (+)= op(s)[:, ids] x, where x has one row for each of the ids, which ascend without repeats: the gradient of
  /// spmm_rows (with `transposed` turned round).
  virtual void spmm_from_rows(const Sparse& s, bool transposed, std::span<const std::int32_t> ids, const Tensor& x,
                              const Tensor& y, bool accumulate) = 0;

  // Optimiser --------------------------------------------------------------------------------------------------------
  /// Brings rows of a parameter up to date. For each r in `rows` (distinct; all rows where absent): the steps
  /// steps[done[r]] ... steps[until - 1] are taken one after the other, all with gradient 0 but the last, which has
  /// gradient[p] (p-th of `rows`, or row r where `rows` is absent) if `gradient` is given; then done[r] = until. The
  /// bits are those of dense Adam: a row that no batch touches still moves by its momentum, only later.
  virtual void adam(const AdamConstants& constants, std::span<const AdamStep> steps, std::int64_t until,
                    const AdamState& state, std::span<std::int64_t> done,
                    std::optional<std::span<const std::int32_t>> rows, const Tensor* gradient) = 0;
};

/// The CPU in float32: products on the operators' own micro-kernels, chosen by what the processor has.
/// @param threads  workers; 0 = one a core   @throws InvalidArgument if negative
std::unique_ptr<Backend> cpu_backend(int threads = 0);

/// The CPU in double: plain loops, for gradient checks and other references.
std::unique_ptr<Backend> cpu_reference_backend();

}  // namespace graft::autodiff
