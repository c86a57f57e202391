#include <graft/core/graph.hpp>

#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <limits>

#include <graft/detail/csr_build.hpp>
#include <support/graphs.hpp>

namespace graph_test {
namespace {

using graft::Graph;
using graft::GraphView;
using graft::InvalidArgument;
using graft::Unsorted;
using graft::test::contains;
using graft::test::Edge;
using graft::test::edges_of;
using graft::test::message_of;

using Offsets = std::vector<std::int64_t>;
using Columns = std::vector<std::int32_t>;
using Weights = std::vector<float>;

struct Arrays {
  std::int64_t items;
  Offsets row_offsets;
  Columns columns;
  Weights weights;
};

/// What each way from arrays to a graph says about them: the constructor, from_csr (64 and 32 bits), copy_of and
/// validate.
std::vector<std::string> refusals(const Arrays& a) {
  const std::vector<std::int32_t> narrow(a.row_offsets.begin(), a.row_offsets.end());
  const GraphView view{a.items, a.row_offsets, a.columns, a.weights};
  return {message_of<InvalidArgument>([&] { Graph(a.items, a.row_offsets, a.columns, a.weights); }),
          message_of<InvalidArgument>([&] { Graph::from_csr(a.items, a.row_offsets, a.columns, a.weights); }),
          message_of<InvalidArgument>([&] { Graph::from_csr(a.items, narrow, a.columns, a.weights); }),
          message_of<InvalidArgument>([&] { Graph::copy_of(view); }),
          message_of<InvalidArgument>([&] { validate(view); })};
}

void check_refused(const Arrays& arrays, std::initializer_list<const char*> parts) {
  for (const std::string& text : refusals(arrays)) {
    CAPTURE(text);
    CHECK(contains(text, parts));
  }
}

TEST_CASE("Graph: takes sorted arrays over and shows them") {
  const Graph graph(3, {0, 2, 2, 3}, {0, 2, 1}, {0.5F, -1.0F, 2.0F});
  CHECK(graph.items() == 3);
  CHECK(graph.edges() == 3);
  CHECK(edges_of(graph) == std::vector<Edge>{{0, 0, 0.5F}, {0, 2, -1.0F}, {2, 1, 2.0F}});
  CHECK(graph.row_columns(0).size() == 2);
  CHECK(graph.row_columns(1).empty());
  CHECK(graph.row_weights(2)[0] == 2.0F);
  const GraphView view = graph.view();
  CHECK(view.items == 3);
  CHECK(view.edges() == 3);
  CHECK(view.row_size(0) == 2);
  CHECK(view.columns.data() == graph.columns().data());
  CHECK(view.weights.data() == graph.weights().data());
  CHECK(view.row_offsets.data() == graph.row_offsets().data());
}

TEST_CASE("Graph: refuses offsets that are not those of a CSR matrix") {
  check_refused({2, {0, 2, 1}, {0}, {1.0F}}, {"row_offsets[2] = 1", "2"});
  check_refused({2, {1, 1, 1}, {0}, {1.0F}}, {"row_offsets[0] = 1", "must be 0"});
  check_refused({2, {0, 1, 1}, {0, 1}, {1.0F, 1.0F}}, {"row_offsets[2] = 1", "2"});
  check_refused({2, {0, 1, 3}, {0, 1}, {1.0F, 1.0F}}, {"row_offsets[2] = 3", "2"});
  check_refused({2, {0, 1}, {0}, {1.0F}}, {"row_offsets = 2 entries", "3"});
  check_refused({2, {}, {}, {}}, {"row_offsets = 0 entries", "3"});
  check_refused({2, {0, -1, 1}, {0}, {1.0F}}, {"row_offsets[1] = -1"});
  check_refused({-1, {}, {}, {}}, {"-1"});
}

TEST_CASE("Graph: refuses columns out of range and lengths that differ") {
  check_refused({2, {0, 1, 2}, {0, 2}, {1.0F, 1.0F}}, {"columns[1] = 2", "[0, 2)"});
  check_refused({2, {0, 1, 2}, {-1, 0}, {1.0F, 1.0F}}, {"columns[0] = -1", "[0, 2)"});
  check_refused({2, {0, 1, 2}, {0, 1}, {1.0F}}, {"weights = 1 entries", "2 columns"});
  check_refused({0, {}, {0}, {1.0F}}, {"row_offsets = 0 entries"});
}

TEST_CASE("Graph: refuses weights that are not finite") {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  check_refused({2, {0, 1, 2}, {0, 1}, {1.0F, std::numeric_limits<float>::quiet_NaN()}}, {"weights[1] = nan"});
  check_refused({2, {0, 1, 2}, {0, 1}, {kInfinity, 1.0F}}, {"weights[0] = inf"});
  check_refused({2, {0, 1, 2}, {0, 1}, {-kInfinity, 1.0F}}, {"weights[0] = -inf"});
}

TEST_CASE("Graph: refuses unsorted and repeated columns by default, naming the row") {
  check_refused({3, {0, 1, 1, 3}, {0, 2, 1}, {1.0F, 1.0F, 1.0F}}, {"row 2", "sort_and_sum"});
  check_refused({3, {0, 1, 3, 3}, {0, 2, 2}, {1.0F, 1.0F, 1.0F}}, {"row 1", "sort_and_sum"});
}

TEST_CASE("Graph: sort_and_sum sorts rows and sums repeated columns in the order given") {
  const Offsets offsets{0, 5, 5, 7};
  const Columns columns{2, 0, 2, 1, 2, 1, 1};
  const Weights weights{1e8F, 5.0F, 1.0F, 3.0F, -1e8F, 0.25F, 0.5F};
  const Graph graph = Graph::from_csr(3, std::span(offsets), columns, weights, Unsorted::sort_and_sum);
  // 1e8 + 1 - 1e8 in float32
  CHECK(edges_of(graph) == std::vector<Edge>{{0, 0, 5.0F}, {0, 1, 3.0F}, {0, 2, 0.0F}, {2, 1, 0.75F}});
  CHECK_NOTHROW(validate(graph.view()));
  CHECK(Graph(2, {0, 1, 2}, {1, 0}, {1.0F, 2.0F}, Unsorted::sort_and_sum) == Graph(2, {0, 1, 2}, {1, 0}, {1.0F, 2.0F}));
}

TEST_CASE("Graph: sort_and_sum refuses a sum that overflows, and everything else that is wrong") {
  const auto build = [](Offsets offsets, Columns columns, Weights weights) {
    return message_of<InvalidArgument>(
        [&] { Graph(2, std::move(offsets), std::move(columns), std::move(weights), Unsorted::sort_and_sum); });
  };
  CHECK(contains(build({0, 0, 2}, {1, 1}, {3e38F, 3e38F}), {"row 1", "column = 1", "finite"}));
  CHECK(contains(build({0, 0, 2}, {1, 2}, {1.0F, 1.0F}), {"columns[1] = 2"}));
  CHECK(contains(build({0, 3, 2}, {1, 1}, {1.0F, 1.0F}), {"row_offsets[2] = 2"}));
}

TEST_CASE("Graph: from_csr with 32-bit and 64-bit offsets gives the same graph") {
  const std::vector<std::int32_t> narrow{0, 1, 2};
  const Offsets wide{0, 1, 2};
  const Columns columns{1, 0};
  const Weights weights{0.5F, 0.25F};
  const Graph graph = Graph::from_csr(2, std::span(narrow), columns, weights);
  CHECK(graph == Graph::from_csr(2, std::span(wide), columns, weights));
  CHECK(graph == Graph::copy_of(graph.view()));
  CHECK(graph.columns().data() != columns.data());
}

TEST_CASE("Graph: from_coo takes edges in any order and sums repeated ones") {
  const std::vector<std::int32_t> rows{2, 0, 2, 2};
  const std::vector<std::int32_t> columns{1, 2, 0, 1};
  const std::vector<float> weights{0.5F, 1.0F, 2.0F, 0.25F};
  CHECK(Graph::from_coo(3, rows, columns, weights) == Graph(3, {0, 1, 1, 3}, {2, 0, 1}, {1.0F, 2.0F, 0.75F}));
  CHECK(Graph::from_coo(3, {}, {}, {}) == Graph(3));
}

TEST_CASE("Graph: from_coo names the place in the caller's arrays") {
  const auto refused = [](std::vector<std::int32_t> rows, std::vector<std::int32_t> columns,
                          std::vector<float> weights) {
    return message_of<InvalidArgument>([&] { Graph::from_coo(3, rows, columns, weights); });
  };
  CHECK(contains(refused({1, 3}, {0, 0}, {1.0F, 1.0F}), {"rows[1]", "3", "[0, 3)"}));
  CHECK(contains(refused({1, 0}, {0, -1}, {1.0F, 1.0F}), {"columns[1]", "-1"}));
  CHECK(contains(refused({1, 0}, {0, 1}, {1.0F, std::numeric_limits<float>::infinity()}), {"weights[1]", "inf"}));
  CHECK(contains(refused({1, 0}, {0}, {1.0F}), {"2, 1, 1"}));
}

TEST_CASE("Graph: graphs without nodes or edges") {
  CHECK(Graph().items() == 0);
  CHECK(Graph().edges() == 0);
  CHECK(Graph() == Graph(0));
  CHECK(Graph(4).items() == 4);
  CHECK(Graph(4).row_offsets().size() == 5);
  CHECK(Graph(4) == Graph(4, Offsets(5, 0), {}, {}));
  CHECK_NOTHROW(validate(GraphView{}));
  CHECK(Graph::copy_of(GraphView{}) == Graph());
  CHECK_THROWS_AS(Graph(-1), InvalidArgument);
  CHECK_THROWS_AS(Graph(std::int64_t{1} << 31), InvalidArgument);
}

TEST_CASE("Graph: a moved-from graph reads as one without nodes") {
  Graph graph = Graph::identity(3);
  const Graph taken = std::move(graph);
  CHECK(taken == Graph::identity(3));
  CHECK(graph.items() == 0);  // NOLINT(bugprone-use-after-move): that is the test
  CHECK(graph.edges() == 0);
  CHECK_NOTHROW(validate(graph.view()));
}

TEST_CASE("Graph: identity") {
  CHECK(edges_of(Graph::identity(3, 0.5F)) == std::vector<Edge>{{0, 0, 0.5F}, {1, 1, 0.5F}, {2, 2, 0.5F}});
  CHECK(Graph::identity(0) == Graph());
  CHECK(contains(message_of<InvalidArgument>([] { Graph::identity(-2); }), {"Graph::identity: items = -2"}));
  CHECK(contains(message_of<InvalidArgument>([] { Graph::identity(2, std::numeric_limits<float>::infinity()); }),
                 {"Graph::identity: weight = inf"}));
}

TEST_CASE("Graph: equality is that of structure and of weight bits") {
  const Graph graph(2, {0, 1, 2}, {1, 0}, {0.0F, 1.0F});
  CHECK(graph == Graph(graph));
  CHECK(graph != Graph(2, {0, 1, 2}, {1, 0}, {-0.0F, 1.0F}));
  CHECK(graph != Graph(2, {0, 1, 2}, {1, 1}, {0.0F, 1.0F}));
  CHECK(graph != Graph(2, {0, 2, 2}, {0, 1}, {0.0F, 1.0F}));
  CHECK(Graph(2) != Graph(3));
}

// Pieces that operators build graphs with.

/// Buffers of equal capacity, one after the other.
auto every(std::int64_t stride) {
  return [stride](std::int64_t buffer) { return buffer * stride; };
}

TEST_CASE("compact_rows: closes the gaps between row buffers") {
  const std::vector<std::int32_t> counts{2, 0, 3, 1};
  const Graph graph = graft::detail::compact_rows(
      "test", 8, 3, counts, every(3), {0, 4, -1, -1, -1, -1, 1, 2, 7, 5, -1, -1}, {1, 2, 0, 0, 0, 0, 3, 4, 5, 6, 0, 0});
  CHECK(edges_of(graph) == std::vector<Edge>{{3, 0, 1}, {3, 4, 2}, {5, 1, 3}, {5, 2, 4}, {5, 7, 5}, {6, 5, 6}});
  CHECK(graph.items() == 8);
  CHECK_NOTHROW(validate(graph.view()));
}

TEST_CASE("compact_rows: full rows, empty rows and no rows") {
  const std::vector<std::int32_t> full{2, 2};
  CHECK(graft::detail::compact_rows("test", 2, 0, full, every(2), {0, 1, 0, 1}, {1, 2, 3, 4}) ==
        Graph(2, {0, 2, 4}, {0, 1, 0, 1}, {1, 2, 3, 4}));
  const std::vector<std::int32_t> none{0, 0};
  CHECK(graft::detail::compact_rows("test", 2, 0, none, every(2), Columns(4), Weights(4)) == Graph(2));
  CHECK(graft::detail::compact_rows("test", 5, 2, {}, every(2), {}, {}) == Graph(5));
  CHECK(graft::detail::compact_rows("test", 0, 0, {}, every(2), {}, {}) == Graph());
}

TEST_CASE("FirstRow: keeps the smallest row that was reported") {
  graft::detail::FirstRow first;
  CHECK(!first.found());
  for (const std::int64_t row : {7, 3, 5}) first.report(row);
  CHECK(first.found());
  CHECK(first.row() == 3);
}

}  // namespace
}  // namespace graph_test
