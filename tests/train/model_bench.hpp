// What a model test needs: a small data set in memory, the inputs of a model, batches, dense copies.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/core/graph.hpp>
#include <graft/core/interactions.hpp>
#include <graft/core/matrix_view.hpp>

#include "autodiff/backend.hpp"
#include "autodiff/tape.hpp"
#include "train/model.hpp"
#include "train/trainer_settings.hpp"

#include "../support/check.hpp"
#include "../support/random_data.hpp"

namespace graft::test {

/// golden/models.json.
inline const nlohmann::json& model_golden() {
  static const nlohmann::json json = [] {
    const auto path = std::filesystem::path(__FILE__).parent_path().parent_path() / "golden" / "models.json";
    std::ifstream file(path);
    REQUIRE_MESSAGE(file.good(), path.string() << " is missing");
    return nlohmann::json::parse(file);
  }();
  return json;
}

inline Interactions interactions_of(const Dense& matrix) {
  std::vector<std::int32_t> users;
  std::vector<std::int32_t> items;
  for (std::size_t u = 0; u < matrix.size(); ++u) {
    for (std::size_t i = 0; i < matrix[u].size(); ++i) {
      if (matrix[u][i] == 0.0) continue;
      users.push_back(static_cast<std::int32_t>(u));
      items.push_back(static_cast<std::int32_t>(i));
    }
  }
  return Interactions::from_pairs(users, items, static_cast<std::int64_t>(matrix.size()),
                                  static_cast<std::int64_t>(matrix.front().size()));
}

inline Matrix matrix_of(const Dense& rows) {
  std::vector<float> values;
  for (const auto& row : rows) {
    for (const double value : row) values.push_back(static_cast<float>(value));
  }
  return {static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(rows.front().size()), std::move(values)};
}

/// The data that a model is made from, and where it leaves what it makes.
class ModelBench {
 public:
  explicit ModelBench(Interactions interactions)
      : backend(autodiff::cpu_reference_backend()), train(std::move(interactions)), parameters(*backend, 7) {}

  /// Of the worked example: 5 users, 4 items; image is E, text is T.
  static ModelBench worked_example() {
    ModelBench bench(interactions_of(model_golden()["R"].get<Dense>()));
    bench.features["image"] = matrix_of(model_golden()["E"].get<Dense>());
    bench.features["text"] = matrix_of(model_golden()["T"].get<Dense>());
    return bench;
  }

  /// Random interactions with cold items, twins and heavy users; random features of `image` (9) and `text` (5).
  static ModelBench random(std::uint64_t seed, std::int64_t users, std::int64_t items) {
    Random numbers(seed);
    ModelBench bench(draw_interactions(numbers, {.users = users, .items = items, .heavy_users = 1}));
    for (const auto& [name, dims] : std::map<std::string, std::int64_t>{{"image", 9}, {"text", 5}}) {
      const FeatureData data =
          draw_features(numbers, {.kind = Kind::gaussian, .items = items, .dims = dims, .padding = 0});
      bench.features[name] = Matrix(items, dims, data.values);
    }
    return bench;
  }

  /// Defaults of trainer and model with "key=value" on top. Call it before anything that reads settings.
  void set(const training::ModelEntry& entry, const std::vector<std::string>& assignments = {}) {
    settings = training::settings_with(entry, assignments);
  }

  /// Parameters, graphs and notices of an earlier model are left behind.
  training::ModelInputs inputs(training::GraphKind graph = training::GraphKind::vanilla) {
    return {.users = train.users(),
            .items = train.items(),
            .train = train,
            .features = features,
            .similarities = similarities,
            .user_input = user_input,
            .graph = graph,
            .settings = settings,
            .seed = 7,
            .parameters = parameters,
            .graphs = graphs,
            .notices = notices};
  }

  std::unique_ptr<training::Model> make(const training::ModelEntry& entry,
                                        const std::vector<std::string>& assignments = {},
                                        training::GraphKind graph = training::GraphKind::vanilla) {
    set(entry, assignments);
    return entry.make(inputs(graph));
  }

  /// The parameter of a name; a test failure if there is none.
  const autodiff::Parameter& parameter(const std::string& name) {
    for (const autodiff::Parameter& parameter : parameters.all()) {
      if (parameter.name == name) return parameter;
    }
    FAIL("no parameter " << name);
    return parameters.all().front();
  }

  std::vector<std::string> parameter_names() {
    std::vector<std::string> names;
    for (const autodiff::Parameter& parameter : parameters.all()) names.push_back(parameter.name);
    return names;
  }

  [[nodiscard]] Dense dense(const autodiff::Tensor& tensor) const {
    const std::vector<double> values = backend->download(tensor);
    Dense rows;
    for (std::int64_t r = 0; r < tensor.rows(); ++r) {
      const auto begin = values.begin() + r * tensor.cols();
      rows.emplace_back(begin, begin + tensor.cols());
    }
    return rows;
  }
  Dense value(const std::string& name) { return dense(parameter(name).value); }

  std::unique_ptr<autodiff::Backend> backend;
  Interactions train;
  std::map<std::string, Matrix> features;
  std::map<std::string, Graph> similarities;
  training::UserInput user_input;
  training::Settings settings;
  training::ParameterStore parameters;
  std::vector<training::NamedGraph> graphs;
  std::vector<std::string> notices;
};

/// Positives and negatives of a batch, item by item.
struct Triples {
  std::vector<std::int32_t> users;
  std::vector<std::int32_t> positives;
  std::vector<std::int32_t> negatives;

  [[nodiscard]] training::Batch batch(std::int64_t user_count, std::int64_t item_count) const {
    std::vector<std::int32_t> items = positives;
    items.insert(items.end(), negatives.begin(), negatives.end());
    return {.users = autodiff::IndexList::make(users, user_count),
            .items = autodiff::IndexList::make(items, item_count),
            .size = static_cast<std::int64_t>(users.size())};
  }
};

/// Users and items in any combination, repeats among them.
inline Triples random_triples(std::uint64_t seed, std::int64_t users, std::int64_t items, std::int64_t count) {
  Random random(seed);
  Triples triples;
  for (std::int64_t t = 0; t < count; ++t) {
    triples.users.push_back(static_cast<std::int32_t>(draw(random, 0, users - 1)));
    triples.positives.push_back(static_cast<std::int32_t>(draw(random, 0, items - 1)));
    triples.negatives.push_back(static_cast<std::int32_t>(draw(random, 0, items - 1)));
  }
  return triples;
}

inline Dense dense(const autodiff::Csr& csr) {
  Dense rows(static_cast<std::size_t>(csr.rows), std::vector<double>(static_cast<std::size_t>(csr.cols), 0.0));
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (auto e = static_cast<std::size_t>(csr.row_offsets[r]); e < static_cast<std::size_t>(csr.row_offsets[r + 1]);
         ++e) {
      rows[r][static_cast<std::size_t>(csr.columns[e])] = static_cast<double>(csr.weights[e]);
    }
  }
  return rows;
}

}  // namespace graft::test
