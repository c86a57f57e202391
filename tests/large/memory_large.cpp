// Peak memory of the heavy operators, measured: inputs + outputs + the budget + a little.
#include <graft/core/context.hpp>

#include <doctest/doctest.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <graft/ops/jaccard.hpp>
#include <graft/ops/knn.hpp>
#include <graft/ops/top_k_scores.hpp>

namespace memory_large {
namespace {

using namespace graft;

constexpr std::int64_t kMebibyte = std::int64_t{1} << 20;
/// Thread stacks, allocator, page rounding.
constexpr std::int64_t kSlack = 40 * kMebibyte;

std::int64_t peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

/// Bytes that `work` adds to the peak of a process of its own; -1 if it threw. Workers are started in the child, so
/// nothing in this file may start them in the parent.
std::int64_t growth_of(const std::function<void()>& work) {
  int channel[2];
  REQUIRE(pipe(channel) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::int64_t growth = -1;
    try {
      const std::int64_t before = peak_bytes();
      work();
      growth = peak_bytes() - before;
    } catch (...) {
      growth = -1;
    }
    const bool told = write(channel[1], &growth, sizeof growth) == sizeof growth;
    _exit(told ? 0 : 1);
  }
  close(channel[1]);
  std::int64_t growth = -1;
  const bool heard = read(channel[0], &growth, sizeof growth) == sizeof growth;
  close(channel[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return heard && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? growth : -1;
}

/// Runs `work` and asks that it grew by less than `expected` + slack, and by something at all.
void check_growth(const std::string& what, std::int64_t expected, const std::function<void()>& work) {
  const std::int64_t growth = growth_of(work);
  MESSAGE(what << ": " << growth / kMebibyte << " MiB, allowed " << (expected + kSlack) / kMebibyte);
  CHECK(growth > 0);
  CHECK(growth <= expected + kSlack);
}

std::vector<float> wave(std::int64_t size) {
  std::vector<float> values(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>((i * 2654435761U) % 2039U) - 1019.0F;
  return values;
}

TEST_CASE("knn_graph: memory stays within inputs, output and budget on 20,000 x 384") {
  constexpr std::int64_t kItems = 20000;
  constexpr std::int64_t kDims = 384;
  for (const int threads : {1, 2}) {
    const Context context{.threads = threads};
    const KnnOptions options{.k = 10};
    const std::int64_t output = plan(kItems, kDims, options, context).output_bytes;
    check_growth("knn_graph", kItems * kDims * 4 + output + context.memory_budget, [&] {
      const std::vector<float> values = wave(kItems * kDims);
      if (knn_graph(MatrixView<const float>(values.data(), kItems, kDims), options, context).edges() != 10 * kItems) {
        throw InvalidArgument("edges are missing");
      }
    });
  }
}

TEST_CASE("top_k_scores: memory stays within inputs, output and a small budget") {
  constexpr std::int64_t kQueries = 30000;
  constexpr std::int64_t kItems = 20000;
  constexpr std::int64_t kDims = 64;
  const Context context{.threads = 2, .memory_budget = 8 * kMebibyte};
  const TopKScoresOptions options{.k = 20};
  const std::int64_t output = plan(kQueries, kItems, kDims, options, context).output_bytes;
  check_growth("top_k_scores", (kQueries + kItems) * kDims * 4 + output + context.memory_budget, [&] {
    const std::vector<float> values = wave((kQueries + kItems) * kDims);
    const MatrixView<const float> queries(values.data(), kQueries, kDims);
    const MatrixView<const float> items(values.data() + kQueries * kDims, kItems, kDims);
    if (top_k_scores(queries, items, options, context).ids.empty()) throw InvalidArgument("ids are missing");
  });
}

/// Users with `each` items spread over `items`.
Interactions spread(std::int32_t users, std::int32_t each, std::int32_t items) {
  std::vector<std::int32_t> user_ids;
  std::vector<std::int32_t> item_ids;
  for (std::int32_t user = 0; user < users; ++user) {
    for (std::int32_t n = 0; n < each; ++n) {
      user_ids.push_back(user);
      item_ids.push_back(static_cast<std::int32_t>((std::int64_t{user} * 7919 + std::int64_t{n} * n * 31) % items));
    }
  }
  return Interactions::from_pairs(user_ids, item_ids, users, items);
}

TEST_CASE("jaccard_graph: memory stays within output and budget on 200,000 items") {
  const Interactions interactions = spread(100000, 20, 200000);
  for (const std::int64_t budget : {16 * kMebibyte, kDefaultMemoryBudget}) {
    const Context context{.threads = 2, .memory_budget = budget};
    const JaccardOptions options{.k = 10};
    const Plan cost = plan(interactions, options, Context{.threads = 1, .memory_budget = budget});
    check_growth("jaccard_graph", cost.output_bytes + budget, [&] {
      if (jaccard_graph(interactions, options, context).edges() == 0) throw InvalidArgument("edges are missing");
    });
  }
}

TEST_CASE("jaccard_graph: a row of four million neighbours stays within output and budget") {
  std::vector<std::int32_t> items;
  for (std::int32_t i = 0; i < 4000000; ++i) items.push_back(i);
  const Interactions everything = Interactions::from_pairs(std::vector<std::int32_t>(items.size(), 0), items);
  const JaccardOptions options{.k = 4000000, .row_range = {77, 78}};
  CHECK_THROWS_AS(plan(everything, options, Context{.threads = 1}), graft::OutOfMemory);  // 16 bytes a candidate
  const Context context{.threads = 1, .memory_budget = std::int64_t{128} << 20};
  check_growth("jaccard_graph", plan(everything, options, context).output_bytes + context.memory_budget, [&] {
    if (jaccard_graph(everything, options, context).edges() != 3999999) throw InvalidArgument("edges are missing");
  });
}

TEST_CASE("knn_graph: a row of a million neighbours stays within inputs, output and budget") {
  constexpr std::int64_t kItems = 1000000;
  const KnnOptions options{.k = kItems, .row_range = {77, 78}};
  const Context context{.threads = 1};
  const std::int64_t output = plan(kItems, 4, options, context).output_bytes;
  check_growth("knn_graph", kItems * 4 * 4 + output + context.memory_budget, [&] {
    const std::vector<float> values = wave(kItems * 4);
    if (knn_graph(MatrixView<const float>(values.data(), kItems, 4), options, context).edges() == 0) {
      throw InvalidArgument("edges are missing");
    }
  });
}

}  // namespace

}  // namespace memory_large
