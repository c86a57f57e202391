// graft refine: files in, refined graph out.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <oneapi/tbb/info.h>
#include <nlohmann/json.hpp>

#include <graft/core/error.hpp>
#include <graft/detail/cuda_backend.hpp>
#include <graft/io/inter.hpp>
#include <graft/io/npy.hpp>
#include <graft/io/npz.hpp>
#include <graft/ops/refine.hpp>

#include "data/sha256.hpp"

#include "command.hpp"
#include "exit_code.hpp"
#include "refine_options.hpp"
#include "refine_report.hpp"
#include "reporter.hpp"

namespace graft::cli {
namespace {

constexpr const char* kRefineCommand = "graft refine";

/// Seconds since the last call, or since it was made.
class Stopwatch {
 public:
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(last_, now)).count();
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

/// One source in memory.
struct LoadedSource {
  Matrix features;
  Graph graph;
};

/// @throws InvalidArgument naming the file, the row and the value
void check_finite(const std::filesystem::path& path, const Matrix& features) {
  for (std::int64_t row = 0; row < features.rows(); ++row) {
    const float* values = features.view().row(row);
    for (std::int64_t col = 0; col < features.cols(); ++col) {
      if (std::isfinite(values[col])) continue;
      throw InvalidArgument(fmt::format("--features = {}: row {}, column {} = {}: must be finite in float32",
                                        path.string(), row, col, values[col]));
    }
  }
}

class RefineRun {
 public:
  explicit RefineRun(RefineJob job)
      : job_(std::move(job)),
        reporter_(kRefineCommand, job_.json, job_.quiet),
        context_(reporter_.context(job_.threads > 0 ? job_.threads : oneapi::tbb::info::default_concurrency())) {
    context_.memory_budget = job_.memory_budget;
  }

  void run() {
    check_files(job_);
    if (job_.backend == Backend::cuda) require_device();
    report_.path = resolve_numeric_path(context_);
    report_.threads = context_.threads;
    if (job_.split != Split::train) {
      reporter_.warn(
          fmt::format("--split {}: the graph sees held-out interactions; do not measure a recommender with it",
                      spelling_of(job_.split)));
    }
    Stopwatch watch;
    load_sources();
    load_interactions();
    report_.read_seconds = watch.lap();
    choose_backend();
    const Graph graph = refined();
    report_.refine_seconds = watch.lap();
    reporter_.throw_if_cancelled();
    reporter_.progress().stage("writing " + job_.out.string());
    save_npz(job_.out, graph, provenance_of(job_, report_));
    report_.write_seconds = watch.lap();
    reporter_.progress().clear();
    report_result();
  }

 private:
  /// @throws BackendUnavailable before anything is read
  static void require_device() {
    const detail::CudaPlugin plugin = detail::find_cuda_device(Context::cuda());
    if (plugin.table != nullptr) return;
    throw BackendUnavailable(fmt::format("--backend = cuda: {}; use --backend cpu or auto", plugin.missing));
  }

  /// One backend for the whole run, so that the result's provenance can name it.
  void choose_backend() {
    context_.backend = job_.backend;
    if (job_.backend == Backend::automatic) {
      double flops = 0.0;
      for (std::size_t s = 0; s < job_.sources.size(); ++s) {
        if (job_.sources[s].kind != Source::Kind::features) continue;
        const SourceFacts& facts = report_.sources[s];
        const auto items = static_cast<double>(facts.rows);
        flops = std::max(flops, items * items * static_cast<double>(facts.cols));
      }
      const bool pays = flops >= detail::kLeastDeviceFlops;
      context_.backend =
          pays && detail::find_cuda_device(Context::cuda()).table != nullptr ? Backend::cuda : Backend::cpu;
    }
    report_.backend = context_.backend;
  }

  void load_sources() {
    for (const Source& source : job_.sources) {
      reporter_.reading(source.path);
      LoadedSource loaded;
      SourceFacts facts;
      if (source.kind == Source::Kind::features) {
        loaded.features = read_npy(source.path);
        check_finite(source.path, loaded.features);
        facts.rows = loaded.features.rows();
        facts.cols = loaded.features.cols();
      } else {
        loaded.graph = load_npz(source.path);
        facts.rows = facts.cols = loaded.graph.items();
      }
      facts.sha256 = data::sha256_of_file(source.path, context_.cancel);
      check_rows(source, facts);
      report_.sources.push_back(std::move(facts));
      loaded_.push_back(std::move(loaded));
    }
    report_.items = report_.sources.front().rows;
  }

  /// All sources describe the same items.
  void check_rows(const Source& source, const SourceFacts& facts) const {
    if (report_.sources.empty() || report_.sources.front().rows == facts.rows) return;
    const Source& first = job_.sources.front();
    throw InvalidArgument(fmt::format("{} = {}: {} rows: must be as many as {} = {} has: {} rows", source.option(),
                                      source.path.string(), facts.rows, first.option(), first.path.string(),
                                      report_.sources.front().rows));
  }

  void load_interactions() {
    reporter_.reading(job_.interactions);
    const InterTable table = read_inter_table(job_.interactions);
    const InterOptions options{.split = job_.split, .items = report_.items};
    // an id that is too large is read again for the message with its line
    interactions_ =
        table.item_count > report_.items ? read_inter(job_.interactions, options) : interactions_of(table, options);
    report_.users = interactions_.users();
    report_.interactions = interactions_.size();
    report_.duplicates = interactions_.duplicates();
    report_.interactions_sha256 = data::sha256_of(interactions_);
    for (const std::string& notice : table.notices) reporter_.note(notice);
    if (report_.duplicates > 0) {
      reporter_.note(
          fmt::format("{}: {} repeated interactions merged", job_.interactions.string(), report_.duplicates));
    }
    if (report_.interactions == 0 && job_.options.jaccard_k > 0) {
      reporter_.note(fmt::format("{}: no interactions in split {}: nothing to enhance the graph with",
                                 job_.interactions.string(), spelling_of(job_.split)));
    }
  }

  Graph refined() {
    std::vector<Modality> modalities;
    for (std::size_t s = 0; s < job_.sources.size(); ++s) {
      const Source& source = job_.sources[s];
      Modality modality;
      if (source.kind == Source::Kind::features) {
        modality.features = loaded_[s].features;
      } else {
        modality.similarity = loaded_[s].graph;
      }
      modality.weight = source.weight;
      modality.threshold = source.threshold;
      modalities.push_back(modality);
    }
    return refine(modalities, interactions_, job_.options, context_, &report_.summary);
  }

  void report_result() {
    try {
      write_reports();
    } catch (const IoError& error) {
      throw IoError(fmt::format("{} (the graph itself is complete: {})", error.what(), job_.out.string()));
    }
  }

  void write_reports() {
    report_.notices = reporter_.notices();
    reporter_.write_json(summary_json(job_, report_));
    reporter_.say(summary_text(job_, report_));
  }

  RefineJob job_;
  Reporter reporter_;
  Context context_;
  RefineReport report_;
  std::vector<LoadedSource> loaded_;
  Interactions interactions_;
};

int run_refine(const RefineArguments& arguments) {
  RefineJob job = checked_job(arguments);
  RefineRun(std::move(job)).run();
  return kDone;
}

}  // namespace

Command add_refine(CLI::App& graft) {
  CLI::App* parser = graft.add_subcommand(
      "refine", "Refines the item-item graph: thresholded KNN by features plus top-K by common audience");
  const auto arguments = std::make_shared<RefineArguments>();
  add_refine_options(*parser, *arguments);
  return {parser, [arguments] { return run_refine(*arguments); }};
}

}  // namespace graft::cli
