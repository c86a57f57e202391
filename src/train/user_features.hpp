// The vectors that a model takes users for: where they come from, and what is known of how they were made.
//
// Vectors made from validation or test interactions make every metric of a model that reads them meaningless, and
// early stopping cannot tell: validation rises as well. So a file of user vectors is used only if it is known to be
// made from training interactions, or if the person in charge says otherwise; what follows from a doubtful one is
// marked.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <graft/core/matrix_view.hpp>

namespace graft::training {

/// What the vector of a user is.
enum class UserProfile {
  mean,    ///< of the user's training items' features, scaled to length 1
  sum,     ///< of the same, as it is: the longer, the more items
  random,  ///< a random direction: tells nothing of the user
  file     ///< a row of a given matrix
};

/// Which interactions a file of user vectors was made from.
enum class UserHistory { train, unknown, all };

/// How that is known.
enum class HistorySource {
  graft,    ///< the vectors were built here
  sidecar,  ///< FILE.npy.json says so
  stated    ///< the person who started the run says so (--user-history)
};

/// User vectors as asked for.
struct UserOptions {
  bool wanted = false;  ///< whether the model reads any; nothing below has a meaning else
  /// "mean", "sum", "random" or a .npy file; empty: DIR/user_preferences_feat.npy where there is one, else "mean".
  std::string profile = {};
  std::string history = {};  ///< "train", "unknown" or "all": a statement about the file; empty: its sidecar counts
};

/// What was decided, and the vectors of a file.
struct UserFeatures {
  bool wanted = false;
  UserProfile profile = UserProfile::mean;
  UserHistory history = UserHistory::train;
  HistorySource source = HistorySource::graft;
  Matrix vectors = {};  ///< [users, dims] of a file; else none

  /// What every output must say of these vectors; empty for those of training interactions.
  [[nodiscard]] std::string warning() const;
};

/// As --user-profile, --user-history and config.json spell them.
std::string name(UserProfile profile);
std::string name(UserHistory history);
std::string name(HistorySource source);

/// Where the vectors come from.
struct UserSource {
  UserProfile profile = UserProfile::mean;
  std::filesystem::path path;  ///< of a file
};

/// Decides by the options and by what is in the directory.
/// @throws InvalidArgument (a history that is none of the three, or one for vectors that graft builds), IoError (no
///         such file)
UserSource find_user_source(const UserOptions& options, const std::filesystem::path& directory);

/// What a file of user vectors was made from: by statement, or else by its sidecar.
/// @param file  .npy   @param history  as UserOptions has it   @param split_sha256  of the dataset
/// @return everything but the vectors
/// @throws InvalidArgument with the mend: there is no statement and the sidecar is absent, of other interactions than
///         the training ones or of another split; a statement "train" that the sidecar contradicts
///         FormatError: the sidecar is damaged
UserFeatures check_user_history(const std::filesystem::path& file, const std::string& history,
                                std::string_view split_sha256);

}  // namespace graft::training
