// What a person sees while a model trains.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <graft/core/context.hpp>
#include <graft/train/train.hpp>

#include "console.hpp"

namespace graft::cli {

/// A bar within the epoch on a terminal; elsewhere a plain line an epoch, at most one a second.
class TrainingDisplay {
 public:
  /// When training stops by itself.
  struct Limits {
    std::int64_t epochs = 0;
    std::int64_t stopping_step = 0;
    std::int64_t eval_step = 1;
  };

  explicit TrainingDisplay(ProgressDisplay& progress) : progress_(progress) {}

  void start(const Limits& limits) { limits_ = limits; }
  /// Of the trainer ("train": batches of the epoch) or of what comes before it.
  void update(const Progress& progress);
  void epoch(const EpochReport& report);

 private:
  using Clock = std::chrono::steady_clock;

  /// Loss, quality and what is left of the patience.
  [[nodiscard]] std::string state() const;
  /// When training would end without a new best epoch.
  [[nodiscard]] std::string end_text(const Limits& limits, std::int64_t last) const;

  ProgressDisplay& progress_;
  std::optional<Limits> limits_;
  std::optional<EpochReport> last_;
  std::optional<EpochReport> best_;
  std::optional<double> recall_;  ///< of the last evaluation
  std::int64_t since_best_ = 0;   ///< evaluations that brought nothing better
  double seconds_ = 0.0;          ///< of the epochs seen
  std::int64_t seen_ = 0;         ///< epochs
  Clock::time_point last_shown_;
  std::optional<Clock::time_point> last_line_;
};

}  // namespace graft::cli
