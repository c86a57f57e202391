// Rows of a matrix on the tape.
#pragma once

#include <memory>

#include "autodiff/index_list.hpp"
#include "autodiff/node.hpp"

namespace graft::autodiff {

/// x[list->ids()]
Node& record_gather(Recorder& recorder, Node& x, const Indices& list);
/// x[list->places()], where x has one row for each distinct id of the list.
Node& record_expand(Recorder& recorder, Node& x, const Indices& list);
/// Gathers rows by ids that ascend without repeats.
std::shared_ptr<const Operation> gather_operation(const Indices& distinct);

}  // namespace graft::autodiff
