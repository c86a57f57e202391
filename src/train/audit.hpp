// Whether user vectors, or an item graph, know held-out interactions that they should not know.
//
// What is tested. For a user u with training items T and a held-out item h, let a(u, j) be the affinity of u to an item
// j: the cosine of u's vector and j's, or the edges of the graph between j and T. Null hypothesis: given what the
// training rows say of u and j (the covariates below), h is no different from an item that ANOTHER user held out.
// 1. Controls. With h come M items drawn from the held-out rows of other users, none of which u has in any split. An
//    item is a control as often as it is held out, so its popularity, in any split, and its being near to everything
//    favour neither side.
// 2. Choice. A conditional logit P(h is j) ~ exp(beta' f(u, j)) over the M + 1 items says how likely each was to be the
//    held-out one, from training data alone: held-out items ARE more like a user's training items than others are.
// 3. Remainder. The affinity is regressed on f within the sets, weighted by P; e(u, j) is what is left over. A vector
//    that is a function of f has nothing left.
// 4. Statistic. d(u, h) = e(u, h) - sum_j P(j) e(u, j), summed by user. A wrong P and a wrong regression must come
//    together to bias it: the sum is orthogonal to each (efficient score). The p-value is of sign flips by user, one
//    sided: (1 + number of flipped sums >= the sum) / (1 + permutations).
// Before the flips, what a share of `tolerance` carried pairs would give is taken off every d.
// 2 and 3 are fitted apart in up to four groups of users by the length of their training history.
//
// What it cannot tell. Knowledge of u's taste that comes from elsewhere than the covariates (a questionnaire, another
// shop, a better model of the training rows than they are) predicts held-out items as a leak does. The estimated share
// tells the two apart as far as can be had: a leak carries a share of the pairs as fully as training pairs are carried.
//
// Sources: McFadden, Modelling the choice of residential location, 1978 (conditional logit over sampled alternatives);
// Candes, Fan, Janson, Lv, Panning for gold, JRSS-B 80(3), 2018, doi:10.1111/rssb.12265 (conditional randomisation);
// Chernozhukov et al., Double/debiased machine learning, 2018, doi:10.1111/ectj.12097 (orthogonal score).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <graft/core/context.hpp>
#include <graft/core/graph.hpp>
#include <graft/core/matrix_view.hpp>
#include <graft/io/inter.hpp>
#include <graft/io/npz.hpp>

#include "train/dataset.hpp"

namespace graft::training {

/// What an audit's messages and progress begin with.
inline constexpr const char* kAuditOperation = "audit";

/// Which held-out rows to look for.
enum class AuditSplit : std::int8_t { valid, test, both };

struct AuditOptions {
  AuditSplit split = AuditSplit::both;
  std::int64_t permutations = 1000;  ///< >= 1; the smallest p-value is 1 / (1 + permutations)
  std::uint64_t seed = 1;            ///< of controls, samples and sign flips
  double alpha = 0.01;               ///< in (0, 1): a smaller p-value is called a leak
  /// In [0, 1): shares of carried pairs up to it are not called a leak. The covariates are not all that training rows
  /// can tell; 0 asks whether there is anything beyond them at all.
  double tolerance = 0.01;
  std::int64_t controls = 20;  ///< M, >= 1; more cost time in proportion and find weaker leaks
  /// Held-out pairs to look at, >= 1; more are sampled. Bounds time and memory (about 3 KiB a pair).
  std::int64_t most_pairs = 50'000;
};

enum class AuditVerdict : std::int8_t {
  clean,       ///< no sign of a leak
  leak,        ///< held-out interactions are in
  cannot_tell  ///< too few pairs
};

/// "clean", "leak", "cannot tell"
const char* name(AuditVerdict verdict);

/// Users with held-out pairs below which the test says nothing.
inline constexpr std::int64_t kLeastAuditedUsers = 50;

struct AuditTest {
  AuditVerdict verdict = AuditVerdict::cannot_tell;
  double p_value = 1.0;
  double z = 0.0;       ///< the sum over users by its standard error
  double effect = 0.0;  ///< mean d in standard deviations of what is left among the items of a set
  /// The mean d by what a carried pair shows, which is the mean d of training pairs that are looked at as if they were
  /// held out (for graphs one edge, where that is less than a quarter of one): the share of the held-out pairs that are
  /// carried as training pairs are. NaN where training pairs do not show.
  double share = 0.0;
  double share_low = 0.0;  ///< 95% interval, of the held-out side's error alone
  double share_high = 0.0;
  /// Part of the affinity's variance within the sets that the covariates explain, in [0, 1].
  double explained = 0.0;
  std::int64_t pairs = 0;          ///< (user, held-out item), looked at
  std::int64_t users = 0;          ///< with such pairs
  std::int64_t skipped_pairs = 0;  ///< beyond most_pairs, repeated or training pairs, or without controls
  std::int64_t train_pairs = 0;    ///< training pairs looked at for the share
};

/// Of a graph's edges, each direction and pair once, those whose items share no training user.
struct AuditEdges {
  std::int64_t beyond_train = 0;
  std::int64_t held_out = 0;  ///< of these, with a common user as soon as the audited held-out rows are counted
  /// The same edges with their ends exchanged: those without a common training user, and the share of these that
  /// held-out rows join. What chance gives.
  std::int64_t exchanged = 0;
  std::int64_t exchanged_held_out = 0;

  /// Whether held-out rows account for nearly all (90%) of 50 or more such edges, and chance for less than half.
  [[nodiscard]] bool made_of_held_out_rows() const;
};

struct GraphAudit {
  AuditTest test;
  AuditEdges edges;
};

/// Looks for held-out items in user vectors: a(u, j) = cosine(vector of u, features of j), 0 where one is all zero.
/// Covariates, all of training rows and item features: cosine of j to u's profile (the mean of its training items' unit
/// vectors), to the same with rare items weighted up, to the profile smoothed over training users and over similar
/// items, and in the 8 and 24 leading dimensions; the greatest cosine to a training item; the collaborative score of
/// three steps through the training rows; the popularity; squares and a product.
/// @param users  [>= data.users, dims], a row a userID    @param items  [data.items, dims], of the same space
/// @throws InvalidArgument (shapes, NaN or infinity: names the row; options), Cancelled, OutOfMemory
/// Cost: pairs * (controls + 1) * (6 + mean history) * dims products, and a KNN graph of the items. Memory: items *
/// dims and users * dims floats a few times, and what most_pairs says; never users * items. Determinism: a function of
/// inputs and seed on one numeric path; no thread count changes a bit.
AuditTest audit_user_features(const Dataset& data, Features users, Features items, const AuditOptions& options = {},
                              const Context& context = {});

/// Looks for held-out pairs in the edges: a(u, j) = number of u's training items that have an edge to or from j and
/// share no training user with it (u left out). A graph made of training co-occurrence alone has none.
/// Covariates: those of the training rows above; the edges' two-step paths over items that u has in no split; for each
/// feature matrix of `data` the cosine to the profile, the greatest cosine to a training item, and a(u, j) in graphs of
/// the nearest items by rank and cosine. Without features content explains such edges as well as a leak: the verdict is
/// then `cannot_tell` in place of `leak`. With or without, a graph is called a leak where
/// AuditEdges::made_of_held_out_rows(): content does not do that. Errors and cost as above.
GraphAudit audit_graph(const Dataset& data, GraphInput graph, const AuditOptions& options = {},
                       const Context& context = {});

/// What a graph's own record says.
enum class GraphOrigin : std::int8_t {
  unknown,  ///< no record, or of other data
  train,    ///< of these training rows
  held_out  ///< of rows that hold these validation or test rows
};

struct GraphRecord {
  GraphOrigin origin = GraphOrigin::unknown;
  std::string text;  ///< in words
};

/// Compares the hash of interactions that `graft refine` stored with the graph to those of this data's splits.
/// @param table  all rows    @param items  of the graph
GraphRecord graph_record(const Provenance& provenance, const InterTable& table, std::int64_t items);

}  // namespace graft::training
