#include "training_display.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace graft::cli {
namespace {

constexpr const char* kCriterion = "recall@20";

std::optional<double> criterion_of(const EpochReport& report) {
  const auto found = report.valid.find(kCriterion);
  if (found == report.valid.end()) return std::nullopt;
  return found->second;
}

}  // namespace

void TrainingDisplay::update(const Progress& progress) {
  last_shown_ = Clock::now();
  if (std::string_view(progress.operation) != "train") {
    progress_.update(progress);  // what the model does before it trains
    return;
  }
  progress_.update(progress, last_ ? fmt::format("epoch {}", last_->epoch + 1) : "training", state());
}

std::string TrainingDisplay::state() const {
  if (!last_) return "";
  std::string text = fmt::format(" | loss {:.4f}", last_->loss);
  if (recall_) text += fmt::format(" | {} {:.4f}", kCriterion, *recall_);
  if (best_) text += fmt::format(", best {:.4f} (epoch {})", criterion_of(*best_).value_or(0.0), best_->epoch);
  if (limits_ && best_ && seen_ > 0) text += end_text(*limits_, last_->epoch);
  return text;
}

std::string TrainingDisplay::end_text(const Limits& limits, std::int64_t last) const {
  const std::int64_t evaluations = std::max<std::int64_t>(1, limits.stopping_step + 1 - since_best_);
  const std::int64_t patience = evaluations * limits.eval_step;
  const std::int64_t all = std::max<std::int64_t>(0, limits.epochs - last - 1);
  const double seconds = seconds_ / static_cast<double>(seen_) * static_cast<double>(std::min(patience, all));
  return fmt::format(" | ends in {}{}", duration_text(seconds), patience < all ? " unless better" : "");
}

void TrainingDisplay::epoch(const EpochReport& report) {
  last_ = report;
  seconds_ += report.train_seconds + report.evaluation_seconds;
  ++seen_;
  const std::optional<double> recall = criterion_of(report);
  if (recall) {
    recall_ = recall;
    ++since_best_;
  }
  if (report.best) {
    best_ = report;
    since_best_ = 0;
  }
  const Clock::time_point now = Clock::now();
  constexpr auto kBetweenBars = std::chrono::milliseconds(100);
  if (now - last_shown_ >= kBetweenBars) {  // epochs so short that they report no progress of their own
    last_shown_ = now;
    progress_.bar(1.0, fmt::format("epoch {}{}", report.epoch, state()));
  }
  constexpr auto kBetweenEpochLines = std::chrono::seconds(1);
  if (last_line_ && now - *last_line_ < kBetweenEpochLines) return;
  last_line_ = now;
  std::string text = fmt::format("epoch {}: loss {:.4f}", report.epoch, report.loss);
  if (recall) text += fmt::format(", valid {} {:.4f}{}", kCriterion, *recall, report.best ? " (best)" : "");
  progress_.line(text + fmt::format(", {:.2f} s", report.train_seconds + report.evaluation_seconds));
}

}  // namespace graft::cli
