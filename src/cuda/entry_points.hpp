// The operators of the plug-in. They throw Failure; plugin.cu turns that into the seam's answer.
#pragma once

#include <graft/detail/cuda_seam.hpp>

namespace graft::cuda {

void pairwise(const graft::detail::cuda::Call& call, const graft::detail::cuda::PairwiseCall& task);
graft::detail::cuda::Floors measure_floors(const graft::detail::cuda::Call& call);
void audience(const graft::detail::cuda::Call& call, const graft::detail::cuda::AudienceCall& task);

void graph_step(const graft::detail::cuda::Call& call, graft::detail::cuda::GraphCall& task);
void graph_of_rows(const graft::detail::cuda::Call& call, graft::detail::cuda::RowsCall& task);
void propagate(const graft::detail::cuda::Call& call, graft::detail::cuda::PropagateCall& task);

}  // namespace graft::cuda
