// The C API: equal bits with C++, ownership, every misuse a status and a message.
#include <graft.h>

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <graft/graft.hpp>

#include "../support/check.hpp"
#include "../support/files.hpp"
#include "../support/random_data.hpp"
#include "handles.hpp"

namespace capi_test {
namespace {

using graft::test::contains;
using graft::test::draw;
using graft::test::made;
using graft::test::Owned;
using graft::test::Random;
using graft::test::refused;

struct Data {
  std::int64_t items = 60;
  std::int64_t dims = 9;
  std::vector<float> values;
  std::vector<std::int32_t> users;
  std::vector<std::int32_t> ids;

  explicit Data(std::uint64_t seed = 3) {
    Random random(seed);
    for (std::int64_t v = 0; v < items * dims; ++v) values.push_back(static_cast<float>(draw(random, -9, 9)) / 8.0F);
    for (int e = 0; e < 400; ++e) {
      users.push_back(static_cast<std::int32_t>(draw(random, 0, 39)));
      ids.push_back(static_cast<std::int32_t>(draw(random, 0, items - 1)));
    }
  }
  [[nodiscard]] graft_matrix_view matrix() const { return {values.data(), items, dims, dims}; }
  [[nodiscard]] graft::MatrixView<const float> features() const { return {values.data(), items, dims}; }
  [[nodiscard]] graft::Interactions train() const { return graft::Interactions::from_pairs(users, ids, 40, items); }
  [[nodiscard]] Owned<graft_interactions> interactions() const {
    return made<graft_interactions>([&](graft_interactions** out) {
      return graft_interactions_from_coo(40, items, 400, users.data(), ids.data(), out);
    });
  }
};

graft::Graph copied(const graft_graph* graph) {
  graft_csr_view view;
  REQUIRE(graft_graph_get(graph, &view) == GRAFT_OK);
  return graft::Graph::from_csr(view.items, std::span(view.row_offsets, static_cast<std::size_t>(view.items) + 1),
                                std::span(view.columns, static_cast<std::size_t>(view.edges)),
                                std::span(view.weights, static_cast<std::size_t>(view.edges)));
}

Owned<graft_graph> handle_of(const graft::Graph& graph) {
  return made<graft_graph>([&](graft_graph** out) {
    return graft_graph_from_csr(graph.items(), graph.row_offsets().data(), graph.columns().data(),
                                graph.weights().data(), GRAFT_UNSORTED_REFUSE, out);
  });
}

template <class Options>
Options initialised(graft_status (*init)(Options*, size_t)) {
  Options options;
  REQUIRE(init(&options, sizeof options) == GRAFT_OK);
  return options;
}

TEST_CASE("C: heavy operators give the bits of C++") {
  const Data data;
  const auto interactions = data.interactions();
  const graft_matrix_view matrix = data.matrix();

  const auto knn = made<graft_graph>([&](auto out) { return graft_knn_graph(&matrix, nullptr, nullptr, out); });
  CHECK(copied(knn.get()) == graft::knn_graph(data.features()));
  auto knn_options = initialised(graft_knn_options_init);
  knn_options.k = 4;
  knn_options.metric = GRAFT_METRIC_L2;
  knn_options.self = GRAFT_SELF_KEEP;
  knn_options.row_begin = 5;
  knn_options.row_end = 50;
  const auto l2 = made<graft_graph>([&](auto out) { return graft_knn_graph(&matrix, &knn_options, nullptr, out); });
  CHECK(copied(l2.get()) ==
        graft::knn_graph(data.features(),
                         {.k = 4, .metric = graft::Metric::l2, .self = graft::Self::keep, .row_range = {5, 50}}));

  auto jaccard_options = initialised(graft_jaccard_options_init);
  jaccard_options.measure = GRAFT_MEASURE_LOG_LIKELIHOOD;
  jaccard_options.min_support = 2;
  const auto jaccard = made<graft_graph>(
      [&](auto out) { return graft_jaccard_graph(interactions.get(), &jaccard_options, nullptr, out); });
  CHECK(copied(jaccard.get()) ==
        graft::jaccard_graph(data.train(), {.min_support = 2, .measure = graft::AudienceMeasure::log_likelihood}));

  const graft::Interactions train = data.train();
  auto ranking_options = initialised(graft_top_k_scores_options_init);
  ranking_options.k = 7;
  const graft_matrix_view queries{data.values.data(), 40, data.dims, data.dims};
  ranking_options.exclude_offsets = train.user_offsets().data();
  ranking_options.exclude_columns = train.user_items().data();
  const auto ranking = made<graft_ranking>(
      [&](auto out) { return graft_top_k_scores(&queries, &matrix, &ranking_options, nullptr, out); });
  graft_ranking_view ranked;
  REQUIRE(graft_ranking_get(ranking.get(), &ranked) == GRAFT_OK);
  const graft::Ranking expected =
      graft::top_k_scores(graft::MatrixView<const float>(data.values.data(), 40, data.dims), data.features(),
                          {.k = 7, .exclude = {train.user_offsets(), train.user_items()}});
  REQUIRE(ranked.entries == static_cast<std::int64_t>(expected.ids.size()));
  CHECK(std::equal(expected.ids.begin(), expected.ids.end(), ranked.ids));
  CHECK(std::memcmp(expected.scores.data(), ranked.scores, expected.scores.size() * sizeof(float)) == 0);
}

TEST_CASE("C: refine and explain give the facts of C++") {
  const Data data;
  const auto interactions = data.interactions();
  const graft_matrix_view matrix = data.matrix();
  auto options = initialised(graft_refine_options_init);
  graft_refine_summary summary;
  const auto plain = made<graft_graph>(
      [&](auto out) { return graft_refine(&matrix, interactions.get(), &options, nullptr, &summary, out); });
  graft::RefineSummary counts;
  CHECK(copied(plain.get()) == graft::refine(data.features(), data.train(), {}, {}, &counts));
  CHECK(summary.edges_after == counts.similarity.edges_after);
  CHECK(summary.jaccard_edges == counts.jaccard_edges);
  CHECK(summary.edges == counts.edges);

  options.preset = GRAFT_PRESET_REFERENCE;
  options.symmetrize = GRAFT_SYMMETRIZE_MEAN;
  options.knn_k = 3;
  const graft::RefineOptions reference{
      .preset = graft::Preset::reference, .knn_k = 3, .symmetrize = graft::Symmetrization::mean};
  const graft::Graph similarity = graft::knn_graph(data.features(), {.k = 6});
  const auto ready = handle_of(similarity);
  const auto from_graph = made<graft_graph>(
      [&](auto out) { return graft_refine_graph(ready.get(), interactions.get(), &options, nullptr, nullptr, out); });
  CHECK(copied(from_graph.get()) == graft::refine(similarity, data.train(), reference));

  const graft_modality modalities[] = {{&matrix, nullptr, 0.75F, 1, 0.25F}, {nullptr, ready.get(), 0.25F, 0, 9.0F}};
  const auto mixed = made<graft_graph>([&](auto out) {
    return graft_refine_modalities(modalities, 2, interactions.get(), &options, nullptr, nullptr, out);
  });
  const std::vector<graft::Modality> sources{{.features = data.features(), .weight = 0.75F, .threshold = 0.25F},
                                             {.similarity = similarity.view(), .weight = 0.25F}};
  CHECK(copied(mixed.get()) == graft::refine(sources, data.train(), reference));

  CHECK(options.min_support == 1);
  auto supported = initialised(graft_refine_options_init);
  supported.min_support = 2;
  const auto shared = made<graft_graph>(
      [&](auto out) { return graft_refine(&matrix, interactions.get(), &supported, nullptr, nullptr, out); });
  CHECK(copied(shared.get()) == graft::refine(data.features(), data.train(), {.min_support = 2}));
  CHECK(graft_graph_equal(shared.get(), plain.get()) == 0);
  supported.min_support = 0;
  CHECK(contains(refused<graft_graph>(GRAFT_INVALID_ARGUMENT,
                                      [&](auto out) {
                                        return graft_refine(&matrix, interactions.get(), &supported, nullptr, nullptr,
                                                            out);
                                      }),
                 {"min_support = 0", ">= 1"}));

  graft_explanation facts;
  REQUIRE(graft_explain(&matrix, interactions.get(), 3, 8, &options, nullptr, &facts) == GRAFT_OK);
  const graft::Explanation expected = graft::explain(data.features(), data.train(), 3, 8, reference);
  CHECK(facts.cosine == expected.cosine);
  CHECK(facts.cosine_rank == expected.cosine_rank);
  CHECK(facts.common_audience == expected.common_audience);
  CHECK(std::string(graft_edge_rule_text(facts.similarity_rule)) == graft::describe(expected.similarity_rule));
  supported.min_support = 40;  // as many as there are users: no pair has them
  supported.preset = GRAFT_PRESET_PAPER;
  REQUIRE(graft_explain(&matrix, interactions.get(), 3, 3, &supported, nullptr, &facts) == GRAFT_OK);
  CHECK(facts.common_audience > 0);
  CHECK(facts.audience_rule == GRAFT_EDGE_BELOW_SUPPORT);
  CHECK(std::string(graft_edge_rule_text(GRAFT_EDGE_BELOW_SUPPORT)) == graft::describe(graft::EdgeRule::below_support));
  CHECK(std::string(graft_edge_rule_text(99)) == "unknown rule");
  CHECK(std::string(graft_edge_rule_text(GRAFT_EDGE_BELOW_SUPPORT + 1)) == "unknown rule");
}

TEST_CASE("C: every graph operator gives the bits of C++") {
  const Data data;
  const graft::Graph a = graft::knn_graph(data.features(), {.k = 5, .self = graft::Self::keep});
  const graft::Graph b = graft::jaccard_graph(data.train(), {.k = 4});
  const auto left = handle_of(a);
  const auto right = handle_of(b);
  const auto same = [&](const graft::Graph& expected, const auto& call) {
    const auto result = made<graft_graph>(call);
    return copied(result.get()) == expected;
  };
  CHECK(same(graft::threshold(a, 0.5F), [&](auto out) { return graft_threshold(left.get(), 0.5F, nullptr, out); }));
  CHECK(same(graft::binarize(a), [&](auto out) { return graft_binarize(left.get(), nullptr, out); }));
  CHECK(same(graft::scale(a, 0.3F), [&](auto out) { return graft_scale(left.get(), 0.3F, nullptr, out); }));
  CHECK(same(graft::drop_self_loops(a), [&](auto out) { return graft_drop_self_loops(left.get(), nullptr, out); }));
  CHECK(same(graft::top_k(a, 2), [&](auto out) { return graft_top_k(left.get(), 2, nullptr, out); }));
  CHECK(same(graft::symmetrize(a, graft::Symmetrization::min),
             [&](auto out) { return graft_symmetrize(left.get(), GRAFT_SYMMETRIZE_MIN, nullptr, out); }));
  CHECK(same(graft::add(a, b), [&](auto out) { return graft_add(left.get(), right.get(), nullptr, out); }));
  const graft_graph* const graphs[] = {left.get(), right.get()};
  const float coefficients[] = {0.25F, 2.0F};
  const std::vector<graft::GraphView> views{a, b};
  CHECK(same(graft::mix(views, coefficients),
             [&](auto out) { return graft_mix(graphs, coefficients, 2, nullptr, out); }));
  CHECK(same(graft::normalize(b, {.normalization = graft::Normalization::row, .epsilon = 0.5F}),
             [&](auto out) { return graft_normalize(right.get(), GRAFT_NORMALIZATION_ROW, 0.5F, nullptr, out); }));
  const graft::Graph head = graft::knn_graph(data.features(), {.k = 5, .row_range = {0, 20}});
  const graft::Graph tail = graft::knn_graph(data.features(), {.k = 5, .row_range = {20, 60}});
  const auto first = handle_of(head);
  const auto second = handle_of(tail);
  const graft_graph* const parts[] = {first.get(), second.get()};
  CHECK(same(graft::knn_graph(data.features(), {.k = 5}),
             [&](auto out) { return graft_merge_top_k(parts, 2, 5, nullptr, out); }));

  const graft_matrix_view matrix = data.matrix();
  const auto moved = made<graft_matrix>(
      [&](auto out) { return graft_propagate(right.get(), &matrix, 2, GRAFT_AGGREGATION_MEAN, nullptr, out); });
  graft_matrix_view result;
  REQUIRE(graft_matrix_get(moved.get(), &result) == GRAFT_OK);
  const graft::Matrix expected = graft::propagate(b, data.features(), 2, graft::Aggregation::mean);
  REQUIRE(result.rows * result.cols == static_cast<std::int64_t>(expected.values().size()));
  CHECK(std::memcmp(result.data, expected.values().data(), expected.values().size() * sizeof(float)) == 0);
}

TEST_CASE("C: plans tell what C++ tells") {
  const Data data;
  graft_plan plan;
  REQUIRE(graft_knn_plan(1000, 64, nullptr, nullptr, &plan) == GRAFT_OK);
  const graft::Plan knn = graft::plan(1000, 64, graft::KnnOptions{});
  CHECK(plan.workspace_bytes == knn.workspace_bytes);
  CHECK(plan.flops == knn.flops);
  REQUIRE(graft_jaccard_plan(data.interactions().get(), nullptr, nullptr, &plan) == GRAFT_OK);
  CHECK(plan.output_bytes == graft::plan(data.train(), graft::JaccardOptions{}).output_bytes);
  REQUIRE(graft_top_k_scores_plan(10, 1000, 64, nullptr, nullptr, &plan) == GRAFT_OK);
  CHECK(plan.tiles == graft::plan(10, 1000, 64, graft::TopKScoresOptions{}).tiles);
}

TEST_CASE("C: graphs from CSR, COO and borrowed arrays") {
  const std::int64_t offsets[] = {0, 2, 2, 3};
  const std::int32_t offsets32[] = {0, 2, 2, 3};
  const std::int32_t columns[] = {1, 2, 0};
  const float weights[] = {0.5F, 1.0F, 2.0F};
  const auto wide = made<graft_graph>(
      [&](auto out) { return graft_graph_from_csr(3, offsets, columns, weights, GRAFT_UNSORTED_REFUSE, out); });
  const auto narrow = made<graft_graph>(
      [&](auto out) { return graft_graph_from_csr32(3, offsets32, columns, weights, GRAFT_UNSORTED_REFUSE, out); });
  const auto borrowed =
      made<graft_graph>([&](auto out) { return graft_graph_borrow_csr(3, offsets, columns, weights, out); });
  const std::int32_t rows[] = {2, 0, 0};
  const std::int32_t others[] = {0, 2, 1};
  const float values[] = {2.0F, 1.0F, 0.5F};
  const auto edges = made<graft_graph>([&](auto out) { return graft_graph_from_coo(3, 3, rows, others, values, out); });
  CHECK(graft_graph_equal(wide.get(), narrow.get()) == 1);
  CHECK(graft_graph_equal(wide.get(), borrowed.get()) == 1);
  CHECK(graft_graph_equal(wide.get(), edges.get()) == 1);
  CHECK(graft_graph_equal(wide.get(), nullptr) == 0);
  graft_csr_view view;
  REQUIRE(graft_graph_get(borrowed.get(), &view) == GRAFT_OK);
  CHECK(view.columns == columns);
  REQUIRE(graft_graph_get(wide.get(), &view) == GRAFT_OK);
  CHECK(view.columns != columns);
  const std::int64_t none[] = {0};
  const auto empty = made<graft_graph>(
      [&](auto out) { return graft_graph_from_csr(0, none, nullptr, nullptr, GRAFT_UNSORTED_REFUSE, out); });
  REQUIRE(graft_graph_get(empty.get(), &view) == GRAFT_OK);
  CHECK(view.items == 0);
}

TEST_CASE("C: files round trip, with their facts") {
  const graft::test::TempDir directory;
  const Data data;
  const std::string npz = (directory / "graph.npz").string();
  const std::string npy = (directory / "features.npy").string();
  const auto graph = handle_of(graft::jaccard_graph(data.train(), {.k = 3}));
  auto options = initialised(graft_npz_options_init);
  const char* const keys[] = {"maker", "alpha"};
  const char* const values[] = {"a test", "0.5"};
  options.facts = 2;
  options.keys = keys;
  options.values = values;
  REQUIRE(graft_graph_save_npz(graph.get(), npz.c_str(), &options) == GRAFT_OK);
  const auto loaded =
      made<graft_graph>([&](auto out) { return graft_graph_load_npz(npz.c_str(), GRAFT_UNSORTED_REFUSE, out); });
  CHECK(graft_graph_equal(graph.get(), loaded.get()) == 1);
  REQUIRE(graft_graph_fact_count(loaded.get()) == 2);
  CHECK(std::string(graft_graph_fact_key(loaded.get(), 0)) == "alpha");
  CHECK(std::string(graft_graph_fact_value(loaded.get(), 1)) == "a test");
  CHECK(graft_graph_fact_key(loaded.get(), 2) == nullptr);
  CHECK(graft_graph_fact_value(loaded.get(), -1) == nullptr);

  const graft_matrix_view matrix = data.matrix();
  REQUIRE(graft_write_npy(npy.c_str(), &matrix) == GRAFT_OK);
  const auto read = made<graft_matrix>([&](auto out) { return graft_read_npy(npy.c_str(), out); });
  graft_matrix_view view;
  REQUIRE(graft_matrix_get(read.get(), &view) == GRAFT_OK);
  CHECK(std::memcmp(view.data, data.values.data(), data.values.size() * sizeof(float)) == 0);

  const std::string inter = (directory / "x.inter").string();
  graft::test::write_bytes(inter, "userID\titemID\tx_label\n0\t1\t0\n1\t2\t0\n1\t0\t2\n");
  auto rows = initialised(graft_inter_options_init);
  rows.items = 5;
  const auto train = made<graft_interactions>([&](auto out) { return graft_read_inter(inter.c_str(), &rows, out); });
  graft_interactions_view who;
  REQUIRE(graft_interactions_get(train.get(), &who) == GRAFT_OK);
  CHECK(who.users == 2);
  CHECK(who.items == 5);
  CHECK(who.pairs == 2);
  CHECK(who.user_items[1] == 2);
  CHECK(contains(refused<graft_matrix>(GRAFT_IO_ERROR, [&](auto out) { return graft_read_npy("/no/such", out); }),
                 {"/no/such"}));
  CHECK(
      contains(refused<graft_matrix>(GRAFT_FORMAT_ERROR, [&](auto out) { return graft_read_npy(inter.c_str(), out); }),
               {"x.inter"}));
}

TEST_CASE("C: NULL is refused by name") {
  const Data data;
  const auto interactions = data.interactions();
  const graft_matrix_view matrix = data.matrix();
  const auto text = [](graft_status status) {
    CHECK(status == GRAFT_INVALID_ARGUMENT);
    return std::string(graft_last_error());
  };
  CHECK(contains(text(graft_knn_graph(nullptr, nullptr, nullptr, nullptr)), {"graft_knn_graph", "out", "NULL"}));
  CHECK(contains(refused<graft_graph>(GRAFT_INVALID_ARGUMENT,
                                      [&](auto out) { return graft_knn_graph(nullptr, nullptr, nullptr, out); }),
                 {"features = NULL"}));
  CHECK(contains(
      refused<graft_graph>(GRAFT_INVALID_ARGUMENT,
                           [&](auto out) { return graft_refine(&matrix, nullptr, nullptr, nullptr, nullptr, out); }),
      {"interactions = NULL"}));
  CHECK(contains(
      refused<graft_graph>(GRAFT_INVALID_ARGUMENT,
                           [&](auto out) { return graft_graph_from_csr(3, nullptr, nullptr, nullptr, 0, out); }),
      {"row_offsets = NULL"}));
  const std::int64_t offsets[] = {0, 1};
  CHECK(contains(
      refused<graft_graph>(GRAFT_INVALID_ARGUMENT,
                           [&](auto out) { return graft_graph_from_csr(1, offsets, nullptr, nullptr, 0, out); }),
      {"columns = NULL"}));
  const graft_graph* const graphs[] = {nullptr};
  const float one = 1.0F;
  CHECK(contains(
      refused<graft_graph>(GRAFT_INVALID_ARGUMENT, [&](auto out) { return graft_mix(graphs, &one, 1, nullptr, out); }),
      {"graphs[0] = NULL"}));
  CHECK(contains(refused<graft_matrix>(GRAFT_INVALID_ARGUMENT, [](auto out) { return graft_read_npy(nullptr, out); }),
                 {"path = NULL"}));
  CHECK(contains(text(graft_graph_save_npz(nullptr, "x", nullptr)), {"graph = NULL"}));
  CHECK(contains(text(graft_explain(&matrix, interactions.get(), 0, 0, nullptr, nullptr, nullptr)), {"out = NULL"}));
  CHECK(contains(text(graft_knn_options_init(nullptr, sizeof(graft_knn_options))), {"options = NULL"}));
  graft_graph_free(nullptr);
  graft_context_free(nullptr);
  graft_context_cancel(nullptr);
  CHECK(graft_graph_fact_count(nullptr) == 0);
}

TEST_CASE("C: option structs of another size are refused") {
  const Data data;
  const graft_matrix_view matrix = data.matrix();
  graft_knn_options options;
  for (const std::size_t size : {std::size_t{0}, sizeof options - 1, sizeof options + 8}) {
    CHECK(graft_knn_options_init(&options, size) == GRAFT_INVALID_ARGUMENT);
    CHECK(contains(graft_last_error(), {"size", "_init"}));
    REQUIRE(graft_knn_options_init(&options, sizeof options) == GRAFT_OK);
    options.size = size;
    CHECK(contains(refused<graft_graph>(GRAFT_INVALID_ARGUMENT,
                                        [&](auto out) { return graft_knn_graph(&matrix, &options, nullptr, out); }),
                   {"graft_knn_graph", "size"}));
  }
}

TEST_CASE("C: bad values are refused with argument and value") {
  Data data;
  const auto interactions = data.interactions();
  const graft_matrix_view matrix = data.matrix();
  const auto knn = [&](const graft_matrix_view& view, const auto& change) {
    auto options = initialised(graft_knn_options_init);
    change(options);
    return refused<graft_graph>(GRAFT_INVALID_ARGUMENT,
                                [&](auto out) { return graft_knn_graph(&view, &options, nullptr, out); });
  };
  const auto nothing = [](graft_knn_options&) {};
  CHECK(contains(knn(matrix, [](auto& options) { options.k = -3; }), {"k = -3"}));
  CHECK(contains(knn(matrix, [](auto& options) { options.metric = 17; }), {"options.metric = 17"}));
  CHECK(contains(knn(matrix, [](auto& options) { options.min_similarity = 2.0F; }), {"min_similarity", "[-1, 1]"}));
  CHECK(contains(knn({data.values.data(), -1, 9, 9}, nothing), {"features", "rows = -1"}));
  CHECK(contains(knn({data.values.data(), 60, 9, 3}, nothing), {"stride = 3"}));
  CHECK(contains(knn({nullptr, 60, 9, 9}, nothing), {"data = null"}));
  data.values[20] = std::numeric_limits<float>::quiet_NaN();
  CHECK(contains(knn(matrix, nothing), {"features row 2", "nan"}));

  const std::int64_t offsets[] = {0, 2, 3};
  const std::int64_t falling[] = {0, 2, 1};
  const std::int32_t unsorted[] = {1, 0, 0};
  const std::int32_t outside[] = {0, 2, 0};
  const float weights[] = {1.0F, 1.0F, 1.0F};
  const auto graph = [&](const std::int64_t* rows, const std::int32_t* columns, graft_unsorted how) {
    return refused<graft_graph>(GRAFT_INVALID_ARGUMENT,
                                [&](auto out) { return graft_graph_from_csr(2, rows, columns, weights, how, out); });
  };
  CHECK(contains(graph(offsets, unsorted, GRAFT_UNSORTED_REFUSE), {"row 0"}));
  CHECK(contains(graph(offsets, outside, GRAFT_UNSORTED_SORT_AND_SUM), {"columns", "2"}));
  CHECK(contains(graph(falling, unsorted, GRAFT_UNSORTED_SORT_AND_SUM), {"row_offsets"}));
  CHECK(contains(graph(offsets, unsorted, 5), {"unsorted = 5"}));
  CHECK(contains(
      refused<graft_graph>(GRAFT_INVALID_ARGUMENT,
                           [&](auto out) { return graft_graph_borrow_csr(2, offsets, unsorted, weights, out); }),
      {"row 0"}));
  CHECK(contains(refused<graft_interactions>(
                     GRAFT_INVALID_ARGUMENT,
                     [&](auto out) { return graft_interactions_from_coo(2, 2, 3, outside, unsorted, out); }),
                 {"2"}));
  CHECK(contains(refused<graft_interactions>(
                     GRAFT_INVALID_ARGUMENT,
                     [&](auto out) { return graft_interactions_from_coo(2, 2, -1, outside, unsorted, out); }),
                 {"-1"}));

  const graft_modality both = {&matrix, nullptr, 1.0F, 0, 0.0F};
  graft_modality neither = both;
  neither.features = nullptr;
  CHECK(contains(refused<graft_graph>(GRAFT_INVALID_ARGUMENT,
                                      [&](auto out) {
                                        return graft_refine_modalities(&neither, 1, interactions.get(), nullptr,
                                                                       nullptr, nullptr, out);
                                      }),
                 {"modalities[0] = neither"}));
  auto context = initialised(graft_context_options_init);
  context.threads = -2;
  CHECK(contains(
      refused<graft_context>(GRAFT_INVALID_ARGUMENT, [&](auto out) { return graft_context_create(&context, out); }),
      {"threads = -2"}));
}

// The layout of DLPack's managed tensor, as a producer would fill it.
struct Tensor {
  void* data;
  std::int32_t device_type;
  std::int32_t device_id;
  std::int32_t dimensions;
  std::uint8_t code;
  std::uint8_t bits;
  std::uint16_t lanes;
  std::int64_t* shape;
  std::int64_t* strides;
  std::uint64_t byte_offset;
  void* manager;
  void (*deleter)(Tensor*);
};

TEST_CASE("C: DLPack tensors are viewed without a copy, or refused by what is wrong") {
  std::vector<float> values(24, 1.0F);
  std::int64_t shape[] = {3, 4};
  std::int64_t strides[] = {6, 1};
  const Tensor good{values.data(), 1, 0, 2, 2, 32, 1, shape, strides, 8, nullptr, nullptr};
  const auto view_of = [](const Tensor& tensor, graft_matrix_view& view) {
    return graft_matrix_view_from_dlpack(reinterpret_cast<const DLManagedTensor*>(&tensor), &view);
  };
  graft_matrix_view view;
  REQUIRE(view_of(good, view) == GRAFT_OK);
  CHECK(view.data == values.data() + 2);
  CHECK(view.rows == 3);
  CHECK(view.stride == 6);
  Tensor dense = good;
  dense.strides = nullptr;
  REQUIRE(view_of(dense, view) == GRAFT_OK);
  CHECK(view.stride == 4);
  const auto refused_as = [&](const auto& change, const char* word) {
    Tensor bad = good;
    change(bad);
    CHECK(view_of(bad, view) == GRAFT_INVALID_ARGUMENT);
    CHECK_MESSAGE(contains(graft_last_error(), {word}), graft_last_error());
  };
  refused_as([](Tensor& tensor) { tensor.device_type = 2; }, "device");
  refused_as([](Tensor& tensor) { tensor.dimensions = 1; }, "dimensions = 1");
  refused_as([](Tensor& tensor) { tensor.bits = 64; }, "64 bits");
  refused_as([](Tensor& tensor) { tensor.code = 0; }, "code 0");
  refused_as([&](Tensor& tensor) { tensor.data = nullptr; }, "null");
  std::int64_t columns_first[] = {1, 3};
  refused_as([&](Tensor& tensor) { tensor.strides = columns_first; }, "strides[1] = 3");
}

TEST_CASE("C: contexts carry threads, budget, progress and cancellation") {
  const Data data;
  const graft_matrix_view matrix = data.matrix();
  auto options = initialised(graft_context_options_init);
  options.threads = 2;
  options.memory_budget = 1000;
  const auto poor = made<graft_context>([&](auto out) { return graft_context_create(&options, out); });
  CHECK(contains(refused<graft_graph>(GRAFT_OUT_OF_MEMORY,
                                      [&](auto out) { return graft_knn_graph(&matrix, nullptr, poor.get(), out); }),
                 {"memory_budget", "at least"}));

  REQUIRE(graft_context_options_init(&options, sizeof options) == GRAFT_OK);
  int calls = 0;
  options.progress_data = &calls;
  options.progress = [](void* counter, const char*, std::int64_t, std::int64_t) {
    ++*static_cast<int*>(counter);
    return 1;
  };
  const auto stopping = made<graft_context>([&](auto out) { return graft_context_create(&options, out); });
  const std::vector<float> many(std::size_t{16000} * 512, 0.5F);  // seconds of work: the first report ends it
  const graft_matrix_view long_work{many.data(), 16000, 512, 512};
  CHECK(contains(
      refused<graft_graph>(GRAFT_CANCELLED,
                           [&](auto out) { return graft_knn_graph(&long_work, nullptr, stopping.get(), out); }),
      {"knn_graph", "callback"}));
  CHECK(calls == 1);

  const auto context = made<graft_context>([](auto out) { return graft_context_create(nullptr, out); });
  graft_context_cancel(context.get());
  refused<graft_graph>(GRAFT_CANCELLED,
                       [&](auto out) { return graft_knn_graph(&matrix, nullptr, context.get(), out); });
  graft_context_reset(context.get());
  made<graft_graph>([&](auto out) { return graft_knn_graph(&matrix, nullptr, context.get(), out); });
}

TEST_CASE("C: two contexts in two threads, and each thread's own last error") {
  const Data data;
  const graft_matrix_view matrix = data.matrix();
  const auto interactions = data.interactions();
  const graft::Graph expected = graft::refine(data.features(), data.train());
  std::vector<int> equal(2, 0);
  std::vector<std::string> errors(2);
  const auto work = [&](std::size_t place) {
    auto options = initialised(graft_context_options_init);
    options.threads = 2;
    const auto context = made<graft_context>([&](auto out) { return graft_context_create(&options, out); });
    for (int round = 0; round < 5; ++round) {
      const auto graph = made<graft_graph>(
          [&](auto out) { return graft_refine(&matrix, interactions.get(), nullptr, context.get(), nullptr, out); });
      equal[place] += copied(graph.get()) == expected ? 1 : 0;
      auto bad = initialised(graft_knn_options_init);
      bad.k = -1 - static_cast<std::int64_t>(place);
      graft_graph* none = nullptr;
      graft_knn_graph(&matrix, &bad, context.get(), &none);
      errors[place] = graft_last_error();
    }
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  CHECK(equal == std::vector<int>{5, 5});
  CHECK(contains(errors[0], {"k = -1"}));
  CHECK(contains(errors[1], {"k = -2"}));
}

TEST_CASE("C: names of statuses, and the version") {
  CHECK(std::string(graft_status_name(GRAFT_OK)) == "GRAFT_OK");
  CHECK(std::string(graft_status_name(GRAFT_INTERNAL_ERROR)) == "GRAFT_INTERNAL_ERROR");
  CHECK(std::string(graft_status_name(5)) == "unknown status");
  CHECK(std::string(graft_version()) == graft::kVersion);
}

}  // namespace
}  // namespace capi_test
