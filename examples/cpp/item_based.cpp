// graft inside an item-based recommender that was there before: only its neighbours change.
#include <algorithm>
#include <cstdio>
#include <numeric>
#include <vector>

#include <graft/graft.hpp>

namespace {
/// The existing code. It knows CSR arrays and nothing of graft: an item's score is the weight of its neighbours that
/// the user has.
struct ItemBasedRecommender {
  std::span<const std::int64_t> row_offsets;
  std::span<const std::int32_t> columns;
  std::span<const float> weights;

  [[nodiscard]] std::vector<std::int32_t> recommend(std::span<const std::int32_t> history, std::size_t count) const {
    std::vector<float> scores(row_offsets.size() - 1);
    for (std::size_t item = 0; item < scores.size(); ++item) {
      if (std::ranges::binary_search(history, static_cast<std::int32_t>(item))) continue;
      for (auto edge = static_cast<std::size_t>(row_offsets[item]);
           edge < static_cast<std::size_t>(row_offsets[item + 1]); ++edge) {
        if (std::ranges::binary_search(history, columns[edge])) scores[item] += weights[edge];
      }
    }
    std::vector<std::int32_t> items(scores.size());
    std::iota(items.begin(), items.end(), 0);
    std::ranges::stable_sort(items, std::greater(),
                             [&](std::int32_t item) { return scores[static_cast<std::size_t>(item)]; });
    items.resize(std::min(count, items.size()));
    return items;
  }
};

double recall_at_20(const graft::Graph& graph, const graft::Interactions& train, const graft::Interactions& test) {
  const ItemBasedRecommender recommender{graph.row_offsets(), graph.columns(), graph.weights()};  // no copy
  double sum = 0.0;
  int users = 0;
  for (std::int64_t user = 0; user < test.users(); ++user) {
    if (test.history(user).empty() || train.history(user).empty()) continue;
    const auto hits = std::ranges::count_if(recommender.recommend(train.history(user), 20), [&](std::int32_t item) {
      return std::ranges::binary_search(test.history(user), item);
    });
    sum += static_cast<double>(hits) / static_cast<double>(test.history(user).size());
    ++users;
  }
  return sum / std::max(users, 1);
}

}  // namespace

int main() {
  const auto features = graft::read_npy("text_feat.npy");
  const auto train = graft::read_inter("demo.inter", {.items = features.rows()});
  const auto test = graft::read_inter("demo.inter", {.split = graft::Split::test, .items = features.rows()});
  std::printf("Recall@20: content neighbours %.3f, refined %.3f\n",
              recall_at_20(graft::knn_graph(features, {.k = 10}), train, test),
              recall_at_20(graft::refine(features, train), train, test));
}
