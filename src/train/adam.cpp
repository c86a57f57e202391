#include "train/adam.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include <graft/detail/checked.hpp>

namespace graft::training {

using autodiff::AdamStep;
using autodiff::Gradient;
using autodiff::Parameter;
using autodiff::Tensor;

/// One parameter's moments, the steps since the last settle(), and how many of them each row has taken.
struct Adam::Slot final : autodiff::PendingUpdates {
  Slot(Adam& adam, Parameter& of)
      : owner(adam),
        parameter(of),
        first(adam.backend_.allocate(of.value.rows(), of.value.cols())),
        second(adam.backend_.allocate(of.value.rows(), of.value.cols())),
        done(detail::as_size(of.value.rows()), 0) {
    owner.backend_.fill(first, 0.0);
    owner.backend_.fill(second, 0.0);
    parameter.pending = this;
  }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  Slot(Slot&&) = delete;
  Slot& operator=(Slot&&) = delete;
  ~Slot() override { parameter.pending = nullptr; }

  void bring_up_to_date(std::optional<std::span<const std::int32_t>> rows) override {
    if (!behind) return;
    take_steps(rows, nullptr);
    if (!rows) behind = false;
  }

  /// The powers of beta are products, not pow(): the same bits whatever the mathematics library.
  void append_step(double learning_rate) {
    ++taken;
    power1 *= owner.constants_.beta1;
    power2 *= owner.constants_.beta2;
    history.push_back({learning_rate, 1.0 - power1, 1.0 - power2});
  }

  void step(double learning_rate) {
    const Gradient gradient = std::exchange(parameter.gradient, Gradient{});
    if (!gradient.values && owner.skip_missing_) return;
    append_step(learning_rate);
    if (!gradient.values) {
      behind = true;
    } else if (gradient.rows) {
      take_steps(gradient.rows->distinct(), &gradient.values);
      behind = true;
    } else {
      take_steps(std::nullopt, &gradient.values);
      behind = false;
    }
  }

  void settle() {
    bring_up_to_date(std::nullopt);
    history.clear();
    std::fill(done.begin(), done.end(), 0);
  }

  void take_steps(std::optional<std::span<const std::int32_t>> rows, const Tensor* gradient) {
    owner.backend_.adam(owner.constants_, history, static_cast<std::int64_t>(history.size()),
                        {parameter.value, first, second}, done, rows, gradient);
  }

  Adam& owner;
  Parameter& parameter;
  Tensor first;
  Tensor second;
  std::vector<AdamStep> history = {};
  std::vector<std::int64_t> done;  ///< of each row: steps of the history that it has taken
  std::int64_t taken = 0;          ///< steps of the whole training
  double power1 = 1.0;             ///< beta1^taken
  double power2 = 1.0;
  bool behind = false;  ///< whether a row may have steps to take
};

Adam::Adam(autodiff::Backend& backend, std::deque<Parameter>& parameters, autodiff::AdamConstants constants,
           bool skip_missing)
    : backend_(backend), constants_(constants), skip_missing_(skip_missing) {
  for (Parameter& parameter : parameters) slots_.emplace_back(*this, parameter);
}

Adam::~Adam() = default;

void Adam::step(double learning_rate) {
  ++steps_;
  for (Slot& slot : slots_) slot.step(learning_rate);
}

void Adam::settle() {
  for (Slot& slot : slots_) slot.settle();
}

std::int64_t Adam::steps() const { return steps_; }

Adam::Moments Adam::moments(std::size_t parameter) const {
  const Slot& slot = slots_[parameter];
  return {slot.first, slot.second, slot.taken};
}

void Adam::restore_steps(std::size_t parameter, std::int64_t steps) {
  Slot& slot = slots_[parameter];
  slot.taken = 0;
  slot.power1 = 1.0;
  slot.power2 = 1.0;
  while (slot.taken < steps) slot.append_step(0.0);
  slot.history.clear();
  steps_ = std::max(steps_, steps);
}

}  // namespace graft::training
