// A graph as bytes, for a model's state in a checkpoint.
#pragma once

#include <cstddef>
#include <span>

#include <graft/core/graph.hpp>
#include <graft/detail/bytes.hpp>

namespace graft::training {

/// Items and edges (uint64 each), row offsets (int64), columns (int32), weights (float32), little-endian.
detail::Bytes graph_bytes(const GraphView& graph);

/// @throws InvalidArgument unless the bytes are those of one graph
Graph graph_of_bytes(std::span<const std::byte> bytes);

}  // namespace graft::training
