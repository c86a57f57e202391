// A Boost view of a temporary graph would dangle.
// refused with: -DOFFEND
// because: deleted (member )?function
#include <graft/interop/boost_graph.hpp>

std::size_t stored() {
#ifdef OFFEND
  const auto view = graft::interop::boost_view(graft::Graph(3));
#else
  const graft::Graph graph(3);
  const auto view = graft::interop::boost_view(graph);
#endif
  return num_edges(view);
}
