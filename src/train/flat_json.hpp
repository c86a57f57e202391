// Configuration as rows of a table.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace graft::training {

/// Every value with the path that leads to it, in order: {"data": {"users": 5}} is ("data.users", "5").
inline void add_flat(const nlohmann::ordered_json& json, const std::string& path,
                     std::vector<std::pair<std::string, std::string>>& rows) {
  constexpr int kCompact = -1;
  const auto below = [&path](const std::string& key) { return path.empty() ? key : path + "." + key; };
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) add_flat(value, below(key), rows);
  } else if (json.is_array()) {
    for (std::size_t i = 0; i < json.size(); ++i) add_flat(json[i], below(std::to_string(i)), rows);
  } else {
    rows.emplace_back(path, json.is_string()
                                ? json.get<std::string>()
                                : json.dump(kCompact, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  }
}

inline std::vector<std::pair<std::string, std::string>> flat(const nlohmann::ordered_json& json) {
  std::vector<std::pair<std::string, std::string>> rows;
  add_flat(json, "", rows);
  return rows;
}

}  // namespace graft::training
