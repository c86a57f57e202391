#include "autodiff/index_list.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include <graft/core/error.hpp>
#include <graft/detail/checked.hpp>

namespace graft::autodiff {
namespace {

using detail::as_id;
using detail::as_size;

void check_ids(std::span<const std::int32_t> ids, std::int64_t bound) {
  detail::check_node_count("IndexList", "bound", bound);
  detail::check_node_count("IndexList", "size", static_cast<std::int64_t>(ids.size()));
  for (std::size_t p = 0; p < ids.size(); ++p) {
    if (ids[p] >= 0 && ids[p] < bound) continue;
    throw InvalidArgument(detail::message("IndexList", "ids[" + std::to_string(p) + "]", std::to_string(ids[p]),
                                          "must lie in [0, " + std::to_string(bound) + ")"));
  }
}

/// Positions in ascending (id, position).
std::vector<std::int32_t> sorted_positions(const std::vector<std::int32_t>& ids) {
  // Both fit one word, and words sort faster than positions that look their ids up.
  std::vector<std::uint64_t> keys(ids.size());
  for (std::size_t p = 0; p < ids.size(); ++p) keys[p] = static_cast<std::uint64_t>(ids[p]) << 32U | p;
  std::sort(keys.begin(), keys.end());
  std::vector<std::int32_t> positions(ids.size());
  for (std::size_t s = 0; s < keys.size(); ++s) positions[s] = static_cast<std::int32_t>(keys[s] & 0xFFFFFFFFU);
  return positions;
}

}  // namespace

std::shared_ptr<const IndexList> IndexList::make(std::vector<std::int32_t> ids, std::int64_t bound) {
  check_ids(ids, bound);
  return std::shared_ptr<const IndexList>(new IndexList(std::move(ids), bound));
}

IndexList::IndexList(std::vector<std::int32_t> ids, std::int64_t bound)
    : bound_(bound), ids_(std::move(ids)), places_(ids_.size()), members_(sorted_positions(ids_)) {
  for (std::size_t s = 0; s < members_.size(); ++s) {
    const std::size_t position = as_size(members_[s]);
    if (distinct_.empty() || distinct_.back() != ids_[position]) {
      distinct_.push_back(ids_[position]);
      offsets_.push_back(static_cast<std::int64_t>(s));
    }
    places_[position] = as_id(static_cast<std::int64_t>(distinct_.size()) - 1);
  }
  offsets_.push_back(size());
}

}  // namespace graft::autodiff
