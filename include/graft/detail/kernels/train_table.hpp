// The kernels of training for one instruction set, as plain function pointers. As in table.hpp: raw pointers only.
//
// Sums have a fixed order, the same for every width of vector: avx2 and avx512 give equal bits. Arrays need no
// alignment.
#pragma once

#include <stdint.h>

#include <graft/detail/kernels/table.hpp>

namespace graft::detail::kernels {

/// y = f(x), p being the function's parameter.
enum class Function {
  scale,        ///< p x
  shift,        ///< x + p
  square,       ///< x^2
  square_root,  ///< sqrt(x)
  reciprocal,   ///< 1 / x
  exponential,  ///< e^x; 0 below -87
  sigmoid,      ///< 1 / (1 + e^-x)
  leaky_relu,   ///< x if x > 0, else p x
  at_least      ///< max(x, p)
};

/// f'(x), from what the forward pass knew. (That of a constant factor is combine's.)
enum class Slope {
  square,       ///< 2 x
  square_root,  ///< 1 / (2 y), 0 where y is 0
  reciprocal,   ///< -y^2
  exponential,  ///< y
  logarithm,    ///< 1 / x
  sigmoid,      ///< y (1 - y)
  tanh,         ///< 1 - y^2
  leaky_relu,   ///< 1 if x > 0, else p
  softplus,     ///< sigmoid(x)
  at_least      ///< 1 if x >= p, else 0
};

enum class Operation { add, subtract, multiply, divide };

/// Rows of a CSR matrix.
struct SparseRows {
  const int64_t* offsets;
  const int32_t* columns;
  const float* weights;
  const int32_t* selected;  ///< row p is row selected[p] of the matrix, or row p where null
};

struct AdamNumbers {
  float beta1;
  float rest1;  ///< 1 - beta1
  float beta2;
  float rest2;  ///< 1 - beta2
  float epsilon;
  float weight_decay;
};

struct AdamStepNumbers {
  float rate;          ///< learning rate / (1 - beta1^t)
  float inverse_root;  ///< 1 / sqrt(1 - beta2^t)
};

/// Elements of a parameter that take the same steps.
struct AdamElements {
  float* value;
  float* first;
  float* second;
  const float* gradient;  ///< of the last step; null: 0
  int64_t count;
};

struct TrainTable {
  const char* name;

  // Elements. y may be x or a.
  void (*map)(Function f, float p, const float* x, float* y, int64_t count);
  /// dx (+)= dy f'(x)
  void (*slope)(Slope f, float p, const float* x, const float* y, const float* dy, float* dx, int64_t count,
                bool accumulate);
  void (*combine)(Operation op, const float* a, const float* b, float* y, int64_t count);
  void (*combine_one)(Operation op, const float* a, float b, float* y, int64_t count);
  void (*add_scaled)(float factor, const float* x, float* y, int64_t count);  ///< y += factor x

  // Sums.
  double (*sum)(const float* x, int64_t count);
  float (*dot)(const float* a, const float* b, int64_t count);
  void (*add_rows)(const float* x, int64_t rows, int64_t cols, float* y);  ///< y[c] = sum of x[r, c] over ascending r
  void (*softmax)(const float* x, float* y, int64_t count);
  float (*log_sum_exp)(const float* x, int64_t count);  ///< -infinity for none
  /// dx (+)= y (dy - <y, dy>)
  void (*softmax_slope)(const float* y, const float* dy, float* dx, int64_t count, bool accumulate);

  // Products.
  int micro_rows;  ///< rows of a product come in multiples of it
  int panel_rows;  ///< columns of a product come in multiples of it; packed as in table.hpp
  /// scores[r * kTileRows + c] (+)= sum over ascending k of a(r, k) * b(c, k) for the first `a_rows` rows of panels
  /// `a`.
  void (*product)(const float* a, int a_rows, const float* b, int b_panels, int64_t depth, bool accumulate,
                  float* scores);
  /// out[k * stride + l] = lines[l][k]; `count` is a multiple of the vectors' width, as 16 and panel_rows are.
  void (*transpose)(const float* const* lines, int count, int64_t depth, float* out, int64_t stride);
  /// Packs rows lines[k][0 ... count) as panels: line c of the panels is column c; padding is 0.
  void (*pack)(const float* const* lines, int64_t depth, int count, float* out);
  /// y[p] (+)= sum over the edges of row p, in their order, of weight * x[column], for p in [begin, end).
  void (*spmm)(const SparseRows& s, int64_t begin, int64_t end, const float* x, int64_t cols, float* y,
               bool accumulate);

  // Optimiser.
  /// Takes `steps` steps, all with gradient 0 but the last.
  void (*adam)(const AdamNumbers& numbers, const AdamStepNumbers* steps, int64_t step_count,
               const AdamElements& elements);
};

}  // namespace graft::detail::kernels
