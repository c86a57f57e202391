// A step of a graph pipeline does not apply to features.
// refused with: -DOFFEND
// because: no match for .operator[|]|invalid operands to binary expression
#include <graft/core/matrix_view.hpp>
#include <graft/core/pipe.hpp>

graft::Graph piped(graft::MatrixView<const float> features, const graft::Graph& graph) {
  const graft::PipeStep copy{[](const graft::GraphView& view) { return graft::Graph::copy_of(view); }};
#ifdef OFFEND
  return features | copy;
#else
  static_cast<void>(features);
  return graph | copy;
#endif
}
