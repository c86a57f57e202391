// What is trained.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "autodiff/index_list.hpp"
#include "autodiff/tensor.hpp"

namespace graft::autodiff {

/// Updates of a parameter's rows that the optimiser has put off until somebody reads them.
class PendingUpdates {
 public:
  PendingUpdates() = default;
  PendingUpdates(const PendingUpdates&) = delete;
  PendingUpdates& operator=(const PendingUpdates&) = delete;
  PendingUpdates(PendingUpdates&&) = delete;
  PendingUpdates& operator=(PendingUpdates&&) = delete;
  virtual ~PendingUpdates() = default;
  /// @param rows  distinct; all where absent
  virtual void bring_up_to_date(std::optional<std::span<const std::int32_t>> rows) = 0;
};

/// The gradient of one step: of all rows, or of the rows that the batch touched.
struct Gradient {
  Tensor values = {};  ///< no tensor: the parameter had no part in the loss
  Indices rows = {};   ///< values has one row for each of rows->distinct(); null: one for each row
};

/// A matrix that is trained. The tape reads `value` (after asking `pending`) and writes `gradient`.
struct Parameter {
  std::string name;
  Tensor value;
  Gradient gradient = {};
  PendingUpdates* pending = nullptr;  ///< the optimiser's; none: the value is always up to date
};

}  // namespace graft::autodiff
