#include "run_text.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "report/format.hpp"
#include "train/flat_json.hpp"

namespace graft::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string line(std::string_view label, std::string_view value) {
  return fmt::format("{:<18}{}\n", label, report::printable(value));
}

std::int64_t count_in(const Json& json, const char* key) { return json.value(key, std::int64_t{0}); }

std::string data_text(const Json& data) {
  std::string text = line("data", data.value("directory", ""));
  text += line("", fmt::format("{}, {}", report::counted(count_in(data, "users"), "user"),
                               report::counted(count_in(data, "items"), "item")));
  text += line("interactions",
               fmt::format("train {}, valid {}, test {}", report::count_text(count_in(data, "train")),
                           report::count_text(count_in(data, "valid")), report::count_text(count_in(data, "test"))));
  return text + line("split SHA-256", data.value("split_sha256", ""));
}

std::string input_text(const Json& input) {
  const std::int64_t cols = count_in(input, "cols");
  const std::string size =
      report::counted(count_in(input, "rows"), "row") + (cols == 0 ? "" : " of " + report::counted(cols, "value"));
  return line(input.value("role", ""), fmt::format("{} ({})", input.value("path", ""), size)) +
         line("  SHA-256", input.value("sha256", ""));
}

std::string settings_text(const Json& settings) {
  const auto rows = training::flat(settings);
  std::size_t width = 0;
  for (const auto& [name, value] : rows) width = std::max(width, name.size());
  std::string text;
  for (const auto& [name, value] : rows) {
    text += line(text.empty() ? "settings" : "", fmt::format("{:<{}}  {}", name, width, value));
  }
  return text;
}

}  // namespace

std::string config_text(const Json& config) {
  std::string text = line("model", config.value("model", ""));
  text += line("item graph", config.value("graph", ""));
  text += line("seed", fmt::format("{}", config.value("seed", std::uint64_t{0})));
  if (config.contains("data")) text += data_text(config.at("data"));
  for (const Json& input : config.value("inputs", Json::array())) text += input_text(input);
  return text + settings_text(config.value("settings", Json::object()));
}

std::filesystem::path data_directory(const Json& config) {
  return config.value("data", Json::object()).value("directory", "");
}

std::string split_sha256(const Json& config) { return config.value("data", Json::object()).value("split_sha256", ""); }

Candidates candidates(const Json& config) {
  const std::string word = config.value("settings", Json::object()).value("candidates", "");
  return word == name(Candidates::cold) ? Candidates::cold : Candidates::all;
}

}  // namespace graft::cli
