#include "train/audit_sets.hpp"

#include <algorithm>
#include <utility>

#include <graft/detail/checked.hpp>

#include "data/random.hpp"

namespace graft::training {
namespace {

using data::RandomStream;
using detail::as_id;
using detail::as_size;

constexpr std::int64_t kMostTrainPairs = 4000;  ///< the share needs no more

struct Pair {
  std::int32_t user;
  std::int32_t item;

  friend auto operator<=>(const Pair&, const Pair&) = default;
};

/// Of all interactions, those of the chosen held-out splits.
std::vector<Pair> held_pairs(const Dataset& data, AuditSplit split) {
  std::vector<Pair> pairs;
  const auto take = [&](const HeldOut& held) {
    for (std::size_t e = 0; e < held.users.size(); ++e) {
      for (std::int64_t row = held.offsets[e]; row < held.offsets[e + 1]; ++row) {
        pairs.push_back({held.users[e], held.items[as_size(row)]});
      }
    }
  };
  if (split != AuditSplit::test) take(data.valid);
  if (split != AuditSplit::valid) take(data.test);
  return pairs;
}

/// Training rows and those of the chosen held-out splits.
Interactions train_and(const Dataset& data, AuditSplit split) {
  std::vector<std::int32_t> users(data.train_users);
  std::vector<std::int32_t> items(data.train_items);
  for (const Pair& pair : held_pairs(data, split)) {
    users.push_back(pair.user);
    items.push_back(pair.item);
  }
  return Interactions::from_pairs(users, items, data.users, data.items);
}

/// At most `most` of the pairs, each equally likely, in their order.
std::vector<Pair> sampled(std::vector<Pair> pairs, std::int64_t most, RandomStream random) {
  if (static_cast<std::int64_t>(pairs.size()) <= most) return pairs;
  random.shuffle(std::span(pairs));
  pairs.resize(as_size(most));
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

/// Appends the item and its controls. False, and nothing appended, where the user has nearly all that is held out.
bool add_set(const AuditHistories& histories, const Pair& pair, RandomStream random, AuditSets& sets) {
  constexpr int kMostDraws = 100;  // for a control
  const std::size_t before = sets.items.size();
  sets.items.push_back(pair.item);
  const std::vector<std::int32_t>& pool = histories.held_items();
  for (std::int64_t control = 1; control < sets.width; ++control) {
    int draws = 0;
    std::int32_t item = 0;
    do {
      item = pool[as_size(random.below(static_cast<std::int64_t>(pool.size())))];
    } while (histories.has(pair.user, item) && ++draws < kMostDraws);
    if (draws == kMostDraws) {
      sets.items.resize(before);
      return false;
    }
    sets.items.push_back(item);
  }
  return true;
}

}  // namespace

std::uint64_t audit_stream(AuditStream purpose, std::uint64_t part) {
  constexpr unsigned kPurposeAt = 48;
  return static_cast<std::uint64_t>(purpose) << kPurposeAt | part;
}

AuditHistories::AuditHistories(const Dataset& data, AuditSplit split)
    : all_(train_and(data, AuditSplit::both)), audited_(train_and(data, split)) {
  std::vector<Pair> pairs = held_pairs(data, split);
  const std::size_t rows = pairs.size();
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  std::erase_if(pairs, [&](const Pair& pair) {
    const std::span<const std::int32_t> history = data.train.history(pair.user);
    return std::binary_search(history.begin(), history.end(), pair.item);
  });
  left_out_ = static_cast<std::int64_t>(rows - pairs.size());
  held_offsets_.assign(as_size(data.users) + 1, 0);
  for (const Pair& pair : pairs) {
    ++held_offsets_[as_size(pair.user) + 1];
    held_items_.push_back(pair.item);
  }
  for (std::size_t u = 1; u < held_offsets_.size(); ++u) held_offsets_[u] += held_offsets_[u - 1];
}

std::span<const std::int32_t> AuditHistories::held(std::int64_t user) const {
  const std::int64_t begin = held_offsets_[as_size(user)];
  return std::span(held_items_).subspan(as_size(begin), as_size(held_offsets_[as_size(user) + 1] - begin));
}

bool AuditHistories::has(std::int64_t user, std::int32_t item) const {
  const std::span<const std::int32_t> history = all_.history(user);
  return std::binary_search(history.begin(), history.end(), item);
}

AuditSets held_out_sets(const AuditHistories& histories, const AuditOptions& options) {
  std::vector<Pair> pairs;
  for (std::int64_t user = 0; user < histories.users(); ++user) {
    for (const std::int32_t item : histories.held(user)) pairs.push_back({as_id(user), item});
  }
  pairs = sampled(std::move(pairs), options.most_pairs, {options.seed, audit_stream(AuditStream::sample)});
  AuditSets sets{.width = options.controls + 1, .items = {}, .queries = {}};
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    if (!add_set(histories, pairs[p], {options.seed, audit_stream(AuditStream::controls, p)}, sets)) continue;
    if (sets.queries.empty() || sets.queries.back().user != pairs[p].user) {
      sets.queries.push_back({.user = pairs[p].user, .begin = sets.size() - 1});
    }
    sets.queries.back().end = sets.size();
  }
  return sets;
}

AuditSets training_sets(const Dataset& data, const AuditHistories& histories, const AuditOptions& options) {
  std::vector<Pair> pairs;
  for (std::int64_t user = 0; user < data.users; ++user) {
    const std::span<const std::int32_t> history = data.train.history(user);
    if (history.size() < 2 || histories.held(user).empty()) continue;
    for (const std::int32_t item : history) pairs.push_back({as_id(user), item});
  }
  const std::int64_t most = std::min(options.most_pairs, kMostTrainPairs);
  pairs = sampled(std::move(pairs), most, {options.seed, audit_stream(AuditStream::train_sample)});
  AuditSets sets{.width = options.controls + 1, .items = {}, .queries = {}};
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    if (!add_set(histories, pairs[p], {options.seed, audit_stream(AuditStream::train_controls, p)}, sets)) continue;
    sets.queries.push_back(
        {.user = pairs[p].user, .left_out = pairs[p].item, .begin = sets.size() - 1, .end = sets.size()});
  }
  return sets;
}

}  // namespace graft::training
