// The C API's functions for a CUDA device: equal bits with those of the host where there is one, a status and a message
// where there is none.
#include <graft.h>

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "../support/check.hpp"
#include "../support/random_data.hpp"
#include "handles.hpp"

namespace device_test {
namespace {

using graft::test::contains;
using graft::test::made;
using graft::test::Owned;
using graft::test::Random;
using graft::test::refused;

Owned<graft_context> device_context() {
  graft_context_options options;
  REQUIRE(graft_context_options_init(&options, sizeof(options)) == GRAFT_OK);
  options.backend = GRAFT_BACKEND_CUDA;
  return made<graft_context>([&](graft_context** out) { return graft_context_create(&options, out); });
}

struct Data {
  static constexpr std::int64_t kUsers = 40;
  static constexpr std::int64_t kItems = 50;
  static constexpr std::int64_t kDims = 7;

  Data() {
    Random random(20261129);
    features = graft::test::draw_features(random, {.items = kItems, .dims = kDims});
    for (int pair = 0; pair < 300; ++pair) {
      users.push_back(static_cast<std::int32_t>(graft::test::draw(random, 0, kUsers - 1)));
      items.push_back(static_cast<std::int32_t>(graft::test::draw(random, 0, kItems - 1)));
    }
    train = made<graft_interactions>([&](graft_interactions** out) {
      return graft_interactions_from_coo(kUsers, kItems, static_cast<std::int64_t>(users.size()), users.data(),
                                         items.data(), out);
    });
  }

  [[nodiscard]] graft_matrix_view view() const {
    const auto matrix = features.view();
    return {matrix.data(), matrix.rows(), matrix.cols(), matrix.stride()};
  }

  graft::test::FeatureData features;
  std::vector<std::int32_t> users;
  std::vector<std::int32_t> items;
  Owned<graft_interactions> train;
};

Owned<graft_graph> to_host(const Owned<graft_device_graph>& graph) {
  return made<graft_graph>([&](graft_graph** out) { return graft_device_graph_to_host(graph.get(), out); });
}

/// Whether there is a device; what is missing is told in a message.
bool has_device() {
  const Owned<graft_context> context = device_context();
  const graft_matrix_view nothing{nullptr, 0, 0, 0};
  graft_device_matrix* matrix = nullptr;
  const graft_status status = graft_matrix_to_device(&nothing, context.get(), &matrix);
  const Owned<graft_device_matrix> owner(matrix);
  if (status == GRAFT_OK) return true;
  CHECK(status == GRAFT_BACKEND_UNAVAILABLE);
  CHECK(matrix == nullptr);
  CHECK(contains(graft_last_error(), {"backend = cuda"}));
  return false;
}

TEST_CASE("results on a device: equal those of the host, bit for bit") {
  const bool there = has_device();
  // where a device is promised, nothing is skipped
  REQUIRE((there || std::getenv("GRAFT_NEEDS_DEVICE") == nullptr));
  if (!there) return;  // what is missing was told
  const Data data;
  const graft_matrix_view features = data.view();
  const Owned<graft_context> context = device_context();
  const graft_context* const where = context.get();
  const auto matrix = made<graft_device_matrix>(
      [&](graft_device_matrix** out) { return graft_matrix_to_device(&features, where, out); });
  graft_device_matrix_view there_view;
  REQUIRE(graft_device_matrix_get(matrix.get(), &there_view) == GRAFT_OK);
  CHECK(there_view.rows == Data::kItems);
  CHECK(there_view.cols == Data::kDims);
  CHECK(there_view.device == 0);

  using Device = graft_device_graph**;
  using Host = graft_graph**;
  const auto equal = [](const Owned<graft_device_graph>& on_device, const Owned<graft_graph>& expected) {
    const Owned<graft_graph> back = to_host(on_device);
    return graft_graph_equal(back.get(), expected.get()) == 1;
  };
  const auto knn =
      made<graft_device_graph>([&](Device out) { return graft_device_knn_graph(&there_view, nullptr, where, out); });
  const auto knn_here = made<graft_graph>([&](Host out) { return graft_knn_graph(&features, nullptr, where, out); });
  CHECK(equal(knn, knn_here));
  const auto audience = made<graft_device_graph>(
      [&](Device out) { return graft_device_jaccard_graph(data.train.get(), nullptr, where, out); });
  const auto audience_here =
      made<graft_graph>([&](Host out) { return graft_jaccard_graph(data.train.get(), nullptr, nullptr, out); });
  CHECK(equal(audience, audience_here));

  graft_refine_options options;
  REQUIRE(graft_refine_options_init(&options, sizeof(options)) == GRAFT_OK);
  options.threshold = 0.1F;
  options.normalize_parts = 1;
  graft_refine_summary summary{};
  graft_refine_summary summary_here{};
  const auto refined = made<graft_device_graph>(
      [&](Device out) { return graft_device_refine(&there_view, data.train.get(), &options, where, &summary, out); });
  const auto refined_here = made<graft_graph>(
      [&](Host out) { return graft_refine(&features, data.train.get(), &options, where, &summary_here, out); });
  CHECK(equal(refined, refined_here));
  CHECK(summary.edges == summary_here.edges);
  CHECK(summary.edges_after == summary_here.edges_after);
  const graft_modality modality{&features, nullptr, 1.0F, 0, 0.0F};
  CHECK(equal(made<graft_device_graph>([&](Device out) {
                return graft_device_refine_modalities(&modality, 1, data.train.get(), &options, where, nullptr, out);
              }),
              refined_here));

  const graft_device_graph* const a = knn.get();
  const graft_device_graph* const b = audience.get();
  const graft_graph* const a_here = knn_here.get();
  const graft_graph* const b_here = audience_here.get();
  CHECK(equal(made<graft_device_graph>([&](Device out) { return graft_device_threshold(a, 0.2F, where, out); }),
              made<graft_graph>([&](Host out) { return graft_threshold(a_here, 0.2F, nullptr, out); })));
  CHECK(equal(made<graft_device_graph>([&](Device out) { return graft_device_binarize(a, where, out); }),
              made<graft_graph>([&](Host out) { return graft_binarize(a_here, nullptr, out); })));
  CHECK(equal(made<graft_device_graph>([&](Device out) { return graft_device_scale(a, 0.3F, where, out); }),
              made<graft_graph>([&](Host out) { return graft_scale(a_here, 0.3F, nullptr, out); })));
  CHECK(equal(made<graft_device_graph>([&](Device out) { return graft_device_drop_self_loops(a, where, out); }),
              made<graft_graph>([&](Host out) { return graft_drop_self_loops(a_here, nullptr, out); })));
  CHECK(equal(made<graft_device_graph>([&](Device out) { return graft_device_top_k(a, 3, where, out); }),
              made<graft_graph>([&](Host out) { return graft_top_k(a_here, 3, nullptr, out); })));
  const auto symmetric = made<graft_device_graph>(
      [&](Device out) { return graft_device_symmetrize(a, GRAFT_SYMMETRIZE_MEAN, where, out); });
  const auto symmetric_here =
      made<graft_graph>([&](Host out) { return graft_symmetrize(a_here, GRAFT_SYMMETRIZE_MEAN, nullptr, out); });
  CHECK(equal(symmetric, symmetric_here));
  CHECK(equal(made<graft_device_graph>([&](Device out) { return graft_device_transpose(symmetric.get(), where, out); }),
              symmetric_here));
  CHECK(equal(made<graft_device_graph>(
                  [&](Device out) { return graft_device_normalize(a, GRAFT_NORMALIZATION_ROW, 1e-3F, where, out); }),
              made<graft_graph>(
                  [&](Host out) { return graft_normalize(a_here, GRAFT_NORMALIZATION_ROW, 1e-3F, nullptr, out); })));
  CHECK(equal(made<graft_device_graph>([&](Device out) { return graft_device_add(a, b, where, out); }),
              made<graft_graph>([&](Host out) { return graft_add(a_here, b_here, nullptr, out); })));
  const graft_graph* const both[] = {a_here, b_here};
  const float coefficients[] = {0.25F, 2.0F};
  CHECK(equal(made<graft_device_graph>([&](Device out) { return graft_device_mix(a, 0.25F, b, 2.0F, where, out); }),
              made<graft_graph>([&](Host out) { return graft_mix(both, coefficients, 2, nullptr, out); })));

  const auto propagated = made<graft_device_matrix>([&](graft_device_matrix** out) {
    return graft_device_propagate(a, &there_view, 2, GRAFT_AGGREGATION_MEAN, where, out);
  });
  const auto back =
      made<graft_matrix>([&](graft_matrix** out) { return graft_device_matrix_to_host(propagated.get(), out); });
  const auto expected = made<graft_matrix>(
      [&](graft_matrix** out) { return graft_propagate(a_here, &features, 2, GRAFT_AGGREGATION_MEAN, where, out); });
  graft_matrix_view got;
  graft_matrix_view wanted;
  REQUIRE(graft_matrix_get(back.get(), &got) == GRAFT_OK);
  REQUIRE(graft_matrix_get(expected.get(), &wanted) == GRAFT_OK);
  REQUIRE(got.rows == wanted.rows);
  for (std::int64_t r = 0; r < got.rows; ++r) {
    for (std::int64_t c = 0; c < got.cols; ++c) {
      CHECK(got.data[r * got.stride + c] == wanted.data[r * wanted.stride + c]);
    }
  }

  const auto copied = made<graft_device_graph>([&](Device out) { return graft_graph_to_device(a_here, where, out); });
  CHECK(equal(copied, knn_here));
  graft_device_csr_view csr;
  REQUIRE(graft_device_graph_get(copied.get(), &csr) == GRAFT_OK);
  CHECK(csr.items == Data::kItems);
  graft_csr_view csr_here;
  REQUIRE(graft_graph_get(a_here, &csr_here) == GRAFT_OK);
  CHECK(csr.edges == csr_here.edges);
  CHECK(csr.device == 0);
  CHECK(csr.device_weights != nullptr);
}

TEST_CASE("results on a device: misuse is refused by name") {
  const Data data;
  const graft_interactions* const train = data.train.get();
  const Owned<graft_context> context = device_context();
  const auto message = [](const auto& call) { return refused<graft_device_graph>(GRAFT_INVALID_ARGUMENT, call); };
  CHECK(contains(message([&](auto out) { return graft_device_jaccard_graph(train, nullptr, nullptr, out); }),
                 {"graft_device_jaccard_graph", "context = cpu", "CUDA device"}));
  CHECK(contains(message([&](auto out) { return graft_device_threshold(nullptr, 0.5F, context.get(), out); }),
                 {"graft_device_threshold: graph = NULL"}));
  CHECK(contains(message([&](auto out) { return graft_device_add(nullptr, nullptr, context.get(), out); }),
                 {"graft_device_add: left = NULL"}));
  CHECK(contains(message([&](auto out) { return graft_device_knn_graph(nullptr, nullptr, context.get(), out); }),
                 {"graft_device_knn_graph: features = NULL"}));
  CHECK(graft_device_jaccard_graph(train, nullptr, context.get(), nullptr) == GRAFT_INVALID_ARGUMENT);
  CHECK(contains(graft_last_error(), {"out = NULL"}));
  graft_device_csr_view view;
  CHECK(graft_device_graph_get(nullptr, &view) == GRAFT_INVALID_ARGUMENT);
  graft_device_graph_free(nullptr);
  graft_device_matrix_free(nullptr);
}

}  // namespace
}  // namespace device_test
