// Header-only code inherits the user's flags, and fast math would let NaN through every check.
// refused with: -ffast-math
// because: graft header-only needs IEEE arithmetic
#include <graft/core/config.hpp>
