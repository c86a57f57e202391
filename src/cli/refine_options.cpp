#include "refine_options.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "file_checks.hpp"
#include "option_adder.hpp"
#include "values.hpp"

namespace graft::cli {
namespace {

constexpr Choice<Preset> kPresets[] = {
    {"noself", Preset::noself}, {"reference", Preset::reference}, {"paper", Preset::paper}};
constexpr Choice<Weights> kWeights[] = {{"binary", Weights::binary}, {"similarity", Weights::similarity}};
constexpr Choice<Normalization> kNormalizations[] = {
    {"symmetric", Normalization::symmetric}, {"row", Normalization::row}, {"none", Normalization::none}};
constexpr Choice<std::optional<Symmetrization>> kSymmetrizations[] = {
    {"none", std::nullopt}, {"max", Symmetrization::max}, {"mean", Symmetrization::mean}, {"min", Symmetrization::min}};
constexpr Choice<Backend> kBackends[] = {{"auto", Backend::automatic}, {"cpu", Backend::cpu}, {"cuda", Backend::cuda}};

constexpr const char* kRefineFooter =
    R"(Example: the graph of two modalities, the image with half the weight and a threshold of its own
  graft refine --features text_feat.npy:1 --features image_feat.npy:0.5:0.6 \
               --interactions baby.inter --threshold 0.5 --jaccard-k 10 --out graph.npz
The result is read by scipy.sparse.load_npz. Exit codes: 0 done, 1 data or I/O, 2 usage, 130 interrupted.)";

Source parse_source(Source::Kind kind, const std::string& text) {
  Source source;
  source.kind = kind;
  WeightedPath parsed = parse_weighted_path(source.option(), text);
  source.path = std::move(parsed.path);
  source.weight = parsed.weight;
  source.threshold = parsed.threshold;
  return source;
}

std::vector<Source> parse_sources(const RefineArguments& arguments) {
  std::vector<Source> sources;
  sources.reserve(arguments.features.size() + arguments.graphs.size());
  for (const std::string& text : arguments.features) sources.push_back(parse_source(Source::Kind::features, text));
  for (const std::string& text : arguments.graphs) sources.push_back(parse_source(Source::Kind::graph, text));
  if (sources.empty()) throw UsageError("--features: is required: give --features or --graph at least once");
  if (std::none_of(sources.begin(), sources.end(), [](const Source& source) { return source.weight > 0.0F; })) {
    throw UsageError(
        fmt::format("{} = {}: weight = {}: the weights of all --features and --graph are 0: at least one "
                    "must be > 0",
                    sources.front().option(), sources.front().path.string(), sources.front().weight));
  }
  return sources;
}

RefineOptions parse_options(const RefineArguments& arguments) {
  RefineOptions options;
  options.preset = parse_choice("--preset", arguments.preset, kPresets);
  options.knn_k = parse_integer("--knn-k", arguments.knn_k, 1);
  options.threshold = parse_real("--threshold", arguments.threshold, -1.0, 1.0);
  options.jaccard_k = parse_integer("--jaccard-k", arguments.jaccard_k, 0);
  options.min_support = parse_integer("--min-support", arguments.min_support, 1);
  options.weights = parse_choice("--weights", arguments.weights, kWeights);
  options.symmetrize = parse_choice("--symmetrize", arguments.symmetrize, kSymmetrizations);
  options.add_self_loops = arguments.add_self_loops;
  options.normalization = parse_choice("--normalization", arguments.normalization, kNormalizations);
  options.epsilon = parse_real("--epsilon", arguments.epsilon, 0.0);
  options.normalize_parts = arguments.normalize_parts;
  options.enhancement_weight = parse_real("--enhancement-weight", arguments.enhancement_weight, 0.0);
  return options;
}

}  // namespace

void add_refine_options(CLI::App& parser, RefineArguments& arguments) {
  OptionAdder add(parser);
  add.group("Inputs");
  add.texts("--features", arguments.features, "PATH[:WEIGHT[:THRESHOLD]]",
            "item features (.npy), one file a modality; repeatable; weights are scaled to sum to 1");
  add.texts("--graph", arguments.graphs, "PATH[:WEIGHT[:THRESHOLD]]",
            "ready similarity graph (.npz) in place of features; repeatable; at least one of the two is required");
  add.text("--interactions", arguments.interactions, "FILE.inter", "who interacted with what (required)");
  add.text("--split", arguments.split, "NAME", "rows of the interactions to use: train, valid, test or all");

  add.group("Refinement");
  add.text("--preset", arguments.preset, "NAME", "reading of the paper: noself, reference or paper");
  add.text("--knn-k", arguments.knn_k, "K", "neighbours by similarity, >= 1");
  add.text("--threshold", arguments.threshold, "T", "least similarity of an edge, in [-1, 1]; -1 keeps all");
  add.text("--jaccard-k", arguments.jaccard_k, "K", "neighbours by common audience, >= 0; 0 adds none");
  add.text("--min-support", arguments.min_support, "C",
           "users that two neighbours by common audience must share, >= 1; 2 keeps none that hangs on one user");
  add.text("--weights", arguments.weights, "NAME", "of similarity edges: binary or similarity");
  add.text("--symmetrize", arguments.symmetrize, "NAME", "none, max, mean or min, before normalization");
  add.flag("--add-self-loops", arguments.add_self_loops, "add 1 to the diagonal before normalization");
  add.text("--normalization", arguments.normalization, "NAME", "symmetric, row or none");
  add.text("--epsilon", arguments.epsilon, "E", "added to the row sums that normalize, >= 0");
  add.flag("--normalize-parts", arguments.normalize_parts,
           "normalize the graphs of similarity and of common audience apart, then add them");
  add.text("--enhancement-weight", arguments.enhancement_weight, "W",
           "factor of the graph of common audience, >= 0; 0 leaves it out");

  add.group("Execution");
  add.text("--backend", arguments.backend, "NAME",
           "auto, cpu or cuda; auto takes a CUDA device that is there if the work is big enough");
  add.text("--threads", arguments.threads, "N", "worker threads; 0 = one a core; never changes the result");
  add.text("--memory-budget", arguments.memory_budget, "SIZE",
           "workspace beyond inputs and result, e.g. 512MiB; never changes the result");

  add.group("Outputs");
  add.text("--out", arguments.out, "FILE.npz", "the refined graph (required)");
  add.text("--json", arguments.json, "FILE", "machine-readable summary; - for standard output");
  add.flag("--quiet", arguments.quiet, "no progress, notices and summary; warnings and errors stay");
  parser.footer(kRefineFooter);
}

RefineJob checked_job(const RefineArguments& arguments) {
  RefineJob job;
  job.sources = parse_sources(arguments);
  job.interactions = required("--interactions", arguments.interactions, "a .inter file");
  job.split = parse_choice("--split", arguments.split, kSplits);
  job.options = parse_options(arguments);
  job.backend = parse_choice("--backend", arguments.backend, kBackends);
  job.threads = parse_threads(arguments.threads);
  job.memory_budget = parse_bytes("--memory-budget", arguments.memory_budget);
  job.out = required("--out", arguments.out, "the .npz file to write");
  job.json = arguments.json;
  job.quiet = arguments.quiet;
  return job;
}

void check_files(const RefineJob& job) {
  const bool json_file = !job.json.empty() && !job.json_to_stdout();
  if (json_file && same_file(job.out, job.json)) {
    throw bad_value("--json", job.json.string(), "must not be the file of --out");
  }
  const auto refuse_input_as_output = [&](std::string_view option, const std::filesystem::path& input) {
    if (same_file(job.out, input)) throw bad_value("--out", job.out.string(), fmt::format("is the file of {}", option));
    if (json_file && same_file(job.json, input)) {
      throw bad_value("--json", job.json.string(), fmt::format("is the file of {}", option));
    }
  };
  for (const Source& source : job.sources) refuse_input_as_output(source.option(), source.path);
  refuse_input_as_output("--interactions", job.interactions);

  for (const Source& source : job.sources) {
    const bool colon = source.path.string().find(':') != std::string::npos;
    check_input(source.option(), source.path,
                colon ? " (what follows a ':' is weight or threshold only if it is a number)" : "");
  }
  check_input("--interactions", job.interactions);
  check_output("--out", job.out);
  if (json_file) check_output("--json", job.json);
}

std::string_view spelling_of(Split split) { return spelling(split, kSplits); }
std::string_view spelling_of(Weights weights) { return spelling(weights, kWeights); }
std::string_view spelling_of(Normalization normalization) { return spelling(normalization, kNormalizations); }
std::string_view spelling_of(std::optional<Symmetrization> symmetrization) {
  return spelling(symmetrization, kSymmetrizations);
}

}  // namespace graft::cli
