// Graphs as the Boost Graph Library sees them, without a copy. Needs Boost's headers, 1.74 or later.
#pragma once

#include <algorithm>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/graph/graph_traits.hpp>
#include <boost/graph/properties.hpp>
#include <boost/iterator/counting_iterator.hpp>
#include <boost/iterator/iterator_facade.hpp>
#include <boost/property_map/property_map.hpp>

#include <graft/core/error.hpp>
#include <graft/core/graph.hpp>
#include <graft/detail/checked.hpp>

namespace graft::interop {
namespace boost_detail {

using graft::detail::as_id;
using graft::detail::as_size;

/// What both kinds of graph can do: walk a vertex's edges and neighbours, all vertices and all edges.
struct BoostTraversal : boost::vertex_list_graph_tag,
                        boost::incidence_graph_tag,
                        boost::adjacency_graph_tag,
                        boost::edge_list_graph_tag {};

/// A stored entry, as a directed edge.
struct DirectedEdge {
  std::int32_t source = 0;
  std::int32_t target = 0;
  std::int64_t position = 0;  ///< in the graph's columns and weights

  friend bool operator==(const DirectedEdge&, const DirectedEdge&) = default;
  friend auto operator<=>(const DirectedEdge& a, const DirectedEdge& b) { return a.position <=> b.position; }
};

/// A stored entry, as an undirected edge: equal to the entry of the other direction.
struct UndirectedEdge {
  std::int32_t source = 0;
  std::int32_t target = 0;
  std::int64_t position = 0;  ///< of this direction

  friend bool operator==(const UndirectedEdge& a, const UndirectedEdge& b) { return a.ends() == b.ends(); }
  friend auto operator<=>(const UndirectedEdge& a, const UndirectedEdge& b) { return a.ends() <=> b.ends(); }
  [[nodiscard]] std::pair<std::int32_t, std::int32_t> ends() const { return std::minmax({source, target}); }
};

/// The entries of one row.
template <class Edge>
class OutEdgeIterator : public boost::iterator_facade<OutEdgeIterator<Edge>, Edge, boost::random_access_traversal_tag,
                                                      Edge, std::int64_t> {
 public:
  OutEdgeIterator() = default;
  OutEdgeIterator(const std::int32_t* columns, std::int32_t row, std::int64_t position)
      : columns_(columns), row_(row), position_(position) {}

 private:
  friend class boost::iterator_core_access;
  Edge dereference() const { return {row_, columns_[position_], position_}; }
  bool equal(const OutEdgeIterator& other) const { return position_ == other.position_; }
  void increment() { ++position_; }
  void decrement() { --position_; }
  void advance(std::int64_t steps) { position_ += steps; }
  std::int64_t distance_to(const OutEdgeIterator& other) const { return other.position_ - position_; }

  const std::int32_t* columns_ = nullptr;
  std::int32_t row_ = 0;
  std::int64_t position_ = 0;
};

/// The entries of all rows; of an undirected graph those whose column is not below the row, each edge once.
template <class Edge, bool kUpperOnly>
class EdgeIterator : public boost::iterator_facade<EdgeIterator<Edge, kUpperOnly>, Edge, boost::forward_traversal_tag,
                                                   Edge, std::int64_t> {
 public:
  EdgeIterator() = default;
  EdgeIterator(const GraphView& graph, std::int64_t position) : graph_(graph), position_(position) { settle(); }

 private:
  friend class boost::iterator_core_access;
  Edge dereference() const { return {as_id(row_), column(), position_}; }
  bool equal(const EdgeIterator& other) const { return position_ == other.position_; }
  void increment() {
    ++position_;
    settle();
  }

  [[nodiscard]] std::int32_t column() const { return graph_.columns[as_size(position_)]; }

  /// Goes on to the next entry that counts, and to its row.
  void settle() {
    for (; position_ < graph_.edges(); ++position_) {
      while (graph_.row_end(row_) <= position_) ++row_;
      if (!kUpperOnly || column() >= row_) return;
    }
  }

  GraphView graph_;
  std::int64_t row_ = 0;
  std::int64_t position_ = 0;
};

/// What the two kinds of graph share. Vertices are items, 0 to items - 1.
template <class Edge, bool kUndirected>
class BoostAdapter {
 public:
  using vertex_descriptor = std::int32_t;
  using edge_descriptor = Edge;
  using edge_parallel_category = boost::disallow_parallel_edge_tag;
  using traversal_category = BoostTraversal;
  using vertex_iterator = boost::counting_iterator<std::int32_t>;
  using out_edge_iterator = OutEdgeIterator<Edge>;
  using adjacency_iterator = const std::int32_t*;
  using edge_iterator = EdgeIterator<Edge, kUndirected>;
  using vertices_size_type = std::size_t;
  using edges_size_type = std::size_t;
  using degree_size_type = std::size_t;

  /// No vertex has this number.
  static vertex_descriptor null_vertex() { return -1; }

  [[nodiscard]] const GraphView& view() const { return graph_; }

  friend vertices_size_type num_vertices(const BoostAdapter& graph) { return as_size(graph.graph_.items); }
  friend std::pair<vertex_iterator, vertex_iterator> vertices(const BoostAdapter& graph) {
    return {vertex_iterator(0), vertex_iterator(as_id(graph.graph_.items))};
  }
  friend edges_size_type num_edges(const BoostAdapter& graph) { return as_size(graph.edges_); }
  friend std::pair<edge_iterator, edge_iterator> edges(const BoostAdapter& graph) {
    return {edge_iterator(graph.graph_, 0), edge_iterator(graph.graph_, graph.graph_.edges())};
  }
  friend degree_size_type out_degree(vertex_descriptor vertex, const BoostAdapter& graph) {
    return as_size(graph.graph_.row_size(vertex));
  }
  friend std::pair<out_edge_iterator, out_edge_iterator> out_edges(vertex_descriptor vertex,
                                                                   const BoostAdapter& graph) {
    const std::int32_t* const columns = graph.graph_.columns.data();
    return {out_edge_iterator(columns, vertex, graph.graph_.row_begin(vertex)),
            out_edge_iterator(columns, vertex, graph.graph_.row_end(vertex))};
  }
  friend std::pair<adjacency_iterator, adjacency_iterator> adjacent_vertices(vertex_descriptor vertex,
                                                                             const BoostAdapter& graph) {
    const auto columns = graph.graph_.row_columns(vertex);
    return {columns.data(), columns.data() + columns.size()};
  }
  friend vertex_descriptor source(const Edge& edge, const BoostAdapter& /*graph*/) { return edge.source; }
  friend vertex_descriptor target(const Edge& edge, const BoostAdapter& /*graph*/) { return edge.target; }

  friend boost::typed_identity_property_map<vertex_descriptor> get(boost::vertex_index_t /*tag*/,
                                                                   const BoostAdapter& /*graph*/) {
    return {};
  }
  friend vertex_descriptor get(boost::vertex_index_t /*tag*/, const BoostAdapter& /*graph*/, vertex_descriptor vertex) {
    return vertex;
  }

 protected:
  BoostAdapter(const GraphView& graph, std::int64_t edges) : graph_(graph), edges_(edges) {}

 private:
  GraphView graph_;
  std::int64_t edges_;
};

/// Weight of an edge. The two directions of an undirected edge have one: that stored in the smaller end's row.
inline float edge_weight(const GraphView& graph, const DirectedEdge& edge) {
  return graph.weights[as_size(edge.position)];
}
inline float edge_weight(const GraphView& graph, const UndirectedEdge& edge) {
  if (edge.source <= edge.target) return graph.weights[as_size(edge.position)];
  const auto columns = graph.row_columns(edge.target);
  const auto reverse = std::lower_bound(columns.begin(), columns.end(), edge.source);
  return graph.row_weights(edge.target)[static_cast<std::size_t>(reverse - columns.begin())];
}

/// A readable property map of the edges.
template <class Edge, bool kDistance>
class EdgeMap {
 public:
  using key_type = Edge;
  using value_type = float;
  using reference = float;
  using category = boost::readable_property_map_tag;

  EdgeMap() = default;
  explicit EdgeMap(const GraphView& graph) : graph_(graph) {}

  float operator[](const Edge& edge) const {
    const float weight = edge_weight(graph_, edge);
    return kDistance ? std::max(0.0F, 1.0F - weight) : weight;
  }
  friend float get(const EdgeMap& map, const Edge& edge) { return map[edge]; }

 private:
  GraphView graph_;
};

/// The number of self loops of a graph whose entries all have their reverse. @throws InvalidArgument naming an entry
/// that has none
inline std::int64_t self_loops_of_symmetric(const GraphView& graph) {
  const auto refuse = [](std::int64_t from, std::int64_t to) {
    throw InvalidArgument(
        detail::message("undirected_view", "edge (" + std::to_string(from) + ", " + std::to_string(to) + ")", "",
                        "has no reverse; an undirected graph needs both directions: call symmetrize before"));
  };
  // Rows claim the reverses of their entries in ascending order, which is the order of every row: next[v] is the first
  // entry of row v that no row has claimed.
  std::vector<std::int64_t> next = detail::make_vector<std::int64_t>("undirected_view", graph.items);
  std::copy_n(graph.row_offsets.begin(), graph.items, next.begin());
  std::int64_t self_loops = 0;
  for (std::int64_t row = 0; row < graph.items; ++row) {
    for (const std::int32_t column : graph.row_columns(row)) {
      std::int64_t& place = next[as_size(column)];
      const bool left = place < graph.row_end(column);
      const std::int64_t claimed = left ? graph.columns[as_size(place)] : graph.items;
      if (claimed < row) refuse(column, claimed);
      if (claimed > row) refuse(row, column);
      ++place;
      if (column == row) ++self_loops;
    }
  }
  // Every entry has claimed one, and none was claimed twice: none is left.
  return self_loops;
}

}  // namespace boost_detail

/// A graph for Boost's algorithms, made by `boost_view`: a directed VertexListGraph, EdgeListGraph, IncidenceGraph and
/// AdjacencyGraph. Vertices are items (std::int32_t), their index is their number.
class BoostGraph : public boost_detail::BoostAdapter<boost_detail::DirectedEdge, false> {
 public:
  using directed_category = boost::directed_tag;
  using weight_map = boost_detail::EdgeMap<boost_detail::DirectedEdge, false>;
  using distance_map_type = boost_detail::EdgeMap<boost_detail::DirectedEdge, true>;

  explicit BoostGraph(const GraphView& graph) : BoostAdapter(graph, graph.edges()) {}
  explicit BoostGraph(Graph&&) = delete;  ///< would dangle
};

/// A symmetric graph for Boost's algorithms, made by `undirected_view`: as BoostGraph, but the entries (i, j) and (j,
/// i) are one edge. It is among the out-edges of both ends, and once among all edges; a self loop is once in either.
class BoostUndirectedGraph : public boost_detail::BoostAdapter<boost_detail::UndirectedEdge, true> {
 public:
  using directed_category = boost::undirected_tag;
  using weight_map = boost_detail::EdgeMap<boost_detail::UndirectedEdge, false>;
  using distance_map_type = boost_detail::EdgeMap<boost_detail::UndirectedEdge, true>;

  /// @throws InvalidArgument naming an entry without its reverse
  explicit BoostUndirectedGraph(const GraphView& graph)
      : BoostAdapter(graph, (graph.edges() + boost_detail::self_loops_of_symmetric(graph)) / 2) {}
  explicit BoostUndirectedGraph(Graph&&) = delete;  ///< would dangle
};

namespace boost_detail {

template <class View>
concept IsView = std::same_as<std::remove_const_t<View>, BoostGraph> ||
                 std::same_as<std::remove_const_t<View>, BoostUndirectedGraph>;

}  // namespace boost_detail

/// Views a graph for Boost's algorithms, without a copy: the graph must outlive the view. An edge goes from the row,
/// the receiving item, to the column, its neighbour: `out_edges(i, view)` are the neighbours that item i listens to.
///
///     const auto view = graft::interop::boost_view(graph);
///     std::vector<double> rank(graph.items());
///     boost::graph::page_rank(view, boost::make_iterator_property_map(rank.begin(), get(boost::vertex_index, view)));
///
///     std::vector<float> distance(graph.items());
///     boost::dijkstra_shortest_paths(view, item, boost::weight_map(graft::interop::distance_map(view))
///         .distance_map(boost::make_iterator_property_map(distance.begin(), get(boost::vertex_index, view))));
///
/// `get(boost::edge_weight, view)` reads the weights. There are no in-edges: algorithms of a BidirectionalGraph need a
/// view of the transposed graph.
inline BoostGraph boost_view(const GraphView& graph) { return BoostGraph(graph); }
BoostGraph boost_view(Graph&&) = delete;  ///< would dangle

/// Views a graph with both directions of every edge (as `symmetrize` makes it) as an undirected one, without a copy,
/// for algorithms like `boost::connected_components`. Where the weights of the two directions differ, that in the row
/// of the smaller item counts; reading it from the other end is a binary search in that row.
/// @throws InvalidArgument naming an edge without its reverse, OutOfMemory
/// Cost: one pass over the graph; 8 bytes an item meanwhile.
inline BoostUndirectedGraph undirected_view(const GraphView& graph) { return BoostUndirectedGraph(graph); }
BoostUndirectedGraph undirected_view(Graph&&) = delete;  ///< would dangle

/// The weights, as a readable property map of the edges; and the weight of one edge.
template <boost_detail::IsView View>
typename View::weight_map get(boost::edge_weight_t /*tag*/, const View& view) {
  return typename View::weight_map(view.view());
}
template <boost_detail::IsView View>
float get(boost::edge_weight_t tag, const View& view, const typename View::edge_descriptor& edge) {
  return get(tag, view)[edge];
}

/// Distances of edges whose weight is a similarity of at most 1: 1 - weight. A weight above 1, e.g. a sum of graphs,
/// has distance 0, so that no distance is negative, as shortest paths need.
template <boost_detail::IsView View>
typename View::distance_map_type distance_map(const View& view) {
  return typename View::distance_map_type(view.view());
}

}  // namespace graft::interop

namespace boost {

// Some algorithms ask for the maps of the const graph.
template <class View>
  requires graft::interop::boost_detail::IsView<View>
struct property_map<View, edge_weight_t> {
  using type = typename View::weight_map;
  using const_type = type;
};
template <class View>
  requires graft::interop::boost_detail::IsView<View>
struct property_map<View, vertex_index_t> {
  using type = typed_identity_property_map<typename View::vertex_descriptor>;
  using const_type = type;
};

}  // namespace boost
