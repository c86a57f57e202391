#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "autodiff/tape.hpp"
#include "support/check.hpp"
#include "train/gradient_check.hpp"
#include "train/tape_operations.hpp"

namespace graft::test {
namespace tape_values_test {
namespace {

// NOLINTNEXTLINE(google-build-using-namespace): operations spelled as models spell them
using namespace autodiff;

using Values = std::vector<double>;

struct Result {
  Values value;
  Values gradient;  ///< of the sum of all elements
};

/// An operation on one matrix, in double.
Result apply(std::int64_t rows, std::int64_t cols, const Values& x, const std::function<Var(Var)>& operation) {
  const auto backend = cpu_reference_backend();
  Parameter parameter{"x", backend->allocate(rows, cols)};
  backend->upload(parameter.value, std::span<const double>(x));
  Tape tape(*backend, {1, 2});
  const Var y = operation(tape.parameter(parameter));
  const Values value = backend->download(tape.evaluate(y));
  tape.backward(sum(y));
  return {value, dense_gradient(*backend, parameter)};
}

// Extreme arguments
// ----------------------------------------------------------------------------------------------------

TEST_CASE("softplus, sigmoid, log_sigmoid: neither overflow nor lose small values") {
  const Result soft = apply(1, 4, {-1000.0, -100.0, 100.0, 1000.0}, [](Var x) { return softplus(x); });
  CHECK(soft.value[0] == 0.0);
  CHECK(soft.value[1] == doctest::Approx(std::exp(-100.0)).epsilon(1e-12));
  CHECK(soft.value[2] == 100.0);
  CHECK(soft.value[3] == 1000.0);
  CHECK(soft.gradient[1] == doctest::Approx(std::exp(-100.0)).epsilon(1e-12));
  CHECK(soft.gradient[2] == 1.0);

  const Result logs = apply(1, 4, {-1000.0, -100.0, 0.0, 100.0}, [](Var x) { return log_sigmoid(x); });
  CHECK(logs.value[0] == -1000.0);
  CHECK(logs.value[1] == -100.0);
  CHECK(logs.value[2] == doctest::Approx(-std::log(2.0)));
  CHECK(logs.value[3] == doctest::Approx(-std::exp(-100.0)).epsilon(1e-12));
  CHECK(logs.gradient == Values{1.0, 1.0, 0.5, logs.gradient[3]});
  CHECK(logs.gradient[3] == doctest::Approx(std::exp(-100.0)).epsilon(1e-12));

  const Result sigmoids = apply(1, 3, {-1000.0, 0.0, 1000.0}, [](Var x) { return sigmoid(x); });
  CHECK(sigmoids.value == Values{0.0, 0.5, 1.0});
  CHECK(sigmoids.gradient == Values{0.0, 0.25, 0.0});
}

TEST_CASE("softmax, log_sum_exp: large numbers do not overflow") {
  const Result sums = apply(2, 2, {1000.0, 1000.0, -1000.0, -1002.0}, [](Var x) { return log_sum_exp(x); });
  CHECK(sums.value[0] == doctest::Approx(1000.0 + std::log(2.0)));
  CHECK(sums.value[1] == doctest::Approx(-1000.0 + std::log1p(std::exp(-2.0))));
  CHECK(sums.gradient[0] == doctest::Approx(0.5).epsilon(1e-14));
  const Result shares = apply(2, 2, {1000.0, 1000.0, -1000.0, -1002.0}, [](Var x) { return softmax(x); });
  CHECK(shares.value[1] == 0.5);
  CHECK(shares.value[2] == doctest::Approx(1.0 / (1.0 + std::exp(-2.0))));
}

TEST_CASE("sum_by: rows go to their index, in any order; an index without rows has zeros") {
  const Result sums =
      apply(4, 2, {1, 10, 2, 20, 3, 30, 4, 40}, [](Var x) { return sum_by(x, index_list({3, 1, 3, 0}, 5)); });
  CHECK(sums.value == Values{4, 40, 2, 20, 0, 0, 4, 40, 0, 0});
  CHECK(sums.gradient == Values(8, 1.0));
  const Result none = apply(0, 2, {}, [](Var x) { return sum_by(x, index_list({}, 3)); });
  CHECK(none.value == Values(6, 0.0));
  CHECK(apply(2, 1, {1, 2}, [](Var x) {
          return rows(sum_by(x, index_list({2, 0}, 3)), index_list({2, 1, 2}, 3));
        }).value == Values{1, 0, 1});
}

TEST_CASE("square_root, frobenius_norm: the gradient at zero is zero") {
  CHECK(apply(1, 2, {0.0, 4.0}, [](Var x) { return square_root(x); }).gradient == Values{0.0, 0.25});
  const Result zero = apply(2, 2, {0.0, 0.0, 0.0, 0.0}, [](Var x) { return frobenius_norm(x); });
  CHECK(zero.value == Values{0.0});
  CHECK(zero.gradient == Values{0.0, 0.0, 0.0, 0.0});
  const Result five = apply(2, 2, {3.0, 0.0, 0.0, -4.0}, [](Var x) { return frobenius_norm(x); });
  CHECK(five.value == Values{5.0});
  CHECK(five.gradient[0] == doctest::Approx(0.6));
  CHECK(five.gradient[1] == 0.0);
  CHECK(five.gradient[3] == doctest::Approx(-0.8));
}

TEST_CASE("normalize_rows: rows shorter than epsilon are divided by epsilon") {
  const Result rows = apply(3, 2, {0.0, 0.0, 3.0, 4.0, 0.1, 0.0}, [](Var x) { return normalize_rows(x, 0.5); });
  CHECK(rows.value == Values{0.0, 0.0, 0.6, 0.8, 0.2, 0.0});
  CHECK(rows.gradient[0] == 2.0);
  CHECK(rows.gradient[1] == 2.0);
  CHECK(rows.gradient[2] == doctest::Approx((1.0 - 0.6 * 1.4) / 5.0));
  CHECK(rows.gradient[4] == 2.0);
  const Result tiny = apply(1, 2, {0.0, 0.0}, [](Var x) { return normalize_rows(x); });
  CHECK(tiny.value == Values{0.0, 0.0});
  CHECK(std::isfinite(tiny.gradient[0]));
}

TEST_CASE("relu, leaky_relu, at_least: values and gradients on both sides") {
  const Result relus = apply(1, 3, {-2.0, 0.0, 3.0}, [](Var x) { return relu(x); });
  CHECK(relus.value == Values{0.0, 0.0, 3.0});
  CHECK(relus.gradient == Values{0.0, 0.0, 1.0});
  const Result leaky = apply(1, 2, {-2.0, 3.0}, [](Var x) { return leaky_relu(x); });
  CHECK(leaky.value == Values{-0.02, 3.0});
  CHECK(leaky.gradient == Values{0.01, 1.0});
  const Result bounded = apply(1, 3, {-2.0, 0.5, 3.0}, [](Var x) { return at_least(x, 0.5); });
  CHECK(bounded.value == Values{0.5, 0.5, 3.0});
  CHECK(bounded.gradient == Values{0.0, 1.0, 1.0});
}

// Losses
// ---------------------------------------------------------------------------------------------------------------

TEST_CASE("bpr_loss: the mean of -log sigmoid of the differences") {
  const double expected = (std::log1p(std::exp(-2.0)) + std::log1p(std::exp(1.0))) / 2.0;
  const auto loss = [](Var x) { return bpr_loss(slice_columns(x, 0, 1), slice_columns(x, 1, 1)); };
  const Result result = apply(2, 2, {3.0, 1.0, -0.5, 0.5}, loss);
  CHECK(result.value[0] == doctest::Approx(expected).epsilon(1e-14));
  CHECK(result.gradient[0] == doctest::Approx(-0.5 / (1.0 + std::exp(2.0))).epsilon(1e-14));
  CHECK(apply(1, 2, {800.0, 0.0}, loss).value[0] == 0.0);
  CHECK(apply(1, 2, {0.0, 800.0}, loss).value[0] == 800.0);
}

TEST_CASE("info_nce: a worked number") {
  const auto backend = cpu_reference_backend();
  const auto loss_of = [&](const std::vector<float>& x, const std::vector<float>& y, double temperature) {
    Tape tape(*backend);
    return tape.scalar(info_nce(tape.constant(MatrixView<const float>(x.data(), 2, 2)),
                                tape.constant(MatrixView<const float>(y.data(), 2, 2)), temperature));
  };
  // Orthogonal rows of any length: -log(e^2 / (e^2 + e^0)).
  CHECK(loss_of({3.0F, 0.0F, 0.0F, 0.5F}, {1.0F, 0.0F, 0.0F, 9.0F}, 0.5) ==
        doctest::Approx(0.12692801104297263).epsilon(1e-12));
  // Two candidates alike: log 2 whatever the temperature.
  CHECK(loss_of({1.0F, 0.0F, 0.0F, 1.0F}, {2.0F, 0.0F, 1.0F, 0.0F}, 0.1) ==
        doctest::Approx(std::log(2.0)).epsilon(1e-12));
  // Cosines [[0.6, 0.8], [0.8, 0.6]]: log(1 + e^(0.2 / 0.2)).
  CHECK(loss_of({1.0F, 0.0F, 0.0F, 1.0F}, {3.0F, 4.0F, 4.0F, 3.0F}, 0.2) ==
        doctest::Approx(1.3132616875182228).epsilon(1e-6));
}

// Dropout
// --------------------------------------------------------------------------------------------------------------

TEST_CASE("dropout: zeroes a share p, scales the rest, and lets the gradient through where the value went") {
  const Values ones(10'000, 1.0);
  for (const double p : {0.1, 0.5, 0.8}) {
    const Result result = apply(100, 100, ones, [&](Var x) { return dropout(x, p); });
    CHECK(result.value == result.gradient);  // both are the mask
    const auto zeroes = std::count(result.value.begin(), result.value.end(), 0.0);
    CHECK(std::abs(static_cast<double>(zeroes) / 10'000.0 - p) < 5.0 * std::sqrt(p * (1.0 - p) / 10'000.0));
    CHECK(*std::max_element(result.value.begin(), result.value.end()) == doctest::Approx(1.0 / (1.0 - p)));
    double mean = 0.0;
    for (const double value : result.value) mean += value / 10'000.0;
    CHECK(std::abs(mean - 1.0) < 5.0 * std::sqrt(p / (1.0 - p) / 10'000.0));
  }
}

TEST_CASE("dropout: with p = 0 is the identity; p = 1 and worse are refused") {
  const auto backend = cpu_reference_backend();
  Tape tape(*backend);
  const std::vector<float> numbers = {1.0F, 2.0F};
  const Var x = tape.constant(MatrixView<const float>(numbers.data(), 1, 2));
  CHECK(tape.evaluate(dropout(x, 0.0)).storage() == tape.evaluate(x).storage());
  for (const double p : {1.0, -0.1, std::nan("")}) {
    CHECK(contains(message_of<InvalidArgument>([&] { dropout(x, p); }), {"dropout: p = ", "must lie in [0, 1)"}));
  }
}

TEST_CASE("dropout: each on a tape draws a mask of its own; the key decides them all") {
  const auto backend = cpu_reference_backend();
  const std::vector<float> numbers(400, 1.0F);
  const auto masks = [&](RandomKey key) {
    Tape tape(*backend, key);
    const Var x = tape.constant(MatrixView<const float>(numbers.data(), 20, 20));
    const Var first = dropout(x, 0.5);
    const Var second = dropout(x, 0.5);
    return std::vector<Values>{backend->download(tape.evaluate(first)), backend->download(tape.evaluate(second))};
  };
  const std::vector<Values> once = masks({4, 5});
  CHECK(once[0] != once[1]);
  CHECK(once == masks({4, 5}));
  for (const RandomKey& other : {RandomKey{4, 6}, RandomKey{5, 5}}) {
    const std::vector<Values> different = masks(other);
    CHECK(different[0] != once[0]);
    CHECK(different[0] != once[1]);
    CHECK(different[1] != once[1]);
  }
}

// Backends
// -------------------------------------------------------------------------------------------------------------

TEST_CASE("Tape: the float backend computes what the double one computes, for every operation") {
  const auto exact = cpu_reference_backend();
  const auto fast = cpu_backend(1);
  OperationInputs exact_inputs(*exact);
  OperationInputs fast_inputs(*fast);
  const auto run = [](OperationInputs& inputs, const OperationCase& operation) {
    for (Parameter& parameter : inputs.parameters) parameter.gradient = {};
    Tape tape(inputs.backend, {7, 3});
    std::vector<Parameter*> used;
    const Var result = operation.record({tape, inputs, used});
    const Var some = result.rows() > 3 ? rows(result, index_list({3, 1, 3, 0}, result.rows())) : result;
    Values values = {tape.backward(weighted_sum(some) + weighted_sum(square(result)))};
    for (const Parameter& parameter : inputs.parameters) {
      const Values gradient = dense_gradient(inputs.backend, parameter);
      values.insert(values.end(), gradient.begin(), gradient.end());
    }
    return values;
  };
  for (const auto& cases : {row_wise_operations(), whole_operations()}) {
    for (const OperationCase& operation : cases) {
      CAPTURE(std::string(operation.name));
      const Values expected = run(exact_inputs, operation);
      const Values actual = run(fast_inputs, operation);
      REQUIRE(actual.size() == expected.size());
      double scale = 1.0;
      for (const double value : expected) scale = std::max(scale, std::abs(value));
      for (std::size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(i);
        CHECK(std::abs(actual[i] - expected[i]) <= 2e-6 * scale);
      }
    }
  }
}

}  // namespace
}  // namespace tape_values_test
}  // namespace graft::test
