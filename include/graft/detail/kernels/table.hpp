// The kernels of one instruction set, as plain function pointers.
//
// Kernel headers hold raw pointers only: no standard or Eigen container, so that no shared inline function can be
// compiled for a newer processor and end up in baseline code.
#pragma once

#include <stdint.h>

namespace graft::detail::kernels {

/// Rows of one packed block and of one side of a score tile: a multiple of every panel width, small enough that the
/// scores and a slice of the packed rows stay in a 512 KiB second-level cache, and below 256 so that a position fits
/// a byte.
inline constexpr int kTileRows = 192;

/// A score that one of the sides of a tile may keep.
struct Survivor {
  float value;
  uint8_t row;     ///< position in the tile
  uint8_t column;  ///< position in the tile
  uint8_t sides;   ///< kRowSide | kColumnSide
};
inline constexpr uint8_t kRowSide = 1;
inline constexpr uint8_t kColumnSide = 2;

/// Packed rows: panels of `panel_rows` rows; element (r, k) of a panel is panel[k * panel_rows + r].
struct KernelTable {
  const char* name;
  int panel_rows;
  /// scores[r * kTileRows + c] = sum over ascending k of a(r, k) * b(c, k), one accumulator a pair, for whole panels.
  void (*dot_tile)(const float* a, int a_panels, const float* b, int b_panels, int64_t dims, float* scores);
  /// scores[r * kTileRows + c] = -sum over ascending k of (a(r, k) - b(c, k))^2, as above.
  void (*l2_tile)(const float* a, int a_panels, const float* b, int b_panels, int64_t dims, float* scores);
  /// Writes every score that is >= its row's or its column's threshold (NaN never is) to `survivors`, which has room
  /// for kTileRows^2, row by row; gives their number. `columns` is a multiple of panel_rows.
  int (*scan_tile)(const float* scores, int rows, int columns, const float* row_thresholds,
                   const float* column_thresholds, Survivor* survivors);
  /// Writes the values that are >= bound (NaN never is) and their places; gives their number. `count` is a multiple of
  /// panel_rows, at most kTileRows.
  int (*collect)(const float* values, int count, float bound, float* kept, uint8_t* places);
  /// A bound that at least k >= 1 of the values reach, and not many more; -infinity if fewer than k are not NaN.
  /// `count` is a multiple of panel_rows.
  float (*kth_largest_bound)(const float* values, int count, int k);
};

}  // namespace graft::detail::kernels
