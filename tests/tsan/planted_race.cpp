// Two tasks that surely run on two threads add to one number: with GRAFT_PLANT_RACE to a plain one, which
// ThreadSanitizer must report, else to an atomic one, which it must not. Plain numbers of one task each, written
// before, in and after the parallel part, are no race either way.
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <thread>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include <graft/detail/parallel.hpp>

namespace {

constexpr int kWorkers = 2;
constexpr int kAdditions = 1000;

#if GRAFT_PLANT_RACE
using Number = std::int64_t;
#else
using Number = std::atomic<std::int64_t>;
#endif

/// Waits until `count` reaches `least`; false after a minute. Relaxed: it orders nothing.
bool reached(const std::atomic<int>& count, int least) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (count.load(std::memory_order_relaxed) < least) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace

int main() {
  const oneapi::tbb::global_control threads(oneapi::tbb::global_control::max_allowed_parallelism, kWorkers);
  const graft::Context context{.threads = kWorkers};
  graft::detail::Ticker ticker(context, "planted_race", kWorkers);
  Number number = 0;
  std::atomic<int> began{0};
  std::atomic<int> added{0};
  std::atomic<bool> alone{false};
  std::array<std::int64_t, kWorkers> own{1, 1};
  oneapi::tbb::task_arena(kWorkers).execute([&] {
    graft::detail::parallel_tasks(kWorkers, kWorkers, ticker, [&](std::int64_t task, int /*worker*/) {
      // All have begun, so each is on a thread of its own. They then add one after the other, in an order that only
      // relaxed atomics know: of two additions at the very same moment, ThreadSanitizer may see neither beside the
      // other.
      const int turn = began.fetch_add(1, std::memory_order_relaxed);
      if (!reached(began, kWorkers) || !reached(added, turn)) alone.store(true, std::memory_order_relaxed);
      for (int i = 0; i < kAdditions; ++i) ++number;
      added.fetch_add(1, std::memory_order_relaxed);
      own[static_cast<std::size_t>(task)] += kAdditions;
    });
  });
  if (alone) {
    std::fputs("the tasks did not run at the same time\n", stderr);
    return 1;
  }
  own[0] += own[1];
  std::printf("%lld and %lld\n", static_cast<long long>(number), static_cast<long long>(own[0]));
  return own[0] == kWorkers * (kAdditions + 1) ? 0 : 1;
}
