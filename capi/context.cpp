// Contexts: executor, memory budget, progress, cancellation.
#include "internal.hpp"

namespace graft::capi {
namespace {

graft_context_options default_context() {
  const Context defaults;
  return {.size = sizeof(graft_context_options),
          .threads = defaults.threads,
          .path = GRAFT_PATH_AUTOMATIC,
          .memory_budget = defaults.memory_budget,
          .progress = nullptr,
          .progress_data = nullptr,
          .backend = GRAFT_BACKEND_CPU,
          .device = defaults.device,
          .device_memory_budget = defaults.device_memory_budget};
}

Backend backend_of(const char* operation, graft_backend backend) {
  switch (backend) {
    case GRAFT_BACKEND_CPU:
      return Backend::cpu;
    case GRAFT_BACKEND_CUDA:
      return Backend::cuda;
    case GRAFT_BACKEND_AUTOMATIC:
      return Backend::automatic;
    default:
      refuse(operation, "options.backend", std::to_string(backend), "must be a named value, 0 to 2");
  }
}

NumericPath path_of(const char* operation, graft_numeric_path path) {
  switch (path) {
    case GRAFT_PATH_AUTOMATIC:
      return NumericPath::automatic;
    case GRAFT_PATH_BASELINE:
      return NumericPath::baseline;
    case GRAFT_PATH_AVX2:
      return NumericPath::avx2;
    case GRAFT_PATH_AVX512:
      return NumericPath::avx512;
    default:
      refuse(operation, "options.path", std::to_string(path), "must be a named value, 0 to 3");
  }
}

}  // namespace

const Context& context_of(const graft_context* context) {
  static const Context defaults;
  return context == nullptr ? defaults : context->context;
}

}  // namespace graft::capi

using namespace graft::capi;  // NOLINT(google-build-using-namespace): the functions below stand outside of it

graft_status graft_context_options_init(graft_context_options* options, size_t size) {
  return init_options("graft_context_options_init", options, size, default_context());
}

graft_status graft_context_create(const graft_context_options* options, graft_context** out) {
  constexpr const char* kOperation = "graft_context_create";
  return produce(kOperation, out, [&] {
    const graft_context_options given = options_or(kOperation, options, default_context());
    graft::Context context;
    if (given.threads < 0) refuse(kOperation, "options.threads", std::to_string(given.threads), "must be >= 0");
    if (given.memory_budget < 0) {
      refuse(kOperation, "options.memory_budget", std::to_string(given.memory_budget), "must be >= 0 bytes");
    }
    if (given.device_memory_budget < 0) {
      refuse(kOperation, "options.device_memory_budget", std::to_string(given.device_memory_budget),
             "must be >= 0 bytes");
    }
    context.backend = backend_of(kOperation, given.backend);
    context.device = given.device;
    context.device_memory_budget = given.device_memory_budget;
    context.threads = given.threads;
    context.memory_budget = given.memory_budget;
    context.path = path_of(kOperation, given.path);
    resolve_numeric_path(context);
    if (given.progress != nullptr) {
      context.progress = [callback = given.progress, data = given.progress_data](const graft::Progress& progress) {
        if (callback(data, progress.operation, progress.done, progress.total) != 0) {
          throw graft::Cancelled(
              graft::detail::message(progress.operation, "progress", "", "the callback ended the call"));
        }
      };
    }
    return graft_context{std::move(context)};
  });
}

void graft_context_cancel(const graft_context* context) {
  if (context != nullptr) context->context.cancel.cancel();
}

void graft_context_reset(const graft_context* context) {
  if (context != nullptr) context->context.cancel.reset();
}

void graft_context_free(graft_context* context) { free_handle(context); }
