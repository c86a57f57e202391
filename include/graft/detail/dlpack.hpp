// The memory layout that DLPack fixes for tensors that cross libraries (dmlc.github.io/dlpack, C API, version 0.x).
#pragma once

#include <cstdint>

namespace graft::detail {

inline constexpr std::int32_t kDlCpu = 1;
inline constexpr std::int32_t kDlCudaHost = 3;
inline constexpr std::uint8_t kDlFloat = 2;

struct DlDevice {
  std::int32_t type;
  std::int32_t ordinal;
};

struct DlType {
  std::uint8_t code;
  std::uint8_t bits;
  std::uint16_t lanes;
};

struct DlTensor {
  void* data;
  DlDevice device;
  std::int32_t dimensions;
  DlType type;
  const std::int64_t* shape;
  const std::int64_t* strides;  ///< in elements; null: row-major without gaps
  std::uint64_t byte_offset;
};

/// What a capsule named "dltensor" points to; a tensor is its first member.
struct DlManagedTensor {
  DlTensor tensor;
  void* manager;
  void (*deleter)(DlManagedTensor* self);
};

}  // namespace graft::detail
