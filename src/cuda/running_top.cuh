// Sorting within a group, and the best entries of a stream of them.
#pragma once

#include <cstdint>

#include "group.cuh"

namespace graft::cuda {

/// Least power of two that is >= count, at least 1.
__host__ __device__ constexpr int power_of_two_from(int count) {
  int power = 1;
  while (power < count) power *= 2;
  return power;
}

/// Bitonic sort of `size` entries, a power of two, best first. Entries that compare equal must be alike: the order of a
/// network is not stable. Ends in step.
template <class Group, class Entry, class Before>
__device__ void sort_entries(Entry* entries, int size, const Before& before) {
  Group::sync();
  for (int run = 2; run <= size; run *= 2) {
    for (int stride = run / 2; stride > 0; stride /= 2) {
      for (int pair = Group::rank(); pair < size / 2; pair += Group::kThreads) {
        const int low = 2 * pair - (pair & (stride - 1));
        const int high = low + stride;
        const bool best_first = (low & run) == 0;
        const Entry a = entries[low];
        const Entry b = entries[high];
        if (best_first ? before(b, a) : before(a, b)) {
          entries[low] = b;
          entries[high] = a;
        }
      }
      Group::sync();
    }
  }
}

/// The `places` best of the entries offered, by a strict total order, and at most `capacity` - `places` more.
///
/// `bar` is an entry that `places` entries rank before or are equal to: what does not rank before it is not among the
/// best. Before the first cut it is whatever the caller starts with. What is held in the end, cut to `places`, depends
/// on the entries alone, not on the order of the offers.
template <class Group, class Entry, class Before>
struct RunningTop {
  Entry* entries;    ///< [capacity], of the group
  Entry* scratch;    ///< [capacity], to sort in; may be `entries`
  int capacity = 0;  ///< a power of two, at least places + Group::kThreads
  int places = 0;    ///< >= 1
  Before before;
  Entry empty;  ///< ranks after every real entry
  int count = 0;
  Entry bar;
  bool cut_once = false;

  /// Each thread offers at most one entry.
  __device__ void offer(bool take, const Entry& entry) {
    take = take && before(entry, bar);
    int total = 0;
    int place = Group::place(take, total);
    if (total == 0) return;
    if (count + total > capacity) {
      cut();
      take = take && before(entry, bar);
      place = Group::place(take, total);
    }
    if (take) entries[count + place] = entry;
    count += total;
  }

  /// Sorts what is held into `scratch`, best first, and fills its rest, up to a power of two, with `empty`.
  __device__ void sort() {
    const int size = power_of_two_from(count);
    Group::sync();
    for (int e = Group::rank(); e < size; e += Group::kThreads) scratch[e] = e < count ? entries[e] : empty;
    sort_entries<Group>(scratch, size, before);
  }

 private:
  __device__ void cut() {
    sort();
    for (int e = Group::rank(); e < places; e += Group::kThreads) entries[e] = scratch[e];
    bar = scratch[places - 1];
    count = places;
    cut_once = true;
    Group::sync();  // the bar is read: the scratch may be written
  }
};

}  // namespace graft::cuda
