// NumPy .npy matrices.
#pragma once

#include <filesystem>

#include <graft/core/config.hpp>
#include <graft/core/matrix_view.hpp>

namespace graft {

/// Reads a 1- or 2-dimensional .npy array as a row-major float32 matrix (1-D: one row an element, one column).
///
/// Accepted: format versions 1.0, 2.0 and 3.0; float16, float32, float64, either byte order; C or Fortran order.
/// Values outside float32 become infinite, as a cast does; NaN and infinity are left to the operators to refuse.
/// @throws IoError (cannot be opened or read, or is no regular file), FormatError (not .npy, pickled objects, another
///         dtype or number of dimensions, more than 2^31 - 1 rows or columns, header and file length that disagree:
///         says both), each naming the file; OutOfMemory
/// Never allocates more than the file's length justifies.
Matrix read_npy(const std::filesystem::path& path);

/// Writes a row-major float32 .npy (version 1.0), atomically: `path` has its old content or the new one, never a part.
/// Symbolic links are written through and an existing file keeps its mode. @throws IoError, also where `path` exists
/// and is no regular file
void write_npy(const std::filesystem::path& path, In<MatrixView<const float>> matrix);

}  // namespace graft

#ifndef GRAFT_COMPILED
#include <graft/detail/npy_impl.hpp>
#endif
