// Adam of the float backend: deferred rows end at the bits of dense steps, and both where double precision puts them.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "../support/check.hpp"
#include "autodiff/backend.hpp"
#include "backend_runs.hpp"

namespace backend_adam_test {
namespace {

using graft::NumericPath;
using graft::autodiff::AdamConstants;
using graft::autodiff::AdamStep;
using graft::autodiff::Backend;
using graft::autodiff::cpu_backend;
using graft::autodiff::cpu_reference_backend;
using graft::autodiff::Tensor;
using graft::test::draw;
using graft::test::Random;
using graft::test::same_bits;
using graft::test::some_floats;
using graft::test::tensor_of;
using graft::test::Values;

/// A parameter on a backend, and its state.
struct State {
  State(Backend& backend, std::int64_t rows, std::int64_t cols)
      : value(tensor_of(backend, rows, cols, some_floats(rows * cols, 1))),
        first(backend.allocate(rows, cols)),
        second(backend.allocate(rows, cols)),
        done(static_cast<std::size_t>(rows), 0) {
    backend.fill(first, 0.0);
    backend.fill(second, 0.0);
  }

  Tensor value;
  Tensor first;
  Tensor second;
  std::vector<std::int64_t> done;
};

/// Which rows each step gives a gradient, and which.
struct Touch {
  std::vector<std::int32_t> rows;
  std::vector<float> gradient;
};

struct Course {
  std::int64_t rows;
  std::int64_t cols;
  AdamConstants constants;
  std::vector<AdamStep> steps;
  std::vector<Touch> touches;
};

Course some_course(std::int64_t rows, std::int64_t cols, std::int64_t steps, double weight_decay, int share) {
  Random random(static_cast<std::uint64_t>(rows * 1000 + cols));
  Course course{rows, cols, {}, {}, {}};
  course.constants.weight_decay = weight_decay;
  for (std::int64_t t = 1; t <= steps; ++t) {
    const auto power = static_cast<double>(t);
    course.steps.push_back({1e-2 * std::pow(0.97, power), 1.0 - std::pow(0.9, power), 1.0 - std::pow(0.999, power)});
    Touch touch;
    for (std::int64_t r = 0; r < rows; ++r) {
      if (draw(random, 0, 99) < share) touch.rows.push_back(static_cast<std::int32_t>(r));
    }
    touch.gradient =
        some_floats(static_cast<std::int64_t>(touch.rows.size()) * cols, static_cast<std::uint64_t>(t) + 50, -0.1, 0.1);
    if (t % 5 == 0) std::shuffle(touch.rows.begin(), touch.rows.end(), random);  // any order will do
    course.touches.push_back(touch);
  }
  return course;
}

Values everything(Backend& backend, const State& state) {
  Values result = backend.download(state.value);
  for (const Tensor& moment : {state.first, state.second}) {
    const Values more = backend.download(moment);
    result.insert(result.end(), more.begin(), more.end());
  }
  return result;
}

/// Every row takes every step when it comes.
Values dense(Backend& backend, const Course& course) {
  State state(backend, course.rows, course.cols);
  for (std::size_t t = 0; t < course.steps.size(); ++t) {
    const Touch& touch = course.touches[t];
    const Tensor gradient = backend.allocate(course.rows, course.cols);
    backend.fill(gradient, 0.0);
    const auto touched = static_cast<std::int64_t>(touch.rows.size());
    backend.add_rows(tensor_of(backend, touched, course.cols, touch.gradient), touch.rows, gradient);
    backend.adam(course.constants, course.steps, static_cast<std::int64_t>(t) + 1,
                 {state.value, state.first, state.second}, state.done, {}, &gradient);
  }
  return everything(backend, state);
}

/// Only touched rows take the step; now and then some others catch up, and all of them at the end.
Values deferred(Backend& backend, const Course& course) {
  State state(backend, course.rows, course.cols);
  Random random(77);
  for (std::size_t t = 0; t < course.steps.size(); ++t) {
    const Touch& touch = course.touches[t];
    const auto taken = static_cast<std::int64_t>(t);
    std::vector<std::int32_t> read = touch.rows;  // a batch reads before it writes
    if (draw(random, 0, 3) == 0) {
      read.clear();
      for (std::int64_t r = 0; r < course.rows; r += 3) read.push_back(static_cast<std::int32_t>(r));
    }
    const auto states = [&] { return graft::autodiff::AdamState{state.value, state.first, state.second}; };
    backend.adam(course.constants, course.steps, taken, states(), state.done, std::span<const std::int32_t>(read),
                 nullptr);
    const Tensor gradient =
        tensor_of(backend, static_cast<std::int64_t>(touch.rows.size()), course.cols, touch.gradient);
    backend.adam(course.constants, course.steps, taken + 1, states(), state.done,
                 std::span<const std::int32_t>(touch.rows), &gradient);
    for (const std::int32_t row : touch.rows) CHECK(state.done[static_cast<std::size_t>(row)] == taken + 1);
  }
  const auto until = static_cast<std::int64_t>(course.steps.size());
  backend.adam(course.constants, course.steps, until, {state.value, state.first, state.second}, state.done, {},
               nullptr);
  CHECK(std::all_of(state.done.begin(), state.done.end(), [&](std::int64_t done) { return done == until; }));
  return everything(backend, state);
}

TEST_CASE("adam: rows that wait end at the bits of rows that do not, for any threads, with and without decay") {
  for (const std::int64_t cols : {1, 7, 64, 65, 200}) {
    for (const double weight_decay : {0.0, 0.01}) {
      CAPTURE(cols);
      CAPTURE(weight_decay);
      const Course course = some_course(cols == 200 ? 1000 : 60, cols, 25, weight_decay, 30);
      for (const NumericPath path : graft::test::available_paths()) {
        const Values expected = dense(*cpu_backend(1, path), course);
        for (const int threads : {1, 2, 8}) CHECK(same_bits(deferred(*cpu_backend(threads, path), course), expected));
        CHECK(same_bits(dense(*cpu_backend(8, path), course), expected));
      }
    }
  }
}

TEST_CASE("adam: avx2 and avx512 give the same bits") {
  const Course course = some_course(50, 67, 20, 0.01, 50);
  std::vector<Values> results;
  for (const NumericPath path : graft::test::available_paths()) {
    if (path == NumericPath::baseline) continue;
    results.push_back(dense(*cpu_backend(1, path), course));
    CHECK(same_bits(results.back(), results.front()));
  }
}

TEST_CASE("adam: stays with the reference in double, and with the textbook's equations") {
  const Course course = some_course(40, 33, 30, 0.02, 40);
  Values value;
  for (const float x : some_floats(course.rows * course.cols, 1)) value.push_back(static_cast<double>(x));
  Values first(value.size(), 0.0);
  Values second(value.size(), 0.0);
  const AdamConstants& c = course.constants;
  for (std::size_t t = 0; t < course.steps.size(); ++t) {
    Values gradient(value.size(), 0.0);
    const auto cols = static_cast<std::size_t>(course.cols);
    for (std::size_t p = 0; p < course.touches[t].rows.size(); ++p) {
      for (std::size_t k = 0; k < cols; ++k) {
        gradient[static_cast<std::size_t>(course.touches[t].rows[p]) * cols + k] =
            static_cast<double>(course.touches[t].gradient[p * cols + k]);
      }
    }
    const AdamStep& step = course.steps[t];
    for (std::size_t e = 0; e < value.size(); ++e) {
      const double g = gradient[e] + c.weight_decay * value[e];
      first[e] = c.beta1 * first[e] + (1.0 - c.beta1) * g;
      second[e] = c.beta2 * second[e] + (1.0 - c.beta2) * g * g;
      value[e] -=
          step.learning_rate * (first[e] / step.correction1) / (std::sqrt(second[e] / step.correction2) + c.epsilon);
    }
  }
  Values expected = value;
  expected.insert(expected.end(), first.begin(), first.end());
  expected.insert(expected.end(), second.begin(), second.end());
  CHECK(graft::test::difference(deferred(*cpu_reference_backend(), course), expected, 1e-12) == "");
  for (const NumericPath path : graft::test::available_paths()) {
    CHECK(graft::test::difference(deferred(*cpu_backend(2, path), course), expected, 2e-6) == "");
  }
}

TEST_CASE("adam: moments of rows that nobody touches fade to zero, not to denormal numbers") {
  const auto backend = cpu_backend(1);
  State state(*backend, 1, 16);
  std::vector<AdamStep> steps(3000, AdamStep{1e-3, 1.0, 1.0});
  const Tensor gradient = backend->allocate(1, 16);
  backend->fill(gradient, 1e-4);
  backend->adam({}, steps, 1, {state.value, state.first, state.second}, state.done, {}, &gradient);
  const Values before = backend->download(state.first);
  CHECK(before[0] == doctest::Approx(1e-5));
  backend->adam({}, steps, 3000, {state.value, state.first, state.second}, state.done, {}, nullptr);
  CHECK(backend->download(state.first) == Values(16, 0.0));
}

TEST_CASE("adam: a NaN in the gradient reaches the value") {
  const auto backend = cpu_backend(1);
  State state(*backend, 1, 16);
  const std::vector<AdamStep> steps(1);
  const Tensor gradient = backend->allocate(1, 16);
  backend->fill(gradient, std::nan(""));
  backend->adam({}, steps, 1, {state.value, state.first, state.second}, state.done, {}, &gradient);
  for (const double value : backend->download(state.value)) CHECK(std::isnan(value));
}

}  // namespace
}  // namespace backend_adam_test
