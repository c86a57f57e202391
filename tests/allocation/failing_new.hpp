// An operator new that fails on demand; failing_new.cpp replaces the program's with it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace graft::test {

/// Which allocations fail once a countdown has run out.
enum class Failing {
  one,    ///< the n-th
  onward  ///< the n-th and all after it: nothing that handles the first failure may count on memory
};

/// While it lives, the n-th allocation of any thread fails.
class FailingNew {
 public:
  FailingNew(std::int64_t n, Failing failing) {
    failed_.store(0);
    onward_.store(failing == Failing::onward);
    left_.store(n);
  }
  FailingNew(const FailingNew&) = delete;
  FailingNew& operator=(const FailingNew&) = delete;
  FailingNew(FailingNew&&) = delete;
  FailingNew& operator=(FailingNew&&) = delete;
  ~FailingNew() { left_.store(kNever); }

  /// Allocations that have failed.
  static std::int64_t failed() { return failed_.load(); }

  /// Whether the allocation that asks must fail.
  static bool strikes() {
    if (left_.load(std::memory_order_relaxed) == kNever) return false;
    const std::int64_t left = left_.fetch_sub(1);
    if (left != 1 && !(left < 1 && onward_.load())) return false;
    failed_.fetch_add(1);
    return true;
  }

 private:
  static constexpr std::int64_t kNever = INT64_MAX;
  static inline std::atomic<std::int64_t> left_{kNever};
  static inline std::atomic<std::int64_t> failed_{0};
  static inline std::atomic<bool> onward_{false};
};

}  // namespace graft::test
