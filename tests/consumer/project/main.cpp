// The worked example of the documentation: 5 users, 4 items, k = 2, threshold 0.5, no self loops.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

#include <graft/graft.hpp>

int main() {
  const graft::Matrix features(4, 3, {2, 0, 0, 4, 3, 0, 3, 4, 0, 0, 3, 4});
  const std::vector<std::int32_t> users{0, 0, 0, 1, 1, 1, 2, 3, 4, 4};
  const std::vector<std::int32_t> items{0, 1, 2, 0, 1, 2, 1, 1, 1, 3};
  const auto train = graft::Interactions::from_pairs(users, items);

  const auto graph = graft::knn_graph(features, {.k = 2, .min_similarity = 0.5F, .weights = graft::Weights::binary}) |
                     graft::add(graft::jaccard_graph(train, {.k = 2})) |
                     graft::normalize(graft::Normalization::symmetric);

  const std::vector<std::int32_t> columns{1, 2, 0, 2, 0, 1, 1};
  const std::vector<float> weights{0.453743F, 0.588235F, 0.453743F, 0.453743F, 0.588235F, 0.453743F, 0.267261F};
  bool equal = graph.items() == 4 && graph.edges() == static_cast<std::int64_t>(columns.size());
  for (std::size_t edge = 0; equal && edge < columns.size(); ++edge) {
    equal = graph.columns()[edge] == columns[edge] && std::fabs(graph.weights()[edge] - weights[edge]) < 2e-6F;
  }
  std::printf("graft %s, %s kernels: %s\n", graft::kVersion, graft::name(graft::resolve_numeric_path()),
              equal ? "as expected" : "NOT the golden graph");
  return equal ? 0 : 1;
}
