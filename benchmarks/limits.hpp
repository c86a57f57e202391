// What this machine can do, measured in the same run as the benchmarks.
#pragma once

namespace graft::benchmarks {

/// Multiply-adds of the given instruction set with every operand in registers, on `threads` threads, in GFLOP/s.
/// @param path  name of a kernel table: "avx512", "avx2", anything else is the baseline
double peak_gflops(const char* path, int threads);

/// Sum of a read over an array far larger than the caches, on `threads` threads, in GB/s.
double read_bandwidth(int threads);

/// Peak resident memory of the process so far, in bytes; `reset_peak_memory` starts anew where the kernel allows it.
double peak_memory();
void reset_peak_memory();

}  // namespace graft::benchmarks
