// The memory layout of DLPack's capsules, as its specification gives it (dmlc.github.io/dlpack, C API, version 0.8).
#pragma once

#include <cstdint>

namespace graft::python {

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
  std::int64_t* shape;
  std::int64_t* strides;  ///< in elements; null where rows are contiguous
  std::uint64_t byte_offset;
};

struct DlManagedTensor {
  DlTensor tensor;
  void* manager;
  void (*deleter)(DlManagedTensor* self);
};

}  // namespace graft::python
