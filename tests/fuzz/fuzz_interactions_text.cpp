// Interactions as shops and public data sets have them (CSV, TSV, JSON lines): whatever the text, read_interaction_log
// gives a sound table or one of graft's errors; what it gives is written as JSON lines and read again the same, and has
// a k-core and splits that keep their promises.
//
// An input is a byte of options, then the file.
#include <algorithm>
#include <array>
#include <bit>
#include <numeric>

#include <data/interaction_log.hpp>
#include <data/kcore.hpp>
#include <data/split.hpp>
#include <nlohmann/json.hpp>

#include "fuzz.hpp"

namespace {

using graft::data::InteractionLog;
using graft::data::LogFormat;
using graft::data::LogHeader;
using graft::data::LogOptions;

const graft::Context kOneThread{.threads = 1};

/// Two bits each of format and header, then whether blanks are trimmed and low ratings left out.
LogOptions options_of(unsigned choices) {
  constexpr std::array<LogFormat, 4> kFormats = {LogFormat::automatic, LogFormat::csv, LogFormat::tsv,
                                                 LogFormat::jsonl};
  constexpr std::array<LogHeader, 4> kHeaders = {LogHeader::automatic, LogHeader::yes, LogHeader::no,
                                                 LogHeader::automatic};
  LogOptions options;
  options.format = kFormats[choices % 4];
  options.header = kHeaders[choices / 4 % 4];
  options.trim_ids = (choices & 16U) != 0;
  if ((choices & 32U) != 0) options.min_rating = 3.0;
  return options;
}

InteractionLog read(std::string_view bytes, const LogOptions& options) {
  const std::array files = {graft::fuzz::input_file(bytes)};
  return graft::data::read_interaction_log(files, options, kOneThread);
}

/// Ids are numbered by first appearance, and found again by their text.
void check_ids(const std::vector<std::int32_t>& numbers, const graft::data::IdTable& ids) {
  std::int32_t next = 0;
  for (const std::int32_t number : numbers) {
    FUZZ_REQUIRE(number >= 0 && number <= next);
    if (number == next) ++next;
  }
  for (std::int32_t id = 0; id < next; ++id) {
    FUZZ_REQUIRE(!ids.text(id).empty());
    FUZZ_REQUIRE(ids.find(ids.text(id)) == id);
  }
}

void check_table(const InteractionLog& log) {
  const std::size_t rows = log.users.size();
  FUZZ_REQUIRE(log.items.size() == rows);
  FUZZ_REQUIRE(log.times.empty() || log.times.size() == rows);
  FUZZ_REQUIRE(log.ratings.empty() || log.ratings.size() == rows);
  FUZZ_REQUIRE(log.rows_read ==
               log.rows() + log.without_user + log.without_item + log.without_time + log.below_min_rating);
  check_ids(log.users, log.user_ids);
  check_ids(log.items, log.item_ids);
}

std::string json_lines(const InteractionLog& log) {
  std::string text;
  for (std::size_t r = 0; r < log.users.size(); ++r) {
    nlohmann::ordered_json line = {{"user", log.user_ids.text(log.users[r])},
                                   {"item", log.item_ids.text(log.items[r])}};
    if (!log.times.empty()) line["time"] = log.times[r];
    if (!log.ratings.empty()) line["rating"] = log.ratings[r];  // NaN is written as null
    text.append(line.dump()).append("\n");
  }
  return text;
}

void check_round_trip(const InteractionLog& log) {
  LogOptions options;
  options.format = LogFormat::jsonl;
  options.columns = {.user = "user",
                     .item = "item",
                     .time = log.times.empty() ? "none" : "time",
                     .rating = log.ratings.empty() ? "none" : "rating"};
  const InteractionLog again = read(json_lines(log), options);
  FUZZ_REQUIRE(again.users == log.users);
  FUZZ_REQUIRE(again.items == log.items);
  FUZZ_REQUIRE(again.times == log.times);
  FUZZ_REQUIRE(std::ranges::equal(again.ratings, log.ratings, [](double a, double b) {
    return a == b || (a != a && b != b);  // two NaN are the same here
  }));
  for (std::int32_t id = 0; id < again.user_ids.size(); ++id) {
    FUZZ_REQUIRE(again.user_ids.text(id) == log.user_ids.text(id));
  }
}

std::vector<std::int32_t> at(const std::vector<std::int32_t>& values, const std::vector<std::int64_t>& places) {
  std::vector<std::int32_t> picked;
  for (const std::int64_t place : places) picked.push_back(values[static_cast<std::size_t>(place)]);
  return picked;
}

void check_core(const InteractionLog& log, std::int64_t k) {
  const std::int64_t users = log.user_ids.size();
  const std::int64_t items = log.item_ids.size();
  const auto core = graft::data::k_core(log.users, log.items, users, items, k, kOneThread);
  const std::vector<std::int32_t> kept_users = at(log.users, core.rows);
  const std::vector<std::int32_t> kept_items = at(log.items, core.rows);
  for (const std::int32_t user : kept_users) FUZZ_REQUIRE(std::ranges::count(kept_users, user) >= k);
  for (const std::int32_t item : kept_items) FUZZ_REQUIRE(std::ranges::count(kept_items, item) >= k);
  const std::int64_t largest = graft::data::largest_core(log.users, log.items, users, items, k, kOneThread);
  FUZZ_REQUIRE((largest == k) == !core.rows.empty());
}

void check_splits(const InteractionLog& log) {
  using graft::data::Protocol;
  const graft::data::RowsView rows{.users = log.users,
                                   .items = log.items,
                                   .times = log.times,
                                   .user_count = log.user_ids.size(),
                                   .item_count = log.item_ids.size()};
  for (const Protocol protocol : {Protocol::random, Protocol::temporal, Protocol::temporal_user, Protocol::cold_item}) {
    graft::fuzz::accepts([&] {
      auto [labels, order] = graft::data::split_rows(rows, {.protocol = protocol}, kOneThread);
      FUZZ_REQUIRE(labels.size() == log.users.size());
      std::ranges::sort(order);
      std::vector<std::int64_t> all(log.users.size());
      std::iota(all.begin(), all.end(), std::int64_t{0});
      FUZZ_REQUIRE(order == all);
    });
  }
  const auto first = graft::data::first_occurrences(log.users, log.items, log.times, rows.user_count, kOneThread);
  FUZZ_REQUIRE(!first.empty() && first.front() == 1);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  graft::fuzz::Source source(graft::fuzz::text_of(data, size));
  const LogOptions options = options_of(source.number<std::uint8_t>());
  InteractionLog log;
  if (!graft::fuzz::accepts([&] { log = read(source.rest(), options); })) return 0;
  check_table(log);
  if (log.users.empty()) return 0;
  check_round_trip(log);
  check_core(log, 1);
  check_core(log, 2);
  check_splits(log);
  return 0;
}
