// Profiles of users against plain loops in double.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "autodiff/tape.hpp"
#include "train/train_profiles.hpp"

#include "../support/check.hpp"
#include "model_bench.hpp"

namespace graft::training {
namespace train_profiles_test {
namespace {

using autodiff::Tape;
using test::Dense;
using test::difference;
using test::Triples;

constexpr double kTolerance = 1e-6;  // features are normalised and rounded to float32 first

/// Users 0 ... 4 have 4, 1, 2, 3 and 0 training items; item 4 has no features, item 5 is in no history.
struct Fixture {
  Interactions train = test::interactions_of({{1, 1, 1, 0, 1, 0},  //
                                              {0, 1, 0, 0, 0, 0},
                                              {1, 0, 0, 1, 0, 0},
                                              {0, 0, 1, 1, 1, 0},
                                              {0, 0, 0, 0, 0, 0}});
  Matrix features = test::matrix_of({{3, 4}, {1, 0}, {0, -2}, {5, 12}, {0, 0}, {1, 1}});
  std::unique_ptr<autodiff::Backend> backend = autodiff::cpu_reference_backend();

  [[nodiscard]] TrainProfiles profiles(UserProfile profile, ProfileTraining training) const {
    return {train, features.view(), profile, training, *backend};
  }
  [[nodiscard]] Dense values(const autodiff::Tensor& tensor) const {
    const std::vector<double> flat = backend->download(tensor);
    Dense rows;
    for (std::int64_t r = 0; r < tensor.rows(); ++r) {
      const auto begin = flat.begin() + r * tensor.cols();
      rows.emplace_back(begin, begin + tensor.cols());
    }
    return rows;
  }
  [[nodiscard]] Dense whole(const TrainProfiles& profiles) const {
    Tape tape(*backend);
    return values(tape.evaluate(profiles.whole(tape)));
  }
  [[nodiscard]] Dense of_batch(const TrainProfiles& profiles, const Triples& triples, std::uint64_t seed = 3) const {
    Tape tape(*backend, {seed, 1});
    return values(tape.evaluate(profiles.of_batch(tape, triples.batch(train.users(), train.items()))));
  }
};

std::vector<double> scaled(std::vector<double> x, bool to_length_one) {
  double squares = 0.0;
  for (const double value : x) squares += value * value;
  if (!to_length_one || squares == 0.0) return x;
  for (double& value : x) value /= std::sqrt(squares);
  return x;
}

/// Sum of e_i over the items, scaled for a mean.
std::vector<double> oracle(const Fixture& fixture, std::span<const std::int32_t> items, bool mean) {
  std::vector<double> sum(2, 0.0);
  for (const std::int32_t item : items) {
    const std::vector<double> unit = scaled({static_cast<double>(fixture.features(item, 0)),  //
                                             static_cast<double>(fixture.features(item, 1))},
                                            true);
    for (std::size_t c = 0; c < sum.size(); ++c) sum[c] += unit[c];
  }
  return scaled(sum, mean);
}

/// Every training pair, each with some negative.
Triples all_pairs(const Interactions& train) {
  Triples triples;
  for (std::int32_t user = 0; user < train.users(); ++user) {
    for (const std::int32_t item : train.history(user)) {
      triples.users.push_back(user);
      triples.positives.push_back(item);
      triples.negatives.push_back(5);
    }
  }
  return triples;
}

TEST_CASE("profiles: at evaluation a user is the sum or the mean direction of the whole training history") {
  const Fixture fixture;
  for (const UserProfile profile : {UserProfile::mean, UserProfile::sum}) {
    Dense expected;
    for (std::int64_t user = 0; user < fixture.train.users(); ++user) {
      expected.push_back(oracle(fixture, fixture.train.history(user), profile == UserProfile::mean));
    }
    CHECK(difference(fixture.whole(fixture.profiles(profile, ProfileTraining::leave_one_out)), expected, kTolerance) ==
          "");
    CHECK(expected[4] == std::vector<double>{0.0, 0.0});
  }
}

TEST_CASE("profiles: an example leaves its own positive out, and nothing else") {
  const Fixture fixture;
  const Triples triples = all_pairs(fixture.train);
  for (const UserProfile profile : {UserProfile::mean, UserProfile::sum}) {
    Dense expected;
    for (std::size_t t = 0; t < triples.users.size(); ++t) {
      const auto history = fixture.train.history(triples.users[t]);
      std::vector<std::int32_t> others(history.begin(), history.end());
      std::erase(others, triples.positives[t]);
      expected.push_back(oracle(fixture, others, profile == UserProfile::mean));
    }
    const TrainProfiles profiles = fixture.profiles(profile, ProfileTraining::leave_one_out);
    CHECK(difference(fixture.of_batch(profiles, triples), expected, kTolerance) == "");
  }
}

TEST_CASE("profiles: a user with one training item has the zero vector in training, exactly") {
  const Fixture fixture;
  for (const UserProfile profile : {UserProfile::mean, UserProfile::sum}) {
    for (const ProfileTraining training : {ProfileTraining::leave_one_out, ProfileTraining::half}) {
      const Dense one = fixture.of_batch(fixture.profiles(profile, training), {{1}, {1}, {0}});
      CHECK(one == Dense{{0.0, 0.0}});
    }
  }
}

TEST_CASE("profiles: whole gives an example the whole history, its positive among it") {
  const Fixture fixture;
  const Triples triples = all_pairs(fixture.train);
  const TrainProfiles profiles = fixture.profiles(UserProfile::mean, ProfileTraining::whole);
  const Dense everybody = fixture.whole(profiles);
  Dense expected;
  for (const std::int32_t user : triples.users) expected.push_back(everybody[static_cast<std::size_t>(user)]);
  CHECK(difference(fixture.of_batch(profiles, triples), expected, 0.0) == "");
}

TEST_CASE("profiles: half is one of the halves without the positive, all of them in time, and the seed's alone") {
  const Fixture fixture;
  const TrainProfiles profiles = fixture.profiles(UserProfile::sum, ProfileTraining::half);
  const Triples triples{{0}, {1}, {5}};  // leaves items 0, 2 and 4: two of them, times 4 / 2
  const std::vector<std::vector<std::int32_t>> halves{{0, 2}, {0, 4}, {2, 4}};
  std::set<std::size_t> seen;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const Dense drawn = fixture.of_batch(profiles, triples, seed);
    CHECK(drawn == fixture.of_batch(profiles, triples, seed));
    bool known = false;
    for (std::size_t h = 0; h < halves.size(); ++h) {
      std::vector<double> expected = oracle(fixture, halves[h], false);
      for (double& value : expected) value *= 2.0;
      if (difference(drawn, {expected}, kTolerance).empty()) {
        known = true;
        seen.insert(h);
      }
    }
    CHECK(known);
  }
  CHECK(seen.size() == halves.size());
}

TEST_CASE("profiles: two examples of one user draw halves of their own") {
  const Fixture fixture;
  const TrainProfiles profiles = fixture.profiles(UserProfile::mean, ProfileTraining::half);
  Triples triples;
  for (int t = 0; t < 30; ++t) {
    triples.users.push_back(0);
    triples.positives.push_back(1);
    triples.negatives.push_back(5);
  }
  const Dense drawn = fixture.of_batch(profiles, triples);
  CHECK(std::any_of(drawn.begin(), drawn.end(), [&](const std::vector<double>& row) { return row != drawn.front(); }));
}

TEST_CASE("profiles: normalised rows have length 1, zero rows stay; random directions are those of the seed") {
  const Matrix given = test::matrix_of({{3, 4}, {0, 0}, {1e-30, 0}});
  const Matrix unit = normalized_rows(given.view());
  CHECK(std::vector<float>(unit.values().begin(), unit.values().end()) ==
        std::vector<float>{0.6F, 0.8F, 0.0F, 0.0F, 1.0F, 0.0F});
  const Matrix directions = random_directions(50, 8, 5);
  const Matrix same = random_directions(50, 8, 5);
  const Matrix other = random_directions(50, 8, 6);
  CHECK(std::equal(directions.values().begin(), directions.values().end(), same.values().begin()));
  CHECK_FALSE(std::equal(directions.values().begin(), directions.values().end(), other.values().begin()));
  for (std::int64_t r = 0; r < 50; ++r) {
    double squares = 0.0;
    for (std::int64_t c = 0; c < 8; ++c) squares += std::pow(static_cast<double>(directions(r, c)), 2);
    CHECK(squares == doctest::Approx(1.0).epsilon(1e-6));
  }
}

}  // namespace
}  // namespace train_profiles_test
}  // namespace graft::training
