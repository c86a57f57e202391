// The page of a run.
#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <graft/core/graph.hpp>

#include "train/flat_json.hpp"
#include "train/metric_names.hpp"
#include "train/run_record.hpp"

namespace run_report_test {
namespace {

using namespace graft;
using namespace graft::training;

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// The tag that is left open or closes nothing; empty where all tags match.
std::string first_mismatch(const std::string& page) {
  std::vector<std::string> open;
  std::size_t at = page.find("<html");
  while ((at = page.find('<', at)) != std::string::npos) {
    const std::size_t end = page.find('>', at);
    if (end == std::string::npos) return page.substr(at);
    const std::string tag = page.substr(at + 1, end - at - 1);
    at = end;
    if (tag.ends_with('/')) continue;
    if (!tag.starts_with('/')) {
      open.push_back(tag.substr(0, tag.find(' ')));
    } else {
      if (open.empty() || "/" + open.back() != tag) return tag;
      open.pop_back();
    }
  }
  return open.empty() ? "" : open.back();
}

/// 3 users, 4 items.
Dataset small_data() {
  Dataset data;
  data.name = "toy";
  data.users = 3;
  data.items = 4;
  data.train_users = {0, 0, 1, 1, 2};
  data.train_items = {0, 1, 1, 2, 0};
  data.train = Interactions::from_pairs(data.train_users, data.train_items, 3, 4);
  data.valid = {.users = {0}, .offsets = {0, 1}, .items = {2}};
  data.test = {.users = {1, 2}, .offsets = {0, 1, 2}, .items = {3, 1}};
  data.files = {{"interactions", "some/folder/toy.inter", std::string(64, 'a'), 8, 0},
                {"features text", "some/folder/text_feat.npy", std::string(64, 'b'), 4, 16}};
  data.split_sha256 = std::string(64, 'c');
  return data;
}

Metrics metrics_at_20(double recall, double ndcg) { return {{"recall@20", recall}, {"ndcg@20", ndcg}}; }

Graph path_graph() {
  return Graph(4, std::vector<std::int64_t>{0, 1, 3, 5, 6}, std::vector<std::int32_t>{1, 0, 2, 1, 3, 2},
               std::vector<float>{0.1F, 0.2F, 0.3F, 0.4F, 0.5F, 0.6F});
}

RunRecord small_record() {
  RunRecord record;
  record.config = {{"model", "demo"}, {"graph", "refined"}, {"settings", {{"learning_rate", 0.001}, {"epochs", 3}}}};
  record.metrics = {{"model", "demo"}, {"best_epoch", 1}, {"stopped", "patience"}, {"seconds_per_epoch", 0.25}};
  for (std::int64_t e = 0; e < 3; ++e) {
    record.log.push_back({.epoch = e,
                          .loss = 0.5 / static_cast<double>(e + 1),
                          .learning_rate = 0.001,
                          .valid = metrics_at_20(0.1 + 0.01 * static_cast<double>(e), 0.05),
                          .test = metrics_at_20(0.2, 0.07),
                          .best = e == 1});
  }
  record.evaluation.valid.metrics = metrics_at_20(0.1234, 0.0567);
  record.evaluation.test.metrics = metrics_at_20(0.2345, 0.0678);
  record.evaluation.test.by_activity = {{"users with 1 training item", 1, metrics_at_20(0.0312, 0.5)},
                                        {"users with 2 training items", 2, metrics_at_20(0.0421, 0.5)}};
  record.evaluation.test.by_popularity = {{"items never seen in training", 1, metrics_at_20(0.0513, 0.5)}};
  record.evaluation.catalogue = {{"coverage@20", 0.7531}, {"gini@20", 0.4862}};
  record.graphs.push_back({"text", "k nearest by cosine", path_graph()});
  record.notices = {"two rows were left out"};
  return record;
}

TEST_CASE("run_report: shows curves, metrics, groups, catalogue, graphs, notices, data and configuration") {
  const std::string page = run_report(small_record(), small_data());
  for (const std::string_view part :
       {"demo on toy", "Test recall@20", "0.2345", "Validation ndcg@20", "0.0567", "patience", "<polyline",
        "users with 1 training item", "0.0312", "items never seen in training", "0.0513", "0.7531", "0.4862",
        "Item graph: text", "k nearest by cosine", "two rows were left out", "text_feat.npy", "settings.learning_rate",
        "3 users, 4 items"}) {
    CAPTURE(part);
    CHECK(holds(page, part));
  }
  for (const char hash : {'a', 'b', 'c'}) CHECK(holds(page, std::string(64, hash)));
}

TEST_CASE("run_report: names files, not the folders of the machine") {
  CHECK_FALSE(holds(run_report(small_record(), small_data()), "some/folder"));
}

TEST_CASE("run_report: is well-formed and a function of the record") {
  const std::string page = run_report(small_record(), small_data());
  CHECK(first_mismatch(page) == "");
  CHECK(page == run_report(small_record(), small_data(), {.threads = 3}));
  RunRecord other = small_record();
  other.log[2].loss = 0.4;
  CHECK(page != run_report(other, small_data()));
}

TEST_CASE("run_report: text from outside cannot break the page") {
  RunRecord record = small_record();
  record.notices = {"<b>bold</b> & \"more\""};
  record.graphs[0].name = "a<b";
  record.config["settings"]["note"] = "</table>";
  Dataset data = small_data();
  data.name = "x<script>";
  const std::string page = run_report(record, data);
  CHECK(first_mismatch(page) == "");
  CHECK_FALSE(holds(page, "<script"));
  CHECK(holds(page, "&lt;b&gt;bold&lt;/b&gt; &amp; &quot;more&quot;"));
}

TEST_CASE("run_report: a run that ended at once, without test rows or graphs, still has a page") {
  RunRecord record = small_record();
  record.log = {{.epoch = 0, .loss = std::numeric_limits<double>::quiet_NaN(), .valid = metrics_at_20(0.1, 0.1)}};
  record.evaluation.test = {};
  record.evaluation.catalogue = {};
  record.graphs.clear();
  record.notices.clear();
  const std::string page = run_report(record, small_data());
  CHECK(first_mismatch(page) == "");
  CHECK_FALSE(holds(page, "nan"));
  CHECK_FALSE(holds(page, "Notices"));
  record.log.clear();
  record.evaluation = {};
  CHECK(first_mismatch(run_report(record, small_data())) == "");
}

TEST_CASE("run_report: a graph without edges has its section") {
  RunRecord record = small_record();
  record.graphs[0].graph = Graph(4, std::vector<std::int64_t>(5, 0), std::vector<std::int32_t>{}, std::vector<float>{});
  const std::string page = run_report(record, small_data());
  CHECK(first_mismatch(page) == "");
  CHECK(holds(page, "Item graph: text"));
}

TEST_CASE("flat: every value has the path that leads to it") {
  const nlohmann::ordered_json json = {{"b", {{"x", 1}, {"y", "two"}}}, {"a", {true, {{"z", 0.5}}}}};
  const std::vector<std::pair<std::string, std::string>> expected{
      {"b.x", "1"}, {"b.y", "two"}, {"a.0", "true"}, {"a.1.z", "0.5"}};
  CHECK(flat(json) == expected);
}

TEST_CASE("metric names: cutoffs ascend as numbers, recall and ndcg come first") {
  const Metrics metrics{{"map@5", 0}, {"recall@50", 0}, {"recall@5", 0}, {"ndcg@10", 0}, {"precision@5", 0}};
  CHECK(cutoffs_of(metrics) == std::vector<std::int64_t>{5, 10, 50});
  CHECK(measures_of(metrics) == std::vector<std::string>{"recall", "ndcg", "map", "precision"});
  CHECK(main_cutoff(metrics) == 50);
  CHECK(main_cutoff({{"recall@20", 0}, {"recall@50", 0}}) == 20);
  CHECK(main_cutoff({}) == 0);
}

}  // namespace
}  // namespace run_report_test
