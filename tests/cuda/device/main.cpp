// Tests on a CUDA device; where there is none they are skipped, by name and with the reason.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

#include <graft/detail/cuda_backend.hpp>

int main(int argc, char** argv) {
  const graft::detail::CudaPlugin plugin = graft::detail::find_cuda_device(graft::Context::cuda());
  if (plugin.table == nullptr) {
    constexpr int kSkipped = 77;
    std::printf("skipped: needs a CUDA device: %s\n", plugin.missing.c_str());
    return kSkipped;
  }
  doctest::Context context(argc, argv);
  return context.run();
}
