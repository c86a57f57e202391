// FILE.npy.json: what a file of user vectors was made from.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace graft::training {

struct UserSidecar {
  std::string policy = {};        ///< which interactions: "train", "all", or another word
  std::string split_sha256 = {};  ///< Dataset::split_sha256 of the data; may be empty
};

/// FILE.npy.json for FILE.npy.
std::filesystem::path user_sidecar_path(const std::filesystem::path& file);

/// Writes it, atomically. @throws IoError
void write_user_sidecar(const std::filesystem::path& file, const UserSidecar& sidecar);

/// Nothing where there is none. @throws IoError, FormatError (no JSON object with a "policy")
std::optional<UserSidecar> read_user_sidecar(const std::filesystem::path& file);

}  // namespace graft::training
