// Graph convolution of features: layer after layer, out = (features + graph * input) * factor.
//
// A warp takes a row and a chunk of columns, and adds the neighbours' vectors in ascending columns, fused: the order is
// part of the contract, and what limits is the memory that the vectors come from, not the arithmetic. All rows of a
// chunk of columns go before the next chunk, so that what is gathered from is as small as it can be.
#include <algorithm>
#include <cstdint>
#include <string>

#include "bad_row.cuh"
#include "entry_points.hpp"
#include "group.cuh"
#include "runtime.hpp"

namespace graft::cuda {
namespace {

constexpr int kWarps = kThreads / kLanes;
/// Neighbours whose vectors are under way at once.
constexpr int kAhead = 4;

/// A block of columns of a matrix.
template <class T>
struct Block {
  T* data;
  std::int64_t stride;
};

template <int kWidth>
struct alignas(kWidth * sizeof(float)) Vector {
  float values[kWidth];
};

template <int kWidth>
__device__ Vector<kWidth> load(const float* from) {
  return *reinterpret_cast<const Vector<kWidth>*>(from);
}

template <int kWidth>
__device__ void add_scaled(Vector<kWidth>& sums, float weight, const Vector<kWidth>& vector) {
#pragma unroll
  for (int v = 0; v < kWidth; ++v) sums.values[v] = __fmaf_rn(weight, vector.values[v], sums.values[v]);
}

template <int kWidth>
__global__ void propagate_rows(seam::DeviceCsr graph, Block<const float> input, Block<const float> features,
                               Block<float> out, std::int64_t columns, float factor) {
  const std::int64_t row = std::int64_t{blockIdx.x} * kWarps + threadIdx.x / kLanes;
  const std::int64_t column = (std::int64_t{blockIdx.y} * kLanes + threadIdx.x % kLanes) * kWidth;
  if (row >= graph.items || column >= columns) return;
  Vector<kWidth> sums{};
  std::int64_t e = graph.row_offsets[row];
  const std::int64_t end = graph.row_offsets[row + 1];
  const auto vector = [&](std::int64_t edge) {
    return load<kWidth>(input.data + graph.columns[edge] * input.stride + column);
  };
  for (; e + kAhead <= end; e += kAhead) {
    Vector<kWidth> vectors[kAhead];
#pragma unroll
    for (int a = 0; a < kAhead; ++a) vectors[a] = vector(e + a);
#pragma unroll
    for (int a = 0; a < kAhead; ++a) add_scaled(sums, graph.weights[e + a], vectors[a]);
  }
  for (; e < end; ++e) add_scaled(sums, graph.weights[e], vector(e));
  const Vector<kWidth> own = load<kWidth>(features.data + row * features.stride + column);
#pragma unroll
  for (int v = 0; v < kWidth; ++v) sums.values[v] = (sums.values[v] + own.values[v]) * factor;
  *reinterpret_cast<Vector<kWidth>*>(out.data + row * out.stride + column) = sums;
}

__global__ void scale_rows(Block<const float> features, std::int64_t rows, std::int64_t columns, float factor,
                           float* out) {
  const std::int64_t place = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (place >= rows * columns) return;
  out[place] = features.data[place / columns * features.stride + place % columns] * factor;
}

__global__ void find_bad_rows(Block<const float> features, std::int64_t rows, std::int64_t columns, BadRow* bad) {
  const std::int64_t row = std::int64_t{blockIdx.x} * kWarps + threadIdx.x / kLanes;
  if (row >= rows) return;
  bool finite = true;
  for (std::int64_t c = threadIdx.x % kLanes; c < columns; c += kLanes) {
    finite &= isfinite(features.data[row * features.stride + c]);
  }
  if (!finite) report_row(bad, row);
}

/// Whether blocks of a matrix that begin at multiples of four columns can be read four at once.
bool aligned(const Block<const float>& block) {
  return reinterpret_cast<std::uintptr_t>(block.data) % 16 == 0 && block.stride % 4 == 0;
}

class PropagateRun {
 public:
  PropagateRun(const seam::Call& call, seam::PropagateCall& task) : task_(task), session_(call), bad_(session_) {}

  void run() {
    wait_for_producer(session_, task_.features);
    session_.tick(0, std::max<std::int64_t>(1, task_.layers));
    if (items() == 0 || dims() == 0) return;
    place_features();
    find_bad_rows<<<blocks_of_rows(), kThreads, 0, stream()>>>(features_, items(), dims(), bad_.data());
    check_launch("find_bad_rows");
    task_.bad_row = bad_.found();
    if (task_.bad_row >= 0) return;
    if (task_.layers == 0) {
      const std::int64_t blocks = blocks_of(items() * dims(), kThreads);
      scale_rows<<<static_cast<unsigned>(blocks), kThreads, 0, stream()>>>(features_, items(), dims(), task_.factor,
                                                                           task_.out);
      check_launch("scale_rows");
    } else {
      run_layers();
    }
    session_.stream().wait();
  }

 private:
  [[nodiscard]] std::int64_t items() const { return task_.graph.items; }
  [[nodiscard]] std::int64_t dims() const { return task_.features.cols; }
  [[nodiscard]] cudaStream_t stream() const { return session_.stream().get(); }
  [[nodiscard]] unsigned blocks_of_rows() const { return static_cast<unsigned>(blocks_of(items(), kWarps)); }

  /// Features of the host are copied, without the padding between their rows.
  void place_features() {
    features_ = {task_.features.data, task_.features.stride};
    if (task_.features.on_device) return;
    copy_ = session_.buffer<float>(items() * dims(), "features");
    const auto width = static_cast<std::size_t>(dims()) * sizeof(float);
    check(cudaMemcpy2DAsync(copy_.data(), width, task_.features.data,
                            static_cast<std::size_t>(task_.features.stride) * sizeof(float), width,
                            static_cast<std::size_t>(items()), cudaMemcpyDefault, stream()),
          "copying to the device");
    features_ = {copy_.data(), dims()};
  }

  /// Blocks of columns, each through all layers: the matrix between two layers is as wide as a block.
  void run_layers() {
    std::int64_t width = dims();
    if (task_.layers > 1) {
      const std::int64_t column_bytes = items() * static_cast<std::int64_t>(sizeof(float));
      const std::int64_t fitting = session_.memory().left() / column_bytes;
      if (fitting < 1) {
        throw Failure(seam::Status::out_of_memory,
                      "a column of the layers between takes " + std::to_string(column_bytes) + " bytes; " +
                          std::to_string(session_.memory().left()) + " are left of the budget");
      }
      if (fitting < width) width = fitting > 4 ? fitting / 4 * 4 : fitting;
      between_ = session_.buffer<float>(items() * width, "the layers between");
    }
    for (std::int64_t begin = 0; begin < dims(); begin += width)
      run_block(begin, std::min(width, dims() - begin), width);
  }

  void run_block(std::int64_t begin, std::int64_t columns, std::int64_t width) {
    const Block<const float> features{features_.data + begin, features_.stride};
    const Block<float> out{task_.out + begin, dims()};
    const Block<float> between{between_.data(), width};
    Block<const float> input = features;
    for (std::int64_t layer = 1; layer <= task_.layers; ++layer) {
      const bool last = layer == task_.layers;
      const Block<float>& target = (task_.layers - layer) % 2 == 0 ? out : between;
      launch(input, features, target, columns, last ? task_.factor : 1.0F);
      input = {target.data, target.stride};
      session_.tick(layer, task_.layers);
    }
  }

  void launch(const Block<const float>& input, const Block<const float>& features, const Block<float>& out,
              std::int64_t columns, float factor) {
    const bool wide = columns % 4 == 0 && aligned(input) && aligned(features) && aligned({out.data, out.stride});
    const std::int64_t chunks = blocks_of(columns, std::int64_t{kLanes} * (wide ? 4 : 1));
    if (chunks > kMostChunks) {
      throw Failure(seam::Status::failed, std::to_string(columns) + " dimensions: a device takes " +
                                              std::to_string(kMostChunks * kLanes) + " at most");
    }
    const dim3 grid(blocks_of_rows(), static_cast<unsigned>(chunks));
    if (wide) {
      propagate_rows<4><<<grid, kThreads, 0, stream()>>>(task_.graph, input, features, out, columns, factor);
    } else {
      propagate_rows<1><<<grid, kThreads, 0, stream()>>>(task_.graph, input, features, out, columns, factor);
    }
    check_launch("propagate_rows");
  }

  static constexpr std::int64_t kMostChunks = 65535;  // of a grid's second dimension

  seam::PropagateCall& task_;
  Session session_;
  BadRowFlag bad_;
  Buffer<float> copy_;
  Buffer<float> between_;
  Block<const float> features_{};
};

}  // namespace

void propagate(const seam::Call& call, seam::PropagateCall& task) { PropagateRun(call, task).run(); }

}  // namespace graft::cuda
