// The optimiser's steps.
#include <algorithm>
#include <cassert>
#include <cmath>

#include <graft/detail/checked.hpp>

#include "autodiff/cpu_backend.hpp"

namespace graft::autodiff {
namespace {

using detail::as_size;
using detail::kernels::AdamElements;
using detail::kernels::AdamNumbers;
using detail::kernels::AdamStepNumbers;

AdamNumbers numbers_of(const AdamConstants& constants) {
  return {static_cast<float>(constants.beta1),   static_cast<float>(1.0 - constants.beta1),
          static_cast<float>(constants.beta2),   static_cast<float>(1.0 - constants.beta2),
          static_cast<float>(constants.epsilon), static_cast<float>(constants.weight_decay)};
}

std::vector<AdamStepNumbers> numbers_of(std::span<const AdamStep> steps) {
  std::vector<AdamStepNumbers> numbers;
  numbers.reserve(steps.size());
  for (const AdamStep& step : steps) {
    numbers.push_back({static_cast<float>(step.learning_rate / step.correction1),
                       static_cast<float>(1.0 / std::sqrt(step.correction2))});
  }
  return numbers;
}

}  // namespace

void CpuBackend::adam(const AdamConstants& constants, std::span<const AdamStep> steps, std::int64_t until,
                      const AdamState& state, std::span<std::int64_t> done,
                      std::optional<std::span<const std::int32_t>> rows, const Tensor* gradient) {
  const std::int64_t cols = state.value.cols();
  const std::int64_t count = rows ? static_cast<std::int64_t>(rows->size()) : state.value.rows();
  assert(same_shape(state.value, state.first) && same_shape(state.value, state.second));
  assert(as_size(state.value.rows()) == done.size() && as_size(until) <= steps.size());
  assert(gradient == nullptr || (gradient->rows() == count && gradient->cols() == cols));
  const auto row_at = [&](std::int64_t p) { return rows ? std::int64_t{(*rows)[as_size(p)]} : p; };
  const auto done_at = [&](std::int64_t p) { return done[as_size(row_at(p))]; };
  std::int64_t oldest = until;
  std::int64_t waiting = 0;
  for (std::int64_t p = 0; p < count; ++p) {
    oldest = std::min(oldest, done_at(p));
    waiting += until - done_at(p);
  }
  if (waiting == 0) return;
  const AdamNumbers numbers = numbers_of(constants);
  const std::vector<AdamStepNumbers> step_numbers = numbers_of(steps.subspan(as_size(oldest), as_size(until - oldest)));
  const double mean_steps = static_cast<double>(waiting) / static_cast<double>(count);
  const double row_work = 5.0 + (1.0 + mean_steps) * static_cast<double>(cols);
  run_blocks(count, row_work, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end;) {
      const std::int64_t row = row_at(p);
      const std::int64_t taken = done_at(p);
      std::int64_t next = p + 1;  // neighbours that take the same steps go together
      while (next < end && row_at(next) == row + next - p && done_at(next) == taken) ++next;
      if (taken < until) {
        const float* last_gradient = gradient == nullptr ? nullptr : floats(*gradient) + p * cols;
        const std::int64_t offset = row * cols;
        kernels_.adam(numbers, step_numbers.data() + (taken - oldest), until - taken,
                      {floats(state.value) + offset, floats(state.first) + offset, floats(state.second) + offset,
                       last_gradient, (next - p) * cols});
        std::fill_n(done.begin() + row, next - p, until);
      }
      p = next;
    }
  });
}

}  // namespace graft::autodiff
