#include "report/scale.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace graft::report {
namespace {

/// mantissa * 10^exponent
struct RoundStep {
  std::int64_t mantissa = 1;
  int exponent = 0;

  /// The multiple that is nearest to k steps; dividing by a whole power of ten rounds only once.
  [[nodiscard]] double times(double k) const {
    const double units = k * static_cast<double>(mantissa);
    return exponent < 0 ? units / std::pow(10.0, -exponent) : units * std::pow(10.0, exponent);
  }
};

/// The smallest round step that is not below `least`.
RoundStep round_step(double least) {
  RoundStep step{.mantissa = 1, .exponent = static_cast<int>(std::floor(std::log10(least)))};
  for (const std::int64_t mantissa : {1, 2, 5}) {
    step.mantissa = mantissa;
    if (step.times(1.0) >= least) return step;
  }
  return {.mantissa = 1, .exponent = step.exponent + 1};
}

}  // namespace

std::vector<double> round_bounds(double least, double most, int most_steps, bool whole) {
  double width = (most - least) / static_cast<double>(most_steps);
  if (width <= 0.0) width = least == 0.0 ? 1.0 : std::abs(least) / static_cast<double>(most_steps);
  // below these the multiples of a step could not be told apart
  constexpr double kLeastRelative = 1e-12;
  constexpr double kLeastWidth = 1e-300;
  width = std::max({width, kLeastRelative * std::max(std::abs(least), std::abs(most)), kLeastWidth});
  const RoundStep step = round_step(whole ? std::max(width, 1.0) : width);
  const double size = step.times(1.0);
  double first = std::floor(least / size);
  while (step.times(first) > least) first -= 1.0;  // the division may have rounded up
  std::vector<double> bounds;
  for (double k = first; bounds.size() < 2 || bounds.back() < most; k += 1.0) bounds.push_back(step.times(k));
  return bounds;
}

}  // namespace graft::report
