// Kernels of training, element by element and along rows, over a vector type V (see tile.hpp).
//
// V gives, beside what tile.hpp needs: load_part and store_part (the first lanes; the others read as 0), add, subtract,
// multiply, divide, square_root, absolute, minimum(bound, v) and maximum(bound, v) (v where v is NaN),
// where_greater(v, t, yes, no), where_less(...), power_of_two (below) and transpose (of width x width).
#pragma once

#include <graft/detail/kernels/train_table.hpp>

namespace graft::detail::kernels {

template <class V>
struct WholeVector {
  typename V::reg load(const float* p) const { return V::load(p); }
  void store(float* p, typename V::reg v) const { V::store(p, v); }
};

template <class V>
struct PartOfVector {
  int count;
  typename V::reg load(const float* p) const { return V::load_part(p, count); }
  void store(float* p, typename V::reg v) const { V::store_part(p, v, count); }
};

/// Calls body(i, io) for vectors at i; io loads and stores, at the end only what is left.
template <class V, class Body>
inline __attribute__((always_inline)) void for_vectors(int64_t count, const Body& body) {
  int64_t i = 0;
  for (; i + V::width <= count; i += V::width) body(i, WholeVector<V>{});
  if (i < count) body(i, PartOfVector<V>{static_cast<int>(count - i)});
}

template <class V>
inline __attribute__((always_inline)) typename V::reg constant(float value) {
  return V::broadcast(&value);
}

/// e^x: x = n log 2 + r with |r| <= log(2) / 2, Taylor's polynomial for e^r (its error is 5e-9 of the value), and 2^n.
template <class V>
inline __attribute__((always_inline)) typename V::reg exponential(typename V::reg x) {
  using reg = typename V::reg;
  // NOLINTBEGIN(modernize-use-std-numbers): kernels use nothing of std
  constexpr float kLog2High = 0.693359375F;  // few bits: its product with n is exact
  constexpr float kLog2Low = -2.12194440054690583e-4F;
  constexpr float kLog2E = 1.44269504088896341F;
  // NOLINTEND(modernize-use-std-numbers)
  constexpr float kShift = 12582912.0F;  // 1.5 * 2^23: adding it rounds to a whole number, held in the low bits
  x = V::minimum(constant<V>(89.0F), V::maximum(constant<V>(-87.3F), x));
  const reg shifted = V::multiply_add(constant<V>(kShift), x, constant<V>(kLog2E));
  const reg n = V::subtract(shifted, constant<V>(kShift));
  reg r = V::multiply_add(x, n, constant<V>(-kLog2High));
  r = V::multiply_add(r, n, constant<V>(-kLog2Low));
  reg p = V::multiply_add(constant<V>(1.0F / 720.0F), r, constant<V>(1.0F / 5040.0F));
  p = V::multiply_add(constant<V>(1.0F / 120.0F), p, r);
  p = V::multiply_add(constant<V>(1.0F / 24.0F), p, r);
  p = V::multiply_add(constant<V>(1.0F / 6.0F), p, r);
  p = V::multiply_add(constant<V>(0.5F), p, r);
  p = V::multiply_add(constant<V>(1.0F), p, r);
  p = V::multiply_add(constant<V>(1.0F), p, r);
  // 2^n as 2 * 2^(n - 1): n = 128 has no float of its own, though r < 0 may bring the value back into range.
  const reg half = V::power_of_two(V::subtract(shifted, constant<V>(1.0F)));
  return V::multiply(V::multiply(p, half), constant<V>(2.0F));
}

/// Without overflow: e^-|x| is at most 1.
template <class V>
inline __attribute__((always_inline)) typename V::reg sigmoid(typename V::reg x) {
  const typename V::reg one = constant<V>(1.0F);
  const typename V::reg e = exponential<V>(V::subtract(V::zero(), V::absolute(x)));
  return V::divide(V::where_less(x, V::zero(), e, one), V::add(one, e));
}

template <class V, class F>
inline __attribute__((always_inline)) void map_with(const float* x, float* y, int64_t count, const F& f) {
  for_vectors<V>(count, [&](int64_t i, auto io) { io.store(y + i, f(io.load(x + i))); });
}

template <class V>
void map(Function f, float p, const float* x, float* y, int64_t count) {
  using reg = typename V::reg;
  const reg parameter = constant<V>(p);
  switch (f) {
    case Function::scale:
      return map_with<V>(x, y, count, [=](reg v) { return V::multiply(v, parameter); });
    case Function::shift:
      return map_with<V>(x, y, count, [=](reg v) { return V::add(v, parameter); });
    case Function::square:
      return map_with<V>(x, y, count, [](reg v) { return V::multiply(v, v); });
    case Function::square_root:
      return map_with<V>(x, y, count, [](reg v) { return V::square_root(v); });
    case Function::reciprocal:
      return map_with<V>(x, y, count, [](reg v) { return V::divide(constant<V>(1.0F), v); });
    case Function::exponential:
      return map_with<V>(x, y, count, [](reg v) { return exponential<V>(v); });
    case Function::sigmoid:
      return map_with<V>(x, y, count, [](reg v) { return sigmoid<V>(v); });
    case Function::leaky_relu:
      return map_with<V>(x, y, count,
                         [=](reg v) { return V::where_greater(v, V::zero(), v, V::multiply(v, parameter)); });
    case Function::at_least:
      return map_with<V>(x, y, count, [=](reg v) { return V::maximum(parameter, v); });
  }
}

template <class V, class F>
inline __attribute__((always_inline)) void slope_with(const float* x, const float* y, const float* dy, float* dx,
                                                      int64_t count, bool accumulate, const F& f) {
  if (accumulate) {
    for_vectors<V>(count, [&](int64_t i, auto io) {
      io.store(dx + i, V::add(io.load(dx + i), V::multiply(io.load(dy + i), f(io.load(x + i), io.load(y + i)))));
    });
  } else {
    for_vectors<V>(count, [&](int64_t i, auto io) {
      io.store(dx + i, V::multiply(io.load(dy + i), f(io.load(x + i), io.load(y + i))));
    });
  }
}

template <class V>
void slope(Slope f, float p, const float* x, const float* y, const float* dy, float* dx, int64_t count,
           bool accumulate) {
  using reg = typename V::reg;
  const reg one = constant<V>(1.0F);
  const reg parameter = constant<V>(p);
  const auto with = [&](const auto& derivative) { slope_with<V>(x, y, dy, dx, count, accumulate, derivative); };
  switch (f) {
    case Slope::square:
      return with([](reg v, reg) { return V::add(v, v); });
    case Slope::square_root:
      return with([](reg, reg w) {
        return V::where_greater(w, V::zero(), V::divide(constant<V>(0.5F), w), V::subtract(w, w));  // NaN stays NaN
      });
    case Slope::reciprocal:
      return with([](reg, reg w) { return V::subtract(V::zero(), V::multiply(w, w)); });
    case Slope::exponential:
      return with([](reg, reg w) { return w; });
    case Slope::logarithm:
      return with([=](reg v, reg) { return V::divide(one, v); });
    case Slope::sigmoid:
      return with([=](reg, reg w) { return V::multiply(w, V::subtract(one, w)); });
    case Slope::tanh:
      return with([=](reg, reg w) { return V::subtract(one, V::multiply(w, w)); });
    case Slope::leaky_relu:
      return with([=](reg v, reg) { return V::where_greater(v, V::zero(), one, parameter); });
    case Slope::softplus:
      return with([](reg v, reg) { return sigmoid<V>(v); });
    case Slope::at_least:
      return with([=](reg v, reg) { return V::where_less(v, parameter, V::zero(), one); });
  }
}

template <class V, class F>
inline __attribute__((always_inline)) void combine_with(Operation op, const F& with) {
  using reg = typename V::reg;
  switch (op) {
    case Operation::add:
      return with([](reg a, reg b) { return V::add(a, b); });
    case Operation::subtract:
      return with([](reg a, reg b) { return V::subtract(a, b); });
    case Operation::multiply:
      return with([](reg a, reg b) { return V::multiply(a, b); });
    case Operation::divide:
      return with([](reg a, reg b) { return V::divide(a, b); });
  }
}

template <class V>
void combine(Operation op, const float* a, const float* b, float* y, int64_t count) {
  combine_with<V>(op, [&](const auto& f) {
    for_vectors<V>(count, [&](int64_t i, auto io) { io.store(y + i, f(io.load(a + i), io.load(b + i))); });
  });
}

template <class V>
void combine_one(Operation op, const float* a, float b, float* y, int64_t count) {
  const typename V::reg repeated = constant<V>(b);
  combine_with<V>(op, [&](const auto& f) {
    for_vectors<V>(count, [&](int64_t i, auto io) { io.store(y + i, f(io.load(a + i), repeated)); });
  });
}

template <class V>
void add_scaled(float factor, const float* x, float* y, int64_t count) {
  const typename V::reg repeated = constant<V>(factor);
  for_vectors<V>(
      count, [&](int64_t i, auto io) { io.store(y + i, V::multiply_add(io.load(y + i), repeated, io.load(x + i))); });
}

}  // namespace graft::detail::kernels
