// Bodies of cuda_backend.hpp.
#pragma once

#include <dlfcn.h>

#include <bit>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <graft/detail/checked.hpp>
#include <graft/detail/cuda_backend.hpp>

namespace graft::detail {

/// Folder of the binary, program or library, that this code was linked into; empty if the system does not say.
inline std::filesystem::path own_folder() {
  static const char anchor = 0;
  Dl_info info{};
  std::error_code error;
  if (dladdr(&anchor, &info) != 0 && info.dli_fname != nullptr && info.dli_fname[0] == '/') {
    return std::filesystem::path(info.dli_fname).parent_path();
  }
  // of the program itself the loader only knows how it was called
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::filesystem::path() : program.parent_path();
}

GRAFT_INLINE std::vector<std::string> cuda_plugin_files() {
  std::vector<std::string> files;
  const std::filesystem::path folder = own_folder();
  if (!folder.empty()) {
    files.push_back((folder / cuda::kPluginFile).string());
    files.push_back((folder.parent_path() / "lib" / cuda::kPluginFile).string());
  }
  files.emplace_back(cuda::kPluginFile);
  return files;
}

/// The table of a loaded file. @return null with the reason
inline CudaPlugin table_of(void* library, const std::string& file) {
  void* const symbol = dlsym(library, cuda::kPluginSymbol);
  if (symbol == nullptr) return {nullptr, file + " is not graft's CUDA library"};
  // POSIX promises that an object pointer holds a function's address; C++ has no other cast for it
  const auto function = std::bit_cast<cuda::TableFunction>(symbol);
  const cuda::Table* table = function(cuda::kSeamVersion);
  if (table == nullptr || table->version != cuda::kSeamVersion || table->bytes != sizeof(cuda::Table)) {
    return {nullptr, file + " belongs to another version of graft"};
  }
  return {table, {}};
}

GRAFT_INLINE CudaPlugin load_cuda_plugin(const std::vector<std::string>& files) {
  std::string reason;
  for (const std::string& file : files) {
    std::error_code error;
    const bool named = file.find('/') != std::string::npos;
    if (named && !std::filesystem::exists(file, error)) continue;
    void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);  // never closed: CUDA may not be unloaded
    if (library != nullptr) {
      CudaPlugin plugin = table_of(library, file);
      if (plugin.table != nullptr) return plugin;
      reason = plugin.missing;
      continue;
    }
    const char* const text = dlerror();
    // what is wrong with a file that is there tells more than that the loader knows no other
    if (reason.empty()) reason = text != nullptr ? text : "the loader does not say why";
  }
  if (reason.empty()) reason = "no such file";
  return {nullptr, std::string("graft's CUDA library ") + cuda::kPluginFile + " cannot be loaded: " + reason};
}

GRAFT_INLINE CudaPlugin find_cuda_device(const Context& context) {
  CudaPlugin plugin = load_cuda_plugin(cuda_plugin_files());
  if (plugin.table == nullptr) return plugin;
  std::vector<char> text(as_size(cuda::kMessageBytes));
  std::int32_t devices = 0;
  const cuda::Status status = plugin.table->count_devices(&devices, {text.data(), cuda::kMessageBytes});
  if (status != cuda::Status::done) return {nullptr, text.data()};
  if (context.device < 0 || context.device >= devices) {
    return {nullptr,
            "there is no device " + std::to_string(context.device) + ": devices here: " + std::to_string(devices)};
  }
  return plugin;
}

GRAFT_INLINE const cuda::Table* cuda_table(const Context& context, const char* operation, double work, double least) {
  if (context.backend == Backend::cpu) return nullptr;
  // a forced path is one of the processor's
  const bool choose = context.backend == Backend::automatic;
  if (choose && (work < least || context.path != NumericPath::automatic)) return nullptr;
  const CudaPlugin plugin = find_cuda_device(context);
  if (plugin.table == nullptr && context.backend == Backend::cuda) {
    throw BackendUnavailable(message(operation, "backend", "cuda", plugin.missing + "; use the CPU backend"));
  }
  return plugin.table;
}

GRAFT_INLINE CudaCall::CudaCall(const Context& context, const char* operation, CheckNorms check_norms)
    : context_(on_host(context)),
      operation_(operation),
      check_norms_(std::move(check_norms)),
      text_(as_size(cuda::kMessageBytes)),
      call_{.operation = operation,
            .ordinal = context.device,
            .memory_budget = context.device_memory_budget,
            .state = this,
            .tick = &on_tick,
            .norms = &on_norms,
            .message = {text_.data(), cuda::kMessageBytes}} {}

GRAFT_INLINE std::int32_t CudaCall::on_tick(void* state, std::int64_t done, std::int64_t total) {
  auto& call = *static_cast<CudaCall*>(state);
  try {
    if (!call.ticker_) call.ticker_.emplace(call.context_, call.operation_, total);
    call.ticker_->advance(done - std::exchange(call.done_, done));
    return 0;
  } catch (...) {
    call.thrown_ = std::current_exception();
    return 1;
  }
}

GRAFT_INLINE std::int32_t CudaCall::on_norms(void* state, std::int32_t side, const double* norms, std::int64_t rows) {
  auto& call = *static_cast<CudaCall*>(state);
  try {
    if (call.check_norms_) call.check_norms_(side, norms, rows);
    return 0;
  } catch (...) {
    call.thrown_ = std::current_exception();
    return 1;
  }
}

GRAFT_INLINE void CudaCall::finish(cuda::Status status) const {
  const std::string text = text_.data();
  switch (status) {
    case cuda::Status::done:
      return;
    case cuda::Status::stopped:
      if (thrown_) std::rethrow_exception(thrown_);
      throw Cancelled(std::string(operation_) + ": cancelled");
    case cuda::Status::unavailable:
      throw BackendUnavailable(message(operation_, "backend", "cuda", text));
    case cuda::Status::out_of_memory:
      throw OutOfMemory(message(operation_, "device memory", "", text));
    case cuda::Status::failed:
      break;
  }
  throw Error(message(operation_, "backend", "cuda", text));
}

}  // namespace graft::detail
