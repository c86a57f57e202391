// Small dataset directories of the tests.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "files.hpp"

namespace graft::test {

/// A row of a .inter file. Labels: 0 train, 1 validation, 2 test.
struct Row {
  std::int32_t user;
  std::int32_t item;
  int label;
};

inline std::string inter_text(const std::vector<Row>& rows) {
  std::string text = "userID\titemID\tx_label\n";
  for (const Row& row : rows) {
    text += std::to_string(row.user) + "\t" + std::to_string(row.item) + "\t" + std::to_string(row.label) + "\n";
  }
  return text;
}

/// Writes FOLDER/NAME/NAME.inter. @return FOLDER/NAME
inline std::filesystem::path write_dataset(const TempDir& folder, std::string_view name, const std::vector<Row>& rows) {
  const std::filesystem::path directory = folder / name;
  std::filesystem::create_directories(directory);
  write_bytes(directory / (std::string(name) + ".inter"), inter_text(rows));
  return directory;
}

}  // namespace graft::test
