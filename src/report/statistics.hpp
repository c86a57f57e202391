// Order statistics, groups and histograms of many values, in parallel and with results that no thread count changes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <graft/core/context.hpp>
#include <graft/detail/checked.hpp>
#include <graft/detail/csr_build.hpp>
#include <graft/detail/parallel.hpp>

#include "report/inspection.hpp"

namespace graft::report {

/// Name of the operation in messages and progress.
inline constexpr const char* kInspect = "inspect";

/// body(begin, end, worker, part) for blocks of rows in parallel; gives the parts in the order of the blocks, so that
/// sums over them do not depend on timing.
template <class Part, class Body>
std::vector<Part> by_blocks(const Context& context, std::int64_t rows, const Body& body) {
  constexpr std::int64_t kRows = 256;  // a row may be heavy: hubs and large audiences
  const std::int64_t blocks = detail::block_count(rows, kRows);
  std::vector<Part> parts(detail::as_size(blocks));
  detail::Ticker ticker(context, kInspect, blocks);
  detail::parallel_tasks(detail::worker_count(context), blocks, ticker, [&](std::int64_t block, int worker) {
    body(block * kRows, std::min(rows, (block + 1) * kRows), worker, parts[detail::as_size(block)]);
  });
  return parts;
}

/// Ascending values: pieces are sorted in parallel, then merged in rounds.
template <class T>
std::vector<T> sorted(std::vector<T> values, const Context& context) {
  constexpr std::int64_t kPiece = std::int64_t{1} << 18;
  const auto count = static_cast<std::int64_t>(values.size());
  const int workers = detail::worker_count(context);
  const std::int64_t pieces = detail::block_count(count, kPiece);
  detail::Ticker ticker(context, kInspect, 2 * pieces);
  const auto place = [&](std::int64_t index) { return values.begin() + std::min(index, count); };
  detail::parallel_tasks(workers, pieces, ticker, [&](std::int64_t piece, int) {
    std::sort(place(piece * kPiece), place((piece + 1) * kPiece));
  });
  for (std::int64_t width = kPiece; width < count; width *= 2) {
    detail::parallel_tasks(workers, detail::block_count(count, 2 * width), ticker, [&](std::int64_t pair, int) {
      const std::int64_t first = pair * 2 * width;
      std::inplace_merge(place(first), place(first + width), place(first + 2 * width));
    });
  }
  return values;
}

/// Value at `share` of the way through ascending values, interpolated linearly.
template <class T>
double quantile(std::span<const T> ascending, double share) {
  if (ascending.empty()) return kUndefined;
  const double place = share * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto a = static_cast<double>(ascending[below]);
  const auto b = static_cast<double>(ascending[std::min(below + 1, ascending.size() - 1)]);
  return a + (b - a) * (place - static_cast<double>(below));
}

template <class T>
Spread spread_of(std::span<const T> ascending) {
  double sum = 0.0;
  for (const T value : ascending) sum += static_cast<double>(value);
  return {.least = quantile(ascending, 0.0),
          .first_quartile = quantile(ascending, 0.25),
          .median = quantile(ascending, 0.5),
          .third_quartile = quantile(ascending, 0.75),
          .most = quantile(ascending, 1.0),
          .mean = ratio(sum, static_cast<double>(ascending.size()))};
}

/// Cuts ascending values into at most `groups` groups of about equal size that keep equal values together (the rule:
/// AudienceFacts::by_weight). Gives the largest value of each group.
template <class T>
std::vector<T> group_bounds(std::span<const T> ascending, std::int64_t groups) {
  std::vector<T> bounds;
  if (ascending.empty()) return bounds;
  const auto count = static_cast<std::int64_t>(ascending.size());
  for (std::int64_t g = 1; g < groups; ++g) {
    const std::int64_t at = count * g / groups;
    if (at == 0) continue;
    const auto [begin, end] = std::equal_range(ascending.begin(), ascending.end(), ascending[detail::as_size(at)]);
    const std::int64_t run_begin = begin - ascending.begin();
    const std::int64_t run_end = end - ascending.begin();
    const std::int64_t cut = at - run_begin <= run_end - at ? run_begin : run_end;
    if (cut == 0 || cut == count) continue;
    const T most = ascending[detail::as_size(cut - 1)];
    if (bounds.empty() || bounds.back() < most) bounds.push_back(most);
  }
  bounds.push_back(ascending.back());
  return bounds;
}

/// The group of a value that is not above the last bound.
template <class T>
std::size_t group_of(const std::vector<T>& bounds, T value) {
  return static_cast<std::size_t>(std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin());
}

/// Bins that suit whole numbers: one each while there are few, doubling where they spread over magnitudes.
Histogram histogram_of(std::span<const std::int64_t> ascending);

/// Some 16 to 42 bins of one round width; the last may take values above its bound by the rounding of a float.
Histogram histogram_of(std::span<const float> ascending);

}  // namespace graft::report
