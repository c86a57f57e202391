// The model that docs/adding-a-model.md shows: the text of the guide is the code that is compiled and checked here.
#include <doctest/doctest.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "train/model.hpp"

#include "../support/check.hpp"
#include "../support/files.hpp"
#include "gradient_check.hpp"
#include "model_bench.hpp"
#include "models/biased_factors.cpp"  // NOLINT(bugprone-suspicious-include): as it would lie in src/models

namespace graft::test {

namespace biased_factors_test {
namespace {

TEST_CASE("biased_factors: a score is the product of the vectors plus the bias of the item") {
  ModelBench bench = ModelBench::random(21, 14, 11);
  const auto model = bench.make(training::models::biased_factors_model(), {"embedding_size=3"});
  const std::vector<double> biases{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  bench.backend->upload(bench.parameter("item_biases").value, biases);
  autodiff::Tape tape(*bench.backend);
  const training::Representations all = model->represent(tape);
  const Dense scores = bench.dense(tape.evaluate(matmul_transposed(all.users, all.items)));
  const Dense users = bench.value("users");
  const Dense items = bench.value("items");
  for (std::size_t u = 0; u < users.size(); ++u) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      double expected = biases[i];
      for (std::size_t d = 0; d < 3; ++d) expected += users[u][d] * items[i][d];
      CHECK(scores[u][i] == doctest::Approx(expected));
    }
  }
}

TEST_CASE("biased_factors: gradients") {
  ModelBench bench = ModelBench::random(21, 14, 11);
  const auto model = bench.make(training::models::biased_factors_model(), {"embedding_size=3", "reg_weight=0.2"});
  const training::Batch batch = random_triples(22, 14, 11, 9).batch(14, 11);
  CHECK(gradient_difference(*bench.backend, bench.parameters.all(),
                            [&](autodiff::Tape& tape) { return model->loss(tape, batch); }) == "");
}

TEST_CASE("docs/adding-a-model.md shows the file that is compiled here") {
  const std::filesystem::path tests = std::filesystem::path(__FILE__).parent_path();
  const std::string code = read_bytes(tests / "models" / "biased_factors.cpp");
  const std::string guide = read_bytes(tests.parent_path().parent_path() / "docs" / "adding-a-model.md");
  CHECK(contains(guide, {("```cpp\n" + code + "```\n").c_str()}));
}

}  // namespace
}  // namespace biased_factors_test
}  // namespace graft::test
