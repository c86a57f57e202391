// Context: defaults, cancellation, progress, and exceptions that leave a callback.
#include <graft/core/context.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <graft/ops/explain.hpp>
#include <graft/ops/jaccard.hpp>
#include <graft/ops/knn.hpp>
#include <graft/ops/merge_top_k.hpp>
#include <graft/ops/refine.hpp>
#include <graft/ops/top_k_scores.hpp>

#include "../support/check.hpp"

namespace context_test {
namespace {

using namespace graft;
using graft::test::contains;
using graft::test::message_of;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

constexpr std::int64_t kItems = 16000;
constexpr std::int64_t kDims = 1024;

/// Features whose graph takes many seconds.
const std::vector<float>& long_features() {
  static const std::vector<float> values = [] {
    std::vector<float> result(static_cast<std::size_t>(kItems * kDims));
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = static_cast<float>((i * 2654435761U) % 1021U) - 500.0F;
    return result;
  }();
  return values;
}
MatrixView<const float> long_input() { return {long_features().data(), kItems, kDims}; }

/// Interactions whose overlap takes many seconds: users with a thousand items each.
const Interactions& long_interactions() {
  static const Interactions interactions = [] {
    std::vector<std::int32_t> users;
    std::vector<std::int32_t> items;
    for (std::int32_t user = 0; user < 2000; ++user) {
      for (std::int32_t n = 0; n < 1000; ++n) {
        users.push_back(user);
        items.push_back((user * 7 + n * 3) % 16000);
      }
    }
    return Interactions::from_pairs(users, items, 2000, kItems);
  }();
  return interactions;
}

struct Operation {
  std::string name;
  std::function<void(const Context&)> run;
};

std::vector<Operation> long_operations() {
  return {{"knn_graph", [](const Context& c) { knn_graph(long_input(), {}, c); }},
          {"top_k_scores", [](const Context& c) { top_k_scores(long_input(), long_input(), {}, c); }},
          {"jaccard_graph", [](const Context& c) { jaccard_graph(long_interactions(), {}, c); }},
          {"refine", [](const Context& c) { refine(long_input(), long_interactions(), {}, c); }}};
}

TEST_CASE("Context: defaults are all cores, 64 MiB, the best path, no progress, not cancelled") {
  const Context context;
  CHECK(context.threads == 0);
  CHECK(context.memory_budget == 64 << 20);
  CHECK(context.path == NumericPath::automatic);
  CHECK(!context.progress);
  CHECK(!context.cancel.cancelled());
}

TEST_CASE("CancelToken: copies share one flag, which can be reset") {
  const CancelToken token;
  const CancelToken copy = token;
  copy.cancel();
  CHECK(token.cancelled());
  token.reset();
  CHECK(!copy.cancelled());
  CHECK(!CancelToken().cancelled());
}

TEST_CASE("Context: a cancelled context stops every operator before it works") {
  Context context;
  context.cancel.cancel();
  const Graph graph = Graph::identity(4);
  const std::vector<GraphView> parts{graph};
  std::vector<Operation> operations = long_operations();
  operations.push_back({"explain", [](const Context& c) { explain(long_input(), long_interactions(), 0, 1, {}, c); }});
  operations.push_back({"merge_top_k", [&](const Context& c) { merge_top_k(parts, 1, c); }});
  for (const Operation& operation : operations) {
    const auto start = Clock::now();
    const auto text = message_of<Cancelled>([&] { operation.run(context); });
    CHECK_MESSAGE(contains(text, {"cancelled"}), operation.name << ": " << text);
    CHECK_MESSAGE(seconds_since(start) < 2.0, operation.name);
  }
}

TEST_CASE("Context: cancelling from another thread is noticed in time, and the inputs stay as they were") {
  const std::vector<float> before = long_features();
  for (const Operation& operation : long_operations()) {
    for (const int threads : {1, 3}) {
      Context context;
      context.threads = threads;
      std::atomic<std::int64_t> cancelled_at{0};
      std::thread canceller([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(120));
        cancelled_at = Clock::now().time_since_epoch().count();
        context.cancel.cancel();
      });
      const auto text = message_of<Cancelled>([&] { operation.run(context); });
      const auto returned = Clock::now();
      canceller.join();
      CHECK_MESSAGE(contains(text, {"cancelled"}), operation.name << ": " << text);
      const Clock::time_point asked{Clock::duration(cancelled_at.load())};
      CHECK_MESSAGE(std::chrono::duration<double>(returned - asked).count() < 1.0, operation.name);
    }
  }
  CHECK(long_features() == before);
}

TEST_CASE("Context: the progress callback may cancel, and the token may then be used again") {
  Context context;
  context.threads = 2;
  int calls = 0;
  Clock::time_point asked;
  context.progress = [&](const Progress&) {
    ++calls;
    asked = Clock::now();
    context.cancel.cancel();
  };
  const auto text = message_of<Cancelled>([&] { knn_graph(long_input(), {}, context); });
  CHECK(contains(text, {"knn_graph", "cancelled"}));
  CHECK(calls == 1);
  CHECK(seconds_since(asked) < 1.0);
  context.cancel.reset();
  context.progress = {};  // it would cancel again where the machine is slow
  CHECK(knn_graph(MatrixView<const float>(long_features().data(), 50, 8), {}, context).edges() == 500);
}

TEST_CASE("Context: what the progress callback throws reaches the caller as it is") {
  struct Stop {
    int code;
  };
  for (const Operation& operation : long_operations()) {
    for (const int threads : {1, 3}) {
      Context context;
      context.threads = threads;
      int calls = 0;  // none after the one that throws
      context.progress = [&](const Progress&) {
        ++calls;
        throw Stop{42};
      };
      int code = 0;
      try {
        operation.run(context);
      } catch (const Stop& stop) {
        code = stop.code;
      }
      CHECK_MESSAGE(code == 42, operation.name);
      CHECK_MESSAGE(calls == 1, operation.name);
    }
  }
}

TEST_CASE("Context: progress rises to a known total, at most ten times a second, never concurrently") {
  for (const Operation& operation : long_operations()) {
    Context context;
    context.threads = 7;
    std::vector<Progress> reports;
    std::vector<Clock::time_point> times;
    std::atomic<int> inside{0};
    bool concurrent = false;
    context.progress = [&](const Progress& progress) {
      if (inside.fetch_add(1) != 0) concurrent = true;
      reports.push_back(progress);
      times.push_back(Clock::now());
      if (reports.size() == 5) context.cancel.cancel();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      inside.fetch_sub(1);
    };
    message_of<Cancelled>([&] { operation.run(context); });
    REQUIRE_MESSAGE(reports.size() >= 5, operation.name);
    CHECK_MESSAGE(!concurrent, operation.name);
    for (std::size_t i = 0; i < reports.size(); ++i) {
      CHECK_MESSAGE(reports[i].done >= 0, operation.name);
      CHECK_MESSAGE(reports[i].done <= reports[i].total, operation.name);
      const std::string stage = reports[i].operation;
      CHECK_MESSAGE((stage == operation.name || operation.name == "refine"), stage);
      if (i == 0) continue;
      CHECK_MESSAGE(std::chrono::duration<double>(times[i] - times[i - 1]).count() > 0.09, operation.name);
      const bool same_stage = stage == reports[i - 1].operation && reports[i].total == reports[i - 1].total;
      CHECK_MESSAGE((!same_stage || reports[i].done >= reports[i - 1].done), operation.name);
    }
  }
}

TEST_CASE("Context: progress does not change the result") {
  const MatrixView<const float> features(long_features().data(), 700, 64);
  Context context;
  context.progress = [](const Progress&) {};
  CHECK(knn_graph(features, {}, context) == knn_graph(features));
}

TEST_CASE("NumericPath: every path has a name") {
  CHECK(std::string(name(NumericPath::automatic)) == "automatic");
  CHECK(std::string(name(NumericPath::header_only)) == "header-only");
  CHECK(std::string(name(NumericPath::baseline)) == "baseline");
  CHECK(std::string(name(NumericPath::avx2)) == "avx2");
  CHECK(std::string(name(NumericPath::avx512)) == "avx512");
}

}  // namespace
}  // namespace context_test
