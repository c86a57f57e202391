// Graphs as SciPy's sparse .npz files.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <graft/core/config.hpp>
#include <graft/core/graph.hpp>

namespace graft {

/// Free-form facts stored with a graph: options, hashes of the inputs, version. Keys are 1 to 255 of [A-Za-z0-9_.-];
/// values are UTF-8 without NUL.
using Provenance = std::map<std::string, std::string>;

/// A graph and what its file says of it.
struct StoredGraph {
  Graph graph;
  Provenance provenance;
};

/// Writes a graph as `scipy.sparse.save_npz` does a csr_matrix (int32 index arrays where they fit), so that
/// `scipy.sparse.load_npz` reads it; every provenance entry becomes one extra member, a unicode scalar named
/// `graft_<key>`. Atomic, as write_npy; the same arguments give the same bytes (with one version of zlib).
/// @param compressed  deflate the members, as save_npz does by default
/// @throws IoError, InvalidArgument (a provenance entry that is not allowed, a view that `validate` refuses)
/// Memory: under 1 MiB and the provenance; the arrays are written piece by piece.
void save_npz(const std::filesystem::path& path, GraphInput graph, const Provenance& provenance = {},
              bool compressed = true);

/// Reads a square CSR matrix written by `save_npz`, here or by SciPy (compressed or not, int32 or int64 indices,
/// float16/32/64, integer or bool data). Members that a CSR matrix does not need are ignored.
/// @param unsorted  what to do with rows that are not sorted or repeat a column; refused ones are a FormatError
/// @throws IoError, FormatError (not a zip, a damaged member: bad CRC or length, not CSR, not square, columns out of
///         range, offsets not monotone, weights that are not finite, index arrays of another dtype), each naming the
///         file and the member
/// Never allocates more than the file's length justifies (deflate expands at most 1032 times).
Graph load_npz(const std::filesystem::path& path, Unsorted unsorted = Unsorted::sort_and_sum);

/// The same with the provenance; a member `graft_<key>` that is no string of UTF-8 without NUL is a FormatError.
StoredGraph load_npz_with_provenance(const std::filesystem::path& path, Unsorted unsorted = Unsorted::sort_and_sum);

}  // namespace graft

#ifndef GRAFT_COMPILED
#include <graft/detail/npz_impl.hpp>
#endif
