// The arrays of a graph that a call makes on the device. They outlive it: the caller releases them.
#pragma once

#include <cstdint>
#include <memory>

#include "runtime.hpp"

namespace graft::cuda {

/// Declare it before the session, whose stream is waited for first when a call fails: what its kernels write is freed
/// last.
class GraphResult {
 public:
  /// Room for the offsets of so many rows.
  void make_offsets(std::int64_t items);
  /// Room for so many edges; one at least, so that the arrays have addresses.
  void make_edges(std::int64_t edges);
  /// Sizes of rows [items], whose end is filled in here, become offsets; then room for that many edges.
  void make_room(Session& session, const Buffer<std::int64_t>& sizes);

  [[nodiscard]] std::int64_t edges() const { return edges_; }
  [[nodiscard]] std::int64_t* offsets() const { return offsets_.get(); }
  [[nodiscard]] std::int32_t* columns() const { return columns_.get(); }
  [[nodiscard]] float* weights() const { return weights_.get(); }

  /// Gives the arrays to a task of the seam.
  template <class Task>
  void hand_over(Task& task) {
    task.edges = edges_;
    task.row_offsets = offsets_.release();
    task.columns = columns_.release();
    task.weights = weights_.release();
  }

 private:
  struct Free {
    void operator()(void* data) const { static_cast<void>(cudaFree(data)); }
  };
  template <class T>
  static std::unique_ptr<T, Free> lasting(std::int64_t size, const char* purpose);

  std::int64_t items_ = 0;
  std::int64_t edges_ = 0;
  std::unique_ptr<std::int64_t, Free> offsets_;
  std::unique_ptr<std::int32_t, Free> columns_;
  std::unique_ptr<float, Free> weights_;
};

/// Sizes of rows, with room for the end that `make_room` fills in.
inline Buffer<std::int64_t> row_sizes(Session& session, std::int64_t items) {
  return session.buffer<std::int64_t>(items + 1, "sizes of rows");
}

}  // namespace graft::cuda
