// What a person sees while a command runs: progress, notices and errors, all on standard error.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <graft/core/context.hpp>

namespace graft::cli {

/// Prints "COMMAND: KIND: TEXT" on standard error; KIND is "error", "warning" or "notice".
void print_message(std::string_view command, std::string_view kind, std::string_view text);

/// Writes text to standard error, where a failure has nobody to be told.
void print_error_stream(const std::string& text);

/// Writes text to standard output and flushes. @throws IoError if it cannot be written
void print_output(std::string_view text);

/// How far a command has come, on standard error.
class ProgressDisplay {
 public:
  enum class Style {
    none,
    lines,  ///< a plain line every 10 seconds at most: for logs
    bar     ///< one line that is overwritten and cleared in the end: for a terminal
  };

  /// A bar if standard error is a terminal that can overwrite a line, else lines.
  static Style natural_style();

  ProgressDisplay(std::string command, Style style) : command_(std::move(command)), style_(style) {}
  ~ProgressDisplay() { clear(); }
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;
  ProgressDisplay(ProgressDisplay&&) = delete;
  ProgressDisplay& operator=(ProgressDisplay&&) = delete;

  /// A step that cannot tell how far it has come, e.g. reading a file.
  void stage(std::string_view text);
  /// A step of an operator.
  void update(const Progress& progress) { update(progress, progress.operation); }
  /// The same under another name, with `rest` after the time that is left.
  void update(const Progress& progress, std::string_view name, std::string_view rest = "");
  /// What the bar shows, where there is one. @param share  done, in [0, 1]
  void bar(double share, const std::string& text);
  /// A line that stays, where there are lines; for events that are rare by themselves.
  void line(std::string_view text);
  /// Removes the bar.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  void show(const std::string& text, double share);
  std::string time_left(const Progress& progress, Clock::time_point now);

  std::string command_;
  Style style_;
  bool on_screen_ = false;
  Clock::time_point last_line_ = Clock::now();
  std::string operation_;
  std::int64_t first_done_ = 0;
  std::int64_t last_done_ = 0;
  Clock::time_point first_time_ = Clock::now();
};

/// "45 s", "3 min 20 s", "2 h 5 min".
std::string duration_text(double seconds);

/// "512 B", "12.3 MiB".
std::string bytes_text(std::int64_t bytes);

}  // namespace graft::cli
