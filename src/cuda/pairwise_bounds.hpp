// What a score of the tensor cores can be wrong by, and what follows for the columns that a shortlist left out.
//
// Every row x has a scale s, a power of two with 1 <= |x / s| < 2 (cosine: x is the row divided by its norm and s = 1).
// x' = x / s is exact. The tensor cores multiply h = fp16(2^8 x') / 2^8, with r = x' - h known: float16 has the 11 bits
// of TF32 at the rate of BF16, and the scale keeps it in range; what would be subnormal is cut to 0, and so part of r.
// The 2^16 are taken out of the product exactly. So for two rows
//
//   x'y' - t = r_x h_y + h_x r_y + r_x r_y + (h_x h_y - t)
//   |x'y' - t| <= |r_x| |h_y| + |h_x| |r_y| + |r_x| |r_y| + |h_x h_y - t|                        (Cauchy-Schwarz)
//
// with norms that are computed, not estimated. t sums dims products of float16, each exact in float32, in blocks of w
// products and the running sum: the w + 1 terms of a block are brought to the largest exponent, cut below 2^-23 of it,
// summed, and cut again. No term is above S = sum_k |h_xk h_yk| <= |h_x| |h_y|, so a block is wrong by at most
// (w + 2) 2^-23 S and all dims / w of them by (1 + 2 / w) dims 2^-23 S <= dims 2^-22 S for w >= 2. Sums rounded to
// nearest after every product, in any order, are within it too.
//
// The scores that decide are those of float32, e = fl(<x, y>): one accumulator, fused multiply-adds over ascending
// dimensions. |e - <x, y>| <= g |x| |y|, g = dims u / (1 - dims u), u = 2^-24. Hence |e / (s_x s_y) - t| <= E,
//
//   E = |r_x| H + |h_x| R + |r_x| R + dims 2^-22 |h_x| H + g (|h_x| + |r_x|) (H + R),
//
// H and R the largest |h_y| and |r_y| of all columns. Columns are shortlisted by the most that they can score:
//
//   cosine  t                      (+ E, the same for all columns of a row)
//   dot     s_y (t + E)            (times s_x, the same for all columns of a row)
//   l2      2 s_x s_y (t + E) - |y|^2   (- |x|^2)
//
// The rounding of these few operations is in `kScoreRounding`, added to E, and in the limits below. A row is done when
// the k-th best exact score of the shortlist is above the limit of what was left out; else it is done in float32.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include <graft/detail/host_device.hpp>
#include <graft/ops/types.hpp>

namespace graft::cuda {

/// What rows of float16 are multiplied by, so that few of their elements are subnormal.
inline constexpr float kHalfScale = 256.0F;
inline constexpr float kLeastNormalHalf = 0x1p-14F;

inline constexpr double kFloatUnit = 0x1p-24;
inline constexpr double kTensorUnit = 0x1p-22;
/// |t| + E is below 5; its rounding to float32 below 2^-22.
inline constexpr double kScoreRounding = 0x1p-20;
/// Beyond, the bound says nothing that selection could use: such rows are scored in float32 from the start.
inline constexpr std::int64_t kMostShortlistDims = std::int64_t{1} << 18;
/// Exponent of the scale of a row of zeros: below that of every other row.
inline constexpr int kZeroRowExponent = -160;

/// Upper bounds of |x' - h| and |h| of a row, or their largest over columns.
struct RowError {
  double residual;
  double norm;
};

/// E of a row against columns with at most these errors, rounded up.
GRAFT_HOST_DEVICE inline float shortlist_error(const RowError& row, const RowError& columns, std::int64_t dims) {
  const auto d = static_cast<double>(dims);
  const double chain = d * kFloatUnit / (1.0 - d * kFloatUnit);
  const double representation =
      row.residual * columns.norm + row.norm * columns.residual + row.residual * columns.residual;
  const double sums = d * kTensorUnit * row.norm * columns.norm;
  const double exact = chain * (row.norm + row.residual) * (columns.norm + columns.residual);
  constexpr double kUp = 1.0 + 0x1p-20;  // of the conversion to float32 and of the sums here
  return static_cast<float>((representation + sums + exact + kScoreRounding) * kUp);
}

/// Takes the rounding of a computed squared norm out of it: sums of up to 2^18 squares in double are off by less.
inline constexpr double kNormDown = 1.0 - 0x1p-30;

/// Power of two that a row is divided by, as its exponent.
GRAFT_HOST_DEVICE inline int scale_exponent(Metric metric, double norm) {
  if (metric == Metric::cosine) return 0;
  return norm > 0.0 ? ilogb(norm) : kZeroRowExponent;
}

/// What a row's scores share.
struct RowTerms {
  float error;   ///< E
  float factor;  ///< l2: 2 s_x s_max, with s_max the largest scale of the columns; else 1
};

/// What a column brings: s_y / s_max and, for l2, a lower bound of |y|^2.
struct ColumnTerms {
  float scale;
  float squared_norm;
};

/// The value that columns are shortlisted by, from the tensor cores' t.
template <Metric kMetric>
GRAFT_HOST_DEVICE float shortlist_score(float t, const RowTerms& row, const ColumnTerms& column) {
  if constexpr (kMetric == Metric::cosine) {
    return t;
  } else if constexpr (kMetric == Metric::dot) {
    return column.scale * (t + row.error);
  } else {
    return fmaf(row.factor, column.scale * (t + row.error), -column.squared_norm);
  }
}

/// What the limits need to know of a row.
struct LimitTerms {
  RowTerms terms;
  int exponent;         ///< of s_x s_max
  double squared_norm;  ///< |x|^2
  std::int64_t dims;
};

/// The most that the exact score of a column can be whose shortlist value is at most `bar`.
template <Metric kMetric>
GRAFT_HOST_DEVICE double score_limit(float bar, const LimitTerms& row) {
  const double value = bar;
  // what products below float32's range can add to an exact score
  const double underflow = static_cast<double>(row.dims) * 0x1p-149;
  if constexpr (kMetric == Metric::cosine) {
    return fmin(fmax(value + row.terms.error, -1.0), 1.0);
  } else if constexpr (kMetric == Metric::dot) {
    return ldexp(value + 0x1p-147, row.exponent) + underflow;
  } else {
    const double rounding = fabs(value) * 0x1p-22 + static_cast<double>(row.terms.factor) * 0x1p-147 + 0x1p-140;
    const double distance = fmax(0.0, row.squared_norm * kNormDown - (value + rounding));
    const double shrink = 1.0 - 2.0 * static_cast<double>(row.dims + 4) * kFloatUnit;
    return -distance * shrink + underflow;
  }
}

/// Columns whose shortlist value is below this are not among a row's k best: k others score more for certain.
/// @param least  the smallest `least_value` among the k best by value
template <Metric kMetric>
GRAFT_HOST_DEVICE float shortlist_floor(float least, const RowTerms& row) {
  if constexpr (kMetric == Metric::cosine) {
    // Clamped scores tie at the ends of [-1, 1], and then columns decide: no column that may reach an end is left out.
    if (least <= -1.0F) return -std::numeric_limits<float>::infinity();
    const float end = 1.0F - row.error;
    return least < end ? least : end;
  } else {
    return least;
  }
}

/// A column with a smaller shortlist value than this one's scores less than this one does: the value less twice the
/// error, one for either column. l2, whose exact scores have an error of their own, is not pruned: -infinity.
template <Metric kMetric>
GRAFT_HOST_DEVICE float least_value(float value, const RowTerms& row, const ColumnTerms& column) {
  if constexpr (kMetric == Metric::l2) {
    return -std::numeric_limits<float>::infinity();
  } else {
    const double slack = (2.0 * row.error + kScoreRounding) * (kMetric == Metric::dot ? column.scale : 1.0F);
    return static_cast<float>(value - slack - fabs(static_cast<double>(value)) * 0x1p-22 - 0x1p-140);
  }
}

}  // namespace graft::cuda
