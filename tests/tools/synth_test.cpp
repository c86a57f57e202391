#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <graft/detail/checked.hpp>
#include <graft/graft.hpp>

#include "data/sha256.hpp"
#include "data/split.hpp"
#include "data/synth.hpp"
#include "support/check.hpp"
#include "support/files.hpp"

namespace graft::data {
namespace synth_test {
namespace {

namespace fs = std::filesystem;
using detail::as_size;
using test::expect_error;
using test::read_bytes;
using test::TempDir;

SynthOptions small_shop(std::uint64_t seed) {
  SynthOptions options;
  options.seed = seed;
  return checked_synth_options(options);
}

SynthOptions sized(std::int64_t users, std::int64_t items, std::int64_t interactions) {
  SynthOptions options;
  options.users = users;
  options.items = items;
  options.interactions = interactions;
  options.text_dims = 8;
  options.image_dims = 0;
  return options;
}

std::vector<std::int64_t> counts_of(const std::vector<std::int32_t>& ids, std::int64_t size) {
  std::vector<std::int64_t> counts(as_size(size), 0);
  for (const std::int32_t id : ids) ++counts[static_cast<std::size_t>(id)];
  return counts;
}

/// Totals, ids, order, repeats and labels, as promised.
void check_table(const InterTable& table, const SynthOptions& options) {
  REQUIRE(static_cast<std::int64_t>(table.users.size()) == options.interactions);
  REQUIRE(table.items.size() == table.users.size());
  REQUIRE(table.labels.size() == table.users.size());
  CHECK(table.user_count == options.users);
  CHECK(table.item_count == options.items);
  CHECK(table.has_labels);
  CHECK(std::is_sorted(table.users.begin(), table.users.end()));
  std::set<std::pair<std::int32_t, std::int32_t>> pairs;
  for (std::size_t row = 0; row < table.users.size(); ++row) {
    REQUIRE(table.items[row] >= 0);
    REQUIRE(table.items[row] < options.items);
    pairs.emplace(table.users[row], table.items[row]);
  }
  CHECK(pairs.size() == table.users.size());
  const std::vector<std::int64_t> histories = counts_of(table.users, options.users);
  const std::vector<std::int64_t> audiences = counts_of(table.items, options.items);
  CHECK(*std::min_element(histories.begin(), histories.end()) >=
        std::min<std::int64_t>(5, options.interactions / options.users));
  CHECK(*std::min_element(audiences.begin(), audiences.end()) >=
        std::min<std::int64_t>(5, options.interactions / options.items));
  std::size_t row = 0;
  std::int64_t train = 0;
  for (const std::int64_t history : histories) {
    const SplitCounts counts = per_user_counts(history);
    train += counts.train;
    for (std::int64_t place = 0; place < history; ++place, ++row) {
      Split expected = Split::train;
      if (place >= counts.train) expected = Split::valid;
      if (place >= counts.train + counts.valid) expected = Split::test;
      REQUIRE(table.labels[row] == expected);
    }
  }
  CHECK(table.split_rows[0] == train);
  CHECK(table.split_rows[0] + table.split_rows[1] + table.split_rows[2] == options.interactions);
}

TEST_CASE("synth_interactions: exact totals, no pair twice, least histories and audiences, labels by the rule") {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    CAPTURE(seed);
    const SynthOptions options = small_shop(seed);
    check_table(synth_interactions(plant_items(options)), options);
  }
}

TEST_CASE("synth_interactions: totals hold in odd shapes too") {
  const std::int64_t shapes[][3] = {{1, 1, 1},     {1, 50, 50},     {50, 1, 50},     {40, 30, 1200},  {40, 30, 1199},
                                    {40, 30, 40},  {7, 300, 300},   {300, 7, 300},   {100, 100, 100}, {100, 3, 250},
                                    {3, 100, 250}, {60, 900, 60},   {200, 200, 201}, {64, 40, 1500},  {2, 500, 999},
                                    {500, 2, 501}, {1000, 50, 5000}};
  for (const auto& shape : shapes) {
    for (const double noise : {0.0, 0.3, 1.0}) {
      SynthOptions options = sized(shape[0], shape[1], shape[2]);
      options.noise = noise;
      CAPTURE(options.users);
      CAPTURE(options.items);
      CAPTURE(options.interactions);
      options = checked_synth_options(options);
      check_table(synth_interactions(plant_items(options)), options);
    }
  }
}

/// Share of all interactions that the largest `part` of the counts hold.
double head_share(std::vector<std::int64_t> counts, double part) {
  std::sort(counts.begin(), counts.end(), std::greater<>());
  const auto head = static_cast<std::ptrdiff_t>(part * static_cast<double>(counts.size()));
  const auto sum = [](auto begin, auto end) {
    return static_cast<double>(std::accumulate(begin, end, std::int64_t{0}));
  };
  return sum(counts.begin(), counts.begin() + head) / sum(counts.begin(), counts.end());
}

TEST_CASE("synth_interactions: popularity and activity have heavy tails") {
  const SynthOptions options = checked_synth_options(sized(4000, 2000, 40'000));
  const InterTable table = synth_interactions(plant_items(options));
  const std::vector<std::int64_t> audiences = counts_of(table.items, options.items);
  const std::vector<std::int64_t> histories = counts_of(table.users, options.users);
  CHECK(*std::max_element(audiences.begin(), audiences.end()) > 8 * options.interactions / options.items);
  CHECK(*std::max_element(histories.begin(), histories.end()) > 8 * options.interactions / options.users);
  CHECK(head_share(audiences, 0.1) > 0.3);
  CHECK(head_share(histories, 0.1) > 0.25);

  SynthOptions noise = options;
  noise.noise = 1.0;
  const InterTable even = synth_interactions(plant_items(noise));
  CHECK(head_share(counts_of(even.items, noise.items), 0.1) < 0.16);
}

TEST_CASE("synth_interactions: noise follows no taste") {
  // share of a user's pairs of items that are of one cluster
  const auto same_cluster = [](double noise) {
    SynthOptions options = small_shop(4);
    options.noise = noise;
    const SynthItems planted = plant_items(options);
    const InterTable table = synth_interactions(planted);
    std::int64_t same = 0;
    std::int64_t pairs = 0;
    for (std::size_t row = 1; row < table.users.size(); ++row) {
      if (table.users[row] != table.users[row - 1]) continue;
      ++pairs;
      same += planted.cluster_of[static_cast<std::size_t>(table.items[row])] ==
                      planted.cluster_of[static_cast<std::size_t>(table.items[row - 1])]
                  ? 1
                  : 0;
    }
    return static_cast<double>(same) / static_cast<double>(pairs);
  };
  const double tasteful = same_cluster(0.0);
  const double half = same_cluster(0.5);
  const double random = same_cluster(1.0);
  CHECK(tasteful > 0.5);
  CHECK(half < tasteful - 0.15);
  CHECK(random < 0.15);  // 12 clusters
}

TEST_CASE("plant_items: families are parts of clusters, no cluster is empty, slots agree with items") {
  for (const std::int64_t clusters : {1, 2, 12, 100, 599, 600}) {
    CAPTURE(clusters);
    SynthOptions options = sized(800, 600, 8000);
    options.clusters = clusters;
    const SynthItems planted = plant_items(checked_synth_options(options));
    REQUIRE(planted.cluster_begin.size() == as_size(clusters) + 1);
    CHECK(planted.cluster_begin.back() == options.items);
    CHECK(planted.family_begin.back() == options.items);
    for (std::size_t c = 0; c < as_size(clusters); ++c) CHECK(planted.cluster_begin[c] < planted.cluster_begin[c + 1]);
    std::vector<std::int64_t> seen(as_size(options.items), 0);
    for (std::int64_t family = 0; family < planted.families(); ++family) {
      const std::int64_t begin = planted.family_begin[as_size(family)];
      const std::int64_t end = planted.family_begin[as_size(family) + 1];
      CHECK(end - begin >= 1);
      CHECK(end - begin <= 20);
      const std::int32_t cluster = planted.cluster_of_family[as_size(family)];
      CHECK(begin >= planted.cluster_begin[static_cast<std::size_t>(cluster)]);
      CHECK(end <= planted.cluster_begin[static_cast<std::size_t>(cluster) + 1]);
      for (std::int64_t slot = begin; slot < end; ++slot) {
        const auto item = static_cast<std::size_t>(planted.item_at[as_size(slot)]);
        ++seen[item];
        CHECK(planted.family_of[item] == family);
        CHECK(planted.cluster_of[item] == cluster);
      }
    }
    CHECK(std::all_of(seen.begin(), seen.end(), [](std::int64_t times) { return times == 1; }));
  }
}

TEST_CASE("plant_items: bridges join 2 or 3 items of different clusters, as many items as asked") {
  const SynthItems planted = plant_items(small_shop(1));
  std::int64_t bridged = 0;
  for (std::size_t bridge = 0; bridge < planted.bridge_items.size(); ++bridge) {
    const auto& items = planted.bridge_items[bridge];
    CHECK((items.size() == 2 || items.size() == 3));
    std::set<std::int32_t> clusters;
    for (const std::int32_t item : items) {
      clusters.insert(planted.cluster_of[static_cast<std::size_t>(item)]);
      CHECK(planted.bridge_of[static_cast<std::size_t>(item)] == static_cast<std::int32_t>(bridge));
    }
    CHECK(clusters.size() == items.size());
    bridged += static_cast<std::int64_t>(items.size());
  }
  CHECK(bridged >= 170);  // of 0.3 * 600, but for a few that find no partner
  CHECK(bridged <= 180);
  CHECK(std::count(planted.bridge_of.begin(), planted.bridge_of.end(), -1) == 600 - bridged);

  SynthOptions one_cluster = small_shop(1);
  one_cluster.clusters = 1;
  CHECK(plant_items(one_cluster).bridge_items.empty());
  SynthOptions none = small_shop(1);
  none.bridges = 0.0;
  CHECK(plant_items(none).bridge_items.empty());
}

double cosine(const Matrix& features, std::int64_t a, std::int64_t b) {
  double dot = 0.0;
  for (std::int64_t d = 0; d < features.cols(); ++d) {
    dot += static_cast<double>(features.view().row(a)[d]) * static_cast<double>(features.view().row(b)[d]);
  }
  return dot;
}

/// Medians of the cosines of items whose features do not lie.
struct Cosines {
  double family;
  double cluster;
  double apart;
};

Cosines median_cosines(const SynthItems& planted, const Matrix& features, const std::vector<std::uint8_t>& noisy) {
  std::vector<double> family;
  std::vector<double> cluster;
  std::vector<double> apart;
  for (std::int32_t a = 0; a < 150; ++a) {
    for (std::int32_t b = 0; b < a; ++b) {
      const auto [i, j] = std::pair(static_cast<std::size_t>(a), static_cast<std::size_t>(b));
      if (noisy[i] != 0 || noisy[j] != 0) continue;
      const bool same_family = planted.family_of[i] == planted.family_of[j];
      const bool same_cluster = planted.cluster_of[i] == planted.cluster_of[j];
      std::vector<double>& unrelated = same_cluster ? cluster : apart;
      (same_family ? family : unrelated).push_back(cosine(features, a, b));
    }
  }
  const auto median = [](std::vector<double>& values) {
    REQUIRE(values.size() > 20);
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  };
  return {median(family), median(cluster), median(apart)};
}

TEST_CASE("synth_features: unit vectors, near within a family, less so within a cluster, far elsewhere") {
  const SynthItems planted = plant_items(small_shop(5));
  const Matrix text = synth_features(planted, SynthModality::text);
  REQUIRE(text.rows() == 600);
  REQUIRE(text.cols() == 384);
  for (std::int64_t item = 0; item < text.rows(); ++item) {
    CHECK(cosine(text, item, item) == doctest::Approx(1.0).epsilon(1e-5));
  }
  const Cosines of_text = median_cosines(planted, text, planted.noisy_text);
  CHECK(of_text.family == doctest::Approx(0.775).epsilon(0.04));
  CHECK(of_text.cluster == doctest::Approx(0.425).epsilon(0.08));
  CHECK(of_text.apart == doctest::Approx(0.09).epsilon(0.3));

  const Matrix image = synth_features(planted, SynthModality::image);
  CHECK(image.cols() == 128);
  const Cosines of_image = median_cosines(planted, image, planted.noisy_image);
  CHECK(of_image.family - of_image.cluster < 0.6 * (of_text.family - of_text.cluster));  // a weaker signal
  CHECK(of_image.family - of_image.cluster > 0.05);
  CHECK(of_image.cluster - of_image.apart > 0.1);
}

TEST_CASE("synth_features: noisy items are as many as asked and have wrong neighbours below a sensible threshold") {
  SynthOptions options = small_shop(6);
  options.items = 3000;
  options.interactions = 20'000;
  options.clusters = 27;
  const SynthItems planted = plant_items(checked_synth_options(options));
  CHECK(std::count(planted.noisy_text.begin(), planted.noisy_text.end(), 1) == 600);
  CHECK(std::count(planted.noisy_image.begin(), planted.noisy_image.end(), 1) == 600);
  CHECK(planted.noisy_text != planted.noisy_image);
  const Graph neighbours = knn_graph(synth_features(planted, SynthModality::text), {.k = 10});
  std::int64_t edges = 0;
  std::int64_t wrong = 0;
  std::int64_t below = 0;
  for (std::int32_t item = 0; item < 3000; ++item) {
    if (planted.noisy_text[static_cast<std::size_t>(item)] == 0) continue;
    for (std::size_t e = 0; e < neighbours.row_columns(item).size(); ++e) {
      const auto other = static_cast<std::size_t>(neighbours.row_columns(item)[e]);
      ++edges;
      wrong += planted.family_of[other] != planted.family_of[static_cast<std::size_t>(item)] ? 1 : 0;
      below += neighbours.row_weights(item)[e] < 0.5F ? 1 : 0;
    }
  }
  REQUIRE(edges == 6000);
  CHECK(wrong > 5900);
  CHECK(below > 5000);
}

TEST_CASE("synth_truth: families with weight 1, bridges with weight 2, both directions, no loops") {
  const SynthItems planted = plant_items(small_shop(2));
  const Graph truth = synth_truth(planted);
  REQUIRE(truth.items() == 600);
  std::int64_t expected = 0;
  for (std::int32_t a = 0; a < 600; ++a) {
    for (std::int32_t b = 0; b < 600; ++b) {
      const auto [i, j] = std::pair(static_cast<std::size_t>(a), static_cast<std::size_t>(b));
      const bool family = a != b && planted.family_of[i] == planted.family_of[j];
      const bool bridge = a != b && planted.bridge_of[i] >= 0 && planted.bridge_of[i] == planted.bridge_of[j];
      REQUIRE_FALSE((family && bridge));
      const float weight = test::weight_of(truth, a, b);
      if (!family && !bridge) {
        REQUIRE(std::isnan(weight));
        continue;
      }
      ++expected;
      REQUIRE(weight == (family ? kFamilyWeight : kBridgeWeight));
    }
  }
  CHECK(truth.edges() == expected);
}

struct Found {
  double precision = 0.0;
  double recall = 0.0;
  double bridge_recall = 0.0;
};

Found compare(const Graph& graph, const Graph& truth) {
  std::int64_t hits = 0;
  std::int64_t bridge_hits = 0;
  for (std::int64_t row = 0; row < truth.items(); ++row) {
    for (const std::int32_t column : graph.row_columns(row)) {
      const float weight = test::weight_of(truth, row, column);
      if (std::isnan(weight)) continue;
      ++hits;
      bridge_hits += weight == kBridgeWeight ? 1 : 0;
    }
  }
  const std::int64_t bridges = std::count(truth.weights().begin(), truth.weights().end(), kBridgeWeight);
  const auto share = [](std::int64_t part, std::int64_t whole) {
    return static_cast<double>(part) / static_cast<double>(whole);
  };
  return {share(hits, graph.edges()), share(hits, truth.edges()), share(bridge_hits, bridges)};
}

TEST_CASE("synth: a threshold finds the false edges, common audiences find the missing ones") {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    CAPTURE(seed);
    const SynthItems planted = plant_items(small_shop(seed));
    const Graph truth = synth_truth(planted);
    const Matrix text = synth_features(planted, SynthModality::text);
    const Interactions train = interactions_of(synth_interactions(planted), {.items = planted.options.items});
    const Graph neighbours = knn_graph(text, {.k = 10});
    const Graph denoised = threshold(neighbours, 0.5F);
    const Graph refined = refine(text, train, {.knn_k = 10, .threshold = 0.5F, .jaccard_k = 10});

    const Found plain = compare(neighbours, truth);
    const Found kept = compare(denoised, truth);
    const Found enhanced = compare(refined, truth);
    CAPTURE(plain.precision);
    CAPTURE(kept.precision);
    CAPTURE(plain.recall);
    CAPTURE(enhanced.recall);
    CHECK(plain.precision < 0.8);
    CHECK(kept.precision > plain.precision + 0.07);
    CHECK(kept.recall > plain.recall - 0.01);
    CHECK(enhanced.recall > kept.recall + 0.07);
    CHECK(plain.bridge_recall < 0.05);
    CHECK(kept.bridge_recall < 0.05);
    CHECK(enhanced.bridge_recall > 0.7);
  }
}

/// Name -> bytes of every file.
std::map<std::string, std::string> contents(const fs::path& directory) {
  std::map<std::string, std::string> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    files[entry.path().filename().string()] = read_bytes(entry.path());
  }
  return files;
}

TEST_CASE("write_synth_dataset: the same options give the same bytes on any number of threads, another seed others") {
  const TempDir folder;
  for (const char* name : {"one", "four", "again", "seed"}) fs::create_directory(folder / name);
  SynthOptions options = sized(6000, 3000, 45'000);  // several tasks of users and of items
  options.image_dims = 4;
  write_synth_dataset(folder / "one" / "shop", options, {.threads = 1});
  write_synth_dataset(folder / "again" / "shop", options, {.threads = 1});
  write_synth_dataset(folder / "four" / "shop", options, {.threads = 4});
  options.seed = 2;
  write_synth_dataset(folder / "seed" / "shop", options, {.threads = 4});
  const auto one = contents(folder / "one" / "shop");
  CHECK(one.size() == 7);
  CHECK((one == contents(folder / "again" / "shop")));
  CHECK((one == contents(folder / "four" / "shop")));
  for (const auto& [name, bytes] : contents(folder / "seed" / "shop")) {
    INFO(name);
    CHECK((bytes != one.at(name)));
  }
}

TEST_CASE("write_synth_dataset: the bytes are those of every machine and compiler") {
  const TempDir folder;
  SynthOptions options = sized(60, 40, 500);
  options.image_dims = 3;
  write_synth_dataset(folder / "tiny", options);
  CHECK(sha256_of_file(folder / "tiny" / "tiny.inter", {}) ==
        "9ef9c3c18e13bbcedb0120d8e106cc9a7a6eaabb718261f224ce4dc742e513b9");
  CHECK(sha256_of_file(folder / "tiny" / "text_feat.npy", {}) ==
        "449485bc786d38d8f8c1c2e6256dab322b7432dfa69266dbe92bf73c74455622");
  CHECK(sha256_of_file(folder / "tiny" / "image_feat.npy", {}) ==
        "27de126f610a6fa5a288acc86b3c6f444e4f4ada57ac3f6ee15da3bf941fa41a");
  CHECK(sha256_of_file(folder / "tiny" / "planted.tsv", {}) ==
        "c20a75e8a330ec0b1f792b8b9db1711de4ce1b5c1948e65f8f96bae49d23f716");
}

TEST_CASE("write_synth_dataset: the files are what the library's readers take, and the summary counts them") {
  const TempDir folder;
  const fs::path out = folder / "shop";
  const SynthSummary summary = write_synth_dataset(out, small_shop(1));
  CHECK(contents(out).size() == 7);
  CHECK(summary.files.size() == 6);
  const InterTable table = read_inter_table(out / "shop.inter");
  check_table(table, summary.options);
  CHECK(table.split_rows == std::array<std::int64_t, 3>{summary.train, summary.valid, summary.test});
  const SynthItems planted = plant_items(summary.options);
  const Matrix text = read_npy(out / "text_feat.npy");
  const Matrix expected = synth_features(planted, SynthModality::text);
  REQUIRE(text.rows() == expected.rows());
  CHECK(std::equal(expected.view().row(0), expected.view().row(0) + expected.rows() * expected.cols(),
                   text.view().row(0)));
  const StoredGraph truth = load_npz_with_provenance(out / "truth.npz");
  CHECK(truth.graph == synth_truth(planted));
  CHECK(truth.provenance.at("operator") == "prepare synth");
  CHECK(summary.content_edges + summary.bridge_edges == truth.graph.edges());
  CHECK(summary.noisy_text_items == 120);
  const auto audiences = counts_of(table.items, table.item_count);
  CHECK(summary.largest_audience == *std::max_element(audiences.begin(), audiences.end()));
  CHECK(read_bytes(out / "dataset.json") == synth_description(summary));
}

TEST_CASE("write_synth_dataset: a cancelled run leaves nothing, whenever it is stopped") {
  const TempDir folder;
  std::set<std::string> stopped_in;
  for (const char* operation : {"synth text", "synth image", "synth interactions", ""}) {
    Context context;
    context.threads = 1;  // every part takes longer than the pause between two calls of progress
    context.progress = [&](const Progress& progress) {
      if (progress.operation != std::string(operation)) return;
      stopped_in.insert(operation);
      context.cancel.cancel();
    };
    if (std::string(operation).empty()) context.cancel.cancel();
    SynthOptions options = synth_options_of_shape("electronics");
    options.text_dims = 128;
    CHECK_THROWS_AS(write_synth_dataset(folder / "shop", options, context), Cancelled);
    CHECK(folder.entries() == 0);
  }
  CHECK(stopped_in.size() == 3);
}

TEST_CASE("write_synth_dataset: a directory with files is refused before any work") {
  const TempDir folder;
  fs::create_directory(folder / "shop");
  test::write_bytes(folder / "shop" / "mine", "mine");
  expect_error<IoError>([&] { write_synth_dataset(folder / "shop", small_shop(1)); },
                        {"prepare synth: ", "shop: exists and is not empty"});
  CHECK(contents(folder / "shop").size() == 1);
}

TEST_CASE("synth options: every value that cannot be is refused by name") {
  const auto refused = [](const std::function<void(SynthOptions&)>& change, std::initializer_list<const char*> parts) {
    SynthOptions options;
    change(options);
    expect_error<InvalidArgument>([&] { checked_synth_options(options); }, parts);
  };
  constexpr std::int64_t kTooMany = std::numeric_limits<std::int32_t>::max();
  refused([](SynthOptions& o) { o.users = 0; }, {"synth: users = 0"});
  refused([](SynthOptions& o) { o.items = 0; }, {"synth: items = 0"});
  refused([](SynthOptions& o) { o.items = -1; }, {"synth: items = -1"});
  refused([](SynthOptions& o) { o.items = kTooMany; }, {"synth: items = 2147483647", "2147483646"});
  refused([](SynthOptions& o) { o.users = kTooMany; }, {"synth: users = 2147483647"});
  refused([](SynthOptions& o) { o.items = kTooMany - 1; }, {"synth: items = 2147483646", "for so few interactions"});
  refused([](SynthOptions& o) { o.interactions = 799; }, {"synth: interactions = 799", ">= 800"});
  refused([](SynthOptions& o) { o.interactions = 480'001; }, {"synth: interactions = 480001", "<= 480000"});
  refused([](SynthOptions& o) { o.clusters = 601; }, {"synth: clusters = 601", "[1, 600]"});
  refused([](SynthOptions& o) { o.clusters = -1; }, {"synth: clusters = -1"});
  refused([](SynthOptions& o) { o.text_dims = 0; }, {"synth: text_dims = 0"});
  refused([](SynthOptions& o) { o.image_dims = -1; }, {"synth: image_dims = -1"});
  refused([](SynthOptions& o) { o.noise = 1.01; }, {"synth: noise = 1.01", "[0, 1]"});
  refused([](SynthOptions& o) { o.noise = std::nan(""); }, {"synth: noise = nan"});
  refused([](SynthOptions& o) { o.noisy_items = -0.1; }, {"synth: noisy_items = -0.1"});
  refused([](SynthOptions& o) { o.bridges = 2.0; }, {"synth: bridges = 2"});
  expect_error<InvalidArgument>([] { synth_options_of_shape("toys"); },
                                {"synth: shape = toys", "demo, baby, sports, clothing, electronics"});
}

TEST_CASE("synth shapes: the sizes are those of the sets they are named for") {
  const auto sizes = [](const char* name) {
    const SynthOptions options = checked_synth_options(synth_options_of_shape(name));
    return std::vector<std::int64_t>{options.users, options.items, options.interactions, options.clusters};
  };
  CHECK(sizes("demo") == std::vector<std::int64_t>{800, 600, 8000, 12});
  CHECK(sizes("baby") == std::vector<std::int64_t>{19445, 7050, 160792, 41});
  CHECK(sizes("sports") == std::vector<std::int64_t>{35598, 18357, 296337, 67});
  CHECK(sizes("clothing") == std::vector<std::int64_t>{39387, 23033, 278677, 75});
  CHECK(sizes("electronics") == std::vector<std::int64_t>{192403, 63001, 1689188, 125});
}

}  // namespace
}  // namespace synth_test
}  // namespace graft::data
