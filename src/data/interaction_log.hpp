// Plain files of interactions - who did what, when - as shops and public data sets have them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <graft/core/context.hpp>

#include "id_table.hpp"

namespace graft::data {

enum class LogFormat {
  automatic,  ///< by the first line: "{" begins JSON lines; a tab means TSV; else a comma means CSV
  csv,        ///< RFC 4180: quoted fields may hold commas, doubled quotes and line ends
  tsv,        ///< tabs separate; a quote is an ordinary character
  jsonl       ///< one JSON object a line
};

enum class LogHeader {
  automatic,  ///< the first line is a header if it names a column that is known or asked for
  yes,
  no
};

/// Which columns to read. A column is named by the header or a JSON key or, in CSV and TSV, by its place from 1.
/// Empty: found by its usual names, whatever their case and underscores; in a file without a header the order is user,
/// item, rating, time (as in ratings-only dumps) unless one of the four is given.
struct LogColumns {
  std::string user = {};    ///< usual names: user, userID, uid, reviewerID, customer_id
  std::string item = {};    ///< item, itemID, iid, asin, parent_asin, product_id, movieId
  std::string time = {};    ///< timestamp, time, unixReviewTime; "none": do not read times
  std::string rating = {};  ///< rating, overall, stars, star_rating; "none": do not read ratings
};

struct LogOptions {
  LogFormat format = LogFormat::automatic;
  LogHeader header = LogHeader::automatic;
  LogColumns columns = {};
  /// Take ASCII blanks around an id away. Otherwise ids are kept byte for byte, and two that differ by such blanks only
  /// are an error.
  bool trim_ids = false;
  /// Leave rows out whose rating is below, or absent.
  std::optional<double> min_rating = {};
};

/// Rows in the order of the files. Memory: 8 bytes a row, 8 more with times and 8 more with ratings (up to twice that
/// while reading), and the ids once.
struct InteractionLog {
  std::vector<std::int32_t> users;  ///< numbers of user_ids
  std::vector<std::int32_t> items;  ///< numbers of item_ids
  std::vector<std::int64_t> times;  ///< as in the file, in its unit; empty where it has none
  std::vector<double> ratings;      ///< NaN where a row has none; empty where the file has none
  IdTable user_ids;                 ///< in order of first appearance
  IdTable item_ids;

  std::int64_t rows_read = 0;         ///< blank lines and the header are no rows
  std::int64_t without_user = 0;      ///< left out: the user is empty, blank or null
  std::int64_t without_item = 0;      ///< left out: there is a user, but no item
  std::int64_t without_time = 0;      ///< left out: there are a user and an item, but no time
  std::int64_t below_min_rating = 0;  ///< left out for LogOptions::min_rating
  std::int64_t padded_users = 0;      ///< user ids that begin or end with blanks, which were kept
  std::int64_t padded_items = 0;      ///< the same of item ids
  std::vector<std::string> read_as;   ///< what was taken for what in each file, e.g. "CSV with header: user = uid ..."

  [[nodiscard]] std::int64_t rows() const { return static_cast<std::int64_t>(users.size()); }
};

/// Reads files of interactions, one after another, as one table. Each may be packed by gzip and have a format and an
/// order of columns of its own; all or none must have times, and ratings.
///
/// A user id or item id is any text, kept byte for byte: leading zeros, case and Unicode forms count. In JSON it is a
/// string or a whole number. A time is a whole number in any unit (1370000000.0 is one), a rating a finite number.
/// @throws IoError; Cancelled; InvalidArgument (no file); FormatError naming file and line: empty file, text that is
///         not UTF-8, a zero byte, a line over 4 MiB, another number of fields than in the first line, an open quote,
///         bad JSON, a missing key, a time or rating that is no number, no column or two that could be meant, ids that
///         differ by blanks only
InteractionLog read_interaction_log(std::span<const std::filesystem::path> files, const LogOptions& options,
                                    const Context& context = {});

}  // namespace graft::data
