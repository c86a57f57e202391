#include "call.hpp"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>

#include <oneapi/tbb/info.h>
#include <oneapi/tbb/task_arena.h>

#include "bindings.hpp"
#include "options.hpp"

namespace py = pybind11;

namespace graft::python {
namespace {

/// All calls work in one arena, each in a thread of its own. A thread's own arena would be lost memory where oneTBB's
/// workers come too late to it (2021.8). It is never destroyed: Python ends while threads may still be at work.
oneapi::tbb::task_arena& arena() {
  constexpr int kCalls = 64;  // that find a place at the same time; more wait for one
  // NOLINTNEXTLINE(cppcoreguidelines-owning-memory)
  static auto* const arena = new oneapi::tbb::task_arena(oneapi::tbb::info::default_concurrency() - 1 + kCalls, kCalls);
  return *arena;
}

/// What the calling thread is told and asked.
struct Mail {
  std::optional<Progress> progress;
  const std::function<void()>* task = nullptr;
  bool finished = false;
};

/// What the working thread tells the calling thread.
class Mailbox : public CallingThread {
 public:
  void post(const Progress& progress) {
    const std::lock_guard lock(mutex_);
    latest_ = progress;
    changed_.notify_all();
  }
  void run(const std::function<void()>& task) override {
    std::unique_lock lock(mutex_);
    task_ = &task;
    changed_.notify_all();
    changed_.wait(lock, [&] { return task_ == nullptr; });
  }
  void finish() {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    changed_.notify_all();
  }

  /// Waits for news, but not long: signals must be looked at.
  Mail wait() {
    constexpr std::chrono::milliseconds kSignalInterval{50};
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kSignalInterval, [&] { return finished_ || task_ != nullptr || latest_; });
    const Mail mail{latest_, task_, finished_};
    latest_.reset();
    return mail;
  }
  /// The task of the last mail has been seen to: who asked for it may go on.
  void answer() {
    const std::lock_guard lock(mutex_);
    task_ = nullptr;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Progress> latest_;
  const std::function<void()>* task_ = nullptr;
  bool finished_ = false;
};

/// Lets Python handle signals, tells of progress, runs a task. @throws py::error_already_set, what the task throws
void serve_python(const CallSettings& settings, const Mail& mail) {
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  if (mail.progress) settings.progress(mail.progress->operation, mail.progress->done, mail.progress->total);
  if (mail.task != nullptr) (*mail.task)();
}

/// Serves until the work has ended; the GIL is held only while Python runs.
std::exception_ptr serve_until_done(const CallSettings& settings, const CancelToken& cancel, Mailbox& mailbox) {
  std::exception_ptr raised;
  const py::gil_scoped_release unlocked;
  for (Mail mail = mailbox.wait(); !mail.finished; mail = mailbox.wait()) {
    if (!raised) {
      const py::gil_scoped_acquire locked;
      try {
        serve_python(settings, mail);
      } catch (...) {
        raised = std::current_exception();
        cancel.cancel();
      }
    }
    if (settings.cancel.cancelled()) cancel.cancel();  // before the work goes on: a task may have done it
    if (mail.task != nullptr) mailbox.answer();
  }
  return raised;
}

}  // namespace

void run_work(const CallSettings& settings, const std::function<void(const Context&)>& work) {
  run_work(settings, [&](const Context& context, CallingThread& /*caller*/) { work(context); });
}

void run_work(const CallSettings& settings, const std::function<void(const Context&, CallingThread&)>& work) {
  Mailbox mailbox;
  Context context = settings.context;
  context.cancel = CancelToken();
  if (settings.cancel.cancelled()) context.cancel.cancel();
  if (!settings.progress.is_none()) context.progress = [&](const Progress& progress) { mailbox.post(progress); };
  std::exception_ptr failure;
  std::thread worker([&] {
    try {
      arena().execute([&] { work(context, mailbox); });
    } catch (...) {
      failure = std::current_exception();
    }
    mailbox.finish();
  });
  const std::exception_ptr raised = serve_until_done(settings, context.cancel, mailbox);
  worker.join();
  if (raised) std::rethrow_exception(raised);
  if (failure) std::rethrow_exception(failure);
}

void bind_calls(py::module_& module) {
  py::class_<CancelToken>(module, "CancelToken",
                          "Stops a running call from another thread: the call raises graft.Cancelled within about "
                          "100 ms.\n\nGive it to a call as graft.Context(cancel=token).")
      .def(py::init<>())
      .def("cancel", &CancelToken::cancel, "Asks running calls to stop.")
      .def("reset", &CancelToken::reset, "Makes the token usable again.")
      .def_property_readonly("cancelled", &CancelToken::cancelled, "Whether it was cancelled.")
      .attr("__module__") = "graft";
  py::class_<CallSettings>(module, "CallSettings", "How a call runs; made by graft.Context.")
      .def(py::init([](const py::dict& values, const CancelToken* cancel, py::object progress) {
             const Options options("Context", values);
             CallSettings settings;
             std::int64_t threads = 0;
             options.read("threads", threads);
             constexpr std::int64_t kMostThreads = 4096;
             if (threads < 0 || threads > kMostThreads) {
               throw InvalidArgument(
                   detail::message("Context", "threads", std::to_string(threads), "must lie in [0, 4096] (0 = all)"));
             }
             settings.context.threads = static_cast<int>(threads);
             options.read("memory_budget", settings.context.memory_budget);
             options.read("path", settings.context.path, kNumericPaths);
             options.read("backend", settings.context.backend, kBackends);
             std::int64_t device = 0;
             options.read("device", device);
             if (device < 0 || device > std::numeric_limits<int>::max()) {
               throw InvalidArgument(detail::message("Context", "device", std::to_string(device), "must be >= 0"));
             }
             settings.context.device = static_cast<int>(device);
             options.read("device_memory_budget", settings.context.device_memory_budget);
             if (cancel != nullptr) settings.cancel = *cancel;
             settings.progress = std::move(progress);
             return settings;
           }),
           py::arg("values"), py::arg("cancel").none(true), py::arg("progress"))
      .def_property_readonly("progress", [](const CallSettings& settings) { return settings.progress; });
  module.def("resolve_numeric_path",
             [](const CallSettings& settings) { return name(resolve_numeric_path(settings.context)); });
}

}  // namespace graft::python
