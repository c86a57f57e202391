#include "train/audit.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/ops/jaccard.hpp>
#include <graft/ops/knn.hpp>
#include <graft/ops/refine.hpp>

#include "../support/files.hpp"
#include "../support/random_data.hpp"
#include "audit_data.hpp"
#include "data/random.hpp"
#include "data/sha256.hpp"

namespace graft::training {
namespace audit_test {
namespace {

using test::expect_error;
using test::held_out_pairs;
using test::planted_data;
using test::profiles;

/// 600 users, 300 items: about 1,270 held-out pairs.
Dataset small_data(std::uint64_t seed) { return planted_data(seed, 600, 300, 6000, 16); }

const Matrix& text(const Dataset& data) { return data.features.at("text"); }

/// Training rows and a share of the held-out ones.
Interactions rows_of(const Dataset& data, double leak_share) {
  std::vector<std::int32_t> users(data.train_users);
  std::vector<std::int32_t> items(data.train_items);
  data::RandomStream leaks(1, 1);
  for (const auto& [user, item] : held_out_pairs(data)) {
    if (leaks.uniform() >= leak_share) continue;
    users.push_back(user);
    items.push_back(item);
  }
  return Interactions::from_pairs(users, items, data.users, data.items);
}

TEST_CASE("audit: clean profiles are flagged no more often than alpha over 100 data sets") {
  constexpr double kAlpha = 0.05;
  const int sets = test::cases(100);  // fewer under sanitizers
  int flagged = 0;
  double p_values = 0.0;
  for (std::uint64_t seed = 1; seed <= static_cast<std::uint64_t>(sets); ++seed) {
    const Dataset data = small_data(seed);
    const AuditTest test = audit_user_features(data, profiles(data, 0.0, 1.0, seed), text(data),
                                               {.permutations = 199, .seed = seed, .alpha = kAlpha, .tolerance = 0.0});
    flagged += test.verdict == AuditVerdict::leak ? 1 : 0;
    p_values += test.p_value / sets;
  }
  // Of Binomial(100, 0.05), 99.9% lie in [0, 12].
  CHECK(flagged <= sets * kAlpha + 3.3 * std::sqrt(sets * kAlpha * (1.0 - kAlpha)));
  CHECK(p_values > 0.35);
  CHECK(p_values < 0.65);
}

TEST_CASE("audit: five held-out pairs in a hundred are found, and about as many are reported") {
  const Dataset data = planted_data(3, 3000, 1200, 25'000, 32);
  const AuditTest test = audit_user_features(data, profiles(data, 0.05, 0.0, 1), text(data));
  CHECK(test.verdict == AuditVerdict::leak);
  CHECK(test.p_value < 0.01);
  CHECK(test.share > 0.03);
  CHECK(test.share < 0.08);
  CHECK(test.share_low < test.share);
  CHECK(test.share < test.share_high);
}

TEST_CASE("audit: the whole history shows as a great effect, also in one split") {
  const Dataset data = small_data(5);
  const Matrix users = profiles(data, 1.0, 0.5, 1);
  for (const AuditSplit split : {AuditSplit::valid, AuditSplit::test, AuditSplit::both}) {
    const AuditTest test = audit_user_features(data, users, text(data), {.split = split});
    CHECK(test.verdict == AuditVerdict::leak);
    CHECK(test.effect > 0.5);
    CHECK(test.share > 0.7);
  }
}

TEST_CASE("audit: the result does not depend on the number of threads") {
  const Dataset data = small_data(6);
  const Matrix users = profiles(data, 0.1, 0.5, 1);
  const AuditTest one = audit_user_features(data, users, text(data), {}, {.threads = 1});
  const AuditTest graph_one = audit_graph(data, jaccard_graph(rows_of(data, 1.0)), {}, {.threads = 1}).test;
  for (const int threads : {2, 7}) {
    const AuditTest more = audit_user_features(data, users, text(data), {}, {.threads = threads});
    CHECK(one.p_value == more.p_value);
    CHECK(one.z == more.z);
    CHECK(one.share == more.share);
    CHECK(audit_graph(data, jaccard_graph(rows_of(data, 1.0)), {}, {.threads = threads}).test.z == graph_one.z);
  }
}

TEST_CASE("audit: users without a vector carry nothing") {
  const Dataset data = small_data(7);
  const Matrix zeros(data.users, text(data).cols());
  const AuditTest test = audit_user_features(data, zeros, text(data));
  CHECK(test.verdict == AuditVerdict::clean);
  CHECK(test.p_value == 1.0);
  CHECK(std::isnan(test.share));
}

TEST_CASE("audit: too few users with held-out pairs tell nothing") {
  const Dataset data = planted_data(8, 40, 100, 400, 8);
  const AuditTest test = audit_user_features(data, profiles(data, 1.0, 0.0, 1), text(data));
  CHECK(test.verdict == AuditVerdict::cannot_tell);
  CHECK(test.users < kLeastAuditedUsers);
}

TEST_CASE("audit: graphs of content and of training rows are clean, those of all rows are not") {
  const Dataset data = planted_data(9, 3000, 1200, 25'000, 32);
  CHECK(audit_graph(data, jaccard_graph(rows_of(data, 0.0))).test.verdict == AuditVerdict::clean);
  CHECK(audit_graph(data, knn_graph(text(data))).test.verdict == AuditVerdict::clean);
  CHECK(audit_graph(data, knn_graph(text(data), {.k = 7})).test.verdict == AuditVerdict::clean);
  const GraphAudit leak = audit_graph(data, jaccard_graph(rows_of(data, 1.0)));
  CHECK(leak.test.verdict == AuditVerdict::leak);
  CHECK(leak.edges.made_of_held_out_rows());
  CHECK(leak.edges.held_out == leak.edges.beyond_train);
}

TEST_CASE("audit: refined graphs of five held-out pairs in a hundred are found in small sets, clean ones pass") {
  int found = 0;
  double share = 0.0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    const Dataset data = planted_data(seed, 2000, 1000, 16'000, 64);
    const AuditTest leak = audit_graph(data, refine(text(data), rows_of(data, 0.05))).test;
    found += leak.verdict == AuditVerdict::leak ? 1 : 0;
    share += leak.share / 5;
    const AuditTest clean = audit_graph(data, refine(text(data), rows_of(data, 0.0))).test;
    CHECK(clean.verdict == AuditVerdict::clean);
    CHECK(std::abs(clean.share) < 0.01);
  }
  CHECK(found >= 4);  // benchmarks/audit_study.py: 100 of 100, of other leaks
  CHECK(share > 0.03);
  CHECK(share < 0.06);
}

TEST_CASE("audit: without features a graph of content is not called a leak, one of all rows is") {
  Dataset data = planted_data(10, 3000, 1200, 25'000, 32);
  const Graph content = knn_graph(text(data));
  data.features.clear();
  CHECK(audit_graph(data, content).test.verdict != AuditVerdict::leak);
  CHECK(audit_graph(data, jaccard_graph(rows_of(data, 1.0))).test.verdict == AuditVerdict::leak);
  CHECK(audit_graph(data, jaccard_graph(rows_of(data, 0.0))).test.verdict == AuditVerdict::clean);
}

TEST_CASE("audit: a graph's record is compared to the hashes of the splits") {
  InterTable table;
  table.users = {0, 0, 1, 1};
  table.items = {0, 1, 1, 2};
  table.labels = {Split::train, Split::valid, Split::train, Split::test};
  table.user_count = 2;
  table.item_count = 3;
  const auto origin = [&](Split split, std::int64_t items) {
    const Interactions rows = interactions_of(table, {.split = split, .items = items});
    return graph_record({{"interactions_sha256", data::sha256_of(rows)}}, table, 3).origin;
  };
  CHECK(origin(Split::train, 3) == GraphOrigin::train);
  CHECK(origin(Split::all, 3) == GraphOrigin::held_out);
  CHECK(origin(Split::valid, 3) == GraphOrigin::held_out);
  CHECK(origin(Split::test, 3) == GraphOrigin::held_out);
  CHECK(origin(Split::train, 4) == GraphOrigin::unknown);
  CHECK(graph_record({}, table, 3).origin == GraphOrigin::unknown);
}

TEST_CASE("audit: what cannot be compared is refused") {
  const Dataset data = small_data(11);
  Matrix users = profiles(data, 0.0, 0.0, 1);
  const auto audit = [&](const Matrix& given, const AuditOptions& options) {
    return audit_user_features(data, given, text(data), options);
  };
  expect_error<InvalidArgument>([&] { audit(Matrix(data.users, 5), {}); }, {"5 columns", "16", "same space"});
  expect_error<InvalidArgument>([&] { audit(Matrix(data.users - 1, 16), {}); }, {"user features", "at least 600"});
  expect_error<InvalidArgument>([&] { audit_user_features(data, users, Matrix(7, 16)); },
                                {"item features = 7 x 16", "300"});
  expect_error<InvalidArgument>([&] { audit(users, {.permutations = 0}); }, {"permutations = 0"});
  expect_error<InvalidArgument>([&] { audit(users, {.alpha = 1.0}); }, {"alpha = 1"});
  expect_error<InvalidArgument>([&] { audit(users, {.tolerance = -0.1}); }, {"tolerance = -0.1"});
  expect_error<InvalidArgument>([&] { audit_graph(data, Graph(7)); }, {"graph = 7 items", "300"});
  users.mutable_view()(4, 2) = std::numeric_limits<float>::quiet_NaN();
  expect_error<InvalidArgument>([&] { audit(users, {}); }, {"row 4", "finite"});
  Context cancelled;
  cancelled.cancel.cancel();
  CHECK_THROWS_AS(audit_graph(data, Graph(300), {}, cancelled), Cancelled);
}

}  // namespace
}  // namespace audit_test
}  // namespace graft::training
