#include <graft/interop/boost_graph.hpp>

#include <cstdint>
#include <iterator>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <boost/concept/assert.hpp>
#include <boost/graph/connected_components.hpp>
#include <boost/graph/dijkstra_shortest_paths.hpp>
#include <boost/graph/graph_concepts.hpp>
#include <boost/graph/kruskal_min_spanning_tree.hpp>
#include <boost/graph/page_rank.hpp>
#include <boost/graph/strong_components.hpp>

#include <graft/interop/eigen.hpp>
#include <graft/ops/symmetrize.hpp>
#include <support/check.hpp>
#include <support/graphs.hpp>

using graft::interop::boost_view;
using graft::interop::BoostGraph;
using graft::interop::BoostUndirectedGraph;
using graft::interop::undirected_view;
using graft::test::graph_of;

BOOST_CONCEPT_ASSERT((boost::concepts::VertexListGraphConcept<BoostGraph>));
BOOST_CONCEPT_ASSERT((boost::concepts::EdgeListGraphConcept<BoostGraph>));
BOOST_CONCEPT_ASSERT((boost::concepts::IncidenceGraphConcept<BoostGraph>));
BOOST_CONCEPT_ASSERT((boost::concepts::AdjacencyGraphConcept<BoostGraph>));
BOOST_CONCEPT_ASSERT((boost::concepts::ReadablePropertyGraphConcept<BoostGraph, std::int32_t, boost::vertex_index_t>));
BOOST_CONCEPT_ASSERT(
    (boost::concepts::ReadablePropertyGraphConcept<BoostGraph, BoostGraph::edge_descriptor, boost::edge_weight_t>));
BOOST_CONCEPT_ASSERT((boost::ReadablePropertyMapConcept<BoostGraph::distance_map_type, BoostGraph::edge_descriptor>));

BOOST_CONCEPT_ASSERT((boost::concepts::VertexListGraphConcept<BoostUndirectedGraph>));
BOOST_CONCEPT_ASSERT((boost::concepts::EdgeListGraphConcept<BoostUndirectedGraph>));
BOOST_CONCEPT_ASSERT((boost::concepts::IncidenceGraphConcept<BoostUndirectedGraph>));
BOOST_CONCEPT_ASSERT((boost::concepts::AdjacencyGraphConcept<BoostUndirectedGraph>));
BOOST_CONCEPT_ASSERT(
    (boost::concepts::ReadablePropertyGraphConcept<BoostUndirectedGraph, std::int32_t, boost::vertex_index_t>));
BOOST_CONCEPT_ASSERT((boost::concepts::ReadablePropertyGraphConcept<
                      BoostUndirectedGraph, BoostUndirectedGraph::edge_descriptor, boost::edge_weight_t>));

namespace boost_graph_test {
namespace {

using Ends = std::pair<std::int32_t, std::int32_t>;

/// The directed graph of networkx_numbers.py.
graft::Graph directed_graph() {
  return graph_of(6, {{0, 1, 0.875F},
                      {1, 2, 0.75F},
                      {2, 0, 0.5F},
                      {2, 3, 0.625F},
                      {3, 4, 0.5F},
                      {4, 3, 0.375F},
                      {4, 5, 1.0F},
                      {5, 4, 0.25F},
                      {0, 3, 0.125F}});
}

/// The undirected graph of networkx_numbers.py: two triangles, an item alone, and two self loops.
graft::Graph undirected_graph() {
  return graft::symmetrize(graph_of(8, {{0, 1, 0.875F},
                                        {1, 2, 0.75F},
                                        {2, 0, 0.5F},
                                        {3, 4, 0.5F},
                                        {4, 5, 1.0F},
                                        {5, 3, 0.25F},
                                        {5, 5, 1.0F},
                                        {7, 7, 0.5F}}));
}

template <class View>
std::vector<Ends> ends_of_all_edges(const View& view) {
  std::vector<Ends> ends;
  const auto [begin, end] = edges(view);
  for (auto edge = begin; edge != end; ++edge) ends.emplace_back(source(*edge, view), target(*edge, view));
  return ends;
}

/// Shortest distances from an item, over 1 - weight.
template <class View>
std::vector<double> distances_from(const View& view, std::int32_t item) {
  std::vector<double> distance(num_vertices(view));
  const auto index = get(boost::vertex_index, view);
  boost::dijkstra_shortest_paths(view, item,
                                 boost::weight_map(graft::interop::distance_map(view))
                                     .distance_map(boost::make_iterator_property_map(distance.begin(), index)));
  return distance;
}

/// The vertices of each component, as sets.
std::set<std::set<std::int32_t>> groups(const std::vector<int>& component) {
  std::vector<std::set<std::int32_t>> members(component.size());
  for (std::size_t v = 0; v < component.size(); ++v) {
    members[static_cast<std::size_t>(component[v])].insert(static_cast<std::int32_t>(v));
  }
  std::erase_if(members, [](const auto& group) { return group.empty(); });
  return {members.begin(), members.end()};
}

}  // namespace

TEST_CASE("boost_view: vertices, edges and weights are the graph's own arrays") {
  const graft::Graph graph = directed_graph();
  const BoostGraph view = boost_view(graph);
  CHECK(num_vertices(view) == 6);
  CHECK(num_edges(view) == 9);
  CHECK(adjacent_vertices(2, view).first == graph.columns().data() + 3);
  CHECK(out_degree(2, view) == 2);

  // An edge goes from the row to the column.
  const auto [begin, end] = out_edges(2, view);
  REQUIRE(end - begin == 2);
  CHECK(source(*begin, view) == 2);
  CHECK(target(*begin, view) == 0);
  CHECK(target(begin[1], view) == 3);
  CHECK(get(boost::edge_weight, view, begin[1]) == 0.625F);
  CHECK(get(get(boost::edge_weight, view), *begin) == 0.5F);

  const std::vector<Ends> expected = {{0, 1}, {0, 3}, {1, 2}, {2, 0}, {2, 3}, {3, 4}, {4, 3}, {4, 5}, {5, 4}};
  CHECK(ends_of_all_edges(view) == expected);
}

TEST_CASE("boost_view: edges skip empty rows at the begin, in the middle and at the end") {
  const graft::Graph graph = graph_of(6, {{1, 0, 1.0F}, {4, 2, 1.0F}});
  CHECK(ends_of_all_edges(boost_view(graph)) == std::vector<Ends>{{1, 0}, {4, 2}});
  CHECK(ends_of_all_edges(boost_view(graft::GraphView{})).empty());
  const graft::Graph none(3);
  CHECK(ends_of_all_edges(boost_view(none)).empty());
  CHECK(out_degree(2, boost_view(none)) == 0);
}

TEST_CASE("boost_view: page_rank gives NetworkX's numbers") {
  const graft::Graph graph = directed_graph();
  const BoostGraph view = boost_view(graph);
  std::vector<double> rank(num_vertices(view));
  boost::graph::page_rank(view, boost::make_iterator_property_map(rank.begin(), get(boost::vertex_index, view)),
                          boost::graph::n_iterations(500), 0.85);
  const std::vector<double> expected = {0.316535607, 0.284527633, 0.391848488, 1.46325818, 2.381635152, 1.162194939};
  for (std::size_t v = 0; v < expected.size(); ++v) CHECK(rank[v] == doctest::Approx(expected[v]).epsilon(1e-8));
}

TEST_CASE("boost_view: strong_components gives NetworkX's components") {
  const graft::Graph graph = directed_graph();
  const BoostGraph view = boost_view(graph);
  std::vector<int> component(num_vertices(view));
  const int count = boost::strong_components(
      view, boost::make_iterator_property_map(component.begin(), get(boost::vertex_index, view)));
  CHECK(count == 2);
  CHECK(groups(component) == std::set<std::set<std::int32_t>>{{0, 1, 2}, {3, 4, 5}});
}

TEST_CASE("distance_map: shortest paths over 1 - weight are NetworkX's") {
  const graft::Graph graph = directed_graph();
  CHECK(distances_from(boost_view(graph), 0) == std::vector<double>{0, 0.125, 0.375, 0.75, 1.25, 1.25});
}

TEST_CASE("distance_map: a weight above 1 is distance 0, a negative one more than 1") {
  const graft::Graph graph = graph_of(3, {{0, 1, 1.0000001F}, {1, 2, -0.5F}});
  const BoostGraph view = boost_view(graph);
  const auto distance = graft::interop::distance_map(view);
  CHECK(get(distance, *out_edges(0, view).first) == 0.0F);
  CHECK(get(distance, *out_edges(1, view).first) == 1.5F);
  CHECK(distances_from(view, 0) == std::vector<double>{0, 0, 1.5});
}

TEST_CASE("boost_view: an item that cannot be reached stays at the largest distance") {
  const graft::Graph graph = graph_of(3, {{1, 0, 0.5F}});
  const auto distance = distances_from(boost_view(graph), 0);
  CHECK(distance == std::vector<double>{0, std::numeric_limits<double>::max(), std::numeric_limits<double>::max()});
}

TEST_CASE("undirected_view: an edge counts once, and is among the edges of both ends") {
  const graft::Graph graph = undirected_graph();
  const BoostUndirectedGraph view = undirected_view(graph);
  CHECK(graph.edges() == 14);
  CHECK(num_edges(view) == 8);
  const std::vector<Ends> expected = {{0, 1}, {0, 2}, {1, 2}, {3, 4}, {3, 5}, {4, 5}, {5, 5}, {7, 7}};
  CHECK(ends_of_all_edges(view) == expected);
  CHECK(out_degree(5, view) == 3);  // 3, 4 and itself

  const auto from_small = *out_edges(0, view).first;
  const auto from_large = *out_edges(1, view).first;
  CHECK(target(from_small, view) == 1);
  CHECK(source(from_large, view) == 1);
  CHECK(target(from_large, view) == 0);
  CHECK(from_small == from_large);
  CHECK(!(from_small < from_large));
  CHECK(from_small != *std::next(out_edges(0, view).first));
}

TEST_CASE("undirected_view: both ends see the weight of the smaller item's row") {
  const graft::Graph graph = graph_of(4, {{0, 3, 0.25F}, {3, 0, 0.75F}, {2, 3, 0.5F}, {3, 2, 0.125F}, {3, 3, 1.0F}});
  const BoostUndirectedGraph view = undirected_view(graph);
  const auto of_three = out_edges(3, view).first;
  CHECK(get(boost::edge_weight, view, *out_edges(0, view).first) == 0.25F);
  CHECK(get(boost::edge_weight, view, of_three[0]) == 0.25F);
  CHECK(get(boost::edge_weight, view, of_three[1]) == 0.5F);
  CHECK(get(boost::edge_weight, view, of_three[2]) == 1.0F);
  CHECK(get(graft::interop::distance_map(view), of_three[0]) == 0.75F);
}

TEST_CASE("undirected_view: connected_components gives NetworkX's components") {
  const graft::Graph graph = undirected_graph();
  const BoostUndirectedGraph view = undirected_view(graph);
  std::vector<int> component(num_vertices(view));
  const int count = boost::connected_components(
      view, boost::make_iterator_property_map(component.begin(), get(boost::vertex_index, view)));
  CHECK(count == 4);
  CHECK(groups(component) == std::set<std::set<std::int32_t>>{{0, 1, 2}, {3, 4, 5}, {6}, {7}});
}

TEST_CASE("undirected_view: shortest paths and the spanning forest are NetworkX's") {
  const graft::Graph graph = undirected_graph();
  const BoostUndirectedGraph view = undirected_view(graph);
  const std::vector<double> distance = distances_from(view, 2);
  CHECK(distance[0] == 0.375);
  CHECK(distance[1] == 0.25);
  CHECK(distance[3] == std::numeric_limits<double>::max());

  std::vector<BoostUndirectedGraph::edge_descriptor> tree;
  boost::kruskal_minimum_spanning_tree(view, std::back_inserter(tree),
                                       boost::weight_map(graft::interop::distance_map(view)));
  std::set<Ends> ends;
  double length = 0;
  for (const auto& edge : tree) {
    ends.emplace(source(edge, view), target(edge, view));
    length += static_cast<double>(get(graft::interop::distance_map(view), edge));
  }
  CHECK(ends == std::set<Ends>{{0, 1}, {1, 2}, {3, 4}, {4, 5}});
  CHECK(length == 0.875);
}

TEST_CASE("undirected_view: an edge without its reverse is named") {
  const auto refused = [](const graft::Graph& graph, const char* edge) {
    const std::string text = graft::test::message_of<graft::InvalidArgument>([&] { undirected_view(graph); });
    INFO(text);
    CHECK(graft::test::contains(text, {"undirected_view", edge, "symmetrize"}));
  };
  refused(graph_of(3, {{0, 1, 1.0F}}), "(0, 1)");
  refused(graph_of(3, {{2, 1, 1.0F}}), "(2, 1)");
  refused(graph_of(4, {{0, 1, 1.0F}, {1, 0, 1.0F}, {1, 3, 1.0F}}), "(1, 3)");
  refused(graph_of(4, {{0, 1, 1.0F}, {1, 0, 1.0F}, {3, 0, 1.0F}, {3, 3, 1.0F}}), "(3, 0)");
  refused(graph_of(4, {{0, 2, 1.0F}, {2, 1, 1.0F}, {2, 0, 1.0F}, {3, 2, 1.0F}, {2, 3, 1.0F}}), "(2, 1)");
}

TEST_CASE("undirected_view: accepts a graph just where its edges and their reverses are the same") {
  int accepted = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    const graft::Graph graph = graft::test::random_graph(4, 2, seed);
    std::set<std::pair<std::int64_t, std::int64_t>> stored;
    for (const auto& edge : graft::test::edges_of(graph)) stored.emplace(edge.row, edge.column);
    std::set<std::pair<std::int64_t, std::int64_t>> undirected;
    bool symmetric = true;
    for (const auto& [row, column] : stored) {
      symmetric = symmetric && stored.contains({column, row});
      undirected.insert(std::minmax(row, column));
    }
    const graft::Graph mended = graft::symmetrize(graph);
    CHECK(num_edges(undirected_view(mended)) == undirected.size());
    if (symmetric) {
      ++accepted;
      CHECK(ends_of_all_edges(undirected_view(graph)).size() == undirected.size());
    } else {
      CHECK_THROWS_AS(undirected_view(graph), graft::InvalidArgument);
    }
  }
  CHECK(accepted > 5);
  CHECK(accepted < 295);
}

TEST_CASE("undirected_view: an empty graph has one component an item") {
  const graft::Graph graph(3);
  std::vector<int> component(3);
  const BoostUndirectedGraph view = undirected_view(graph);
  CHECK(boost::connected_components(
            view, boost::make_iterator_property_map(component.begin(), get(boost::vertex_index, view))) == 3);
  CHECK(num_vertices(undirected_view(graft::GraphView{})) == 0);
}

}  // namespace boost_graph_test
