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
#include <graft/detail/pairwise_on_device.hpp>
#include <graft/detail/parallel.hpp>
#include <graft/ops/jaccard.hpp>

namespace graft::detail {

/// A call of the device for an audience graph, with what the host prepares for it. Options are checked.
class DeviceAudience {
 public:
  /// @param row_cost  (item) -> counter increments of its row
  template <class RowCost>
  DeviceAudience(const Interactions& interactions, const JaccardOptions& options, const RowRange& rows,
                 const RowCost& row_cost, const Context& context)
      : interactions_(interactions),
        options_(options),
        rows_(rows),
        costs_(make_vector<std::int64_t>(kOperation, count())),
        capacity_(make_vector<std::int64_t>(kOperation, count() + 1)) {
    parallel_rows(without_progress(on_host(context)), kOperation, count(), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) costs_[as_size(r)] = row_cost(rows_.begin + r);
    });
    for (std::int64_t r = 0; r < count(); ++r) {
      const std::int64_t cost = costs_[as_size(r)];
      capacity_[as_size(r + 1)] = capacity_[as_size(r)] + std::min({options.k, interactions.items(), cost});
      increments_ += static_cast<double>(cost);
    }
  }

  [[nodiscard]] std::int64_t count() const { return rows_.end - rows_.begin; }
  [[nodiscard]] double increments() const { return increments_; }
  /// Where a row's edges go: [rows + 1].
  [[nodiscard]] const std::vector<std::int64_t>& capacity() const { return capacity_; }

  /// Fills the rows, every one in ascending columns.
  void run(const cuda::Table& table, std::int32_t* columns, float* weights, std::int32_t* counts,
           const Context& context) const {
    const cuda::AudienceCall task{.users = interactions_.users(),
                                  .items = interactions_.items(),
                                  .user_offsets = interactions_.user_offsets().data(),
                                  .user_items = interactions_.user_items().data(),
                                  .item_offsets = interactions_.item_offsets().data(),
                                  .item_users = interactions_.item_users().data(),
                                  .k = options_.k,
                                  .min_support = options_.min_support,
                                  .self = options_.self,
                                  .identical = options_.identical,
                                  .measure = options_.measure,
                                  .row_begin = rows_.begin,
                                  .row_end = rows_.end,
                                  .row_cost = costs_.data(),
                                  .row_capacity = capacity_.data(),
                                  .columns = columns,
                                  .weights = weights,
                                  .counts = counts};
    CudaCall call(context, kOperation);
    call.run(table.audience, &task);
  }

  static constexpr const char* kOperation = "jaccard_graph";

 private:
  const Interactions& interactions_;
  const JaccardOptions& options_;
  RowRange rows_;
  std::vector<std::int64_t> costs_;
  std::vector<std::int64_t> capacity_;
  double increments_ = 0.0;
};

/// The graph, or none where the context leaves the choice and the processor is to do it. Options are checked.
template <class RowCost>
std::optional<Graph> jaccard_on_device(const Interactions& interactions, const JaccardOptions& options,
                                       const RowRange& rows, const RowCost& row_cost, const Context& context) {
  constexpr const char* kOperation = DeviceAudience::kOperation;
  const DeviceAudience audience(interactions, options, rows, row_cost, context);
  const cuda::Table* const table = cuda_table(context, kOperation, audience.increments(), kLeastDeviceIncrements);
  if (table == nullptr) return std::nullopt;
  const std::vector<std::int64_t>& capacity = audience.capacity();
  std::vector<std::int32_t> columns = make_vector<std::int32_t>(kOperation, capacity.back());
  std::vector<float> weights = make_vector<float>(kOperation, capacity.back());
  std::vector<std::int32_t> counts = make_vector<std::int32_t>(kOperation, audience.count());
  audience.run(*table, columns.data(), weights.data(), counts.data(), context);
  return compact_rows(
      kOperation, interactions.items(), rows.begin, counts, [&](std::int64_t row) { return capacity[as_size(row)]; },
      std::move(columns), std::move(weights));
}

/// The same, left on the device.
template <class RowCost>
DeviceGraph jaccard_left_on_device(const Interactions& interactions, const JaccardOptions& options,
                                   const RowRange& rows, const RowCost& row_cost, const Context& context) {
  constexpr const char* kOperation = DeviceAudience::kOperation;
  const cuda::Table& table = device_table(kOperation, context);
  const DeviceAudience audience(interactions, options, rows, row_cost, context);
  const DeviceRows made(table, kOperation, audience.count(), audience.capacity().back(), context);
  audience.run(table, made.all_ids(), made.all_values(), made.all_counts(), context);
  return made.graph(table, kOperation,
                    {.items = interactions.items(),
                     .row_begin = rows.begin,
                     .row_end = rows.end,
                     .row_capacity = audience.capacity().data(),
                     .ascending = true},
                    context);
}

}  // namespace graft::detail
