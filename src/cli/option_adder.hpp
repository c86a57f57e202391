// Adds options to a subcommand's parser, all in one way. Values stay text: values.hpp reads them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "exit_code.hpp"

namespace graft::cli {

/// Catches `--out --json`, where an option stands in the place of a value.
inline std::string refuse_option_as_value(const std::string& value) {
  if (!value.starts_with("--")) return "";
  return fmt::format("got {} where a value is needed (a file of that name: ./{})", value, value);
}

/// The text given beforehand is the default that --help shows.
class OptionAdder {
 public:
  explicit OptionAdder(CLI::App& parser) : parser_(parser) {}

  void group(const char* name) { group_ = name; }

  void text(const char* option, std::string& value, const char* placeholder, const std::string& description) {
    finish(parser_.add_option(option, value, description), placeholder)->default_str(value);
  }
  void texts(const char* option, std::vector<std::string>& values, const char* placeholder,
             const std::string& description) {
    finish(parser_.add_option(option, values, description), placeholder)->allow_extra_args(false);
  }
  void flag(const char* option, bool& value, const std::string& description) {
    parser_.add_flag(option, value, description)->group(group_);
  }

 private:
  CLI::Option* finish(CLI::Option* option, const char* placeholder) {
    return option->type_name(placeholder)->group(group_)->check(refuse_option_as_value, "");
  }

  CLI::App& parser_;
  std::string group_;
};

/// @throws UsageError if the option was not given
inline std::string required(std::string_view option, std::string value, std::string_view what) {
  if (value.empty()) throw UsageError(fmt::format("{}: is required: {}", option, what));
  return value;
}

}  // namespace graft::cli
