// The error bound of the shortlist, and what is concluded from it, against scores computed here.
#include "cuda/pairwise_bounds.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "../support/random_data.hpp"
#include "cuda/pairwise_plan.hpp"

namespace pairwise_bounds_test {
namespace {

using namespace graft;
using graft::test::draw;
using graft::test::pick;
using graft::test::Random;

/// What float16 holds of a scaled element: 11 bits, and nothing below its normal range.
double to_half(double element) {
  const double value = element * double{cuda::kHalfScale};
  if (value == 0.0) return 0.0;
  const double unit = std::ldexp(1.0, std::ilogb(value) - 10);
  const double rounded = std::nearbyint(value / unit) * unit;
  return std::abs(rounded) < double{cuda::kLeastNormalHalf} ? 0.0 : rounded / double{cuda::kHalfScale};
}

struct Row {
  std::vector<float> exact;
  std::vector<double> half;
  double norm = 0.0;
  int exponent = 0;
  cuda::RowError error{};
};

Row row_of(const std::vector<float>& values, Metric metric) {
  Row row;
  double sum = 0.0;
  for (const float value : values) sum += double{value} * double{value};
  row.norm = std::sqrt(sum);
  row.exponent = cuda::scale_exponent(metric, row.norm);
  double residual = 0.0;
  double size = 0.0;
  for (const float value : values) {
    const float exact = metric == Metric::cosine ? static_cast<float>(value * (1.0 / row.norm)) : value;
    const double scaled = std::ldexp(double{exact}, -row.exponent);
    row.exact.push_back(exact);
    row.half.push_back(to_half(scaled));
    residual += (scaled - row.half.back()) * (scaled - row.half.back());
    size += row.half.back() * row.half.back();
  }
  row.error = {.residual = std::sqrt(residual) * (1.0 + 1e-6), .norm = std::sqrt(size) * (1.0 + 1e-6)};
  return row;
}

/// A float with all bits cut that 24 do not hold: the least that the matrix units keep.
float cut(double value) {
  const auto rounded = static_cast<float>(value);
  return std::abs(double{rounded}) > std::abs(value) ? std::nextafter(rounded, 0.0F) : rounded;
}

/// Sums that cut after every product, in blocks of `width`.
float tensor_score(const Row& x, const Row& y, std::size_t width) {
  float sum = 0.0F;
  for (std::size_t begin = 0; begin < x.half.size(); begin += width) {
    float block = 0.0F;
    for (std::size_t k = begin; k < std::min(x.half.size(), begin + width); ++k) {
      block = cut(double{block} + x.half[k] * y.half[k]);
    }
    sum = cut(double{sum} + double{block});
  }
  return sum;
}

float exact_score(const Row& x, const Row& y, Metric metric) {
  float score = 0.0F;
  for (std::size_t k = 0; k < x.exact.size(); ++k) {
    if (metric == Metric::l2) {
      const float d = x.exact[k] - y.exact[k];
      score = std::fma(-d, d, score);
    } else {
      score = std::fma(x.exact[k], y.exact[k], score);
    }
  }
  return metric == Metric::cosine ? std::clamp(score, -1.0F, 1.0F) : score;
}

/// Rows of one matrix, the first of which is the query, with terms as the device prepares them.
struct Side {
  Metric metric;
  std::vector<Row> rows;
  std::vector<cuda::ColumnTerms> terms;
  cuda::RowError largest{};
  int exponent = cuda::kZeroRowExponent;
  cuda::LimitTerms query{};

  Side(Random& random, Metric chosen, std::int64_t dims) : metric(chosen) {
    std::normal_distribution<float> normal(draw(random, 0, 1) == 0 ? 0.0F : 1.0F, 1.0F);
    const bool spread = metric != Metric::cosine && draw(random, 0, 1) == 0;
    constexpr int kRows = 40;
    for (int r = 0; r < kRows; ++r) {
      std::vector<float> values(static_cast<std::size_t>(dims));
      const float scale = spread ? std::ldexp(1.0F, static_cast<int>(draw(random, -20, 20))) : 1.0F;
      for (float& value : values) value = normal(random) * scale;
      if (r % 8 == 7) values = rows[static_cast<std::size_t>(r - 1)].exact;  // twins
      rows.push_back(row_of(values, metric));
    }
    for (const Row& row : rows) {
      largest.residual = std::max(largest.residual, row.error.residual);
      largest.norm = std::max(largest.norm, row.error.norm);
      exponent = std::max(exponent, row.exponent);
    }
    for (const Row& row : rows) {
      terms.push_back({std::ldexp(1.0F, row.exponent - exponent),
                       metric == Metric::l2 ? static_cast<float>(row.norm * row.norm * (1.0 - 1e-6)) : 0.0F});
    }
    const Row& first = rows.front();
    query.terms.error = cuda::shortlist_error(first.error, largest, dims);
    query.terms.factor = metric == Metric::l2 ? std::ldexp(1.0F, 1 + first.exponent + exponent) : 1.0F;
    query.exponent = first.exponent + exponent;
    query.squared_norm = first.norm * first.norm;
    query.dims = dims;
  }
};

template <Metric kMetric>
void check_side(Random& random, std::int64_t dims) {
  const Side side(random, kMetric, dims);
  const Row& query = side.rows.front();
  std::vector<float> values;
  std::vector<float> scores;
  for (std::size_t c = 0; c < side.rows.size(); ++c) {
    const float t = tensor_score(query, side.rows[c], pick(random, std::vector<std::size_t>{2, 4, 8, 16}));
    values.push_back(cuda::shortlist_score<kMetric>(t, side.query.terms, side.terms[c]));
    scores.push_back(exact_score(query, side.rows[c], kMetric));
    const double unit = std::ldexp(1.0, query.exponent + side.rows[c].exponent);
    if (kMetric != Metric::l2) {
      CHECK(std::abs(double{scores[c]} / unit - double{t}) <= double{side.query.terms.error});
    }
  }
  for (const float bar : values) {
    const double limit = cuda::score_limit<kMetric>(bar, side.query);
    for (std::size_t c = 0; c < values.size(); ++c) {
      if (values[c] <= bar) CHECK(double{scores[c]} <= limit);
    }
  }
  // the columns below the floor score less than each of the k best by value
  std::vector<std::size_t> order(values.size());
  for (std::size_t c = 0; c < order.size(); ++c) order[c] = c;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
  for (const std::size_t k : {std::size_t{1}, std::size_t{3}, std::size_t{10}}) {
    float least = std::numeric_limits<float>::infinity();
    float worst = least;
    for (std::size_t place = 0; place < k; ++place) {
      const std::size_t c = order[place];
      least = std::min(least, cuda::least_value<kMetric>(values[c], side.query.terms, side.terms[c]));
      worst = std::min(worst, scores[c]);
    }
    const float floor = cuda::shortlist_floor<kMetric>(least, side.query.terms);
    for (std::size_t c = 0; c < values.size(); ++c) {
      if (values[c] < floor) CHECK(scores[c] < worst);
    }
  }
}

TEST_CASE("shortlist_error: no score is further off, and no column beyond a limit scores above it") {
  Random random(20260801);
  for (int number = 0; number < graft::test::cases(60); ++number) {
    const auto dims = pick(random, std::vector<std::int64_t>{1, 2, 7, 16, 33, 100, 384, 768});
    check_side<Metric::cosine>(random, dims);
    check_side<Metric::dot>(random, dims);
    check_side<Metric::l2>(random, dims);
  }
}

TEST_CASE("shortlist_error: is a few thousandths for unit rows of 384 and 4096 dimensions") {
  const cuda::RowError row{.residual = 2.5e-4, .norm = 1.0};
  CHECK(cuda::shortlist_error(row, row, 384) < 1e-3F);
  CHECK(cuda::shortlist_error(row, row, 4096) < 2.5e-3F);
}

TEST_CASE("shortlist_error: grows with residuals, norms and dimensions") {
  const cuda::RowError row{.residual = 1e-3, .norm = 1.0};
  const float error = cuda::shortlist_error(row, row, 100);
  CHECK(cuda::shortlist_error({.residual = 2e-3, .norm = 1.0}, row, 100) > error);
  CHECK(cuda::shortlist_error(row, {.residual = 1e-3, .norm = 2.0}, 100) > error);
  CHECK(cuda::shortlist_error(row, row, 1000) > error);
}

TEST_CASE("scale_exponent: brings every norm into [1, 2), and rows of zeros below all others") {
  for (const double norm : {1e-45, 1e-20, 0.5, 1.0, 1.999, 2.0, 3e38}) {
    const double scaled = std::ldexp(norm, -cuda::scale_exponent(Metric::dot, norm));
    CHECK(scaled >= 1.0);
    CHECK(scaled < 2.0);
  }
  CHECK(cuda::scale_exponent(Metric::l2, 0.0) < cuda::scale_exponent(Metric::l2, 1.4e-45));
  CHECK(cuda::scale_exponent(Metric::cosine, 100.0) == 0);
}

TEST_CASE("score_limit: clamped cosines end at 1 and -1, where only an exact comparison decides") {
  const cuda::LimitTerms row{.terms = {.error = 1e-3F, .factor = 1.0F}, .exponent = 0, .squared_norm = 1.0, .dims = 8};
  CHECK(cuda::score_limit<Metric::cosine>(0.9999F, row) == 1.0);
  CHECK(cuda::score_limit<Metric::cosine>(-1.5F, row) == -1.0);
  CHECK(cuda::shortlist_floor<Metric::cosine>(-1.0F, row.terms) == -std::numeric_limits<float>::infinity());
  CHECK(cuda::shortlist_floor<Metric::cosine>(1.0F, row.terms) < 1.0F);
}

}  // namespace
}  // namespace pairwise_bounds_test
