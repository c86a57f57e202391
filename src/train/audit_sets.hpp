// The held-out items of an audit, each in a set with its controls.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "train/audit.hpp"
#include "train/dataset.hpp"

namespace graft::training {

/// One user's sets. Set s of the query holds items[s * width] (the one held out) and width - 1 controls.
struct AuditQuery {
  std::int32_t user = 0;
  std::int32_t left_out = -1;  ///< a training item that is looked at as if it were held out; -1: none
  std::int64_t begin = 0;      ///< first set
  std::int64_t end = 0;
};

struct AuditSets {
  std::int64_t width = 0;           ///< controls + 1
  std::vector<std::int32_t> items;  ///< [sets, width]
  std::vector<AuditQuery> queries;  ///< sets side by side

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(items.size()) / width; }
  [[nodiscard]] std::span<const std::int32_t> of(const AuditQuery& query) const {
    return std::span(items).subspan(static_cast<std::size_t>(query.begin * width),
                                    static_cast<std::size_t>((query.end - query.begin) * width));
  }
};

/// Random streams of an audit, so that none is used twice.
enum class AuditStream : std::uint64_t { sample, controls, train_sample, train_controls, basis, flips };
std::uint64_t audit_stream(AuditStream purpose, std::uint64_t part = 0);

/// What a user has in any split, and all held-out items, by user.
class AuditHistories {
 public:
  AuditHistories(const Dataset& data, AuditSplit split);

  /// Distinct items that the audited splits hold out and training does not have, ascending.
  [[nodiscard]] std::span<const std::int32_t> held(std::int64_t user) const;
  [[nodiscard]] bool has(std::int64_t user, std::int32_t item) const;  ///< in any split
  /// Training rows and the audited held-out rows.
  [[nodiscard]] const Interactions& audited() const { return audited_; }
  [[nodiscard]] const std::vector<std::int32_t>& held_items() const { return held_items_; }
  [[nodiscard]] std::int64_t users() const { return static_cast<std::int64_t>(held_offsets_.size()) - 1; }
  /// Rows that repeat a pair or are training pairs.
  [[nodiscard]] std::int64_t left_out() const { return left_out_; }

 private:
  Interactions all_;
  Interactions audited_;
  std::vector<std::int64_t> held_offsets_;
  std::vector<std::int32_t> held_items_;
  std::int64_t left_out_ = 0;
};

/// The held-out pairs, sampled down to options.most_pairs, with controls.
AuditSets held_out_sets(const AuditHistories& histories, const AuditOptions& options);

/// A sample of training pairs of users with two or more, in the same kind of sets; a query each.
AuditSets training_sets(const Dataset& data, const AuditHistories& histories, const AuditOptions& options);

}  // namespace graft::training
