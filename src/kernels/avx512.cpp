// Kernels for processors with AVX-512F.
#include <graft/detail/kernels/dispatch.hpp>
#include <graft/detail/kernels/tile.hpp>
#include <graft/detail/kernels/train_kernels.hpp>
#include <graft/detail/kernels/vec_avx512.hpp>

namespace graft::detail::kernels {

const KernelTable kAvx512 = make_table<avx512::Vec, avx512::kRows, avx512::kVectors>("avx512");
const TrainTable kTrainAvx512 = make_train_table<avx512::Vec, avx512::kRows, avx512::kVectors>("avx512");

}  // namespace graft::detail::kernels
