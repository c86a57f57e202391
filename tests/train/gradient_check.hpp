// Checks gradients of the tape against central differences, in double.
//
//     const auto backend = autodiff::cpu_reference_backend();
//     std::deque<autodiff::Parameter> parameters = ...;
//     CHECK(gradient_difference(*backend, parameters, [&](autodiff::Tape& tape) { return loss; }) == "");
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include <graft/detail/checked.hpp>

#include "autodiff/tape.hpp"
#include "data/random.hpp"

namespace graft::test {

/// Records a loss [1, 1]; the same one each time that it is called.
using LossFunction = std::function<autodiff::Var(autodiff::Tape&)>;

struct GradientCheck {
  double step = 1e-5;            ///< elements move by step * max(1, |element|) to both sides
  double tolerance = 1e-6;       ///< relative to the largest partial derivative of the same parameter
  std::int64_t samples = 0;      ///< elements of each parameter that are checked, drawn at random; 0 = all
  autodiff::RandomKey random{};  ///< of every tape: dropout draws the same each time
  bool every_parameter = true;   ///< whether a parameter whose derivatives are all 0 is an error
};

/// The gradient that backward() left, one number for each element; zeros for rows and parameters without one.
inline std::vector<double> dense_gradient(autodiff::Backend& backend, const autodiff::Parameter& parameter) {
  std::vector<double> dense(detail::as_size(parameter.value.size()), 0.0);
  const autodiff::Gradient& gradient = parameter.gradient;
  if (!gradient.values) return dense;
  const std::vector<double> values = backend.download(gradient.values);
  if (!gradient.rows) return values;
  const std::size_t cols = detail::as_size(parameter.value.cols());
  const auto distinct = gradient.rows->distinct();
  for (std::size_t d = 0; d < distinct.size(); ++d) {
    std::copy_n(values.data() + d * cols, cols, dense.data() + detail::as_size(distinct[d]) * cols);
  }
  return dense;
}

/// The elements of a parameter to check.
inline std::vector<std::size_t> checked_elements(std::size_t size, std::int64_t samples, std::uint64_t stream) {
  std::vector<std::size_t> elements(size);
  std::iota(elements.begin(), elements.end(), std::size_t{0});
  if (samples == 0 || detail::as_size(samples) >= size) return elements;
  data::RandomStream random(17, stream);
  random.shuffle(std::span<std::size_t>(elements));
  elements.resize(detail::as_size(samples));
  return elements;
}

/// (f(x + h) - f(x - h)) / 2 h of one element.
inline double central_difference(autodiff::Backend& backend, const autodiff::Parameter& parameter, std::size_t element,
                                 const LossFunction& loss, const GradientCheck& check) {
  std::vector<double> values = backend.download(parameter.value);
  const double centre = values[element];
  const double step = check.step * std::max(1.0, std::abs(centre));
  const auto loss_at = [&](double value) {
    values[element] = value;
    backend.upload(parameter.value, values);
    autodiff::Tape tape(backend, check.random);
    return tape.scalar(loss(tape));
  };
  const double above = loss_at(centre + step);
  const double below = loss_at(centre - step);
  values[element] = centre;
  backend.upload(parameter.value, values);
  return (above - below) / (2.0 * step);
}

/// Compares the partial derivatives of a loss by all `parameters` (a range of Parameter) with central differences.
/// @return empty if they are alike, else the first difference in words
template <class Parameters>
std::string gradient_difference(autodiff::Backend& backend, Parameters& parameters, const LossFunction& loss,
                                const GradientCheck& check = {}) {
  autodiff::Tape tape(backend, check.random);
  for (autodiff::Parameter& parameter : parameters) tape.parameter(parameter);  // none keeps an older gradient
  const double value = tape.backward(loss(tape));
  if (!std::isfinite(value)) return "the loss is " + std::to_string(value);
  const double noise = 1e-15 * std::max(1.0, std::abs(value)) / check.step;
  std::uint64_t number = 0;
  for (const autodiff::Parameter& parameter : parameters) {
    const std::vector<double> gradient = dense_gradient(backend, parameter);
    const std::vector<std::size_t> elements = checked_elements(gradient.size(), check.samples, number++);
    std::vector<double> expected;
    double largest = 0.0;
    for (const std::size_t element : elements) {
      expected.push_back(central_difference(backend, parameter, element, loss, check));
      largest = std::max(largest, std::abs(expected.back()));
    }
    for (std::size_t i = 0; i < elements.size(); ++i) {
      const double difference = std::abs(gradient[elements[i]] - expected[i]);
      if (difference <= check.tolerance * largest + noise) continue;  // false for NaN
      std::ostringstream text;
      text.precision(12);
      text << parameter.name << "[" << elements[i] / detail::as_size(parameter.value.cols()) << ", "
           << elements[i] % detail::as_size(parameter.value.cols()) << "]: gradient " << gradient[elements[i]]
           << ", central difference " << expected[i];
      return text.str();
    }
    if (check.every_parameter && largest <= noise) return parameter.name + ": has no part in the loss";
  }
  return {};
}

}  // namespace graft::test
