// The command line of `graft inspect`, from text to checked values.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include <graft/io/inter.hpp>

namespace graft::cli {

/// The options as they were typed; the values here are the defaults.
struct InspectArguments {
  std::string graph;
  std::string interactions;
  std::string split = "train";
  std::string compare;
  std::string labels;
  std::string threads = "0";
  std::string json;
  std::string html;
  bool quiet = false;
};

/// What `graft inspect` will do; an empty path is an option that was not given.
struct InspectJob {
  std::filesystem::path graph;
  std::filesystem::path interactions;
  Split split = Split::train;
  std::filesystem::path compare;
  std::filesystem::path labels;
  int threads = 0;
  std::filesystem::path json;  ///< "-": standard output
  std::filesystem::path html;
  bool quiet = false;

  [[nodiscard]] bool json_to_stdout() const { return json == "-"; }
};

/// Adds the options to the parser; parsing fills `arguments`, which must outlive it.
void add_inspect_options(CLI::App& parser, InspectArguments& arguments);

/// Checks every value; reads no file. @throws UsageError naming the option and the value
InspectJob checked_job(const InspectArguments& arguments);

/// Checks that the inputs are there, that the outputs can be written and that no output is another file of the job.
/// @throws UsageError, IoError
void check_files(const InspectJob& job);

}  // namespace graft::cli
