// Ranking quality on held-out interactions: full ranking, training items masked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <graft/core/context.hpp>
#include <graft/core/matrix_view.hpp>

namespace graft {

/// Metric name, e.g. "recall@20", to its value in [0, 1]: a mean over users.
using Metrics = std::map<std::string, double>;

/// What is ranked, and which held-out rows count.
enum class Candidates : std::int8_t {
  all,  ///< every item but the user's training items; every row
  /// The split's items without a training row against each other, and the rows of these items: how well new items are
  /// ranked among themselves. Made for splits with cold items (`graft prepare split --protocol cold-item`).
  cold
};

/// "all", "cold"
const char* name(Candidates candidates);

struct EvaluationOptions {
  std::vector<std::int64_t> cutoffs = {5, 10, 20, 50};  ///< each >= 1
  bool groups = true;                                   ///< also by activity and popularity
  Candidates candidates = Candidates::all;
};

/// The metrics of a part of the users or of the held-out items.
struct GroupMetrics {
  std::string group;         ///< e.g. "users with 3 to 4 training items", "items never seen in training"
  std::int64_t members = 0;  ///< by activity: the split's users in it; by popularity: its distinct held-out items in it
  Metrics metrics = {};
};

/// How well one split is ranked. A split without held-out rows has neither metrics nor groups: there is no mean.
///
/// Groups are at most four, of consecutive numbers, never empty, and bounded alike for both splits. By activity: users
/// of either split, about equally many in each, by their distinct training items; the means of the groups, weighted by
/// members, give the mean of the split. By popularity: held-out rows of both splits, about equally many in each, by the
/// distinct training users of their item; items without any are a group of their own. A user's metrics in such a group
/// count the held-out rows in it only (hits and P alike), and the mean is over the users that have any.
struct SplitEvaluation {
  std::int64_t users = 0;         ///< users with held-out rows that count
  std::int64_t interactions = 0;  ///< held-out rows that count
  std::int64_t candidates = 0;    ///< items that are ranked, before a user's training items are left out
  /// Recall, NDCG, precision and MAP for every cutoff, under names like "recall@20".
  Metrics metrics = {};
  std::vector<GroupMetrics> by_activity = {};    ///< users in groups of about equal number, by training items
  std::vector<GroupMetrics> by_popularity = {};  ///< held-out rows by the training interactions of their item
};

/// What a recommender does to held-out interactions and to the catalogue.
struct Evaluation {
  Candidates candidates = Candidates::all;  ///< what was ranked
  SplitEvaluation valid = {};
  SplitEvaluation test = {};
  /// Of the lists of all evaluated users, those of either split, each counted once: share of the catalogue that is ever
  /// recommended, and how unequally (0: every item alike, 1: one item only); "coverage@20", "gini@20", for every cutoff
  /// k. With c_1 <= ... <= c_n how often each of the n items of the catalogue is among a list's first k: coverage =
  /// |{c_i > 0}| / n; Gini = sum_i (2 i - n - 1) c_i / ((n - 1) sum_i c_i), 0 where n < 2 or nothing is recommended.
  /// With Candidates::cold the catalogue is the candidates of either split, and a user of both has a list in each.
  Metrics catalogue = {};
};

/// Evaluates given vectors on a dataset directory: a user's score for an item is the dot product of theirs.
///
/// Definition: for every user of a split, all items but the user's training items are ranked by score, ties by lower
/// id. With hit_j whether rank j is held out and P the user's held-out rows: Recall = sum hit_j / P; NDCG = sum
/// hit_j / log2(j + 1) over its value for min(k, P) hits first; Precision = sum hit_j / k; MAP = sum hit_j
/// (hits up to j) / j over min(k, P); each a mean over the users. Validation items are not masked at test time. P
/// counts rows: a pair that is repeated in the split counts as often. Lists are shorter than k where fewer items are
/// left: the ranks that are missing are misses. Held-out rows of users without a training row are left out.
/// `candidates` narrows what is ranked and which rows count.
/// @param user_vectors [users, dims], users the largest userID + 1
/// @param item_vectors [items, dims], items at least the largest itemID + 1: more are candidates like all others
/// @throws IoError, FormatError (no .inter file, an itemID that is not below the rows of item_vectors, no held-out
/// row),
///         InvalidArgument (rows of user_vectors that are not the data's users, dims that differ, an empty list of
///         cutoffs or one < 1, cold candidates where neither split has any, a value that is not finite: names matrix
///         and row), Cancelled
Evaluation evaluate(MatrixView<const float> user_vectors, MatrixView<const float> item_vectors,
                    const std::filesystem::path& data, const EvaluationOptions& options = {},
                    const Context& context = {});

}  // namespace graft
