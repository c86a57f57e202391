// Facts about an item-item graph: its shape, its weights, and how well it agrees with users, labels and another graph.
//
// A row is a receiving item: the columns of row i are the NEIGHBOURS of i, and i is USED BY the rows that hold column
// i. Every number is a function of the inputs alone: the thread count changes nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <graft/core/context.hpp>
#include <graft/core/graph.hpp>
#include <graft/core/interactions.hpp>
#include <graft/io/npz.hpp>

#include "report/labels.hpp"

namespace graft::report {

/// In the place of a mean or share of nothing.
inline constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

/// part / whole, or kUndefined.
inline double ratio(double part, double whole) { return whole == 0.0 ? kUndefined : part / whole; }
inline double ratio(std::int64_t part, std::int64_t whole) {
  return ratio(static_cast<double>(part), static_cast<double>(whole));
}

/// Where values lie; quartiles are interpolated linearly between neighbouring values, as numpy.percentile does.
struct Spread {
  double least = kUndefined;
  double first_quartile = kUndefined;
  double median = kUndefined;
  double third_quartile = kUndefined;
  double most = kUndefined;
  double mean = kUndefined;
};

/// Counts of values in bins: bin b holds [bounds[b], bounds[b + 1]), the last bin its upper bound too (and
/// what the rounding of a float puts above it).
struct Histogram {
  enum class Bins {
    single,    ///< one whole number a bin
    equal,     ///< equal widths
    doubling,  ///< 0, 1, 2-3, 4-7, ...: for whole numbers that spread over magnitudes
  };
  Bins bins = Bins::equal;
  std::vector<double> bounds;        ///< one more than counts; none without values
  std::vector<std::int64_t> counts;  ///< values in each bin
};

/// "single", "equal" or "doubling".
const char* name(Histogram::Bins bins);

/// How many edges items have on one side.
struct Degrees {
  Spread spread;
  std::int64_t items_without = 0;
  Histogram histogram;  ///< of items
};

/// An item that many others receive from.
struct Hub {
  std::int64_t item = 0;
  std::int64_t used_by = 0;   ///< rows that hold it, its own included
  double share = kUndefined;  ///< of all edges
};

/// Pieces that hang together when directions are ignored.
struct Components {
  std::int64_t count = 0;
  std::int64_t largest = 0;           ///< items
  double largest_share = kUndefined;  ///< of all items
  std::int64_t singletons = 0;        ///< pieces of one item
};

/// The shape of a graph, weights left aside.
struct Structure {
  std::int64_t items = 0;
  std::int64_t edges = 0;  ///< stored entries, self loops included
  std::int64_t self_loops = 0;
  double density = kUndefined;      ///< share of the ordered pairs of two items that are joined
  Degrees neighbours;               ///< entries of a row
  Degrees used_by;                  ///< entries of a column
  std::int64_t empty_rows = 0;      ///< items that receive from nobody, not even themselves
  std::int64_t isolated_items = 0;  ///< items without an edge from or to another item
  std::vector<Hub> hubs;            ///< most used first, then ascending items
  std::int64_t top_items = 0;       ///< 1% of the items, rounded up
  double top_share = kUndefined;    ///< share of all edges that use these most used items
  double gini = kUndefined;         ///< of the used-by counts: 0 all alike, towards 1 a few hold all
  std::int64_t mutual_edges = 0;    ///< edges between two items whose reverse is stored as well
  double reciprocity = kUndefined;  ///< their share of the edges between two items
  bool symmetric = true;            ///< every edge has its reverse with an equal weight
  double largest_asymmetry = 0.0;   ///< largest difference of the weights of a mutual pair
  Components components;
};

/// What a weight is, where the provenance or the row sums tell.
enum class WeightMeaning {
  unknown,
  equal,                 ///< all weights are equal: the graph only says which edges there are
  cosine,                ///< similarities as they were computed
  symmetric_normalized,  ///< divided by the roots of both row sums
  row_normalized         ///< rows sum to 1
};

/// "unknown", "equal", "cosine", "symmetric_normalized" or "row_normalized".
const char* name(WeightMeaning meaning);

/// Edges that a threshold would prune.
struct Below {
  double threshold = 0.0;
  std::int64_t edges = 0;     ///< weight < threshold, in float, as the operator `threshold` compares
  double share = kUndefined;  ///< of all edges
};

struct WeightFacts {
  WeightMeaning meaning = WeightMeaning::unknown;
  bool all_equal = false;  ///< and there is at least one edge
  Spread spread;
  Histogram histogram;  ///< of edges
  /// At 0.1 ... 0.9 where weights lie in [-1, 1] with a median of 0.1 or more from 0, else at about ten round values
  /// between the least weight and the 99th percentile.
  std::vector<Below> below;
  Spread row_sums;  ///< of all rows, empty ones included
};

/// How often users confirm edges: the two items share a user. Self loops are left out.
struct CommonUsers {
  std::int64_t edges = 0;
  std::int64_t confirmed = 0;
  double jaccard_sum = 0.0;  ///< of the two audiences, over the edges; two empty audiences have 0

  [[nodiscard]] double share() const { return ratio(confirmed, edges); }
  [[nodiscard]] double mean_jaccard() const { return ratio(jaccard_sum, static_cast<double>(edges)); }
};

/// Edges of similar weight.
struct WeightGroup {
  double least = kUndefined;
  double most = kUndefined;
  CommonUsers common;
};

/// Receiving items of similar popularity.
struct PopularityGroup {
  std::int64_t least_audience = 0;
  std::int64_t most_audience = 0;
  std::int64_t items = 0;
  double mean_neighbours = kUndefined;  ///< other items that one of them receives from
  CommonUsers common;                   ///< of the edges that they receive by
};

/// The graph in the light of who interacted with what.
struct AudienceFacts {
  std::int64_t users = 0;
  std::int64_t pairs = 0;           ///< distinct (user, item)
  double base_rate = kUndefined;    ///< share of the ordered pairs of two items that share a user
  std::int64_t base_rate_rows = 0;  ///< items whose pairs were counted; all of them: the rate is exact
  CommonUsers all;
  /// Quarters of the edges by ascending weight. Equal weights stay together: a cut that falls within a run of equal
  /// weights moves to the nearer end of the run (the lower end if both are as near), and groups left empty are dropped.
  std::vector<WeightGroup> by_weight;
  /// Items without an audience, if there are any, then fifths of the others by ascending audience, cut as above.
  std::vector<PopularityGroup> by_popularity;
};

/// A part of the edges of two graphs.
struct EdgeSet {
  std::int64_t edges = 0;
  double share = kUndefined;               ///< kept, removed: of the edges before; added: of the edges after
  double mean_weight_before = kUndefined;  ///< kept, removed
  double mean_weight_after = kUndefined;   ///< kept, added
  std::optional<CommonUsers> common;       ///< where interactions were given
};

/// What changed between two graphs of the same items. Self loops are left out.
struct Comparison {
  std::int64_t edges_before = 0;
  std::int64_t edges_after = 0;
  EdgeSet kept;
  EdgeSet added;
  EdgeSet removed;
  double mean_overlap = kUndefined;   ///< Jaccard of an item's neighbours before and after, over items with any
  std::int64_t items_unchanged = 0;   ///< items with neighbours, the same before and after
  std::int64_t first_neighbour = 0;   ///< items with none before and some after
  std::int64_t lost_all = 0;          ///< items with some before and none after
  std::optional<CommonUsers> before;  ///< where interactions were given
  std::optional<CommonUsers> after;
};

/// Edges from items of one label.
struct LabelGroup {
  std::string label;
  std::int64_t items = 0;
  std::int64_t edges = 0;   ///< that its items receive by, from labelled items
  std::int64_t within = 0;  ///< of these, from the same label
  [[nodiscard]] double share() const { return ratio(within, edges); }
};

/// Whether edges stay within labels. Self loops and items without a label are left out.
struct LabelFacts {
  std::int64_t labels = 0;
  std::int64_t labelled_items = 0;
  std::int64_t edges = 0;
  std::int64_t within = 0;
  double homophily = kUndefined;    ///< h: share of edges within one label
  double baseline = kUndefined;     ///< b = sum of p_l^2: the same share of random ordered pairs
  double adjusted = kUndefined;     ///< (h - b) / (1 - b): 0 as by chance, 1 always within
  std::vector<LabelGroup> largest;  ///< by items descending, then label ascending
};

struct InspectOptions {
  const Interactions* interactions = nullptr;  ///< must have as many items as the graph
  std::optional<GraphView> before = {};        ///< another graph of the same items
  const Labels* labels = nullptr;              ///< one an item
  Provenance provenance = {};                  ///< of the graph; copied to the result, and tells what weights mean
  std::int64_t hubs = 10;                      ///< most that are listed
  std::int64_t largest_labels = 10;            ///< most that are listed
  /// The base rate is exact where this many visits (of a user's items, for every item of the user) count it; beyond,
  /// it is counted over evenly spaced items. A billion visits take about a second a core.
  std::int64_t base_rate_visits = std::int64_t{1} << 32U;
};

/// Everything there is to say.
struct Inspection {
  Structure structure;
  WeightFacts weights;
  std::optional<AudienceFacts> audience;
  std::optional<Comparison> comparison;
  std::optional<Structure> structure_before;  ///< of the graph that this one is compared with
  std::optional<LabelFacts> labels;
  Provenance provenance;
};

/// Facts about a graph; parts whose inputs are missing are left out.
/// @throws InvalidArgument naming both numbers if interactions, the other graph or labels are of another number of
///         items; Cancelled
/// Memory: a few bytes an edge and an item, and a few bytes a user or item for each thread.
Inspection inspect(GraphInput graph, const InspectOptions& options = {}, const Context& context = {});

/// The parts of `inspect`, each alone.
Structure inspect_structure(const GraphView& graph, std::int64_t hubs, const Context& context);
WeightFacts inspect_weights(const GraphView& graph, const Provenance& provenance, const Context& context);
AudienceFacts inspect_audience(const GraphView& graph, const Interactions& interactions, std::int64_t base_rate_visits,
                               const Context& context);
Comparison inspect_comparison(const GraphView& before, const GraphView& after, const Interactions* interactions,
                              const Context& context);
LabelFacts inspect_labels(const GraphView& graph, const Labels& labels, std::int64_t largest, const Context& context);

}  // namespace graft::report
