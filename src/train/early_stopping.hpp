// When to stop, and which epoch's weights are kept (protocol, section 5).
#pragma once

#include <cmath>
#include <cstdint>

namespace graft::training {

/// What chooses the best epoch, on the validation split.
inline constexpr const char* kStoppingMetric = "recall@20";

/// Watches validation Recall@20. Values are compared after rounding to 4 decimals (half to even, of value * 10^4), as
/// the published numbers were chosen: a value is a new best if it is strictly above the best so far, which starts at
/// -1. Training stops when the number of values in a row that were no new best exceeds the patience.
class EarlyStopping {
 public:
  explicit EarlyStopping(std::int64_t patience) : patience_(patience) {}

  /// Whether `value`, of that epoch, is a new best.
  bool observe(std::int64_t epoch, double value) {
    const double rounded = std::nearbyint(value * 1e4);
    if (!(rounded > best_)) {
      ++stale_;
      return false;
    }
    best_ = rounded;
    best_epoch_ = epoch;
    stale_ = 0;
    return true;
  }

  [[nodiscard]] bool exhausted() const { return stale_ > patience_; }
  [[nodiscard]] std::int64_t best_epoch() const { return best_epoch_; }  ///< -1: none yet

 private:
  std::int64_t patience_;
  double best_ = -1e4;
  std::int64_t best_epoch_ = -1;
  std::int64_t stale_ = 0;
};

}  // namespace graft::training
