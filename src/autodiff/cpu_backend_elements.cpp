// Functions of single elements.
#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstdint>

#include "autodiff/cpu_backend.hpp"
#include "data/random.hpp"

namespace graft::autodiff {
namespace {

using detail::kernels::Function;
using detail::kernels::Slope;
using KernelOperation = detail::kernels::Operation;

// Work in nanoseconds an element, on one core.
constexpr double kLight = 0.2;         // vectors, from cache
constexpr double kExponential = 1.0;   // a polynomial in vectors
constexpr double kLogarithm = 10.0;    // the mathematics library, one at a time
constexpr double kRandomNumber = 5.0;  // ten rounds for four

/// log(1 + e^x), without overflow for large x and without loss for small.
float softplus(float x) { return std::max(x, 0.0F) + std::log1p(std::exp(-std::abs(x))); }

KernelOperation kernel_operation(Binary op) {
  switch (op) {
    case Binary::add:
      return KernelOperation::add;
    case Binary::subtract:
      return KernelOperation::subtract;
    case Binary::multiply:
      return KernelOperation::multiply;
    case Binary::divide:
      break;
  }
  return KernelOperation::divide;
}

struct VectorFunction {
  Function function;
  double p;
  double work;
};

/// What the kernels compute; nothing for what the mathematics library does.
std::optional<VectorFunction> vector_function(Unary f, double p) {
  switch (f) {
    case Unary::scale:
      return VectorFunction{Function::scale, p, kLight};
    case Unary::shift:
      return VectorFunction{Function::shift, p, kLight};
    case Unary::square:
      return VectorFunction{Function::square, p, kLight};
    case Unary::square_root:
      return VectorFunction{Function::square_root, p, kExponential};
    case Unary::reciprocal:
      return VectorFunction{Function::reciprocal, p, kExponential};
    case Unary::exponential:
      return VectorFunction{Function::exponential, p, kExponential};
    case Unary::sigmoid:
      return VectorFunction{Function::sigmoid, p, kExponential};
    case Unary::relu:
      return VectorFunction{Function::at_least, 0.0, kLight};
    case Unary::leaky_relu:
      return VectorFunction{Function::leaky_relu, p, kLight};
    case Unary::at_least:
      return VectorFunction{Function::at_least, p, kLight};
    case Unary::logarithm:
    case Unary::tanh:
    case Unary::softplus:
      break;
  }
  return std::nullopt;
}

float scalar_function(Unary f, float x) {
  switch (f) {
    case Unary::logarithm:
      return std::log(x);
    case Unary::tanh:
      return std::tanh(x);
    default:
      return softplus(x);
  }
}

Slope slope(Unary f) {
  switch (f) {
    case Unary::square:
      return Slope::square;
    case Unary::square_root:
      return Slope::square_root;
    case Unary::reciprocal:
      return Slope::reciprocal;
    case Unary::exponential:
      return Slope::exponential;
    case Unary::logarithm:
      return Slope::logarithm;
    case Unary::sigmoid:
      return Slope::sigmoid;
    case Unary::tanh:
      return Slope::tanh;
    case Unary::softplus:
      return Slope::softplus;
    case Unary::at_least:
      return Slope::at_least;
    default:
      return Slope::leaky_relu;
  }
}

}  // namespace

void CpuBackend::fill(const Tensor& y, double value) {
  run_blocks(y.size(), kLight, [&](std::int64_t begin, std::int64_t end) {
    std::fill(floats(y) + begin, floats(y) + end, static_cast<float>(value));
  });
}

void CpuBackend::map(Unary f, double p, const Tensor& x, const Tensor& y) {
  assert(same_shape(x, y));
  if (const auto vector = vector_function(f, p)) {
    run_blocks(x.size(), vector->work, [&](std::int64_t begin, std::int64_t end) {
      kernels_.map(vector->function, static_cast<float>(vector->p), floats(x) + begin, floats(y) + begin, end - begin);
    });
    return;
  }
  run_blocks(x.size(), kLogarithm, [&](std::int64_t begin, std::int64_t end) {
    std::transform(floats(x) + begin, floats(x) + end, floats(y) + begin,
                   [f](float value) { return scalar_function(f, value); });
  });
}

void CpuBackend::map_gradient(Unary f, double p, const Tensor& x, const Tensor& y, const Tensor& dy, const Tensor& dx,
                              bool accumulate) {
  assert(same_shape(dy, dx));
  assert(!gradient_reads_input(f) || same_shape(x, dx));
  assert(!gradient_reads_output(f) || same_shape(y, dx));
  const bool constant = f == Unary::scale || f == Unary::shift;
  const double factor = f == Unary::scale ? p : 1.0;
  // What is not read need not be there; the output of relu tells where the input was positive.
  const float* output = gradient_reads_output(f) ? floats(y) : floats(dy);
  const float* input = gradient_reads_input(f) ? floats(x) : output;
  const auto parameter = static_cast<float>(f == Unary::relu ? 0.0 : p);
  run_blocks(dx.size(), f == Unary::softplus ? kExponential : kLight, [&](std::int64_t begin, std::int64_t end) {
    float* to = floats(dx) + begin;
    const float* from = floats(dy) + begin;
    if (!constant) {
      kernels_.slope(slope(f), parameter, input + begin, output + begin, from, to, end - begin, accumulate);
    } else if (accumulate) {
      kernels_.add_scaled(static_cast<float>(factor), from, to, end - begin);
    } else {
      kernels_.map(Function::scale, static_cast<float>(factor), from, to, end - begin);
    }
  });
}

void CpuBackend::combine(Binary op, const Tensor& a, const Tensor& b, const Tensor& y) {
  assert(same_shape(a, y));
  assert((b.rows() == a.rows() || b.rows() == 1) && (b.cols() == a.cols() || b.cols() == 1));
  const KernelOperation operation_ = kernel_operation(op);
  const std::int64_t cols = a.cols();
  if (same_shape(a, b)) {
    run_blocks(a.size(), kLight, [&](std::int64_t begin, std::int64_t end) {
      kernels_.combine(operation_, floats(a) + begin, floats(b) + begin, floats(y) + begin, end - begin);
    });
  } else if (b.rows() == 1 && b.cols() == 1) {
    run_blocks(a.size(), kLight, [&](std::int64_t begin, std::int64_t end) {
      kernels_.combine_one(operation_, floats(a) + begin, *floats(b), floats(y) + begin, end - begin);
    });
  } else {
    const bool one_row = b.rows() == 1;
    run_blocks(a.rows(), 5.0 + kLight * static_cast<double>(cols), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        const float* from = floats(a) + r * cols;
        float* to = floats(y) + r * cols;
        if (one_row) {
          kernels_.combine(operation_, from, floats(b), to, cols);
        } else {
          kernels_.combine_one(operation_, from, floats(b)[r], to, cols);
        }
      }
    });
  }
}

void CpuBackend::add_scaled(double factor, const Tensor& x, const Tensor& y) {
  assert(same_shape(x, y));
  run_blocks(x.size(), kLight, [&](std::int64_t begin, std::int64_t end) {
    kernels_.add_scaled(static_cast<float>(factor), floats(x) + begin, floats(y) + begin, end - begin);
  });
}

void CpuBackend::dropout_mask(RandomKey key, double keep, const Tensor& y) {
  constexpr std::int64_t kNumbers = 4;  // that a counter gives
  const auto low = [](std::uint64_t bits) { return static_cast<std::uint32_t>(bits); };
  const auto high = [](std::uint64_t bits) { return static_cast<std::uint32_t>(bits >> 32U); };
  const auto bound = static_cast<std::uint64_t>(std::ceil(keep * 0x1p32));
  const auto kept = static_cast<float>(1.0 / keep);
  const std::int64_t counters = (y.size() + kNumbers - 1) / kNumbers;
  run_blocks(counters, kNumbers * kRandomNumber, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t c = begin; c < end; ++c) {
      const auto counter = static_cast<std::uint64_t>(c);
      const std::array<std::uint32_t, kNumbers> words = data::philox4x32(
          {low(counter), high(counter), low(key.stream), high(key.stream)}, {low(key.seed), high(key.seed)});
      const std::int64_t count = std::min(kNumbers, y.size() - c * kNumbers);
      for (std::int64_t w = 0; w < count; ++w) {
        floats(y)[c * kNumbers + w] = words[static_cast<std::size_t>(w)] < bound ? kept : 0.0F;
      }
    }
  });
}

}  // namespace graft::autodiff
