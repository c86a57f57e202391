#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/core/error.hpp>
#include <graft/io/inter.hpp>
#include <graft/io/npy.hpp>
#include <graft/train/train.hpp>

#include "train/log_file.hpp"
#include "train/run_files.hpp"

#include "../support/files.hpp"
#include "run_bench.hpp"

namespace graft::training {
namespace run_test {
namespace {

using test::bench_data;
using test::bench_options;
using test::expect_error;
using test::kBenchItems;
using test::kBenchUsers;
using test::read_bytes;
using test::TempDir;
using test::train_bench;
using test::write_bytes;
using Json = nlohmann::ordered_json;

TrainOptions resumed(TrainOptions options) {
  options.resume = true;
  return options;
}

std::vector<std::string> keys_of(const Json& json) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  return keys;
}

TEST_CASE("run: the directory holds what the documentation names") {
  const TempDir directory;
  const Run run = train_bench(bench_options(bench_data(directory), directory / "run"));
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(run.directory())) {
    names.insert(entry.path().filename().string());
  }
  CHECK(names == std::set<std::string>{"config.json", "metrics.json", "log.csv", "checkpoint.bin", "report.html",
                                       "user_embeddings.npy", "item_embeddings.npy"});
  const Json metrics = Json::parse(run.metrics_json());
  CHECK(keys_of(metrics) == std::vector<std::string>{"model", "best_epoch", "epochs", "seconds_per_epoch", "stopped",
                                                     "seed", "valid", "test", "groups", "candidates", "catalogue"});
  CHECK(metrics.at("seed") == 999);
  CHECK(metrics.at("test").size() == 16);
  CHECK(keys_of(metrics.at("test"))[0] == "recall@5");
  CHECK(keys_of(metrics.at("test"))[4] == "ndcg@5");
  CHECK(keys_of(metrics.at("groups")) == std::vector<std::string>{"valid", "test"});
  CHECK_FALSE(metrics.at("groups").at("test").at("by_popularity").empty());
  CHECK(metrics.at("catalogue").contains("coverage@20"));
  const Json config = Json::parse(run.config_json());
  CHECK(config.at("settings").at("epochs") == 4);
  CHECK(config.at("data").at("users") == kBenchUsers);
  CHECK(config.at("data").at("train") == kBenchUsers * 7);
  CHECK(config.at("inputs").at(0).at("sha256").get<std::string>().size() == 64);
}

TEST_CASE("run: what is read back is what was trained") {
  const TempDir directory;
  TrainOptions options = bench_options(bench_data(directory), directory / "run");
  std::vector<EpochReport> reports;
  options.on_epoch = [&](const EpochReport& report) { reports.push_back(report); };
  train_bench(options);
  const Run run = Run::open(directory / "run");
  CHECK(run.model() == "bench");
  CHECK(run.epochs() == 4);
  CHECK(run.seconds_per_epoch() > 0.0);
  CHECK(run.user_embeddings().rows() == kBenchUsers);
  CHECK(run.item_embeddings().rows() == kBenchItems);
  REQUIRE(run.log().size() == reports.size());
  for (std::size_t e = 0; e < reports.size(); ++e) {
    CHECK(run.log()[e].epoch == reports[e].epoch);
    CHECK(run.log()[e].loss == reports[e].loss);
    CHECK(run.log()[e].learning_rate == reports[e].learning_rate);
    CHECK(run.log()[e].valid == reports[e].valid);
    CHECK(run.log()[e].test == reports[e].test);
    CHECK(run.log()[e].best == reports[e].best);
  }
  const EpochReport& best = reports[static_cast<std::size_t>(run.best_epoch())];
  CHECK(best.best);
  CHECK(run.valid() == best.valid);
  CHECK(run.test() == best.test);
  const Evaluation evaluation = evaluate(run.user_embeddings(), run.item_embeddings(), options.data);
  CHECK(evaluation.test.metrics == run.test());
}

TEST_CASE("run: recommends the best items that the user does not have") {
  const TempDir directory;
  const auto data = bench_data(directory);
  const Run run = train_bench(bench_options(data, directory / "run"));
  const Interactions train = read_inter(data / "bench.inter");
  const std::vector<std::int32_t> users = {5, 0, 5, kBenchUsers - 1};
  const Ranking ranking = run.recommend(users, 4);
  REQUIRE(ranking.rows() == 4);
  for (std::int64_t row = 0; row < 4; ++row) {
    const auto user = std::int64_t{users[static_cast<std::size_t>(row)]};
    const auto history = train.history(user);
    std::vector<std::pair<double, std::int64_t>> scores;  // exact enough: scores of the toy lie far apart
    for (std::int64_t item = 0; item < kBenchItems; ++item) {
      if (std::find(history.begin(), history.end(), item) != history.end()) continue;
      double score = 0.0;
      for (std::int64_t d = 0; d < run.user_embeddings().cols(); ++d) {
        score +=
            static_cast<double>(run.user_embeddings()(user, d)) * static_cast<double>(run.item_embeddings()(item, d));
      }
      scores.emplace_back(-score, item);
    }
    std::sort(scores.begin(), scores.end());
    REQUIRE(ranking.row_ids(row).size() == 4);
    for (std::size_t place = 0; place < 4; ++place) {
      CHECK(ranking.row_ids(row)[place] == scores[place].second);
      CHECK(static_cast<double>(ranking.row_scores(row)[place]) == doctest::Approx(-scores[place].first).epsilon(1e-5));
    }
  }
  CHECK(run.recommend(users, 1000).row_ids(0).size() == static_cast<std::size_t>(kBenchItems - 7));
  CHECK(run.recommend({}, 3).rows() == 0);
}

TEST_CASE("run: refuses recommendations for strangers and from other data") {
  const TempDir directory;
  const auto data = bench_data(directory);
  const Run run = train_bench(bench_options(data, directory / "run"));
  const auto for_user = [&](std::int32_t user) {
    return [&run, user] { static_cast<void>(run.recommend(std::vector<std::int32_t>{0, user})); };
  };
  expect_error<InvalidArgument>(for_user(kBenchUsers), {"recommend: users[1] = 24", "[0, 23]"});
  expect_error<InvalidArgument>(for_user(-1), {"users[1] = -1"});
  const std::vector<std::int32_t> users = {1};
  expect_error<InvalidArgument>([&] { static_cast<void>(run.recommend(users, 0)); }, {"recommend: k = 0"});
  std::filesystem::rename(data, directory / "moved");
  CHECK_THROWS_AS(static_cast<void>(run.recommend(users)), IoError);
  CHECK(run.recommend(users, 2, directory / "moved").rows() == 1);
  std::string text = read_bytes(directory / "moved" / "bench.inter");
  text.replace(text.find("\t0\n"), 3, "\t2\n");
  write_bytes(directory / "moved" / "bench.inter", text);
  expect_error<FormatError>([&] { static_cast<void>(run.recommend(users, 2, directory / "moved")); },
                            {"recommend: data = ", "moved", "not those that the run was trained on"});
}

TEST_CASE("run: a directory that must not be written is refused") {
  const TempDir directory;
  const auto data = bench_data(directory);
  train_bench(bench_options(data, directory / "run"));
  const std::string before = test::facts_of(directory / "run");
  expect_error<InvalidArgument>([&] { train_bench(bench_options(data, directory / "run")); },
                                {"train: out = ", "run", "holds a run already", "(resume)"});
  CHECK(test::facts_of(directory / "run") == before);
  std::filesystem::create_directory(directory / "notes");
  write_bytes(directory / "notes" / "todo.txt", "x");
  for (const bool resume : {false, true}) {
    TrainOptions options = bench_options(data, directory / "notes");
    options.resume = resume;
    expect_error<InvalidArgument>([&] { train_bench(options); }, {"train: out = ", "notes", "not empty"});
    options.out = directory / "notes" / "todo.txt";
    expect_error<InvalidArgument>([&] { train_bench(options); }, {"todo.txt", "no directory"});
    options.out = "";
    expect_error<InvalidArgument>([&] { train_bench(options); }, {"train: out", "must name a directory"});
  }
  std::filesystem::create_directory(directory / "empty");
  CHECK(train_bench(bench_options(data, directory / "empty")).epochs() == 4);
  CHECK(train_bench(bench_options(data, directory / "a" / "b" / "c")).epochs() == 4);
}

TEST_CASE("run: what cannot be trained is refused before the model and its graphs are made") {
  const TempDir directory;
  const auto data = bench_data(directory);
  TrainOptions options = bench_options(data, directory / "cold");
  options.settings.emplace_back("candidates=cold");
  expect_error<InvalidArgument>([&] { train_bench(options); }, {"candidates", "cold"});
  CHECK(test::bench_controls().models == 0);
  CHECK_FALSE(std::filesystem::exists(options.out));

  options = bench_options(data, directory / "held");
  CHECK_THROWS_AS(train_bench(options, {.throw_at_loss = 8}), test::Killed);
  {
    const detail::FileHandle held = RunFiles(options.out).lock();
    expect_error<InvalidArgument>([&] { train_bench(resumed(options)); }, {"train: out = ", "held", "another process"});
    CHECK(test::bench_controls().models == 0);
  }
  CHECK(train_bench(resumed(options)).epochs() == 4);
}

TEST_CASE("run: resume begins a run that is not there yet, and returns one that has finished") {
  const TempDir directory;
  const TrainOptions options = resumed(bench_options(bench_data(directory), directory / "run"));
  train_bench(options);
  CHECK(test::bench_controls().losses == 4 * test::kBenchBatches);
  const std::string metrics = read_bytes(options.out / "metrics.json");
  CHECK(train_bench(options).epochs() == 4);
  CHECK(test::bench_controls().losses == 0);
  CHECK(read_bytes(options.out / "metrics.json") == metrics);
}

TEST_CASE("run: resume with other options or data is refused with what differs") {
  const TempDir directory;
  const auto data = bench_data(directory);
  const TrainOptions options = resumed(bench_options(data, directory / "run"));
  CHECK_THROWS_AS(train_bench(options, {.cancel_at_loss = 3}), Cancelled);
  const auto with = [&](auto change) {
    return [&options, change] {
      TrainOptions other = options;
      change(other);
      train_bench(other);
    };
  };
  expect_error<InvalidArgument>(with([](TrainOptions& o) { o.settings.emplace_back("learning_rate=0.5"); }),
                                {"train: resume = ", "settings.learning_rate = 0.5, but the run has 0.02"});
  expect_error<InvalidArgument>(with([](TrainOptions& o) { o.seed = 7; }), {"seed = 7, but the run has 999"});
  const Matrix features(kBenchItems, 2);
  write_npy(directory / "extra.npy", features);
  expect_error<InvalidArgument>(with([&](TrainOptions& o) { o.features = {{"extra", directory / "extra.npy"}}; }),
                                {"inputs.features extra = ", "but the run has none"});
  std::string text = read_bytes(data / "bench.inter");
  text.replace(text.find("\t0\n"), 3, "\t2\n");
  write_bytes(data / "bench.inter", text);
  expect_error<InvalidArgument>(with([](TrainOptions&) {}), {"data.split_sha256 = "});
}

TEST_CASE("run: columns that training does not read and a moved directory do not keep a run from going on") {
  const TempDir directory;
  const auto data = bench_data(directory);
  const TrainOptions options = resumed(bench_options(data, directory / "run"));
  CHECK_THROWS_AS(train_bench(options, {.cancel_at_loss = 3}), Cancelled);
  std::string text;
  std::string line;
  for (const char c : read_bytes(data / "bench.inter")) {
    if (c == '\n') line += text.empty() ? "\trating" : "\t5";
    line += c;
    if (c != '\n') continue;
    text += line;
    line.clear();
  }
  std::filesystem::create_directory(directory / "moved");
  write_bytes(directory / "moved" / "bench.inter", text);
  TrainOptions moved = options;
  moved.data = directory / "moved";
  CHECK(train_bench(moved).epochs() == 4);
}

TEST_CASE("run: what is no finished run cannot be opened") {
  const TempDir directory;
  const auto data = bench_data(directory);
  const auto run = directory / "run";
  expect_error<FormatError>([&] { Run::open(directory / "nothing"); }, {"nothing", "holds no run"});
  const TrainOptions options = bench_options(data, run);
  CHECK_THROWS_AS(train_bench(options, {.cancel_at_loss = 3}), Cancelled);
  expect_error<FormatError>([&] { Run::open(run); }, {"run", "not finished", "with resume"});
  CHECK_THROWS_AS(train_bench(resumed(options), {.cancel_at_loss = 12}), Cancelled);
  const Json interrupted = Json::parse(read_bytes(run / "metrics.json"));
  CHECK(interrupted.at("stopped") == "interrupted");
  CHECK(interrupted.at("epochs") == 2);
  CHECK(interrupted.at("valid").contains("recall@20"));
  expect_error<FormatError>([&] { Run::open(run); }, {"run", "not finished", "with resume"});
  train_bench(resumed(options));
  const auto damaged = [&](const char* name, const std::string& bytes) {
    const std::string whole = read_bytes(run / name);
    write_bytes(run / name, bytes);
    const std::string text = test::message_of<FormatError>([&] { Run::open(run); });
    write_bytes(run / name, whole);
    return text;
  };
  CHECK(test::contains(damaged("metrics.json", "{"), {"metrics.json", "JSON object"}));
  CHECK(test::contains(damaged("metrics.json", "[]"), {"metrics.json", "JSON object"}));
  CHECK(test::contains(damaged("metrics.json", "{\"stopped\": \"epochs\"}"), {"not as `graft train` writes them"}));
  CHECK(test::contains(damaged("config.json", "{}"), {"not as `graft train` writes them"}));
  CHECK(test::contains(damaged("user_embeddings.npy", read_bytes(run / "item_embeddings.npy")),
                       {"user_embeddings.npy", "40 rows", "must be 24"}));
  CHECK(test::contains(damaged("log.csv", "epoch,loss\n0,0.5\n1,x\n"), {"log.csv", "line 3", "loss", "number"}));
  CHECK(test::contains(damaged("log.csv", "epoch,loss\n0,0.5,1\n"), {"log.csv", "line 2", "3 cells", "must be 2"}));
  CHECK(test::contains(damaged("log.csv", ""), {"log.csv", "header"}));
  CHECK_NOTHROW(Run::open(run));
}

TEST_CASE("run: a directory with somebody else's config.json is not resumed") {
  const TempDir directory;
  const TrainOptions options = resumed(bench_options(bench_data(directory), directory / "run"));
  std::filesystem::create_directory(options.out);
  write_bytes(options.out / "config.json", "[1]");
  expect_error<FormatError>([&] { train_bench(options); }, {"config.json", "JSON object"});
  write_bytes(options.out / "config.json", R"({"model": "bench", "inputs": [1]})");
  expect_error<FormatError>([&] { train_bench(options); }, {"config.json", "not as `graft train` writes it"});
  write_bytes(options.out / "config.json", R"({"hidden_size": 768})");
  expect_error<InvalidArgument>([&] { train_bench(options); }, {"model = bench, but the run has none"});
}

TEST_CASE("log: doubles are read back as they were, epochs without evaluation without metrics") {
  const TempDir directory;
  EpochReport evaluated{.epoch = 1, .loss = 0.1 + 0.2, .learning_rate = 1e-3, .train_seconds = 1.5};
  for (const char* name : {"recall@5", "recall@20", "ndcg@50", "map@10"}) evaluated.valid[name] = 1.0 / 3.0;
  const std::vector<EpochReport> log = {{.epoch = 0, .loss = 0.7}, evaluated};
  write_log(directory / "log.csv", std::vector<EpochReport>{log[0]});
  append_to_log(directory / "log.csv", log[1]);
  const std::string text = read_bytes(directory / "log.csv");
  CHECK(text.starts_with("epoch,loss,learning_rate,valid_recall@5,valid_recall@10,valid_recall@20,"));
  CHECK(text.find(",test_recall@5,") != std::string::npos);
  CHECK(text.find(",train_seconds,evaluation_seconds\n0,0.7,0,,,") != std::string::npos);
  const std::vector<EpochReport> read = read_log(directory / "log.csv");
  REQUIRE(read.size() == 2);
  CHECK(read[0].valid.empty());
  CHECK_FALSE(read[0].best);
  CHECK(read[1].loss == evaluated.loss);
  CHECK(read[1].valid == evaluated.valid);
  CHECK(read[1].test.empty());
  CHECK(read[1].best);
  CHECK(read[1].train_seconds == 1.5);
  CHECK_THROWS_AS(append_to_log(directory / "other.csv", log[0]), IoError);
}

}  // namespace
}  // namespace run_test
}  // namespace graft::training
