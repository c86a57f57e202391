// Graph files: whatever the bytes, load_npz gives a graph or one of graft's errors, and what it gives is a valid graph
// that is written and read again with equal bits and provenance.
//
// Bytes that do not begin as a zip archive describe one, so that no checksum stands between the fuzzer and the arrays:
// for each member a byte that picks the name, one of flags, two of length, and the content, which npy_bytes completes.
#include <graft/io/npz.hpp>

#include <array>
#include <optional>

#include "fuzz.hpp"

namespace {

constexpr std::array<std::string_view, 9> kNames = {"indices.npy", "indptr.npy",  "format.npy",
                                                    "shape.npy",   "data.npy",    "graft_option.npy",
                                                    "graft_.npy",  "graft_b.npy", "other.npy"};
constexpr unsigned kDeflated = 1;
constexpr unsigned kAsIs = 2;

std::string described_archive(std::string_view description) {
  graft::fuzz::Source source(description);
  graft::fuzz::ZipBuilder zip;
  while (!source.empty()) {
    const std::string_view name = kNames[source.number<std::uint8_t>() % kNames.size()];
    const unsigned flags = source.number<std::uint8_t>();
    const std::string_view content = source.take(source.number<std::uint16_t>());
    zip.add(name, (flags & kAsIs) != 0 ? std::string(content) : graft::fuzz::npy_bytes(content),
            (flags & kDeflated) != 0);
  }
  return zip.bytes();
}

std::optional<graft::StoredGraph> load(const std::filesystem::path& path, graft::Unsorted unsorted) {
  std::optional<graft::StoredGraph> stored;
  graft::fuzz::accepts([&] { stored = graft::load_npz_with_provenance(path, unsorted); });
  return stored;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = graft::fuzz::text_of(data, size);
  const std::string bytes = input.starts_with("PK") ? std::string(input) : described_archive(input);
  const std::filesystem::path path = graft::fuzz::input_file(bytes);
  const auto stored = load(path, graft::Unsorted::sort_and_sum);
  const auto strict = load(path, graft::Unsorted::refuse);
  // What is sorted already is not touched.
  if (strict) FUZZ_REQUIRE(stored && strict->graph == stored->graph && strict->provenance == stored->provenance);
  if (!stored) return 0;
  graft::validate(stored->graph);
  FUZZ_REQUIRE(graft::load_npz(path) == stored->graph);

  const std::filesystem::path copy = graft::fuzz::output_file("copy.npz");
  for (const bool compressed : {false, true}) {
    graft::save_npz(copy, stored->graph, stored->provenance, compressed);
    const auto again = load(copy, graft::Unsorted::refuse);
    FUZZ_REQUIRE(again && again->graph == stored->graph && again->provenance == stored->provenance);
  }
  return 0;
}
