// Dense matrices in a CUDA device's memory. Their types are not the host's: a host pointer cannot reach a device
// operator by mistake, nor a device pointer the processor.
#pragma once

#include <cstdint>
#include <utility>

#include <graft/core/config.hpp>
#include <graft/core/context.hpp>
#include <graft/core/matrix_view.hpp>
#include <graft/detail/device_array.hpp>

namespace graft {

/// Non-owning row-major float32 matrix on a device. Copies nothing, owns nothing.
class DeviceMatrixView {
 public:
  DeviceMatrixView() = default;

  /// Takes the caller's word that `data` is that device's memory. What fills it may still be queued, on any stream of
  /// the device: operators wait for all of them, unless `filled_on` names the one.
  /// @param stride  elements between the starts of two rows, >= cols
  /// @throws InvalidArgument as MatrixView
  static DeviceMatrixView of_device_memory(const float* data, std::int64_t rows, std::int64_t cols, std::int64_t stride,
                                           int ordinal = 0) {
    static_cast<void>(MatrixView<const float>(data, rows, cols, stride));  // checks
    DeviceMatrixView view;
    view.data_ = data;
    view.rows_ = rows;
    view.cols_ = cols;
    view.stride_ = stride;
    view.ordinal_ = ordinal;
    return view;
  }

  /// The same matrix, filled on this stream (a cudaStream_t): operators wait for what is queued there so far, on the
  /// device, and for nothing else.
  [[nodiscard]] DeviceMatrixView filled_on(void* stream) const {
    DeviceMatrixView view = *this;
    view.stream_known_ = true;
    view.stream_ = stream;
    return view;
  }

  /// Address on the device.
  [[nodiscard]] const float* device_data() const { return data_; }
  [[nodiscard]] bool stream_known() const { return stream_known_; }
  [[nodiscard]] void* stream() const { return stream_; }
  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::int64_t cols() const { return cols_; }
  [[nodiscard]] std::int64_t stride() const { return stride_; }
  [[nodiscard]] int ordinal() const { return ordinal_; }

 private:
  const float* data_ = nullptr;
  std::int64_t rows_ = 0;
  std::int64_t cols_ = 0;
  std::int64_t stride_ = 0;
  int ordinal_ = 0;
  bool stream_known_ = false;
  void* stream_ = nullptr;
};

/// Owning matrix on a device, without padding between rows; move only.
class DeviceMatrix {
 public:
  DeviceMatrix() = default;
  DeviceMatrix(detail::DeviceArray values, std::int64_t rows, std::int64_t cols)
      : values_(std::move(values)), rows_(rows), cols_(cols) {}

  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::int64_t cols() const { return cols_; }
  [[nodiscard]] DeviceMatrixView view() const& {
    return DeviceMatrixView::of_device_memory(static_cast<const float*>(values_.data()), rows_, cols_, cols_,
                                              values_.ordinal());
  }
  DeviceMatrixView view() const&& = delete;  ///< would dangle
  /// Address on the device.
  [[nodiscard]] float* mutable_device_data() & { return static_cast<float*>(values_.data()); }

 private:
  detail::DeviceArray values_;
  std::int64_t rows_ = 0;
  std::int64_t cols_ = 0;
};

/// Copies a matrix to the context's device. @throws BackendUnavailable, OutOfMemory
DeviceMatrix to_device(const MatrixView<const float>& matrix, const Context& context = Context::cuda());

/// Copies a matrix back, into the caller's of the same shape. @throws InvalidArgument (out), BackendUnavailable
void copy_to_host(const DeviceMatrixView& matrix, MatrixView<float> out);

/// Copies a matrix back. @throws BackendUnavailable, OutOfMemory
Matrix to_host(const DeviceMatrixView& matrix);

}  // namespace graft

#ifndef GRAFT_COMPILED
#include <graft/detail/device_memory_impl.hpp>
#endif
