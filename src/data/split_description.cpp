// dataset.json of a split.
#include <string_view>

#include <nlohmann/json.hpp>

#include <graft/core/version.hpp>

#include "report/json_text.hpp"

#include "split_dataset.hpp"

namespace graft::data {
namespace {

using Json = nlohmann::ordered_json;

Json table_json(const TableCounts& counts) {
  return {{"interactions", counts.rows}, {"users", counts.users}, {"items", counts.items}};
}

Json options_json(const SplitDatasetOptions& options) {
  Json json = {{"protocol", name(options.split.protocol)},
               {"duplicates", name(options.duplicates)},
               {"k_core", options.k_core},
               {"trim_ids", options.log.trim_ids},
               {"min_rating", nullptr}};
  if (options.log.min_rating) json["min_rating"] = *options.log.min_rating;
  if (options.split.protocol == Protocol::cold_item) json["cold_share"] = options.split.cold_share;
  return json;
}

Json steps_json(const SplitDatasetSummary& summary) {
  Json json;
  json["read"] = {{"rows", summary.rows_read},
                  {"without_user", summary.without_user},
                  {"without_item", summary.without_item},
                  {"without_time", summary.without_time},
                  {"below_min_rating", summary.below_min_rating},
                  {"left", table_json(summary.complete)}};
  const std::int64_t distinct = summary.complete.rows - summary.repeated;
  json["duplicates"] = {{"removed", summary.repeated},
                        {"pairs_that_repeat", summary.repeated_pairs},
                        {"left", table_json({distinct, summary.complete.users, summary.complete.items})}};
  Json rounds = Json::array();
  for (const KCoreRound& round : summary.rounds) {
    rounds.push_back({{"users", round.users}, {"items", round.items}, {"rows", round.rows}});
  }
  json["k_core"] = {{"removed_in_rounds", rounds}, {"left", table_json(summary.kept)}};
  return json;
}

Json part_json(const SplitPart& part) {
  Json json = table_json(part.counts);
  json["items_without_training"] = part.new_items;
  json["rows_of_users_without_training"] = part.new_user_rows;
  return json;
}

Json file_json(const FileFacts& file) { return {{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256}}; }

}  // namespace

std::string split_description(const SplitDatasetSummary& summary) {
  Json json = {{"kind", "split"},
               {"made_by", "prepare split"},
               {"version", kVersion},
               {"name", summary.options.name},
               {"seed", summary.options.split.seed},
               {"options", options_json(summary.options)},
               {"counts", table_json(summary.kept)}};
  json["counts"]["train"] = part_json(summary.parts[0]);
  json["counts"]["valid"] = part_json(summary.parts[1]);
  json["counts"]["test"] = part_json(summary.parts[2]);
  json["train_sha256"] = summary.train_sha256;
  json["steps"] = steps_json(summary);
  json["inputs"] = Json::array();
  for (std::size_t f = 0; f < summary.inputs.size(); ++f) {
    json["inputs"].push_back(file_json(summary.inputs[f]));
    json["inputs"].back()["read_as"] = summary.read_as[f];
  }
  json["files"] = Json::array();
  for (const FileFacts& file : summary.files) json["files"].push_back(file_json(file));
  return report::json_text(json);
}

const char* name(Protocol protocol) {
  switch (protocol) {
    case Protocol::random:
      return "random";
    case Protocol::temporal:
      return "temporal";
    case Protocol::temporal_user:
      return "temporal-user";
    case Protocol::cold_item:
      break;
  }
  return "cold-item";
}

const char* name(Duplicates duplicates) {
  switch (duplicates) {
    case Duplicates::triple:
      return "triple";
    case Duplicates::pair:
      return "pair";
    case Duplicates::keep:
      break;
  }
  return "keep";
}

}  // namespace graft::data
