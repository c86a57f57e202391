// The k best edges of a row, in ascending columns.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/detail/checked.hpp>
#include <graft/detail/top_k_rows.hpp>

namespace graft::detail {

/// Selects by (weight descending, then column ascending), with the diagonal apart where a caller says so. Holds a
/// buffer of the longest row: make one a task.
class RowSelection {
 public:
  /// The diagonal of a row, where it does not compete with the others.
  struct Diagonal {
    std::int32_t column;
    bool kept;     ///< takes the first of the k places; else it is left out
    float weight;  ///< what it weighs where kept, whether the row stores it or not
  };

  /// Writes the k best edges of a row whose columns ascend. @return their number
  std::int64_t select(std::span<const std::int32_t> columns, std::span<const float> weights, std::int64_t k,
                      std::int32_t* out_columns, float* out_weights) {
    return select_others(columns, weights, k, kNoColumn, out_columns, out_weights);
  }

  /// The same with the diagonal apart.
  std::int64_t select(std::span<const std::int32_t> columns, std::span<const float> weights, std::int64_t k,
                      const Diagonal& diagonal, std::int32_t* out_columns, float* out_weights) {
    if (!diagonal.kept) return select_others(columns, weights, k, diagonal.column, out_columns, out_weights);
    const std::int64_t others = select_others(columns, weights, k - 1, diagonal.column, out_columns, out_weights);
    std::int64_t place = others;
    for (; place > 0 && out_columns[place - 1] > diagonal.column; --place) {
      out_columns[place] = out_columns[place - 1];
      out_weights[place] = out_weights[place - 1];
    }
    out_columns[place] = diagonal.column;
    out_weights[place] = diagonal.weight;
    return others + 1;
  }

  /// Edges that `select` with a diagonal would write.
  static std::int64_t count(std::span<const std::int32_t> columns, std::int64_t k, const Diagonal& diagonal) {
    const bool stored = std::binary_search(columns.begin(), columns.end(), diagonal.column);
    const std::int64_t others = static_cast<std::int64_t>(columns.size()) - (stored ? 1 : 0);
    return diagonal.kept ? 1 + std::min(k - 1, others) : std::min(k, others);
  }

 private:
  static constexpr std::int32_t kNoColumn = -1;

  std::int64_t select_others(std::span<const std::int32_t> columns, std::span<const float> weights, std::int64_t k,
                             std::int32_t left_out, std::int32_t* out_columns, float* out_weights) {
    const auto size = static_cast<std::int64_t>(columns.size());
    if (k == 0) return 0;
    std::pair<float, std::int32_t> last{};  // the k-th best
    const bool cut = size > k && find_last(columns, weights, k, left_out, last);
    std::int64_t written = 0;
    for (std::int64_t e = 0; e < size; ++e) {
      const std::int32_t column = columns[as_size(e)];
      const float weight = weights[as_size(e)];
      if (column == left_out || (cut && ranks_before(last.first, last.second, weight, column))) continue;
      out_columns[written] = column;
      out_weights[written] = weight;
      ++written;
    }
    return written;
  }

  /// @return false if there are no more than k candidates
  bool find_last(std::span<const std::int32_t> columns, std::span<const float> weights, std::int64_t k,
                 std::int32_t left_out, std::pair<float, std::int32_t>& last) {
    candidates_.clear();
    for (std::size_t e = 0; e < columns.size(); ++e) {
      if (columns[e] != left_out) candidates_.emplace_back(weights[e], columns[e]);
    }
    if (static_cast<std::int64_t>(candidates_.size()) <= k) return false;
    const auto place = candidates_.begin() + (k - 1);
    std::nth_element(candidates_.begin(), place, candidates_.end(),
                     [](const auto& a, const auto& b) { return ranks_before(a.first, a.second, b.first, b.second); });
    last = *place;
    return true;
  }

  std::vector<std::pair<float, std::int32_t>> candidates_;
};

}  // namespace graft::detail
