// Narrowing, in one place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>

namespace graft::detail {

/// Largest number of items or users: ids are std::int32_t.
inline constexpr std::int64_t kMaxNodes = std::numeric_limits<std::int32_t>::max();

/// A non-negative 64-bit size as std::size_t.
constexpr std::size_t as_size(std::int64_t value) { return static_cast<std::size_t>(value); }

/// An id that was already checked to lie in [0, kMaxNodes].
constexpr std::int32_t as_id(std::int64_t value) { return static_cast<std::int32_t>(value); }

/// @throws InvalidArgument unless 0 <= nodes <= kMaxNodes
inline void check_node_count(const char* operation, const char* argument, std::int64_t nodes) {
  if (nodes < 0 || nodes > kMaxNodes) {
    throw InvalidArgument(message(operation, argument, std::to_string(nodes), "must lie in [0, 2147483647]"));
  }
}

/// @throws InvalidArgument unless k >= 1
inline void check_k(const char* operation, std::int64_t k) {
  if (k < 1) throw InvalidArgument(message(operation, "k", std::to_string(k), "must be >= 1"));
}

/// A vector of `size` value-initialised elements; a refusal of the system becomes OutOfMemory.
template <class T>
std::vector<T> make_vector(const char* operation, std::int64_t size) {
  try {
    return std::vector<T>(as_size(size));
  } catch (const std::exception&) {  // bad_alloc or length_error
    throw OutOfMemory(message(operation, "memory", std::to_string(size) + " elements",
                              "the system refused " + std::to_string(size) + " * " + std::to_string(sizeof(T)) +
                                  " bytes; use fewer rows at once (row_range) or a smaller k"));
  }
}

/// saturating a + b for sizes
constexpr std::int64_t saturating_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::int64_t>::max() : sum;
}

/// saturating a * b for sizes
constexpr std::int64_t saturating_multiply(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? std::numeric_limits<std::int64_t>::max() : product;
}

}  // namespace graft::detail
