// jaccard_graph through the seam to the device.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <graft/core/interactions.hpp>
#include <graft/detail/csr_build.hpp>
#include <graft/detail/cuda_backend.hpp>
#include <graft/detail/parallel.hpp>
#include <graft/ops/jaccard.hpp>

namespace graft::detail {

/// The graph, or none where the context leaves the choice and the processor is to do it. Options are checked.
/// @param row_cost  (item) -> counter increments of its row
template <class RowCost>
std::optional<Graph> jaccard_on_device(const Interactions& interactions, const JaccardOptions& options,
                                       const RowRange& rows, const RowCost& row_cost, const Context& context) {
  constexpr const char* kOperation = "jaccard_graph";
  const Context host = on_host(context);
  const std::int64_t items = interactions.items();
  const std::int64_t count = rows.end - rows.begin;
  std::vector<std::int64_t> costs = make_vector<std::int64_t>(kOperation, count);
  parallel_rows(host, kOperation, count, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) costs[as_size(r)] = row_cost(rows.begin + r);
  });
  std::vector<std::int64_t> capacity = make_vector<std::int64_t>(kOperation, count + 1);
  double increments = 0.0;
  for (std::int64_t r = 0; r < count; ++r) {
    capacity[as_size(r + 1)] = capacity[as_size(r)] + std::min({options.k, items, costs[as_size(r)]});
    increments += static_cast<double>(costs[as_size(r)]);
  }
  const cuda::Table* const table = cuda_table(context, kOperation, increments, kLeastDeviceIncrements);
  if (table == nullptr) return std::nullopt;
  std::vector<std::int32_t> columns = make_vector<std::int32_t>(kOperation, capacity.back());
  std::vector<float> weights = make_vector<float>(kOperation, capacity.back());
  std::vector<std::int32_t> counts = make_vector<std::int32_t>(kOperation, count);
  const cuda::AudienceCall task{.users = interactions.users(),
                                .items = items,
                                .user_offsets = interactions.user_offsets().data(),
                                .user_items = interactions.user_items().data(),
                                .item_offsets = interactions.item_offsets().data(),
                                .item_users = interactions.item_users().data(),
                                .k = options.k,
                                .min_support = options.min_support,
                                .self = options.self,
                                .identical = options.identical,
                                .measure = options.measure,
                                .row_begin = rows.begin,
                                .row_end = rows.end,
                                .row_cost = costs.data(),
                                .row_capacity = capacity.data(),
                                .columns = columns.data(),
                                .weights = weights.data(),
                                .counts = counts.data()};
  CudaCall call(context, kOperation);
  call.run(table->audience, &task);
  return compact_rows(
      kOperation, items, rows.begin, counts, [&](std::int64_t row) { return capacity[as_size(row)]; },
      std::move(columns), std::move(weights));
}

}  // namespace graft::detail
