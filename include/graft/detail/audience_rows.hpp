// One row of jaccard_graph after the other: counts, sifts, selects.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <graft/core/interactions.hpp>
#include <graft/detail/audience_measures.hpp>
#include <graft/detail/checked.hpp>
#include <graft/ops/jaccard.hpp>

namespace graft::detail {

/// A column that may become an edge of the row at work.
struct Candidate {
  float score;
  std::int32_t count;
  std::int32_t column;
};

/// Bytes a candidate takes in all.
inline constexpr std::int64_t kCandidateBytes = sizeof(Candidate) + sizeof(std::int32_t);

/// Candidates that a row holds at once: enough beyond k that sifting them again is rare.
constexpr std::int64_t candidate_capacity(std::int64_t k) {
  return std::max<std::int64_t>(64, saturating_multiply(3, k));
}

/// Finds the rows of one measure. Rows are independent; one object a worker.
///
/// A row's pairs are first sifted by an approximate float score, which one comparison without a branch settles for
/// nearly all of them; what is left within the score's error of the k-th best is decided exactly.
template <class Measure>
class AudienceRows {
 public:
  /// @param candidates  at least min(candidate_capacity(k), columns that a row can touch)
  AudienceRows(const Interactions& interactions, std::span<const std::int32_t> degrees, const JaccardOptions& options,
               std::int64_t counter_columns, std::int64_t candidates)
      : interactions_(interactions),
        degrees_(degrees),
        options_(options),
        counter_columns_(counter_columns),
        counts_(make_vector<std::int32_t>("jaccard_graph", counter_columns)),
        touched_(make_vector<std::int32_t>("jaccard_graph", counter_columns + 1)),
        candidates_(make_vector<Candidate>("jaccard_graph", candidates + 1)),
        score_bits_(make_vector<std::int32_t>("jaccard_graph", candidates + 1)) {}

  /// Writes the row's edges, columns ascending, and gives their number.
  std::int32_t fill(std::int64_t item, std::int32_t* columns, float* weights) {
    item_ = item;
    degree_ = degrees_[as_size(item)];
    const bool with_self = keeps_self();
    places_ = options_.k - (with_self ? 1 : 0);
    size_ = 0;
    bar_ = places_ > 0 ? 0.0F : std::numeric_limits<float>::infinity();
    for (std::int64_t begin = 0; begin < interactions_.items(); begin += counter_columns_) {
      sift(begin, count_columns(begin, std::min(interactions_.items(), begin + counter_columns_)));
    }
    if (size_ > places_) select_exactly();
    if (with_self) candidates_[as_size(size_++)] = {1.0F, static_cast<std::int32_t>(degree_), as_id(item)};
    const auto end = candidates_.begin() + size_;
    std::sort(candidates_.begin(), end, [](const Candidate& a, const Candidate& b) { return a.column < b.column; });
    for (std::int64_t e = 0; e < size_; ++e) {
      columns[e] = candidates_[as_size(e)].column;
      weights[e] = weight(candidates_[as_size(e)]);
    }
    return static_cast<std::int32_t>(size_);
  }

 private:
  [[nodiscard]] bool keeps_self() const {
    if (options_.identical == Identical::reference) return degree_ == 1 && options_.min_support == 1;
    return options_.self == Self::keep && degree_ >= std::max<std::int64_t>(1, options_.min_support) &&
           Measure::score(degree_, degree_, degree_, interactions_.users()) != kNoEdge;
  }

  [[nodiscard]] float weight(const Candidate& candidate) const {
    const std::int64_t other = degrees_[as_size(candidate.column)];
    if (options_.identical == Identical::reference && degree_ == 1 && other == 1) return kSingleUserJaccard;
    return Measure::weight(candidate.count, degree_, other, interactions_.users());
  }

  /// Counts the common audience of the item with every column in [begin, end). @return columns touched
  std::int64_t count_columns(std::int64_t begin, std::int64_t end) {
    const bool all = begin == 0 && end == interactions_.items();
    const std::span<const std::int32_t> audience = interactions_.audience(item_);
    const std::int64_t first_entry = interactions_.item_offsets()[as_size(item_)];
    std::int64_t size = 0;
    for (std::size_t u = 0; u < audience.size(); ++u) {
      prefetch_histories(first_entry + static_cast<std::int64_t>(u));
      const std::span<const std::int32_t> history = interactions_.history(audience[u]);
      const std::int32_t* first = history.data();
      const std::int32_t* last = first + history.size();
      if (!all) {
        first = std::lower_bound(first, last, begin);
        last = std::lower_bound(first, last, end);
      }
      size = count_history(first, last, begin, size);
    }
    return size;
  }

  /// Histories lie anywhere in memory: asks for those that come next, of the next rows too; first their offsets, then
  /// their ids. Inlined by force: GCC takes a function that only prefetches for one without effect, and drops the call.
  /// @param entry  place in the list of all audiences, one row after the other
  __attribute__((always_inline)) void prefetch_histories(std::int64_t entry) const {
    constexpr std::int64_t kOffsetsAhead = 24;
    constexpr std::int64_t kIdsAhead = 12;
    const std::span<const std::int32_t> users = interactions_.item_users();
    if (entry + kOffsetsAhead >= static_cast<std::int64_t>(users.size())) return;
    const std::int64_t* const offsets = interactions_.user_offsets().data();
    __builtin_prefetch(offsets + users[as_size(entry + kOffsetsAhead)]);
    const std::int64_t* const next = offsets + users[as_size(entry + kIdsAhead)];
    __builtin_prefetch(interactions_.user_items().data() + next[0]);
    __builtin_prefetch(interactions_.user_items().data() + next[1]);
  }

  std::int64_t count_history(const std::int32_t* first, const std::int32_t* last, std::int64_t begin,
                             std::int64_t size) {
    std::int32_t* const counts = counts_.data();
    std::int32_t* const touched = touched_.data();
    for (; first != last; ++first) {
      const std::int64_t place = *first - begin;
      // without a branch: the list grows only where the count was zero
      touched[size] = static_cast<std::int32_t>(place);
      size += counts[place] == 0 ? 1 : 0;
      ++counts[place];
    }
    return size;
  }

  void sift(std::int64_t begin, std::int64_t touched) {
    // The item itself is no candidate: without a count it has too little support.
    if (item_ >= begin && item_ < begin + counter_columns_) counts_[as_size(item_ - begin)] = 0;
    if (options_.identical == Identical::keep) {
      sift_touched<false>(begin, touched);
    } else {
      sift_touched<true>(begin, touched);
    }
  }

  /// Clears the counts of the touched columns and keeps those that may be among the best. Everything that the loop
  /// reads lies in locals: its stores could change any member, as far as the compiler knows.
  template <bool kDropTwins>
  void sift_touched(std::int64_t begin, std::int64_t touched) {
    const std::int64_t users = interactions_.users();
    const std::int64_t degree = degree_;
    const std::int64_t min_support = options_.min_support;
    const std::int64_t twin = options_.identical == Identical::reference ? 2 : 1;  // least audience of a dropped pair
    const auto capacity = static_cast<std::int64_t>(candidates_.size()) - 1;       // one place for the item itself
    const std::int32_t* const degrees = degrees_.data() + begin;
    const std::int32_t* const places = touched_.data();
    std::int32_t* const counts = counts_.data();
    Candidate* const candidates = candidates_.data();
    std::int64_t size = size_;
    float bar = bar_;
    for (std::int64_t t = 0; t < touched; ++t) {
      const std::int64_t place = places[t];
      const std::int64_t count = counts[place];
      counts[place] = 0;
      const std::int64_t other = degrees[place];
      const float score = Measure::score(count, degree, other, users);
      bool kept = (score >= bar) & (count >= min_support);
      if constexpr (kDropTwins) kept &= !((count >= twin) & (count == degree) & (count == other));
      candidates[size] = {score, static_cast<std::int32_t>(count), static_cast<std::int32_t>(begin + place)};
      size += kept ? 1 : 0;
      if (size > capacity) [[unlikely]] {
        size_ = size;
        raise_bar();
        size = size_;
        bar = bar_;
      }
    }
    size_ = size;
  }

  /// Leaves the candidates that may still be among the best, at most half of what fits, and raises the bar to them.
  void raise_bar() {
    drop_below(approximate_kth_score());
    // many equal scores: let the columns decide
    if (size_ > static_cast<std::int64_t>(candidates_.size()) / 2) select_exactly();
  }

  /// A score that at least places_ candidates reach, and few more: bisection over the bits of positive floats, which
  /// order as their values do.
  [[nodiscard]] float approximate_kth_score() {
    constexpr int kRounds = 12;
    const std::int64_t size = size_;
    const std::int64_t few = places_ + places_ / 4 + 4;
    std::int32_t* const bits = score_bits_.data();  // side by side, so that the loops below are vectors
    for (std::int64_t c = 0; c < size; ++c) bits[c] = std::bit_cast<std::int32_t>(candidates_[as_size(c)].score);
    std::int32_t low = *std::min_element(bits, bits + size);
    std::int32_t high = *std::max_element(bits, bits + size);
    for (int round = 0; round < kRounds && low < high; ++round) {
      const std::int32_t middle = low + (high - low + 1) / 2;
      std::int32_t reaching = 0;
      for (std::int64_t c = 0; c < size; ++c) reaching += bits[c] >= middle ? 1 : 0;
      if (reaching < places_) {
        high = middle - 1;
      } else {
        low = middle;
        if (reaching <= few) break;
      }
    }
    return std::bit_cast<float>(low);
  }

  /// @param score  that at least places_ candidates reach
  void drop_below(float score) {
    bar_ = score * (1.0F - 2.0F * kScoreSlack);
    std::int64_t kept = 0;
    for (std::int64_t c = 0; c < size_; ++c) {
      const Candidate candidate = candidates_[as_size(c)];
      candidates_[as_size(kept)] = candidate;
      kept += candidate.score >= bar_ ? 1 : 0;
    }
    size_ = kept;
  }

  /// Leaves the places_ best, by the exact order.
  void select_exactly() {
    drop_below(approximate_kth_score());
    if (size_ <= places_) return;
    const auto begin = candidates_.begin();
    std::nth_element(begin, begin + places_ - 1, begin + size_,
                     [this](const Candidate& a, const Candidate& b) { return ranks_before(a, b); });
    size_ = places_;
  }

  [[nodiscard]] bool ranks_before(const Candidate& a, const Candidate& b) const {
    if (a.score > b.score * (1.0F + 2.0F * kScoreSlack)) return true;
    if (b.score > a.score * (1.0F + 2.0F * kScoreSlack)) return false;
    const auto key_a = Measure::key(a.count, degree_, degrees_[as_size(a.column)], interactions_.users());
    const auto key_b = Measure::key(b.count, degree_, degrees_[as_size(b.column)], interactions_.users());
    if (Measure::before(key_a, key_b)) return true;
    return !Measure::before(key_b, key_a) && a.column < b.column;
  }

  const Interactions& interactions_;
  std::span<const std::int32_t> degrees_;
  const JaccardOptions& options_;
  std::int64_t counter_columns_;
  std::vector<std::int32_t> counts_;
  std::vector<std::int32_t> touched_;
  std::vector<Candidate> candidates_;
  std::vector<std::int32_t> score_bits_;

  // the row at work
  std::int64_t item_ = 0;
  std::int64_t degree_ = 0;
  std::int64_t places_ = 0;  ///< for other items
  std::int64_t size_ = 0;    ///< candidates held
  float bar_ = 0.0F;         ///< scores below it cannot be among the best
};

}  // namespace graft::detail
