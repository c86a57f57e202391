#include "autodiff/recorder.hpp"

#include <algorithm>
#include <array>

#include <graft/core/error.hpp>
#include <graft/detail/checked.hpp>

#include "autodiff/gather.hpp"
#include "data/random.hpp"

namespace graft::autodiff {
namespace {

using detail::as_size;

std::size_t hash_of(std::span<const std::int32_t> ids, std::int64_t bound) {
  auto hash = static_cast<std::uint64_t>(bound) + 0x9E3779B97F4A7C15U;
  for (const std::int32_t id : ids) {
    hash = (hash ^ static_cast<std::uint32_t>(id)) * 0xFF51AFD7ED558CCDU;
    hash ^= hash >> 32U;
  }
  return hash;
}

bool has_ids(const IndexList& list, std::span<const std::int32_t> ids, std::int64_t bound) {
  return list.bound() == bound && std::equal(list.ids().begin(), list.ids().end(), ids.begin(), ids.end());
}

/// Notes what a new node stands for. One that was there before `whole` may be a part of it; and there are no cheaper
/// rows than gathered ones.
void note_origin(Node& result, Node& whole, const Indices& list) {
  const bool is_new = result.number > whole.number && result.stands_for.node == nullptr;
  if (is_new && result.operation->gathered() == nullptr) result.stands_for = {&whole, list};
}

}  // namespace

std::string shape_text(std::int64_t rows, std::int64_t cols) {
  return std::to_string(rows) + " x " + std::to_string(cols);
}

// Arguments
// ------------------------------------------------------------------------------------------------------------

Recorder::Recorder(const char* operation, const char* argument, Var x)
    : operation_(operation), tape_([&]() -> Tape& {
        if (x.tape_ == nullptr) {
          throw InvalidArgument(detail::message(operation, argument, "", "must be a matrix on a tape"));
        }
        return *x.tape_;
      }()) {}

Node& Recorder::node(const char* argument, Var x) const {
  if (x.tape_ != &tape_) {
    throw InvalidArgument(detail::message(
        operation_, argument, "", x.tape_ == nullptr ? "must be a matrix on a tape" : "must be on the same tape"));
  }
  return *x.node_;
}

void Recorder::refuse(const char* argument, const Node& x, const std::string& allowed) const {
  refuse(argument, shape_text(x.rows, x.cols), allowed);
}

void Recorder::refuse(const char* argument, const std::string& value, const std::string& allowed) const {
  throw InvalidArgument(detail::message(operation_, argument, value, allowed));
}

// Nodes
// ----------------------------------------------------------------------------------------------------------------

Node& Recorder::record(std::shared_ptr<const Operation> operation, std::vector<Node*> inputs, std::int64_t rows,
                       std::int64_t cols) {
  auto node = std::make_unique<Node>(std::move(operation), std::move(inputs), rows, cols);
  for (const Node* input : node->inputs) node->wants_gradient = node->wants_gradient || input->wants_gradient;
  node->number = tape_.nodes_.size();
  tape_.nodes_.push_back(std::move(node));
  return *tape_.nodes_.back();
}

Node& Recorder::leaf(std::int64_t rows, std::int64_t cols) { return record(nullptr, {}, rows, cols); }

RandomKey Recorder::next_random() {
  // Scrambled, so that streams which were counted up by others do not meet these.
  const std::uint64_t number = memory().draws++;
  const RandomKey& key = tape_.random_;
  const auto low = [](std::uint64_t bits) { return static_cast<std::uint32_t>(bits); };
  const auto high = [](std::uint64_t bits) { return static_cast<std::uint32_t>(bits >> 32U); };
  const std::array<std::uint32_t, 4> words =
      data::philox4x32({low(number), high(number), low(key.stream), high(key.stream)}, {low(key.seed), high(key.seed)});
  return {key.seed, words[0] | std::uint64_t{words[1]} << 32U};
}

// Lists
// ----------------------------------------------------------------------------------------------------------------

Indices Recorder::derived_list(std::vector<std::int32_t> ids, std::int64_t bound) const {
  const std::size_t hash = hash_of(ids, bound);
  const auto [first, last] = memory().lists.equal_range(hash);
  for (auto found = first; found != last; ++found) {
    if (has_ids(*found->second, ids, bound)) return found->second;
  }
  return memory().lists.emplace(hash, IndexList::make(std::move(ids), bound))->second;
}

Indices Recorder::distinct(const Indices& list) const {
  const auto found = memory().distinct.find(list.get());
  if (found != memory().distinct.end()) return found->second.second;
  const auto ids = list->distinct();
  const std::size_t hash = hash_of(ids, list->bound());
  const auto [first, last] = memory().lists.equal_range(hash);
  Indices result;
  for (auto other = first; other != last && !result; ++other) {
    if (has_ids(*other->second, ids, list->bound())) result = other->second;
  }
  if (!result) {
    const bool itself = has_ids(*list, ids, list->bound());
    result = itself ? list : IndexList::make({ids.begin(), ids.end()}, list->bound());
    memory().lists.emplace(hash, result);
  }
  memory().distinct[list.get()] = {list, result};
  return result;
}

// Rows
// -----------------------------------------------------------------------------------------------------------------

/// A selection under way: rows of a node by ids that ascend.
struct Recorder::Step {
  Node* node;
  Indices list;
  std::optional<std::vector<Selection>> parts = {};
};

Node* Recorder::known_rows(const Node& x, const Indices& list) const {
  const auto found = memory().rows.find({&x, list.get()});
  return found == memory().rows.end() ? nullptr : found->second;
}

Node& Recorder::rows(Node& x, const Indices& list) {
  if (Node* known = known_rows(x, list)) return *known;
  Node& selected = select(x, distinct(list));
  Node& result = arrange(x, selected, list);
  memory().rows[{&x, list.get()}] = &result;
  return result;
}

Node& Recorder::arrange(Node& x, Node& selected, const Indices& list) {
  const Indices distinct_ids = distinct(list);
  if (has_ids(*list, distinct_ids->ids(), list->bound())) return selected;
  const bool gathers_x = selected.operation && selected.operation->gathered() != nullptr && &selected.input(0) == &x;
  // One gather of x does where the selection would only be another one.
  if (gathers_x || &selected == &x) return record_gather(*this, x, list);
  return record_expand(*this, selected, list);
}

Node& Recorder::select(Node& x, const Indices& distinct) {
  std::vector<Step> steps;  // in place of recursion: tapes are long
  steps.push_back({&x, distinct});
  while (!steps.empty()) advance(steps);
  return *known_rows(x, distinct);
}

void Recorder::advance(std::vector<Step>& steps) {
  const std::size_t top = steps.size() - 1;
  Node& node = *steps[top].node;
  const Indices list = steps[top].list;
  Node* result = known_rows(node, list);
  if (result == nullptr && list->size() == node.rows) result = &node;
  if (result == nullptr) {
    if (!steps[top].parts && !node.leaf()) steps[top].parts = node.operation->rows_from(*this, node, list);
    const std::optional<std::vector<Selection>> parts = steps[top].parts;
    if (parts) {
      std::vector<Node*> selected;
      for (const Selection& part : *parts) {
        Node* rows = part.list ? known_rows(*part.node, part.list) : part.node;
        if (rows == nullptr) steps.push_back({part.node, part.list});
        selected.push_back(rows);
      }
      if (steps.size() > top + 1) return;  // the missing ones first
      result = &node.operation->on_rows(*this, node, list, selected);
      note_origin(*result, node, list);
    } else {
      result = &record_gather(*this, node, list);
    }
  }
  memory().rows[{&node, list.get()}] = result;
  steps.pop_back();
}

}  // namespace graft::autodiff
