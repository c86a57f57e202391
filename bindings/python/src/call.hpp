// Running work off the calling thread, so that Ctrl-C is seen while it runs.
#pragma once

#include <functional>
#include <optional>
#include <type_traits>

#include <pybind11/pybind11.h>

#include <graft/core/context.hpp>

namespace graft::python {

/// How a call runs: what graft.Context says, and who is told of its progress.
struct CallSettings {
  Context context;                               ///< its progress and token are not used
  CancelToken cancel;                            ///< the caller's; only read
  pybind11::object progress = pybind11::none();  ///< callable(operation, done, total), or None
};

/// Where working code asks the calling thread to run Python.
class CallingThread {
 public:
  CallingThread() = default;
  CallingThread(const CallingThread&) = delete;
  CallingThread& operator=(const CallingThread&) = delete;
  CallingThread(CallingThread&&) = delete;
  CallingThread& operator=(CallingThread&&) = delete;
  virtual ~CallingThread() = default;

  /// Runs `task` with the GIL on the thread that made the call, and waits; one at a time. What it throws cancels the
  /// work and reaches the caller of run_work, not the caller of this; after that tasks are left out.
  virtual void run(const std::function<void()>& task) = 0;
};

/// Runs `work` on a thread of its own with the GIL released, and waits. The calling thread delivers progress and lets
/// Python handle signals: where that raises (Ctrl-C: KeyboardInterrupt), or the progress callback does, the work is
/// cancelled and, once it has ended, that exception is thrown. Otherwise throws what `work` throws.
/// Must be called with the GIL; `work` runs without it and touches no Python object.
void run_work(const CallSettings& settings, const std::function<void(const Context&)>& work);
/// The same for work that calls back.
void run_work(const CallSettings& settings, const std::function<void(const Context&, CallingThread&)>& work);

/// The same for work with a result.
template <class Work>
auto run(const CallSettings& settings, const Work& work) {
  std::optional<std::invoke_result_t<Work, const Context&>> result;
  run_work(settings, [&](const Context& context) { result.emplace(work(context)); });
  return *std::move(result);  // NOLINT(bugprone-unchecked-optional-access): run_work threw unless it was made
}
template <class Work>
auto run_with_callbacks(const CallSettings& settings, const Work& work) {
  std::optional<std::invoke_result_t<Work, const Context&, CallingThread&>> result;
  run_work(settings, [&](const Context& context, CallingThread& caller) { result.emplace(work(context, caller)); });
  return *std::move(result);  // NOLINT(bugprone-unchecked-optional-access): as above
}

}  // namespace graft::python
