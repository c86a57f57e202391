#include "train/user_sidecar.hpp"

#include <system_error>

#include <nlohmann/json.hpp>

#include <graft/core/error.hpp>
#include <graft/detail/atomic_file.hpp>

#include "report/json_text.hpp"
#include "train/run_files.hpp"

namespace graft::training {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {
constexpr const char* kUserVectors = "user vectors";
}  // namespace

fs::path user_sidecar_path(const fs::path& file) {
  fs::path path = file;
  path += ".json";
  return path;
}

void write_user_sidecar(const fs::path& file, const UserSidecar& sidecar) {
  Json json = {{"policy", sidecar.policy}};
  if (!sidecar.split_sha256.empty()) json["split_sha256"] = sidecar.split_sha256;
  detail::write_file_atomically(user_sidecar_path(file), report::json_text(json), kUserVectors);
}

std::optional<UserSidecar> read_user_sidecar(const fs::path& file) {
  const fs::path path = user_sidecar_path(file);
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  const Json json = Json::parse(read_text(path), nullptr, false);
  const auto word = [&](const char* key) {
    return json.is_object() && json.contains(key) && json.at(key).is_string() ? json.at(key).get<std::string>() : "";
  };
  UserSidecar sidecar{.policy = word("policy"), .split_sha256 = word("split_sha256")};
  if (sidecar.policy.empty()) {
    throw FormatError(detail::message(kUserVectors, path.string(), "",
                                      R"(must be a JSON object: {"policy": "train", "split_sha256": "..."})"));
  }
  return sidecar;
}

}  // namespace graft::training
