#include "train/evaluator.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/train/evaluation.hpp>

#include "../support/dataset.hpp"
#include "../support/files.hpp"
#include "../support/random_data.hpp"
#include "train/dataset.hpp"

namespace graft::training {
namespace evaluator_test {
namespace {

using test::draw;
using test::expect_error;
using test::Random;
using test::Row;
using test::TempDir;
using test::write_dataset;
using Ids = std::vector<std::int32_t>;
using Values = std::vector<std::int64_t>;

/// Whole numbers: scores are exact, ties abound.
Matrix random_vectors(Random& random, std::int64_t rows, std::int64_t dims) {
  Matrix matrix(rows, dims);
  const MatrixView<float> view = matrix.mutable_view();
  for (std::int64_t e = 0; e < rows * dims; ++e) view.data()[e] = static_cast<float>(draw(random, -3, 3));
  return matrix;
}

/// Rows with repeats, cold users, items that are new in a held-out split, users of one split only.
std::vector<Row> random_rows(Random& random, std::int64_t users, std::int64_t items) {
  std::vector<Row> rows{{0, 0, 0}, {0, 1, 1}};
  const std::int64_t count = draw(random, users, 6 * users);
  for (std::int64_t r = 0; r < count; ++r) {
    const int label = static_cast<int>(std::max<std::int64_t>(0, draw(random, -3, 2)));
    const std::int64_t item = label == 0 ? draw(random, 0, items * 3 / 4) : draw(random, 0, items - 1);
    rows.push_back({static_cast<std::int32_t>(draw(random, 0, users - 1)), static_cast<std::int32_t>(item), label});
  }
  rows.push_back({static_cast<std::int32_t>(users - 1), static_cast<std::int32_t>(items - 1), 2});
  return rows;
}

/// The protocol in the plainest words.
class Oracle {
 public:
  Oracle(const std::vector<Row>& rows, const Matrix& users, const Matrix& items,
         Candidates candidates = Candidates::all)
      : rows_(rows),
        users_(users),
        items_(items),
        candidates_(candidates),
        history_(static_cast<std::size_t>(users.rows())) {
    for (const Row& row : rows) {
      if (row.label != 0) continue;
      history_[static_cast<std::size_t>(row.user)].insert(row.item);
      trained_.insert(row.item);
    }
  }

  /// Held-out rows of the split that count.
  [[nodiscard]] std::vector<Row> counted(int label) const {
    std::vector<Row> counted;
    for (const Row& row : rows_) {
      const bool warm = candidates_ == Candidates::cold && trained_.contains(row.item);
      if (row.label == label && !history(row.user).empty() && !warm) counted.push_back(row);
    }
    return counted;
  }

  /// What a list of the split may hold.
  [[nodiscard]] std::set<std::int32_t> ranked_items(int label) const {
    std::set<std::int32_t> ids;
    if (candidates_ == Candidates::cold) {
      for (const Row& row : counted(label)) ids.insert(row.item);
    } else {
      for (std::int64_t item = 0; item < items_.rows(); ++item) ids.insert(static_cast<std::int32_t>(item));
    }
    return ids;
  }

  [[nodiscard]] const std::set<std::int32_t>& history(std::int32_t user) const {
    return history_[static_cast<std::size_t>(user)];
  }

  [[nodiscard]] Ids list(std::int32_t user, int label) const {
    const std::set<std::int32_t> allowed = ranked_items(label);
    std::vector<double> scores(static_cast<std::size_t>(items_.rows()));
    Ids ids;
    for (std::int64_t item = 0; item < items_.rows(); ++item) {
      for (std::int64_t d = 0; d < items_.cols(); ++d) {
        scores[static_cast<std::size_t>(item)] +=
            static_cast<double>(users_(user, d)) * static_cast<double>(items_(item, d));
      }
      const auto id = static_cast<std::int32_t>(item);
      if (allowed.contains(id) && !history(user).contains(id)) ids.push_back(id);
    }
    std::stable_sort(ids.begin(), ids.end(), [&](std::int32_t a, std::int32_t b) {
      return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)];
    });
    return ids;
  }

  /// @param wanted  whether a held-out row counts
  template <class Wanted>
  [[nodiscard]] Metrics metrics(int label, const Values& cutoffs, const Wanted& wanted) const {
    std::map<std::int32_t, Ids> truth;
    for (const Row& row : counted(label)) {
      if (wanted(row)) truth[row.user].push_back(row.item);
    }
    Metrics sums;
    for (const auto& [user, items] : truth) {
      const Ids ranked = list(user, label);
      for (const std::int64_t k : cutoffs) add(sums, ranked, items, k);
    }
    for (auto& [name, sum] : sums) sum /= static_cast<double>(truth.size());
    return sums;
  }

  [[nodiscard]] double coverage(std::int64_t k) const {
    std::set<std::int32_t> recommended;
    std::set<std::int32_t> catalogue;
    for (const int label : {1, 2}) {
      catalogue.merge(ranked_items(label));
      std::set<std::int32_t> evaluated;
      for (const Row& row : counted(label)) evaluated.insert(row.user);
      for (const std::int32_t user : evaluated) {
        Ids ranked = list(user, label);
        ranked.resize(std::min(ranked.size(), static_cast<std::size_t>(k)));
        recommended.insert(ranked.begin(), ranked.end());
      }
    }
    return static_cast<double>(recommended.size()) / static_cast<double>(catalogue.size());
  }

 private:
  static void add(Metrics& sums, const Ids& ranked, const Ids& truth, std::int64_t k) {
    double hits = 0.0;
    double gain = 0.0;
    double ideal = 0.0;
    double precisions = 0.0;
    const auto positives = static_cast<double>(truth.size());
    for (std::int64_t j = 1; j <= k; ++j) {
      const double discount = 1.0 / std::log2(static_cast<double>(j) + 1.0);
      if (static_cast<double>(j) <= positives) ideal += discount;
      if (j > static_cast<std::int64_t>(ranked.size())) continue;
      if (std::find(truth.begin(), truth.end(), ranked[static_cast<std::size_t>(j - 1)]) == truth.end()) continue;
      hits += 1.0;
      gain += discount;
      precisions += hits / static_cast<double>(j);
    }
    const std::string at = "@" + std::to_string(k);
    sums["recall" + at] += hits / positives;
    sums["ndcg" + at] += gain / ideal;
    sums["precision" + at] += hits / static_cast<double>(k);
    sums["map" + at] += precisions / std::min(positives, static_cast<double>(k));
  }

  const std::vector<Row>& rows_;
  const Matrix& users_;
  const Matrix& items_;
  Candidates candidates_;
  std::vector<std::set<std::int32_t>> history_;
  std::set<std::int32_t> trained_;
};

void check_close(const Metrics& actual, const Metrics& expected) {
  REQUIRE(actual.size() == expected.size());
  for (const auto& [name, value] : expected) {
    CAPTURE(name);
    REQUIRE(actual.contains(name));
    CHECK(std::fabs(actual.at(name) - value) < 1e-12);
  }
}

/// Bounds of "users with 3 to 4 training items".
struct Bounds {
  std::int64_t least = 0;
  std::int64_t most = 0;
};

Bounds bounds_of(const std::string& label) {
  if (label == "items never seen in training") return {0, 0};
  Bounds bounds;
  const int read = std::sscanf(label.c_str(), "%*s with %ld to %ld", &bounds.least, &bounds.most);  // NOLINT
  if (read == 1) bounds.most = bounds.least;
  REQUIRE(read >= 1);
  return bounds;
}

constexpr int kValid = 1;
constexpr int kTest = 2;

struct Case {
  std::vector<Row> rows;
  Dataset data;
  Matrix users;
  Matrix items;
};

Case random_case(std::uint64_t seed) {
  Random random(seed);
  const std::int64_t users = draw(random, 2, 60);
  const std::int64_t items = draw(random, 4, 80);
  const std::int64_t dims = draw(random, 1, 5);
  Case made{.rows = random_rows(random, users, items), .data = {}, .users = {}, .items = {}};
  const TempDir folder;
  made.data = load_dataset({.directory = write_dataset(folder, "toy", made.rows)});
  made.users = random_vectors(random, made.data.users, dims);
  made.items = random_vectors(random, made.data.items, dims);
  return made;
}

void check_against_oracle(Candidates candidates) {
  const Values cutoffs{1, 5, 20, 100};
  int cases = 0;
  for (int run = 0; run < test::cases(60); ++run) {
    CAPTURE(run);
    const Case made = random_case(static_cast<std::uint64_t>(run));
    const Oracle oracle(made.rows, made.users, made.items, candidates);
    if (oracle.counted(kValid).empty() && oracle.counted(kTest).empty()) continue;
    ++cases;
    const Evaluation evaluation = Evaluator(made.data, {.cutoffs = {100, 1, 5, 20, 5}, .candidates = candidates})
                                      .full(made.users, made.items, {.threads = 2});
    CHECK(evaluation.candidates == candidates);
    const auto check_split = [&](int label, const SplitEvaluation& split) {
      const std::vector<Row> counted = oracle.counted(label);
      std::set<std::int32_t> users;
      for (const Row& row : counted) users.insert(row.user);
      CHECK(split.users == static_cast<std::int64_t>(users.size()));
      CHECK(split.interactions == static_cast<std::int64_t>(counted.size()));
      CHECK(split.candidates == static_cast<std::int64_t>(oracle.ranked_items(label).size()));
      check_close(split.metrics, oracle.metrics(label, cutoffs, [](const Row&) { return true; }));
      CHECK(split.by_activity.size() <= 4);
      for (const GroupMetrics& group : split.by_activity) {
        const Bounds bounds = bounds_of(group.group);
        check_close(group.metrics, oracle.metrics(label, cutoffs, [&](const Row& row) {
          const auto activity = static_cast<std::int64_t>(oracle.history(row.user).size());
          return bounds.least <= activity && activity <= bounds.most;
        }));
      }
      CHECK(split.by_popularity.size() <= 4);
      for (const GroupMetrics& group : split.by_popularity) {
        const Bounds bounds = bounds_of(group.group);
        std::set<std::int32_t> members;
        check_close(group.metrics, oracle.metrics(label, cutoffs, [&](const Row& row) {
          const std::int64_t popularity = made.data.train.degree(row.item);
          const bool inside = bounds.least <= popularity && popularity <= bounds.most;
          if (inside) members.insert(row.item);
          return inside;
        }));
        CHECK(group.members == static_cast<std::int64_t>(members.size()));
      }
    };
    check_split(kValid, evaluation.valid);
    check_split(kTest, evaluation.test);
    for (const std::int64_t k : cutoffs) {
      CHECK(std::fabs(evaluation.catalogue.at("coverage@" + std::to_string(k)) - oracle.coverage(k)) < 1e-12);
    }
  }
  CHECK(2 * cases >= test::cases(60));
}

TEST_CASE("Evaluator: metrics, groups and coverage are those of sorting everything") {
  check_against_oracle(Candidates::all);
}

TEST_CASE("Evaluator: cold candidates are the split's items without a training row, and no other rows count") {
  check_against_oracle(Candidates::cold);
}

TEST_CASE("Evaluator: activity groups divide the users, so their weighted mean is the whole") {
  for (int run = 100; run < 100 + test::cases(20); ++run) {
    const Case made = random_case(static_cast<std::uint64_t>(run));
    const Evaluation evaluation = Evaluator(made.data, {}).full(made.users, made.items, {});
    for (const SplitEvaluation* const split : {&evaluation.valid, &evaluation.test}) {
      std::int64_t members = 0;
      Metrics sums;
      for (const GroupMetrics& group : split->by_activity) {
        CHECK(group.members > 0);
        members += group.members;
        for (const auto& [name, value] : group.metrics) sums[name] += value * static_cast<double>(group.members);
      }
      CHECK(members == split->users);
      for (auto& [name, sum] : sums) sum /= static_cast<double>(members);
      check_close(sums, split->metrics);
    }
  }
}

TEST_CASE("Evaluator: the same bits for 1, 2 and 8 threads, and for the quick way") {
  Random random(5);
  std::vector<Row> rows = random_rows(random, 900, 700);
  const TempDir folder;
  const Dataset data = load_dataset({.directory = write_dataset(folder, "toy", rows)});
  std::normal_distribution<float> normal;
  const auto vectors = [&](std::int64_t count) {
    Matrix matrix(count, 24);
    for (std::int64_t e = 0; e < count * 24; ++e) matrix.mutable_view().data()[e] = normal(random);
    return matrix;
  };
  const Matrix users = vectors(data.users);
  const Matrix items = vectors(data.items);
  const Evaluator evaluator(data, {});
  const Evaluation one = evaluator.full(users, items, {.threads = 1});
  for (const int threads : {2, 8}) {
    const Evaluation other = evaluator.full(users, items, {.threads = threads});
    CHECK(other.valid.metrics == one.valid.metrics);
    CHECK(other.test.metrics == one.test.metrics);
    CHECK(other.catalogue == one.catalogue);
    REQUIRE(other.test.by_popularity.size() == one.test.by_popularity.size());
    for (std::size_t g = 0; g < one.test.by_popularity.size(); ++g) {
      CHECK(other.test.by_popularity[g].metrics == one.test.by_popularity[g].metrics);
    }
  }
  const Evaluation quick = evaluator.quick(users, items, {.threads = 2});
  CHECK(quick.valid.metrics == one.valid.metrics);
  CHECK(quick.test.metrics == one.test.metrics);
  CHECK(quick.test.users == one.test.users);
  CHECK(quick.catalogue.empty());
  CHECK(quick.valid.by_activity.empty());
  CHECK(quick.test.by_popularity.empty());
  const Evaluation ungrouped = Evaluator(data, {.groups = false}).full(users, items, {});
  CHECK(ungrouped.catalogue == one.catalogue);
  CHECK(ungrouped.test.by_activity.empty());
  CHECK(ungrouped.test.by_popularity.empty());
}

/// One user with vector 1; an item's vector is its score.
struct OneUser {
  Dataset data;
  Matrix user{1, 1, {1.0F}};

  explicit OneUser(const std::vector<Row>& rows) {
    const TempDir folder;
    data = load_dataset({.directory = write_dataset(folder, "toy", rows)});
  }
  [[nodiscard]] Evaluation evaluate(const std::vector<float>& scores, const Values& cutoffs) const {
    const Matrix items(static_cast<std::int64_t>(scores.size()), 1, scores);
    return Evaluator(data, {.cutoffs = cutoffs}).quick(user, items, {});
  }
};

TEST_CASE("Evaluator: training items are masked; validation items compete at test, test items at validation") {
  const OneUser one({{0, 0, 0}, {0, 1, 1}, {0, 2, 2}});
  const Evaluation evaluation = one.evaluate({9, 8, 7}, {1, 2});
  CHECK(evaluation.valid.metrics.at("recall@1") == 1.0);
  CHECK(evaluation.test.metrics.at("recall@1") == 0.0);
  CHECK(evaluation.test.metrics.at("recall@2") == 1.0);
  CHECK(one.evaluate({9, 7, 8}, {1}).valid.metrics.at("recall@1") == 0.0);
}

TEST_CASE("Evaluator: cold candidates where training has every item are refused") {
  const OneUser warm({{0, 0, 0}, {0, 1, 0}, {0, 1, 1}, {0, 0, 2}});
  expect_error<InvalidArgument>([&] { static_cast<void>(Evaluator(warm.data, {.candidates = Candidates::cold})); },
                                {"candidates", "cold", "prepare split"});
}

TEST_CASE("Evaluator: of equal scores the lower item id comes first") {
  const OneUser one({{0, 0, 0}, {0, 2, 1}, {0, 3, 2}});
  const Evaluation evaluation = one.evaluate({5, 4, 4, 4}, {1, 2, 3});
  CHECK(evaluation.valid.metrics.at("recall@1") == 0.0);  // item 1 is before item 2
  CHECK(evaluation.valid.metrics.at("recall@2") == 1.0);
  CHECK(evaluation.test.metrics.at("recall@2") == 0.0);
  CHECK(evaluation.test.metrics.at("recall@3") == 1.0);
}

TEST_CASE("Evaluator: a held-out row that is also a training row is a miss") {
  const OneUser one({{0, 0, 0}, {0, 0, 1}, {0, 1, 1}});
  const Evaluation evaluation = one.evaluate({5, 4}, {2});
  CHECK(evaluation.valid.metrics.at("recall@2") == 0.5);
  CHECK(evaluation.test.metrics.empty());
  CHECK(evaluation.test.users == 0);
}

TEST_CASE("Evaluator: cutoffs above the number of items count the missing ranks as misses") {
  const OneUser one({{0, 0, 0}, {0, 1, 1}, {0, 2, 2}});
  const Evaluation evaluation = one.evaluate({9, 8, 7}, {50, 2147483648});
  CHECK(evaluation.valid.metrics.at("recall@50") == 1.0);
  CHECK(evaluation.valid.metrics.at("precision@50") == 1.0 / 50.0);
  CHECK(evaluation.test.metrics.at("precision@2147483648") == 1.0 / 2147483648.0);
}

TEST_CASE("Evaluator: a user who is in no held-out split is not ranked, and the others keep their lists") {
  const TempDir folder;
  const Dataset data = load_dataset(
      {.directory = write_dataset(folder, "toy", {{0, 0, 0}, {1, 0, 0}, {2, 0, 0}, {2, 1, 1}, {3, 0, 0}, {3, 2, 2}})});
  const Matrix users(4, 2, {9, 9, 9, 9, 1, 0, 0, 1});
  const Matrix items(3, 2, {1, 1, 1, 0, 0, 1});
  const Evaluation evaluation = Evaluator(data, {.cutoffs = {1}}).full(users, items, {});
  CHECK(evaluation.valid.metrics.at("recall@1") == 1.0);
  CHECK(evaluation.test.metrics.at("recall@1") == 1.0);
  CHECK(evaluation.catalogue.at("coverage@1") == doctest::Approx(2.0 / 3.0).epsilon(1e-15));
  // Infinity of a user who is not ranked is an error all the same, with the user's own number.
  Matrix broken(users);
  broken.mutable_view()(1, 1) = std::numeric_limits<float>::infinity();
  expect_error<InvalidArgument>([&] { static_cast<void>(Evaluator(data, {}).quick(broken, items, {})); },
                                {"evaluate: user_vectors row 1, column 1 = inf: must be finite"});
}

TEST_CASE("Evaluator: vectors that cannot be are refused by name") {
  const OneUser one({{0, 0, 0}, {0, 1, 1}, {0, 2, 2}});
  const Matrix items(3, 1);
  const auto refused = [&](const Matrix& user_vectors, const Matrix& item_vectors,
                           std::initializer_list<const char*> parts) {
    const Evaluator evaluator(one.data, {});
    expect_error<InvalidArgument>([&] { static_cast<void>(evaluator.quick(user_vectors, item_vectors, {})); }, parts);
    expect_error<InvalidArgument>([&] { static_cast<void>(evaluator.full(user_vectors, item_vectors, {})); }, parts);
  };
  refused(Matrix(2, 1), items, {"evaluate: user_vectors = 2 rows: must have as many as the data has users, 1"});
  refused(one.user, Matrix(4, 1), {"evaluate: item_vectors = 4 rows: must have as many as the data has items, 3"});
  refused(one.user, Matrix(3, 2), {"evaluate: item_vectors = 2 dims: must have as many as user_vectors, 1"});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  refused(one.user, Matrix(3, 1, {0, nan, nan}), {"evaluate: item_vectors row 1, column 0 = nan: must be finite"});
  refused(Matrix(1, 1, {1e30F}), Matrix(3, 1, {0, 1, 1e20F}), {"evaluate: norm of user_vectors row 0", "overflow"});
}

TEST_CASE("Evaluator: cutoffs are at least one, and at least 1") {
  const OneUser one({{0, 0, 0}, {0, 1, 1}, {0, 2, 2}});
  expect_error<InvalidArgument>([&] { static_cast<void>(one.evaluate({1, 2, 3}, {})); },
                                {"evaluate: cutoffs = none: name at least one"});
  expect_error<InvalidArgument>([&] { static_cast<void>(one.evaluate({1, 2, 3}, {5, 0})); },
                                {"evaluate: cutoffs = 0: must be >= 1"});
}

TEST_CASE("Evaluator: a cancelled context ends it") {
  const Case made = random_case(3);
  const Context context;
  context.cancel.cancel();
  CHECK_THROWS_AS(static_cast<void>(Evaluator(made.data, {}).full(made.users, made.items, context)), Cancelled);
}

TEST_CASE("evaluate: a directory and vectors give what the evaluator gives, with rows between the vectors or not") {
  Random random(21);
  const std::vector<Row> rows = random_rows(random, 30, 40);
  const TempDir folder;
  const std::filesystem::path directory = write_dataset(folder, "toy", rows);
  test::write_bytes(directory / "text_feat.npy", "evaluation has no use for it");
  const Dataset data = load_dataset({.directory = directory, .default_features = false});
  const Matrix users = random_vectors(random, data.users, 3);
  const Matrix items = random_vectors(random, data.items, 3);
  const Evaluation expected = Evaluator(data, {}).full(users, items, {});
  const Evaluation actual = evaluate(users, items, directory);
  CHECK(actual.valid.metrics == expected.valid.metrics);
  CHECK(actual.test.metrics == expected.test.metrics);
  CHECK(actual.catalogue == expected.catalogue);
  CHECK(actual.test.by_activity.size() == expected.test.by_activity.size());

  std::vector<float> padded;
  for (std::int64_t r = 0; r < items.rows(); ++r) {
    for (std::int64_t c = 0; c < 3; ++c) padded.push_back(items(r, c));
    padded.push_back(std::numeric_limits<float>::quiet_NaN());
  }
  const Evaluation strided = evaluate(users, MatrixView<const float>(padded.data(), items.rows(), 3, 4), directory);
  CHECK(strided.test.metrics == expected.test.metrics);
}

TEST_CASE("evaluate: items beyond the largest itemID are candidates, fewer are an error with the line") {
  const TempDir folder;
  const std::filesystem::path directory = write_dataset(folder, "toy", {{0, 0, 0}, {0, 1, 1}});
  const Matrix user(1, 1, {1.0F});
  const Matrix three(3, 1, {1, 2, 3});
  const Matrix one(1, 1);
  const Evaluation evaluation = evaluate(user, three, directory, {.cutoffs = {1, 2}});
  CHECK(evaluation.valid.metrics.at("recall@1") == 0.0);
  CHECK(evaluation.valid.metrics.at("recall@2") == 1.0);
  expect_error<FormatError>([&] { evaluate(user, one, directory); },
                            {"toy.inter: line 3: itemID = 1: must be below the number of items, 1"});
  expect_error<InvalidArgument>([&] { evaluate(three, three, directory); }, {"evaluate: user_vectors = 3 rows"});
}

TEST_CASE("evaluate: a directory with test rows only is enough") {
  const TempDir folder;
  const std::filesystem::path directory = write_dataset(folder, "toy", {{0, 0, 0}, {0, 1, 2}});
  const Matrix user(1, 1, {1.0F});
  const Matrix items(2, 1, {1, 2});
  const Evaluation evaluation = evaluate(user, items, directory);
  CHECK(evaluation.valid.users == 0);
  CHECK(evaluation.valid.metrics.empty());
  CHECK(evaluation.valid.by_activity.empty());
  CHECK(evaluation.test.metrics.at("recall@5") == 1.0);
}

}  // namespace
}  // namespace evaluator_test
}  // namespace graft::training
