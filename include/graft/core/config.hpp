// How graft is compiled: header-only (default) or against the `graft::compiled` library.
#pragma once

/// `GRAFT_COMPILED` is defined by the CMake target `graft::compiled`. With it the public headers only declare,
/// and the bodies (with run-time dispatched kernels) come from the library. Without it the headers include the
/// bodies, compiled with the instruction set that the user's own flags allow.
#if defined(GRAFT_COMPILED)
#define GRAFT_INLINE
#else
#define GRAFT_INLINE inline
#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ > 0)
#error "graft header-only needs IEEE arithmetic: drop -ffast-math / -ffinite-math-only, or link graft::compiled"
#endif
#endif
