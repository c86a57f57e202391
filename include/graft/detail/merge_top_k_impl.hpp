// Body of ops/merge_top_k.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/detail/csr_build.hpp>
#include <graft/detail/mix_impl.hpp>
#include <graft/detail/row_merge.hpp>
#include <graft/detail/row_selection.hpp>
#include <graft/ops/merge_top_k.hpp>

namespace graft {
namespace detail {

inline std::int64_t items_of(const GraphView& graph) { return graph.items; }
inline std::int64_t items_of(const DeviceGraph& graph) { return graph.items(); }

template <class AnyGraph>
void check_merge_top_k(std::span<const AnyGraph> parts, std::int64_t k) {
  if (parts.empty()) throw InvalidArgument(message("merge_top_k", "parts", "none", "must be one or more"));
  for (std::size_t p = 1; p < parts.size(); ++p) {
    const std::int64_t items = items_of(parts[p]);
    if (items == items_of(parts[0])) continue;
    throw InvalidArgument(message("merge_top_k", "parts[" + std::to_string(p) + "].items", std::to_string(items),
                                  "must equal parts[0].items = " + std::to_string(items_of(parts[0]))));
  }
  check_k("merge_top_k", k);
}

/// One row of all parts, joined; then its k best edges. Holds buffers: make one a task.
class PartsRow {
 public:
  PartsRow(std::span<const GraphView> parts, std::int64_t k) : merge_(parts), k_(k) {}

  /// Reads the row. @return whether parts that store the same edge agree on its weight
  bool read(std::int64_t row) {
    row_ = as_id(row);
    columns_.clear();
    weights_.clear();
    bool agree = true;
    merge_.walk(
        row, [&](std::int32_t column) { columns_.push_back(column); },
        [&](std::size_t, float weight) {
          if (weights_.size() < columns_.size()) {
            weights_.push_back(weight);
          } else if (agree && weights_.back() != weight) {
            agree = false;
            conflict_ = {columns_.back(), weights_.back(), weight};
          }
        });
    return agree;
  }

  [[nodiscard]] std::int64_t count() const { return std::min(k_, static_cast<std::int64_t>(columns_.size())); }

  void select(std::int32_t* out_columns, float* out_weights) {
    const auto self = std::lower_bound(columns_.begin(), columns_.end(), row_);
    if (self == columns_.end() || *self != row_) {
      selection_.select(columns_, weights_, k_, out_columns, out_weights);
      return;
    }
    const float weight = weights_[as_size(self - columns_.begin())];
    selection_.select(columns_, weights_, k_, RowSelection::Diagonal{row_, true, weight}, out_columns, out_weights);
  }

  /// @throws InvalidArgument naming the edge that `read` found the parts to disagree about
  [[noreturn]] void refuse() const {
    throw InvalidArgument(
        message("merge_top_k", "parts at row " + std::to_string(row_) + ", column " + std::to_string(conflict_.column),
                std::to_string(conflict_.first) + " and " + std::to_string(conflict_.second),
                "parts that store the same edge must agree on its weight; binary parts cannot be ranked"));
  }

 private:
  struct Conflict {
    std::int32_t column = 0;
    float first = 0.0F;
    float second = 0.0F;
  };

  RowMerge merge_;
  RowSelection selection_;
  std::int64_t k_;
  std::int32_t row_ = 0;
  std::vector<std::int32_t> columns_;
  std::vector<float> weights_;
  Conflict conflict_;
};

/// @throws InvalidArgument naming the first edge that the parts, which lie on the device, disagree about
inline void refuse_parts(std::span<const DeviceGraph> parts, const Context& context) {
  std::vector<Graph> copies;
  copies.reserve(parts.size());
  for (const DeviceGraph& part : parts) copies.push_back(to_host(part));
  static_cast<void>(merge_top_k(std::vector<GraphView>(copies.begin(), copies.end()), 1, on_host(context)));
}

/// The same of graphs on the device; sizes and k are checked.
inline DeviceGraph merge_on_device(std::span<const DeviceGraph> parts, std::int64_t k, const Context& context) {
  const auto select = [&](const DeviceGraph& graph) {
    const cuda::GraphCall task{.step = cuda::GraphStep::top_k_self_first, .left = seam_csr(graph), .k = k};
    return run_step("merge_top_k", task, "", "", context);
  };
  const cuda::Table& table = device_table("merge_top_k", context);
  DeviceGraph joined;
  for (std::size_t p = 1; p < parts.size(); ++p) {
    cuda::GraphCall task{
        .step = cuda::GraphStep::join, .left = seam_csr(p == 1 ? parts[0] : joined), .right = seam_csr(parts[p])};
    CudaCall call(context, "merge_top_k");
    call.run(table.graph, &task);
    if (task.bad_row >= 0) refuse_parts(parts, context);
    joined = made_graph(table, task.left.items, task, context);
  }
  return select(parts.size() == 1 ? parts[0] : joined);
}

}  // namespace detail

GRAFT_INLINE Graph merge_top_k(std::span<const GraphView> parts, std::int64_t k, const Context& context) {
  detail::check_merge_top_k(parts, k);
  if (detail::names_device(context)) {
    return to_host(detail::merge_on_device(detail::all_to_device("merge_top_k", parts, context), k, context));
  }
  detail::FirstRow conflict;
  const auto make_count = [&] {
    return [&, joined = detail::PartsRow(parts, k)](std::int64_t row) mutable {
      if (!joined.read(row)) conflict.report(row);
      return joined.count();
    };
  };
  const auto make_fill = [&] {
    return [joined = detail::PartsRow(parts, k)](std::int64_t row, std::int32_t* columns, float* weights) mutable {
      joined.read(row);
      joined.select(columns, weights);
    };
  };
  const auto check = [&] {
    if (!conflict.found()) return;
    detail::PartsRow joined(parts, k);
    joined.read(conflict.row());
    joined.refuse();
  };
  return detail::build_graph(context, "merge_top_k", parts[0].items, make_count, make_fill, check);
}

}  // namespace graft
