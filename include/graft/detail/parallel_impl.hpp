// Body of parallel.hpp on oneTBB.
#pragma once

#include <algorithm>
#include <string>

#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>
#include <oneapi/tbb/task_arena.h>

#include <graft/detail/parallel.hpp>

#if defined(__SANITIZE_THREAD__)
#define GRAFT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GRAFT_TSAN 1
#endif
#endif

#ifdef GRAFT_TSAN
// The distribution's TBB is not instrumented, so ThreadSanitizer cannot see that it orders "before the call ->
// tasks -> after the call". These two say so, and no more: tasks are not ordered among themselves.
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
#define GRAFT_TSAN_ACQUIRE(address) __tsan_acquire(address)
#define GRAFT_TSAN_RELEASE(address) __tsan_release(address)
#define GRAFT_TSAN_UNSEEN __attribute__((no_sanitize("thread")))
#else
#define GRAFT_TSAN_ACQUIRE(address) static_cast<void>(address)
#define GRAFT_TSAN_RELEASE(address) static_cast<void>(address)
#define GRAFT_TSAN_UNSEEN
#endif

namespace graft::detail {

GRAFT_INLINE int worker_count(const Context& context) {
  if (context.threads < 0) {
    throw InvalidArgument(message("Context", "threads", std::to_string(context.threads), "must be >= 0 (0 = all)"));
  }
  return context.threads > 0 ? context.threads : std::max(1, oneapi::tbb::info::default_concurrency());
}

GRAFT_INLINE void run_workers(int workers, const std::function<void(int)>& body) {
  if (workers <= 1) {
    if (workers == 1) body(0);
    return;
  }
  char started = 0;
  char finished = 0;
  GRAFT_TSAN_RELEASE(&started);
  struct Joined {  // NOLINT(cppcoreguidelines-special-member-functions): never copied
    char* tag;
    ~Joined() { GRAFT_TSAN_ACQUIRE(tag); }
  } const joined{&finished};  // also when a body throws
  // In the arena that the caller is in: one of its own for every call would be lost memory where TBB's workers come too
  // late to it (oneTBB 2021.8). Isolated, so that a caller within a task of its own waits for nothing else.
  oneapi::tbb::this_task_arena::isolate([&] {
    oneapi::tbb::parallel_for(
        0, workers, 1,
        [&](int worker) GRAFT_TSAN_UNSEEN {  // reads its captures before the edge can be stated
          GRAFT_TSAN_ACQUIRE(&started);
          struct Finish {  // NOLINT(cppcoreguidelines-special-member-functions): never copied
            char* tag;
            ~Finish() { GRAFT_TSAN_RELEASE(tag); }
          } const finish{&finished};
          body(worker);
        },
        oneapi::tbb::simple_partitioner{});
  });
}

}  // namespace graft::detail

#undef GRAFT_TSAN_ACQUIRE
#undef GRAFT_TSAN_RELEASE
#undef GRAFT_TSAN_UNSEEN
#undef GRAFT_TSAN
