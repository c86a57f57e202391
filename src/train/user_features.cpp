#include "train/user_features.hpp"

#include <optional>
#include <system_error>

#include <fmt/format.h>

#include <graft/core/error.hpp>

#include "train/dataset_files.hpp"
#include "train/invalid_option.hpp"
#include "train/user_sidecar.hpp"

namespace graft::training {

namespace fs = std::filesystem;

namespace {

constexpr const char* kDefaultFile = "user_preferences_feat.npy";
constexpr const char* kPolicyHint =
    "user_profile mean builds the vectors from the training rows; or state what these were made from: user_history "
    "train (on your word), unknown or all (then every output is marked)";

std::optional<UserHistory> history_of(const std::string& word) {
  for (const UserHistory history : {UserHistory::train, UserHistory::unknown, UserHistory::all}) {
    if (name(history) == word) return history;
  }
  return std::nullopt;
}

[[noreturn]] void refuse(const fs::path& file, const std::string& problem) {
  throw InvalidArgument(detail::message("user vectors", file.string(), "", problem));
}

/// What keeps the sidecar from vouching for the file; empty: nothing.
std::string objection(const fs::path& file, const UserSidecar& sidecar, std::string_view split_sha256) {
  const std::string path = user_sidecar_path(file).filename().string();
  if (sidecar.policy != "train") {
    return fmt::format("{} says that they were made from other interactions than the training rows (policy {})", path,
                       sidecar.policy);
  }
  if (sidecar.split_sha256 == split_sha256) return "";
  return fmt::format(
      "{} is of another split (split_sha256 {}, these data have {}): what was a training row there may be held out "
      "here",
      path, sidecar.split_sha256.empty() ? "absent" : sidecar.split_sha256, split_sha256);
}

}  // namespace

std::string UserFeatures::warning() const {
  if (!wanted || profile != UserProfile::file || history == UserHistory::train) return "";
  if (history == UserHistory::all) {
    return "user vectors were made from all interactions, held-out ones among them (user_history all): the metrics "
           "measure that leak and cannot be compared with those of an honest run";
  }
  return "it is not known which interactions the user vectors were made from (user_history unknown): if held-out "
         "ones are among them, the metrics measure that leak";
}

std::string name(UserProfile profile) {
  switch (profile) {
    case UserProfile::mean:
      return "mean";
    case UserProfile::sum:
      return "sum";
    case UserProfile::random:
      return "random";
    case UserProfile::file:
      break;
  }
  return "file";
}

std::string name(UserHistory history) {
  if (history == UserHistory::train) return "train";
  return history == UserHistory::all ? "all" : "unknown";
}

std::string name(HistorySource source) {
  if (source == HistorySource::graft) return "graft";
  return source == HistorySource::sidecar ? "sidecar" : "stated";
}

UserSource find_user_source(const UserOptions& options, const fs::path& directory) {
  UserSource source;
  for (const UserProfile profile : {UserProfile::mean, UserProfile::sum, UserProfile::random}) {
    if (options.profile == name(profile)) source.profile = profile;
  }
  const bool built = options.profile == name(source.profile);
  if (options.profile.empty() && is_file(directory / kDefaultFile)) {
    source = {UserProfile::file, directory / kDefaultFile};
  } else if (!options.profile.empty() && !built) {
    source = {UserProfile::file, options.profile};
    if (!is_file(source.path)) {
      throw IoError(detail::message("train", "user_profile", options.profile,
                                    "no such file; give mean, sum, random or a .npy file"));
    }
  }
  if (options.history.empty()) return source;
  if (!history_of(options.history)) {
    throw InvalidOption("user_history", options.history, "must be train, unknown or all");
  }
  if (source.profile != UserProfile::file) {
    throw InvalidOption(
        "user_history", options.history,
        fmt::format("is a statement about a file of user vectors, but these ({}) are built from training rows",
                    name(source.profile)));
  }
  return source;
}

UserFeatures check_user_history(const fs::path& file, const std::string& history, std::string_view split_sha256) {
  UserFeatures features{.wanted = true, .profile = UserProfile::file};
  const std::optional<UserSidecar> sidecar = read_user_sidecar(file);
  const std::string problem = sidecar ? objection(file, *sidecar, split_sha256) : "";
  if (const std::optional<UserHistory> stated = history_of(history)) {
    if (*stated == UserHistory::train && !problem.empty()) {
      refuse(file, fmt::format("{}, against user_history train; correct or remove {} if it is wrong, or state unknown "
                               "or all (then every output is marked)",
                               problem, user_sidecar_path(file).filename().string()));
    }
    features.history = *stated;
    features.source = HistorySource::stated;
    return features;
  }
  if (!sidecar) {
    refuse(file, fmt::format("nothing says which interactions they were made from (there is no {}); validation or test "
                             "rows among them would make every metric meaningless. {}",
                             user_sidecar_path(file).filename().string(), kPolicyHint));
  }
  if (!problem.empty()) refuse(file, fmt::format("{}. {}", problem, kPolicyHint));
  features.source = HistorySource::sidecar;
  return features;
}

}  // namespace graft::training
