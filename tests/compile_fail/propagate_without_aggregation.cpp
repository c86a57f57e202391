// Published models differ in how they join layers, so the caller always says which.
// refused with: -DOFFEND
// because: no matching function for call to
#include <graft/ops/propagate.hpp>

graft::Matrix smoothed(const graft::Graph& graph, const graft::Matrix& features) {
#ifdef OFFEND
  return graft::propagate(graph, features, 1);
#else
  return graft::propagate(graph, features, 1, graft::Aggregation::sum);
#endif
}
