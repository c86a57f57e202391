// The C API's constructors and options: whatever the numbers are, a call gives a valid handle, or NULL, a status and a
// message. Only lengths are kept as C requires: arrays are as long as the sizes and offsets say.
//
// An input is a byte that picks the constructor, a byte of choices, then numbers.
#include <graft.h>

#include <graft/graft.hpp>

#include "fuzz.hpp"

namespace {

using graft::fuzz::Source;

constexpr std::uint8_t kRawOffsets = 1;
constexpr std::uint8_t kRawIds = 2;
constexpr std::uint8_t kRawWeights = 4;
constexpr std::uint8_t kRawSizes = 8;

/// A failed call has a message and no handle; a successful one has a handle.
template <class Handle>
bool kept_promise(graft_status status, const Handle* handle) {
  if (status == GRAFT_OK) {
    FUZZ_REQUIRE(handle != nullptr);
    return true;
  }
  FUZZ_REQUIRE(handle == nullptr);
  FUZZ_REQUIRE(status != GRAFT_INTERNAL_ERROR);
  FUZZ_REQUIRE(std::strlen(graft_last_error()) > 0);
  return false;
}

void check_and_free(graft_status status, graft_graph* graph) {
  if (!kept_promise(status, graph)) return;
  graft_csr_view view;
  FUZZ_REQUIRE(graft_graph_get(graph, &view) == GRAFT_OK);
  const auto edges = static_cast<std::size_t>(view.edges);
  graft::validate({view.items,
                   {view.row_offsets, static_cast<std::size_t>(view.items) + 1},
                   {view.columns, edges},
                   {view.weights, edges}});
  FUZZ_REQUIRE(graft_graph_equal(graph, graph) == 1);
  graft_graph_free(graph);
}

void check_and_free(graft_status status, graft_interactions* interactions) {
  if (!kept_promise(status, interactions)) return;
  graft_interactions_view view;
  FUZZ_REQUIRE(graft_interactions_get(interactions, &view) == GRAFT_OK);
  FUZZ_REQUIRE(view.user_offsets[view.users] == view.pairs);
  FUZZ_REQUIRE(view.item_offsets[view.items] == view.pairs);
  for (std::int64_t p = 0; p < view.pairs; ++p) {
    FUZZ_REQUIRE(view.user_items[p] >= 0 && view.user_items[p] < view.items);
    FUZZ_REQUIRE(view.item_users[p] >= 0 && view.item_users[p] < view.users);
  }
  graft_interactions_free(interactions);
}

struct Numbers {
  std::int64_t rows = 0;
  std::int64_t size = 0;
  std::vector<std::int64_t> offsets;  ///< [rows + 1]; the last is the length of the arrays
  std::vector<std::int32_t> narrow;   ///< the same in 32 bits
  std::vector<std::int32_t> first;
  std::vector<std::int32_t> second;
  std::vector<float> weights;
};

Numbers numbers_of(Source& source, std::uint8_t choices) {
  const auto has = [&](std::uint8_t choice) { return (choices & choice) != 0; };
  Numbers numbers;
  numbers.rows = source.up_to(15);
  numbers.offsets.push_back(0);
  for (std::int64_t r = 0; r < numbers.rows; ++r) {
    numbers.offsets.push_back(has(kRawOffsets) ? source.number<std::int32_t>()
                                               : numbers.offsets.back() + source.up_to(3));
  }
  if (has(kRawOffsets)) numbers.offsets.back() = source.up_to(31);
  numbers.size = numbers.offsets.back();
  numbers.narrow.assign(numbers.offsets.begin(), numbers.offsets.end());
  const auto id = [&] {
    return has(kRawIds) ? source.number<std::int32_t>()
                        : source.number<std::uint8_t>() % std::max<std::int32_t>(1, int(numbers.rows));
  };
  for (std::int64_t e = 0; e < numbers.size; ++e) {
    numbers.first.push_back(id());
    numbers.second.push_back(id());
    numbers.weights.push_back(has(kRawWeights) ? source.number<float>()
                                               : static_cast<float>(source.number<std::int8_t>()) / 8.0F);
  }
  return numbers;
}

void make_graphs(const Numbers& numbers, std::int32_t unsorted) {
  graft_graph* graph = nullptr;
  const auto* const columns = numbers.first.data();
  const auto* const weights = numbers.weights.data();
  graft_status status = graft_graph_from_csr(numbers.rows, numbers.offsets.data(), columns, weights, unsorted, &graph);
  check_and_free(status, graph);
  status = graft_graph_from_csr32(numbers.rows, numbers.narrow.data(), columns, weights, unsorted, &graph);
  check_and_free(status, graph);
  status = graft_graph_borrow_csr(numbers.rows, numbers.offsets.data(), columns, weights, &graph);
  check_and_free(status, graph);
  status = graft_graph_from_coo(numbers.rows, numbers.size, columns, numbers.second.data(), weights, &graph);
  check_and_free(status, graph);
}

void make_interactions(const Numbers& numbers, std::int64_t users, std::int64_t items) {
  graft_interactions* train = nullptr;
  graft_status status =
      graft_interactions_from_coo(users, items, numbers.size, numbers.first.data(), numbers.second.data(), &train);
  check_and_free(status, train);
  status = graft_interactions_from_csr(numbers.rows, items, numbers.offsets.data(), numbers.first.data(), &train);
  check_and_free(status, train);
  status = graft_interactions_from_csr32(numbers.rows, items, numbers.narrow.data(), numbers.first.data(), &train);
  check_and_free(status, train);
}

/// Options of raw numbers on a small matrix.
void run_knn(Source& source, const Numbers& numbers) {
  const std::vector<float> values(numbers.weights.begin(), numbers.weights.end());
  const graft_matrix_view matrix{values.data(), numbers.size, 1, 1};
  graft_context_options where;
  FUZZ_REQUIRE(graft_context_options_init(&where, sizeof where) == GRAFT_OK);
  where.threads = 1;
  graft_context* context = nullptr;
  FUZZ_REQUIRE(graft_context_create(&where, &context) == GRAFT_OK);
  graft_knn_options options;
  FUZZ_REQUIRE(graft_knn_options_init(&options, sizeof options) == GRAFT_OK);
  options.k = source.number<std::int64_t>();
  options.metric = source.number<std::int8_t>();
  options.weights = source.number<std::int8_t>();
  options.self = source.number<std::int8_t>();
  options.min_similarity = source.number<float>();
  options.row_begin = source.number<std::int64_t>();
  options.row_end = source.number<std::int64_t>();
  options.column_begin = source.number<std::int8_t>();
  options.column_end = source.number<std::int64_t>();
  graft_graph* graph = nullptr;
  const graft_status status = graft_knn_graph(&matrix, &options, context, &graph);
  check_and_free(status, graph);
  graft_context_free(context);
}

/// A tensor's description of raw numbers; what is viewed is never read.
void view_tensor(Source& source) {
  struct {
    void* data;
    std::int32_t device_type;
    std::int32_t device_id;
    std::int32_t dimensions;
    std::uint8_t code;
    std::uint8_t bits;
    std::uint16_t lanes;
    std::int64_t* shape;
    std::int64_t* strides;
    std::uint64_t byte_offset;
  } tensor{};
  std::int64_t shape[2] = {source.number<std::int64_t>(), source.number<std::int64_t>()};
  std::int64_t strides[2] = {source.number<std::int64_t>(), source.number<std::int64_t>()};
  float value = 0.0F;
  tensor.data = source.up_to(3) == 0 ? nullptr : &value;
  tensor.device_type = source.number<std::int8_t>();
  tensor.dimensions = source.number<std::int8_t>();
  tensor.code = source.number<std::uint8_t>();
  tensor.bits = source.number<std::uint8_t>();
  tensor.lanes = source.number<std::uint8_t>();
  tensor.shape = source.up_to(3) == 0 ? nullptr : shape;
  tensor.strides = source.up_to(1) == 0 ? nullptr : strides;
  graft_matrix_view view;
  const graft_status status = graft_matrix_view_from_dlpack(reinterpret_cast<const DLManagedTensor*>(&tensor), &view);
  if (status != GRAFT_OK) {
    FUZZ_REQUIRE(status == GRAFT_INVALID_ARGUMENT);
    FUZZ_REQUIRE(std::strlen(graft_last_error()) > 0);
    return;
  }
  FUZZ_REQUIRE(view.rows >= 0 && view.cols >= 0 && view.stride >= view.cols);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Source source(graft::fuzz::text_of(data, size));
  const std::int64_t target = source.up_to(3);
  if (target == 3) {
    view_tensor(source);
    return 0;
  }
  const auto choices = source.number<std::uint8_t>();
  const Numbers numbers = numbers_of(source, choices);
  if (target == 0) make_graphs(numbers, source.number<std::int8_t>() % 3);
  if (target == 1) {
    const auto any_size = [&]() -> std::int64_t {
      if ((choices & kRawSizes) == 0) return numbers.rows;
      const std::int64_t given = source.number<std::int16_t>();
      // -1 takes the size from the ids, and raw ones would ask for more memory than a test has
      return given == -1 && (choices & kRawIds) != 0 ? 0 : given;
    };
    const std::int64_t users = any_size();
    make_interactions(numbers, users, any_size());
  }
  if (target == 2) run_knn(source, numbers);
  return 0;
}
