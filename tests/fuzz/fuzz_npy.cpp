// Feature matrices: whatever the bytes, read_npy gives a matrix or one of graft's errors, and what it gives is written
// and read again with equal bits. Bytes that do not begin as .npy describe one: npy_bytes.
#include <graft/io/npy.hpp>

#include <algorithm>
#include <bit>

#include "fuzz.hpp"

namespace {

bool equal_bits(const graft::Matrix& a, const graft::Matrix& b) {
  const auto same = [](float x, float y) { return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y); };
  return a.rows() == b.rows() && a.cols() == b.cols() &&
         std::equal(a.values().begin(), a.values().end(), b.values().begin(), b.values().end(), same);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes = graft::fuzz::npy_bytes(graft::fuzz::text_of(data, size));
  graft::Matrix matrix;
  if (!graft::fuzz::accepts([&] { matrix = graft::read_npy(graft::fuzz::input_file(bytes)); })) return 0;
  // The least element has two bytes.
  FUZZ_REQUIRE(matrix.values().size() <= bytes.size() / 2);

  const std::filesystem::path copy = graft::fuzz::output_file("copy.npy");
  graft::write_npy(copy, matrix);
  FUZZ_REQUIRE(equal_bits(graft::read_npy(copy), matrix));
  return 0;
}
