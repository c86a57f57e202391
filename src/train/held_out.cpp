#include "train/held_out.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <graft/detail/bytes.hpp>
#include <graft/detail/checked.hpp>

#include "data/sha256.hpp"

namespace graft::training {

using detail::as_size;

HeldOut held_out_of(const InterTable& table, Split split, const Interactions& train, std::int64_t& dropped) {
  constexpr std::int64_t kUnseen = -1;
  std::vector<std::int64_t> place(as_size(train.users()), kUnseen);  // of a user in held.users
  const auto kept = [&](std::size_t row) {
    return table.labels[row] == split && !train.history(table.users[row]).empty();
  };
  HeldOut held;
  dropped = table.split_rows[static_cast<std::size_t>(split)];
  for (std::size_t row = 0; row < table.users.size(); ++row) {
    if (!kept(row)) continue;
    --dropped;
    std::int64_t& user = place[as_size(table.users[row])];
    if (user == kUnseen) {
      user = static_cast<std::int64_t>(held.users.size());
      held.users.push_back(table.users[row]);
      held.offsets.push_back(0);
    }
    ++held.offsets[as_size(user + 1)];
  }
  for (std::size_t e = 1; e < held.offsets.size(); ++e) held.offsets[e] += held.offsets[e - 1];
  held.items.resize(as_size(held.offsets.back()));
  std::vector<std::int64_t> next(held.offsets);
  for (std::size_t row = 0; row < table.users.size(); ++row) {
    if (!kept(row)) continue;
    held.items[as_size(next[as_size(place[as_size(table.users[row])])]++)] = table.items[row];
  }
  return held;
}

std::int64_t repeated_rows(const HeldOut& held) {
  std::int64_t repeated = 0;
  std::vector<std::int32_t> items;
  for (std::size_t e = 0; e < held.users.size(); ++e) {
    items.assign(held.items.begin() + held.offsets[e], held.items.begin() + held.offsets[e + 1]);
    std::sort(items.begin(), items.end());
    repeated += items.end() - std::unique(items.begin(), items.end());
  }
  return repeated;
}

std::int64_t trained_rows(const HeldOut& held, const Interactions& train) {
  std::int64_t trained = 0;
  for (std::size_t e = 0; e < held.users.size(); ++e) {
    const std::span<const std::int32_t> history = train.history(held.users[e]);
    for (std::int64_t row = held.offsets[e]; row < held.offsets[e + 1]; ++row) {
      trained += std::binary_search(history.begin(), history.end(), held.items[as_size(row)]) ? 1 : 0;
    }
  }
  return trained;
}

std::string sha256_of(const InterTable& table) {
  static_assert(sizeof(Split) == 1);
  const std::array<std::uint64_t, 1> rows{table.users.size()};  // numbers in memory are little-endian: bytes.hpp
  data::Sha256 hash;
  hash.update(rows.data(), sizeof(rows));
  hash.update(table.users.data(), table.users.size() * sizeof(std::int32_t));
  hash.update(table.items.data(), table.items.size() * sizeof(std::int32_t));
  hash.update(table.labels.data(), table.labels.size());
  return hash.finish();
}

}  // namespace graft::training
