// Names numbered from 0 in the order of their first appearance.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace graft::data {

/// Texts, each held once, and their numbers. Memory: the bytes of each text and about 24 bytes.
class IdTable {
 public:
  static constexpr std::int32_t kAbsent = -1;

  IdTable() : slots_(kLeastSlots) {}

  /// Texts in the table; at most 2^31 - 1.
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(ends_.size()); }

  /// The text of a number in [0, size()). Valid until the next insert().
  [[nodiscard]] std::string_view text(std::int32_t id) const {
    const auto place = static_cast<std::size_t>(id);
    const std::size_t begin = place == 0 ? 0 : ends_[place - 1];
    return std::string_view(bytes_).substr(begin, ends_[place] - begin);
  }

  /// The number of a text, or kAbsent.
  [[nodiscard]] std::int32_t find(std::string_view text) const;

  /// The number of a text; a new one gets the number size(). @throws InvalidArgument if the table is full
  std::int32_t insert(std::string_view text);

 private:
  /// Part of the hash spares most comparisons of texts, and all of them when the table grows.
  struct Slot {
    std::uint32_t hash = 0;
    std::int32_t id = kAbsent;
  };
  static constexpr std::size_t kLeastSlots = 16;

  [[nodiscard]] std::size_t slot_of(std::string_view text, std::uint32_t hash) const;
  void grow();

  std::string bytes_;              ///< all texts, one after another
  std::vector<std::size_t> ends_;  ///< of each text in bytes_
  std::vector<Slot> slots_;        ///< open addressing, a power of two, at most half full
};

/// The text without ASCII blanks (space, tab, line ends) around it.
std::string_view trimmed(std::string_view text);

}  // namespace graft::data
