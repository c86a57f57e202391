// A running top-k for every row, in the arrays that become the result.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <graft/core/row_range.hpp>
#include <graft/detail/checked.hpp>

namespace graft::detail {

/// The order of every selection: value descending, then id ascending.
inline bool ranks_before(float value, std::int32_t id, float other_value, std::int32_t other_id) {
  // & and |: no branch, as none could be foretold
  return (value > other_value) | ((value == other_value) & (id < other_id));
}

/// The least float above a number that is not NaN: std::nextafter without its call.
inline float next_above(float value) {
  if (value == std::numeric_limits<float>::infinity()) return value;
  if (value == 0.0F) return std::numeric_limits<float>::denorm_min();
  const auto bits = std::bit_cast<std::int32_t>(value);
  return std::bit_cast<float>(value > 0.0F ? bits + 1 : bits - 1);
}

/// `rows` binary heaps of at most `capacity` (value, id), the worst on top. Rows are independent: two threads may
/// work on two rows. What a row holds in the end does not depend on the order of the offers. Rows may reserve a place
/// for one entry that is appended after all offers, whatever its rank.
class TopKRows {
 public:
  TopKRows(const char* operation, std::int64_t rows, std::int64_t capacity)
      : capacity_(capacity),
        values_(make_vector<float>(operation, saturating_multiply(rows, capacity))),
        ids_(make_vector<std::int32_t>(operation, saturating_multiply(rows, capacity))),
        counts_(make_vector<std::int32_t>(operation, rows)) {}

  /// Keeps one place of each of these rows for `append`. Call before the first offer.
  void reserve_place(const RowRange& rows) { reserved_ = rows; }

  [[nodiscard]] std::int64_t rows() const { return static_cast<std::int64_t>(counts_.size()); }
  [[nodiscard]] std::int64_t capacity() const { return capacity_; }
  [[nodiscard]] std::int64_t count(std::int64_t row) const { return counts_[as_size(row)]; }
  [[nodiscard]] float* values(std::int64_t row) { return values_.data() + row * capacity_; }
  [[nodiscard]] std::int32_t* ids(std::int64_t row) { return ids_.data() + row * capacity_; }

  /// Entries that must be offered before the row starts to refuse; 0 if it is full.
  [[nodiscard]] std::int64_t places_if_open(std::int64_t row) const {
    const std::int64_t places = open(row);
    return count(row) < places ? places : 0;
  }

  /// A value below this cannot enter the row, if its id is at least `first_id`.
  [[nodiscard]] float entry_threshold(std::int64_t row, std::int64_t first_id, float minimum) const {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const std::int64_t places = open(row);
    if (places == 0) return kInfinity;
    if (count(row) < places) return minimum;
    const float worst = values_[as_size(row * capacity_)];
    const std::int32_t worst_id = ids_[as_size(row * capacity_)];
    return worst_id < first_id ? next_above(worst) : worst;
  }

  /// Adds (value, id) if the row has room or it ranks before the worst. An id is offered at most once.
  void offer(std::int64_t row, float value, std::int32_t id) {
    float* heap_values = values(row);
    std::int32_t* heap_ids = ids(row);
    std::int32_t& size = counts_[as_size(row)];
    const std::int64_t places = open(row);
    if (size < places) {
      sift_up(heap_values, heap_ids, size++, value, id);
    } else if (places > 0 && ranks_before(value, id, heap_values[0], heap_ids[0])) {
      sift_down(heap_values, heap_ids, size, value, id);
    }
  }

  /// Adds one more entry after all offers, in a reserved place.
  void append(std::int64_t row, float value, std::int32_t id) {
    const std::int32_t place = counts_[as_size(row)]++;
    values(row)[place] = value;
    ids(row)[place] = id;
  }

  /// Sorts the row by value descending, then id ascending; heap order is lost.
  void sort_by_rank(std::int64_t row) {
    float* row_values = values(row);
    std::int32_t* row_ids = ids(row);
    std::int64_t ascending = 1;  // entries from the worst on that are in order already
    while (ascending < count(row) &&
           ranks_before(row_values[ascending], row_ids[ascending], row_values[ascending - 1], row_ids[ascending - 1])) {
      ++ascending;
    }
    if (ascending >= count(row)) {
      std::reverse(row_values, row_values + count(row));
      std::reverse(row_ids, row_ids + count(row));
      return;
    }
    // heap sort: the worst goes to the end
    for (std::int64_t size = count(row); size > 1; --size) {
      const float worst = row_values[0];
      const std::int32_t worst_id = row_ids[0];
      sift_down(row_values, row_ids, size - 1, row_values[size - 1], row_ids[size - 1]);
      row_values[size - 1] = worst;
      row_ids[size - 1] = worst_id;
    }
  }

  /// The arrays [rows * capacity] and the number of entries of each row.
  std::vector<float>& all_values() { return values_; }
  std::vector<std::int32_t>& all_ids() { return ids_; }
  std::vector<std::int32_t>& all_counts() { return counts_; }

 private:
  /// Places that offers may take.
  [[nodiscard]] std::int64_t open(std::int64_t row) const {
    return capacity_ - (row >= reserved_.begin && row < reserved_.end ? 1 : 0);
  }

  static void sift_up(float* values, std::int32_t* ids, std::int64_t place, float value, std::int32_t id) {
    while (place > 0) {
      const std::int64_t parent = (place - 1) / 2;
      if (!ranks_before(values[parent], ids[parent], value, id)) break;
      values[place] = values[parent];
      ids[place] = ids[parent];
      place = parent;
    }
    values[place] = value;
    ids[place] = id;
  }

  static void sift_down(float* values, std::int32_t* ids, std::int64_t size, float value, std::int32_t id) {
    std::int64_t place = 0;
    for (std::int64_t child = 1; child < size; child = 2 * place + 1) {
      const std::int64_t other = child + 1 < size ? child + 1 : child;
      child += static_cast<std::int64_t>(ranks_before(values[child], ids[child], values[other], ids[other]));
      if (!ranks_before(value, id, values[child], ids[child])) break;
      values[place] = values[child];
      ids[place] = ids[child];
      place = child;
    }
    values[place] = value;
    ids[place] = id;
  }

  std::int64_t capacity_;
  RowRange reserved_{0, 0};
  std::vector<float> values_;
  std::vector<std::int32_t> ids_;
  std::vector<std::int32_t> counts_;
};

/// Sorts a row's entries by id; `scratch` is any vector, reused between rows.
inline void sort_row_by_id(std::int32_t* ids, float* values, std::int64_t size,
                           std::vector<std::pair<std::int32_t, float>>& scratch) {
  if (size <= 32) {  // insertion sort
    for (std::int64_t e = 1; e < size; ++e) {
      const std::int32_t id = ids[e];
      const float value = values[e];
      std::int64_t place = e;
      for (; place > 0 && ids[place - 1] > id; --place) {
        ids[place] = ids[place - 1];
        values[place] = values[place - 1];
      }
      ids[place] = id;
      values[place] = value;
    }
    return;
  }
  scratch.clear();
  for (std::int64_t e = 0; e < size; ++e) scratch.emplace_back(ids[e], values[e]);
  std::sort(scratch.begin(), scratch.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::int64_t e = 0; e < size; ++e) {
    ids[e] = scratch[as_size(e)].first;
    values[e] = scratch[as_size(e)].second;
  }
}

}  // namespace graft::detail
