#include "interaction_log_columns.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <graft/detail/file_handle.hpp>

namespace graft::data {
namespace {

constexpr std::string_view kNone = "none";

/// The usual names of each role, without case, underscores and blanks.
constexpr std::array<std::array<std::string_view, 7>, kRoleCount> kUsualNames = {{
    {"user", "userid", "uid", "reviewerid", "customerid"},
    {"item", "itemid", "iid", "asin", "parentasin", "productid", "movieid"},
    {"timestamp", "time", "unixreviewtime"},
    {"rating", "overall", "stars", "starrating"},
}};

const std::string& wanted_column(const LogColumns& wanted, Role role) {
  switch (role) {
    case Role::user:
      return wanted.user;
    case Role::item:
      return wanted.item;
    case Role::time:
      return wanted.time;
    case Role::rating:
      break;
  }
  return wanted.rating;
}

bool is_optional(Role role) { return role == Role::time || role == Role::rating; }
bool is_switched_off(const LogColumns& wanted, Role role) {
  return is_optional(role) && wanted_column(wanted, role) == kNone;
}

/// "user_id:token" (a column with its type, as RecBole writes) and "User ID" are both "userid".
std::string plain_name(std::string_view column) {
  std::string plain;
  for (const char c : trimmed(column.substr(0, column.find(':')))) {
    if (c == '_' || c == '-' || c == ' ') continue;
    plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return plain;
}

bool is_usual(std::string_view column, Role role) {
  const std::string plain = plain_name(column);
  const auto& usual = kUsualNames[index_of(role)];
  return !plain.empty() && std::find(usual.begin(), usual.end(), plain) != usual.end();
}

std::string listed(std::span<const std::string_view> columns) {
  constexpr std::size_t kMostListed = 30;
  std::vector<std::string> names;
  for (const std::string_view column : columns.first(std::min(columns.size(), kMostListed))) {
    names.push_back(detail::quote(column));
  }
  return fmt::format("{}{}", fmt::join(names, ", "), columns.size() > kMostListed ? ", ..." : "");
}

[[noreturn]] void refuse(const ColumnSearch& search, Role role, std::string_view why) {
  const std::string& wanted = wanted_column(search.wanted, role);
  search.lines.fail(search.line, fmt::format("{}{}{}", name(role), wanted.empty() ? "" : " = ", wanted), "",
                    fmt::format("{} (columns: {})", why, listed(search.columns)));
}

/// The place, counted from 0, that a text such as "2" means.
std::optional<std::size_t> place_of(std::string_view text, std::size_t columns) {
  std::size_t place = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), place);
  if (error != std::errc() || end != text.data() + text.size() || place < 1 || place > columns) return std::nullopt;
  return place - 1;
}

/// The one column that `fits`; nothing if none does.
template <class Fits>
std::optional<std::size_t> only_column(const ColumnSearch& search, Role role, const Fits& fits) {
  std::optional<std::size_t> found;
  for (std::size_t c = 0; c < search.columns.size(); ++c) {
    if (!fits(search.columns[c])) continue;
    if (found) {
      refuse(search, role,
             fmt::format("columns {} and {} could both be meant: choose {} by its {}", *found + 1, c + 1, name(role),
                         search.columns[c] == search.columns[*found] ? "place" : "name"));
    }
    found = c;
  }
  return found;
}

void check_distinct(const ColumnSearch& search, const ColumnPlaces& places) {
  for (const Role role : kRoles) {
    const std::string& wanted = wanted_column(search.wanted, role);
    for (const Role other : kRoles) {
      // of two that were found to be one column, the one that was asked for is to blame
      const bool blamed = !wanted.empty() && role != other;
      if (!blamed || !places[index_of(role)] || places[index_of(role)] != places[index_of(other)]) continue;
      refuse(search, role, fmt::format("is the column of {} too; each needs one of its own", name(other)));
    }
  }
}

}  // namespace

const char* name(Role role) {
  switch (role) {
    case Role::user:
      return "user";
    case Role::item:
      return "item";
    case Role::time:
      return "time";
    case Role::rating:
      break;
  }
  return "rating";
}

bool looks_like_header(std::span<const std::string_view> columns, const LogColumns& wanted) {
  return std::any_of(columns.begin(), columns.end(), [&](std::string_view column) {
    return std::any_of(kRoles.begin(), kRoles.end(), [&](Role role) {
      const std::string& asked = wanted_column(wanted, role);
      return is_usual(column, role) || (asked == column && !asked.empty() && !place_of(asked, columns.size()));
    });
  });
}

ColumnPlaces columns_by_name(const ColumnSearch& search, bool places_allowed) {
  ColumnPlaces places;
  for (const Role role : kRoles) {
    if (is_switched_off(search.wanted, role)) continue;
    std::optional<std::size_t>& place = places[index_of(role)];
    const std::string& wanted = wanted_column(search.wanted, role);
    if (wanted.empty()) {
      place = only_column(search, role, [&](std::string_view column) { return is_usual(column, role); });
      if (place || is_optional(role)) continue;
      refuse(search, role, fmt::format("no column has a usual name of the {}; name it", name(role)));
    }
    place = only_column(search, role, [&](std::string_view column) { return column == wanted; });
    if (!place && places_allowed) place = place_of(wanted, search.columns.size());
    if (!place) refuse(search, role, "no column has this name");
  }
  check_distinct(search, places);
  return places;
}

ColumnPlaces columns_by_place(const ColumnSearch& search) {
  constexpr std::array<std::size_t, kRoleCount> kUsualPlaces{0, 1, 3, 2};
  const std::size_t columns = search.columns.size();
  const bool none_given = std::all_of(kRoles.begin(), kRoles.end(), [&](Role role) {
    return wanted_column(search.wanted, role).empty() || is_switched_off(search.wanted, role);
  });
  if (none_given && columns > kRoleCount) {
    refuse(search, Role::user,
           fmt::format("is this a header? Then set header to yes; else give the places of user and item among the {} "
                       "columns, from 1",
                       columns));
  }
  ColumnPlaces places;
  for (const Role role : kRoles) {
    if (is_switched_off(search.wanted, role)) continue;
    const std::string& wanted = wanted_column(search.wanted, role);
    std::optional<std::size_t>& place = places[index_of(role)];
    if (!wanted.empty()) {
      place = place_of(wanted, columns);
      if (place) continue;
      refuse(search, role,
             fmt::format("must be a place in [1, {}], for the file has no header; if it has one, set header to yes",
                         columns));
    }
    const std::size_t usual = kUsualPlaces[index_of(role)];
    if (usual < columns && (none_given || !is_optional(role))) place = usual;
    if (!place && !is_optional(role))
      refuse(search, role, "there is no second column: which character separates fields?");
  }
  check_distinct(search, places);
  return places;
}

}  // namespace graft::data
