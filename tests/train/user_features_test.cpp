// User vectors of a run: where they come from, when they are refused, and what marks a run made from doubtful ones.
#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/core/error.hpp>
#include <graft/io/npy.hpp>
#include <graft/train/train.hpp>

#include "train/dataset.hpp"
#include "train/user_features.hpp"
#include "train/user_sidecar.hpp"

#include "../support/files.hpp"
#include "run_bench.hpp"

namespace graft::training {
namespace user_features_test {
namespace {

using test::contains;
using test::expect_error;
using test::kBenchItems;
using test::kBenchUsers;
using test::read_bytes;
using test::TempDir;
using test::write_bytes;
using Json = nlohmann::ordered_json;

Matrix numbers(std::int64_t rows, std::int64_t cols) {
  Matrix matrix(rows, cols);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < cols; ++c)
      matrix.mutable_view().row(r)[c] = static_cast<float>((r * 7 + c * 3) % 5 - 2);
  }
  return matrix;
}

/// The bench's data with item features, and user vectors outside of its directory.
struct Fixture {
  TempDir directory;
  std::filesystem::path data = test::bench_data(directory);
  std::filesystem::path file = directory / "users.npy";

  Fixture() {
    write_npy(data / "text_feat.npy", numbers(kBenchItems, 6));
    write_npy(file, numbers(kBenchUsers, 4));
  }

  Dataset load(const std::string& profile, const std::string& history = "") const {
    return load_dataset({.directory = data, .users = {.wanted = true, .profile = profile, .history = history}});
  }
  [[nodiscard]] std::string split() const { return load("mean").split_sha256; }

  [[nodiscard]] TrainOptions options(const std::string& out) const {
    return {.model = "mllmrec",
            .data = data,
            .out = directory / out,
            .settings = {"epochs=2", "train_batch_size=32", "knn_k=3", "feat_embed_dim=4"}};
  }
};

TEST_CASE("user vectors: without a word they are the directory's own, else the mean of training items") {
  const Fixture fixture;
  const Dataset mean = fixture.load("");
  CHECK(mean.user_features.profile == UserProfile::mean);
  REQUIRE(mean.notices.size() == 1);
  CHECK(contains(mean.notices.front(), {"user vectors: mean", "user_profile mean"}));
  const auto own = fixture.data / "user_preferences_feat.npy";
  write_npy(own, numbers(kBenchUsers, 3));
  write_user_sidecar(own, {.policy = "train", .split_sha256 = mean.split_sha256});
  const Dataset found = fixture.load("");
  CHECK(found.user_features.profile == UserProfile::file);
  CHECK(found.user_features.source == HistorySource::sidecar);
  CHECK(found.user_features.vectors.cols() == 3);
  CHECK(found.user_features.warning().empty());
  CHECK(found.files.back().role == "user vectors");
  CHECK(found.files.back().sha256.size() == 64);
  REQUIRE(found.notices.size() == 1);
  CHECK(contains(found.notices.front(), {"user_preferences_feat.npy"}));
  CHECK(fixture.load("sum").user_features.profile == UserProfile::sum);
  CHECK(fixture.load("random").notices.empty());
  CHECK_FALSE(load_dataset({.directory = fixture.data}).user_features.wanted);
}

TEST_CASE("user vectors: a sidecar is written and read back; a damaged one is refused") {
  const Fixture fixture;
  CHECK_FALSE(read_user_sidecar(fixture.file).has_value());
  write_user_sidecar(fixture.file, {.policy = "train", .split_sha256 = "abc"});
  CHECK(user_sidecar_path(fixture.file).filename() == "users.npy.json");
  const auto sidecar = read_user_sidecar(fixture.file);
  REQUIRE(sidecar.has_value());
  CHECK(sidecar->policy == "train");
  CHECK(sidecar->split_sha256 == "abc");
  for (const char* const text : {"", "[]", "{}", "{\"policy\": 3}", "{\"policy\": \"train\""}) {
    write_bytes(user_sidecar_path(fixture.file), text);
    expect_error<FormatError>([&] { read_user_sidecar(fixture.file); }, {"users.npy.json", "\"policy\": \"train\""});
  }
}

TEST_CASE("user vectors: a file is refused, with the mend, unless its sidecar names the training rows of this split") {
  const Fixture fixture;
  const auto refused = [&](std::initializer_list<const char*> parts) {
    expect_error<InvalidArgument>([&] { fixture.load(fixture.file.string()); }, parts);
    expect_error<InvalidArgument>([&] { fixture.load(fixture.file.string()); },
                                  {"users.npy", "user_profile mean", "user_history train", "unknown or all"});
  };
  refused({"no users.npy.json"});
  write_user_sidecar(fixture.file, {.policy = "all", .split_sha256 = fixture.split()});
  refused({"policy all"});
  write_user_sidecar(fixture.file, {.policy = "train", .split_sha256 = "0123"});
  refused({"another split", "0123", fixture.split().c_str()});
  write_user_sidecar(fixture.file, {.policy = "train"});
  refused({"another split", "absent"});
  write_user_sidecar(fixture.file, {.policy = "train", .split_sha256 = fixture.split()});
  CHECK(fixture.load(fixture.file.string()).user_features.history == UserHistory::train);
}

TEST_CASE("user vectors: a statement stands for a sidecar, but not against one") {
  const Fixture fixture;
  const auto stated = [&](const char* history) { return fixture.load(fixture.file.string(), history).user_features; };
  CHECK(stated("train").source == HistorySource::stated);
  CHECK(stated("train").warning().empty());
  CHECK(contains(stated("unknown").warning(), {"user_history unknown"}));
  CHECK(contains(stated("all").warning(), {"user_history all"}));
  write_user_sidecar(fixture.file, {.policy = "all"});
  expect_error<InvalidArgument>([&] { stated("train"); }, {"policy all", "against user_history train"});
  CHECK(stated("all").history == UserHistory::all);
  write_user_sidecar(fixture.file, {.policy = "train", .split_sha256 = fixture.split()});
  CHECK(stated("unknown").history == UserHistory::unknown);
}

TEST_CASE("user vectors: what is not one row of finite numbers a user is refused") {
  const Fixture fixture;
  const auto load = [&] { fixture.load(fixture.file.string(), "train"); };
  write_npy(fixture.file, numbers(kBenchUsers + 1, 4));
  expect_error<InvalidArgument>(load, {"user vectors", "has 25 rows", "24 users"});
  Matrix bad = numbers(kBenchUsers, 4);
  bad.mutable_view().row(5)[2] = std::numeric_limits<float>::quiet_NaN();
  write_npy(fixture.file, bad.view());
  expect_error<FormatError>(load, {"user vectors", "row 5, column 2"});
  write_npy(fixture.file, Matrix(0, 4));
  expect_error<FormatError>(load, {"at least one row"});
  expect_error<IoError>([&] { fixture.load("absent.npy"); }, {"user_profile = absent.npy", "mean, sum, random"});
  expect_error<InvalidArgument>([&] { fixture.load(fixture.file.string(), "valid"); },
                                {"train: user_history = valid", "train, unknown or all"});
  for (const char* const built : {"mean", "sum", "random", ""}) {
    expect_error<InvalidArgument>([&] { fixture.load(built, "all"); },
                                  {"train: user_history = all", "built from training"});
  }
}

TEST_CASE("user vectors: models and settings that read none refuse them") {
  const Fixture fixture;
  TrainOptions options = fixture.options("run");
  options.user_profile = "mean";
  options.settings.emplace_back("user_vectors=table");
  expect_error<InvalidArgument>([&] { train(options); },
                                {"train: user_profile = mean", "mllmrec", "with these settings"});
  options.settings = {};
  options.model = "bpr";
  expect_error<InvalidArgument>([&] { train(options); }, {"train: user_profile = mean", "bpr reads no vectors"});
  options.user_profile = "";
  options.user_history = "all";
  expect_error<InvalidArgument>([&] { train(options); }, {"train: user_history = all", "bpr reads no vectors"});
  CHECK_FALSE(std::filesystem::exists(options.out));
}

TEST_CASE("user vectors: doubtful ones mark every output, honest ones leave no mark") {
  const Fixture fixture;
  for (const std::string history : {"unknown", "all", "train"}) {
    const bool marked = history != "train";
    TrainOptions options = fixture.options(history);
    options.user_profile = fixture.file.string();
    options.user_history = history;
    std::vector<std::string> told;
    options.on_notice = [&](const std::string& text) { told.push_back(text); };
    const Run run = train(options, {.threads = 1});
    const Json config = Json::parse(run.config_json());
    CHECK(config.at("users") == Json({{"profile", "file"}, {"history", history}, {"history_known_by", "stated"}}));
    const Json metrics = Json::parse(run.metrics_json());
    CHECK(metrics.contains("warning") == marked);
    CHECK(run.notices().size() == (marked ? 1 : 0));
    CHECK(told == run.notices());
    const std::string report = read_bytes(run.directory() / "report.html");
    CHECK((report.find("class=\"banner\"") != std::string::npos) == marked);
    const auto embeddings = read_user_sidecar(run.directory() / "user_embeddings.npy");
    CHECK(embeddings.has_value() == marked);
    if (!marked) continue;
    CHECK(metrics.at("user_history") == history);
    CHECK(contains(run.notices().front(), {"user_history", history.c_str()}));
    CHECK(embeddings->policy == history);
    CHECK(Run::open(run.directory()).notices() == run.notices());
  }
}

TEST_CASE("user vectors: a stopped run goes on to the same files, with profiles of every kind, for any threads") {
  const Fixture fixture;
  for (const std::string setting : {"leave_one_out", "half", "whole"}) {
    TrainOptions whole = fixture.options("whole-" + setting);
    whole.user_profile = "mean";
    whole.settings.push_back("profile_training=" + setting);
    train(whole, {.threads = 1});
    TrainOptions stopped = whole;
    stopped.out = fixture.directory / ("stopped-" + setting);
    CancelToken cancel;
    stopped.on_epoch = [&](const EpochReport&) { cancel.cancel(); };
    CHECK_THROWS_AS(train(stopped, {.threads = 2, .cancel = cancel}), Cancelled);
    stopped.on_epoch = {};
    stopped.resume = true;
    const Run resumed = train(stopped, {.threads = 2});
    CHECK(test::facts_of(whole.out) == test::facts_of(resumed.directory()));
    stopped.user_profile = "sum";
    expect_error<InvalidArgument>([&] { train(stopped); }, {"users.profile = sum", "mean"});
  }
}

}  // namespace
}  // namespace user_features_test
}  // namespace graft::training
