// graft version: what this build is and which numeric path it takes here.
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <oneapi/tbb/version.h>
#include <zlib.h>
#include <Eigen/Core>
#include <nlohmann/json.hpp>

#include <graft/core/context.hpp>
#include <graft/core/error.hpp>
#include <graft/core/version.hpp>
#include <graft/detail/cuda_backend.hpp>

#include "command.hpp"
#include "console.hpp"
#include "exit_code.hpp"
#include "reporter.hpp"

namespace graft::cli {
namespace {

struct VersionFacts {
  std::string path = name(resolve_numeric_path());
  std::vector<std::string> available;
  std::vector<std::string> backends = {"cpu"};
  std::string cuda;  ///< the device, or what is missing
  std::string compiler;
  std::string tbb = TBB_runtime_version();
  std::string eigen = fmt::format("{}.{}.{}", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION);
  std::string zlib = zlibVersion();
};

void add_cuda(VersionFacts& facts) {
  const detail::CudaPlugin plugin = detail::find_cuda_device(Context::cuda());
  facts.cuda = "none: " + plugin.missing;
  if (plugin.table == nullptr) return;
  std::vector<char> text(detail::cuda::kMessageBytes);
  plugin.table->describe(0, {text.data(), detail::cuda::kMessageBytes});  // of a failure it gives the reason
  facts.backends.emplace_back("cuda");
  facts.cuda = text.data();
}

VersionFacts version_facts() {
  VersionFacts facts;
  for (const NumericPath path :
       {NumericPath::header_only, NumericPath::baseline, NumericPath::avx2, NumericPath::avx512}) {
    try {
      facts.available.emplace_back(name(resolve_numeric_path({.path = path})));
    } catch (const BackendUnavailable&) {
      continue;
    }
  }
  add_cuda(facts);
#if defined(__clang__)
  facts.compiler = "Clang " __clang_version__;
#else
  facts.compiler = "GCC " __VERSION__;
#endif
  return facts;
}

std::string as_text(const VersionFacts& facts) {
  return fmt::format(
      "graft {}\n"
      "numeric path   {} (available: {}; avx2 and avx512 give equal bits)\n"
      "backends       {}\n"
      "CUDA device    {}\n"
      "compiler       {}\n"
      "oneTBB         {}\n"
      "Eigen          {}\n"
      "zlib           {}\n",
      kVersion, facts.path, fmt::join(facts.available, ", "), fmt::join(facts.backends, ", "), facts.cuda,
      facts.compiler, facts.tbb, facts.eigen, facts.zlib);
}

nlohmann::ordered_json as_json(const VersionFacts& facts) {
  return {{"version", kVersion},        {"numeric_path", facts.path}, {"numeric_paths", facts.available},
          {"backends", facts.backends}, {"cuda", facts.cuda},         {"compiler", facts.compiler},
          {"tbb", facts.tbb},           {"eigen", facts.eigen},       {"zlib", facts.zlib}};
}

int run_version(const std::string& json) {
  const VersionFacts facts = version_facts();
  write_json(json, as_json(facts));
  if (json != "-") print_output(as_text(facts));
  return kDone;
}

}  // namespace

Command add_version(CLI::App& graft) {
  CLI::App* parser =
      graft.add_subcommand("version", "Prints the version, the numeric path taken here and the libraries");
  const auto json = std::make_shared<std::string>();
  parser->add_option("--json", *json, "the same for machines; - for standard output")->type_name("FILE");
  parser->footer("Example:\n  graft version --json -");
  return {parser, [json] { return run_version(*json); }};
}

}  // namespace graft::cli
