#include "split_dataset.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include <graft/core/error.hpp>
#include <graft/core/interactions.hpp>
#include <graft/detail/atomic_file.hpp>
#include <graft/detail/checked.hpp>
#include <graft/detail/parallel.hpp>

#include "sha256.hpp"

namespace graft::data {
namespace {

using detail::as_size;

constexpr const char* kPrepareSplit = "prepare split";
constexpr std::array<Split, 3> kSplits{Split::train, Split::valid, Split::test};
/// Rows between two looks at the cancel token, and two reports.
constexpr std::size_t kRowsBetweenLooks = std::size_t{1} << 18U;

/// Keeps the given rows of a column, which ascend. An absent column stays absent.
template <class T>
void keep_rows(std::vector<T>& column, std::span<const std::int64_t> rows) {
  if (column.empty()) return;
  for (std::size_t r = 0; r < rows.size(); ++r) column[r] = column[as_size(rows[r])];
  column.resize(rows.size());
}

void keep_rows(InteractionLog& log, std::span<const std::int64_t> rows) {
  keep_rows(log.users, rows);
  keep_rows(log.items, rows);
  keep_rows(log.times, rows);
  keep_rows(log.ratings, rows);
}

/// Numbers ids from 0 in order of first appearance. @return the old number of each new one
std::vector<std::int32_t> renumber(std::vector<std::int32_t>& ids, std::int64_t old_count) {
  std::vector<std::int32_t> new_of_old(as_size(old_count), IdTable::kAbsent);
  std::vector<std::int32_t> old_of_new;
  for (std::int32_t& id : ids) {
    std::int32_t& number = new_of_old[as_size(id)];
    if (number == IdTable::kAbsent) {
      number = detail::as_id(static_cast<std::int64_t>(old_of_new.size()));
      old_of_new.push_back(id);
    }
    id = number;
  }
  return old_of_new;
}

/// As RFC 4180 quotes, with tabs in the place of commas.
std::string mapping_field(std::string_view id) {
  if (id.find_first_of("\t\"\r\n") == std::string_view::npos) return std::string(id);
  std::string quoted = "\"";
  for (const char c : id) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

void check_name(const std::string& name) {
  if (!name.empty() && name.find('/') == std::string::npos && name.find('\0') == std::string::npos) return;
  throw InvalidArgument(detail::message(kPrepareSplit, "name", name, "must be a file name without a folder"));
}

class SplitRun {
 public:
  SplitRun(const std::filesystem::path& directory, std::span<const std::filesystem::path> files,
           const SplitDatasetOptions& options, const Context& context,
           const std::function<void(const std::string&)>& tell)
      : files_(files), context_(context), tell_(tell), dataset_(kPrepareSplit, directory) {
    summary_.options = options;
    if (summary_.options.name.empty()) summary_.options.name = dataset_.name();
    check_name(summary_.options.name);
  }

  SplitDatasetSummary run() {
    read();
    remove_duplicates();
    apply_k_core();
    const RowSplit split = divide();
    count_parts(split);
    tell_parts();
    hash_training(split);
    write(split);
    return std::move(summary_);
  }

 private:
  void note(std::string text) {
    if (tell_) tell_(text);
    summary_.notices.push_back(std::move(text));
  }

  [[nodiscard]] RowsView view() const { return {log_.users, log_.items, log_.times, user_count_, item_count_}; }

  void read() {
    log_ = read_interaction_log(files_, summary_.options.log, context_);
    for (std::size_t f = 0; f < files_.size(); ++f) {
      note(fmt::format("{}: {}", files_[f].string(), log_.read_as[f]));
      std::error_code error;
      const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(files_[f], error));
      summary_.inputs.push_back({files_[f].filename().string(), bytes, sha256_of_file(files_[f], context_.cancel)});
    }
    summary_.read_as = log_.read_as;
    summary_.rows_read = log_.rows_read;
    summary_.without_user = log_.without_user;
    summary_.without_item = log_.without_item;
    summary_.without_time = log_.without_time;
    summary_.below_min_rating = log_.below_min_rating;
    user_count_ = log_.user_ids.size();
    item_count_ = log_.item_ids.size();
    summary_.complete = {log_.rows(), user_count_, item_count_};
    tell_read();
    if (log_.rows() == 0) {
      throw InvalidArgument(
          fmt::format("{}: no interaction is left of {} rows: {} without a user, {} without an item, "
                      "{} without a time, {} below the least rating",
                      kPrepareSplit, log_.rows_read, log_.without_user, log_.without_item, log_.without_time,
                      log_.below_min_rating));
    }
    const Protocol protocol = summary_.options.split.protocol;
    const bool temporal = protocol == Protocol::temporal || protocol == Protocol::temporal_user;
    if (temporal && log_.times.empty()) {
      throw InvalidArgument(
          detail::message(kPrepareSplit, "protocol", name(protocol), "the input has no time column; name it (time)"));
    }
  }

  void tell_read() {
    const std::int64_t null = log_.without_user + log_.without_item + log_.without_time;
    if (null > 0) {
      note(fmt::format("{} rows left out: {} without a user, {} without an item, {} without a time", null,
                       log_.without_user, log_.without_item, log_.without_time));
    }
    if (log_.below_min_rating > 0) {
      note(fmt::format("{} rows left out: no rating, or one below {}", log_.below_min_rating,
                       summary_.options.log.min_rating.value_or(0.0)));
    }
    for (const auto& [padded, what] : {std::pair{log_.padded_users, "user"}, std::pair{log_.padded_items, "item"}}) {
      if (padded == 0) continue;
      note(fmt::format("{} {} ids begin or end with blanks, which are kept; trim_ids removes them", padded, what));
    }
  }

  void remove_duplicates() {
    detail::throw_if_cancelled(context_.cancel, kPrepareSplit);
    const Duplicates mode = summary_.options.duplicates;
    const auto first_of_pair = first_occurrences(log_.users, log_.items, {}, user_count_, context_);
    const std::int64_t repeated_pairs = std::count(first_of_pair.begin(), first_of_pair.end(), char{0});
    if (mode != Duplicates::keep && repeated_pairs > 0) {
      const bool pairs = mode == Duplicates::pair || log_.times.empty();
      remove_marked(pairs ? first_of_pair
                          : first_occurrences(log_.users, log_.items, log_.times, user_count_, context_));
      if (summary_.repeated > 0) {
        note(fmt::format("{} rows left out: they repeat the user{} of an earlier row", summary_.repeated,
                         pairs ? " and item" : ", item and time"));
      }
    }
    summary_.repeated_pairs = repeated_pairs - summary_.repeated;
    if (summary_.repeated_pairs > 0) {
      note(
          fmt::format("{} rows repeat the user and item of an earlier row and are kept: such a pair may train and be "
                      "tested; duplicates pair removes them",
                      summary_.repeated_pairs));
    }
  }

  void remove_marked(const std::vector<char>& keep) {
    std::vector<std::int64_t> rows;
    for (std::size_t r = 0; r < keep.size(); ++r) {
      if (keep[r] != 0) rows.push_back(static_cast<std::int64_t>(r));
    }
    summary_.repeated = log_.rows() - static_cast<std::int64_t>(rows.size());
    keep_rows(log_, rows);
  }

  void apply_k_core() {
    const std::int64_t k = summary_.options.k_core;
    const TableCounts before{log_.rows(), user_count_, item_count_};
    KCore core = k_core(log_.users, log_.items, user_count_, item_count_, k, context_);
    if (core.rows.empty()) {
      const std::int64_t largest = largest_core(log_.users, log_.items, user_count_, item_count_, k, context_);
      throw InvalidArgument(detail::message(
          kPrepareSplit, "k_core", std::to_string(k),
          fmt::format("leaves nothing of {} rows, {} users, {} items; the largest k that leaves something is {}",
                      before.rows, before.users, before.items, largest)));
    }
    keep_rows(log_, core.rows);
    user_of_ = renumber(log_.users, user_count_);
    item_of_ = renumber(log_.items, item_count_);
    user_count_ = static_cast<std::int64_t>(user_of_.size());
    item_count_ = static_cast<std::int64_t>(item_of_.size());
    summary_.kept = {log_.rows(), user_count_, item_count_};
    summary_.rounds = std::move(core.rounds);
    if (!summary_.rounds.empty()) {
      note(fmt::format("{}-core: {} of {} rows left out with {} users and {} items, in {} rounds", k,
                       before.rows - summary_.kept.rows, before.rows, before.users - user_count_,
                       before.items - item_count_, summary_.rounds.size()));
    }
  }

  RowSplit divide() {
    detail::throw_if_cancelled(context_.cancel, kPrepareSplit);
    return split_rows(view(), summary_.options.split, context_);
  }

  void count_parts(const RowSplit& split) {
    using SplitBits = std::vector<std::uint8_t>;  // bit s: has a row in split s
    SplitBits users(as_size(user_count_), 0);
    SplitBits items(as_size(item_count_), 0);
    const auto bit = [](Split s) { return static_cast<std::uint8_t>(1U << static_cast<unsigned>(s)); };
    for (std::size_t r = 0; r < split.labels.size(); ++r) {
      users[as_size(log_.users[r])] |= bit(split.labels[r]);
      items[as_size(log_.items[r])] |= bit(split.labels[r]);
    }
    const auto has = [&](std::uint8_t bits, Split s) { return (bits & bit(s)) != 0; };
    for (const Split s : kSplits) {
      SplitPart& part = summary_.parts[static_cast<std::size_t>(s)];
      const auto of_split = [&](std::uint8_t bits) { return has(bits, s); };
      part.counts = {std::count(split.labels.begin(), split.labels.end(), s),
                     std::count_if(users.begin(), users.end(), of_split),
                     std::count_if(items.begin(), items.end(), of_split)};
      part.new_items = std::count_if(items.begin(), items.end(),
                                     [&](std::uint8_t bits) { return has(bits, s) && !has(bits, Split::train); });
    }
    for (std::size_t r = 0; r < split.labels.size(); ++r) {
      if (has(users[as_size(log_.users[r])], Split::train)) continue;
      ++summary_.parts[static_cast<std::size_t>(split.labels[r])].new_user_rows;
    }
  }

  void tell_parts() {
    tell_short_histories();
    for (const auto& [split, what] :
         {std::pair{Split::train, "training"}, std::pair{Split::valid, "validation"}, std::pair{Split::test, "test"}}) {
      const SplitPart& part = summary_.parts[static_cast<std::size_t>(split)];
      if (part.counts.rows == 0) note(fmt::format("{} has no row", what));
      if (part.new_items > 0) {
        note(fmt::format("{}: {} of {} items have no training row", what, part.new_items, part.counts.items));
      }
      if (part.new_user_rows > 0) {
        note(fmt::format("{}: {} of {} rows are of users without a training row; evaluation leaves them out", what,
                         part.new_user_rows, part.counts.rows));
      }
    }
  }

  void tell_short_histories() {
    const Protocol protocol = summary_.options.split.protocol;
    if (protocol != Protocol::random && protocol != Protocol::temporal_user) return;
    std::vector<std::int64_t> rows(as_size(user_count_), 0);
    for (const std::int32_t user : log_.users) ++rows[as_size(user)];
    const std::int64_t single = std::count(rows.begin(), rows.end(), 1);
    const std::int64_t twice = std::count(rows.begin(), rows.end(), 2);
    if (single + twice == 0) return;
    note(fmt::format("{} users have 1 row, which trains; {} have 2, one to train and one to test", single, twice));
  }

  void hash_training(const RowSplit& split) {
    std::vector<std::int32_t> users;
    std::vector<std::int32_t> items;
    for (std::size_t r = 0; r < split.labels.size(); ++r) {
      if (split.labels[r] != Split::train) continue;
      users.push_back(log_.users[r]);
      items.push_back(log_.items[r]);
    }
    summary_.train_sha256 = sha256_of(Interactions::from_pairs(users, items, user_count_, item_count_));
  }

  void write(const RowSplit& split) {
    write_inter(split);
    write_mapping("u_id_mapping.csv", "user_id\tuserID\n", log_.user_ids, user_of_);
    write_mapping("i_id_mapping.csv", "asin\titemID\n", log_.item_ids, item_of_);
    summary_.files = dataset_.files(context_.cancel);
    detail::write_file_atomically(dataset_.path("dataset.json"), split_description(summary_), kPrepareSplit);
    detail::throw_if_cancelled(context_.cancel, kPrepareSplit);
    dataset_.commit();
  }

  void write_inter(const RowSplit& split) {
    const bool ratings = !log_.ratings.empty();
    const bool times = !log_.times.empty();
    TextFile file(kPrepareSplit, dataset_.path(summary_.options.name + ".inter"));
    file.put(fmt::format("userID\titemID{}{}\tx_label\n", ratings ? "\trating" : "", times ? "\ttimestamp" : ""));
    for (std::size_t place = 0; place < split.order.size(); ++place) {
      if (place % kRowsBetweenLooks == 0) {
        detail::throw_if_cancelled(context_.cancel, kPrepareSplit);
        report(place, split.order.size());
      }
      const std::size_t row = as_size(split.order[place]);
      file.put(log_.users[row]);
      file.put("\t");
      file.put(log_.items[row]);
      if (ratings) file.put(std::isnan(log_.ratings[row]) ? "\t" : fmt::format("\t{}", log_.ratings[row]));
      if (times) {
        file.put("\t");
        file.put(log_.times[row]);
      }
      file.put("\t");
      file.put(static_cast<std::int64_t>(split.labels[row]));
      file.put("\n");
    }
    file.commit();
  }

  void report(std::size_t done, std::size_t total) const {
    if (!context_.progress) return;
    context_.progress({kPrepareSplit, static_cast<std::int64_t>(done), static_cast<std::int64_t>(total)});
  }

  void write_mapping(const char* file_name, std::string_view header, const IdTable& ids,
                     std::span<const std::int32_t> number_in_table) {
    TextFile file(kPrepareSplit, dataset_.path(file_name));
    file.put(header);
    for (std::size_t id = 0; id < number_in_table.size(); ++id) {
      file.put(mapping_field(ids.text(number_in_table[id])));
      file.put("\t");
      file.put(static_cast<std::int64_t>(id));
      file.put("\n");
    }
    file.commit();
  }

  std::span<const std::filesystem::path> files_;
  const Context& context_;
  const std::function<void(const std::string&)>& tell_;
  DatasetWriter dataset_;
  SplitDatasetSummary summary_;
  InteractionLog log_;
  std::int64_t user_count_ = 0;
  std::int64_t item_count_ = 0;
  std::vector<std::int32_t> user_of_;  ///< number in log_.user_ids of each user of the dataset
  std::vector<std::int32_t> item_of_;
};

}  // namespace

SplitDatasetSummary split_dataset(const std::filesystem::path& directory, std::span<const std::filesystem::path> files,
                                  const SplitDatasetOptions& options, const Context& context,
                                  const std::function<void(const std::string&)>& tell) {
  return SplitRun(directory, files, options, context, tell).run();
}

}  // namespace graft::data
