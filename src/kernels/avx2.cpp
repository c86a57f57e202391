// Kernels for processors with AVX2 and FMA.
#include <graft/detail/kernels/dispatch.hpp>
#include <graft/detail/kernels/tile.hpp>
#include <graft/detail/kernels/train_kernels.hpp>
#include <graft/detail/kernels/vec_avx2.hpp>

namespace graft::detail::kernels {

const KernelTable kAvx2 = make_table<avx2::Vec, avx2::kRows, avx2::kVectors>("avx2");
const TrainTable kTrainAvx2 = make_train_table<avx2::Vec, avx2::kRows, avx2::kVectors>("avx2");

}  // namespace graft::detail::kernels
