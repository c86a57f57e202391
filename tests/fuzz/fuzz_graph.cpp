// Graphs from a caller's arrays: whatever they hold, the constructor gives a valid graph of just these edges or one of
// graft's errors, and the operators keep their promises on what it gives.
//
// An input is a byte of choices (which arrays are tame, so that many are accepted, and which are raw bytes), then the
// arrays.
#include <graft/graft.hpp>

#include <algorithm>
#include <bit>
#include <map>

#include "fuzz.hpp"

namespace {

using graft::Context;
using graft::Graph;

constexpr std::uint8_t kRawItems = 1;
constexpr std::uint8_t kRawOffsets = 2;
constexpr std::uint8_t kRawColumns = 4;
constexpr std::uint8_t kRawWeights = 8;
constexpr std::uint8_t kOtherLength = 16;

struct Arrays {
  std::int64_t items = 0;
  std::vector<std::int64_t> row_offsets;
  std::vector<std::int32_t> columns;
  std::vector<float> weights;
};

Arrays arrays_of(graft::fuzz::Source& source) {
  const auto choices = source.number<std::uint8_t>();
  const auto has = [&](std::uint8_t choice) { return (choices & choice) != 0; };
  Arrays arrays;
  const std::int64_t rows = source.up_to(31);
  arrays.items = has(kRawItems) ? source.number<std::int64_t>() : rows;
  arrays.row_offsets.push_back(has(kRawOffsets) ? source.number<std::int64_t>() : 0);
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t last = arrays.row_offsets.back();
    arrays.row_offsets.push_back(has(kRawOffsets) ? source.number<std::int64_t>() : last + source.up_to(7));
  }
  const std::int64_t edges = has(kRawOffsets) ? source.up_to(63) : arrays.row_offsets.back();
  for (std::int64_t e = 0; e < edges; ++e) {
    arrays.columns.push_back(has(kRawColumns) ? source.number<std::int32_t>()
                                              : source.number<std::uint8_t>() % std::max<std::int32_t>(1, int(rows)));
  }
  const std::int64_t weights = edges + (has(kOtherLength) ? source.up_to(2) - 1 : 0);
  for (std::int64_t e = 0; e < weights; ++e) {
    arrays.weights.push_back(has(kRawWeights) ? source.number<float>()
                                              : static_cast<float>(source.number<std::int8_t>()) / 8.0F);
  }
  return arrays;
}

using Sums = std::map<std::pair<std::int64_t, std::int32_t>, float>;

/// The slow, obvious way: repeated edges summed in the order given.
Sums sums_of(const Arrays& arrays) {
  Sums sums;
  for (std::int64_t r = 0; r < arrays.items; ++r) {
    const auto end = static_cast<std::size_t>(arrays.row_offsets[static_cast<std::size_t>(r + 1)]);
    for (auto e = static_cast<std::size_t>(arrays.row_offsets[static_cast<std::size_t>(r)]); e < end; ++e) {
      const auto [place, is_new] = sums.try_emplace({r, arrays.columns[e]}, arrays.weights[e]);
      if (!is_new) place->second += arrays.weights[e];
    }
  }
  return sums;
}

Sums edges_of(const Graph& graph) {
  Sums edges;
  for (std::int64_t r = 0; r < graph.items(); ++r) {
    const auto columns = graph.row_columns(r);
    for (std::size_t e = 0; e < columns.size(); ++e) edges[{r, columns[e]}] = graph.row_weights(r)[e];
  }
  return edges;
}

bool equal_bits(const Sums& a, const Sums& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && std::bit_cast<std::uint32_t>(x.second) == std::bit_cast<std::uint32_t>(y.second);
  });
}

void check_symmetrize(const Graph& graph, const Context& context) {
  using graft::Symmetrization;
  for (const Symmetrization how : {Symmetrization::max, Symmetrization::mean, Symmetrization::min}) {
    const Graph once = graft::symmetrize(graph, how, context);
    graft::validate(once);
    const Sums edges = edges_of(once);
    for (const auto& [ends, weight] : edges) {
      const auto reverse = edges.find({ends.second, static_cast<std::int32_t>(ends.first)});
      FUZZ_REQUIRE(reverse != edges.end());
      FUZZ_REQUIRE(reverse->second == weight);
    }
  }
}

void check_selection(const Graph& graph, float bound, std::int64_t k, const Context& context) {
  const Graph kept = graft::threshold(graph, bound, context);
  graft::validate(kept);
  const Sums edges = edges_of(graph);
  const auto above = std::count_if(edges.begin(), edges.end(), [&](const auto& edge) { return edge.second >= bound; });
  FUZZ_REQUIRE(kept.edges() == above);

  const Graph best = graft::top_k(graph, k, context);
  graft::validate(best);
  FUZZ_REQUIRE(graft::top_k(best, k, context) == best);
  FUZZ_REQUIRE(graft::top_k(graft::top_k(graph, k + 1, context), k, context) == best);
  for (std::int64_t r = 0; r < graph.items(); ++r) {
    const auto size = static_cast<std::int64_t>(graph.row_columns(r).size());
    FUZZ_REQUIRE(static_cast<std::int64_t>(best.row_columns(r).size()) == std::min(k, size));
  }
  const std::vector<graft::GraphView> parts = {best, kept};
  FUZZ_REQUIRE(graft::merge_top_k(parts, graph.items() + 1, context).edges() <= graph.edges());
}

/// Sums and quotients may leave float32, which is an error of graft's.
void check_sums(const Graph& graph, const Graph& other, const Context& context) {
  graft::fuzz::accepts([&] {
    const Graph sum = graft::add(graph, other, context);
    graft::validate(sum);
    FUZZ_REQUIRE(graft::add(other, graph, context) == sum);
  });
  graft::fuzz::accepts([&] {
    const Graph scaled = graft::scale(graph, 3.5F, context);
    graft::validate(scaled);
  });
  for (const float epsilon : {0.0F, 1e-7F}) {
    for (const auto how : {graft::Normalization::symmetric, graft::Normalization::row, graft::Normalization::none}) {
      graft::fuzz::accepts([&] {
        const Graph normal = graft::normalize(graph, {.normalization = how, .epsilon = epsilon}, context);
        graft::validate(normal);
        FUZZ_REQUIRE(normal.edges() == graph.edges());
      });
    }
  }
}

void check_operators(const Graph& graph, graft::fuzz::Source& source) {
  const Context context{.threads = 1};
  const auto bound = static_cast<float>(source.number<std::int8_t>()) / 8.0F;
  const std::int64_t k = 1 + source.up_to(7);
  check_selection(graph, bound, k, context);
  check_symmetrize(graph, context);
  const Graph ones = graft::binarize(graph, context);
  check_sums(graph, graft::drop_self_loops(ones, context), context);

  const graft::Matrix features(graph.items(), 1, std::vector<float>(static_cast<std::size_t>(graph.items()), 1.0F));
  const graft::Matrix degrees = graft::propagate(ones, features, 1, graft::Aggregation::sum, context);
  for (std::int64_t r = 0; r < graph.items(); ++r) {
    FUZZ_REQUIRE(degrees(r, 0) == 1.0F + static_cast<float>(graph.row_columns(r).size()));
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  graft::fuzz::Source source(graft::fuzz::text_of(data, size));
  const Arrays arrays = arrays_of(source);
  const auto build = [&](Graph& graph, graft::Unsorted unsorted) {
    return graft::fuzz::accepts(
        [&] { graph = Graph(arrays.items, arrays.row_offsets, arrays.columns, arrays.weights, unsorted); });
  };
  Graph strict;
  Graph graph;
  const bool sorted = build(strict, graft::Unsorted::refuse);
  if (!build(graph, graft::Unsorted::sort_and_sum)) {
    FUZZ_REQUIRE(!sorted);
    return 0;
  }
  if (sorted) FUZZ_REQUIRE(strict == graph);
  graft::validate(graph);
  FUZZ_REQUIRE(graph.items() == arrays.items);
  FUZZ_REQUIRE(equal_bits(edges_of(graph), sums_of(arrays)));
  FUZZ_REQUIRE(Graph::copy_of(graph) == graph);
  const std::vector<std::int32_t> narrow(graph.row_offsets().begin(), graph.row_offsets().end());
  FUZZ_REQUIRE(Graph::from_csr(graph.items(), narrow, graph.columns(), graph.weights()) == graph);
  check_operators(graph, source);
  return 0;
}
