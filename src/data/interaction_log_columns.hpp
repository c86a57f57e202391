// Which column of a file of interactions holds what.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "interaction_log.hpp"
#include "interaction_log_lines.hpp"

namespace graft::data {

/// What a column may hold.
enum class Role : std::size_t { user, item, time, rating };
inline constexpr std::array<Role, 4> kRoles{Role::user, Role::item, Role::time, Role::rating};
inline constexpr std::size_t kRoleCount = kRoles.size();

constexpr std::size_t index_of(Role role) { return static_cast<std::size_t>(role); }
/// "user", "item", "time", "rating".
const char* name(Role role);

/// The column of each role, counted from 0; nothing where the file has none.
using ColumnPlaces = std::array<std::optional<std::size_t>, kRoleCount>;

/// What is known of a file when its columns are to be found.
struct ColumnSearch {
  const LineReader& lines;                    ///< for messages
  std::int64_t line = 1;                      ///< that shows the columns
  std::span<const std::string_view> columns;  ///< their names or, without a header, the first row
  const LogColumns& wanted;
};

/// Whether the columns of a first line look like names rather than values.
bool looks_like_header(std::span<const std::string_view> columns, const LogColumns& wanted);

/// Columns by the names of a header or the keys of an object.
/// @param places_allowed  whether a whole number may stand for the place of a column
/// @throws FormatError naming file, line, columns and option
ColumnPlaces columns_by_name(const ColumnSearch& search, bool places_allowed);

/// Columns of a file without a header. @throws FormatError as above
ColumnPlaces columns_by_place(const ColumnSearch& search);

}  // namespace graft::data
