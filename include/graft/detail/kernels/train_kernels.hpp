// Kernels of training: packing for products, the optimiser, and the table of one instruction set.
#pragma once

#include <graft/detail/kernels/tile.hpp>
#include <graft/detail/kernels/train_rows.hpp>

namespace graft::detail::kernels {

template <class V>
void transpose(const float* const* lines, int count, int64_t depth, float* out, int64_t stride) {
  constexpr int64_t kAhead = 64;  // elements between asking for a part of a line and reading it
  for (int l = 0; l < count; l += V::width) {
    typename V::reg r[V::width];
    int64_t k = 0;
    for (; k + V::width <= depth; k += V::width) {
#pragma GCC unroll 16
      for (int i = 0; i < V::width; ++i) {
        __builtin_prefetch(lines[l + i] + k + kAhead);
        r[i] = V::load(lines[l + i] + k);
      }
      V::transpose(r);
#pragma GCC unroll 16
      for (int i = 0; i < V::width; ++i) V::store(out + (k + i) * stride + l, r[i]);
    }
    if (k == depth) continue;
    const int left = static_cast<int>(depth - k);
    for (int i = 0; i < V::width; ++i) r[i] = V::load_part(lines[l + i] + k, left);
    V::transpose(r);
    for (int i = 0; i < left; ++i) V::store(out + (k + i) * stride + l, r[i]);
  }
}

template <class V, int kVectors>
void pack(const float* const* lines, int64_t depth, int count, float* out) {
  constexpr int kPanel = kVectors * V::width;
  constexpr int64_t kAhead = 12;  // lines between asking for one and reading it
  for (int64_t k = 0; k < depth; ++k) {
    const float* line = lines[k];
    const float* ahead = lines[k + kAhead < depth ? k + kAhead : k];
    float* to = out + k * kPanel;
    for (int c = 0; c < count; c += kPanel, to += depth * kPanel) {
      for (int p = c; p < c + kPanel && p < count; p += 16) __builtin_prefetch(ahead + p);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        const int left = count - c - v * V::width;
        const float* from = line + c + v * V::width;
        if (left >= V::width) {
          V::store(to + v * V::width, V::load(from));
        } else {
          V::store(to + v * V::width, left > 0 ? V::load_part(from, left) : V::zero());
        }
      }
    }
  }
}

/// Adam on one vector. Moments below 1e-30 become 0, where no step could tell the difference: left alone they would end
/// as denormal numbers, and these cost a hundred times as much.
template <class V>
struct AdamVector {
  typename V::reg value;
  typename V::reg first;
  typename V::reg second;

  template <class Io>
  __attribute__((always_inline)) void load(const AdamElements& e, int64_t i, Io io) {
    value = io.load(e.value + i);
    first = io.load(e.first + i);
    second = io.load(e.second + i);
  }
  template <class Io>
  __attribute__((always_inline)) void store(const AdamElements& e, int64_t i, Io io) const {
    io.store(e.value + i, value);
    io.store(e.first + i, first);
    io.store(e.second + i, second);
  }

  __attribute__((always_inline)) void step(const AdamNumbers& n, const AdamStepNumbers& s, typename V::reg gradient) {
    const typename V::reg g = V::multiply_add(gradient, constant<V>(n.weight_decay), value);
    first = flushed(V::multiply_add(V::multiply(constant<V>(n.rest1), g), constant<V>(n.beta1), first));
    second =
        flushed(V::multiply_add(V::multiply(constant<V>(n.beta2), second), V::multiply(constant<V>(n.rest2), g), g));
    const typename V::reg root =
        V::multiply_add(constant<V>(n.epsilon), V::square_root(second), constant<V>(s.inverse_root));
    value = V::subtract(value, V::divide(V::multiply(constant<V>(s.rate), first), root));
  }

 private:
  static typename V::reg flushed(typename V::reg v) {
    return V::where_less(V::absolute(v), constant<V>(1e-30F), V::zero(), v);
  }
};

template <class V>
void adam(const AdamNumbers& numbers, const AdamStepNumbers* steps, int64_t step_count, const AdamElements& e) {
  const AdamNumbers n = numbers;
  const int64_t last = step_count - 1;
  const auto gradient = [&](int64_t i, auto io) { return e.gradient == nullptr ? V::zero() : io.load(e.gradient + i); };
  int64_t i = 0;
  for (; i + 4 * V::width <= e.count; i += 4 * V::width) {  // four at a time hide the latency of root and quotient
    AdamVector<V> vectors[4];
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) vectors[v].load(e, i + v * V::width, WholeVector<V>{});
    for (int64_t s = 0; s < last; ++s) {
      const AdamStepNumbers step = steps[s];
#pragma GCC unroll 4
      for (AdamVector<V>& vector : vectors) vector.step(n, step, V::zero());
    }
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) vectors[v].step(n, steps[last], gradient(i + v * V::width, WholeVector<V>{}));
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) vectors[v].store(e, i + v * V::width, WholeVector<V>{});
  }
  const AdamElements rest{e.value + i, e.first + i, e.second + i, e.gradient == nullptr ? nullptr : e.gradient + i,
                          e.count - i};
  for_vectors<V>(rest.count, [&](int64_t at, auto io) {
    AdamVector<V> vector{};
    vector.load(rest, at, io);
    for (int64_t s = 0; s < last; ++s) vector.step(n, steps[s], V::zero());
    vector.step(n, steps[last], rest.gradient == nullptr ? V::zero() : io.load(rest.gradient + at));
    vector.store(rest, at, io);
  });
}

template <class V, int kRows, int kVectors>
constexpr TrainTable make_train_table(const char* name) {
  return {name,
          &map<V>,
          &slope<V>,
          &combine<V>,
          &combine_one<V>,
          &add_scaled<V>,
          &sum<V>,
          &dot<V>,
          &add_rows<V>,
          &softmax<V>,
          &log_sum_exp<V>,
          &softmax_slope<V>,
          kRows,
          kVectors * V::width,
          &score_rows<V, DotStep<V>, kRows, kVectors>,
          &transpose<V>,
          &pack<V, kVectors>,
          &spmm<V>,
          &adam<V>};
}

}  // namespace graft::detail::kernels
