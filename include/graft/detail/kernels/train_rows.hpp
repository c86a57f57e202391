// Kernels of training that sum: along rows, over rows, and over the edges of a sparse row.
#pragma once

#include <graft/detail/kernels/train_elements.hpp>

namespace graft::detail::kernels {

/// Sums run in this many lanes, whatever the width of a vector, so that it changes no bit.
inline constexpr int kLanes = 16;

/// Elements whose sum is taken in float; such sums are then added in double.
inline constexpr int64_t kSumBlock = 512;

template <class V>
struct Lanes {
  static constexpr int kParts = kLanes / V::width;
  typename V::reg part[kParts];
};

template <class V>
inline __attribute__((always_inline)) Lanes<V> no_lanes() {
  Lanes<V> lanes{};
  for (int p = 0; p < Lanes<V>::kParts; ++p) lanes.part[p] = V::zero();
  return lanes;
}

/// Calls step(accumulator, i, io) for all vectors, each time with the accumulator of the lanes that i falls into.
template <class V, class Step>
inline __attribute__((always_inline)) Lanes<V> fold(int64_t count, Lanes<V> lanes, const Step& step) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
#pragma GCC unroll 4
    for (int p = 0; p < Lanes<V>::kParts; ++p) step(lanes.part[p], i + p * V::width, WholeVector<V>{});
  }
#pragma GCC unroll 4
  for (int p = 0; p < Lanes<V>::kParts; ++p) {
    const int64_t at = i + p * V::width;
    if (at < count) {
      const int left = static_cast<int>(count - at < V::width ? count - at : V::width);
      step(lanes.part[p], at, PartOfVector<V>{left});
    }
  }
  return lanes;
}

template <class V>
inline __attribute__((always_inline)) void read_lanes(const Lanes<V>& lanes, float* values) {
  for (int p = 0; p < Lanes<V>::kParts; ++p) V::store(values + p * V::width, lanes.part[p]);
}

template <class V>
double sum(const float* x, int64_t count) {
  double total = 0.0;
  for (int64_t begin = 0; begin < count; begin += kSumBlock) {
    const int64_t block = count - begin < kSumBlock ? count - begin : kSumBlock;
    float values[kLanes];
    read_lanes<V>(fold<V>(block, no_lanes<V>(),
                          [&](auto& acc, int64_t i, auto io) { acc = V::add(acc, io.load(x + begin + i)); }),
                  values);
    double block_sum = 0.0;
    for (const float value : values) block_sum += static_cast<double>(value);
    total += block_sum;
  }
  return total;
}

template <class V>
float dot(const float* a, const float* b, int64_t count) {
  float values[kLanes];
  read_lanes<V>(
      fold<V>(count, no_lanes<V>(),
              [&](auto& acc, int64_t i, auto io) { acc = V::multiply_add(acc, io.load(a + i), io.load(b + i)); }),
      values);
  for (int half = kLanes / 2; half > 0; half /= 2) {
    for (int lane = 0; lane < half; ++lane) values[lane] += values[lane + half];
  }
  return values[0];
}

template <class V>
void add_rows(const float* x, int64_t rows, int64_t cols, float* y) {
  for_vectors<V>(cols, [&](int64_t c, auto io) {
    typename V::reg acc = V::zero();
    for (int64_t r = 0; r < rows; ++r) acc = V::add(acc, io.load(x + r * cols + c));
    io.store(y + c, acc);
  });
}

/// NaN only if every element is NaN.
template <class V>
float largest(const float* x, int64_t count) {
  float result = -__builtin_inff();
  int64_t i = 0;
  if (count >= V::width) {
    typename V::reg most = V::load(x);
    for (; i + V::width <= count; i += V::width) most = V::maximum(V::load(x + i), most);
    float lanes[V::width];
    V::store(lanes, most);
    for (const float lane : lanes) result = lane > result ? lane : result;
  }
  for (; i < count; ++i) result = x[i] > result ? x[i] : result;
  return result;
}

/// y = e^(x - shift); gives its sum.
template <class V>
double shifted_exponentials(const float* x, float shift, float* y, int64_t count) {
  const typename V::reg repeated = constant<V>(shift);
  for_vectors<V>(count,
                 [&](int64_t i, auto io) { io.store(y + i, exponential<V>(V::subtract(io.load(x + i), repeated))); });
  return sum<V>(y, count);
}

template <class V>
void softmax(const float* x, float* y, int64_t count) {
  const double total = shifted_exponentials<V>(x, largest<V>(x, count), y, count);
  map<V>(Function::scale, static_cast<float>(1.0 / total), y, y, count);
}

template <class V>
float log_sum_exp(const float* x, int64_t count) {
  const float most = largest<V>(x, count);
  if (most == -__builtin_inff()) return most;
  double total = 0.0;
  for (int64_t begin = 0; begin < count; begin += kSumBlock) {
    float values[kSumBlock];
    total += shifted_exponentials<V>(x + begin, most, values, count - begin < kSumBlock ? count - begin : kSumBlock);
  }
  return most + static_cast<float>(__builtin_log(total));
}

template <class V>
void softmax_slope(const float* y, const float* dy, float* dx, int64_t count, bool accumulate) {
  const typename V::reg mean = constant<V>(dot<V>(y, dy, count));
  const auto value = [&](int64_t i, auto io) {
    return V::multiply(io.load(y + i), V::subtract(io.load(dy + i), mean));
  };
  if (accumulate) {
    for_vectors<V>(count, [&](int64_t i, auto io) { io.store(dx + i, V::add(io.load(dx + i), value(i, io))); });
  } else {
    for_vectors<V>(count, [&](int64_t i, auto io) { io.store(dx + i, value(i, io)); });
  }
}

/// One row of a sparse product, kVectors vectors of columns at a time: their sums stay in registers.
/// @param next  end of the edges that follow and will be wanted soon: rows of x are asked for beyond the end of this
/// row
template <class V, int kVectors>
inline __attribute__((always_inline)) void sparse_row(const SparseRows& s, int64_t begin, int64_t end, int64_t next,
                                                      const float* x, int64_t cols, float* y, bool accumulate) {
  constexpr int64_t kAhead = 12;  // edges between asking for a row of x and using it
  constexpr int kLine = 16;       // floats of a cache line
  typename V::reg acc[kVectors];
#pragma GCC unroll 16
  for (int v = 0; v < kVectors; ++v) acc[v] = accumulate ? V::load(y + v * V::width) : V::zero();
  for (int64_t e = begin; e < end; ++e) {
    const float* ahead = x + s.columns[e + kAhead < next ? e + kAhead : e] * cols;
#pragma GCC unroll 8
    for (int c = 0; c < kVectors * V::width; c += kLine) __builtin_prefetch(ahead + c);
    const typename V::reg weight = V::broadcast(s.weights + e);
    const float* row = x + s.columns[e] * cols;
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) acc[v] = V::multiply_add(acc[v], weight, V::load(row + v * V::width));
  }
#pragma GCC unroll 16
  for (int v = 0; v < kVectors; ++v) V::store(y + v * V::width, acc[v]);
}

template <class V>
inline __attribute__((always_inline)) void sparse_row_part(const SparseRows& s, int64_t begin, int64_t end,
                                                           const float* x, int64_t cols, float* y, bool accumulate,
                                                           int count) {
  typename V::reg acc = accumulate ? V::load_part(y, count) : V::zero();
  for (int64_t e = begin; e < end; ++e) {
    acc = V::multiply_add(acc, V::broadcast(s.weights + e), V::load_part(x + s.columns[e] * cols, count));
  }
  V::store_part(y, acc, count);
}

template <class V>
void spmm(const SparseRows& s, int64_t begin, int64_t end, const float* x, int64_t cols, float* y, bool accumulate) {
  constexpr int kMost = V::width >= 8 ? 8 : 4;  // what the registers hold
  const int64_t edges = s.selected == nullptr && begin < end ? s.offsets[end] : 0;
  for (int64_t p = begin; p < end; ++p) {
    const int64_t row = s.selected == nullptr ? p : s.selected[p];
    const int64_t first = s.offsets[row];
    const int64_t last = s.offsets[row + 1];
    const int64_t next = last < edges ? edges : last;
    float* out = y + p * cols;
    int64_t c = 0;
    for (; c + kMost * V::width <= cols; c += kMost * V::width) {
      sparse_row<V, kMost>(s, first, last, next, x + c, cols, out + c, accumulate);
    }
    for (; c + 4 * V::width <= cols; c += 4 * V::width) {
      sparse_row<V, 4>(s, first, last, next, x + c, cols, out + c, accumulate);
    }
    for (; c + V::width <= cols; c += V::width) {
      sparse_row<V, 1>(s, first, last, next, x + c, cols, out + c, accumulate);
    }
    if (c < cols) {
      sparse_row_part<V>(s, first, last, x + c, cols, out + c, accumulate, static_cast<int>(cols - c));
    }
  }
}

}  // namespace graft::detail::kernels
