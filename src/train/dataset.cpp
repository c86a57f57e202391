#include "train/dataset.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <graft/core/error.hpp>
#include <graft/detail/checked.hpp>
#include <graft/detail/csr_build.hpp>
#include <graft/detail/parallel.hpp>
#include <graft/io/inter.hpp>
#include <graft/io/npy.hpp>
#include <graft/io/npz.hpp>

#include "data/sha256.hpp"
#include "train/dataset_files.hpp"
#include "train/held_out.hpp"

namespace graft::training {
namespace {

using detail::as_size;

constexpr const char* kSplitHint = "`graft prepare split` makes the splits";

constexpr const char* kUserRole = "user vectors";

/// @param file  "role = path"   @throws FormatError: no element, or one that is not finite: names row and column
void check_features(const std::string& file, const Matrix& features, const Context& context) {
  if (features.rows() == 0 || features.cols() == 0) {
    throw FormatError(detail::message(kDatasetOperation, file, fmt::format("{} x {}", features.rows(), features.cols()),
                                      "must have at least one row and one column"));
  }
  const MatrixView<const float> view = features.view();
  detail::FirstRow bad;
  detail::parallel_rows(context, kDatasetOperation, view.rows(), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      if (!std::all_of(view.row(r), view.row(r) + view.cols(), [](float x) { return std::isfinite(x); })) bad.report(r);
    }
  });
  if (!bad.found()) return;
  const float* const row = view.row(bad.row());
  const float* const value = std::find_if(row, row + view.cols(), [](float x) { return !std::isfinite(x); });
  throw FormatError(detail::message(kDatasetOperation,
                                    fmt::format("{}: row {}, column {}", file, bad.row(), value - row),
                                    fmt::format("{}", *value), "must be finite, as float32 too"));
}

class DatasetReader {
 public:
  DatasetReader(const DatasetOptions& options, const Context& context)
      : options_(options),
        context_(context),
        files_(find_dataset_files(options)),
        users_(find_users(options)),
        // Each file is read, then hashed.
        ticker_(context_, kDatasetOperation,
                2 * (static_cast<std::int64_t>(files_.modalities.size()) + (has_user_file() ? 2 : 1))) {}

  Dataset read() {
    dataset_.name = files_.name;
    add_file("interactions", files_.interactions);
    for (const ModalityFile& file : files_.modalities) add_file(file.role(), file.path);
    if (has_user_file()) add_file(kUserRole, users_.path);
    for (std::size_t f = 0; f < files_.modalities.size(); ++f) read_modality(f);
    read_interactions();
    if (options_.users.wanted) read_users();
    hash_files();
    return std::move(dataset_);
  }

 private:
  void add_file(std::string role, const std::filesystem::path& path) {
    dataset_.files.push_back({.role = std::move(role), .path = path, .sha256 = {}, .rows = 0, .cols = 0});
  }

  void read_modality(std::size_t number) {
    const ModalityFile& file = files_.modalities[number];
    InputFile& facts = dataset_.files[number + 1];  // the interactions come first
    if (file.graph) {
      Graph graph = load_npz(file.path);
      facts.rows = graph.items();
      facts.cols = graph.items();
      dataset_.similarities.emplace(file.modality, std::move(graph));
    } else {
      Matrix features = read_npy(file.path);
      facts.rows = features.rows();
      facts.cols = features.cols();
      check_features(fmt::format("{} = {}", file.role(), file.path.string()), features, quiet());
      dataset_.features.emplace(file.modality, std::move(features));
    }
    agree_on_items(facts);
    ticker_.advance();
  }

  static UserSource find_users(const DatasetOptions& options) {
    return options.users.wanted ? find_user_source(options.users, options.directory) : UserSource{};
  }

  [[nodiscard]] bool has_user_file() const { return users_.profile == UserProfile::file; }

  /// After the interactions, which say how many users there are and of which split.
  void read_users() {
    UserFeatures& users = dataset_.user_features;
    if (!has_user_file()) {
      users = {.wanted = true, .profile = users_.profile};
    } else {
      users = check_user_history(users_.path, options_.users.history, dataset_.split_sha256);
      users.vectors = read_npy(users_.path);
      InputFile& facts = dataset_.files.back();
      facts.rows = users.vectors.rows();
      facts.cols = users.vectors.cols();
      const std::string file = fmt::format("{} = {}", kUserRole, users_.path.string());
      check_features(file, users.vectors, quiet());
      if (facts.rows != dataset_.users) {
        throw InvalidArgument(
            detail::message(kDatasetOperation, file, "",
                            fmt::format("has {} rows, but {} has {} users; there must be one row a user", facts.rows,
                                        files_.interactions.string(), dataset_.users)));
      }
      ticker_.advance();
    }
    if (options_.users.profile.empty()) {
      dataset_.notices.push_back(has_user_file()
                                     ? fmt::format("user vectors: {}", users_.path.string())
                                     : "user vectors: mean of the training items' features (user_profile mean)");
    }
    const std::string warning = users.warning();
    if (!warning.empty()) dataset_.notices.push_back(warning);
  }

  /// The context without its progress: the ticker of the whole reports.
  [[nodiscard]] Context quiet() const {
    Context context = context_;
    context.progress = {};
    return context;
  }

  void agree_on_items(const InputFile& file) {
    if (!says_items_) says_items_ = file;
    if (file.rows == says_items_->rows) return;
    throw InvalidArgument(
        detail::message(kDatasetOperation, fmt::format("{} = {}", file.role, file.path.string()), "",
                        fmt::format("has {} rows, but {} ({}) has {}; features and graphs must have one row an item",
                                    file.rows, says_items_->role, says_items_->path.string(), says_items_->rows)));
  }

  void read_interactions() {
    const InterTable table = read_inter_table(files_.interactions);
    dataset_.users = table.user_count;
    dataset_.items = item_count(table);
    check_items(table);
    dataset_.files.front().rows = static_cast<std::int64_t>(table.users.size());
    dataset_.split_sha256 = sha256_of(table);
    for (const std::string& notice : table.notices) dataset_.notices.push_back(notice);
    if (table.split_rows[0] == 0) fail_split(fmt::format("has no training row (x_label 0); {}", kSplitHint));
    for (std::size_t row = 0; row < table.users.size(); ++row) {
      if (table.labels[row] != Split::train) continue;
      dataset_.train_users.push_back(table.users[row]);
      dataset_.train_items.push_back(table.items[row]);
    }
    dataset_.train =
        Interactions::from_pairs(dataset_.train_users, dataset_.train_items, dataset_.users, dataset_.items);
    dataset_.valid = held_out_of(table, Split::valid, dataset_.train, dataset_.dropped_valid);
    dataset_.test = held_out_of(table, Split::test, dataset_.train, dataset_.dropped_test);
    check_held_out();
    tell();
    ticker_.advance();
  }

  [[nodiscard]] std::int64_t item_count(const InterTable& table) const {
    if (says_items_) return says_items_->rows;
    return options_.items >= 0 ? options_.items : table.item_count;
  }

  void check_items(const InterTable& table) const {
    if (table.item_count <= dataset_.items) return;
    try {
      static_cast<void>(read_inter(files_.interactions, {.split = Split::all, .items = dataset_.items}));
    } catch (const FormatError& error) {  // it knows the line
      if (!says_items_) throw;
      throw FormatError(
          fmt::format("{} (rows of {}, {})", error.what(), says_items_->role, says_items_->path.string()));
    }
  }

  [[noreturn]] void fail_split(const std::string& problem) const {
    throw FormatError(detail::message(kDatasetOperation, files_.interactions.string(), "", problem));
  }

  void check_held_out() const {
    const bool either = !options_.validation_required;
    if (dataset_.valid.size() + (either ? dataset_.test.size() : 0) > 0) return;
    const bool dropped = dataset_.dropped_valid + (either ? dataset_.dropped_test : 0) > 0;
    const char* const whose = dropped ? " of a user with training rows" : "";
    if (either) fail_split(fmt::format("has no held-out row{} (x_label 1, 2); {}", whose, kSplitHint));
    fail_split(fmt::format("has no validation row{} (x_label 1), which early stopping needs; {}", whose, kSplitHint));
  }

  void notice(const std::string& text) {
    dataset_.notices.push_back(fmt::format("{}: {}", files_.interactions.string(), text));
  }

  void tell() {
    if (dataset_.train.duplicates() > 0) {
      notice(
          fmt::format("training rows that repeat an earlier pair: {}; each is a training example, graphs count the "
                      "pair once",
                      dataset_.train.duplicates()));
    }
    tell_of("validation", dataset_.valid, dataset_.dropped_valid);
    tell_of("test", dataset_.test, dataset_.dropped_test);
  }

  void tell_of(const char* split, const HeldOut& held, std::int64_t dropped) {
    if (dropped > 0) {
      notice(fmt::format("{} rows left out, for their user has no training row: {}", split, dropped));
    }
    if (held.size() == 0) notice(fmt::format("no {} row: the split has no metrics", split));
    if (const std::int64_t rows = repeated_rows(held); rows > 0) {
      notice(fmt::format("{} rows that repeat an earlier pair: {}; recall counts rows", split, rows));
    }
    if (const std::int64_t rows = trained_rows(held, dataset_.train); rows > 0) {
      notice(
          fmt::format("{} rows whose pair is also a training pair: {}; training items are masked, so they are misses",
                      split, rows));
    }
  }

  void hash_files() {
    const auto count = static_cast<std::int64_t>(dataset_.files.size());
    detail::parallel_tasks(detail::worker_count(context_), count, ticker_, [&](std::int64_t f, int /*worker*/) {
      InputFile& file = dataset_.files[as_size(f)];
      file.sha256 = data::sha256_of_file(file.path, context_.cancel);
    });
  }

  const DatasetOptions& options_;
  const Context& context_;
  DatasetFiles files_;
  UserSource users_;  ///< for a model that reads vectors of users
  detail::Ticker ticker_;
  Dataset dataset_;
  std::optional<InputFile> says_items_;
};

}  // namespace

Dataset load_dataset(const DatasetOptions& options, const Context& context) {
  return DatasetReader(options, context).read();
}

}  // namespace graft::training
