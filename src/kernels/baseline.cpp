// Kernels for every x86-64, and portable C++ elsewhere.
#include <graft/detail/kernels/dispatch.hpp>
#include <graft/detail/kernels/tile.hpp>
#include <graft/detail/kernels/train_kernels.hpp>
#include <graft/detail/kernels/vec_baseline.hpp>

namespace graft::detail::kernels {

const KernelTable kBaseline = make_table<baseline::Vec, baseline::kRows, baseline::kVectors>("baseline");
const TrainTable kTrainBaseline = make_train_table<baseline::Vec, baseline::kRows, baseline::kVectors>("baseline");

}  // namespace graft::detail::kernels
