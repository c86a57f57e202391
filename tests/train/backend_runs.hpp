// One computation on every backend of the CPU: the float ones must agree with the double one, and with each other.
#pragma once

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../support/check.hpp"
#include "../support/random_data.hpp"
#include "autodiff/backend.hpp"
#include "autodiff/cpu_backend.hpp"

namespace graft::test {

using Values = std::vector<double>;

/// Floats in [low, high], the same for the same number.
inline std::vector<float> some_floats(std::int64_t count, std::uint64_t number, double low = -1.0, double high = 1.0) {
  Random random(number);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) {
    value = static_cast<float>(low + (high - low) * static_cast<double>(draw(random, 0, 1000000)) / 1e6);
  }
  return values;
}

inline autodiff::Tensor tensor_of(autodiff::Backend& backend, std::int64_t rows, std::int64_t cols,
                                  const std::vector<float>& values) {
  const autodiff::Tensor x = backend.allocate(rows, cols);
  backend.upload(x, Values(values.begin(), values.end()));
  return x;
}

/// A matrix of numbers in [low, high].
inline autodiff::Tensor some_tensor(autodiff::Backend& backend, std::int64_t rows, std::int64_t cols,
                                    std::uint64_t number, double low = -1.0, double high = 1.0) {
  return tensor_of(backend, rows, cols, some_floats(rows * cols, number, low, high));
}

/// Where two results differ by more than tolerance * (1 + |expected|), in words; empty if nowhere.
inline std::string difference(const Values& actual, const Values& expected, double tolerance) {
  if (actual.size() != expected.size()) return "another number of elements";
  for (std::size_t e = 0; e < actual.size(); ++e) {
    if (std::isnan(expected[e]) && std::isnan(actual[e])) continue;
    if (actual[e] == expected[e]) continue;
    if (std::fabs(actual[e] - expected[e]) <= tolerance * (1.0 + std::fabs(expected[e]))) continue;
    return "element " + std::to_string(e) + ": " + std::to_string(actual[e]) + ", expected " +
           std::to_string(expected[e]);
  }
  return {};
}

inline bool same_bits(const Values& a, const Values& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t e = 0; e < a.size(); ++e) {
    if (std::bit_cast<std::uint64_t>(a[e]) != std::bit_cast<std::uint64_t>(b[e])) return false;
  }
  return true;
}

/// Runs a computation on the reference backend and on float backends of every numeric path with 1, 2 and 8 threads.
/// Checks that they agree within the tolerance, that the threads change no bit, and that avx2 and avx512 are alike.
inline void check_alike(const std::function<Values(autodiff::Backend&)>& run, double tolerance = 1e-5) {
  const Values expected = run(*autodiff::cpu_reference_backend());
  std::optional<Values> fma;
  for (const NumericPath path : available_paths()) {
    INFO("path ", std::string(name(path)));
    const Values alone = run(*autodiff::cpu_backend(1, path));
    CHECK(difference(alone, expected, tolerance) == "");
    for (const int threads : {2, 8}) {
      INFO("threads ", threads);
      CHECK(same_bits(run(*autodiff::cpu_backend(threads, path)), alone));
    }
    if (path == NumericPath::baseline) continue;
    if (path == NumericPath::avx2 || path == NumericPath::avx512) {
      if (fma) CHECK(same_bits(alone, *fma));
      fma = alone;
    }
  }
}

}  // namespace graft::test
