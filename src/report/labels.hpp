// One label an item, e.g. its category.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace graft::report {

struct Labels {
  std::vector<std::int32_t> ids;   ///< [items] index into names; -1: the item has no label
  std::vector<std::string> names;  ///< ascending, each used at least once
};

/// Labels of items 0, 1, ... from their texts; an empty text is no label.
Labels labels_of(const std::vector<std::string>& texts);

/// Reads labels in one of three forms:
///  - text: line i + 1 is the label of item i; an empty line is an item without one
///  - tab-separated with the header `itemID<TAB>label`: every item once, in any order
///  - .npy (told by its first bytes): one-dimensional int32 or int64
/// LF or CRLF; a UTF-8 byte-order mark is skipped.
/// @param items  how many labels there must be
/// @throws IoError; FormatError naming the file, the line and the value; another number of labels: both numbers
Labels read_labels(const std::filesystem::path& path, std::int64_t items);

}  // namespace graft::report
