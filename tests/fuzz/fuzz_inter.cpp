// Interaction files: whatever the text, read_inter_table gives a table or one of graft's errors; what it gives is
// written in the plainest form and read again the same, and makes Interactions.
#include <graft/io/inter.hpp>

#include <algorithm>

#include "fuzz.hpp"

namespace {

std::string plain_text(const graft::InterTable& table) {
  std::string text = table.has_labels ? "userID\titemID\tx_label\n" : "userID\titemID\n";
  for (std::size_t r = 0; r < table.users.size(); ++r) {
    text.append(std::to_string(table.users[r])).append("\t").append(std::to_string(table.items[r]));
    if (table.has_labels) text.append("\t").append(std::to_string(static_cast<int>(table.labels[r])));
    text.append("\n");
  }
  return text;
}

bool equal(const graft::InterTable& a, const graft::InterTable& b) {
  return a.users == b.users && a.items == b.items && a.labels == b.labels && a.has_labels == b.has_labels &&
         a.user_count == b.user_count && a.item_count == b.item_count && a.split_rows == b.split_rows &&
         a.notices == b.notices;
}

/// Every row is an interaction of its split, or merged into one.
void check_interactions(const graft::InterTable& table, const std::filesystem::path& path) {
  std::int64_t rows = 0;
  for (const graft::Split split : {graft::Split::train, graft::Split::valid, graft::Split::test}) {
    const auto interactions = graft::interactions_of(table, {.split = split});
    FUZZ_REQUIRE(interactions.users() == table.user_count);
    FUZZ_REQUIRE(interactions.items() == table.item_count);
    rows += interactions.size() + interactions.duplicates();
  }
  FUZZ_REQUIRE(rows == static_cast<std::int64_t>(table.users.size()));
  const auto all = graft::read_inter(path, {.split = graft::Split::all});
  FUZZ_REQUIRE(all.size() + all.duplicates() == rows);
  for (std::size_t r = 0; r < table.users.size(); ++r) {
    const auto history = all.history(table.users[r]);
    FUZZ_REQUIRE(std::binary_search(history.begin(), history.end(), table.items[r]));
  }
  // One item too few is an error.
  if (table.item_count > 0) {
    FUZZ_REQUIRE(!graft::fuzz::accepts([&] { graft::read_inter(path, {.items = table.item_count - 1}); }));
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::filesystem::path path = graft::fuzz::input_file(graft::fuzz::text_of(data, size));
  graft::InterTable table;
  if (!graft::fuzz::accepts([&] { table = graft::read_inter_table(path); })) return 0;
  constexpr std::int64_t kMostIds = 4096;  // larger matrices cost time and find nothing more
  if (table.user_count <= kMostIds && table.item_count <= kMostIds) check_interactions(table, path);

  FUZZ_REQUIRE(equal(graft::read_inter_table(graft::fuzz::input_file(plain_text(table))), table));
  return 0;
}
