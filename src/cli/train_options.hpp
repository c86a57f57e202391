// The command line of `graft train`, from text to checked values.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <graft/train/train.hpp>

#include "train/invalid_option.hpp"

#include "exit_code.hpp"

namespace graft::cli {

/// The options as they were typed; the values here are the defaults.
struct TrainArguments {
  std::string model;
  std::string data;
  std::string graph = "vanilla";
  std::vector<std::string> features;
  std::vector<std::string> similarities;
  std::string user_profile;
  std::string user_history;
  std::vector<std::string> settings;
  std::string seed = "999";
  std::string out;
  bool resume = false;
  bool list = false;
  std::string checkpoint_seconds = "60";
  std::string threads = "0";
  std::string json;
  bool quiet = false;
};

/// What `graft train` will do.
struct TrainJob {
  TrainOptions options;
  bool list = false;
  int threads = 0;
  std::filesystem::path json;  ///< empty: none; "-": standard output
  bool quiet = false;

  [[nodiscard]] bool json_to_stdout() const { return json == "-"; }
};

/// Adds the options to the parser; parsing fills `arguments`, which must outlive it.
void add_train_options(CLI::App& parser, TrainArguments& arguments);

/// Checks every value that can be checked without model and data; reads no file.
/// @throws UsageError naming the option and the value
TrainJob checked_job(const TrainArguments& arguments);

/// Checks that the inputs are there and that the summary can be written. @throws UsageError, IoError
void check_files(const TrainJob& job);

/// The refusal of an option by the library, in the words of the command line.
UsageError usage_error(const training::InvalidOption& refusal);

}  // namespace graft::cli
