// Adam with the protocol's dense semantics, done lazily.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "autodiff/backend.hpp"
#include "autodiff/parameter.hpp"

namespace graft::training {

/// Every parameter takes every step, also rows and parameters without a gradient: their moments decay and they move
/// on. Rows that a step gave no gradient take it later, when they are next read: the same operations in the same order
/// on the same numbers, so the same bits, without the memory traffic of walking through whole tables at every step.
class Adam {
 public:
  /// The parameters and the backend must outlive this; their `pending` leads here until then.
  /// @param skip_missing  parameters without a gradient skip the step instead of taking it with zeros
  Adam(autodiff::Backend& backend, std::deque<autodiff::Parameter>& parameters, autodiff::AdamConstants constants,
       bool skip_missing);
  Adam(const Adam&) = delete;
  Adam& operator=(const Adam&) = delete;
  Adam(Adam&&) = delete;
  Adam& operator=(Adam&&) = delete;
  ~Adam();

  /// One step with the gradients that the parameters hold, which are used up.
  void step(double learning_rate);
  /// Brings all rows of all parameters up to date and forgets past steps.
  void settle();

  /// Steps taken; after a restoration the most that a parameter took.
  [[nodiscard]] std::int64_t steps() const;

  // For checkpoints, of the settled state: the moments of parameter p, [rows, cols] each, which may be
  // uploaded to, and the steps it took.
  struct Moments {
    autodiff::Tensor first;
    autodiff::Tensor second;
    std::int64_t steps = 0;
  };
  [[nodiscard]] Moments moments(std::size_t parameter) const;
  void restore_steps(std::size_t parameter, std::int64_t steps);

 private:
  struct Slot;
  autodiff::Backend& backend_;
  autodiff::AdamConstants constants_;
  bool skip_missing_;
  std::int64_t steps_ = 0;
  std::deque<Slot> slots_;
};

}  // namespace graft::training
