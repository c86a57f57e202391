#include "split.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <string>
#include <tuple>

#include <fmt/format.h>

#include <graft/core/error.hpp>
#include <graft/detail/checked.hpp>
#include <graft/detail/parallel.hpp>

#include "random.hpp"
#include "row_groups.hpp"

namespace graft::data {
namespace {

using detail::as_size;

constexpr const char* kSplitRows = "split_rows";
/// Streams of the seed: user u has stream u, below 2^31.
constexpr std::uint64_t kItemStream = std::uint64_t{1} << 32U;
/// Groups between two looks at the cancel token.
constexpr std::int64_t kGroupsBetweenLooks = 1024;

void look(const Context& context, std::int64_t group) {
  if (group % kGroupsBetweenLooks == 0) detail::throw_if_cancelled(context.cancel, kSplitRows);
}

void check(const RowsView& rows, const SplitOptions& options) {
  const std::size_t count = rows.users.size();
  if (rows.items.size() != count || (!rows.times.empty() && rows.times.size() != count)) {
    throw InvalidArgument(detail::message(
        kSplitRows, "rows", fmt::format("{} users, {} items, {} times", count, rows.items.size(), rows.times.size()),
        "must be as many (no times at all are fine)"));
  }
  const bool temporal = options.protocol == Protocol::temporal || options.protocol == Protocol::temporal_user;
  if (temporal && rows.times.empty() && count > 0) {
    throw InvalidArgument(detail::message(kSplitRows, "times", "", "a temporal protocol needs a time for each row"));
  }
  if (!(options.cold_share >= 0.0 && options.cold_share <= 1.0)) {
    throw InvalidArgument(
        detail::message(kSplitRows, "cold_share", fmt::format("{}", options.cold_share), "must lie in [0, 1]"));
  }
}

/// Earlier time first, then the table's order.
auto by_time(std::span<const std::int64_t> times) {
  return [times](std::int64_t a, std::int64_t b) {
    return std::tuple(times[as_size(a)], a) < std::tuple(times[as_size(b)], b);
  };
}

/// The first rows of each group train (as all labels say at first), the next validate, the last test.
void label_by_counts(RowGroups& groups, std::vector<Split>& labels) {
  for (std::int64_t user = 0; user < groups.keys(); ++user) {
    const std::span<const std::int64_t> rows = groups.rows(user);
    const SplitCounts counts = per_user_counts(static_cast<std::int64_t>(rows.size()));
    for (std::size_t place = 0; place < rows.size(); ++place) {
      const auto before = static_cast<std::int64_t>(place);
      if (before < counts.train) continue;
      labels[as_size(rows[place])] = before < counts.train + counts.valid ? Split::valid : Split::test;
    }
  }
}

/// The time of the row that is `tenths` tenths of the rows from the earliest, rounded up.
std::int64_t cut_time(std::vector<std::int64_t>& times, std::size_t tenths) {
  const std::size_t whole = times.size() / 10 * tenths;
  const std::size_t rows = whole + (times.size() % 10 * tenths + 9) / 10;  // no product that could overflow
  const auto place = times.begin() + static_cast<std::ptrdiff_t>(rows - 1);
  std::nth_element(times.begin(), place, times.end());
  return *place;
}

void label_by_time(const RowsView& rows, std::vector<Split>& labels) {
  if (rows.times.empty()) return;
  std::vector<std::int64_t> times(rows.times.begin(), rows.times.end());
  const std::int64_t train_end = cut_time(times, 8);
  const std::int64_t valid_end = cut_time(times, 9);
  for (std::size_t r = 0; r < rows.times.size(); ++r) {
    if (rows.times[r] > train_end) labels[r] = rows.times[r] > valid_end ? Split::test : Split::valid;
  }
}

void label_by_item(const RowsView& rows, const SplitOptions& options, std::vector<Split>& labels) {
  // a share such as 0.29 is a little below itself in binary: 0.29 * 100 must be 29
  constexpr double kRounding = 1e-9;
  const auto held_out =
      static_cast<std::int64_t>(std::floor(options.cold_share * static_cast<double>(rows.item_count) + kRounding));
  if (held_out < 2) {
    throw InvalidArgument(
        detail::message(kSplitRows, "cold_share", fmt::format("{}", options.cold_share),
                        fmt::format("holds {} of {} items out: must hold out 2 at least, one for validation and one "
                                    "for the test; use a larger share or more items",
                                    held_out, rows.item_count)));
  }
  std::vector<std::int32_t> items(as_size(rows.item_count));
  std::iota(items.begin(), items.end(), 0);
  RandomStream(options.seed, kItemStream).shuffle(std::span(items));
  std::vector<Split> item_labels(items.size(), Split::train);
  for (std::int64_t place = 0; place < held_out; ++place) {
    item_labels[as_size(items[as_size(place)])] = place < held_out / 2 ? Split::valid : Split::test;
  }
  for (std::size_t r = 0; r < rows.items.size(); ++r) labels[r] = item_labels[as_size(rows.items[r])];
}

}  // namespace

RowSplit split_rows(const RowsView& rows, const SplitOptions& options, const Context& context) {
  check(rows, options);
  RowSplit split;
  split.labels.assign(rows.users.size(), Split::train);
  RowGroups groups(rows.users, rows.user_count);
  const bool temporal = options.protocol == Protocol::temporal || options.protocol == Protocol::temporal_user;
  for (std::int64_t user = 0; user < rows.user_count; ++user) {
    look(context, user);
    const std::span<std::int64_t> own = groups.rows(user);
    if (temporal) std::sort(own.begin(), own.end(), by_time(rows.times));
    if (options.protocol == Protocol::random) {
      RandomStream(options.seed, static_cast<std::uint64_t>(user)).shuffle(own);
    }
  }
  switch (options.protocol) {
    case Protocol::random:
    case Protocol::temporal_user:
      label_by_counts(groups, split.labels);
      break;
    case Protocol::temporal:
      label_by_time(rows, split.labels);
      break;
    case Protocol::cold_item:
      label_by_item(rows, options, split.labels);
      break;
  }
  for (std::int64_t user = 0; user < rows.user_count; ++user) {
    look(context, user);
    const std::span<std::int64_t> own = groups.rows(user);
    std::stable_sort(own.begin(), own.end(), [&](std::int64_t a, std::int64_t b) {
      return split.labels[as_size(a)] < split.labels[as_size(b)];
    });
  }
  split.order = groups.take();
  return split;
}

std::vector<char> first_occurrences(std::span<const std::int32_t> users, std::span<const std::int32_t> items,
                                    std::span<const std::int64_t> times, std::int64_t user_count,
                                    const Context& context) {
  const auto time_of = [&](std::int64_t row) { return times.empty() ? 0 : times[as_size(row)]; };
  const auto facts = [&](std::int64_t row) { return std::pair(items[as_size(row)], time_of(row)); };
  std::vector<char> first(users.size(), 1);
  RowGroups groups(users, user_count);
  for (std::int64_t user = 0; user < user_count; ++user) {
    look(context, user);
    const std::span<std::int64_t> own = groups.rows(user);
    std::sort(own.begin(), own.end(),
              [&](std::int64_t a, std::int64_t b) { return std::pair(facts(a), a) < std::pair(facts(b), b); });
    for (std::size_t place = 1; place < own.size(); ++place) {
      if (facts(own[place]) == facts(own[place - 1])) first[as_size(own[place])] = 0;
    }
  }
  return first;
}

}  // namespace graft::data
