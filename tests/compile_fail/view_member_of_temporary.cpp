// Asking a temporary for its view would dangle too.
// refused with: -DOFFEND
// because: deleted (member )?function
#include <graft/core/graph.hpp>

std::int64_t stored() {
#ifdef OFFEND
  const auto view = graft::Graph(3).view();
#else
  const graft::Graph graph(3);
  const auto view = graph.view();
#endif
  return view.edges();
}
