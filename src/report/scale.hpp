// Round numbers for axes and bins.
#pragma once

#include <vector>

namespace graft::report {

/// Ascending multiples of a round step (1, 2 or 5 times a power of ten) that enclose [least, most]: at least two, at
/// most about `most_steps` + 2. Decimal fractions are the doubles nearest to them: 0.15, not 0.15000000000000002.
/// @param least, most  finite, least <= most; equal ones are enclosed by two neighbouring numbers
/// @param whole        whether the step must be a whole number
std::vector<double> round_bounds(double least, double most, int most_steps, bool whole = false);

}  // namespace graft::report
