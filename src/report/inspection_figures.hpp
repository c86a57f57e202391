// Drawings of an inspection, for every page that shows a graph.
#pragma once

#include "report/html.hpp"
#include "report/inspection.hpp"

namespace graft::report {

/// How many neighbours items have.
Figure neighbours_figure(const Structure& facts);

/// How many items receive from an item.
Figure used_by_figure(const Structure& facts);

/// Where the weights lie. The graph must have edges.
Figure weights_figure(const WeightFacts& facts);

/// The share of edges below each threshold.
Figure threshold_figure(const WeightFacts& facts);

}  // namespace graft::report
