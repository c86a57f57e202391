// jaccard_graph and its other measures on audiences small enough to count by hand, its errors and its plan.
#include <graft/ops/jaccard.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "../support/check.hpp"

namespace jaccard_test {
namespace {

using namespace graft;
using graft::test::columns_of;
using graft::test::contains;
using graft::test::message_of;
using graft::test::weight_of;
using Columns = std::vector<std::int32_t>;

/// Interactions from the audience of every item.
Interactions audiences(const std::vector<std::vector<std::int32_t>>& of_items, std::int64_t users = -1) {
  std::vector<std::int32_t> user_ids;
  std::vector<std::int32_t> item_ids;
  for (std::size_t i = 0; i < of_items.size(); ++i) {
    for (const std::int32_t user : of_items[i]) {
      user_ids.push_back(user);
      item_ids.push_back(static_cast<std::int32_t>(i));
    }
  }
  return Interactions::from_pairs(user_ids, item_ids, users, static_cast<std::int64_t>(of_items.size()));
}

/// Items 0 and 2 have the same two users, item 1 five, item 3 one of them, item 4 none, item 5 the same one as 3.
Interactions example() { return audiences({{0, 1}, {0, 1, 2, 3, 4}, {0, 1}, {4}, {}, {4}}, 10); }

TEST_CASE("jaccard_graph: defaults are ten neighbours by Jaccard, one common user, no self, twins kept") {
  const JaccardOptions options;
  CHECK(options.k == 10);
  CHECK(options.min_support == 1);
  CHECK(options.self == Self::drop);
  CHECK(options.identical == Identical::keep);
  CHECK(options.measure == AudienceMeasure::jaccard);
}

TEST_CASE("jaccard_graph: weighs common users over all users of both") {
  const Graph graph = jaccard_graph(example());
  CHECK(columns_of(graph, 0) == Columns{1, 2});
  CHECK(weight_of(graph, 0, 1) == 2.0F / 5.0F);
  CHECK(weight_of(graph, 0, 2) == 1.0F);
  CHECK(weight_of(graph, 1, 3) == 1.0F / 5.0F);
  CHECK(columns_of(graph, 3) == Columns{1, 5});
}

TEST_CASE("jaccard_graph: equal fractions keep the smaller column, zero is never an edge") {
  const Graph one = jaccard_graph(example(), {.k = 1});
  CHECK(columns_of(one, 1) == Columns{0});  // items 0 and 2 tie
  CHECK(columns_of(jaccard_graph(example(), {.k = 100}), 0) == Columns{1, 2});
  CHECK(one.row_columns(4).empty());
  // 2 / 4 and 1 / 2 are one value
  const Graph reduced = jaccard_graph(audiences({{0, 1, 2}, {0, 1, 3}, {0, 1, 2, 3, 4, 5}}), {.k = 1});
  CHECK(columns_of(reduced, 0) == Columns{1});
}

TEST_CASE("jaccard_graph: a kept self takes one of the k places, before a twin of smaller column") {
  const JaccardOptions options{.k = 1, .self = Self::keep};
  const Graph graph = jaccard_graph(example(), options);
  CHECK(columns_of(graph, 2) == Columns{2});
  CHECK(weight_of(graph, 2, 2) == 1.0F);
  CHECK(graph.row_columns(4).empty());  // nobody has it
  CHECK(columns_of(jaccard_graph(example(), {.k = 2, .self = Self::keep}), 2) == Columns{0, 2});
}

TEST_CASE("jaccard_graph: min_support asks for common users, of a self loop too") {
  const Graph graph = jaccard_graph(example(), {.min_support = 2, .self = Self::keep});
  CHECK(columns_of(graph, 0) == Columns{0, 1, 2});
  CHECK(columns_of(graph, 1) == Columns{0, 1, 2});
  CHECK(graph.row_columns(3).empty());
  CHECK(jaccard_graph(example(), {.min_support = 6, .self = Self::keep}).edges() == 0);
}

TEST_CASE("jaccard_graph: twins are dropped when asked, the self loop is not") {
  const Graph graph = jaccard_graph(example(), {.self = Self::keep, .identical = Identical::drop});
  CHECK(columns_of(graph, 0) == Columns{0, 1});
  CHECK(columns_of(graph, 3) == Columns{1, 3});
  for (const AudienceMeasure measure :
       {AudienceMeasure::cosine, AudienceMeasure::overlap, AudienceMeasure::pmi, AudienceMeasure::log_likelihood}) {
    const Graph other = jaccard_graph(example(), {.identical = Identical::drop, .measure = measure});
    CHECK(std::isnan(weight_of(other, 0, 2)));
    CHECK(std::isnan(weight_of(other, 3, 5)));
  }
}

TEST_CASE("jaccard_graph: reference drops values of 1 but keeps single users at 0.99999988") {
  for (const Self self : {Self::keep, Self::drop}) {  // overridden
    const Graph graph = jaccard_graph(example(), {.self = self, .identical = Identical::reference});
    CHECK(columns_of(graph, 0) == Columns{1});
    CHECK(columns_of(graph, 1) == Columns{0, 2, 3, 5});
    CHECK(columns_of(graph, 3) == Columns{1, 3, 5});
    CHECK(weight_of(graph, 3, 3) == 0.99999988F);
    CHECK(weight_of(graph, 3, 5) == 0.99999988F);
    CHECK(weight_of(graph, 3, 1) == 1.0F / 5.0F);
  }
  const Graph one = jaccard_graph(example(), {.k = 1, .identical = Identical::reference});
  CHECK(columns_of(one, 3) == Columns{3});  // self is first among equals
  CHECK(columns_of(one, 5) == Columns{5});
  const Graph supported = jaccard_graph(example(), {.min_support = 2, .identical = Identical::reference});
  CHECK(supported.row_columns(3).empty());
}

TEST_CASE("jaccard_graph: cosine, overlap, pmi and log-likelihood weigh what they say") {
  const auto weight = [](AudienceMeasure measure, std::int64_t a, std::int64_t b) {
    return static_cast<double>(weight_of(jaccard_graph(example(), {.measure = measure}), a, b));
  };
  CHECK(weight(AudienceMeasure::cosine, 0, 1) == doctest::Approx(2.0 / std::sqrt(10.0)));
  CHECK(weight(AudienceMeasure::cosine, 0, 2) == 1.0);
  CHECK(weight(AudienceMeasure::overlap, 0, 1) == 1.0);
  CHECK(weight(AudienceMeasure::pmi, 0, 1) == doctest::Approx(std::log(2.0)));
  CHECK(weight(AudienceMeasure::pmi, 3, 5) == doctest::Approx(std::log(10.0)));
  // cells 2, 0, 3, 5 of ten users
  const double g2 = 2.0 * (2.0 * std::log(2.0) + 3.0 * std::log(3.0 / 4.0) + 5.0 * std::log(5.0 / 4.0));
  CHECK(weight(AudienceMeasure::log_likelihood, 0, 1) == doctest::Approx(g2));
}

TEST_CASE("jaccard_graph: pmi and log-likelihood leave out what is not associated") {
  // items 0 and 1 share 1 of 4 users, as chance predicts; items 0 and 2 less than that, items 0 and 3 more
  const Interactions interactions = audiences({{0, 1}, {1, 2}, {1, 2, 3}, {0, 1}}, 4);
  for (const AudienceMeasure measure : {AudienceMeasure::pmi, AudienceMeasure::log_likelihood}) {
    CHECK(columns_of(jaccard_graph(interactions, {.measure = measure}), 0) == Columns{3});
  }
  // an item that everybody has is associated with nothing, itself included
  const Interactions everybody = audiences({{0, 1, 2}, {0, 1}}, 3);
  const Graph graph = jaccard_graph(everybody, {.self = Self::keep, .measure = AudienceMeasure::pmi});
  CHECK(graph.row_columns(0).empty());
  CHECK(columns_of(graph, 1) == Columns{1});
}

TEST_CASE("jaccard_graph: users without history change pmi but not Jaccard") {
  const auto few = audiences({{0, 1}, {0, 1, 2}}, 4);
  const auto many = audiences({{0, 1}, {0, 1, 2}}, 400);
  CHECK(jaccard_graph(few) == jaccard_graph(many));
  const JaccardOptions pmi{.measure = AudienceMeasure::pmi};
  CHECK(weight_of(jaccard_graph(many, pmi), 0, 1) > weight_of(jaccard_graph(few, pmi), 0, 1));
}

TEST_CASE("jaccard_graph: repeated pairs count once") {
  const std::vector<std::int32_t> users = {0, 0, 0, 1, 1};
  const std::vector<std::int32_t> items = {0, 0, 1, 1, 1};
  CHECK(weight_of(jaccard_graph(Interactions::from_pairs(users, items)), 0, 1) == 0.5F);
}

TEST_CASE("jaccard_graph: empty inputs give empty graphs") {
  CHECK(jaccard_graph(Interactions()).items() == 0);
  CHECK(jaccard_graph(Interactions::from_pairs({}, {}, 5, 0)).items() == 0);
  const Graph nobody = jaccard_graph(Interactions::from_pairs({}, {}, 0, 3), {.self = Self::keep});
  CHECK(nobody.items() == 3);
  CHECK(nobody.edges() == 0);
}

TEST_CASE("jaccard_graph: a k above the candidates keeps them all, however large") {
  const Graph all = jaccard_graph(example(), {.k = 6});
  for (const std::int64_t k : {std::int64_t{1} << 40, std::numeric_limits<std::int64_t>::max()}) {
    CHECK(jaccard_graph(example(), {.k = k}) == all);
    CHECK(plan(example(), {.k = k}).output_bytes >= all.edges() * 8);
  }
}

TEST_CASE("jaccard_graph: options out of range are refused with argument and value") {
  const auto refused = [](const JaccardOptions& options, std::initializer_list<const char*> parts) {
    const auto text = message_of<InvalidArgument>([&] { jaccard_graph(example(), options); });
    CHECK_MESSAGE(contains(text, parts), text);
    CHECK(message_of<InvalidArgument>([&] { plan(example(), options); }) == text);
  };
  refused({.k = 0}, {"jaccard_graph", "k = 0", ">= 1"});
  refused({.k = -3}, {"jaccard_graph", "k = -3"});
  refused({.min_support = 0}, {"jaccard_graph", "min_support = 0", ">= 1"});
  refused({.row_range = {-4, 2}}, {"jaccard_graph", "row_range", "-4"});
  refused({.row_range = {4, 2}}, {"jaccard_graph", "row_range", "4", "2"});
  for (const AudienceMeasure measure :
       {AudienceMeasure::cosine, AudienceMeasure::overlap, AudienceMeasure::pmi, AudienceMeasure::log_likelihood}) {
    refused({.identical = Identical::reference, .measure = measure}, {"jaccard_graph", "identical = reference"});
  }
}

TEST_CASE("plan of jaccard_graph: counts increments, bounds the result and stays within the budget") {
  const Interactions interactions = example();
  const Plan cost = plan(interactions, {});
  CHECK(cost.flops == 3 * 3 + 3 * 3 + 1 + 1 + 3 * 3);  // users' histories: 3, 3, 1, 1, 3 items
  CHECK(cost.output_bytes >= jaccard_graph(interactions).edges() * 8 + 7 * 8);
  CHECK(cost.workspace_bytes <= kDefaultMemoryBudget);
  CHECK(cost.tiles >= 1);
  const Plan part = plan(interactions, {.row_range = {3, 4}});
  CHECK(part.flops == 3.0);
}

TEST_CASE("jaccard_graph: a budget that is too small names what was given and the least that works") {
  const Interactions interactions = example();
  const Context context{.threads = 2, .memory_budget = 5};
  const auto text = message_of<OutOfMemory>([&] { jaccard_graph(interactions, {}, context); });
  CHECK_MESSAGE(contains(text, {"jaccard_graph", "memory_budget = 5"}), text);
  const std::int64_t least =
      graft::test::least_budget([&](const Context& c) { jaccard_graph(interactions, {}, c); }, context);
  CHECK(least > 0);
}

}  // namespace
}  // namespace jaccard_test
