// The plug-in from the host's side: what a call says where library, driver or device is missing.
#include <graft/detail/cuda_backend.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <graft/cuda/device_graph.hpp>
#include <graft/cuda/graph_operators.hpp>
#include <graft/cuda/operators.hpp>
#include <graft/ops/binarize.hpp>
#include <graft/ops/drop_self_loops.hpp>
#include <graft/ops/jaccard.hpp>
#include <graft/ops/knn.hpp>
#include <graft/ops/merge_top_k.hpp>
#include <graft/ops/mix.hpp>
#include <graft/ops/normalize.hpp>
#include <graft/ops/propagate.hpp>
#include <graft/ops/refine.hpp>
#include <graft/ops/scale.hpp>
#include <graft/ops/symmetrize.hpp>
#include <graft/ops/threshold.hpp>
#include <graft/ops/top_k.hpp>
#include <graft/ops/top_k_scores.hpp>

#include "../support/check.hpp"

namespace loader_test {
namespace {

using namespace graft;
using graft::test::contains;
using graft::test::message_of;

const std::vector<float> kValues = {1.0F, 0.0F, 1.0F, 1.0F};
MatrixView<const float> features() { return {kValues.data(), 2, 2}; }
Interactions interactions() {
  return Interactions::from_pairs(std::vector<std::int32_t>{0, 0}, std::vector<std::int32_t>{0, 1});
}

bool has_device() { return detail::find_cuda_device(Context::cuda()).table != nullptr; }

TEST_CASE("load_cuda_plugin: says that the library is missing") {
  const detail::CudaPlugin plugin = detail::load_cuda_plugin({"/nowhere/libgraft_cuda.so"});
  CHECK(plugin.table == nullptr);
  CHECK(contains(plugin.missing, {"libgraft_cuda.so", "cannot be loaded", "no such file"}));
  const detail::CudaPlugin unknown = detail::load_cuda_plugin({"libgraft_no_such_library.so"});
  CHECK(unknown.table == nullptr);
  CHECK(contains(unknown.missing, {"libgraft_no_such_library.so"}));
}

TEST_CASE("load_cuda_plugin: a library without the symbol is none of graft's, and the next file is tried") {
  const detail::CudaPlugin plugin = detail::load_cuda_plugin({"libm.so.6", "/nowhere/libgraft_cuda.so"});
  CHECK(plugin.table == nullptr);
  CHECK(contains(plugin.missing, {"libm.so.6", "is not graft's CUDA library"}));
}

TEST_CASE("cuda_plugin_files: beside the binary first, the loader's own search last") {
  const std::vector<std::string> files = detail::cuda_plugin_files();
  REQUIRE(files.size() == 3);
  CHECK(files.front().front() == '/');
  CHECK(files.front().ends_with("/libgraft_cuda.so"));
  CHECK(files.back() == "libgraft_cuda.so");
}

TEST_CASE("Context::cuda: operators say what is missing where there is no device") {
  if (has_device()) return;
  const Context context = Context::cuda();
  CHECK_THROWS_AS(knn_graph(features(), {}, context), BackendUnavailable);
  CHECK(contains(message_of<BackendUnavailable>([&] { knn_graph(features(), {}, context); }),
                 {"knn_graph: backend = cuda: "}));
  CHECK_THROWS_AS(jaccard_graph(interactions(), {}, context), BackendUnavailable);
  CHECK_THROWS_AS(top_k_scores(features(), features(), {}, context), BackendUnavailable);
  CHECK_THROWS_AS(refine(features(), interactions(), {}, context), BackendUnavailable);
  CHECK_THROWS_AS(to_device(features()), BackendUnavailable);
  CHECK_THROWS_AS(to_device(Graph(3)), BackendUnavailable);
}

TEST_CASE("Context::cuda: bad options are told before the device is looked for") {
  CHECK_THROWS_AS(knn_graph(features(), {.k = 0}, Context::cuda()), InvalidArgument);
  CHECK_THROWS_AS(jaccard_graph(interactions(), {.k = 0}, Context::cuda()), InvalidArgument);
  const DeviceMatrixView matrix = DeviceMatrixView::of_device_memory(kValues.data(), 2, 2, 2, 1);
  CHECK(contains(message_of<InvalidArgument>([&] { knn_graph(matrix, {}, Context::cuda(0)); }),
                 {"on device 1", "the context's device, 0"}));
  CHECK_THROWS_AS(DeviceMatrixView::of_device_memory(kValues.data(), 2, 2, 1), InvalidArgument);
}

TEST_CASE("DeviceGraph: bad arguments are told before the device is looked for") {
  const DeviceGraph none;
  CHECK(contains(message_of<InvalidArgument>([&] { threshold(none, 0.5F); }), {"threshold: graph", "is on no device"}));
  CHECK_THROWS_AS(scale(none, std::numeric_limits<float>::infinity()), InvalidArgument);
  CHECK_THROWS_AS(normalize(none, {.epsilon = -1.0F}), InvalidArgument);
  CHECK_THROWS_AS(mix(none, std::nanf(""), none, 1.0F), InvalidArgument);
}

TEST_CASE("Context::cuda: the algebra of host graphs says what is missing, in the operator's name") {
  if (has_device()) return;
  const Graph graph = Graph::identity(2);
  const Context context = Context::cuda();
  const std::vector<GraphView> parts{graph, graph};
  const std::vector<float> coefficients{1.0F, 1.0F};
  const auto refusal = [](const auto& call) { return message_of<BackendUnavailable>(call); };
  CHECK(contains(refusal([&] { threshold(graph, 0.5F, context); }), {"threshold: backend = cuda"}));
  CHECK(contains(refusal([&] { drop_self_loops(graph, context); }), {"drop_self_loops: backend = cuda"}));
  CHECK(contains(refusal([&] { binarize(graph, context); }), {"binarize: backend = cuda"}));
  CHECK(contains(refusal([&] { scale(graph, 2.0F, context); }), {"scale: backend = cuda"}));
  CHECK(contains(refusal([&] { top_k(graph, 1, context); }), {"top_k: backend = cuda"}));
  CHECK(contains(refusal([&] { symmetrize(graph, Symmetrization::max, context); }), {"symmetrize: backend = cuda"}));
  CHECK(contains(refusal([&] { normalize(graph, {}, context); }), {"normalize: backend = cuda"}));
  CHECK(contains(refusal([&] { mix(parts, coefficients, context); }), {"mix: backend = cuda"}));
  CHECK(contains(refusal([&] { merge_top_k(parts, 1, context); }), {"merge_top_k: backend = cuda"}));
  CHECK(contains(refusal([&] { propagate(graph, features(), 1, Aggregation::sum, context); }),
                 {"propagate: backend = cuda"}));
}

TEST_CASE("Context::cuda: a plan is the processor's, and says so") {
  CHECK(contains(message_of<BackendUnavailable>([] { plan(10, 2, KnnOptions{}, Context::cuda()); }),
                 {"plan of knn_graph: backend = cuda", "does not run on the device"}));
}

TEST_CASE("Context::automatic: small work is the processor's") {
  CHECK(knn_graph(features(), {}, Context::automatic()) == knn_graph(features()));
  CHECK(jaccard_graph(interactions(), {}, Context::automatic()) == jaccard_graph(interactions()));
  CHECK(detail::cuda_table(Context::automatic(), "knn_graph", 1.0, detail::kLeastDeviceFlops) == nullptr);
}

TEST_CASE("Context::automatic: large work is the processor's where there is no device") {
  if (has_device()) return;
  CHECK(detail::cuda_table(Context::automatic(), "knn_graph", 1e15, detail::kLeastDeviceFlops) == nullptr);
  CHECK(detail::cuda_table(Context{}, "knn_graph", 1e15, detail::kLeastDeviceFlops) == nullptr);
}

/// A plug-in's answers, for what a call makes of them.
detail::cuda::Status answer_with(const detail::cuda::Call* call, detail::cuda::Status status) {
  const std::string text = "the reason";
  text.copy(call->message.text, text.size());
  return status;
}

TEST_CASE("CudaCall: answers of the plug-in become exceptions with its reason") {
  using detail::cuda::Status;
  detail::CudaCall call(Context::cuda(), "knn_graph");
  CHECK_NOTHROW(call.run(&answer_with, Status::done));
  CHECK_THROWS_AS(call.run(&answer_with, Status::unavailable), BackendUnavailable);
  CHECK_THROWS_AS(call.run(&answer_with, Status::out_of_memory), OutOfMemory);
  CHECK_THROWS_AS(call.run(&answer_with, Status::stopped), Cancelled);
  CHECK_THROWS_AS(call.run(&answer_with, Status::failed), Error);
  CHECK(contains(message_of<OutOfMemory>([&] { call.run(&answer_with, Status::out_of_memory); }),
                 {"knn_graph", "the reason"}));
}

detail::cuda::Status tick_once(const detail::cuda::Call* call) {
  return call->tick(call->state, 1, 2) == 0 ? detail::cuda::Status::done : detail::cuda::Status::stopped;
}

TEST_CASE("CudaCall: a cancelled context ends the call at its next tick") {
  const Context context = Context::cuda();
  detail::CudaCall call(context, "knn_graph");
  CHECK_NOTHROW(call.run(&tick_once));
  context.cancel.cancel();
  CHECK_THROWS_AS(call.run(&tick_once), Cancelled);
}

detail::cuda::Status offer_norms(const detail::cuda::Call* call) {
  const std::vector<double> norms = {1.0, 2.0};
  return call->norms(call->state, 0, norms.data(), 2) == 0 ? detail::cuda::Status::done : detail::cuda::Status::stopped;
}

TEST_CASE("CudaCall: what a hook throws reaches the caller, and not the plug-in") {
  detail::CudaCall call(Context::cuda(), "knn_graph", [](std::int32_t, const double*, std::int64_t) {
    throw InvalidArgument("knn_graph: features row 1: must be finite");
  });
  CHECK_THROWS_AS(call.run(&offer_norms), InvalidArgument);
}

}  // namespace
}  // namespace loader_test
