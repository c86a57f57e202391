#include "train/dataset.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/detail/bytes.hpp>
#include <graft/detail/npy_format.hpp>
#include <graft/io/npy.hpp>
#include <graft/io/npz.hpp>

#include "../support/dataset.hpp"
#include "../support/files.hpp"
#include "../support/graphs.hpp"
#include "data/sha256.hpp"

namespace graft::training {
namespace dataset_test {
namespace {

namespace fs = std::filesystem;

using test::expect_error;
using test::graph_of;
using test::Row;
using test::TempDir;
using test::write_bytes;
using test::write_dataset;
using Ids = std::vector<std::int32_t>;
using Offsets = std::vector<std::int64_t>;

// Users 0 to 2, items 0 to 4; item 4 occurs in the test split only.
const std::vector<Row> kRows{{1, 3, 0}, {0, 2, 0}, {2, 0, 2}, {0, 1, 1}, {0, 0, 0},
                             {2, 1, 0}, {1, 0, 1}, {0, 4, 2}, {0, 3, 1}, {1, 1, 2}};

Matrix features_of(std::int64_t items, std::int64_t dims, float first = 0.5F) {
  Matrix matrix(items, dims);
  const MatrixView<float> view = matrix.mutable_view();
  for (std::int64_t e = 0; e < items * dims; ++e) view.data()[e] = first + static_cast<float>(e);
  return matrix;
}

/// "a notice that holds all parts"
bool told(const Dataset& data, std::initializer_list<const char*> parts) {
  for (const std::string& notice : data.notices) {
    if (test::contains(notice, parts)) return true;
  }
  return false;
}

TEST_CASE("load_dataset: training rows keep the file's order, held-out rows are gathered by user") {
  const TempDir folder;
  const Dataset data = load_dataset({.directory = write_dataset(folder, "toy", kRows)});
  CHECK(data.name == "toy");
  CHECK(data.users == 3);
  CHECK(data.items == 5);
  CHECK(data.train_users == Ids{1, 0, 0, 2});
  CHECK(data.train_items == Ids{3, 2, 0, 1});
  CHECK(data.train.users() == 3);
  CHECK(data.train.items() == 5);
  CHECK(Ids(data.train.history(0).begin(), data.train.history(0).end()) == Ids{0, 2});
  CHECK(data.valid.users == Ids{0, 1});
  CHECK(data.valid.offsets == Offsets{0, 2, 3});
  CHECK(data.valid.items == Ids{1, 3, 0});
  CHECK(data.test.users == Ids{2, 0, 1});
  CHECK(data.test.offsets == Offsets{0, 1, 2, 3});
  CHECK(data.test.items == Ids{0, 4, 1});
  CHECK(data.features.empty());
  CHECK(data.similarities.empty());
  CHECK(data.notices.empty());
  CHECK(data.dropped_valid == 0);
  CHECK(data.dropped_test == 0);
}

TEST_CASE("load_dataset: a repeated training pair is two examples and one interaction, and told") {
  const TempDir folder;
  std::vector<Row> rows(kRows);
  rows.insert(rows.end(), {{0, 2, 0}, {0, 1, 1}, {1, 3, 2}});
  const Dataset data = load_dataset({.directory = write_dataset(folder, "toy", rows)});
  CHECK(data.train_users == Ids{1, 0, 0, 2, 0});
  CHECK(data.train_items == Ids{3, 2, 0, 1, 2});
  CHECK(data.train.size() == 4);
  CHECK(data.valid.items == Ids{1, 3, 1, 0});
  CHECK(data.notices.size() == 3);
  CHECK(told(data, {"toy.inter: training rows that repeat an earlier pair: 1"}));
  CHECK(told(data, {"toy.inter: validation rows that repeat an earlier pair: 1"}));
  CHECK(told(data, {"toy.inter: test rows whose pair is also a training pair: 1", "misses"}));
}

TEST_CASE("load_dataset: held-out rows of users without a training row are dropped, counted and told") {
  const TempDir folder;
  std::vector<Row> rows(kRows);
  rows.insert(rows.begin(), {{4, 0, 1}, {3, 1, 2}, {4, 1, 1}, {4, 2, 2}});
  const Dataset data = load_dataset({.directory = write_dataset(folder, "toy", rows)});
  CHECK(data.users == 5);  // cold users keep their numbers
  CHECK(data.valid.users == Ids{0, 1});
  CHECK(data.test.users == Ids{2, 0, 1});
  CHECK(data.dropped_valid == 2);
  CHECK(data.dropped_test == 2);
  CHECK(told(data, {"validation rows left out, for their user has no training row: 2"}));
  CHECK(told(data, {"test rows left out, for their user has no training row: 2"}));
}

TEST_CASE("load_dataset: no test row is a notice, no validation or training row an error") {
  const TempDir folder;
  const Dataset data = load_dataset({.directory = write_dataset(folder, "toy", {{0, 0, 0}, {0, 1, 1}})});
  CHECK(data.test.users.empty());
  CHECK(data.test.offsets == Offsets{0});
  CHECK(told(data, {"no test row: the split has no metrics"}));

  const fs::path no_valid = write_dataset(folder, "a", {{0, 0, 0}, {0, 1, 2}});
  expect_error<FormatError>(
      [&] { load_dataset({.directory = no_valid}); },
      {"dataset: ", "a.inter: has no validation row (x_label 1), which early stopping needs", "graft prepare split"});
  CHECK(load_dataset({.directory = no_valid, .validation_required = false}).test.size() == 1);
  expect_error<FormatError>(
      [&] { load_dataset({.directory = write_dataset(folder, "b", {{0, 0, 0}}), .validation_required = false}); },
      {"b.inter: has no held-out row (x_label 1, 2)"});
  expect_error<FormatError>([&] { load_dataset({.directory = write_dataset(folder, "c", {{0, 0, 1}, {0, 1, 2}})}); },
                            {"c.inter: has no training row (x_label 0)", "graft prepare split"});
  expect_error<FormatError>([&] { load_dataset({.directory = write_dataset(folder, "d", {{0, 0, 0}, {1, 1, 1}})}); },
                            {"d.inter: has no validation row of a user with training rows"});
  expect_error<FormatError>([&] { load_dataset({.directory = write_dataset(folder, "e", {})}); },
                            {"e.inter: has no training row"});
}

TEST_CASE("load_dataset: without x_label every row is training, so validation rows are missing") {
  const TempDir folder;
  const fs::path directory = write_dataset(folder, "toy", {});
  write_bytes(directory / "toy.inter", "itemID\tuserID\n1\t0\n");
  expect_error<FormatError>([&] { load_dataset({.directory = directory}); }, {"toy.inter: has no validation row"});
}

TEST_CASE("load_dataset: the .inter file has the directory's name, or is the only one") {
  const TempDir folder;
  const fs::path directory = write_dataset(folder, "toy", kRows);
  write_bytes(directory / "another.inter", "no table");
  CHECK(load_dataset({.directory = directory}).name == "toy");
  CHECK(load_dataset({.directory = fs::path(directory.string() + "/")}).name == "toy");
  CHECK(load_dataset({.directory = directory / "."}).name == "toy");
  fs::rename(directory, folder / "moved");
  expect_error<InvalidArgument>([&] { load_dataset({.directory = folder / "moved"}); },
                                {"dataset: ",
                                 "moved: holds several .inter files (another.inter, toy.inter), none of "
                                 "them moved.inter: rename"});
  fs::remove(folder / "moved" / "another.inter");
  CHECK(load_dataset({.directory = folder / "moved"}).name == "toy");
}

TEST_CASE("load_dataset: directories without interactions are refused by name") {
  const TempDir folder;
  fs::create_directory(folder / "empty");
  expect_error<IoError>([&] { load_dataset({.directory = folder / "empty"}); },
                        {"dataset: ", "empty: holds no .inter file, empty.inter by name", "graft prepare split"});
  expect_error<IoError>([&] { load_dataset({.directory = folder / "absent"}); },
                        {"dataset: ", "absent: no such directory"});
  write_bytes(folder / "toy.inter", "userID\titemID\n");
  expect_error<IoError>([&] { load_dataset({.directory = folder / "toy.inter"}); },
                        {"toy.inter: must be a directory that holds NAME.inter, not a file"});
  fs::create_directories(folder / "odd" / "odd.inter");
  expect_error<IoError>([&] { load_dataset({.directory = folder / "odd"}); }, {"odd: holds no .inter file"});
}

TEST_CASE("load_dataset: the directory's own features are read under their modality") {
  const TempDir folder;
  const fs::path directory = write_dataset(folder, "toy", kRows);
  write_npy(directory / "text_feat.npy", features_of(7, 2));
  write_npy(directory / "image_feat.npy", features_of(7, 3));
  write_npy(directory / "image_text_feat.npy", features_of(7, 4));
  write_bytes(directory / "user_preferences_feat.npy", "left alone");
  const Dataset data = load_dataset({.directory = directory});
  CHECK(data.items == 7);
  CHECK(data.train.items() == 7);
  REQUIRE(data.features.size() == 3);
  CHECK(data.features.at("text")(6, 1) == 13.5F);
  CHECK(data.features.at("image").cols() == 3);
  CHECK(data.features.at("image_text").cols() == 4);
  const Dataset bare = load_dataset({.directory = directory, .default_features = false});
  CHECK(bare.features.empty());
  CHECK(bare.items == 5);
  CHECK(load_dataset({.directory = directory, .default_features = false, .items = 6}).items == 6);
}

TEST_CASE("load_dataset: a file given under a default name replaces the directory's own, which is not read") {
  const TempDir folder;
  const fs::path directory = write_dataset(folder, "toy", kRows);
  write_bytes(directory / "text_feat.npy", "damaged");
  write_bytes(directory / "image_feat.npy", "damaged");
  write_npy(folder / "mine.npy", features_of(5, 2));
  const Graph graph = graph_of(5, {{0, 1, 0.25F}, {3, 3, -2.0F}, {4, 0, 1.5F}});
  save_npz(folder / "graph.npz", graph);
  const Dataset data = load_dataset({.directory = directory,
                                     .features = {{"text", folder / "mine.npy"}, {"sound_2", folder / "mine.npy"}},
                                     .similarities = {{"image", folder / "graph.npz"}}});
  CHECK(data.features.size() == 2);
  CHECK(data.features.contains("sound_2"));
  REQUIRE(data.similarities.size() == 1);
  CHECK(data.similarities.at("image") == graph);  // as it is in the file
  expect_error<FormatError>([&] { load_dataset({.directory = directory}); }, {"text_feat.npy"});
}

TEST_CASE("load_dataset: float16 and float64 features become float32") {
  const TempDir folder;
  const fs::path directory = write_dataset(folder, "toy", kRows);
  const std::array<std::int64_t, 2> shape{5, 1};
  detail::Bytes wide = detail::npy_header("<f8", shape);
  detail::Bytes half = detail::npy_header("<f2", shape);
  for (int r = 0; r < 5; ++r) {
    detail::append_little(wide, std::bit_cast<std::uint64_t>(0.1 * r));
    detail::append_little(half, std::uint16_t{0x3C00});  // 1
  }
  const auto text = [](const detail::Bytes& bytes) {
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  write_bytes(directory / "text_feat.npy", text(wide));
  write_bytes(directory / "image_feat.npy", text(half));
  const Dataset data = load_dataset({.directory = directory});
  CHECK(data.features.at("text")(3, 0) == static_cast<float>(0.1 * 3));
  CHECK(data.features.at("image")(4, 0) == 1.0F);
}

TEST_CASE("load_dataset: features and graphs must agree on the items") {
  const TempDir folder;
  const fs::path directory = write_dataset(folder, "toy", kRows);
  write_npy(directory / "text_feat.npy", features_of(6, 2));
  write_npy(folder / "image.npy", features_of(5, 2));
  expect_error<InvalidArgument>(
      [&] { load_dataset({.directory = directory, .features = {{"image", folder / "image.npy"}}}); },
      {"dataset: features image = ", "image.npy: has 5 rows, but features text (", "text_feat.npy) has 6",
       "one row an item"});
  save_npz(folder / "graph.npz", Graph(9));
  expect_error<InvalidArgument>(
      [&] { load_dataset({.directory = directory, .similarities = {{"image", folder / "graph.npz"}}}); },
      {"dataset: similarity image = ", "graph.npz: has 9 rows, but features text (", "has 6"});
}

TEST_CASE("load_dataset: an itemID beyond the features is an error with its line and the file that says so") {
  const TempDir folder;
  const fs::path directory = write_dataset(folder, "toy", kRows);
  write_npy(directory / "text_feat.npy", features_of(4, 2));
  expect_error<FormatError>(
      [&] { load_dataset({.directory = directory}); },
      {"toy.inter: line 9: itemID = 4: must be below the number of items, 4", "features text", "text_feat.npy"});
  expect_error<FormatError>([&] { load_dataset({.directory = directory, .default_features = false, .items = 3}); },
                            {"toy.inter: line 2: itemID = 3: must be below the number of items, 3"});
}

TEST_CASE("load_dataset: features must be finite and not empty") {
  const TempDir folder;
  const fs::path directory = write_dataset(folder, "toy", kRows);
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    Matrix matrix = features_of(5, 3);
    matrix.mutable_view()(4, 0) = bad;
    matrix.mutable_view()(2, 1) = bad;
    write_npy(directory / "text_feat.npy", matrix);
    expect_error<FormatError>([&] { load_dataset({.directory = directory}); },
                              {"dataset: features text = ", "text_feat.npy: row 2, column 1 = ", "must be finite"});
  }
  write_npy(directory / "text_feat.npy", Matrix(5, 0));
  expect_error<FormatError>([&] { load_dataset({.directory = directory}); },
                            {"features text = ", "text_feat.npy = 5 x 0: must have at least one row and one column"});
}

TEST_CASE("load_dataset: names of modalities are checked before anything is read") {
  const TempDir folder;
  const fs::path directory = write_dataset(folder, "toy", {});
  write_npy(folder / "f.npy", features_of(5, 2));
  const auto load = [&](std::vector<NamedPath> features, std::vector<NamedPath> similarities) {
    load_dataset({.directory = directory, .features = std::move(features), .similarities = std::move(similarities)});
  };
  for (const char* name : {"", "a b", "a-b", "\xC3\xA4", "a/b"}) {
    expect_error<InvalidArgument>([&] { load({{name, folder / "f.npy"}}, {}); },
                                  {"dataset: features = ", name,
                                   "f.npy: the name of a modality must be made of "
                                   "letters, digits and _"});
  }
  expect_error<InvalidArgument>([&] { load({{"a", folder / "f.npy"}, {"a", folder / "f.npy"}}, {}); },
                                {"dataset: features = a=", "f.npy: a is given twice"});
  expect_error<InvalidArgument>([&] { load({{"a", folder / "f.npy"}}, {{"a", folder / "f.npy"}}); },
                                {"dataset: similarity = a=", "f.npy: a is given twice"});
  expect_error<IoError>([&] { load({{"a", folder / "absent.npy"}}, {}); },
                        {"dataset: features = a=", "absent.npy: no such file"});
  expect_error<IoError>([&] { load({}, {{"a", folder / "absent.npz"}}); },
                        {"dataset: similarity = a=", "absent.npz: no such file"});
}

TEST_CASE("load_dataset: every file that was read is on record with its hash and size") {
  const TempDir folder;
  const fs::path directory = write_dataset(folder, "toy", kRows);
  write_npy(directory / "text_feat.npy", features_of(5, 2));
  save_npz(folder / "graph.npz", Graph(5));
  const Dataset data = load_dataset({.directory = directory, .similarities = {{"image", folder / "graph.npz"}}});
  REQUIRE(data.files.size() == 3);
  const auto check = [&](std::size_t f, const char* role, const fs::path& path, std::int64_t rows, std::int64_t cols) {
    CHECK(data.files[f].role == role);
    CHECK(data.files[f].path == path);
    CHECK(data.files[f].sha256 == data::sha256_of_file(path, {}));
    CHECK(data.files[f].rows == rows);
    CHECK(data.files[f].cols == cols);
  };
  check(0, "interactions", directory / "toy.inter", 10, 0);
  check(1, "features text", directory / "text_feat.npy", 5, 2);
  check(2, "similarity image", folder / "graph.npz", 5, 5);
}

TEST_CASE("load_dataset: the hash of the split sees ids, labels and order, and nothing else") {
  const TempDir folder;
  const auto hash = [&](const std::vector<Row>& rows) {
    return load_dataset({.directory = write_dataset(folder, "toy", rows)}).split_sha256;
  };
  detail::Bytes bytes;
  detail::append_little(bytes, std::uint64_t{kRows.size()});
  for (const Row& row : kRows) detail::append_little(bytes, static_cast<std::uint32_t>(row.user));
  for (const Row& row : kRows) detail::append_little(bytes, static_cast<std::uint32_t>(row.item));
  for (const Row& row : kRows) detail::append_little(bytes, static_cast<std::uint8_t>(row.label));
  data::Sha256 expected;
  expected.update(bytes.data(), bytes.size());
  const std::string first = hash(kRows);
  CHECK(first == expected.finish());

  std::vector<Row> rows(kRows);
  rows[9].label = 1;
  CHECK(hash(rows) != first);
  rows = kRows;
  std::swap(rows[1], rows[4]);
  CHECK(hash(rows) != first);
  rows = kRows;
  rows[0].item = 2;
  CHECK(hash(rows) != first);

  std::string text = "rating\tx_label\titemID\tuserID\r\n";
  for (const Row& row : kRows) {
    text += "5.0\t" + std::to_string(row.label) + "\t" + std::to_string(row.item) + "\t" + std::to_string(row.user) +
            "\r\n";
  }
  write_bytes(folder / "toy" / "toy.inter", text);
  CHECK(load_dataset({.directory = folder / "toy"}).split_sha256 == first);
}

TEST_CASE("load_dataset: threads change nothing, cancelling ends it") {
  const TempDir folder;
  const fs::path directory = write_dataset(folder, "toy", kRows);
  write_npy(directory / "text_feat.npy", features_of(5000, 3));
  Context context{.threads = 1};
  const Dataset one = load_dataset({.directory = directory}, context);
  context.threads = 7;
  const Dataset seven = load_dataset({.directory = directory}, context);
  CHECK(one.split_sha256 == seven.split_sha256);
  CHECK(one.files[1].sha256 == seven.files[1].sha256);
  context.cancel.cancel();
  CHECK_THROWS_AS(load_dataset({.directory = directory}, context), Cancelled);
}

struct PublishedSet {
  const char* name = "";
  std::int64_t users = 0;
  std::int64_t items = 0;
  std::array<std::int64_t, 3> rows{};        ///< train, validation, test
  std::array<std::int64_t, 3> items_seen{};  ///< distinct items of each
};

std::int64_t distinct(std::vector<std::int32_t> ids) {
  std::sort(ids.begin(), ids.end());
  return std::unique(ids.begin(), ids.end()) - ids.begin();
}

TEST_CASE("load_dataset: the published sets have the published counts" *
          doctest::skip(std::getenv("GRAFT_DATA") == nullptr)) {  // NOLINT(concurrency-mt-unsafe)
  const fs::path all = std::getenv("GRAFT_DATA");                 // NOLINT(concurrency-mt-unsafe)
  for (const PublishedSet& set :
       std::vector<PublishedSet>{{"baby", 19445, 7050, {118551, 20559, 21682}, {7047, 5483, 5549}},
                                 {"sports", 35598, 18357, {218409, 37899, 40029}, {18352, 13342, 13738}},
                                 {"clothing", 39387, 23033, {197338, 40150, 41189}, {23020, 16702, 16803}}}) {
    CAPTURE(set.name);
    const fs::path graph = all / set.name / "knn10_text.npz";
    const bool with_graph = fs::exists(graph);
    DatasetOptions options{.directory = all / set.name};
    if (with_graph) options.similarities = {{"text", graph}};
    const Dataset data = load_dataset(options);
    CHECK(data.users == set.users);
    CHECK(data.items == set.items);
    CHECK(static_cast<std::int64_t>(data.train_users.size()) == set.rows[0]);
    CHECK(data.train.size() == set.rows[0]);
    CHECK(data.valid.size() == set.rows[1]);
    CHECK(data.test.size() == set.rows[2]);
    CHECK(distinct(data.train_items) == set.items_seen[0]);
    CHECK(distinct(data.valid.items) == set.items_seen[1]);
    CHECK(distinct(data.test.items) == set.items_seen[2]);
    CHECK(static_cast<std::int64_t>(data.valid.users.size()) == set.users);
    CHECK(static_cast<std::int64_t>(data.test.users.size()) == set.users);
    CHECK(data.notices.empty());
    CHECK(data.similarities.size() == (with_graph ? 1U : 0U));
  }
}

}  // namespace
}  // namespace dataset_test
}  // namespace graft::training
