// The command line of `graft refine`, from text to checked values.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include <graft/core/context.hpp>
#include <graft/io/inter.hpp>
#include <graft/ops/refine.hpp>

namespace graft::cli {

/// The options as they were typed; the values here are the defaults.
struct RefineArguments {
  std::vector<std::string> features;
  std::vector<std::string> graphs;
  std::string interactions;
  std::string split = "train";
  std::string knn_k = "10";
  std::string threshold = "0.5";
  std::string jaccard_k = "10";
  std::string min_support = "1";
  std::string preset = "noself";
  std::string weights = "binary";
  std::string symmetrize = "none";
  std::string normalization = "symmetric";
  std::string epsilon = "0";
  bool add_self_loops = false;
  bool normalize_parts = false;
  std::string enhancement_weight = "1";
  std::string backend = "cpu";
  std::string threads = "0";
  std::string memory_budget = "64MiB";
  std::string out;
  std::string json;
  bool quiet = false;
};

/// A file that tells how similar items are.
struct Source {
  enum class Kind { features, graph };
  Kind kind = Kind::features;
  std::filesystem::path path;
  float weight = 1.0F;
  std::optional<float> threshold;

  /// The option that named it.
  [[nodiscard]] const char* option() const { return kind == Kind::features ? "--features" : "--graph"; }
};

/// What `graft refine` will do.
struct RefineJob {
  std::vector<Source> sources;  ///< features first, then graphs, each in the order given
  std::filesystem::path interactions;
  Split split = Split::train;
  RefineOptions options;
  Backend backend = Backend::cpu;
  int threads = 0;
  std::int64_t memory_budget = kDefaultMemoryBudget;
  std::filesystem::path out;
  std::filesystem::path json;  ///< empty: none; "-": standard output
  bool quiet = false;

  [[nodiscard]] bool json_to_stdout() const { return json == "-"; }
};

/// Adds the options to the parser; parsing fills `arguments`, which must outlive it.
void add_refine_options(CLI::App& parser, RefineArguments& arguments);

/// Checks every value; reads no file. @throws UsageError naming the option and the value
RefineJob checked_job(const RefineArguments& arguments);

/// Checks that the inputs are there, that the outputs can be written and that no output is another file of the job.
/// @throws UsageError, IoError
void check_files(const RefineJob& job);

/// The spellings of the command line.
std::string_view spelling_of(Split split);
std::string_view spelling_of(Weights weights);
std::string_view spelling_of(Normalization normalization);
std::string_view spelling_of(std::optional<Symmetrization> symmetrization);

}  // namespace graft::cli
