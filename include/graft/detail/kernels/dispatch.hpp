// The kernels that graft::compiled carries.
#pragma once

#include <graft/detail/kernels/table.hpp>
#include <graft/detail/kernels/train_table.hpp>

namespace graft::detail::kernels {

extern const KernelTable kBaseline;
extern const TrainTable kTrainBaseline;
#if defined(__x86_64__)
extern const KernelTable kAvx2;
extern const KernelTable kAvx512;
extern const TrainTable kTrainAvx2;
extern const TrainTable kTrainAvx512;
#endif

}  // namespace graft::detail::kernels
