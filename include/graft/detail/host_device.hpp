// Functions that the CUDA plug-in compiles for both sides; to every other compiler the mark is nothing.
#pragma once

#if defined(__CUDACC__)
#define GRAFT_HOST_DEVICE __host__ __device__
#else
#define GRAFT_HOST_DEVICE
#endif
