#include "train/adam.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "autodiff/backend.hpp"
#include "train/model.hpp"

#include "../support/random_data.hpp"

namespace graft::training {
namespace adam_test {
namespace {

using autodiff::AdamConstants;
using autodiff::Backend;
using autodiff::IndexList;
using autodiff::Parameter;
using autodiff::Tensor;

using Values = std::vector<double>;

Tensor tensor_of(Backend& backend, std::int64_t rows, std::int64_t cols, const Values& values) {
  Tensor tensor = backend.allocate(rows, cols);
  backend.upload(tensor, std::span<const double>(values));
  return tensor;
}

/// Adam as the paper states it, of one matrix, dense, in double.
struct DenseAdam {
  AdamConstants constants;
  Values value;
  Values first = Values(value.size(), 0.0);
  Values second = Values(value.size(), 0.0);
  int steps = 0;

  void step(double learning_rate, const Values& gradient) {
    ++steps;
    for (std::size_t i = 0; i < value.size(); ++i) {
      const double g = gradient[i] + constants.weight_decay * value[i];
      first[i] = constants.beta1 * first[i] + (1 - constants.beta1) * g;
      second[i] = constants.beta2 * second[i] + (1 - constants.beta2) * g * g;
      const double m = first[i] / (1 - std::pow(constants.beta1, steps));
      const double v = second[i] / (1 - std::pow(constants.beta2, steps));
      value[i] -= learning_rate * m / (std::sqrt(v) + constants.epsilon);
    }
  }
};

double largest_difference(const Values& a, const Values& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::fabs(a[i] - b[i]));
  return largest;
}

Values drawn(test::Random& random, std::int64_t count) {
  Values values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<double>(test::draw(random, -100, 100)) / 64.0);
  return values;
}

constexpr std::int64_t kRows = 7;
constexpr std::int64_t kCols = 3;

/// What the parameter gets in one step.
enum class Given { dense, rows, nothing };

struct Case {
  AdamConstants constants = {};
  bool skip_missing = false;
};

/// Random steps by Adam and by the oracle; `between` is called after each.
template <class Between>
void compare(const Case& given, const Between& between) {
  test::Random random(11);
  const auto backend = autodiff::cpu_reference_backend();
  const Values start = drawn(random, kRows * kCols);
  std::deque<Parameter> parameters;
  parameters.push_back({.name = "p", .value = tensor_of(*backend, kRows, kCols, start)});
  Adam adam(*backend, parameters, given.constants, given.skip_missing);
  DenseAdam oracle{.constants = given.constants, .value = start};
  for (int step = 0; step < 40; ++step) {
    const double learning_rate = 0.05 * std::pow(0.9, step / 8);
    Values full(static_cast<std::size_t>(kRows * kCols), 0.0);
    const Given kind = test::pick(random, std::vector<Given>{Given::dense, Given::rows, Given::rows, Given::nothing});
    if (kind == Given::dense) {
      full = drawn(random, kRows * kCols);
      parameters[0].gradient = {.values = tensor_of(*backend, kRows, kCols, full)};
    } else if (kind == Given::rows) {
      const auto list = IndexList::make({static_cast<std::int32_t>(test::draw(random, 0, 2)), 5, 5}, kRows);
      const auto touched = static_cast<std::int64_t>(list->distinct().size());
      const Values part = drawn(random, touched * kCols);
      parameters[0].pending->bring_up_to_date(list->distinct());
      parameters[0].gradient = {.values = tensor_of(*backend, touched, kCols, part), .rows = list};
      for (std::size_t d = 0; d < list->distinct().size(); ++d) {
        std::copy_n(part.begin() + static_cast<std::ptrdiff_t>(d) * kCols, kCols,
                    full.begin() + std::ptrdiff_t{list->distinct()[d]} * kCols);
      }
    }
    adam.step(learning_rate);
    CHECK_FALSE(parameters[0].gradient.values);
    if (kind != Given::nothing || !given.skip_missing) oracle.step(learning_rate, full);
    between(step, adam, parameters[0], *backend);
  }
  adam.settle();
  CHECK(largest_difference(backend->download(parameters[0].value), oracle.value) < 1e-12);
  CHECK(largest_difference(backend->download(adam.moments(0).first), oracle.first) < 1e-12);
  CHECK(largest_difference(backend->download(adam.moments(0).second), oracle.second) < 1e-12);
  CHECK(adam.moments(0).steps == oracle.steps);
  CHECK(adam.steps() == 40);
}

TEST_CASE("adam: rows without a gradient move as in dense Adam, only later") {
  const auto nothing = [](int, Adam&, Parameter&, Backend&) {};
  SUBCASE("plain") { compare({}, nothing); }
  SUBCASE("weight decay") { compare({.constants = {.weight_decay = 0.1}}, nothing); }
  SUBCASE("a step without a gradient is skipped where the model says so") { compare({.skip_missing = true}, nothing); }
  SUBCASE("other constants") { compare({.constants = {.beta1 = 0.5, .beta2 = 0.9, .epsilon = 1e-3}}, nothing); }
}

TEST_CASE("adam: settling between steps changes nothing") {
  compare({.constants = {.weight_decay = 0.01}}, [](int step, Adam& adam, Parameter&, Backend&) {
    if (step % 3 == 0) adam.settle();
  });
}

TEST_CASE("adam: an optimiser restored from moments and steps goes on like the one it was taken from") {
  const auto backend = autodiff::cpu_reference_backend();
  test::Random random(3);
  const Values start = drawn(random, 4);
  std::deque<Parameter> parameters;
  parameters.push_back({.name = "p", .value = tensor_of(*backend, 2, 2, start)});
  Adam adam(*backend, parameters, {}, false);
  const auto step_with = [&](Adam& by, Parameter& parameter, const Values& gradient) {
    parameter.gradient = {.values = tensor_of(*backend, 2, 2, gradient)};
    by.step(0.01);
  };
  for (int step = 0; step < 9; ++step) step_with(adam, parameters[0], drawn(random, 4));
  adam.settle();
  std::deque<Parameter> copies;
  copies.push_back({.name = "p", .value = tensor_of(*backend, 2, 2, backend->download(parameters[0].value))});
  Adam restored(*backend, copies, {}, false);
  backend->upload(restored.moments(0).first, std::span<const double>(backend->download(adam.moments(0).first)));
  backend->upload(restored.moments(0).second, std::span<const double>(backend->download(adam.moments(0).second)));
  restored.restore_steps(0, adam.moments(0).steps);
  CHECK(restored.steps() == 9);
  for (int step = 0; step < 5; ++step) {
    const Values gradient = drawn(random, 4);
    step_with(adam, parameters[0], gradient);
    step_with(restored, copies[0], gradient);
  }
  CHECK(backend->download(parameters[0].value) == backend->download(copies[0].value));
}

TEST_CASE("adam: parameters count their own steps where missing gradients are skipped") {
  const auto backend = autodiff::cpu_reference_backend();
  std::deque<Parameter> parameters;
  parameters.push_back({.name = "a", .value = tensor_of(*backend, 1, 1, {1.0})});
  parameters.push_back({.name = "b", .value = tensor_of(*backend, 1, 1, {1.0})});
  Adam adam(*backend, parameters, {}, true);
  for (int step = 0; step < 3; ++step) {
    parameters[0].gradient = {.values = tensor_of(*backend, 1, 1, {2.0})};
    if (step == 1) parameters[1].gradient = {.values = tensor_of(*backend, 1, 1, {2.0})};
    adam.step(0.1);
  }
  adam.settle();
  CHECK(adam.moments(0).steps == 3);
  CHECK(adam.moments(1).steps == 1);
  // The first step of Adam is the learning rate, whatever the gradient.
  CHECK(backend->download(parameters[1].value)[0] == doctest::Approx(0.9).epsilon(1e-7));
}

TEST_CASE("adam: parameters outlive it without a dangling pointer") {
  const auto backend = autodiff::cpu_reference_backend();
  std::deque<Parameter> parameters;
  parameters.push_back({.name = "a", .value = tensor_of(*backend, 1, 1, {1.0})});
  {
    const Adam adam(*backend, parameters, {}, false);
    CHECK(parameters[0].pending != nullptr);
  }
  CHECK(parameters[0].pending == nullptr);
}

Values values_of(Backend& backend, const Parameter& parameter) { return backend.download(parameter.value); }

TEST_CASE("parameters: initialisers draw what they promise") {
  const auto backend = autodiff::cpu_reference_backend();
  ParameterStore store(*backend, 1);
  const auto moments = [&](Initializer initializer, std::int64_t fan_in) {
    const Values values =
        values_of(*backend, store.add(std::to_string(static_cast<int>(initializer)), 300, 100, initializer, fan_in));
    double sum = 0.0;
    double squares = 0.0;
    double most = 0.0;
    for (const double value : values) {
      sum += value;
      squares += value * value;
      most = std::max(most, std::fabs(value));
    }
    const auto count = static_cast<double>(values.size());
    CHECK(std::fabs(sum / count) < 0.03 * std::max(most, 1e-9));
    return std::pair(squares / count, most);
  };
  const double bound = std::sqrt(6.0 / 400);
  const auto [uniform, uniform_most] = moments(Initializer::xavier_uniform, 0);
  CHECK(uniform == doctest::Approx(bound * bound / 3).epsilon(0.03));
  CHECK(uniform_most <= bound);
  CHECK(uniform_most > 0.99 * bound);
  CHECK(moments(Initializer::xavier_normal, 0).first == doctest::Approx(2.0 / 400).epsilon(0.03));
  const auto [linear, linear_most] = moments(Initializer::torch_linear, 25);
  CHECK(linear == doctest::Approx(0.04 / 3).epsilon(0.03));
  CHECK(linear_most <= 0.2);
  CHECK(moments(Initializer::zeros, 0).second == 0.0);
}

TEST_CASE("parameters: a name decides its own stream") {
  const auto backend = autodiff::cpu_reference_backend();
  ParameterStore alone(*backend, 1);
  ParameterStore both(*backend, 1);
  ParameterStore other_seed(*backend, 2);
  const Values first = values_of(*backend, alone.add("users", 4, 5, Initializer::xavier_normal));
  both.add("items", 9, 9, Initializer::xavier_normal);
  CHECK(values_of(*backend, both.add("users", 4, 5, Initializer::xavier_normal)) == first);
  CHECK(values_of(*backend, both.add("sers", 4, 5, Initializer::xavier_normal)) != first);
  CHECK(values_of(*backend, other_seed.add("users", 4, 5, Initializer::xavier_normal)) != first);
}

TEST_CASE("parameters: a name may be used once, and a linear layer must say its fan-in") {
  const auto backend = autodiff::cpu_reference_backend();
  ParameterStore store(*backend, 1);
  store.add("users", 1, 1, Initializer::zeros);
  CHECK_THROWS_WITH_AS(store.add("users", 1, 1, Initializer::zeros),
                       "parameter: name = users: the model has one of that name already", InvalidArgument);
  CHECK_THROWS_WITH_AS(store.add("w", 1, 1, Initializer::torch_linear), "parameter w: fan_in = 0: must be >= 1",
                       InvalidArgument);
}

}  // namespace
}  // namespace adam_test
}  // namespace graft::training
