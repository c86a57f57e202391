// Runs graft's operators for compare.py: loads the inputs once, then times one call a line of standard input.
//
//   graft_compare_worker knn features.npy THREADS
//   graft_compare_worker jaccard|cosine data.inter THREADS
//   graft_compare_worker refine features.npy,data.inter THREADS
//
// Answers every line "run" with the seconds of the call, "save PATH" by writing the last graph, "peak" with the bytes
// of memory that calls needed beyond the inputs.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <string>

#include <graft/graft.hpp>

#include "../limits.hpp"

namespace {

std::function<graft::Graph()> make_job(const std::string& operation, const std::string& input,
                                       const graft::Context& context) {
  if (operation == "knn") {
    return [=, features = graft::read_npy(input)] { return graft::knn_graph(features, {.k = 10}, context); };
  }
  if (operation == "refine") {
    const std::size_t comma = input.find(',');
    graft::Matrix features = graft::read_npy(input.substr(0, comma));
    graft::Interactions train = graft::read_inter(input.substr(comma + 1), {.items = features.rows()});
    return [=, features = std::move(features), train = std::move(train)] {
      return graft::refine(features, train, {}, context);
    };
  }
  graft::JaccardOptions options{.k = 10};
  if (operation == "cosine") options.measure = graft::AudienceMeasure::cosine;
  return [=, train = graft::read_inter(input)] { return graft::jaccard_graph(train, options, context); };
}

int serve(const std::string& operation, const std::string& input, int threads) {
  const std::function<graft::Graph()> job = make_job(operation, input, graft::Context{.threads = threads});
  graft::Graph graph;
  std::cout << "ready" << std::endl;
  graft::benchmarks::reset_peak_memory();
  const double before = graft::benchmarks::peak_memory();
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "run") {
      graph = {};
      const auto begin = std::chrono::steady_clock::now();
      graph = job();
      std::cout << std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() << std::endl;
    } else if (line == "peak") {
      std::cout << graft::benchmarks::peak_memory() - before << std::endl;
    } else if (line.rfind("save ", 0) == 0) {
      graft::save_npz(line.substr(5), graph, {}, false);
      std::cout << "saved" << std::endl;
    } else {
      std::cerr << "graft_compare_worker: unknown request: " << line << "\n";
      return 2;
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: graft_compare_worker knn|jaccard|cosine|refine INPUT THREADS\n";
    return 2;
  }
  try {
    return serve(argv[1], argv[2], std::atoi(argv[3]));
  } catch (const std::exception& error) {
    std::cerr << "graft_compare_worker: " << error.what() << "\n";
    return 1;
  }
}
