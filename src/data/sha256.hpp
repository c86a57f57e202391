// SHA-256, for the hashes of the inputs that a result carries.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include <graft/core/context.hpp>
#include <graft/core/interactions.hpp>

namespace graft::data {

/// SHA-256 of bytes that come in pieces (FIPS 180-4). Not for secrets: nothing is wiped.
class Sha256 {
 public:
  void update(const void* bytes, std::size_t count);
  /// The digest of all bytes so far in lower-case hexadecimal. Ends the computation.
  std::string finish();

 private:
  void compress(const unsigned char* block);

  static constexpr std::size_t kBlock = 64;
  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, kBlock> buffer_{};
  std::size_t buffered_ = 0;
  std::uint64_t bytes_ = 0;
};

/// SHA-256 of a file's bytes. @throws IoError naming the file, Cancelled
std::string sha256_of_file(const std::filesystem::path& path, const CancelToken& cancel);

/// SHA-256 of what the graph depends on: the number of items as a little-endian 64-bit integer, then every distinct
/// pair of the chosen split, ascending by user, then item, as two little-endian 32-bit integers.
std::string sha256_of(const Interactions& interactions);

}  // namespace graft::data
