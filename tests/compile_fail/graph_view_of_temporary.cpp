// A stored view of a temporary graph would dangle.
// refused with: -DOFFEND
// because: deleted (member )?function
#include <graft/core/graph.hpp>

std::int64_t stored() {
#ifdef OFFEND
  const graft::GraphView view = graft::Graph(3);
#else
  const graft::Graph graph(3);
  const graft::GraphView view = graph;
#endif
  return view.edges();
}
