// What a command tells: progress and notices while it works, its summary when it is done.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <graft/core/context.hpp>

#include "console.hpp"

namespace graft::cli {

/// Writes the summary for machines to a file, to standard output ("-") or nowhere (empty). @throws IoError
void write_json(const std::filesystem::path& path, const nlohmann::ordered_json& json);

class Reporter {
 public:
  /// @param json   where the summary for machines goes: a file, "-" (standard output) or nowhere (empty)
  /// @param quiet  progress, notices and text for a person are not shown
  Reporter(const char* command, std::filesystem::path json, bool quiet);

  /// Of work whose progress is shown and that the first signal cancels.
  [[nodiscard]] Context context(int threads = 0);
  [[nodiscard]] ProgressDisplay& progress() { return progress_; }
  /// A step that cannot tell how far it has come. @throws Cancelled
  void reading(const std::filesystem::path& path);
  /// @throws Cancelled after a signal
  void throw_if_cancelled() const;

  /// What a person should know: shown, and kept for the summary.
  void note(std::string_view text);
  /// What a person must know: shown even where quiet, and kept.
  void warn(std::string_view text);
  /// Printable, in order.
  [[nodiscard]] const std::vector<std::string>& notices() const& { return notices_; }

  [[nodiscard]] bool writes_json() const { return !json_.empty(); }
  [[nodiscard]] bool json_to_stdout() const { return json_ == "-"; }
  /// @throws IoError
  void write_json(const nlohmann::ordered_json& json) const { cli::write_json(json_, json); }
  /// Text for a person: on standard output, or on standard error where that holds the summary for machines.
  void say(std::string_view text) const;

 private:
  std::string command_;
  std::filesystem::path json_;
  bool quiet_;
  const CancelToken& cancel_;
  ProgressDisplay progress_;
  std::vector<std::string> notices_;
};

}  // namespace graft::cli
