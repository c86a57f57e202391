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

constexpr const char* kOperation = "evaluate";
constexpr std::int64_t kGroups = 4;

void check_rows(const char* argument, std::int64_t rows, std::int64_t expected, const char* what) {
  if (rows == expected) return;
  throw InvalidArgument(detail::message(kOperation, argument, fmt::format("{} rows", rows),
                                        fmt::format("must have as many as the data has {}, {}", what, expected)));
}

void check_vectors(const Dataset& data, MatrixView<const float> users, MatrixView<const float> items,
                   const Context& context) {
  check_rows("user_vectors", users.rows(), data.users, "users");
  check_rows("item_vectors", items.rows(), data.items, "items");
  if (users.cols() != items.cols()) {
    throw InvalidArgument(detail::message(kOperation, "item_vectors", fmt::format("{} dims", items.cols()),
                                          fmt::format("must have as many as user_vectors, {}", users.cols())));
  }
  // Here and not in top_k_scores, which counts the rows of evaluated users only.
  const std::vector<double> user_norms = detail::row_norms(kOperation, "user_vectors", users, context);
  const std::vector<double> item_norms = detail::row_norms(kOperation, "item_vectors", items, context);
  detail::check_products_fit(kOperation, Metric::dot, {"user_vectors", user_norms}, {"item_vectors", item_norms});
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

}  // namespace

Evaluator::Evaluator(const Dataset& data, EvaluationOptions options) : data_(data), options_(std::move(options)) {
  std::vector<std::int64_t>& cutoffs = options_.cutoffs;
  if (cutoffs.empty()) throw InvalidArgument(detail::message(kOperation, "cutoffs", "none", "name at least one"));
  std::sort(cutoffs.begin(), cutoffs.end());
  cutoffs.erase(std::unique(cutoffs.begin(), cutoffs.end()), cutoffs.end());
  if (cutoffs.front() < 1) {
    throw InvalidArgument(detail::message(kOperation, "cutoffs", std::to_string(cutoffs.front()), "must be >= 1"));
  }
  users_.insert(users_.end(), data.valid.users.begin(), data.valid.users.end());
  users_.insert(users_.end(), data.test.users.begin(), data.test.users.end());
  std::sort(users_.begin(), users_.end());
  users_.erase(std::unique(users_.begin(), users_.end()), users_.end());
  valid_rows_ = rows_of(data.valid);
  test_rows_ = rows_of(data.test);
  mask_offsets_.push_back(0);
  for (const std::int32_t user : users_) {
    const std::span<const std::int32_t> history = data.train.history(user);
    mask_items_.insert(mask_items_.end(), history.begin(), history.end());
    mask_offsets_.push_back(static_cast<std::int64_t>(mask_items_.size()));
  }
}

std::vector<std::int64_t> Evaluator::rows_of(const HeldOut& held) const {
  std::vector<std::int64_t> rows;
  rows.reserve(held.users.size());
  for (const std::int32_t user : held.users) {
    rows.push_back(std::lower_bound(users_.begin(), users_.end(), user) - users_.begin());
  }
  return rows;
}

Ranking Evaluator::rank(MatrixView<const float> user_vectors, MatrixView<const float> item_vectors,
                        const Context& context) const {
  check_vectors(data_, user_vectors, item_vectors, context);
  const TopKScoresOptions options{.k = options_.cutoffs.back(),  // a list ends where the candidates do
                                  .metric = Metric::dot,
                                  .exclude = {.row_offsets = mask_offsets_, .columns = mask_items_}};
  if (static_cast<std::int64_t>(users_.size()) == user_vectors.rows()) {
    return top_k_scores(user_vectors, item_vectors, options, context);
  }
  const Matrix evaluated = gather(user_vectors, users_);
  return top_k_scores(evaluated, item_vectors, options, context);
}

Evaluation Evaluator::measure(const Ranking& ranking, const Context& context) const {
  Evaluation evaluation;
  const auto measure_split = [&](const HeldOut& held, std::span<const std::int64_t> rows, SplitEvaluation& split) {
    split.users = static_cast<std::int64_t>(held.users.size());
    split.interactions = held.size();
    split.metrics = ranking_metrics(ranking, rows, held, options_.cutoffs, context);
  };
  measure_split(data_.valid, valid_rows_, evaluation.valid);
  measure_split(data_.test, test_rows_, evaluation.test);
  return evaluation;
}

Evaluation Evaluator::quick(MatrixView<const float> user_vectors, MatrixView<const float> item_vectors,
                            const Context& context) const {
  return measure(rank(user_vectors, item_vectors, context), context);
}

Evaluation Evaluator::full(MatrixView<const float> user_vectors, MatrixView<const float> item_vectors,
                           const Context& context) const {
  const Ranking ranking = rank(user_vectors, item_vectors, context);
  Evaluation evaluation = measure(ranking, context);
  evaluation.catalogue = catalogue_metrics(ranking, data_.items, options_.cutoffs);
  if (options_.groups) {
    add_groups(ranking, data_.valid, context, evaluation.valid);
    add_groups(ranking, data_.test, context, evaluation.test);
  }
  return evaluation;
}

std::vector<ValueRange> Evaluator::activity_ranges() const {
  std::vector<std::int64_t> values;
  values.reserve(users_.size());
  for (std::size_t r = 0; r < users_.size(); ++r) values.push_back(mask_offsets_[r + 1] - mask_offsets_[r]);
  return equal_ranges(std::move(values), kGroups);
}

std::vector<ValueRange> Evaluator::popularity_ranges() const {
  std::vector<std::int64_t> values;
  bool unseen = false;
  for (const HeldOut* const held : {&data_.valid, &data_.test}) {
    for (const std::int32_t item : held->items) {
      const std::int64_t degree = data_.train.degree(item);
      unseen |= degree == 0;
      if (degree > 0) values.push_back(degree);
    }
  }
  std::vector<ValueRange> ranges = equal_ranges(std::move(values), unseen ? kGroups - 1 : kGroups);
  if (unseen) ranges.insert(ranges.begin(), ValueRange{0, 0});
  return ranges;
}

void Evaluator::add_groups(const Ranking& ranking, const HeldOut& held, const Context& context,
                           SplitEvaluation& split) const {
  const auto measured = [&](const HeldOut& part) {
    return ranking_metrics(ranking, rows_of(part), part, options_.cutoffs, context);
  };
  for (const ValueRange& range : activity_ranges()) {
    const HeldOut part = part_of(held, [&](std::int32_t user, std::int32_t /*item*/) {
      return range.holds(static_cast<std::int64_t>(data_.train.history(user).size()));
    });
    if (part.users.empty()) continue;
    split.by_activity.push_back({.group = activity_label(range),
                                 .members = static_cast<std::int64_t>(part.users.size()),
                                 .metrics = measured(part)});
  }
  for (const ValueRange& range : popularity_ranges()) {
    const HeldOut part =
        part_of(held, [&](std::int32_t /*user*/, std::int32_t item) { return range.holds(data_.train.degree(item)); });
    if (part.users.empty()) continue;
    split.by_popularity.push_back(
        {.group = popularity_label(range), .members = distinct_items(part), .metrics = measured(part)});
  }
}

}  // namespace graft::training
