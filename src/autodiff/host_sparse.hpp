// Sparse matrices of backends that compute in host memory.
#pragma once

#include "autodiff/sparse.hpp"

namespace graft::autodiff {

/// What the storage of such a Sparse is.
struct HostSparse {
  Csr forward;
  Csr transposed;
};

/// @throws OutOfMemory
Sparse host_sparse(Csr matrix);

/// @param s  made by `host_sparse`
const Csr& oriented(const Sparse& s, bool transposed);

}  // namespace graft::autodiff
