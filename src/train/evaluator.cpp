#include "train/evaluator.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <graft/core/error.hpp>
#include <graft/detail/checked.hpp>
#include <graft/detail/packed_rows.hpp>

namespace graft::training {
namespace {

using detail::as_size;

constexpr const char* kEvaluate = "evaluate";
constexpr std::int64_t kGroups = 4;

void check_rows(const char* argument, std::int64_t rows, std::int64_t expected, const char* what) {
  if (rows == expected) return;
  throw InvalidArgument(detail::message(kEvaluate, argument, fmt::format("{} rows", rows),
                                        fmt::format("must have as many as the data has {}, {}", what, expected)));
}

void check_vectors(const Dataset& data, MatrixView<const float> users, MatrixView<const float> items,
                   const Context& context) {
  check_rows("user_vectors", users.rows(), data.users, "users");
  check_rows("item_vectors", items.rows(), data.items, "items");
  if (users.cols() != items.cols()) {
    throw InvalidArgument(detail::message(kEvaluate, "item_vectors", fmt::format("{} dims", items.cols()),
                                          fmt::format("must have as many as user_vectors, {}", users.cols())));
  }
  // Here and not in top_k_scores, which counts the rows of evaluated users only.
  const std::vector<double> user_norms = detail::row_norms(kEvaluate, "user_vectors", users, context);
  const std::vector<double> item_norms = detail::row_norms(kEvaluate, "item_vectors", items, context);
  detail::check_products_fit(kEvaluate, Metric::dot, {"user_vectors", user_norms}, {"item_vectors", item_norms});
}

Matrix gather(MatrixView<const float> matrix, std::span<const std::int32_t> rows) {
  Matrix gathered(static_cast<std::int64_t>(rows.size()), matrix.cols());
  const MatrixView<float> out = gathered.mutable_view();
  for (std::int64_t r = 0; r < out.rows(); ++r) {
    const float* const row = matrix.row(rows[as_size(r)]);
    std::copy(row, row + matrix.cols(), out.row(r));
  }
  return gathered;
}

void keep_distinct(std::vector<std::int32_t>& ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

/// Of an id that is there.
std::int64_t place_of(const std::vector<std::int32_t>& ascending, std::int32_t id) {
  return std::lower_bound(ascending.begin(), ascending.end(), id) - ascending.begin();
}

/// Where a ranking of `users` has the lists of held.users.
std::vector<std::int64_t> rows_of(const std::vector<std::int32_t>& users, const HeldOut& held) {
  std::vector<std::int64_t> rows;
  rows.reserve(held.users.size());
  for (const std::int32_t user : held.users) rows.push_back(place_of(users, user));
  return rows;
}

bool is_cold(const Dataset& data, std::int32_t item) { return data.train.degree(item) == 0; }

}  // namespace

Evaluator::Evaluator(const Dataset& data, EvaluationOptions options) : data_(data), options_(std::move(options)) {
  std::vector<std::int64_t>& cutoffs = options_.cutoffs;
  if (cutoffs.empty()) throw InvalidArgument(detail::message(kEvaluate, "cutoffs", "none", "name at least one"));
  std::sort(cutoffs.begin(), cutoffs.end());
  cutoffs.erase(std::unique(cutoffs.begin(), cutoffs.end()), cutoffs.end());
  if (cutoffs.front() < 1) {
    throw InvalidArgument(detail::message(kEvaluate, "cutoffs", std::to_string(cutoffs.front()), "must be >= 1"));
  }
  if (options_.candidates == Candidates::cold) {
    list_cold();
  } else {
    list_all();
  }
  for (Measured* const measured : {&valid_, &test_}) {
    measured->rows = rows_of(lists_[measured->lists].users, measured->held);
  }
}

void Evaluator::list_all() {
  valid_ = {.held = data_.valid, .lists = 0, .rows = {}};
  test_ = {.held = data_.test, .lists = 0, .rows = {}};
  Lists both;
  for (const HeldOut* const held : {&valid_.held, &test_.held}) {
    both.users.insert(both.users.end(), held->users.begin(), held->users.end());
  }
  keep_distinct(both.users);
  both.mask_offsets.push_back(0);
  for (const std::int32_t user : both.users) {
    const std::span<const std::int32_t> history = data_.train.history(user);
    both.mask_items.insert(both.mask_items.end(), history.begin(), history.end());
    both.mask_offsets.push_back(static_cast<std::int64_t>(both.mask_items.size()));
  }
  lists_.push_back(std::move(both));
}

void Evaluator::list_cold() {
  for (const auto& [held, measured] : {std::pair(&data_.valid, &valid_), std::pair(&data_.test, &test_)}) {
    *measured = {.held = part_of(*held, [&](std::int32_t /*user*/, std::int32_t item) { return is_cold(data_, item); }),
                 .lists = lists_.size(),
                 .rows = {}};
    Lists lists{
        .users = measured->held.users, .candidates = measured->held.items, .mask_offsets = {}, .mask_items = {}};
    keep_distinct(lists.users);
    keep_distinct(lists.candidates);
    lists_.push_back(std::move(lists));
  }
  if (valid_.held.users.empty() && test_.held.users.empty()) {
    throw InvalidArgument(detail::message(
        kEvaluate, "candidates", "cold",
        "needs held-out rows of items that have no training row, and this split has none (graft prepare "
        "split --protocol cold-item makes one that has)"));
  }
}

std::vector<Ranking> Evaluator::rank(MatrixView<const float> user_vectors, MatrixView<const float> item_vectors,
                                     const Context& context) const {
  check_vectors(data_, user_vectors, item_vectors, context);
  TopKScoresOptions options{.k = options_.cutoffs.back(), .metric = Metric::dot};  // lists end where candidates do
  std::vector<Ranking> rankings;
  for (const Lists& lists : lists_) {
    if (lists.users.empty()) {
      rankings.push_back({.row_offsets = {0}, .ids = {}, .scores = {}});
      continue;
    }
    const bool everybody = static_cast<std::int64_t>(lists.users.size()) == user_vectors.rows();
    const Matrix some_users = everybody ? Matrix() : gather(user_vectors, lists.users);
    const MatrixView<const float> users = everybody ? user_vectors : some_users.view();
    if (lists.candidates.empty()) {
      options.exclude = {.row_offsets = lists.mask_offsets, .columns = lists.mask_items};
      rankings.push_back(top_k_scores(users, item_vectors, options, context));
      continue;
    }
    const Matrix cold_items = gather(item_vectors, lists.candidates);
    Ranking ranking = top_k_scores(users, cold_items, options, context);
    for (std::int32_t& id : ranking.ids) id = lists.candidates[as_size(id)];
    rankings.push_back(std::move(ranking));
  }
  return rankings;
}

Evaluation Evaluator::measure(const std::vector<Ranking>& rankings, const Context& context) const {
  Evaluation evaluation{.candidates = options_.candidates};
  const auto measure_split = [&](const Measured& measured, SplitEvaluation& split) {
    const std::vector<std::int32_t>& candidates = lists_[measured.lists].candidates;
    split.users = static_cast<std::int64_t>(measured.held.users.size());
    split.interactions = measured.held.size();
    split.candidates =
        options_.candidates == Candidates::all ? data_.items : static_cast<std::int64_t>(candidates.size());
    split.metrics = ranking_metrics(rankings[measured.lists], measured.rows, measured.held, options_.cutoffs, context);
  };
  measure_split(valid_, evaluation.valid);
  measure_split(test_, evaluation.test);
  return evaluation;
}

Evaluation Evaluator::quick(MatrixView<const float> user_vectors, MatrixView<const float> item_vectors,
                            const Context& context) const {
  return measure(rank(user_vectors, item_vectors, context), context);
}

Evaluation Evaluator::full(MatrixView<const float> user_vectors, MatrixView<const float> item_vectors,
                           const Context& context) const {
  const std::vector<Ranking> rankings = rank(user_vectors, item_vectors, context);
  Evaluation evaluation = measure(rankings, context);
  evaluation.catalogue = catalogue(rankings);
  if (options_.groups) {
    add_groups(valid_, rankings[valid_.lists], context, evaluation.valid);
    add_groups(test_, rankings[test_.lists], context, evaluation.test);
  }
  return evaluation;
}

Metrics Evaluator::catalogue(const std::vector<Ranking>& rankings) const {
  if (options_.candidates == Candidates::all) {
    return catalogue_metrics(rankings.front(), data_.items, options_.cutoffs);
  }
  std::vector<std::int32_t> candidates;
  for (const Lists& lists : lists_) {
    candidates.insert(candidates.end(), lists.candidates.begin(), lists.candidates.end());
  }
  keep_distinct(candidates);
  Ranking joined{.row_offsets = {0}, .ids = {}, .scores = {}};  // of places among the candidates
  for (const Ranking& ranking : rankings) {
    for (std::int64_t row = 0; row < ranking.rows(); ++row) {
      for (const std::int32_t id : ranking.row_ids(row)) {
        joined.ids.push_back(static_cast<std::int32_t>(place_of(candidates, id)));
      }
      joined.row_offsets.push_back(static_cast<std::int64_t>(joined.ids.size()));
    }
  }
  return catalogue_metrics(joined, static_cast<std::int64_t>(candidates.size()), options_.cutoffs);
}

std::vector<ValueRange> Evaluator::activity_ranges() const {
  std::vector<std::int32_t> users;
  for (const Lists& lists : lists_) users.insert(users.end(), lists.users.begin(), lists.users.end());
  keep_distinct(users);
  std::vector<std::int64_t> values;
  values.reserve(users.size());
  for (const std::int32_t user : users) {
    values.push_back(static_cast<std::int64_t>(data_.train.history(user).size()));
  }
  return equal_ranges(std::move(values), kGroups);
}

std::vector<ValueRange> Evaluator::popularity_ranges() const {
  std::vector<std::int64_t> values;
  bool unseen = false;
  for (const Measured* const measured : {&valid_, &test_}) {
    for (const std::int32_t item : measured->held.items) {
      const std::int64_t degree = data_.train.degree(item);
      unseen |= degree == 0;
      if (degree > 0) values.push_back(degree);
    }
  }
  std::vector<ValueRange> ranges = equal_ranges(std::move(values), unseen ? kGroups - 1 : kGroups);
  if (unseen) ranges.insert(ranges.begin(), ValueRange{0, 0});
  return ranges;
}

void Evaluator::add_groups(const Measured& measured, const Ranking& ranking, const Context& context,
                           SplitEvaluation& split) const {
  const HeldOut& held = measured.held;
  const auto metrics_of = [&](const HeldOut& part) {
    const std::vector<std::int64_t> rows = rows_of(lists_[measured.lists].users, part);
    return ranking_metrics(ranking, rows, part, options_.cutoffs, context);
  };
  for (const ValueRange& range : activity_ranges()) {
    const HeldOut part = part_of(held, [&](std::int32_t user, std::int32_t /*item*/) {
      return range.holds(static_cast<std::int64_t>(data_.train.history(user).size()));
    });
    if (part.users.empty()) continue;
    split.by_activity.push_back({.group = activity_label(range),
                                 .members = static_cast<std::int64_t>(part.users.size()),
                                 .metrics = metrics_of(part)});
  }
  for (const ValueRange& range : popularity_ranges()) {
    const HeldOut part =
        part_of(held, [&](std::int32_t /*user*/, std::int32_t item) { return range.holds(data_.train.degree(item)); });
    if (part.users.empty()) continue;
    split.by_popularity.push_back(
        {.group = popularity_label(range), .members = distinct_items(part), .metrics = metrics_of(part)});
  }
}

}  // namespace graft::training
