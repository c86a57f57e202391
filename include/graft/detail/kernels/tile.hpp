// Register-blocked score tiles, written once over a vector type V of one instruction set.
//
// V gives: width, reg, zero(), load(p), store(p, v), broadcast(p), multiply_add(acc, a, b) = acc + a * b,
// subtract_square(acc, a, b) = acc - (a - b)^2, and at_least(v, t), a bit a lane. (What else it gives is for training:
// train_kernels.hpp.) Every template here is instantiated with a V of its own namespace, so no symbol is shared between
// instruction sets.
#pragma once

#include <graft/detail/kernels/table.hpp>

namespace graft::detail::kernels {

/// Bytes of one panel's slice of dimensions: leaves room for the other operand in a 32 KiB first-level cache.
inline constexpr int kPanelSliceBytes = 24 * 1024;

template <class V>
struct DotStep {
  static typename V::reg apply(typename V::reg acc, typename V::reg a, typename V::reg b) {
    return V::multiply_add(acc, a, b);
  }
};

template <class V>
struct L2Step {
  static typename V::reg apply(typename V::reg acc, typename V::reg a, typename V::reg b) {
    return V::subtract_square(acc, a, b);
  }
};

/// Scores of kRows rows of panel `a` against one whole panel `b` over `depth` dimensions, continuing from `scores`
/// unless `first`. Each pair has one accumulator, so slicing the dimensions changes no bit.
template <class V, class Step, int kRows, int kVectors>
inline __attribute__((always_inline)) void micro_tile(const float* a, const float* b, int64_t depth, bool first,
                                                      float* scores) {
  constexpr int kPanel = kVectors * V::width;
  typename V::reg acc[kRows][kVectors];
#pragma GCC unroll 16
  for (int64_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int64_t v = 0; v < kVectors; ++v) {
      acc[r][v] = first ? V::zero() : V::load(scores + r * kTileRows + v * V::width);
    }
  }
  for (int64_t k = 0; k < depth; ++k) {
    typename V::reg column[kVectors];
#pragma GCC unroll 4
    for (int64_t v = 0; v < kVectors; ++v) column[v] = V::load(b + k * kPanel + v * V::width);
#pragma GCC unroll 16
    for (int64_t r = 0; r < kRows; ++r) {
      const typename V::reg row = V::broadcast(a + k * kPanel + r);
#pragma GCC unroll 4
      for (int64_t v = 0; v < kVectors; ++v) acc[r][v] = Step::apply(acc[r][v], row, column[v]);
    }
  }
#pragma GCC unroll 16
  for (int64_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int64_t v = 0; v < kVectors; ++v) V::store(scores + r * kTileRows + v * V::width, acc[r][v]);
  }
}

/// Scores of the first `a_rows` rows of panels `a`, a multiple of kRows, against whole panels `b`, continuing from
/// `scores` where `go_on`.
template <class V, class Step, int kRows, int kVectors>
void score_rows(const float* a, int a_rows, const float* b, int b_panels, int64_t dims, bool go_on, float* scores) {
  constexpr int kPanel = kVectors * V::width;
  static_assert(kTileRows % kPanel == 0 && kPanel % kRows == 0);
  constexpr int64_t kSlice = kPanelSliceBytes / (kPanel * static_cast<int>(sizeof(float)));
  int64_t begin = 0;
  do {  // once even without dimensions: the scores are then 0
    const int64_t depth = dims - begin < kSlice ? dims - begin : kSlice;
    for (int j = 0; j < b_panels; ++j) {
      const float* b_slice = b + (j * dims + begin) * kPanel;
      for (int64_t r = 0; r < a_rows; r += kRows) {
        const float* a_slice = a + (r / kPanel * dims + begin) * kPanel + r % kPanel;
        float* block = scores + r * kTileRows + static_cast<int64_t>(j) * kPanel;
        micro_tile<V, Step, kRows, kVectors>(a_slice, b_slice, depth, begin == 0 && !go_on, block);
      }
    }
    begin += kSlice;
  } while (begin < dims);
}

template <class V, class Step, int kRows, int kVectors>
void score_tile(const float* a, int a_panels, const float* b, int b_panels, int64_t dims, float* scores) {
  score_rows<V, Step, kRows, kVectors>(a, a_panels * kVectors * V::width, b, b_panels, dims, false, scores);
}

template <class V>
int scan_tile(const float* scores, int rows, int columns, const float* row_thresholds, const float* column_thresholds,
              Survivor* survivors) {
  int count = 0;
  for (int r = 0; r < rows; ++r) {
    const float* row = scores + static_cast<int64_t>(r) * kTileRows;
    const typename V::reg row_threshold = V::broadcast(row_thresholds + r);
    for (int c = 0; c < columns; c += V::width) {
      const typename V::reg values = V::load(row + c);
      const unsigned row_side = V::at_least(values, row_threshold);
      const unsigned column_side = V::at_least(values, V::load(column_thresholds + c));
      for (unsigned lanes = row_side | column_side; lanes != 0; lanes &= lanes - 1) {
        const int lane = __builtin_ctz(lanes);
        const unsigned sides = ((row_side >> lane) & 1U) * kRowSide | ((column_side >> lane) & 1U) * kColumnSide;
        survivors[count++] = {row[c + lane], static_cast<uint8_t>(r), static_cast<uint8_t>(c + lane),
                              static_cast<uint8_t>(sides)};
      }
    }
  }
  return count;
}

template <class V>
int collect(const float* values, int count, float bound, float* kept, uint8_t* places) {
  const typename V::reg bounds = V::broadcast(&bound);
  int size = 0;
  for (int c = 0; c < count; c += V::width) {
    for (unsigned lanes = V::at_least(V::load(values + c), bounds); lanes != 0; lanes &= lanes - 1) {
      const int place = c + __builtin_ctz(lanes);
      kept[size] = values[place];
      places[size++] = static_cast<uint8_t>(place);
    }
  }
  return size;
}

template <class V>
int count_at_least(const float* values, int count, float bound) {
  const typename V::reg bounds = V::broadcast(&bound);
  int result = 0;
  for (int c = 0; c < count; c += V::width) result += __builtin_popcount(V::at_least(V::load(values + c), bounds));
  return result;
}

template <class V>
float kth_largest_bound(const float* values, int count, int k) {
  if (count_at_least<V>(values, count, -__builtin_inff()) < k) return -__builtin_inff();
  float lows[V::width];
  float highs[V::width];
  for (int lane = 0; lane < V::width; ++lane) {
    lows[lane] = __builtin_inff();
    highs[lane] = -__builtin_inff();
  }
  for (int c = 0; c < count; c += V::width) {
    for (int lane = 0; lane < V::width; ++lane) {  // a NaN changes neither
      const float value = values[c + lane];
      lows[lane] = value < lows[lane] ? value : lows[lane];
      highs[lane] = value > highs[lane] ? value : highs[lane];
    }
  }
  float low = lows[0];
  float high = highs[0];
  for (int lane = 1; lane < V::width; ++lane) {
    low = lows[lane] < low ? lows[lane] : low;
    high = highs[lane] > high ? highs[lane] : high;
  }
  // Halving the interval of values; any bound that leaves k is right, a few too many cost little.
  constexpr int kMostHalvings = 16;
  const int enough = k + k / 8 + 1;
  for (int step = 0; step < kMostHalvings; ++step) {
    const float middle = low * 0.5F + high * 0.5F;
    const int kept = count_at_least<V>(values, count, middle);
    if (kept < k) {
      high = middle;
    } else {
      low = middle;
      if (kept <= enough) break;
    }
  }
  return low;
}

template <class V, int kRows, int kVectors>
constexpr KernelTable make_table(const char* name) {
  return {name,
          kVectors * V::width,
          &score_tile<V, DotStep<V>, kRows, kVectors>,
          &score_tile<V, L2Step<V>, kRows, kVectors>,
          &scan_tile<V>,
          &collect<V>,
          &kth_largest_bound<V>};
}

}  // namespace graft::detail::kernels
