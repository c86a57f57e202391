// Memory of a CUDA device, owned from the host side of the seam.
#pragma once

#include <cstdint>
#include <utility>

#include <graft/detail/cuda_seam.hpp>

namespace graft::detail {

/// Bytes on a device; move only.
class DeviceArray {
 public:
  DeviceArray() = default;
  DeviceArray(const cuda::Table& table, std::int32_t ordinal, void* data)
      : table_(&table), ordinal_(ordinal), data_(data) {}
  DeviceArray(DeviceArray&& other) noexcept { swap(other); }
  DeviceArray& operator=(DeviceArray&& other) noexcept {
    DeviceArray(std::move(other)).swap(*this);
    return *this;
  }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  ~DeviceArray() {
    if (data_ != nullptr) table_->release(ordinal_, data_);
  }

  [[nodiscard]] void* data() const { return data_; }
  [[nodiscard]] int ordinal() const { return ordinal_; }

 private:
  void swap(DeviceArray& other) noexcept {
    std::swap(table_, other.table_);
    std::swap(ordinal_, other.ordinal_);
    std::swap(data_, other.data_);
  }

  const cuda::Table* table_ = nullptr;
  std::int32_t ordinal_ = 0;
  void* data_ = nullptr;
};

}  // namespace graft::detail
