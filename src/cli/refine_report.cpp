#include "refine_report.hpp"

#include <sys/resource.h>

#include <array>
#include <bit>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <graft/core/version.hpp>

#include "console.hpp"

namespace graft::cli {
namespace {

using Json = nlohmann::ordered_json;

/// Largest resident set so far.
std::int64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  constexpr std::int64_t kKibibyte = 1024;
  return std::int64_t{usage.ru_maxrss} * kKibibyte;
}

/// The double whose shortest spelling is that of the float: 0.7 rather than 0.699999988.
double as_typed(float value) {
  const std::string text = fmt::format("{}", value);
  double number = 0.0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

const char* path_name(const RefineReport& report) {
  return report.backend == Backend::cuda ? name(report.backend) : name(report.path);
}

/// Numeric paths whose results have equal bits carry one name.
const char* bits_name(const RefineReport& report) {
  const bool fma = report.path == NumericPath::avx2 || report.path == NumericPath::avx512;
  return report.backend == Backend::cpu && fma ? "fma" : path_name(report);
}

/// The text with U+FFFD in the place of bytes that are not UTF-8: file names may hold any, the formats may not.
std::string as_utf8(const std::string& text) {
  constexpr int kCompact = -1;
  return Json::parse(Json(text).dump(kCompact, ' ', false, Json::error_handler_t::replace)).get<std::string>();
}

double pruned_share(const DenoisingCounts& counts) {
  if (counts.edges_before == 0) return 0.0;
  return static_cast<double>(counts.edges_before - counts.edges_after) / static_cast<double>(counts.edges_before);
}

double share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

float threshold_of(const RefineJob& job, const Source& source) {
  return source.threshold.value_or(job.options.threshold);
}

const char* kind_name(Source::Kind kind) { return kind == Source::Kind::features ? "features" : "graph"; }

Json sources_json(const RefineJob& job, const RefineReport& report) {
  Json sources = Json::array();
  for (std::size_t s = 0; s < job.sources.size(); ++s) {
    const Source& source = job.sources[s];
    const SourceFacts& facts = report.sources[s];
    sources.push_back({{"kind", kind_name(source.kind)},
                       {"file", source.path.string()},
                       {"sha256", facts.sha256},
                       {"rows", facts.rows},
                       {"columns", facts.cols},
                       {"weight", as_typed(source.weight)},
                       {"threshold", as_typed(threshold_of(job, source))}});
  }
  return sources;
}

Json options_json(const RefineJob& job) {
  const RefineOptions& options = job.options;
  return {{"preset", name(options.preset)},
          {"knn_k", options.knn_k},
          {"threshold", as_typed(options.threshold)},
          {"jaccard_k", options.jaccard_k},
          {"min_support", options.min_support},
          {"weights", spelling_of(options.weights)},
          {"symmetrize", spelling_of(options.symmetrize)},
          {"add_self_loops", options.add_self_loops},
          {"normalization", spelling_of(options.normalization)},
          {"epsilon", as_typed(options.epsilon)},
          {"normalize_parts", options.normalize_parts},
          {"enhancement_weight", as_typed(options.enhancement_weight)},
          {"split", spelling_of(job.split)}};
}

}  // namespace

Provenance provenance_of(const RefineJob& job, const RefineReport& report) {
  const RefineOptions& options = job.options;
  Provenance facts{{"version", kVersion},
                   {"operator", "refine"},
                   {"numeric_path", bits_name(report)},
                   {"preset", name(options.preset)},
                   {"knn_k", std::to_string(options.knn_k)},
                   {"threshold", fmt::format("{}", options.threshold)},
                   {"jaccard_k", std::to_string(options.jaccard_k)},
                   {"min_support", std::to_string(options.min_support)},
                   {"weights", std::string(spelling_of(options.weights))},
                   {"symmetrize", std::string(spelling_of(options.symmetrize))},
                   {"add_self_loops", options.add_self_loops ? "true" : "false"},
                   {"normalization", std::string(spelling_of(options.normalization))},
                   {"epsilon", fmt::format("{}", options.epsilon)},
                   {"normalize_parts", options.normalize_parts ? "true" : "false"},
                   {"enhancement_weight", fmt::format("{}", options.enhancement_weight)},
                   {"split", std::string(spelling_of(job.split))},
                   {"interactions_file", as_utf8(job.interactions.filename().string())},
                   {"interactions_sha256", report.interactions_sha256},
                   {"modalities", std::to_string(job.sources.size())}};
  for (std::size_t s = 0; s < job.sources.size(); ++s) {
    const Source& source = job.sources[s];
    const std::string key = fmt::format("modality_{}_", s);
    facts[key + "kind"] = kind_name(source.kind);
    facts[key + "file"] = as_utf8(source.path.filename().string());
    facts[key + "sha256"] = report.sources[s].sha256;
    facts[key + "weight"] = fmt::format("{}", source.weight);
    facts[key + "threshold"] = fmt::format("{}", threshold_of(job, source));
  }
  return facts;
}

std::string summary_text(const RefineJob& job, const RefineReport& report) {
  const RefineSummary& summary = report.summary;
  const double seconds = report.read_seconds + report.refine_seconds + report.write_seconds;
  constexpr double kPercent = 100.0;
  std::string text;
  const auto line = [&text](const char* label, const std::string& value) {
    text += fmt::format("{:<20}{}\n", label, value);
  };
  line("items", std::to_string(report.items));
  line("users", std::to_string(report.users));
  line("interactions", fmt::format("{} ({})", report.interactions, spelling_of(job.split)));
  line("similarity edges", fmt::format("{} -> {} ({:.2f}% pruned by the threshold)", summary.similarity.edges_before,
                                       summary.similarity.edges_after, kPercent * pruned_share(summary.similarity)));
  line("jaccard edges", std::to_string(summary.jaccard_edges));
  line("edges", std::to_string(summary.edges));
  line("self loops", std::to_string(summary.self_loops));
  line("isolated items",
       fmt::format("{} ({:.2f}%)", summary.isolated_items, kPercent * share(summary.isolated_items, report.items)));
  line("time", fmt::format("{:.2f} s (read {:.2f}, refine {:.2f}, write {:.2f})", seconds, report.read_seconds,
                           report.refine_seconds, report.write_seconds));
  line("peak memory", bytes_text(peak_memory_bytes()));
  line("numeric path",
       fmt::format("{}, {} thread{}", path_name(report), report.threads, report.threads == 1 ? "" : "s"));
  line("written", job.out.string());
  return text;
}

nlohmann::ordered_json summary_json(const RefineJob& job, const RefineReport& report) {
  const RefineSummary& summary = report.summary;
  const double seconds = report.read_seconds + report.refine_seconds + report.write_seconds;
  Json json = {{"command", "refine"},
               {"version", kVersion},
               {"items", report.items},
               {"users", report.users},
               {"interactions", report.interactions},
               {"duplicates", report.duplicates}};
  json["similarity"] = {{"edges_before", summary.similarity.edges_before},
                        {"edges_after", summary.similarity.edges_after},
                        {"pruned_share", pruned_share(summary.similarity)}};
  json["similarity_edges"] = summary.similarity_edges;
  json["jaccard_edges"] = summary.jaccard_edges;
  json["edges"] = summary.edges;
  json["self_loops"] = summary.self_loops;
  json["isolated_items"] = summary.isolated_items;
  json["options"] = options_json(job);
  json["modalities"] = sources_json(job, report);
  json["interactions_file"] = job.interactions.string();
  json["interactions_sha256"] = report.interactions_sha256;
  json["seconds"] = {{"read", report.read_seconds},
                     {"refine", report.refine_seconds},
                     {"write", report.write_seconds},
                     {"total", seconds}};
  json["peak_memory_bytes"] = peak_memory_bytes();
  json["memory_budget_bytes"] = job.memory_budget;
  json["backend"] = name(report.backend);
  json["numeric_path"] = path_name(report);
  json["threads"] = report.threads;
  json["notices"] = report.notices;
  json["out"] = job.out.string();
  return json;
}

}  // namespace graft::cli
