// What an operator would cost.
#pragma once

#include <cstdint>

namespace graft {

/// Cost of a call, known from shapes and options alone.
struct Plan {
  std::int64_t workspace_bytes = 0;  ///< peak beyond inputs and outputs; at most the context's memory budget
  std::int64_t output_bytes = 0;     ///< upper bound of the result
  double flops = 0.0;                ///< floating-point (or counting) operations
  std::int64_t tiles = 0;            ///< independent pieces of work
};

}  // namespace graft
