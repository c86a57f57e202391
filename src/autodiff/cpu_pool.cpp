#include "autodiff/cpu_pool.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <new>
#include <string>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <graft/core/error.hpp>

namespace graft::autodiff {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20U;

/// Whether a block is large enough for the system's huge pages: a gather from a large table then misses less often.
bool is_large(std::size_t size) { return size >= 2 * kHugePage; }

std::align_val_t alignment(std::size_t size) { return std::align_val_t{is_large(size) ? kHugePage : kLine}; }

std::size_t round_up(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

/// Sizes come in eight steps to the double, so that batches that differ a little share blocks.
std::size_t block_size(std::size_t bytes) {
  constexpr std::size_t kSteps = 8;
  const std::size_t size = round_up(bytes, std::max(kLine, std::bit_floor(bytes) / kSteps));
  return is_large(size) ? round_up(size, kHugePage) : size;
}

void* new_block(std::size_t size) {
  void* block = ::operator new(size, alignment(size), std::nothrow);
#if defined(__linux__)
  if (block != nullptr && is_large(size)) static_cast<void>(::madvise(block, size, MADV_HUGEPAGE));  // only advice
#endif
  return block;
}

void delete_block(void* block, std::size_t size) noexcept { ::operator delete(block, alignment(size)); }

}  // namespace

FloatPool::~FloatPool() { trim(); }

void FloatPool::trim() {
  const std::scoped_lock lock(mutex_);
  for (const auto& [size, blocks] : free_) {
    for (void* block : blocks) delete_block(block, size);
  }
  free_.clear();
}

std::shared_ptr<void> FloatPool::allocate(std::int64_t count) {
  const auto refused = [&] {
    return OutOfMemory(detail::message("allocate", "elements", std::to_string(count),
                                       "the system refused " + std::to_string(count) + " floats; use a smaller batch"));
  };
  if (count > static_cast<std::int64_t>(std::numeric_limits<std::ptrdiff_t>::max() / sizeof(float) / 2)) {
    throw refused();
  }
  std::size_t size = 0;
  void* block = take(static_cast<std::size_t>(count > 0 ? count : 1) * sizeof(float), size);
  if (block == nullptr) throw refused();
  try {
    return {block, [pool = shared_from_this(), size](void* used) { pool->give_back(used, size); }};
  } catch (const std::bad_alloc&) {  // shared_ptr has called the deleter
    throw refused();
  }
}

/// @param[out] size  of the block, at least `bytes`   @return null where the system refuses
void* FloatPool::take(std::size_t bytes, std::size_t& size) {
  size = block_size(bytes);
  {
    const std::scoped_lock lock(mutex_);
    const auto found = free_.lower_bound(size);
    if (found != free_.end() && found->first <= size + size / 4) {
      size = found->first;
      void* block = found->second.back();
      found->second.pop_back();
      if (found->second.empty()) free_.erase(found);
      return block;
    }
  }
  void* block = new_block(size);
  if (block != nullptr) return block;
  trim();
  return new_block(size);
}

void FloatPool::give_back(void* block, std::size_t size) noexcept {
  try {
    const std::scoped_lock lock(mutex_);
    free_[size].push_back(block);
  } catch (...) {  // no memory to note it down
    delete_block(block, size);
  }
}

}  // namespace graft::autodiff
