#include <nlohmann/json.hpp>

#include "report/format.hpp"
#include "report/inspection_report.hpp"

namespace graft::report {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Spread& spread) {
  return {{"min", spread.least},     {"first_quartile", spread.first_quartile},
          {"median", spread.median}, {"third_quartile", spread.third_quartile},
          {"max", spread.most},      {"mean", spread.mean}};
}

Json json_of(const Histogram& histogram) {
  return {{"bins", name(histogram.bins)}, {"bounds", histogram.bounds}, {"counts", histogram.counts}};
}

Json json_of(const Degrees& degrees) {
  Json json = json_of(degrees.spread);
  json["items_without"] = degrees.items_without;
  json["histogram"] = json_of(degrees.histogram);
  return json;
}

Json json_of(const Structure& facts) {
  Json json = {{"items", facts.items},
               {"edges", facts.edges},
               {"self_loops", facts.self_loops},
               {"density", facts.density},
               {"isolated_items", facts.isolated_items},
               {"empty_rows", facts.empty_rows}};
  json["neighbours"] = json_of(facts.neighbours);
  json["used_by"] = json_of(facts.used_by);
  json["hubs"] = Json::array();
  for (const Hub& hub : facts.hubs) {
    json["hubs"].push_back({{"item", hub.item}, {"used_by", hub.used_by}, {"share", hub.share}});
  }
  json["top_items"] = facts.top_items;
  json["top_items_share"] = facts.top_share;
  json["gini"] = facts.gini;
  json["mutual_edges"] = facts.mutual_edges;
  json["reciprocity"] = facts.reciprocity;
  json["symmetric"] = facts.symmetric;
  json["largest_asymmetry"] = facts.largest_asymmetry;
  json["components"] = {{"count", facts.components.count},
                        {"largest", facts.components.largest},
                        {"largest_share", facts.components.largest_share},
                        {"singletons", facts.components.singletons}};
  return json;
}

Json json_of(const WeightFacts& facts) {
  Json json = {{"meaning", name(facts.meaning)}, {"all_equal", facts.all_equal}};
  json.update(json_of(facts.spread));
  json["histogram"] = json_of(facts.histogram);
  json["below"] = Json::array();
  for (const Below& below : facts.below) {
    json["below"].push_back({{"threshold", below.threshold}, {"edges", below.edges}, {"share", below.share}});
  }
  return json;
}

Json json_of(const CommonUsers& common) {
  return {{"edges", common.edges},
          {"common_user_edges", common.confirmed},
          {"common_user_share", common.share()},
          {"mean_jaccard", common.mean_jaccard()}};
}

Json json_of(const AudienceFacts& facts) {
  Json json = {{"users", facts.users},
               {"pairs", facts.pairs},
               {"base_rate", facts.base_rate},
               {"base_rate_items", facts.base_rate_rows}};
  json.update(json_of(facts.all));
  json["by_weight"] = Json::array();
  for (const WeightGroup& group : facts.by_weight) {
    Json one = {{"min_weight", group.least}, {"max_weight", group.most}};
    one.update(json_of(group.common));
    json["by_weight"].push_back(std::move(one));
  }
  json["by_popularity"] = Json::array();
  for (const PopularityGroup& group : facts.by_popularity) {
    Json one = {{"min_audience", group.least_audience},
                {"max_audience", group.most_audience},
                {"items", group.items},
                {"mean_neighbours", group.mean_neighbours}};
    one.update(json_of(group.common));
    json["by_popularity"].push_back(std::move(one));
  }
  return json;
}

Json json_of(const EdgeSet& set) {
  Json json = {{"edges", set.edges},
               {"share", set.share},
               {"mean_weight_before", set.mean_weight_before},
               {"mean_weight_after", set.mean_weight_after}};
  if (set.common) json.update(json_of(*set.common));
  return json;
}

Json json_of(const Comparison& facts) {
  Json json = {{"edges_before", facts.edges_before}, {"edges_after", facts.edges_after}};
  json["kept"] = json_of(facts.kept);
  json["added"] = json_of(facts.added);
  json["removed"] = json_of(facts.removed);
  json["mean_overlap"] = facts.mean_overlap;
  json["items_unchanged"] = facts.items_unchanged;
  json["first_neighbour"] = facts.first_neighbour;
  json["lost_all"] = facts.lost_all;
  if (facts.before) json["common_user_share_before"] = facts.before->share();
  if (facts.after) json["common_user_share_after"] = facts.after->share();
  return json;
}

Json json_of(const LabelFacts& facts) {
  Json json = {{"labels", facts.labels},       {"labelled_items", facts.labelled_items}, {"edges", facts.edges},
               {"within_edges", facts.within}, {"homophily", facts.homophily},           {"baseline", facts.baseline},
               {"adjusted", facts.adjusted}};
  json["largest"] = Json::array();
  for (const LabelGroup& group : facts.largest) {
    json["largest"].push_back({{"label", printable(group.label)},
                               {"items", group.items},
                               {"edges", group.edges},
                               {"within_edges", group.within},
                               {"homophily", group.share()}});
  }
  return json;
}

}  // namespace

nlohmann::ordered_json inspection_json(const Inspection& inspection) {
  Json json = json_of(inspection.structure);
  json["row_sums"] = json_of(inspection.weights.row_sums);
  json["weights"] = json_of(inspection.weights);
  if (inspection.audience) json["interactions"] = json_of(*inspection.audience);
  if (inspection.comparison) {
    json["comparison"] = json_of(*inspection.comparison);
    if (inspection.structure_before) json["comparison"]["before"] = json_of(*inspection.structure_before);
  }
  if (inspection.labels) json["labels"] = json_of(*inspection.labels);
  json["provenance"] = Json::object();
  for (const auto& [key, value] : inspection.provenance) json["provenance"][key] = printable(value);
  return json;
}

}  // namespace graft::report
