// From a context to the CUDA plug-in: finds and loads it, and carries its answers back as exceptions.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <graft/core/config.hpp>
#include <graft/core/context.hpp>
#include <graft/core/error.hpp>
#include <graft/detail/cuda_seam.hpp>
#include <graft/detail/parallel.hpp>

namespace graft::detail {

/// Work below which copying to a device and back costs more than it saves: flops of all pairs, increments of audiences.
inline constexpr double kLeastDeviceFlops = 2e10;
inline constexpr double kLeastDeviceIncrements = 2e7;

/// The plug-in's table, or what was missing.
struct CudaPlugin {
  const cuda::Table* table = nullptr;
  std::string missing;
};

/// Where the plug-in is looked for, in this order: beside the binary that holds graft's code, in the lib folder next to
/// that binary's, then wherever the system's loader looks.
std::vector<std::string> cuda_plugin_files();

/// Loads the first file that can be loaded and takes its table. Loading again costs little and loads nothing twice.
CudaPlugin load_cuda_plugin(const std::vector<std::string>& files);

/// The plug-in with a device that `context` names, or what is missing: library, driver or device.
CudaPlugin find_cuda_device(const Context& context);

/// The plug-in for this call, or null where it runs on the processor. `least` is the work that pays on a device.
/// @throws BackendUnavailable if the context names the device and something is missing
const cuda::Table* cuda_table(const Context& context, const char* operation, double work, double least);

/// One call through the seam: lends it the hooks and the room for a message, and throws what it answers.
class CudaCall {
 public:
  using CheckNorms = std::function<void(std::int32_t side, const double* norms, std::int64_t rows)>;

  CudaCall(const Context& context, const char* operation, CheckNorms check_norms = {});
  CudaCall(const CudaCall&) = delete;
  CudaCall& operator=(const CudaCall&) = delete;
  CudaCall(CudaCall&&) = delete;
  CudaCall& operator=(CudaCall&&) = delete;
  ~CudaCall() = default;

  /// Runs `entry(call, task)`. @throws BackendUnavailable, OutOfMemory, Cancelled, Error, what a hook threw
  template <class Entry, class... Arguments>
  void run(Entry entry, Arguments... arguments) {
    finish(entry(&call_, arguments...));
  }

 private:
  static std::int32_t on_tick(void* state, std::int64_t done, std::int64_t total);
  static std::int32_t on_norms(void* state, std::int32_t side, const double* norms, std::int64_t rows);
  void finish(cuda::Status status) const;

  Context context_;  ///< of the processor: ticks are counted here
  const char* operation_;
  CheckNorms check_norms_;
  std::optional<Ticker> ticker_;
  std::int64_t done_ = 0;
  std::exception_ptr thrown_;
  std::vector<char> text_;
  cuda::Call call_{};
};

}  // namespace graft::detail

#ifndef GRAFT_COMPILED
#include <graft/detail/cuda_backend_impl.hpp>
#endif
