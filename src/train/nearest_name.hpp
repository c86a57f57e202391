// "Did you mean": help for names that do not exist.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace graft::training {

/// The least number of insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`, where no
/// piece is edited twice (optimal string alignment).
std::int64_t edit_distance(std::string_view a, std::string_view b);

/// What an error message says after "no such NOUN": "did you mean X? There are: X, Y, Z". The nearest name is suggested
/// where it is near enough to be a slip of the hand; without any name: "there are none".
std::string name_hint(std::string_view given, std::span<const std::string> names);

}  // namespace graft::training
