// Data sets and inspection.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <nlohmann/json.hpp>

#include "data/split_dataset.hpp"
#include "data/synth.hpp"
#include "report/inspection.hpp"
#include "report/inspection_report.hpp"
#include "report/labels.hpp"

#include "arrays.hpp"
#include "bindings.hpp"
#include "call.hpp"
#include "options.hpp"

namespace py = pybind11;

namespace graft::python {
namespace {

constexpr Choice<data::LogFormat> kFormats[] = {{"auto", data::LogFormat::automatic},
                                                {"csv", data::LogFormat::csv},
                                                {"tsv", data::LogFormat::tsv},
                                                {"jsonl", data::LogFormat::jsonl}};
constexpr Choice<data::LogHeader> kHeaders[] = {
    {"auto", data::LogHeader::automatic}, {"yes", data::LogHeader::yes}, {"no", data::LogHeader::no}};
constexpr Choice<data::Protocol> kProtocols[] = {{"random", data::Protocol::random},
                                                 {"temporal", data::Protocol::temporal},
                                                 {"temporal-user", data::Protocol::temporal_user},
                                                 {"cold-item", data::Protocol::cold_item}};
constexpr Choice<data::Duplicates> kDuplicates[] = {
    {"triple", data::Duplicates::triple}, {"pair", data::Duplicates::pair}, {"keep", data::Duplicates::keep}};

data::SynthOptions synth_options(const py::dict& values) {
  const Options options("prepare.synth", values);
  std::string shape = "demo";
  options.read("shape", shape);
  data::SynthOptions synth = data::synth_options_of_shape(shape);
  options.read("users", synth.users);
  options.read("items", synth.items);
  options.read("interactions", synth.interactions);
  options.read("text_dims", synth.text_dims);
  options.read("image_dims", synth.image_dims);
  options.read("clusters", synth.clusters);
  options.read("noise", synth.noise);
  options.read("noisy_items", synth.noisy_items);
  options.read("bridges", synth.bridges);
  options.read("seed", synth.seed);
  return synth;
}

data::SplitDatasetOptions split_options(const py::dict& values) {
  const Options options("prepare.split", values);
  data::SplitDatasetOptions split;
  options.read("name", split.name);
  options.read("format", split.log.format, kFormats);
  options.read("header", split.log.header, kHeaders);
  options.read("user", split.log.columns.user);
  options.read("item", split.log.columns.item);
  options.read("time", split.log.columns.time);
  options.read("rating", split.log.columns.rating);
  options.read("trim_ids", split.log.trim_ids);
  options.read("min_rating", split.log.min_rating);
  options.read("duplicates", split.duplicates, kDuplicates);
  options.read("k_core", split.k_core);
  options.read("protocol", split.split.protocol, kProtocols);
  options.read("seed", split.split.seed);
  options.read("cold_share", split.split.cold_share);
  return split;
}

/// @return the content of dataset.json
std::string synth(const py::bytes& directory, const py::dict& values, const CallSettings& settings) {
  const data::SynthOptions options = synth_options(values);
  const std::filesystem::path target(std::string{directory});
  return run(settings, [&](const Context& context) {
    return data::synth_description(data::write_synth_dataset(target, options, context));
  });
}

/// The notices that a person should see; what each file was taken for is in dataset.json.
std::vector<std::string> warnings_of(const data::SplitDatasetSummary& summary,
                                     const std::vector<std::filesystem::path>& files) {
  std::vector<std::string> warnings;
  for (const std::string& notice : summary.notices) {
    bool description = false;
    for (std::size_t f = 0; f < files.size() && !description; ++f) {
      description = notice == files[f].string() + ": " + summary.read_as[f];
    }
    if (!description) warnings.push_back(notice);
  }
  return warnings;
}

/// @return the content of dataset.json, notices
std::pair<std::string, std::vector<std::string>> split(const py::bytes& directory, const py::list& files,
                                                       const py::dict& values, const CallSettings& settings) {
  const data::SplitDatasetOptions options = split_options(values);
  const std::filesystem::path target(std::string{directory});
  std::vector<std::filesystem::path> paths;
  for (const py::handle file : files) paths.emplace_back(file.cast<std::string>());
  return run(settings, [&](const Context& context) {
    const data::SplitDatasetSummary summary = data::split_dataset(target, paths, options, context);
    return std::pair(data::split_description(summary), warnings_of(summary, paths));
  });
}

/// @param inputs  interactions (Interactions), before (a graph), labels (list of str), provenance (dict), each or None
/// @return the facts as JSON, text, page
std::tuple<std::string, std::string, std::string> inspect(const py::object& graph, const py::dict& inputs,
                                                          const py::dict& names, const CallSettings& settings) {
  const GraphArgument argument(graph);
  report::InspectOptions options;
  std::optional<GraphArgument> before;
  report::Labels labels;
  if (!inputs["interactions"].is_none()) options.interactions = &inputs["interactions"].cast<const Interactions&>();
  if (!inputs["before"].is_none()) before.emplace(inputs["before"]);
  if (!inputs["labels"].is_none()) {
    labels = report::labels_of(inputs["labels"].cast<std::vector<std::string>>());
    options.labels = &labels;
  }
  options.provenance = inputs["provenance"].cast<Provenance>();
  const report::InspectionNames called{.graph = names["graph"].cast<std::string>(),
                                       .before = names["before"].cast<std::string>(),
                                       .interactions = names["interactions"].cast<std::string>(),
                                       .split = names["split"].cast<std::string>(),
                                       .labels = names["labels"].cast<std::string>()};
  return run(settings, [&](const Context& context) {
    if (before) options.before = before->checked();
    const report::Inspection inspection = report::inspect(argument.checked(), options, context);
    return std::tuple(report::inspection_json(inspection).dump(), report::inspection_text(inspection, called),
                      report::inspection_html(inspection, called));
  });
}

}  // namespace

void bind_tools(py::module_& module) {
  module.def("synth", &synth);
  module.def("split", &split);
  module.def("inspect", &inspect);
}

}  // namespace graft::python
