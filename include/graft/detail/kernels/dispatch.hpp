// The kernels that graft::compiled carries.
#pragma once

#include <graft/detail/kernels/table.hpp>

namespace graft::detail::kernels {

extern const KernelTable kBaseline;
#if defined(__x86_64__)
extern const KernelTable kAvx2;
extern const KernelTable kAvx512;
#endif

}  // namespace graft::detail::kernels
