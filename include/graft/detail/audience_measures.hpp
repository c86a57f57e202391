// The measures of jaccard_graph: how a pair is ordered within a row, and what it weighs.
//
// Each measure gives, for a row item with audience d_i and a candidate with audience d_j and c common users,
//   float score(c, d_i, d_j, users)  the order, positive and within kScoreSlack of the exact one; negative if the pair
//                                    may be no edge at all. Cheap: it sifts the many
//   Key key(c, d_i, d_j, users)      the exact order: fractions are compared by cross-multiplication. It decides
//   bool before(a, b)                whether key a ranks strictly before b; equal keys are told apart by the column
//   float weight(c, d_i, d_j, users)
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <graft/detail/host_device.hpp>

namespace graft::detail {

/// 1 / (1 + 1e-7) in float32: what the published code gives a pair whose union is one single user.
inline constexpr float kSingleUserJaccard = 0.99999988F;

/// Bound of |score / exact - 1|, with room: a score takes at most four roundings to float.
inline constexpr float kScoreSlack = 1e-6F;
inline constexpr float kNoEdge = -1.0F;

/// num / den, ordered exactly: products of 32 bits fit 64.
struct Fraction {
  std::uint32_t num = 0;
  std::uint32_t den = 1;
  GRAFT_HOST_DEVICE friend bool operator<(const Fraction& a, const Fraction& b) {
    return std::uint64_t{a.num} * b.den < std::uint64_t{b.num} * a.den;
  }
};

/// c / (d_i + d_j - c); with d_i fixed it is ordered as c / (d_i + d_j).
struct JaccardMeasure {
  using Key = Fraction;
  GRAFT_HOST_DEVICE static float score(std::int64_t c, std::int64_t di, std::int64_t dj, std::int64_t /*users*/) {
    return static_cast<float>(c) / static_cast<float>(di + dj);
  }
  GRAFT_HOST_DEVICE static Key key(std::int64_t c, std::int64_t di, std::int64_t dj, std::int64_t /*users*/) {
    return {static_cast<std::uint32_t>(c), static_cast<std::uint32_t>(di + dj)};
  }
  GRAFT_HOST_DEVICE static bool before(const Key& a, const Key& b) { return b < a; }
  GRAFT_HOST_DEVICE static float weight(std::int64_t c, std::int64_t di, std::int64_t dj, std::int64_t /*users*/) {
    return static_cast<float>(c) / static_cast<float>(di + dj - c);
  }
};

/// c / sqrt(d_i d_j); with d_i fixed it is ordered as c^2 / d_j.
struct CosineMeasure {
  struct Key {
    std::uint32_t count = 0;
    std::uint32_t degree = 1;
  };
  GRAFT_HOST_DEVICE static float score(std::int64_t c, std::int64_t /*di*/, std::int64_t dj, std::int64_t /*users*/) {
    return static_cast<float>(c) * static_cast<float>(c) / static_cast<float>(dj);
  }
  GRAFT_HOST_DEVICE static Key key(std::int64_t c, std::int64_t /*di*/, std::int64_t dj, std::int64_t /*users*/) {
    return {static_cast<std::uint32_t>(c), static_cast<std::uint32_t>(dj)};
  }
  GRAFT_HOST_DEVICE static bool before(const Key& a, const Key& b) {
    __extension__ using Wide = unsigned __int128;  // 62 + 31 bits
    return Wide{a.count} * a.count * b.degree > Wide{b.count} * b.count * a.degree;
  }
  GRAFT_HOST_DEVICE static float weight(std::int64_t c, std::int64_t di, std::int64_t dj, std::int64_t /*users*/) {
    return static_cast<float>(static_cast<double>(c) / std::sqrt(static_cast<double>(di) * static_cast<double>(dj)));
  }
};

/// c / min(d_i, d_j).
struct OverlapMeasure {
  using Key = Fraction;
  GRAFT_HOST_DEVICE static float score(std::int64_t c, std::int64_t di, std::int64_t dj, std::int64_t /*users*/) {
    return static_cast<float>(c) / static_cast<float>(std::min(di, dj));
  }
  GRAFT_HOST_DEVICE static Key key(std::int64_t c, std::int64_t di, std::int64_t dj, std::int64_t /*users*/) {
    return {static_cast<std::uint32_t>(c), static_cast<std::uint32_t>(std::min(di, dj))};
  }
  GRAFT_HOST_DEVICE static bool before(const Key& a, const Key& b) { return b < a; }
  GRAFT_HOST_DEVICE static float weight(std::int64_t c, std::int64_t di, std::int64_t dj, std::int64_t /*users*/) {
    return static_cast<float>(c) / static_cast<float>(std::min(di, dj));
  }
};

/// Whether the pair meets more often than independence predicts: c / users > (d_i / users)(d_j / users).
GRAFT_HOST_DEVICE inline bool associated(std::int64_t c, std::int64_t di, std::int64_t dj, std::int64_t users) {
  return c * users > di * dj;  // all below 2^31
}

/// log(c users / (d_i d_j)); with d_i fixed it is ordered as c / d_j.
struct PmiMeasure {
  using Key = Fraction;
  GRAFT_HOST_DEVICE static float score(std::int64_t c, std::int64_t di, std::int64_t dj, std::int64_t users) {
    return associated(c, di, dj, users) ? static_cast<float>(c) / static_cast<float>(dj) : kNoEdge;
  }
  GRAFT_HOST_DEVICE static Key key(std::int64_t c, std::int64_t /*di*/, std::int64_t dj, std::int64_t /*users*/) {
    return {static_cast<std::uint32_t>(c), static_cast<std::uint32_t>(dj)};
  }
  GRAFT_HOST_DEVICE static bool before(const Key& a, const Key& b) { return b < a; }
  GRAFT_HOST_DEVICE static float weight(std::int64_t c, std::int64_t di, std::int64_t dj, std::int64_t users) {
    const double observed = static_cast<double>(c) * static_cast<double>(users);
    return static_cast<float>(std::log(observed / (static_cast<double>(di) * static_cast<double>(dj))));
  }
};

/// Dunning's G^2 = 2 sum over the cells of the 2 x 2 table of k log(k users / (row sum * column sum)).
struct LogLikelihoodMeasure {
  using Key = double;
  GRAFT_HOST_DEVICE static float score(std::int64_t c, std::int64_t di, std::int64_t dj, std::int64_t users) {
    // rounding may leave the statistic of a nearly independent pair a little below 0
    return associated(c, di, dj, users) ? std::max(0.0F, weight(c, di, dj, users)) : kNoEdge;
  }
  GRAFT_HOST_DEVICE static Key key(std::int64_t c, std::int64_t di, std::int64_t dj, std::int64_t users) {
    return 2.0 * (cell(c, di, dj, users) + cell(di - c, di, users - dj, users) + cell(dj - c, users - di, dj, users) +
                  cell(users - di - dj + c, users - di, users - dj, users));
  }
  GRAFT_HOST_DEVICE static bool before(const Key& a, const Key& b) { return a > b; }
  GRAFT_HOST_DEVICE static float weight(std::int64_t c, std::int64_t di, std::int64_t dj, std::int64_t users) {
    return static_cast<float>(key(c, di, dj, users));
  }

 private:
  GRAFT_HOST_DEVICE static double cell(std::int64_t k, std::int64_t row, std::int64_t column, std::int64_t users) {
    if (k == 0) return 0.0;
    const auto count = static_cast<double>(k);
    return count *
           std::log(count * static_cast<double>(users) / (static_cast<double>(row) * static_cast<double>(column)));
  }
};

}  // namespace graft::detail
