// The one seam to the thread pool: workers that pull numbered tasks, with progress and cancellation.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>

#include <graft/core/config.hpp>
#include <graft/core/context.hpp>
#include <graft/core/error.hpp>

namespace graft::detail {

/// Workers that a call with this context uses: context.threads, or one a core. @throws InvalidArgument if negative
int worker_count(const Context& context);

/// Runs body(worker) for every worker in [0, workers), in parallel where the machine allows. The first exception
/// reaches the caller after every body has returned.
void run_workers(int workers, const std::function<void(int)>& body);

/// Whatever runs on the processor passes here: a context that names the device is never served elsewhere in silence.
/// @throws BackendUnavailable naming the operator
inline void require_host(const Context& context, const char* operation) {
  if (context.backend != Backend::cuda) return;
  throw BackendUnavailable(
      message(operation, "backend", "cuda", "this does not run on the device; give it a CPU or automatic context"));
}

/// The context of those steps of a device operator that are made for the processor.
inline Context on_host(const Context& context) {
  Context host = context;
  host.backend = Backend::cpu;
  return host;
}

/// The context of an operator's light steps before and after its work: their own counts would make its progress fall
/// back.
inline Context without_progress(Context context) {
  context.progress = {};
  return context;
}

/// @throws Cancelled naming the operation
inline void throw_if_cancelled(const CancelToken& token, const char* operation) {
  if (token.cancelled()) throw Cancelled(std::string(operation) + ": cancelled");
}

/// Counts finished units: reports progress at most 10 times a second and throws Cancelled when asked to stop.
class Ticker {
 public:
  Ticker(const Context& context, const char* operation, std::int64_t total)
      : context_(context), operation_(operation), total_(total) {
    require_host(context, operation);
    check();
  }

  /// @throws Cancelled, or whatever the progress callback throws
  void advance(std::int64_t units = 1) {
    done_.fetch_add(units, std::memory_order_relaxed);
    check();
    if (!context_.progress) return;
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return;
    if (std::chrono::steady_clock::now() - last_ < std::chrono::milliseconds(100)) return;
    last_ = std::chrono::steady_clock::time_point::max();  // a callback that throws is not called again
    context_.progress({operation_, done_.load(std::memory_order_relaxed), total_});
    last_ = std::chrono::steady_clock::now();  // from the end of the call: a slow callback is not called more often
  }

  void check() const { throw_if_cancelled(context_.cancel, operation_); }

 private:
  const Context& context_;
  const char* operation_;
  std::int64_t total_;
  std::atomic<std::int64_t> done_{0};
  std::mutex mutex_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

/// Runs body(task, worker) for every task in [0, tasks): workers take the next task as they become free, so tasks
/// may differ in cost; `worker` in [0, workers) indexes per-worker workspace.
template <class Body>
void parallel_tasks(int workers, std::int64_t tasks, Ticker& ticker, const Body& body) {
  if (tasks <= 0) return;
  const int used = static_cast<int>(std::min<std::int64_t>(workers, tasks));
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> failed{false};
  run_workers(used, [&](int worker) {
    try {
      while (!failed.load(std::memory_order_relaxed)) {
        const std::int64_t task = next.fetch_add(1, std::memory_order_relaxed);
        if (task >= tasks) return;
        body(task, worker);
        ticker.advance();
      }
    } catch (...) {
      failed.store(true, std::memory_order_relaxed);
      throw;
    }
  });
}

/// Rows of light work in one task: enough to hide the cost of scheduling it.
inline constexpr std::int64_t kRowsPerTask = 2048;

/// Runs body(begin, end) over [0, rows) in blocks, in parallel.
template <class Body>
void parallel_rows(const Context& context, const char* operation, std::int64_t rows, const Body& body) {
  const std::int64_t blocks = (rows + kRowsPerTask - 1) / kRowsPerTask;
  Ticker ticker(context, operation, blocks);
  parallel_tasks(worker_count(context), blocks, ticker, [&](std::int64_t block, int /*worker*/) {
    body(block * kRowsPerTask, std::min(rows, (block + 1) * kRowsPerTask));
  });
}

}  // namespace graft::detail

#ifndef GRAFT_COMPILED
#include <graft/detail/parallel_impl.hpp>
#endif
