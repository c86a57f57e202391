#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <limits>
#include <new>
#include <string>
#include <utility>

#include <graft/core/error.hpp>
#include <graft/detail/checked.hpp>

#include "autodiff/backend.hpp"
#include "autodiff/host_sparse.hpp"
#include "data/random.hpp"

namespace graft::autodiff {
namespace {

using detail::as_size;

using Values = std::vector<double>;

double* data(const Tensor& x) {
  assert(x);
  return static_cast<Values*>(x.storage())->data();
}

/// Element (r, c) of a matrix that is repeated in the directions in which it has size 1.
double repeated(const Tensor& x, std::int64_t r, std::int64_t c) {
  return data(x)[(x.rows() == 1 ? 0 : r) * x.cols() + (x.cols() == 1 ? 0 : c)];
}

/// Gives an output its new value.
void put(double& y, double value, bool accumulate) { y = accumulate ? y + value : value; }

double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

double sigmoid(double x) {
  const double small = std::exp(-std::abs(x));
  return (x >= 0.0 ? 1.0 : small) / (1.0 + small);
}

double apply(Unary f, double p, double x) {
  switch (f) {
    case Unary::scale:
      return p * x;
    case Unary::shift:
      return x + p;
    case Unary::square:
      return x * x;
    case Unary::square_root:
      return std::sqrt(x);
    case Unary::reciprocal:
      return 1.0 / x;
    case Unary::exponential:
      return std::exp(x);
    case Unary::logarithm:
      return std::log(x);
    case Unary::sigmoid:
      return sigmoid(x);
    case Unary::tanh:
      return std::tanh(x);
    case Unary::relu:
      return x > 0.0 ? x : 0.0;
    case Unary::leaky_relu:
      return x > 0.0 ? x : p * x;
    case Unary::softplus:
      return softplus(x);
    case Unary::at_least:
      return x < p ? p : x;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

/// f'(x), from what the function reads: x, or y = f(x).
double derivative(Unary f, double p, double x, double y) {
  switch (f) {
    case Unary::scale:
      return p;
    case Unary::shift:
      return 1.0;
    case Unary::square:
      return 2.0 * x;
    case Unary::square_root:
      return y == 0.0 ? 0.0 : 0.5 / y;
    case Unary::reciprocal:
      return -y * y;
    case Unary::exponential:
      return y;
    case Unary::logarithm:
      return 1.0 / x;
    case Unary::sigmoid:
      return y * (1.0 - y);
    case Unary::tanh:
      return 1.0 - y * y;
    case Unary::relu:
      return y > 0.0 ? 1.0 : 0.0;
    case Unary::leaky_relu:
      return x > 0.0 ? 1.0 : p;
    case Unary::softplus:
      return sigmoid(x);
    case Unary::at_least:
      return x < p ? 0.0 : 1.0;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

double apply(Binary op, double a, double b) {
  switch (op) {
    case Binary::add:
      return a + b;
    case Binary::subtract:
      return a - b;
    case Binary::multiply:
      return a * b;
    case Binary::divide:
      return a / b;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

/// One side of a product, ready to be read element by element.
class Side {
 public:
  explicit Side(const Operand& operand) : operand_(operand), values_(data(operand.tensor)) {}

  [[nodiscard]] std::int64_t rows() const { return operand_.transposed ? operand_.tensor.cols() : stored_rows(); }
  [[nodiscard]] std::int64_t cols() const { return operand_.transposed ? stored_rows() : operand_.tensor.cols(); }
  [[nodiscard]] double operator()(std::int64_t r, std::int64_t c) const {
    if (operand_.transposed) std::swap(r, c);
    const std::int64_t row = operand_.rows ? (*operand_.rows)[as_size(r)] : r;
    return values_[row * operand_.tensor.cols() + c];
  }

 private:
  [[nodiscard]] std::int64_t stored_rows() const {
    return operand_.rows ? static_cast<std::int64_t>(operand_.rows->size()) : operand_.tensor.rows();
  }

  const Operand& operand_;
  const double* values_;
};

class ReferenceBackend final : public Backend {
 public:
  Tensor allocate(std::int64_t rows, std::int64_t cols) override {
    assert(rows >= 0 && cols >= 0);
    try {
      // Whoever reads what nobody wrote gets a NaN.
      return {rows, cols,
              std::make_shared<Values>(as_size(rows) * as_size(cols), std::numeric_limits<double>::quiet_NaN())};
    } catch (const std::bad_alloc&) {
      throw OutOfMemory(detail::message("allocate", "rows, cols", std::to_string(rows) + ", " + std::to_string(cols),
                                        "the system refused the memory"));
    }
  }

  void trim() override {}  // nothing is kept

  void upload(const Tensor& y, MatrixView<const float> x) override {
    assert(y.rows() == x.rows() && y.cols() == x.cols());
    for (std::int64_t r = 0; r < x.rows(); ++r) {
      for (std::int64_t c = 0; c < x.cols(); ++c) data(y)[r * x.cols() + c] = static_cast<double>(x(r, c));
    }
  }

  void upload(const Tensor& y, std::span<const double> x) override {
    assert(as_size(y.size()) == x.size());
    std::copy(x.begin(), x.end(), data(y));
  }

  void download(const Tensor& x, MatrixView<float> y) override {
    assert(y.rows() == x.rows() && y.cols() == x.cols());
    for (std::int64_t r = 0; r < x.rows(); ++r) {
      for (std::int64_t c = 0; c < x.cols(); ++c) y(r, c) = static_cast<float>(data(x)[r * x.cols() + c]);
    }
  }

  std::vector<double> download(const Tensor& x) override { return {data(x), data(x) + x.size()}; }

  Sparse sparse(Csr matrix) override { return host_sparse(std::move(matrix)); }

  // Elements ---------------------------------------------------------------------------------------------------------

  void fill(const Tensor& y, double value) override { std::fill_n(data(y), y.size(), value); }

  void map(Unary f, double p, const Tensor& x, const Tensor& y) override {
    assert(same_shape(x, y));
    for (std::int64_t e = 0; e < x.size(); ++e) data(y)[e] = apply(f, p, data(x)[e]);
  }

  void map_gradient(Unary f, double p, const Tensor& x, const Tensor& y, const Tensor& dy, const Tensor& dx,
                    bool accumulate) override {
    assert(same_shape(dy, dx));
    assert(!gradient_reads_input(f) || same_shape(x, dx));
    assert(!gradient_reads_output(f) || same_shape(y, dx));
    for (std::int64_t e = 0; e < dx.size(); ++e) {
      const double input = gradient_reads_input(f) ? data(x)[e] : 0.0;
      const double output = gradient_reads_output(f) ? data(y)[e] : 0.0;
      put(data(dx)[e], data(dy)[e] * derivative(f, p, input, output), accumulate);
    }
  }

  void combine(Binary op, const Tensor& a, const Tensor& b, const Tensor& y) override {
    assert(same_shape(a, y));
    assert((b.rows() == a.rows() || b.rows() == 1) && (b.cols() == a.cols() || b.cols() == 1));
    for (std::int64_t r = 0; r < a.rows(); ++r) {
      for (std::int64_t c = 0; c < a.cols(); ++c) {
        const std::int64_t e = r * a.cols() + c;
        data(y)[e] = apply(op, data(a)[e], repeated(b, r, c));
      }
    }
  }

  void add_scaled(double factor, const Tensor& x, const Tensor& y) override {
    assert(same_shape(x, y));
    for (std::int64_t e = 0; e < x.size(); ++e) data(y)[e] += factor * data(x)[e];
  }

  void dropout_mask(RandomKey key, double keep, const Tensor& y) override {
    const auto low = [](std::uint64_t bits) { return static_cast<std::uint32_t>(bits); };
    const auto high = [](std::uint64_t bits) { return static_cast<std::uint32_t>(bits >> 32U); };
    const double bound = keep * 0x1p32;
    for (std::int64_t e = 0; e < y.size(); ++e) {
      const std::uint64_t block = static_cast<std::uint64_t>(e) / 4;
      const std::array<std::uint32_t, 4> words = data::philox4x32(
          {low(block), high(block), low(key.stream), high(key.stream)}, {low(key.seed), high(key.seed)});
      const std::uint32_t word = words[as_size(e % 4)];
      data(y)[e] = static_cast<double>(word) < bound ? 1.0 / keep : 0.0;
    }
  }

  // Rows and columns -------------------------------------------------------------------------------------------------

  void sum_to(const Tensor& x, const Tensor& y, bool accumulate) override {
    assert((y.rows() == x.rows() || y.rows() == 1) && (y.cols() == x.cols() || y.cols() == 1));
    if (!accumulate) fill(y, 0.0);
    for (std::int64_t r = 0; r < x.rows(); ++r) {
      for (std::int64_t c = 0; c < x.cols(); ++c) {
        data(y)[(y.rows() == 1 ? 0 : r) * y.cols() + (y.cols() == 1 ? 0 : c)] += data(x)[r * x.cols() + c];
      }
    }
  }

  void row_dot(const Tensor& a, const Tensor& b, const Tensor& y) override {
    assert(same_shape(a, b) && y.rows() == a.rows() && y.cols() == 1);
    for (std::int64_t r = 0; r < a.rows(); ++r) {
      double sum = 0.0;
      for (std::int64_t c = 0; c < a.cols(); ++c) sum += data(a)[r * a.cols() + c] * data(b)[r * a.cols() + c];
      data(y)[r] = sum;
    }
  }

  void softmax(const Tensor& x, const Tensor& y) override {
    assert(same_shape(x, y));
    for (std::int64_t r = 0; r < x.rows(); ++r) {
      const RowSum sum = exponential_sum(x, r);
      for (std::int64_t e = r * x.cols(); e < (r + 1) * x.cols(); ++e) {
        data(y)[e] = std::exp(data(x)[e] - sum.largest) / sum.scaled;
      }
    }
  }

  void softmax_gradient(const Tensor& y, const Tensor& dy, const Tensor& dx, bool accumulate) override {
    assert(same_shape(y, dy) && same_shape(y, dx));
    for (std::int64_t r = 0; r < y.rows(); ++r) {
      double dot = 0.0;
      for (std::int64_t e = r * y.cols(); e < (r + 1) * y.cols(); ++e) dot += data(y)[e] * data(dy)[e];
      for (std::int64_t e = r * y.cols(); e < (r + 1) * y.cols(); ++e) {
        put(data(dx)[e], data(y)[e] * (data(dy)[e] - dot), accumulate);
      }
    }
  }

  void log_sum_exp(const Tensor& x, const Tensor& y) override {
    assert(y.rows() == x.rows() && y.cols() == 1);
    for (std::int64_t r = 0; r < x.rows(); ++r) {
      const RowSum sum = exponential_sum(x, r);
      data(y)[r] = sum.largest + std::log(sum.scaled);
    }
  }

  void gather(const Tensor& x, std::span<const std::int32_t> ids, const Tensor& y) override {
    assert(as_size(y.rows()) == ids.size() && y.cols() == x.cols());
    for (std::size_t p = 0; p < ids.size(); ++p) {
      assert(ids[p] >= 0 && ids[p] < x.rows());
      std::copy_n(data(x) + ids[p] * x.cols(), x.cols(), data(y) + static_cast<std::int64_t>(p) * x.cols());
    }
  }

  void add_rows(const Tensor& x, std::span<const std::int32_t> ids, const Tensor& y) override {
    assert(as_size(x.rows()) == ids.size() && y.cols() == x.cols());
    for (std::size_t p = 0; p < ids.size(); ++p) {
      for (std::int64_t c = 0; c < x.cols(); ++c) {
        data(y)[ids[p] * x.cols() + c] += data(x)[static_cast<std::int64_t>(p) * x.cols() + c];
      }
    }
  }

  void sum_by_place(const Tensor& x, const IndexList& list, const Tensor& y) override {
    assert(x.rows() == list.size() && as_size(y.rows()) == list.distinct().size() && y.cols() == x.cols());
    fill(y, 0.0);
    for (std::int64_t p = 0; p < list.size(); ++p) {
      const std::int64_t place = list.places()[as_size(p)];
      for (std::int64_t c = 0; c < x.cols(); ++c) data(y)[place * x.cols() + c] += data(x)[p * x.cols() + c];
    }
  }

  void copy_block(const Tensor& x, Corner from, const Tensor& y, Corner to, std::int64_t rows, std::int64_t cols,
                  bool accumulate) override {
    assert(from.row + rows <= x.rows() && from.col + cols <= x.cols());
    assert(to.row + rows <= y.rows() && to.col + cols <= y.cols());
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < cols; ++c) {
        put(data(y)[(to.row + r) * y.cols() + to.col + c], data(x)[(from.row + r) * x.cols() + from.col + c],
            accumulate);
      }
    }
  }

  // Products ---------------------------------------------------------------------------------------------------------

  void matmul(const Operand& a, const Operand& b, const Tensor& y, bool accumulate) override {
    const Side left(a);
    const Side right(b);
    assert(left.cols() == right.rows() && y.rows() == left.rows() && y.cols() == right.cols());
    for (std::int64_t r = 0; r < y.rows(); ++r) {
      for (std::int64_t c = 0; c < y.cols(); ++c) {
        double sum = 0.0;
        for (std::int64_t k = 0; k < left.cols(); ++k) sum += left(r, k) * right(k, c);
        put(data(y)[r * y.cols() + c], sum, accumulate);
      }
    }
  }

  void spmm(const Sparse& s, bool transposed, const Tensor& x, const Tensor& y, bool accumulate) override {
    const Csr& matrix = oriented(s, transposed);
    assert(matrix.cols == x.rows() && matrix.rows == y.rows() && x.cols() == y.cols());
    for (std::int64_t r = 0; r < matrix.rows; ++r) sparse_row(matrix, r, x, data(y) + r * y.cols(), accumulate);
  }

  void spmm_rows(const Sparse& s, bool transposed, std::span<const std::int32_t> rows, const Tensor& x,
                 const Tensor& y) override {
    const Csr& matrix = oriented(s, transposed);
    assert(matrix.cols == x.rows() && as_size(y.rows()) == rows.size() && x.cols() == y.cols());
    for (std::size_t p = 0; p < rows.size(); ++p) {
      sparse_row(matrix, rows[p], x, data(y) + static_cast<std::int64_t>(p) * y.cols(), false);
    }
  }

  void spmm_from_rows(const Sparse& s, bool transposed, std::span<const std::int32_t> ids, const Tensor& x,
                      const Tensor& y, bool accumulate) override {
    const Csr& matrix = oriented(s, transposed);
    assert(matrix.rows == y.rows() && as_size(x.rows()) == ids.size() && x.cols() == y.cols());
    const Tensor whole = allocate(matrix.cols, x.cols());
    fill(whole, 0.0);
    add_rows(x, ids, whole);
    spmm(s, transposed, whole, y, accumulate);
  }

  // Optimiser --------------------------------------------------------------------------------------------------------

  void adam(const AdamConstants& constants, std::span<const AdamStep> steps, std::int64_t until, const AdamState& state,
            std::span<std::int64_t> done, std::optional<std::span<const std::int32_t>> rows,
            const Tensor* gradient) override {
    const std::int64_t cols = state.value.cols();
    const std::int64_t count = rows ? static_cast<std::int64_t>(rows->size()) : state.value.rows();
    assert(until <= static_cast<std::int64_t>(steps.size()));
    assert(gradient == nullptr || (gradient->rows() == count && gradient->cols() == cols));
    for (std::int64_t p = 0; p < count; ++p) {
      const std::int64_t r = rows ? (*rows)[as_size(p)] : p;
      for (std::int64_t t = done[as_size(r)]; t < until; ++t) {
        const bool with_gradient = gradient != nullptr && t == until - 1;
        for (std::int64_t c = 0; c < cols; ++c) {
          adam_element(constants, steps[as_size(t)], state, r * cols + c,
                       with_gradient ? data(*gradient)[p * cols + c] : 0.0);
        }
      }
      done[as_size(r)] = until;
    }
  }

 private:
  /// The sum of e^x over a row is e^largest * scaled.
  struct RowSum {
    double largest = -std::numeric_limits<double>::infinity();
    double scaled = 0.0;
  };
  static RowSum exponential_sum(const Tensor& x, std::int64_t r) {
    const std::span<const double> row(data(x) + r * x.cols(), as_size(x.cols()));
    RowSum sum;
    for (const double value : row) sum.largest = std::max(sum.largest, value);
    for (const double value : row) sum.scaled += std::exp(value - sum.largest);
    return sum;
  }

  static void sparse_row(const Csr& matrix, std::int64_t r, const Tensor& x, double* y, bool accumulate) {
    for (std::int64_t c = 0; c < x.cols(); ++c) {
      double sum = 0.0;
      for (std::int64_t e = matrix.row_offsets[as_size(r)]; e < matrix.row_offsets[as_size(r) + 1]; ++e) {
        sum += static_cast<double>(matrix.weights[as_size(e)]) * data(x)[matrix.columns[as_size(e)] * x.cols() + c];
      }
      put(y[c], sum, accumulate);
    }
  }

  static void adam_element(const AdamConstants& constants, const AdamStep& step, const AdamState& state,
                           std::int64_t element, double gradient) {
    double& value = data(state.value)[element];
    double& first = data(state.first)[element];
    double& second = data(state.second)[element];
    const double g = gradient + constants.weight_decay * value;
    first = constants.beta1 * first + (1.0 - constants.beta1) * g;
    second = constants.beta2 * second + (1.0 - constants.beta2) * g * g;
    const double root = std::sqrt(second) / std::sqrt(step.correction2);
    value -= step.learning_rate / step.correction1 * first / (root + constants.epsilon);
  }
};

}  // namespace

std::unique_ptr<Backend> cpu_reference_backend() { return std::make_unique<ReferenceBackend>(); }

}  // namespace graft::autodiff
