// How operations get onto a tape: checks of the arguments, and rows that are pushed down to the inputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "autodiff/index_list.hpp"
#include "autodiff/node.hpp"
#include "autodiff/tape.hpp"

namespace graft::autodiff {

/// What a tape has made already, so that the same question gets the same node.
struct TapeMemory {
  std::map<const Parameter*, Node*> leaves;
  std::map<std::pair<const Node*, const IndexList*>, Node*> rows;
  /// The distinct ids of a list as a list; the list itself is held, so that no other takes its address.
  std::map<const IndexList*, std::pair<Indices, Indices>> distinct;
  std::unordered_multimap<std::size_t, Indices> lists;  ///< derived ones, by a hash of their ids
  std::uint64_t draws = 0;
  bool backward_done = false;
};

class Recorder {
 public:
  /// @param operation  named in messages   @throws InvalidArgument if x is no matrix on a tape
  Recorder(const char* operation, const char* argument, Var x);
  Recorder(const char* operation, Tape& tape) : operation_(operation), tape_(tape) {}

  /// @throws InvalidArgument if x is not on the tape
  [[nodiscard]] Node& node(const char* argument, Var x) const;
  /// @throws InvalidArgument "operation: argument = rows x cols: allowed"
  [[noreturn]] void refuse(const char* argument, const Node& x, const std::string& allowed) const;
  [[noreturn]] void refuse(const char* argument, const std::string& value, const std::string& allowed) const;

  Node& record(std::shared_ptr<const Operation> operation, std::vector<Node*> inputs, std::int64_t rows,
               std::int64_t cols);
  Node& leaf(std::int64_t rows, std::int64_t cols);
  [[nodiscard]] Var var(Node& node) const { return {tape_, node}; }

  /// x[list]
  Node& rows(Node& x, const Indices& list);
  /// x[list], given the rows of x by the distinct ids.
  Node& arrange(Node& x, Node& selected, const Indices& list);
  /// The distinct ids of a list; the same for lists with the same distinct ids.
  [[nodiscard]] Indices distinct(const Indices& list) const;
  /// A list with these ids, one for all with the same.
  [[nodiscard]] Indices derived_list(std::vector<std::int32_t> ids, std::int64_t bound) const;

  [[nodiscard]] RandomKey next_random();
  [[nodiscard]] TapeMemory& memory() const { return *tape_.memory_; }

  // Going through a tape.
  [[nodiscard]] static Node& node_of(Var x) { return *x.node_; }
  [[nodiscard]] static std::span<const std::unique_ptr<Node>> nodes(const Tape& tape) { return tape.nodes_; }

 private:
  struct Step;
  Node& select(Node& x, const Indices& distinct);
  /// Takes one step of a selection: asks for what is missing, or records.
  void advance(std::vector<Step>& steps);
  [[nodiscard]] Node* known_rows(const Node& x, const Indices& list) const;

  const char* operation_;
  Tape& tape_;
};

/// "3 x 4"
std::string shape_text(std::int64_t rows, std::int64_t cols);

}  // namespace graft::autodiff
