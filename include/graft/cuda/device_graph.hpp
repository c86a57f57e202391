// The item-item graph in a CUDA device's memory.
#pragma once

#include <cstdint>
#include <utility>

#include <graft/core/config.hpp>
#include <graft/core/context.hpp>
#include <graft/core/graph.hpp>
#include <graft/detail/device_array.hpp>

namespace graft {

/// Owning CSR on a device, with Graph's invariants; move only. Its arrays can be handed to cuSPARSE or torch.
class DeviceGraph {
 public:
  DeviceGraph() = default;
  DeviceGraph(std::int64_t items, std::int64_t edges, detail::DeviceArray row_offsets, detail::DeviceArray columns,
              detail::DeviceArray weights)
      : items_(items),
        edges_(edges),
        row_offsets_(std::move(row_offsets)),
        columns_(std::move(columns)),
        weights_(std::move(weights)) {}

  [[nodiscard]] std::int64_t items() const { return items_; }
  [[nodiscard]] std::int64_t edges() const { return edges_; }
  [[nodiscard]] int ordinal() const { return row_offsets_.ordinal(); }

  /// Addresses on the device, which the graph keeps.
  [[nodiscard]] const std::int64_t* device_row_offsets() const& {
    return static_cast<const std::int64_t*>(row_offsets_.data());
  }
  [[nodiscard]] const std::int32_t* device_columns() const& {
    return static_cast<const std::int32_t*>(columns_.data());
  }
  [[nodiscard]] const float* device_weights() const& { return static_cast<const float*>(weights_.data()); }

 private:
  std::int64_t items_ = 0;
  std::int64_t edges_ = 0;
  detail::DeviceArray row_offsets_;
  detail::DeviceArray columns_;
  detail::DeviceArray weights_;
};

/// Copies a graph to the context's device. @throws BackendUnavailable, OutOfMemory
DeviceGraph to_device(GraphInput graph, const Context& context = Context::cuda());

/// Copies a graph back, bit for bit. @throws BackendUnavailable, OutOfMemory
Graph to_host(const DeviceGraph& graph);

}  // namespace graft

#ifndef GRAFT_COMPILED
#include <graft/detail/device_memory_impl.hpp>
#endif
