#include "kcore.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>

#include <graft/core/error.hpp>
#include <graft/detail/checked.hpp>
#include <graft/detail/parallel.hpp>

namespace graft::data {
namespace {

using Counts = std::vector<std::int64_t>;

std::int64_t count_rare(const Counts& counts, std::int64_t k) {
  return std::count_if(counts.begin(), counts.end(), [k](std::int64_t rows) { return rows > 0 && rows < k; });
}

}  // namespace

KCore k_core(std::span<const std::int32_t> users, std::span<const std::int32_t> items, std::int64_t user_count,
             std::int64_t item_count, std::int64_t k, const Context& context) {
  if (k < 0) throw InvalidArgument(detail::message("k_core", "k", std::to_string(k), "must be >= 0 (0 = off)"));
  if (users.size() != items.size()) {
    throw InvalidArgument(detail::message("k_core", "items", std::to_string(items.size()) + " entries",
                                          "must be as many as users, " + std::to_string(users.size())));
  }
  KCore core;
  core.rows.resize(users.size());
  std::iota(core.rows.begin(), core.rows.end(), std::int64_t{0});
  Counts user_rows(detail::as_size(user_count));
  Counts item_rows(detail::as_size(item_count));
  const auto user_of = [&](std::int64_t row) { return detail::as_size(users[detail::as_size(row)]); };
  const auto item_of = [&](std::int64_t row) { return detail::as_size(items[detail::as_size(row)]); };
  for (;;) {
    detail::throw_if_cancelled(context.cancel, "k_core");
    std::fill(user_rows.begin(), user_rows.end(), 0);
    std::fill(item_rows.begin(), item_rows.end(), 0);
    for (const std::int64_t row : core.rows) {
      ++user_rows[user_of(row)];
      ++item_rows[item_of(row)];
    }
    KCoreRound round{.users = count_rare(user_rows, k), .items = count_rare(item_rows, k)};
    if (round.users == 0 && round.items == 0) return core;
    round.rows = static_cast<std::int64_t>(std::erase_if(
        core.rows, [&](std::int64_t row) { return user_rows[user_of(row)] < k || item_rows[item_of(row)] < k; }));
    core.rounds.push_back(round);
  }
}

std::int64_t largest_core(std::span<const std::int32_t> users, std::span<const std::int32_t> items,
                          std::int64_t user_count, std::int64_t item_count, std::int64_t most, const Context& context) {
  // cores are nested, so the k that leave something are 0 .. answer
  std::int64_t works = 0;
  std::int64_t fails = std::min<std::int64_t>(most, static_cast<std::int64_t>(users.size())) + 1;
  while (fails - works > 1) {
    const std::int64_t k = works + (fails - works) / 2;
    (k_core(users, items, user_count, item_count, k, context).rows.empty() ? fails : works) = k;
  }
  return works;
}

}  // namespace graft::data
