// Columns that come through the Arrow C data interface.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/id_table.hpp"

/// The structures of the Arrow C data and stream interfaces, as their specification fixes them
/// (arrow.apache.org/docs/format/CDataInterface.html).
extern "C" {
struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  std::int64_t flags;
  std::int64_t n_children;
  ArrowSchema** children;
  ArrowSchema* dictionary;
  void (*release)(ArrowSchema*);
  void* private_data;
};
struct ArrowArray {
  std::int64_t length;
  std::int64_t null_count;
  std::int64_t offset;
  std::int64_t n_buffers;
  std::int64_t n_children;
  const void** buffers;
  ArrowArray** children;
  ArrowArray* dictionary;
  void (*release)(ArrowArray*);
  void* private_data;
};
struct ArrowArrayStream {
  int (*get_schema)(ArrowArrayStream*, ArrowSchema*);
  int (*get_next)(ArrowArrayStream*, ArrowArray*);
  const char* (*get_last_error)(ArrowArrayStream*);
  void (*release)(ArrowArrayStream*);
  void* private_data;
};
}

namespace graft::python {

/// Releases an Arrow structure that a producer filled, or that is empty.
template <class Structure>
class Owned {
 public:
  Owned() = default;
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  Owned(Owned&&) = delete;
  Owned& operator=(Owned&&) = delete;
  ~Owned() {
    if (value.release != nullptr) value.release(&value);
  }

  Structure value{};
};

/// Ids numbered from 0 in the order of their first appearance: whole numbers or texts, not both.
class Numbering {
 public:
  /// Appends a row. @throws InvalidArgument if there are 2^31 - 1 different ids already
  void append(std::int64_t id);
  void append(std::string_view id) { rows_.push_back(texts_.insert(id)); }
  void append_number(std::int32_t number) { rows_.push_back(number); }
  /// The number of the last row.
  [[nodiscard]] std::int32_t last() const { return rows_.back(); }

  [[nodiscard]] std::vector<std::int32_t>& rows() { return rows_; }
  [[nodiscard]] std::vector<std::int64_t>& ids() { return ids_; }
  [[nodiscard]] const data::IdTable& texts() const { return texts_; }

 private:
  std::vector<std::int32_t> rows_;
  std::unordered_map<std::int64_t, std::int32_t> numbers_;
  std::vector<std::int64_t> ids_;
  data::IdTable texts_;
};

/// Whether a column of this type holds texts. @throws TypeError (pybind11::type_error) unless it holds texts or whole
/// numbers, or a dictionary of them
bool holds_texts(const std::string& argument, const ArrowSchema& schema);

/// Numbers the ids of an array. @param argument  for messages
/// @throws InvalidArgument (a missing id, a number over 2^63 - 1)
void append_array(const std::string& argument, const ArrowSchema& schema, const ArrowArray& array,
                  Numbering& numbering);

}  // namespace graft::python
