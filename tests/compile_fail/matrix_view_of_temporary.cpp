// A stored view of a temporary matrix would dangle.
// refused with: -DOFFEND
// because: deleted (member )?function
#include <graft/core/matrix_view.hpp>

std::int64_t stored() {
#ifdef OFFEND
  const graft::MatrixView<const float> view = graft::Matrix(3, 2);
#else
  const graft::Matrix matrix(3, 2);
  const graft::MatrixView<const float> view = matrix;
#endif
  return view.rows();
}
