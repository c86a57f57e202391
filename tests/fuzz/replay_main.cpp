// Runs a fuzz target, built without a fuzzer, on every file of the given directories. Fails if there is none; a target
// that finds a broken promise ends the process.
#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz.hpp"

int main(int count, char** arguments) {
  std::vector<std::filesystem::path> inputs;
  for (int a = 1; a < count; ++a) {
    for (const auto& entry : std::filesystem::directory_iterator(arguments[a])) inputs.push_back(entry.path());
  }
  std::sort(inputs.begin(), inputs.end());
  for (const std::filesystem::path& path : inputs) {
    std::cout << path.string() << std::endl;  // flushed: the last line names the input that ends the process
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    FUZZ_REQUIRE(file.good());
    try {
      LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    } catch (const std::exception& error) {
      std::cerr << "throws what is none of graft's exceptions: " << error.what() << '\n';
      return 1;
    }
  }
  std::cout << inputs.size() << " inputs\n";
  return inputs.empty() ? 1 : 0;
}
