#include "console.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include <graft/core/error.hpp>

namespace graft::cli {
namespace {

constexpr auto kBetweenLines = std::chrono::seconds(10);
constexpr std::size_t kBarWidth = 24;
constexpr std::size_t kNarrowBarWidth = 10;
constexpr std::size_t kWideTerminal = 100;
constexpr const char* kClearLine = "\r\x1b[K";

/// Columns of the terminal behind standard error.
std::size_t terminal_width() {
  winsize size{};
  constexpr std::size_t kUsual = 80;
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsual;
  return size.ws_col;
}

}  // namespace

void print_error_stream(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

void print_message(std::string_view command, std::string_view kind, std::string_view text) {
  print_error_stream(fmt::format("{}: {}: {}\n", command, kind, text));
}

void print_output(std::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0) {
    throw IoError(fmt::format("standard output: cannot be written: {}", std::strerror(errno)));
  }
}

ProgressDisplay::Style ProgressDisplay::natural_style() {
  const char* terminal = std::getenv("TERM");
  const bool overwrites = terminal == nullptr || std::string_view(terminal) != "dumb";
  return isatty(STDERR_FILENO) == 1 && overwrites ? Style::bar : Style::lines;
}

void ProgressDisplay::stage(std::string_view text) {
  operation_.clear();
  show(std::string(text), -1.0);
}

void ProgressDisplay::bar(double share, const std::string& text) {
  if (style_ == Style::bar) show(text, std::clamp(share, 0.0, 1.0));
}

void ProgressDisplay::line(std::string_view text) {
  if (style_ != Style::lines) return;
  last_line_ = Clock::now();
  print_error_stream(fmt::format("{}: {}\n", command_, text));
}

void ProgressDisplay::update(const Progress& progress, std::string_view name, std::string_view rest) {
  const auto now = Clock::now();
  const bool begins = operation_ != progress.operation || progress.done < last_done_;
  last_done_ = progress.done;
  if (begins) {
    operation_ = progress.operation;
    first_done_ = progress.done;
    first_time_ = now;
  }
  const double share =
      progress.total > 0 ? static_cast<double>(progress.done) / static_cast<double>(progress.total) : 0.0;
  show(fmt::format("{}{}{}", name, time_left(progress, now), rest), std::clamp(share, 0.0, 1.0));
}

std::string ProgressDisplay::time_left(const Progress& progress, Clock::time_point now) {
  const double seconds = std::chrono::duration<double>(now - first_time_).count();
  const auto advanced = static_cast<double>(progress.done - first_done_);
  constexpr double kLeastSeconds = 0.5;  // before that the rate says little
  if (advanced <= 0.0 || seconds < kLeastSeconds) return "";
  const double left = seconds / advanced * static_cast<double>(progress.total - progress.done);
  return ", about " + duration_text(left) + " left";
}

void ProgressDisplay::show(const std::string& text, double share) {
  if (style_ == Style::none) return;
  const std::string percent = share < 0.0 ? "" : fmt::format("{:3.0f}% ", 100.0 * share);
  if (style_ == Style::lines) {
    const auto now = Clock::now();
    if (now - last_line_ < kBetweenLines) return;
    last_line_ = now;
    print_error_stream(fmt::format("{}: {}{}\n", command_, percent, text));
    return;
  }
  std::string line;
  const std::size_t columns = terminal_width();
  if (share >= 0.0) {
    const std::size_t width = columns < kWideTerminal ? kNarrowBarWidth : kBarWidth;
    const auto filled = static_cast<std::size_t>(std::lround(share * static_cast<double>(width)));
    line = "[" + std::string(filled, '#') + std::string(width - filled, '.') + "] ";
  }
  line += percent + text;
  line.resize(std::min(line.size(), columns - 1));
  print_error_stream(kClearLine + line);
  on_screen_ = true;
}

void ProgressDisplay::clear() {
  if (on_screen_) print_error_stream(kClearLine);
  on_screen_ = false;
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::ceil(seconds));
  constexpr std::int64_t kMinute = 60;
  constexpr std::int64_t kHour = 3600;
  if (whole < kMinute) return fmt::format("{} s", whole);
  if (whole < kHour) return fmt::format("{} min {} s", whole / kMinute, whole % kMinute);
  return fmt::format("{} h {} min", whole / kHour, whole % kHour / kMinute);
}

std::string bytes_text(std::int64_t bytes) {
  constexpr std::array<const char*, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  constexpr double kStep = 1024.0;
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= kStep && unit + 1 < kUnits.size()) {
    value /= kStep;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

}  // namespace graft::cli
