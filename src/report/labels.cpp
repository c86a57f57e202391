#include "report/labels.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <span>
#include <string_view>

#include <graft/core/error.hpp>
#include <graft/detail/checked.hpp>
#include <graft/detail/file_reader.hpp>
#include <graft/detail/npy_format.hpp>

namespace graft::report {
namespace {

constexpr const char* kReadLabels = "read_labels";
constexpr std::string_view kTableHeader = "itemID\tlabel";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

using detail::as_size;

[[noreturn]] void fail_count(const detail::FileReader& file, std::int64_t labels, std::int64_t items) {
  file.fail("labels", std::to_string(labels), "must be one for every item, " + std::to_string(items));
}

bool is_npy(const detail::FileReader& file) {
  std::array<char, detail::kNpyMagic.size()> first{};
  if (file.size() < static_cast<std::int64_t>(first.size())) return false;
  file.read_at(0, std::as_writable_bytes(std::span(first)));
  return std::string_view(first.data(), first.size()) == detail::kNpyMagic;
}

std::vector<std::string> read_array(const detail::FileReader& file, std::int64_t items) {
  detail::FileSource source(file);
  const detail::NpyHeader header = detail::read_npy_header(source);
  const auto convert = detail::index_conversion(header.type);
  if (convert == nullptr) source.fail("dtype", "'" + header.type.text + "'", "must be int32 or int64");
  if (header.shape.size() != 1) {
    source.fail("shape", detail::shape_text(header.shape), "must have one dimension: a label an item");
  }
  if (header.count != items) fail_count(file, header.count, items);
  std::vector<std::string> texts;
  texts.reserve(as_size(items));
  detail::read_npy_elements(source, header, convert, [&](std::int64_t, std::span<const std::int64_t> values) {
    for (const std::int64_t value : values) texts.push_back(std::to_string(value));
  });
  return texts;
}

/// The lines of a file, without their ends; the last need not have one.
std::vector<std::string> read_lines(const detail::FileReader& file) {
  std::string content(as_size(file.size()), '\0');
  file.read_at(0, std::as_writable_bytes(std::span(content)));
  std::string_view rest = content;
  if (rest.starts_with(kByteOrderMark)) rest.remove_prefix(kByteOrderMark.size());
  std::vector<std::string> lines;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return lines;
}

/// The labels of a table whose first line is its header.
std::vector<std::string> read_table(const detail::FileReader& file, const std::vector<std::string>& lines,
                                    std::int64_t items) {
  const auto rows = static_cast<std::int64_t>(lines.size()) - 1;
  std::vector<std::string> texts(as_size(items));
  std::vector<bool> seen(as_size(items));
  for (std::size_t l = 1; l < lines.size(); ++l) {
    const auto fail = [&](std::string_view value, std::string_view allowed) {
      file.fail("line " + std::to_string(l + 1) + ": itemID", value, allowed);
    };
    const std::string_view line = lines[l];
    const std::size_t tab = line.find('\t');
    const std::string_view id = line.substr(0, tab);
    std::int64_t item = -1;
    const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), item);
    if (error != std::errc() || end != id.data() + id.size() || item < 0) fail(id, "must be a whole number >= 0");
    if (tab == std::string_view::npos) fail(id, "must be followed by a tab and the label");
    if (item >= items) fail(id, "must be below the number of items, " + std::to_string(items));
    if (seen[as_size(item)]) fail(id, "stands in an earlier line as well: every item needs one label");
    seen[as_size(item)] = true;
    texts[as_size(item)] = line.substr(tab + 1);
  }
  if (rows != items) fail_count(file, rows, items);
  return texts;
}

}  // namespace

Labels labels_of(const std::vector<std::string>& texts) {
  Labels labels;
  labels.names = texts;
  std::sort(labels.names.begin(), labels.names.end());
  labels.names.erase(std::unique(labels.names.begin(), labels.names.end()), labels.names.end());
  if (!labels.names.empty() && labels.names.front().empty()) labels.names.erase(labels.names.begin());
  labels.ids.reserve(texts.size());
  for (const std::string& text : texts) {
    const auto found = std::lower_bound(labels.names.begin(), labels.names.end(), text);
    labels.ids.push_back(text.empty() ? -1 : detail::as_id(found - labels.names.begin()));
  }
  return labels;
}

Labels read_labels(const std::filesystem::path& path, std::int64_t items) {
  const detail::FileReader file(kReadLabels, path);
  if (is_npy(file)) return labels_of(read_array(file, items));
  std::vector<std::string> lines = read_lines(file);
  if (!lines.empty() && lines.front() == kTableHeader) return labels_of(read_table(file, lines, items));
  const auto count = static_cast<std::int64_t>(lines.size());
  if (count != items) fail_count(file, count, items);
  return labels_of(lines);
}

}  // namespace graft::report
