// Who interacts with what in a planted data set.
#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include <graft/detail/checked.hpp>
#include <graft/detail/parallel.hpp>

#include "split.hpp"
#include "synth.hpp"
#include "synth_streams.hpp"

namespace graft::data {
namespace {

using detail::as_id;
using detail::as_size;

constexpr std::int64_t kCore = 5;             ///< least interactions of a user and of an item, where the totals allow
constexpr double kFamilyShare = 0.75;         ///< of the interactions by taste: with a favourite family
constexpr double kNewClusterShare = 0.25;     ///< of the favourite families but the first: of any cluster
constexpr double kTogether = 0.6;             ///< chance that an item of a bridge is taken after another
constexpr std::int64_t kLeastFavourites = 1;  ///< families
constexpr std::int64_t kItemsPerFavourite = 6;

/// Histories side by side: user u has items[begin[u]] ... items[begin[u + 1] - 1].
struct Histories {
  std::vector<std::int64_t> begin;
  std::vector<std::int32_t> items;

  [[nodiscard]] std::int64_t users() const { return static_cast<std::int64_t>(begin.size()) - 1; }
  [[nodiscard]] std::span<std::int32_t> of(std::int64_t user) {
    const std::int64_t first = begin[as_size(user)];
    return std::span(items).subspan(as_size(first), as_size(begin[as_size(user) + 1] - first));
  }
};

/// Interactions of each user: an equal base, and the rest by the users' activity.
std::vector<std::int64_t> history_sizes(const SynthOptions& options) {
  const std::int64_t base = std::min(kCore, options.interactions / options.users);
  std::vector<std::int64_t> by_rank(as_size(options.users), std::min(base, options.items));
  std::int64_t left = options.interactions - options.users * by_rank.front();
  const auto rest = static_cast<double>(left);
  const Popularity activity(options.users);
  double all = 0.0;
  for (std::int64_t rank = 0; rank < options.users; ++rank) all += activity.at(rank);
  for (std::int64_t rank = 0; rank < options.users; ++rank) {
    std::int64_t& size = by_rank[as_size(rank)];
    const auto share = static_cast<std::int64_t>(rest * (activity.at(rank) / all));
    const std::int64_t more = std::min({share, options.items - size, left});
    size += more;
    left -= more;
  }
  while (left > 0) {  // what rounding and full histories left over, one to each in turn
    for (std::int64_t& size : by_rank) {
      if (left == 0 || size == options.items) continue;
      ++size;
      --left;
    }
  }
  synth_stream(options.seed, SynthPurpose::activity).shuffle(std::span<std::int64_t>(by_rank));
  return by_rank;
}

/// Fills one history.
class HistoryMaker {
 public:
  HistoryMaker(const SynthItems& planted, std::int64_t user, std::span<std::int32_t> history)
      : planted_(planted),
        random_(synth_stream(planted.options.seed, SynthPurpose::history, user)),
        history_(history),
        taken_(history.size() > kFewItems ? as_size(planted.options.items) : 0, false) {}

  void make() {
    draw_favourites();
    // favourites may be used up, or noise may be the only way left: then whatever is left is taken
    const std::size_t most_draws = 4 * history_.size() + 100;
    for (std::size_t draw = 0; draw < most_draws && !full(); ++draw) {
      if (random_.uniform() < planted_.options.noise) {
        take(as_id(random_.below(planted_.options.items)));
      } else if (const std::int32_t item = draw_by_taste(); take(item)) {
        take_bridged(item);
      }
    }
    if (!full()) take_any();
  }

 private:
  static constexpr std::size_t kFewItems = 32;  // so few are searched one by one

  [[nodiscard]] bool full() const { return size_ == history_.size(); }

  [[nodiscard]] bool has(std::int32_t item) const {
    if (!taken_.empty()) return taken_[static_cast<std::size_t>(item)];
    const auto end = history_.begin() + static_cast<std::ptrdiff_t>(size_);
    return std::find(history_.begin(), end, item) != end;
  }

  bool take(std::int32_t item) {
    if (full() || has(item)) return false;
    history_[size_++] = item;
    if (!taken_.empty()) taken_[static_cast<std::size_t>(item)] = true;
    return true;
  }

  /// A family is drawn by the popularity of its items, so that popularity holds over all users.
  void draw_favourites() {
    const std::int64_t count = kLeastFavourites + static_cast<std::int64_t>(history_.size()) / kItemsPerFavourite;
    std::int64_t begin = 0;
    std::int64_t end = planted_.options.items;
    for (std::int64_t favourite = 0; favourite < count; ++favourite) {
      const bool any = favourite == 0 || random_.uniform() < kNewClusterShare;
      const std::int64_t slot = any ? draw_by_weight(random_, planted_.popularity_before, 0, planted_.options.items)
                                    : draw_by_weight(random_, planted_.popularity_before, begin, end);
      const auto item = static_cast<std::size_t>(planted_.item_at[as_size(slot)]);
      favourites_.push_back(planted_.family_of[item]);
      if (favourite > 0) continue;
      const auto cluster = static_cast<std::size_t>(planted_.cluster_of[item]);
      begin = planted_.cluster_begin[cluster];
      end = planted_.cluster_begin[cluster + 1];
    }
  }

  std::int32_t draw_by_taste() {
    const auto family =
        static_cast<std::size_t>(favourites_[as_size(random_.below(static_cast<std::int64_t>(favourites_.size())))]);
    const auto cluster = static_cast<std::size_t>(planted_.cluster_of_family[family]);
    const bool in_family = random_.uniform() < kFamilyShare;
    const std::int64_t begin = in_family ? planted_.family_begin[family] : planted_.cluster_begin[cluster];
    const std::int64_t end = in_family ? planted_.family_begin[family + 1] : planted_.cluster_begin[cluster + 1];
    return planted_.item_at[as_size(draw_by_weight(random_, planted_.popularity_before, begin, end))];
  }

  void take_bridged(std::int32_t item) {
    const std::int32_t bridge = planted_.bridge_of[static_cast<std::size_t>(item)];
    if (bridge < 0) return;
    for (const std::int32_t other : planted_.bridge_items[static_cast<std::size_t>(bridge)]) {
      if (random_.uniform() < kTogether) take(other);
    }
  }

  void take_any() {
    std::vector<std::int32_t> others;
    for (std::int32_t item = 0; item < planted_.options.items; ++item) {
      if (!has(item)) others.push_back(item);
    }
    random_.shuffle(std::span<std::int32_t>(others));
    for (std::size_t place = 0; !full(); ++place) take(others[place]);
  }

  const SynthItems& planted_;
  RandomStream random_;
  std::span<std::int32_t> history_;
  std::size_t size_ = 0;
  std::vector<bool> taken_;
  std::vector<std::int32_t> favourites_;
};

/// Sees to it that every item has its least audience: it takes the place of an item that has more than enough, in the
/// history of a user who has a popular relative of it.
class AudienceRepair {
 public:
  AudienceRepair(const SynthItems& planted, Histories& histories)
      : planted_(planted),
        histories_(histories),
        random_(synth_stream(planted.options.seed, SynthPurpose::repair)),
        least_(std::min(kCore, planted.options.interactions / planted.options.items)),
        audience_(as_size(planted.options.items), 0),
        place_begin_(as_size(planted.options.items) + 1, 0),
        places_(histories.items.size()) {
    for (const std::int32_t item : histories.items) ++audience_[static_cast<std::size_t>(item)];
    std::partial_sum(audience_.begin(), audience_.end(), place_begin_.begin() + 1);
    std::vector<std::int64_t> next(place_begin_.begin(), place_begin_.end() - 1);
    for (std::size_t place = 0; place < places_.size(); ++place) {
      places_[as_size(next[static_cast<std::size_t>(histories.items[place])]++)] = static_cast<std::int64_t>(place);
    }
  }

  void run(const Context& context) {
    detail::Ticker ticker(context, "synth interactions: rare items", planted_.options.items);
    for (std::int32_t item = 0; item < planted_.options.items; ++item) {
      while (audience_[static_cast<std::size_t>(item)] < least_) {
        if (!join_relatives(item)) join_anybody(item);
      }
      ticker.advance();
    }
  }

 private:
  [[nodiscard]] bool spare(std::size_t place) const {
    return audience_[static_cast<std::size_t>(histories_.items[place])] > least_;
  }

  [[nodiscard]] std::int64_t user_at(std::size_t place) const {
    const auto after =
        std::upper_bound(histories_.begin.begin(), histories_.begin.end(), static_cast<std::int64_t>(place));
    return after - histories_.begin.begin() - 1;
  }

  [[nodiscard]] bool has(std::int64_t user, std::int32_t item) const {
    const std::span<const std::int32_t> history = histories_.of(user);
    return std::find(history.begin(), history.end(), item) != history.end();
  }

  void replace(std::size_t place, std::int32_t item) {
    --audience_[static_cast<std::size_t>(histories_.items[place])];
    ++audience_[static_cast<std::size_t>(item)];
    histories_.items[place] = item;
  }

  /// Looks for a user among those of the item's family, then of its cluster. False if a few draws find none.
  bool join_relatives(std::int32_t item) {
    constexpr int kDraws = 32;
    const auto family = static_cast<std::size_t>(planted_.family_of[static_cast<std::size_t>(item)]);
    const auto cluster = static_cast<std::size_t>(planted_.cluster_of[static_cast<std::size_t>(item)]);
    for (int draw = 0; draw < kDraws; ++draw) {
      const bool near = draw < kDraws / 2;
      const std::int64_t begin = near ? planted_.family_begin[family] : planted_.cluster_begin[cluster];
      const std::int64_t end = near ? planted_.family_begin[family + 1] : planted_.cluster_begin[cluster + 1];
      const std::int64_t slot = draw_by_weight(random_, planted_.popularity_before, begin, end);
      if (join_user_of(planted_.item_at[as_size(slot)], item)) return true;
    }
    return false;
  }

  /// Puts the item in the history of a user of `relative`, in the place of any item that can spare it.
  bool join_user_of(std::int32_t relative, std::int32_t item) {
    const std::int64_t first = place_begin_[static_cast<std::size_t>(relative)];
    const std::int64_t count = place_begin_[static_cast<std::size_t>(relative) + 1] - first;
    if (count == 0) return false;
    const auto place = static_cast<std::size_t>(places_[as_size(first + random_.below(count))]);
    const std::int64_t user = user_at(place);
    if (has(user, item)) return false;
    const auto size = static_cast<std::int64_t>(histories_.of(user).size());
    const std::size_t chosen = as_size(histories_.begin[as_size(user)] + random_.below(size));
    if (!spare(chosen)) return false;
    replace(chosen, item);
    return true;
  }

  /// Takes the first place there is. There is one: an item with more than the least audience has a user without this
  /// item. An item that cannot spare a place never can again, so the search starts where the last one ended.
  void join_anybody(std::int32_t item) {
    while (!spare(first_spare_)) ++first_spare_;
    std::size_t place = first_spare_;
    while (!spare(place) || has(user_at(place), item)) ++place;
    replace(place, item);
  }

  const SynthItems& planted_;
  Histories& histories_;
  RandomStream random_;
  std::int64_t least_;
  std::vector<std::int64_t> audience_;
  std::vector<std::int64_t> place_begin_;
  std::vector<std::int64_t> places_;  ///< by item, before any repair: where it stands in the histories
  std::size_t first_spare_ = 0;
};

Split label_at(std::int64_t place, const SplitCounts& counts) {
  if (place < counts.train) return Split::train;
  return place < counts.train + counts.valid ? Split::valid : Split::test;
}

/// Rows by user, each history in random order.
InterTable labelled(const SynthItems& planted, Histories histories, const Context& context) {
  InterTable table;
  table.has_labels = true;
  table.user_count = planted.options.users;
  table.item_count = planted.options.items;
  table.users.resize(histories.items.size());
  table.labels.resize(histories.items.size());
  detail::parallel_rows(context, "synth split", histories.users(), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t user = begin; user < end; ++user) {
      const std::span<std::int32_t> history = histories.of(user);
      synth_stream(planted.options.seed, SynthPurpose::split, user).shuffle(history);
      const std::int64_t first = histories.begin[as_size(user)];
      const SplitCounts counts = per_user_counts(static_cast<std::int64_t>(history.size()));
      for (std::int64_t row = 0; row < static_cast<std::int64_t>(history.size()); ++row) {
        table.users[as_size(first + row)] = as_id(user);
        table.labels[as_size(first + row)] = label_at(row, counts);
      }
    }
  });
  table.items = std::move(histories.items);
  for (const Split label : table.labels) ++table.split_rows[static_cast<std::size_t>(label)];
  return table;
}

}  // namespace

InterTable synth_interactions(const SynthItems& planted, const Context& context) {
  Histories histories;
  histories.begin.assign(1, 0);
  for (const std::int64_t size : history_sizes(planted.options)) {
    histories.begin.push_back(histories.begin.back() + size);
  }
  histories.items.resize(as_size(planted.options.interactions));
  constexpr std::int64_t kUsersPerTask = 64;  // long histories of dense sets take a while
  const std::int64_t users = planted.options.users;
  const std::int64_t tasks = (users + kUsersPerTask - 1) / kUsersPerTask;
  detail::Ticker ticker(context, "synth interactions", tasks);
  detail::parallel_tasks(detail::worker_count(context), tasks, ticker, [&](std::int64_t task, int /*worker*/) {
    for (std::int64_t user = task * kUsersPerTask; user < std::min(users, (task + 1) * kUsersPerTask); ++user) {
      HistoryMaker(planted, user, histories.of(user)).make();
    }
  });
  AudienceRepair(planted, histories).run(context);
  return labelled(planted, std::move(histories), context);
}

}  // namespace graft::data
