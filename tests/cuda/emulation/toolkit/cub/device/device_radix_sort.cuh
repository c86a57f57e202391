// cub::DeviceRadixSort for tests/cuda/emulation.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace cub {

struct DeviceRadixSort {
  template <class Key, class Value, class Size>
  static cudaError_t SortPairs(void* workspace, std::size_t& bytes, const Key* keys, Key* sorted_keys,
                               const Value* values, Value* sorted_values, Size count, int begin_bit, int end_bit,
                               cudaStream_t stream) {
    if (workspace == nullptr) {
      bytes = 1;
      return cudaSuccess;
    }
    ::emulation::run_later(stream, [=] {
      const auto part = [&](Size place) {
        return (static_cast<std::uint64_t>(keys[place]) >> begin_bit) &
               ((std::uint64_t{1} << (end_bit - begin_bit)) - 1);
      };
      std::vector<Size> order(static_cast<std::size_t>(count));
      std::iota(order.begin(), order.end(), Size{0});
      std::stable_sort(order.begin(), order.end(), [&](Size a, Size b) { return part(a) < part(b); });
      for (Size place = 0; place < count; ++place) {
        sorted_keys[place] = keys[order[static_cast<std::size_t>(place)]];
        sorted_values[place] = values[order[static_cast<std::size_t>(place)]];
      }
    });
    return cudaSuccess;
  }
};

}  // namespace cub
