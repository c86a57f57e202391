// From item features and interactions to refined item embeddings, ready for a recommender.
#include <cstdio>

#include <graft/graft.hpp>

int main() {
  const auto features = graft::read_npy("text_feat.npy");
  const auto train = graft::read_inter("demo.inter", {.items = features.rows()});

  const auto graph = graft::refine(features, train, {.knn_k = 10, .threshold = 0.5F, .jaccard_k = 10});
  const auto embeddings = graft::propagate(graph, features, 1, graft::Aggregation::sum);

  graft::save_npz("graph.npz", graph);
  graft::write_npy("embeddings.npy", embeddings);
  std::printf("%lld items, %lld edges\n", static_cast<long long>(graph.items()), static_cast<long long>(graph.edges()));
}
