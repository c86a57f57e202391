// Random inputs with the shapes that break things: duplicates, zero rows, ties, padding, heavy users.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <graft/core/interactions.hpp>
#include <graft/core/matrix_view.hpp>

namespace graft::test {

using Random = std::mt19937_64;

/// How many random cases run: a percentage of `full` that GRAFT_TEST_CASES_PERCENT of the environment says; all of them
/// unless it does, but fewer under sanitizers, which are slow.
inline int cases(int full) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr int kDefaultPercent = 25;
#else
  constexpr int kDefaultPercent = 100;
#endif
  const char* percent = std::getenv("GRAFT_TEST_CASES_PERCENT");
  return std::max(1, full * (percent != nullptr ? std::atoi(percent) : kDefaultPercent) / 100);
}

/// Whole number in [low, high].
inline std::int64_t draw(Random& random, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

template <class T>
const T& pick(Random& random, const std::vector<T>& choices) {
  return choices[static_cast<std::size_t>(draw(random, 0, static_cast<std::int64_t>(choices.size()) - 1))];
}

enum class Kind {
  gaussian,
  positive,       ///< uniform in (0, 1): high cosines, biased rounding
  small_integer,  ///< -3 ... 3: dot and l2 are exact, ties abound
  signs,          ///< 4^m entries of +1 or -1, the others 0: cosine is exact too
  constant,       ///< each row one value: cosines are +1 or -1 up to rounding
  scaled          ///< gaussian rows times 1e-30 ... 1e30
};

inline const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::gaussian:
      return "gaussian";
    case Kind::positive:
      return "positive";
    case Kind::small_integer:
      return "small_integer";
    case Kind::signs:
      return "signs";
    case Kind::constant:
      return "constant";
    case Kind::scaled:
      return "scaled";
  }
  return "?";
}

/// Features with padding between rows; the padding is NaN, which nobody may read.
struct FeatureData {
  std::int64_t items = 0;
  std::int64_t dims = 0;
  std::int64_t stride = 0;
  std::vector<float> values;

  [[nodiscard]] MatrixView<const float> view() const { return {values.data(), items, dims, stride}; }
  [[nodiscard]] float* row(std::int64_t r) { return values.data() + r * stride; }
};

inline void fill_row(Random& random, Kind kind, float* row, std::int64_t dims) {
  std::normal_distribution<float> normal(0.0F, 1.0F);
  std::uniform_real_distribution<float> uniform(0.01F, 1.0F);
  const float constant = normal(random);
  const float scale = std::pow(10.0F, static_cast<float>(draw(random, -30, 30)));
  std::int64_t signs = 1;
  while (signs * 4 <= dims) signs *= 4;
  for (std::int64_t d = 0; d < dims; ++d) {
    switch (kind) {
      case Kind::gaussian:
        row[d] = normal(random);
        break;
      case Kind::positive:
        row[d] = uniform(random);
        break;
      case Kind::small_integer:
        row[d] = static_cast<float>(draw(random, -3, 3));
        break;
      case Kind::signs:
        row[d] = d >= signs ? 0.0F : (draw(random, 0, 1) == 0 ? -1.0F : 1.0F);
        break;
      case Kind::constant:
        row[d] = constant;
        break;
      case Kind::scaled:
        row[d] = normal(random) * scale;
        break;
    }
  }
}

struct FeatureShape {
  Kind kind = Kind::gaussian;
  std::int64_t items = 0;
  std::int64_t dims = 0;
  std::int64_t padding = 0;
  double zero_share = 0.05;       ///< rows of zeros
  double duplicate_share = 0.15;  ///< rows that repeat an earlier one
};

inline FeatureData draw_features(Random& random, const FeatureShape& shape) {
  FeatureData data{shape.items, shape.dims, shape.dims + shape.padding, {}};
  data.values.assign(static_cast<std::size_t>(data.items * data.stride), std::numeric_limits<float>::quiet_NaN());
  std::uniform_real_distribution<double> chance(0.0, 1.0);
  for (std::int64_t r = 0; r < data.items; ++r) {
    float* row = data.row(r);
    const double luck = chance(random);
    if (luck < shape.zero_share) {
      std::fill_n(row, data.dims, r % 2 == 0 ? 0.0F : -0.0F);
    } else if (r > 0 && luck < shape.zero_share + shape.duplicate_share) {
      std::copy_n(data.row(draw(random, 0, r - 1)), data.dims, row);
    } else {
      fill_row(random, shape.kind, row, data.dims);
    }
  }
  return data;
}

struct AudienceShape {
  std::int64_t users = 0;
  std::int64_t items = 0;
  double mean_history = 4.0;     ///< interactions of a usual user
  std::int64_t heavy_users = 0;  ///< users with most of the items
  double empty_share = 0.1;      ///< items that nobody has
  double twin_share = 0.1;       ///< items that copy the audience of an earlier one
  double single_share = 0.1;     ///< items with exactly one user
};

/// Skewed popularity, repeated pairs, empty, single and identical audiences.
inline Interactions draw_interactions(Random& random, const AudienceShape& shape) {
  std::vector<std::vector<std::int32_t>> audience(static_cast<std::size_t>(shape.items));
  std::uniform_real_distribution<double> chance(0.0, 1.0);
  std::poisson_distribution<std::int64_t> history(shape.mean_history);
  for (std::int64_t u = 0; u < shape.users && shape.items > 0; ++u) {
    const bool heavy = u < shape.heavy_users;
    for (std::int64_t i = 0; heavy && i < shape.items; ++i) {
      if (chance(random) < 0.9) audience[static_cast<std::size_t>(i)].push_back(static_cast<std::int32_t>(u));
    }
    const std::int64_t count = history(random);
    for (std::int64_t n = 0; n < count; ++n) {
      const double skew = chance(random) * chance(random);
      const auto item = static_cast<std::size_t>(skew * static_cast<double>(shape.items));
      audience[std::min(item, audience.size() - 1)].push_back(static_cast<std::int32_t>(u));
    }
  }
  for (std::size_t i = 0; i < audience.size(); ++i) {
    const double luck = chance(random);
    if (luck < shape.empty_share) {
      audience[i].clear();
    } else if (luck < shape.empty_share + shape.twin_share && i > 0) {
      audience[i] = audience[static_cast<std::size_t>(draw(random, 0, static_cast<std::int64_t>(i) - 1))];
    } else if (luck < shape.empty_share + shape.twin_share + shape.single_share && shape.users > 0) {
      audience[i] = {static_cast<std::int32_t>(draw(random, 0, std::min<std::int64_t>(shape.users, 5) - 1))};
    }
  }
  std::vector<std::int32_t> user_ids;
  std::vector<std::int32_t> item_ids;
  for (std::size_t i = 0; i < audience.size(); ++i) {
    for (const std::int32_t user : audience[i]) {
      user_ids.push_back(user);
      item_ids.push_back(static_cast<std::int32_t>(i));
    }
  }
  return Interactions::from_pairs(user_ids, item_ids, shape.users, shape.items);
}

}  // namespace graft::test
