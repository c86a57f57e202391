// The one main of every doctest executable.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

int main(int argc, char** argv) {
  // Operators share the arena that they are called in: this one lets seven workers really run on fewer cores.
  constexpr int kThreads = 8;
  const oneapi::tbb::global_control control(oneapi::tbb::global_control::max_allowed_parallelism, kThreads);
  oneapi::tbb::task_arena arena(kThreads);
  return arena.execute([&] { return doctest::Context(argc, argv).run(); });
}
