#include "train/log_file.hpp"

#include <fcntl.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include <graft/detail/atomic_file.hpp>
#include <graft/detail/checked.hpp>
#include <graft/detail/file_handle.hpp>
#include <graft/detail/file_reader.hpp>

#include "train/early_stopping.hpp"
#include "train/epoch_json.hpp"

namespace graft::training {
namespace {

constexpr const char* kLogFile = "log.csv";
constexpr std::string_view kValid = "valid_";
constexpr std::string_view kTest = "test_";

/// Names of what is measured after every epoch: the columns must be known before the first measurement.
std::vector<std::string> metric_columns() {
  Metrics metrics;
  for (const char* measure : {"recall", "ndcg", "precision", "map"}) {
    for (const std::int64_t cutoff : EvaluationOptions{}.cutoffs) metrics[fmt::format("{}@{}", measure, cutoff)] = 0.0;
  }
  return ordered_names(metrics);
}

std::string header() {
  std::string text = "epoch,loss,learning_rate";
  for (const std::string_view split : {kValid, kTest}) {
    for (const std::string& name : metric_columns()) text += fmt::format(",{}{}", split, name);
  }
  return text + ",train_seconds,evaluation_seconds\n";
}

std::string row_of(const EpochReport& report) {
  std::string text = fmt::format("{},{},{}", report.epoch, report.loss, report.learning_rate);
  for (const Metrics* metrics : {&report.valid, &report.test}) {
    for (const std::string& name : metric_columns()) {
      const auto metric = metrics->find(name);
      text += metric == metrics->end() ? "," : fmt::format(",{}", metric->second);
    }
  }
  return text + fmt::format(",{:.3f},{:.3f}\n", report.train_seconds, report.evaluation_seconds);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end == std::string_view::npos ? end : end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

/// A cell and where it stands.
struct Cell {
  const detail::FileReader& file;
  std::size_t line;
  std::string_view column;
  std::string_view text;

  template <class Number>
  [[nodiscard]] Number number() const {
    Number value{};
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    const auto [stopped, error] = std::from_chars(begin, end, value);
    if (error != std::errc() || stopped != end) {
      file.fail(fmt::format("line {}: {}", line, column), detail::quote(text), "must be a number");
    }
    return value;
  }
};

void put(EpochReport& report, const Cell& cell) {
  const std::string_view column = cell.column;
  if (column == "epoch") {
    report.epoch = cell.number<std::int64_t>();
  } else if (column == "loss") {
    report.loss = cell.number<double>();
  } else if (column == "learning_rate") {
    report.learning_rate = cell.number<double>();
  } else if (column == "train_seconds") {
    report.train_seconds = cell.number<double>();
  } else if (column == "evaluation_seconds") {
    report.evaluation_seconds = cell.number<double>();
  } else if (column.starts_with(kValid) && !cell.text.empty()) {
    report.valid[std::string(column.substr(kValid.size()))] = cell.number<double>();
  } else if (column.starts_with(kTest) && !cell.text.empty()) {
    report.test[std::string(column.substr(kTest.size()))] = cell.number<double>();
  }
}

}  // namespace

void write_log(const std::filesystem::path& path, std::span<const EpochReport> log) {
  std::string text = header();
  for (const EpochReport& report : log) text += row_of(report);
  detail::write_file_atomically(path, text, kLogFile);
}

void append_to_log(const std::filesystem::path& path, const EpochReport& report) {
  const detail::FileHandle file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!file.open()) throw detail::io_error(kLogFile, path, "cannot open", errno);
  const std::string text = row_of(report);
  const detail::FileSizeSignalBlock block;
  for (std::string_view left = text; !left.empty();) {
    const ssize_t done = ::write(file.get(), left.data(), left.size());
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) throw detail::io_error(kLogFile, path, "cannot write", done < 0 ? errno : ENOSPC);
    left.remove_prefix(static_cast<std::size_t>(done));
  }
}

std::vector<EpochReport> read_log(const std::filesystem::path& path) {
  const detail::FileReader file(kLogFile, path);
  std::string text(detail::as_size(file.size()), '\0');
  file.read_at(0, std::as_writable_bytes(std::span(text)));
  std::vector<std::string_view> lines = split(text, '\n');
  if (lines.back().empty()) lines.pop_back();
  if (lines.empty()) file.fail("line 1", "", "must be a header");
  const std::vector<std::string_view> columns = split(lines.front(), ',');
  std::vector<EpochReport> log;
  EarlyStopping stopping(std::numeric_limits<std::int64_t>::max());
  for (std::size_t line = 1; line < lines.size(); ++line) {
    const std::vector<std::string_view> cells = split(lines[line], ',');
    if (cells.size() != columns.size()) {
      file.fail(fmt::format("line {}", line + 1), fmt::format("{} cells", cells.size()),
                fmt::format("must be {}, as in the header", columns.size()));
    }
    EpochReport report;
    for (std::size_t c = 0; c < cells.size(); ++c) put(report, {file, line + 1, columns[c], cells[c]});
    const auto metric = report.valid.find(kStoppingMetric);
    report.best = metric != report.valid.end() && stopping.observe(report.epoch, metric->second);
    log.push_back(std::move(report));
  }
  return log;
}

}  // namespace graft::training
