// An operator new that fails on demand; failing_new.cpp replaces the program's with it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <oneapi/tbb/task_scheduler_observer.h>

namespace graft::test {

/// Which allocations fail once a countdown has run out.
enum class Failing {
  one,    ///< the n-th
  onward  ///< the n-th and all after it: nothing that handles the first failure may count on memory
};

/// While it lives, the n-th allocation fails, of the thread that made it and of the workers that it gets from oneTBB.
/// What oneTBB allocates for itself on the way of a worker to its work does not count: it cannot be refused that, and
/// ends the program.
class FailingNew {
 public:
  FailingNew(std::int64_t n, Failing failing) {
    at_work_for_ = ++current_;
    workers_.observe(true);
    failed_.store(0);
    onward_.store(failing == Failing::onward);
    left_.store(n);
  }
  FailingNew(const FailingNew&) = delete;
  FailingNew& operator=(const FailingNew&) = delete;
  FailingNew(FailingNew&&) = delete;
  FailingNew& operator=(FailingNew&&) = delete;
  ~FailingNew() {
    left_.store(kNever);
    ++current_;
    workers_.observe(false);
  }

  /// Allocations that have failed.
  static std::int64_t failed() { return failed_.load(); }

  /// Whether the allocation that asks must fail.
  static bool strikes() {
    if (at_work_for_ != current_.load() || left_.load(std::memory_order_relaxed) == kNever) return false;
    const std::int64_t left = left_.fetch_sub(1);
    if (left != 1 && !(left < 1 && onward_.load())) return false;
    failed_.fetch_add(1);
    return true;
  }

 private:
  /// Tells a thread when it comes to work in this arena, and when it leaves.
  class Workers : public oneapi::tbb::task_scheduler_observer {
   public:
    void on_scheduler_entry(bool /*is_worker*/) override { at_work_for_ = current_.load(); }
    void on_scheduler_exit(bool /*is_worker*/) override { at_work_for_ = 0; }
  };

  Workers workers_;
  /// Changes with each of these objects: a worker that left unseen, after its end, is not at work for the next.
  static inline std::atomic<std::int64_t> current_{0};
  static inline thread_local std::int64_t at_work_for_ = 0;
  static constexpr std::int64_t kNever = INT64_MAX;
  static inline std::atomic<std::int64_t> left_{kNever};
  static inline std::atomic<std::int64_t> failed_{0};
  static inline std::atomic<bool> onward_{false};
};

}  // namespace graft::test
