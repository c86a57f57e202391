// A planted data set as a directory.
#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <graft/core/error.hpp>
#include <graft/core/version.hpp>
#include <graft/detail/atomic_file.hpp>
#include <graft/detail/checked.hpp>
#include <graft/detail/parallel.hpp>
#include <graft/io/npy.hpp>
#include <graft/io/npz.hpp>

#include "report/json_text.hpp"

#include "synth.hpp"

namespace graft::data {
namespace {

constexpr const char* kPrepareSynth = "prepare synth";

using Json = nlohmann::ordered_json;

void write_interactions(const std::filesystem::path& path, const InterTable& table) {
  TextFile file(kPrepareSynth, path);
  file.put("userID\titemID\tx_label\n");
  for (std::size_t row = 0; row < table.users.size(); ++row) {
    file.put(std::int64_t{table.users[row]});
    file.put("\t");
    file.put(std::int64_t{table.items[row]});
    file.put("\t");
    file.put(static_cast<std::int64_t>(table.labels[row]));
    file.put("\n");
  }
  file.commit();
}

void write_labels(const std::filesystem::path& path, const SynthItems& planted) {
  TextFile file(kPrepareSynth, path);
  file.put("itemID\tlabel\n");
  for (std::size_t item = 0; item < planted.cluster_of.size(); ++item) {
    file.put(fmt::format("{}\t{}\n", item, planted.cluster_of[item]));
  }
  file.commit();
}

void write_planted(const std::filesystem::path& path, const SynthItems& planted) {
  TextFile file(kPrepareSynth, path);
  file.put("itemID\tcluster\tfamily\tbridge\tnoisy_text\tnoisy_image\n");  // bridge -1: none
  for (std::size_t item = 0; item < planted.cluster_of.size(); ++item) {
    file.put(fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", item, planted.cluster_of[item], planted.family_of[item],
                         planted.bridge_of[item], planted.noisy_text[item], planted.noisy_image[item]));
  }
  file.commit();
}

Graph write_truth(const std::filesystem::path& path, const SynthItems& planted) {
  Graph truth = synth_truth(planted);
  save_npz(path, truth,
           {{"version", kVersion},
            {"operator", kPrepareSynth},
            {"seed", std::to_string(planted.options.seed)},
            {"weight_1", "content: both items are of one family"},
            {"weight_2", "co-purchase: both items are of one bridge"}});
  return truth;
}

Json options_json(const SynthOptions& options) {
  return {{"users", options.users},
          {"items", options.items},
          {"interactions", options.interactions},
          {"text_dims", options.text_dims},
          {"image_dims", options.image_dims},
          {"clusters", options.clusters},
          {"noise", options.noise},
          {"noisy_items", options.noisy_items},
          {"bridges", options.bridges}};
}

Json counts_json(const SynthSummary& summary) {
  return {{"families", summary.families},
          {"bridges", summary.bridges},
          {"bridged_items", summary.bridged_items},
          {"noisy_text_items", summary.noisy_text_items},
          {"train", summary.train},
          {"valid", summary.valid},
          {"test", summary.test},
          {"truth_content_edges", summary.content_edges},
          {"truth_bridge_edges", summary.bridge_edges},
          {"largest_history", summary.largest_history},
          {"largest_audience", summary.largest_audience}};
}

void count_items(const SynthItems& planted, SynthSummary& summary) {
  summary.families = planted.families();
  summary.bridges = static_cast<std::int64_t>(planted.bridge_items.size());
  for (const auto& bridge : planted.bridge_items) summary.bridged_items += static_cast<std::int64_t>(bridge.size());
  summary.noisy_text_items = std::count(planted.noisy_text.begin(), planted.noisy_text.end(), 1);
}

void count_interactions(const InterTable& table, SynthSummary& summary) {
  summary.train = table.split_rows[0];
  summary.valid = table.split_rows[1];
  summary.test = table.split_rows[2];
  std::vector<std::int64_t> histories(detail::as_size(table.user_count), 0);
  std::vector<std::int64_t> audiences(detail::as_size(table.item_count), 0);
  for (const std::int32_t user : table.users) ++histories[static_cast<std::size_t>(user)];
  for (const std::int32_t item : table.items) ++audiences[static_cast<std::size_t>(item)];
  summary.largest_history = *std::max_element(histories.begin(), histories.end());
  summary.largest_audience = *std::max_element(audiences.begin(), audiences.end());
}

}  // namespace

std::string synth_description(const SynthSummary& summary) {
  Json json = {
      {"kind", "synthetic"}, {"made_by", kPrepareSynth}, {"version", kVersion}, {"seed", summary.options.seed}};
  json["options"] = options_json(summary.options);
  json["counts"] = counts_json(summary);
  json["files"] = Json::array();
  for (const FileFacts& file : summary.files) {
    json["files"].push_back({{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  }
  return report::json_text(json);
}

SynthSummary write_synth_dataset(const std::filesystem::path& directory, const SynthOptions& options,
                                 const Context& context) {
  SynthSummary summary;
  summary.options = checked_synth_options(options);
  DatasetWriter dataset(kPrepareSynth, directory);
  const SynthItems planted = plant_items(summary.options);
  count_items(planted, summary);
  write_npy(dataset.path("text_feat.npy"), synth_features(planted, SynthModality::text, context));
  if (summary.options.image_dims > 0) {
    write_npy(dataset.path("image_feat.npy"), synth_features(planted, SynthModality::image, context));
  }
  const InterTable table = synth_interactions(planted, context);
  count_interactions(table, summary);
  write_interactions(dataset.path(dataset.name() + ".inter"), table);
  detail::throw_if_cancelled(context.cancel, kPrepareSynth);
  const Graph truth = write_truth(dataset.path("truth.npz"), planted);
  summary.bridge_edges = std::count(truth.weights().begin(), truth.weights().end(), kBridgeWeight);
  summary.content_edges = truth.edges() - summary.bridge_edges;
  write_labels(dataset.path("labels.tsv"), planted);
  write_planted(dataset.path("planted.tsv"), planted);
  summary.files = dataset.files(context.cancel);
  detail::write_file_atomically(dataset.path("dataset.json"), synth_description(summary), kPrepareSynth);
  detail::throw_if_cancelled(context.cancel, kPrepareSynth);
  dataset.commit();
  return summary;
}

}  // namespace graft::data
