// Storage of the CPU backend's matrices: kept when it is given back, and given out again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace graft::autodiff {

/// Hands out blocks of floats, aligned to cache lines. Steps of training ask for the same sizes, or nearly, over and
/// over: a block that was used before costs neither a system call nor page faults.
class FloatPool : public std::enable_shared_from_this<FloatPool> {
 public:
  FloatPool() = default;
  FloatPool(const FloatPool&) = delete;
  FloatPool& operator=(const FloatPool&) = delete;
  FloatPool(FloatPool&&) = delete;
  FloatPool& operator=(FloatPool&&) = delete;
  ~FloatPool();

  /// The block returns to the pool, which lives as long as any of them, with the last owner. @throws OutOfMemory
  std::shared_ptr<void> allocate(std::int64_t count);
  /// Gives blocks that nobody uses back to the system.
  void trim();

 private:
  void* take(std::size_t bytes, std::size_t& size);
  void give_back(void* block, std::size_t size) noexcept;

  std::mutex mutex_;
  std::map<std::size_t, std::vector<void*>> free_;  ///< by size in bytes
};

}  // namespace graft::autodiff
