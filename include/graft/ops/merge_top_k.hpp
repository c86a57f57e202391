// Joins partial graphs.
#pragma once

#include <cstdint>
#include <span>

#include <graft/core/config.hpp>
#include <graft/core/context.hpp>
#include <graft/core/graph.hpp>

namespace graft {

/// Union of partial graphs, cut to the k best edges of every row: what running over several machines needs.
///
/// Parts over disjoint row ranges (`row_range`) are joined as they are. Parts over disjoint candidate columns
/// (`column_range`, similarity weights) are merged by (weight descending, column ascending); a self loop, where there
/// is one, comes first. Either way the result equals the whole, bit for bit.
/// @param parts  one or more, all of the same number of items   @param k  >= 1
/// @throws InvalidArgument (no part, sizes that differ, k, an edge stored twice with different weights: names it),
///         Cancelled
/// Cost: two merges: edges times the parts that hold something of a row; workspace one row a worker.
Graph merge_top_k(std::span<const GraphView> parts, std::int64_t k, const Context& context = {});

}  // namespace graft

#ifndef GRAFT_COMPILED
#include <graft/detail/merge_top_k_impl.hpp>
#endif
