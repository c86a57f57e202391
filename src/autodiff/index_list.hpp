// Row numbers with repeats, as a batch has them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace graft::autodiff {

/// A list of row numbers, its distinct ones, and who is where: what a gather needs, and what adding gradients back in
/// one fixed order needs. Immutable; shared by pointer, so that two gathers with one list are known to be alike.
class IndexList {
 public:
  /// @param ids  in [0, bound), in any order, with repeats   @param bound  rows of what is indexed
  /// @throws InvalidArgument naming the position and the id outside
  static std::shared_ptr<const IndexList> make(std::vector<std::int32_t> ids, std::int64_t bound);

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(ids_.size()); }
  [[nodiscard]] std::int64_t bound() const { return bound_; }
  [[nodiscard]] std::span<const std::int32_t> ids() const& { return ids_; }
  /// The ids without repeats, ascending.
  [[nodiscard]] std::span<const std::int32_t> distinct() const& { return distinct_; }
  /// ids()[p] == distinct()[places()[p]].
  [[nodiscard]] std::span<const std::int32_t> places() const& { return places_; }
  /// Positions p of distinct id d, ascending: members()[offsets()[d]] ... members()[offsets()[d + 1] - 1].
  [[nodiscard]] std::span<const std::int32_t> members() const& { return members_; }
  [[nodiscard]] std::span<const std::int64_t> offsets() const& { return offsets_; }  ///< [distinct + 1]

 private:
  IndexList(std::vector<std::int32_t> ids, std::int64_t bound);

  std::int64_t bound_;
  std::vector<std::int32_t> ids_;
  std::vector<std::int32_t> distinct_;
  std::vector<std::int32_t> places_;
  std::vector<std::int32_t> members_;
  std::vector<std::int64_t> offsets_;
};

using Indices = std::shared_ptr<const IndexList>;

}  // namespace graft::autodiff
