#include "train/epoch_json.hpp"

#include "train/metric_names.hpp"

namespace graft::training {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

std::vector<std::string> ordered_names(const Metrics& metrics) {
  std::vector<std::string> names;
  for (const std::string& measure : measures_of(metrics)) {
    for (const std::int64_t cutoff : cutoffs_of(metrics)) {
      std::string name = metric_name(measure, cutoff);
      if (metrics.contains(name)) names.push_back(std::move(name));
    }
  }
  return names;
}

Json metrics_json(const Metrics& metrics) {
  Json json = Json::object();
  for (const std::string& name : ordered_names(metrics)) json[name] = metrics.at(name);
  return json;
}

Metrics metrics_of(const Json& json) {
  Metrics metrics;
  for (const auto& [name, value] : json.items()) metrics[name] = value.get<double>();
  return metrics;
}

Json epoch_json(const EpochReport& report) {
  return {{"epoch", report.epoch},
          {"loss", report.loss},
          {"learning_rate", report.learning_rate},
          {"valid", metrics_json(report.valid)},
          {"test", metrics_json(report.test)},
          {"best", report.best},
          {"train_seconds", report.train_seconds},
          {"evaluation_seconds", report.evaluation_seconds}};
}

EpochReport epoch_of(const Json& json) {
  return {.epoch = json.at("epoch").get<std::int64_t>(),
          .loss = json.at("loss").get<double>(),
          .learning_rate = json.at("learning_rate").get<double>(),
          .valid = metrics_of(json.at("valid")),
          .test = metrics_of(json.at("test")),
          .best = json.at("best").get<bool>(),
          .train_seconds = json.at("train_seconds").get<double>(),
          .evaluation_seconds = json.at("evaluation_seconds").get<double>()};
}

}  // namespace graft::training
