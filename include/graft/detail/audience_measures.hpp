// The measures of jaccard_graph: how a pair is ordered within a row, and what it weighs.
//
// Each measure gives, for a row item with audience d_i and a candidate with audience d_j and c common users,
//   Key make(c, d_i, d_j, users)   what the row is ordered by
//   bool before(a, b)              whether a ranks strictly before b; equal keys are told apart by the column
//   bool admits(c, d_i, d_j, users)  whether the pair may be an edge at all
//   float weight(c, d_i, d_j, users)
// Orders that are fractions are compared by cross-multiplication, so ties are exact.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace graft::detail {

/// num / den, ordered exactly: products of 32 bits fit 64.
struct Fraction {
  std::uint32_t num = 0;
  std::uint32_t den = 1;
  friend bool operator<(const Fraction& a, const Fraction& b) {
    return std::uint64_t{a.num} * b.den < std::uint64_t{b.num} * a.den;
  }
};

/// c / (d_i + d_j - c); with d_i fixed it is ordered as c / (d_i + d_j).
struct JaccardMeasure {
  using Key = Fraction;
  static Key make(std::int64_t c, std::int64_t di, std::int64_t dj, std::int64_t /*users*/) {
    return {static_cast<std::uint32_t>(c), static_cast<std::uint32_t>(di + dj)};
  }
  static bool before(const Key& a, const Key& b) { return b < a; }
  static bool admits(std::int64_t, std::int64_t, std::int64_t, std::int64_t) { return true; }
  static float weight(std::int64_t c, std::int64_t di, std::int64_t dj, std::int64_t /*users*/) {
    return static_cast<float>(c) / static_cast<float>(di + dj - c);
  }
};

/// c / sqrt(d_i d_j); with d_i fixed it is ordered as c^2 / d_j.
struct CosineMeasure {
  struct Key {
    std::uint32_t count = 0;
    std::uint32_t degree = 1;
  };
  static Key make(std::int64_t c, std::int64_t /*di*/, std::int64_t dj, std::int64_t /*users*/) {
    return {static_cast<std::uint32_t>(c), static_cast<std::uint32_t>(dj)};
  }
  static bool before(const Key& a, const Key& b) {
    __extension__ using Wide = unsigned __int128;  // 62 + 31 bits
    return Wide{std::uint64_t{a.count} * a.count} * b.degree > Wide{std::uint64_t{b.count} * b.count} * a.degree;
  }
  static bool admits(std::int64_t, std::int64_t, std::int64_t, std::int64_t) { return true; }
  static float weight(std::int64_t c, std::int64_t di, std::int64_t dj, std::int64_t /*users*/) {
    return static_cast<float>(static_cast<double>(c) / std::sqrt(static_cast<double>(di) * static_cast<double>(dj)));
  }
};

/// c / min(d_i, d_j).
struct OverlapMeasure {
  using Key = Fraction;
  static Key make(std::int64_t c, std::int64_t di, std::int64_t dj, std::int64_t /*users*/) {
    return {static_cast<std::uint32_t>(c), static_cast<std::uint32_t>(std::min(di, dj))};
  }
  static bool before(const Key& a, const Key& b) { return b < a; }
  static bool admits(std::int64_t, std::int64_t, std::int64_t, std::int64_t) { return true; }
  static float weight(std::int64_t c, std::int64_t di, std::int64_t dj, std::int64_t /*users*/) {
    return static_cast<float>(c) / static_cast<float>(std::min(di, dj));
  }
};

/// Whether the pair meets more often than independence predicts: c / users > (d_i / users)(d_j / users).
inline bool associated(std::int64_t c, std::int64_t di, std::int64_t dj, std::int64_t users) {
  return c * users > di * dj;  // all below 2^31
}

/// log(c users / (d_i d_j)); with d_i fixed it is ordered as c / d_j.
struct PmiMeasure {
  using Key = Fraction;
  static Key make(std::int64_t c, std::int64_t /*di*/, std::int64_t dj, std::int64_t /*users*/) {
    return {static_cast<std::uint32_t>(c), static_cast<std::uint32_t>(dj)};
  }
  static bool before(const Key& a, const Key& b) { return b < a; }
  static bool admits(std::int64_t c, std::int64_t di, std::int64_t dj, std::int64_t users) {
    return associated(c, di, dj, users);
  }
  static float weight(std::int64_t c, std::int64_t di, std::int64_t dj, std::int64_t users) {
    const double observed = static_cast<double>(c) * static_cast<double>(users);
    return static_cast<float>(std::log(observed / (static_cast<double>(di) * static_cast<double>(dj))));
  }
};

/// Dunning's G^2 = 2 sum over the cells of the 2 x 2 table of k log(k users / (row sum * column sum)).
struct LogLikelihoodMeasure {
  using Key = double;
  static Key make(std::int64_t c, std::int64_t di, std::int64_t dj, std::int64_t users) {
    return 2.0 * (cell(c, di, dj, users) + cell(di - c, di, users - dj, users) + cell(dj - c, users - di, dj, users) +
                  cell(users - di - dj + c, users - di, users - dj, users));
  }
  static bool before(const Key& a, const Key& b) { return a > b; }
  static bool admits(std::int64_t c, std::int64_t di, std::int64_t dj, std::int64_t users) {
    return associated(c, di, dj, users);
  }
  static float weight(std::int64_t c, std::int64_t di, std::int64_t dj, std::int64_t users) {
    return static_cast<float>(make(c, di, dj, users));
  }

 private:
  static double cell(std::int64_t k, std::int64_t row, std::int64_t column, std::int64_t users) {
    if (k == 0) return 0.0;
    const auto count = static_cast<double>(k);
    return count *
           std::log(count * static_cast<double>(users) / (static_cast<double>(row) * static_cast<double>(column)));
  }
};

}  // namespace graft::detail
