// Bodies of io/npy.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <graft/detail/atomic_file.hpp>
#include <graft/detail/checked.hpp>
#include <graft/detail/npy_format.hpp>
#include <graft/io/npy.hpp>

namespace graft {
namespace detail {

/// Elements of a Fortran-order array, transposed tile by tile: runs of a column are read, runs of a row written.
inline void read_columns(const FileReader& file, std::int64_t begin, const NpyType& type, NpyConvert<float> convert,
                         MatrixView<float> matrix) {
  constexpr std::int64_t kTileRows = 4096;
  constexpr std::int64_t kTileCols = 16;  // floats in a cache line
  const std::int64_t tile_rows = std::min(kTileRows, matrix.rows());
  Bytes packed(as_size(tile_rows * type.size));
  std::vector<float> tile(as_size(tile_rows * kTileCols));
  for (std::int64_t c0 = 0; c0 < matrix.cols(); c0 += kTileCols) {
    const std::int64_t cols = std::min(kTileCols, matrix.cols() - c0);
    for (std::int64_t r0 = 0; r0 < matrix.rows(); r0 += tile_rows) {
      const std::int64_t rows = std::min(tile_rows, matrix.rows() - r0);
      const auto run = std::span(packed).first(as_size(rows * type.size));
      for (std::int64_t c = 0; c < cols; ++c) {
        file.read_at(begin + ((c0 + c) * matrix.rows() + r0) * type.size, run);
        convert(run, type.swapped, tile.data() + c * tile_rows);
      }
      for (std::int64_t r = 0; r < rows; ++r) {
        float* const out = matrix.row(r0 + r) + c0;
        for (std::int64_t c = 0; c < cols; ++c) out[c] = tile[as_size(c * tile_rows + r)];
      }
    }
  }
}

}  // namespace detail

GRAFT_INLINE Matrix read_npy(const std::filesystem::path& path) {
  const detail::FileReader file("read_npy", path);
  detail::FileSource source(file);
  const detail::NpyHeader header = detail::read_npy_header(source);
  const detail::NpyConvert<float> convert = detail::float_conversion(header.type);
  if (convert == nullptr) {
    source.fail("dtype", "'" + header.type.text + "'", "must be float16, float32 or float64; save x.astype('float32')");
  }
  if (header.shape.empty() || header.shape.size() > 2) {
    source.fail("shape", detail::shape_text(header.shape),
                "must have 1 or 2 dimensions; reshape to [items, dims] before saving");
  }
  for (const std::int64_t dimension : header.shape) {
    if (dimension > detail::kMaxNodes) {
      source.fail("shape", detail::shape_text(header.shape), "must have at most 2147483647 rows and columns");
    }
  }
  Matrix matrix(header.shape[0], header.shape.size() == 2 ? header.shape[1] : 1);
  const MatrixView<float> view = matrix.mutable_view();
  if (header.fortran_order && view.rows() > 1 && view.cols() > 1) {
    detail::read_columns(file, file.size() - source.remaining(), header.type, convert, view);
  } else if (header.type.size == sizeof(float) && !header.type.swapped) {
    source.read(std::as_writable_bytes(std::span(view.data(), detail::as_size(header.count))));
  } else {
    detail::read_npy_elements(source, header, convert, [&](std::int64_t first, std::span<const float> values) {
      std::copy(values.begin(), values.end(), view.data() + first);
    });
  }
  return matrix;
}

GRAFT_INLINE void write_npy(const std::filesystem::path& path, In<MatrixView<const float>> matrix) {
  detail::AtomicFile file("write_npy", path);
  file.write(detail::npy_header("<f4", std::array{matrix.rows(), matrix.cols()}));
  if (matrix.stride() == matrix.cols()) {
    file.write(std::as_bytes(std::span(matrix.data(), detail::as_size(matrix.rows() * matrix.cols()))));
  } else {
    // Rows with gaps are packed into pieces of about 1 MiB, at least one row.
    const std::int64_t rows_at_once = std::clamp<std::int64_t>(262144 / std::max<std::int64_t>(matrix.cols(), 1), 1,
                                                               std::max<std::int64_t>(matrix.rows(), 1));
    std::vector<float> packed;
    for (std::int64_t begin = 0; begin < matrix.rows(); begin += rows_at_once) {
      packed.clear();
      for (std::int64_t r = begin; r < std::min(matrix.rows(), begin + rows_at_once); ++r) {
        packed.insert(packed.end(), matrix.row(r), matrix.row(r) + matrix.cols());
      }
      file.write(std::as_bytes(std::span(packed)));
    }
  }
  file.commit();
}

}  // namespace graft
