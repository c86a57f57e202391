#include "reporter.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include <graft/detail/atomic_file.hpp>

#include "report/format.hpp"
#include "report/json_text.hpp"

#include "interrupt.hpp"

namespace graft::cli {

void write_json(const std::filesystem::path& path, const nlohmann::ordered_json& json) {
  if (path == "-") {
    print_output(report::json_text(json));
  } else if (!path.empty()) {
    detail::write_file_atomically(path, report::json_text(json), "--json");
  }
}

Reporter::Reporter(const char* command, std::filesystem::path json, bool quiet)
    : command_(command),
      json_(std::move(json)),
      quiet_(quiet),
      cancel_(cancel_on_signals()),
      progress_(command, quiet ? ProgressDisplay::Style::none : ProgressDisplay::natural_style()) {}

Context Reporter::context(int threads) {
  return {.threads = threads,
          .progress = [this](const Progress& progress) { progress_.update(progress); },
          .cancel = cancel_};
}

void Reporter::reading(const std::filesystem::path& path) {
  throw_if_cancelled();
  progress_.stage("reading " + path.string());
}

void Reporter::throw_if_cancelled() const { cli::throw_if_cancelled(cancel_); }

void Reporter::note(std::string_view text) {
  notices_.push_back(report::printable(text));
  if (quiet_) return;
  progress_.clear();
  print_message(command_, "notice", text);
}

void Reporter::warn(std::string_view text) {
  notices_.push_back(report::printable(text));
  progress_.clear();
  print_message(command_, "warning", text);
}

void Reporter::say(std::string_view text) const {
  if (quiet_) return;
  if (json_to_stdout()) {
    print_error_stream(std::string(text));
  } else {
    print_output(text);
  }
}

}  // namespace graft::cli
