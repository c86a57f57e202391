#include "model_list.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <graft/core/error.hpp>
#include <graft/train/train.hpp>

#include "train/model.hpp"

#include "console.hpp"
#include "exit_code.hpp"
#include "reporter.hpp"
#include "train_options.hpp"

namespace graft::cli {
namespace {

using Json = nlohmann::ordered_json;

bool equal(const SettingInfo& a, const SettingInfo& b) {
  return a.name == b.name && a.default_value == b.default_value && a.description == b.description;
}

bool has(const ModelInfo& model, const SettingInfo& setting) {
  return std::any_of(model.settings.begin(), model.settings.end(),
                     [&](const SettingInfo& own) { return equal(own, setting); });
}

/// Settings that every model has with the same default.
std::vector<SettingInfo> shared_settings(const std::vector<ModelInfo>& models) {
  std::vector<SettingInfo> shared;
  if (models.size() < 2) return shared;
  for (const SettingInfo& setting : models.front().settings) {
    if (std::all_of(models.begin(), models.end(), [&](const ModelInfo& model) { return has(model, setting); })) {
      shared.push_back(setting);
    }
  }
  return shared;
}

std::string settings_text(const std::vector<SettingInfo>& settings) {
  std::size_t names = 0;
  std::size_t defaults = 0;
  for (const SettingInfo& setting : settings) {
    names = std::max(names, setting.name.size());
    defaults = std::max(defaults, setting.default_value.size());
  }
  std::string text;
  for (const SettingInfo& setting : settings) {
    text += fmt::format("  {:<{}}  {:<{}}  {}\n", setting.name, names, setting.default_value, defaults,
                        setting.description);
  }
  return text;
}

std::string models_text(const std::vector<ModelInfo>& models) {
  const std::vector<SettingInfo> shared = shared_settings(models);
  std::string text = "Settings, as --set NAME=VALUE changes them: name, default, meaning.\n";
  for (const ModelInfo& model : models) {
    std::vector<SettingInfo> own;
    for (const SettingInfo& setting : model.settings) {
      const bool common =
          std::any_of(shared.begin(), shared.end(), [&](const SettingInfo& other) { return equal(other, setting); });
      if (!common) own.push_back(setting);
    }
    text += fmt::format("\n{}: {}\n{}", model.name, model.description, settings_text(own));
  }
  if (!shared.empty()) text += "\nevery model\n" + settings_text(shared);
  return text;
}

Json models_json(const std::vector<ModelInfo>& models) {
  Json list = Json::array();
  for (const ModelInfo& model : models) {
    Json settings = Json::array();
    for (const SettingInfo& setting : model.settings) {
      settings.push_back(
          {{"name", setting.name}, {"default", setting.default_value}, {"description", setting.description}});
    }
    list.push_back({{"name", model.name}, {"description", model.description}, {"settings", settings}});
  }
  return {{"models", list}};
}

}  // namespace

void print_models(const std::string& model, const std::filesystem::path& json, bool quiet) {
  std::vector<ModelInfo> list = models();
  if (!model.empty()) {
    try {
      static_cast<void>(training::ModelRegistry::with_built_in().find(model));  // suggests the nearest name
    } catch (const training::InvalidOption& error) {
      throw usage_error(error);
    }
    std::erase_if(list, [&](const ModelInfo& info) { return info.name != model; });
  }
  write_json(json, models_json(list));
  if (!quiet && json != "-") print_output(models_text(list));
}

}  // namespace graft::cli
