// Numbers and texts as people read them; the same in plain text and in reports.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace graft::report {

/// "1,234,567"
std::string count_text(std::int64_t count);

/// "63.5%", "1.8%", "0.57%", "0.003%", ">99.9%"; "n/a" where the share is not defined. @param share  1 is 100%
std::string percent_text(double share);

/// Four significant digits, whole numbers in full: "17.16", "0.3333", "63,454"; "n/a" where not defined.
std::string number_text(double value);

/// For axes, where room is short: "950", "12k", "1.5M".
std::string compact_text(double value);

/// "1 item", "2,000 items". @param one  the singular; its plural ends in "s"
std::string counted(std::int64_t count, std::string_view one);

/// The text as UTF-8 that HTML, XML and JSON may hold: U+FFFD stands for bytes that are no UTF-8 and for control
/// characters other than tab and newline.
std::string printable(std::string_view text);

/// Columns that the text takes, East Asian characters and pictures counted as two.
std::size_t width_of(std::string_view text);

/// At most `most` columns; a longer text ends in "…".
std::string shortened(const std::string& text, std::size_t most);

/// The text and as many blanks as fill `columns`.
std::string padded(const std::string& text, std::size_t columns);

}  // namespace graft::report
