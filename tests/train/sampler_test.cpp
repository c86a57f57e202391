#include "train/sampler.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>

#include "../support/files.hpp"
#include "../support/random_data.hpp"

namespace graft::training {
namespace sampler_test {
namespace {

using test::draw;
using test::expect_error;
using test::Random;
using Pair = std::pair<std::int32_t, std::int32_t>;
using Ids = std::vector<std::int32_t>;

/// Training rows only: all that sampling sees.
Dataset dataset_of(std::int64_t users, std::int64_t items, const std::vector<Pair>& rows) {
  Dataset data;
  data.users = users;
  data.items = items;
  for (const auto& [user, item] : rows) {
    data.train_users.push_back(user);
    data.train_items.push_back(item);
  }
  data.train = Interactions::from_pairs(data.train_users, data.train_items, users, items);
  return data;
}

/// Up to a few repeats; the last three items never occur.
Dataset random_dataset(std::uint64_t seed, std::int64_t users, std::int64_t items, std::int64_t rows) {
  Random random(seed);
  std::vector<Pair> pairs(static_cast<std::size_t>(rows));
  for (auto& [user, item] : pairs) {
    user = static_cast<std::int32_t>(draw(random, 0, users - 1));
    item = static_cast<std::int32_t>(draw(random, 0, items - 4));
  }
  return dataset_of(users, items, pairs);
}

struct Example {
  std::int32_t user;
  std::int32_t positive;
  std::int32_t negative;

  friend bool operator==(const Example&, const Example&) = default;
};

std::vector<Example> examples_of(const Batch& batch) {
  std::vector<Example> examples;
  REQUIRE(batch.users->size() == batch.size);
  REQUIRE(batch.items->size() == 2 * batch.size);
  for (std::int64_t b = 0; b < batch.size; ++b) {
    const auto at = static_cast<std::size_t>(b);
    examples.push_back({batch.users->ids()[at], batch.items->ids()[at],
                        batch.items->ids()[at + static_cast<std::size_t>(batch.size)]});
  }
  return examples;
}

std::vector<Example> epoch_of(Sampler& sampler, std::int64_t epoch) {
  sampler.start_epoch(epoch);
  std::vector<Example> all;
  for (std::int64_t b = 0; b < sampler.batches(); ++b) {
    const std::vector<Example> examples = examples_of(sampler.batch(b));
    all.insert(all.end(), examples.begin(), examples.end());
  }
  return all;
}

TEST_CASE("Sampler: every training row comes once an epoch, repeats as often as the file has them") {
  const Dataset data = random_dataset(1, 40, 30, 500);
  REQUIRE(data.train.duplicates() > 0);
  std::vector<Pair> expected;
  expected.reserve(data.train_users.size());
  for (std::size_t r = 0; r < data.train_users.size(); ++r) {
    expected.emplace_back(data.train_users[r], data.train_items[r]);
  }
  const std::vector<Pair> file_order(expected);
  std::sort(expected.begin(), expected.end());
  for (const std::int64_t batch_size : {1, 7, 100, 499, 500, 501, 2048}) {
    Sampler sampler(data, batch_size, 999);
    CHECK(sampler.batches() == (500 + batch_size - 1) / batch_size);
    std::vector<Pair> pairs;
    for (const Example& example : epoch_of(sampler, 3)) pairs.emplace_back(example.user, example.positive);
    CHECK(pairs != file_order);
    std::sort(pairs.begin(), pairs.end());
    CHECK(pairs == expected);
  }
}

TEST_CASE("Sampler: all batches are full but the last") {
  const Dataset data = random_dataset(2, 40, 30, 500);
  Sampler sampler(data, 64, 999);
  sampler.start_epoch(0);
  REQUIRE(sampler.batches() == 8);
  for (std::int64_t b = 0; b < 7; ++b) CHECK(sampler.batch(b).size == 64);
  CHECK(sampler.batch(7).size == 500 - 7 * 64);
}

TEST_CASE("Sampler: a negative occurs in training, but not for its user; all such items occur") {
  const Dataset data = random_dataset(3, 10, 40, 150);
  std::map<std::int32_t, std::set<std::int32_t>> negatives;
  Sampler sampler(data, 64, 5);
  for (std::int64_t epoch = 0; epoch < 60; ++epoch) {
    for (const Example& example : epoch_of(sampler, epoch)) negatives[example.user].insert(example.negative);
  }
  for (std::int32_t user = 0; user < 10; ++user) {
    const auto history = data.train.history(user);
    REQUIRE(!history.empty());
    std::set<std::int32_t> legal;
    for (std::int32_t item = 0; item < 40; ++item) {
      if (data.train.degree(item) > 0 && !std::binary_search(history.begin(), history.end(), item)) legal.insert(item);
    }
    CHECK(negatives[user] == legal);
  }
}

TEST_CASE("Sampler: held-out items of the user are legal negatives") {
  Dataset data = dataset_of(2, 4, {{0, 0}, {1, 1}, {1, 2}});
  data.valid = {.users = {0}, .offsets = {0, 1}, .items = {1}};
  data.test = {.users = {0}, .offsets = {0, 1}, .items = {2}};
  std::set<std::int32_t> negatives;
  Sampler sampler(data, 2, 5);
  for (std::int64_t epoch = 0; epoch < 40; ++epoch) {
    for (const Example& example : epoch_of(sampler, epoch)) {
      if (example.user == 0) negatives.insert(example.negative);
    }
  }
  CHECK(negatives == std::set<std::int32_t>{1, 2});  // not 3, which never occurs in training
}

TEST_CASE("Sampler: negatives are uniform over what is legal (chi-square)") {
  // User 0 has 4 of 20 items; the others only make the pool.
  std::vector<Pair> rows{{0, 3}, {0, 4}, {0, 11}, {0, 19}};
  for (std::int32_t item = 0; item < 20; ++item) rows.emplace_back(1 + item % 3, item);
  const Dataset data = dataset_of(4, 20, rows);
  std::map<std::int32_t, double> counts;
  double draws = 0.0;
  Sampler sampler(data, 5, 999);
  for (std::int64_t epoch = 0; epoch < 4000; ++epoch) {
    for (const Example& example : epoch_of(sampler, epoch)) {
      if (example.user != 0) continue;
      counts[example.negative] += 1.0;
      draws += 1.0;
    }
  }
  REQUIRE(counts.size() == 16);
  REQUIRE(draws == 16000.0);
  double chi_square = 0.0;
  for (const auto& [item, count] : counts) chi_square += (count - 1000.0) * (count - 1000.0) / 1000.0;
  CHECK(chi_square < 37.7);  // 15 degrees of freedom: exceeded once in a thousand
  CHECK(chi_square > 3.5);   // and as often below
}

TEST_CASE("Sampler: the order is a shuffle: each row is as often first as any other (chi-square)") {
  const Dataset data = dataset_of(2, 12, {{0, 0}, {0, 1}, {0, 2}, {0, 3}, {0, 4}, {1, 5}, {1, 6}, {1, 7}});
  std::array<double, 8> first{};
  Sampler sampler(data, 1, 999);
  for (std::int64_t epoch = 0; epoch < 8000; ++epoch) {
    sampler.start_epoch(epoch);
    first.at(static_cast<std::size_t>(sampler.batch(0).items->ids()[0])) += 1.0;
  }
  double chi_square = 0.0;
  for (const double count : first) chi_square += (count - 1000.0) * (count - 1000.0) / 1000.0;
  CHECK(chi_square < 24.3);  // 7 degrees of freedom: exceeded once in a thousand
}

TEST_CASE("Sampler: a batch does not depend on what was sampled before") {
  const Dataset data = random_dataset(4, 40, 30, 500);
  Sampler in_order(data, 64, 17);
  const std::vector<Example> epoch0 = epoch_of(in_order, 0);
  const std::vector<Example> epoch1 = epoch_of(in_order, 1);
  const std::vector<Example> epoch2 = epoch_of(in_order, 2);
  CHECK(epoch0 != epoch1);
  CHECK(epoch1 != epoch2);
  Sampler backwards(data, 64, 17);
  CHECK(epoch_of(backwards, 2) == epoch2);
  backwards.start_epoch(1);
  for (std::int64_t b = backwards.batches() - 1; b >= 0; --b) {
    const std::vector<Example> examples = examples_of(backwards.batch(b));
    CHECK(std::equal(examples.begin(), examples.end(), epoch1.begin() + b * 64));
  }
  CHECK(examples_of(backwards.batch(3)) == examples_of(backwards.batch(3)));
  Sampler another_seed(data, 64, 18);
  CHECK(epoch_of(another_seed, 0) != epoch0);
}

TEST_CASE("Sampler: the batch size changes no epoch's order") {
  const Dataset data = random_dataset(5, 40, 30, 500);
  Sampler small(data, 10, 1);
  Sampler large(data, 500, 1);
  const std::vector<Example> a = epoch_of(small, 4);
  const std::vector<Example> b = epoch_of(large, 4);
  CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end(),
                   [](const Example& x, const Example& y) { return x.user == y.user && x.positive == y.positive; }));
}

TEST_CASE("Sampler: a user who has every training item has no negative, and is named") {
  const Dataset data = dataset_of(3, 5, {{0, 0}, {2, 1}, {2, 0}, {2, 3}, {1, 3}});
  expect_error<InvalidArgument>([&] { Sampler(data, 2, 1); },
                                {"train: user = 2: has all 3 items that occur in training", "leave this user out"});
}

TEST_CASE("Sampler: the batch size is at least 1") {
  const Dataset data = dataset_of(2, 2, {{0, 0}, {1, 1}});
  for (const std::int64_t size : {0, -5}) {
    expect_error<InvalidArgument>([&] { Sampler(data, size, 1); }, {"train_batch_size = ", "must be >= 1"});
  }
}

TEST_CASE("stream_id: every purpose, epoch and batch has a stream of its own") {
  std::set<std::uint64_t> streams;
  std::size_t made = 0;
  for (const Stream purpose : {Stream::shuffle, Stream::negatives, Stream::graph, Stream::dropout}) {
    for (const std::int64_t epoch : {0, 1, 2, 999, (1 << 28) - 1}) {
      for (const std::int64_t batch : {std::int64_t{0}, std::int64_t{1}, std::int64_t{5}, std::int64_t{4294967295}}) {
        streams.insert(stream_id(purpose, epoch, batch));
        ++made;
      }
    }
  }
  CHECK(streams.size() == made);
  CHECK(stream_id(Stream::shuffle, 7) == stream_id(Stream::shuffle, 7, 0));
}

}  // namespace
}  // namespace sampler_test
}  // namespace graft::training
