#include "id_table.hpp"

#include <functional>

#include <graft/core/error.hpp>
#include <graft/detail/checked.hpp>

namespace graft::data {
namespace {

std::uint32_t hash_of(std::string_view text) {
  const std::uint64_t hash = std::hash<std::string_view>{}(text);
  return static_cast<std::uint32_t>(hash ^ (hash >> 32U));
}

}  // namespace

std::size_t IdTable::slot_of(std::string_view text, std::uint32_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.id == kAbsent || (slot.hash == hash && this->text(slot.id) == text)) return at;
  }
}

std::int32_t IdTable::find(std::string_view text) const { return slots_[slot_of(text, hash_of(text))].id; }

std::int32_t IdTable::insert(std::string_view text) {
  const std::uint32_t hash = hash_of(text);
  const std::size_t at = slot_of(text, hash);
  if (slots_[at].id != kAbsent) return slots_[at].id;
  if (size() == detail::kMaxNodes) {
    throw InvalidArgument(
        detail::message("IdTable", "ids", std::to_string(size()), "no more distinct ids can be held"));
  }
  const std::int32_t id = detail::as_id(size());
  bytes_.append(text);
  ends_.push_back(bytes_.size());
  slots_[at] = {hash, id};
  if (2 * ends_.size() > slots_.size()) grow();
  return id;
}

void IdTable::grow() {
  std::vector<Slot> larger(2 * slots_.size());
  const std::size_t mask = larger.size() - 1;
  for (const Slot& slot : slots_) {
    if (slot.id == kAbsent) continue;
    std::size_t at = slot.hash & mask;
    while (larger[at].id != kAbsent) at = (at + 1) & mask;
    larger[at] = slot;
  }
  slots_.swap(larger);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\v\f";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

}  // namespace graft::data
