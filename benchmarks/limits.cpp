#include "limits.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace graft::benchmarks {
namespace {

constexpr int kAccumulators = 12;
constexpr std::int64_t kRounds = 20'000'000;

using Loop = double (*)(float seed);  // gives the flops it did; the result is written so that it is not dropped

volatile float sink;

#if defined(__x86_64__)
__attribute__((target("avx512f"))) double fma_avx512(float seed) {
  __m512 acc[kAccumulators];
  for (int a = 0; a < kAccumulators; ++a) acc[a] = _mm512_set1_ps(seed + static_cast<float>(a));
  const __m512 x = _mm512_set1_ps(0.999F);
  const __m512 y = _mm512_set1_ps(seed);
  for (std::int64_t r = 0; r < kRounds; ++r) {
#pragma GCC unroll 12
    for (int a = 0; a < kAccumulators; ++a) acc[a] = _mm512_fmadd_ps(acc[a], x, y);
  }
  for (int a = 1; a < kAccumulators; ++a) acc[0] = _mm512_add_ps(acc[0], acc[a]);
  float lanes[16];
  _mm512_storeu_ps(lanes, acc[0]);
  sink = std::accumulate(lanes, lanes + 16, 0.0F);
  return 2.0 * 16 * kAccumulators * static_cast<double>(kRounds);
}

__attribute__((target("avx2,fma"))) double fma_avx2(float seed) {
  __m256 acc[kAccumulators];
  for (int a = 0; a < kAccumulators; ++a) acc[a] = _mm256_set1_ps(seed + static_cast<float>(a));
  const __m256 x = _mm256_set1_ps(0.999F);
  const __m256 y = _mm256_set1_ps(seed);
  for (std::int64_t r = 0; r < kRounds; ++r) {
#pragma GCC unroll 12
    for (int a = 0; a < kAccumulators; ++a) acc[a] = _mm256_fmadd_ps(acc[a], x, y);
  }
  for (int a = 1; a < kAccumulators; ++a) acc[0] = _mm256_add_ps(acc[0], acc[a]);
  float lanes[8];
  _mm256_storeu_ps(lanes, acc[0]);
  sink = std::accumulate(lanes, lanes + 8, 0.0F);
  return 2.0 * 8 * kAccumulators * static_cast<double>(kRounds);
}
#endif

double multiply_add_baseline(float seed) {
  float acc[kAccumulators][4];
  for (int a = 0; a < kAccumulators; ++a) {
    for (float& lane : acc[a]) lane = seed + static_cast<float>(a);
  }
  for (std::int64_t r = 0; r < kRounds; ++r) {
#pragma GCC unroll 12
    for (int a = 0; a < kAccumulators; ++a) {
#pragma GCC unroll 4
      for (int l = 0; l < 4; ++l) acc[a][l] = acc[a][l] * 0.999F + seed;
    }
  }
  float sum = 0.0F;
  for (const auto& lanes : acc) sum += lanes[0] + lanes[1] + lanes[2] + lanes[3];
  sink = sum;
  return 2.0 * 4 * kAccumulators * static_cast<double>(kRounds);
}

/// Runs body(thread) on every thread and gives the seconds until the last is done.
template <class Body>
double seconds_on(int threads, const Body& body) {
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::thread> pool;
  for (int t = 0; t < threads; ++t) pool.emplace_back(body, t);
  for (std::thread& thread : pool) thread.join();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

double peak_gflops(const char* path, int threads) {
  Loop loop = multiply_add_baseline;
#if defined(__x86_64__)
  if (std::strcmp(path, "avx512") == 0) loop = fma_avx512;
  if (std::strcmp(path, "avx2") == 0) loop = fma_avx2;
#endif
  double best = 0.0;
  for (int round = 0; round < 3; ++round) {
    std::vector<double> flops(static_cast<std::size_t>(threads));
    const double seconds =
        seconds_on(threads, [&](int t) { flops[static_cast<std::size_t>(t)] = loop(0.5F + static_cast<float>(t)); });
    best = std::max(best, std::accumulate(flops.begin(), flops.end(), 0.0) / seconds / 1e9);
  }
  return best;
}

double read_bandwidth(int threads) {
  constexpr std::size_t kWords = std::size_t{512} << 17;  // 512 MiB
  const std::vector<std::int64_t> data(kWords, 1);
  const std::size_t share = kWords / static_cast<std::size_t>(threads);
  double best = 0.0;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::int64_t> sums(static_cast<std::size_t>(threads));
    const double seconds = seconds_on(threads, [&](int t) {
      const auto begin = data.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(t) * share);
      sums[static_cast<std::size_t>(t)] =
          std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(share), std::int64_t{0});
    });
    sink = static_cast<float>(sums[0]);
    best = std::max(best, static_cast<double>(share * 8 * static_cast<std::size_t>(threads)) / seconds / 1e9);
  }
  return best;
}

double peak_memory() {
  std::FILE* status = std::fopen("/proc/self/status", "r");
  if (status == nullptr) return 0.0;
  char line[256];
  double kib = 0.0;
  while (std::fgets(line, sizeof line, status) != nullptr) {
    if (std::strncmp(line, "VmHWM:", 6) == 0) kib = std::strtod(line + 6, nullptr);
  }
  static_cast<void>(std::fclose(status));
  return kib * 1024.0;
}

void reset_peak_memory() {
  std::FILE* refs = std::fopen("/proc/self/clear_refs", "w");
  if (refs == nullptr) return;
  static_cast<void>(std::fputs("5", refs));
  static_cast<void>(std::fclose(refs));
}

}  // namespace graft::benchmarks
