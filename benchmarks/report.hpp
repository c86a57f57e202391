// Counters that every benchmark prints: work done, share of the machine's limit, peak memory.
#pragma once

#include <thread>

#include <benchmark/benchmark.h>

#include <graft/core/context.hpp>

#include "limits.hpp"

namespace graft::benchmarks {

inline int all_threads() { return static_cast<int>(std::thread::hardware_concurrency()); }

/// Limits of the machine, measured once, on first use.
inline double flops_limit() {
  static const double limit = peak_gflops(name(resolve_numeric_path()), all_threads());
  return limit;
}
inline double bandwidth_limit() {
  static const double limit = read_bandwidth(all_threads());
  return limit;
}

/// @param flops  of one iteration   @param peak_before  bytes in use before the iterations
inline void report_flops(benchmark::State& state, double flops, double peak_before) {
  state.counters["extra_MB"] = (peak_memory() - peak_before) / 1e6;
  const auto rate = [](double value) {
    return benchmark::Counter(value, benchmark::Counter::kIsIterationInvariantRate);
  };
  state.counters["GFLOP/s"] = rate(flops / 1e9);
  state.counters["%peak"] = rate(flops / 1e9 / flops_limit() * 100.0);
}

/// @param bytes  that one iteration must move at the least
inline void report_bytes(benchmark::State& state, double bytes, double peak_before) {
  state.counters["extra_MB"] = (peak_memory() - peak_before) / 1e6;  // before the limit, whose array is large
  const auto rate = [](double value) {
    return benchmark::Counter(value, benchmark::Counter::kIsIterationInvariantRate);
  };
  state.counters["GB/s"] = rate(bytes / 1e9);
  state.counters["%bandwidth"] = rate(bytes / 1e9 / bandwidth_limit() * 100.0);
}

}  // namespace graft::benchmarks
