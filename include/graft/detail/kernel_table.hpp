// From a numeric path to its kernels.
#pragma once

#include <graft/core/config.hpp>
#include <graft/core/context.hpp>
#include <graft/detail/kernels/table.hpp>

namespace graft::detail {

/// Whether this build and this processor can take the path.
bool is_available(NumericPath path);

/// Kernels of the context's path. @throws BackendUnavailable if a forced path is absent
const kernels::KernelTable& kernel_table(const Context& context);

}  // namespace graft::detail

#ifndef GRAFT_COMPILED
#include <graft/detail/context_impl.hpp>
#endif
