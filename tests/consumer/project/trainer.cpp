// Trains on a dataset directory and recommends: what a program outside graft does with the trainer.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <vector>

#include <graft/train/train.hpp>

int main() {
  const std::filesystem::path directory = std::filesystem::current_path() / "consumer_data" / "toy";
  std::filesystem::remove_all(directory.parent_path());
  std::filesystem::create_directories(directory);
  {
    std::ofstream file(directory / "toy.inter");
    file << "userID\titemID\tx_label\n";
    for (int user = 0; user < 20; ++user) {
      for (int step = 0; step < 5; ++step) file << user << '\t' << (user + step) % 20 << '\t' << step / 3 << '\n';
    }
  }
  const graft::Run run = graft::train({.model = "lightgcn",
                                       .data = directory,
                                       .out = directory.parent_path() / "run",
                                       .settings = {"epochs=2", "embedding_size=8"}});
  const std::vector<std::int32_t> users{3};
  const graft::Ranking best = run.recommend(users, 5);
  std::printf("%s: %lld epochs, %zu recommendations\n", run.model().c_str(), static_cast<long long>(run.epochs()),
              best.ids.size());
  return best.ids.size() == 5 ? 0 : 1;
}
