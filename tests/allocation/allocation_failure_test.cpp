// Every operator, reader and writer with its first, second, ... allocation refused, until it needs no more: each
// refusal must reach the caller as OutOfMemory or std::bad_alloc, and change neither the inputs nor what the next call
// gives. AddressSanitizer, where it is on, sees that nothing leaks.
#include <graft/graft.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <new>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include <support/check.hpp>
#include <support/files.hpp>
#include <support/graphs.hpp>

#include "failing_new.hpp"

namespace allocation_failure_test {
namespace {

using graft::Context;
using graft::Graph;
using graft::Interactions;
using graft::Matrix;
using graft::test::Failing;
using graft::test::FailingNew;
using graft::test::TempDir;

bool same(const Graph& a, const Graph& b) { return a == b; }
bool same(const graft::Ranking& a, const graft::Ranking& b) { return a == b; }
bool same(const Matrix& a, const Matrix& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() && std::ranges::equal(a.values(), b.values());
}
bool same(const Interactions& a, const Interactions& b) {
  return a.duplicates() == b.duplicates() && std::ranges::equal(a.user_offsets(), b.user_offsets()) &&
         std::ranges::equal(a.user_items(), b.user_items()) && std::ranges::equal(a.item_users(), b.item_users());
}
bool same(const graft::StoredGraph& a, const graft::StoredGraph& b) {
  return a.graph == b.graph && a.provenance == b.provenance;
}
bool same(const graft::Explanation& a, const graft::Explanation& b) {
  return a.cosine == b.cosine && a.cosine_rank == b.cosine_rank && a.jaccard_rank == b.jaccard_rank &&
         a.weight == b.weight;
}
bool same(bool a, bool b) { return a == b; }

/// What the call gives with its n-th allocation refused; nothing if it reports the refusal. Any other exception ends
/// the test.
template <class Call>
std::optional<std::invoke_result_t<Call>> call_refusing(std::int64_t n, Failing failing, const Call& call) {
  const FailingNew armed(n, failing);
  try {
    return call();
  } catch (const graft::OutOfMemory&) {
    return std::nullopt;
  } catch (const std::bad_alloc&) {
    return std::nullopt;
  }
}

/// Refuses each allocation of call() in turn; after_call(whether it went through) looks at what it leaves behind.
template <class Call, class AfterCall>
void survives_refusals(const char* name, const Call& call, const AfterCall& after_call) {
  constexpr std::int64_t kMost = 5000;  // a safeguard: no call here has as many allocations
  INFO("operation: ", std::string(name));
  const auto expected = call();
  after_call(true);
  for (const Failing failing : {Failing::one, Failing::onward}) {
    std::int64_t n = 0;
    std::int64_t reported = 0;
    bool refused = true;
    while (refused && n < kMost) {
      const auto result = call_refusing(++n, failing, call);
      refused = FailingNew::failed() > 0;
      // A refusal may be made up for, as sorting does without its buffer: the result is then the same.
      if (result && !same(*result, expected)) FAIL("another result, with allocation ", n, " refused");
      if (!result) ++reported;
      after_call(result.has_value());
    }
    CHECK(reported > 0);
    CHECK(!refused);  // in the end it went through
  }
}

template <class Call>
void survives_refusals(const char* name, const Call& call) {
  survives_refusals(name, call, [](bool /*went_through*/) {});
}

/// Rows enough for several tasks and workers.
constexpr std::int64_t kItems = 2500;
constexpr std::int64_t kDims = 4;

Matrix some_features(std::int64_t items) {
  Matrix features(items, kDims);
  const auto view = features.mutable_view();
  for (std::int64_t r = 0; r < items; ++r) {
    for (std::int64_t c = 0; c < kDims; ++c) view(r, c) = static_cast<float>((r * 7 + c * r * r) % 19 - 9);
  }
  return features;
}

struct Pairs {
  std::vector<std::int32_t> users;
  std::vector<std::int32_t> items;
};

Pairs some_pairs(std::int64_t items) {
  Pairs pairs;
  for (std::int64_t e = 0; e < 3 * items; ++e) {
    pairs.users.push_back(static_cast<std::int32_t>(e * e % (items / 4)));
    pairs.items.push_back(static_cast<std::int32_t>((e * 5 + e / 7) % items));
  }
  return pairs;
}

Interactions some_interactions(std::int64_t items) {
  const Pairs pairs = some_pairs(items);
  return Interactions::from_pairs(pairs.users, pairs.items, -1, items);
}

/// Calls check(context) for one thread, where each allocation is the caller's, and for two, where a refusal has to
/// travel from a worker.
template <class Check>
void with_one_and_two_threads(const Check& check) {
  for (const int threads : {1, 2}) {
    CAPTURE(threads);
    check(Context{.threads = threads});
  }
}

}  // namespace

TEST_CASE("allocation failure: Graph and Interactions are constructed or not at all") {
  const std::vector<std::int64_t> offsets = {0, 2, 4, 5};
  const std::vector<std::int32_t> narrow = {0, 2, 4, 5};
  const std::vector<std::int32_t> columns = {2, 0, 1, 1, 2};
  const std::vector<float> weights = {1, 2, 3, 4, 5};
  const auto mend = graft::Unsorted::sort_and_sum;
  survives_refusals("Graph", [&] { return Graph(3, offsets, columns, weights, mend); });
  survives_refusals("Graph of nodes", [] { return Graph(7); });
  survives_refusals("Graph::identity", [] { return Graph::identity(7); });
  survives_refusals("Graph::from_csr, 64 bits", [&] { return Graph::from_csr(3, offsets, columns, weights, mend); });
  survives_refusals("Graph::from_csr, 32 bits", [&] { return Graph::from_csr(3, narrow, columns, weights, mend); });
  const Graph graph(3, offsets, columns, weights, mend);
  survives_refusals("Graph::copy_of", [&] { return Graph::copy_of(graph); });

  const Pairs pairs = some_pairs(40);
  survives_refusals("Interactions::from_pairs", [&] { return Interactions::from_pairs(pairs.users, pairs.items); });
  survives_refusals("Interactions::from_csr, 64 bits", [&] { return Interactions::from_csr(3, 3, offsets, columns); });
  survives_refusals("Interactions::from_csr, 32 bits", [&] { return Interactions::from_csr(3, 3, narrow, columns); });
}

TEST_CASE("allocation failure: operators that make a graph") {
  const Matrix features = some_features(kItems);
  const Interactions interactions = some_interactions(kItems);
  with_one_and_two_threads([&](const Context& context) {
    survives_refusals("knn_graph, cosine", [&] { return graft::knn_graph(features, {.k = 3}, context); });
    survives_refusals("knn_graph, l2", [&] {
      return graft::knn_graph(features, {.k = 3, .metric = graft::Metric::l2, .self = graft::Self::keep}, context);
    });
    survives_refusals("knn_graph, rows and columns", [&] {
      return graft::knn_graph(features, {.k = 3, .row_range = {10, 2300}, .column_range = {5, 1500}}, context);
    });
    survives_refusals("jaccard_graph", [&] { return graft::jaccard_graph(interactions, {.k = 3}, context); });
    survives_refusals("jaccard_graph, log-likelihood", [&] {
      return graft::jaccard_graph(interactions, {.k = 3, .measure = graft::AudienceMeasure::log_likelihood}, context);
    });
  });
}

TEST_CASE("allocation failure: top_k_scores") {
  const Matrix items = some_features(kItems);
  const Matrix queries = some_features(300);
  std::vector<std::int64_t> offsets(301);
  for (std::size_t q = 0; q < offsets.size(); ++q) offsets[q] = static_cast<std::int64_t>(q);
  const std::vector<std::int32_t> columns(300, 5);
  with_one_and_two_threads([&](const Context& context) {
    survives_refusals("top_k_scores", [&] {
      return graft::top_k_scores(queries, items, {.k = 4, .exclude = {offsets, columns}}, context);
    });
  });
}

TEST_CASE("allocation failure: refine and explain") {
  constexpr std::int64_t kFew = 300;
  const Matrix features = some_features(kFew);
  const Interactions interactions = some_interactions(kFew);
  const Graph similarity = graft::knn_graph(features, {.k = 4});
  const graft::RefineOptions options{
      .knn_k = 3, .jaccard_k = 3, .symmetrize = graft::Symmetrization::mean, .add_self_loops = true};
  with_one_and_two_threads([&](const Context& context) {
    survives_refusals("refine of features", [&] { return graft::refine(features, interactions, options, context); });
    survives_refusals("refine of a graph", [&] {
      graft::RefineSummary summary;
      return graft::refine(similarity, interactions, options, context, &summary);
    });
    survives_refusals("refine of modalities", [&] {
      const std::array<graft::Modality, 2> modalities = {
          graft::Modality{.features = features, .weight = 2.0F, .threshold = 0.25F},
          graft::Modality{.similarity = similarity}};
      return graft::refine(modalities, interactions, options, context);
    });
    survives_refusals("explain", [&] { return graft::explain(features, interactions, 1, 2, options, context); });
  });
}

TEST_CASE("allocation failure: operators from graph to graph") {
  const Graph graph = graft::test::random_graph(kItems, 6, 1);
  const Graph other = graft::test::random_graph(kItems, 4, 2);
  with_one_and_two_threads([&](const Context& context) {
    survives_refusals("threshold", [&] { return graft::threshold(graph, 0.25F, context); });
    survives_refusals("binarize", [&] { return graft::binarize(graph, context); });
    survives_refusals("top_k", [&] { return graft::top_k(graph, 2, context); });
    survives_refusals("symmetrize", [&] { return graft::symmetrize(graph, graft::Symmetrization::mean, context); });
    survives_refusals("drop_self_loops", [&] { return graft::drop_self_loops(graph, context); });
    survives_refusals("scale", [&] { return graft::scale(graph, 2.0F, context); });
    survives_refusals("add", [&] { return graft::add(graph, other, context); });
    survives_refusals("mix", [&] {
      const std::array<graft::GraphView, 3> graphs = {graph, other, graph};
      return graft::mix(graphs, std::array{0.5F, 0.25F, 2.0F}, context);
    });
    for (const auto how : {graft::Normalization::symmetric, graft::Normalization::row}) {
      survives_refusals("normalize", [&] {
        return graft::normalize(graft::binarize(graph, context), {.normalization = how}, context);
      });
    }
  });
}

TEST_CASE("allocation failure: merge_top_k and propagate") {
  const Matrix features = some_features(kItems);
  const Graph left = graft::knn_graph(features, {.k = 3, .column_range = {0, 1000}});
  const Graph right = graft::knn_graph(features, {.k = 3, .column_range = {1000, kItems}});
  with_one_and_two_threads([&](const Context& context) {
    survives_refusals("merge_top_k", [&] {
      const std::array<graft::GraphView, 2> parts = {left, right};
      return graft::merge_top_k(parts, 3, context);
    });
    survives_refusals("propagate",
                      [&] { return graft::propagate(left, features, 3, graft::Aggregation::mean, context); });
  });
}

TEST_CASE("allocation failure: readers") {
  const TempDir dir;
  const Graph graph = graft::test::random_graph(50, 6, 1);
  const graft::Provenance provenance = {{"options", std::string(100, 'x')}, {"version", "1"}};
  for (const bool compressed : {false, true}) {
    graft::save_npz(dir / "g.npz", graph, provenance, compressed);
    survives_refusals("load_npz", [&] { return graft::load_npz(dir / "g.npz"); });
    survives_refusals("load_npz_with_provenance", [&] { return graft::load_npz_with_provenance(dir / "g.npz"); });
  }

  const Matrix features = some_features(40);
  graft::write_npy(dir / "x.npy", features);
  survives_refusals("read_npy", [&] { return graft::read_npy(dir / "x.npy"); });
  std::string bytes = graft::test::read_bytes(dir / "x.npy");
  bytes.replace(bytes.find("False"), 5, "True ");
  graft::test::write_bytes(dir / "fortran.npy", bytes);
  survives_refusals("read_npy, Fortran order", [&] { return graft::read_npy(dir / "fortran.npy"); });

  std::string text = "userID\titemID\tx_label\n";
  for (int row = 0; row < 60; ++row) {
    text += std::to_string(row % 7) + "\t" + std::to_string(row % 11) + "\t" + std::to_string(row % 3) + "\n";
  }
  graft::test::write_bytes(dir / "d.inter", text);
  survives_refusals("read_inter", [&] { return graft::read_inter(dir / "d.inter"); });
  graft::test::write_bytes(dir / "d.inter", "userID\titemID\n0\t1\n1\t1\n");
  survives_refusals("read_inter without labels", [&] { return graft::read_inter(dir / "d.inter"); });
}

TEST_CASE("allocation failure: a writer that fails leaves the old file, or none, and nothing beside it") {
  const TempDir dir;
  const Graph graph = graft::test::random_graph(50, 6, 1);
  const Matrix features = some_features(40);
  const graft::Provenance provenance = {{"options", std::string(100, 'x')}, {"version", "1"}};
  const std::filesystem::path path = dir / "out";
  const auto survives_writing = [&](const char* name, const auto& write) {
    write();
    const std::string whole = graft::test::read_bytes(path);
    for (const std::string& before : {std::string(), std::string("old content")}) {
      const auto restore = [&] {
        std::filesystem::remove(path);
        if (!before.empty()) graft::test::write_bytes(path, before);
      };
      restore();
      survives_refusals(
          name,
          [&] {
            write();
            return true;
          },
          [&](bool went_through) {
            const bool there = std::filesystem::exists(path);
            CHECK(there == (went_through || !before.empty()));
            CHECK(dir.entries() == (there ? 1 : 0));
            if (there) CHECK(graft::test::read_bytes(path) == (went_through ? whole : before));
            restore();
          });
    }
  };
  survives_writing("save_npz", [&] { graft::save_npz(path, graph, provenance, true); });
  survives_writing("save_npz, not compressed", [&] { graft::save_npz(path, graph, provenance, false); });
  survives_writing("write_npy", [&] { graft::write_npy(path, features); });
  survives_writing("write_npy of a block of columns", [&] {
    graft::write_npy(path, graft::MatrixView<const float>(features.view().data(), 40, 2, kDims));
  });
}

}  // namespace allocation_failure_test
