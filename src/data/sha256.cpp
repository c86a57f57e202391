#include "sha256.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <vector>

#include <fmt/format.h>

#include <graft/core/error.hpp>
#include <graft/detail/parallel.hpp>

namespace graft::data {
namespace {

constexpr std::array<std::uint32_t, 64> kRound = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

std::uint32_t load_big_endian(const unsigned char* bytes) {
  return (std::uint32_t{bytes[0]} << 24U) | (std::uint32_t{bytes[1]} << 16U) | (std::uint32_t{bytes[2]} << 8U) |
         std::uint32_t{bytes[3]};
}

template <class Integer>
void append_little_endian(Sha256& hash, Integer value) {
  std::array<unsigned char, sizeof(Integer)> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(value >> (8U * i));
  hash.update(bytes.data(), bytes.size());
}

}  // namespace

void Sha256::compress(const unsigned char* block) {
  std::array<std::uint32_t, 64> w{};
  for (std::size_t t = 0; t < 16; ++t) w[t] = load_big_endian(block + 4 * t);
  for (std::size_t t = 16; t < 64; ++t) {
    const std::uint32_t s0 = std::rotr(w[t - 15], 7) ^ std::rotr(w[t - 15], 18) ^ (w[t - 15] >> 3U);
    const std::uint32_t s1 = std::rotr(w[t - 2], 17) ^ std::rotr(w[t - 2], 19) ^ (w[t - 2] >> 10U);
    w[t] = w[t - 16] + s0 + w[t - 7] + s1;
  }
  auto [a, b, c, d, e, f, g, h] = state_;
  for (std::size_t t = 0; t < 64; ++t) {
    const std::uint32_t sum1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const std::uint32_t choice = (e & f) ^ (~e & g);
    const std::uint32_t t1 = h + sum1 + choice + kRound[t] + w[t];
    const std::uint32_t sum0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    const std::uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + sum0 + majority;
  }
  const std::array<std::uint32_t, 8> change{a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < change.size(); ++i) state_[i] += change[i];
}

void Sha256::update(const void* bytes, std::size_t count) {
  const auto* next = static_cast<const unsigned char*>(bytes);
  bytes_ += count;
  while (count > 0) {
    if (buffered_ == 0 && count >= kBlock) {
      compress(next);
      next += kBlock;
      count -= kBlock;
      continue;
    }
    const std::size_t taken = std::min(count, kBlock - buffered_);
    std::memcpy(buffer_.data() + buffered_, next, taken);
    buffered_ += taken;
    next += taken;
    count -= taken;
    if (buffered_ == kBlock) {
      compress(buffer_.data());
      buffered_ = 0;
    }
  }
}

std::string Sha256::finish() {
  const std::uint64_t bits = bytes_ * 8;
  const unsigned char end_mark = 0x80;
  update(&end_mark, 1);
  const std::array<unsigned char, kBlock> zeros{};
  constexpr std::size_t kLengthAt = kBlock - 8;
  update(zeros.data(), (buffered_ <= kLengthAt ? kLengthAt : kBlock + kLengthAt) - buffered_);
  std::array<unsigned char, 8> length{};
  for (std::size_t i = 0; i < length.size(); ++i) length[i] = static_cast<unsigned char>(bits >> (56U - 8U * i));
  update(length.data(), length.size());
  std::string digest;
  for (const std::uint32_t word : state_) digest += fmt::format("{:08x}", word);
  return digest;
}

std::string sha256_of_file(const std::filesystem::path& path, const CancelToken& cancel) {
  constexpr std::size_t kPiece = std::size_t{1} << 20U;
  std::ifstream file(path, std::ios::binary);
  if (!file) throw IoError(detail::message("hash", path.string(), "", "cannot be opened"));
  std::vector<char> piece(kPiece);
  Sha256 hash;
  while (file) {
    detail::throw_if_cancelled(cancel, "hash");
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    hash.update(piece.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad() || !file.eof()) throw IoError(detail::message("hash", path.string(), "", "cannot be read"));
  return hash.finish();
}

std::string sha256_of(const Interactions& interactions) {
  Sha256 hash;
  append_little_endian(hash, static_cast<std::uint64_t>(interactions.items()));
  for (std::int64_t user = 0; user < interactions.users(); ++user) {
    for (const std::int32_t item : interactions.history(user)) {
      append_little_endian(hash, static_cast<std::uint32_t>(user));
      append_little_endian(hash, static_cast<std::uint32_t>(item));
    }
  }
  return hash.finish();
}

}  // namespace graft::data
