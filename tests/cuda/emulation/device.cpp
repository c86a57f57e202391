// The emulated device: threads as fibers, streams as queues, memory that the host cannot touch.
#include "device.hpp"

#include <boost/context/fiber.hpp>
#include <boost/context/fixedsize_stack.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) (static_cast<void>(address), static_cast<void>(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) (static_cast<void>(address), static_cast<void>(size))
#endif

namespace emulation {
namespace {

namespace context = boost::context;

constexpr unsigned kLanes = 32;
constexpr unsigned kMostThreads = 1024;
/// What memory holds that nothing was written to: odd integers and huge negative floats.
constexpr int kGarbage = 0xCD;
constexpr std::size_t kStackBytes = std::size_t{256} << 10U;

[[noreturn]] void fail(const char* what, const Place& place) {
  std::fprintf(stderr, "emulated kernel: %s (block %u %u, thread %u)\n", what, place.block.x, place.block.y,
               place.thread.x);
  std::abort();
}

// ---- memory -------------------------------------------------------------------------------------------------------

class DeviceMemory {
 public:
  void* allocate(std::size_t bytes) {
    bytes = std::max<std::size_t>(bytes, 1);
    constexpr std::size_t kAlignment = 256;
    void* const data = std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
    std::memset(data, kGarbage, bytes);
    blocks_[static_cast<std::byte*>(data)] = bytes;
    hide(data, bytes);
    return data;
  }

  bool release(void* data) {
    if (data == nullptr) return true;
    const auto found = blocks_.find(static_cast<std::byte*>(data));
    if (found == blocks_.end()) return false;
    ASAN_UNPOISON_MEMORY_REGION(data, rounded(found->second));
    blocks_.erase(found);
    std::free(data);
    return true;
  }

  [[nodiscard]] bool holds(const void* data) const {
    auto after = blocks_.upper_bound(static_cast<std::byte*>(const_cast<void*>(data)));
    if (after == blocks_.begin()) return false;
    --after;
    return data < after->first + after->second;
  }

  /// While the device works, its memory may be read and written, except what lies beyond the end of a block.
  void show() const {
    for (const auto& [data, bytes] : blocks_) ASAN_UNPOISON_MEMORY_REGION(data, bytes);
  }
  void hide() const {
    for (const auto& [data, bytes] : blocks_) hide(data, bytes);
  }

 private:
  static std::size_t rounded(std::size_t bytes) { return (bytes + 255) / 256 * 256; }
  static void hide(void* data, std::size_t bytes) { ASAN_POISON_MEMORY_REGION(data, rounded(bytes)); }

  std::map<std::byte*, std::size_t> blocks_;
};

DeviceMemory& memory() {
  static DeviceMemory the;
  return the;
}

std::recursive_mutex& device_mutex() {
  static std::recursive_mutex the;
  return the;
}

// ---- threads ------------------------------------------------------------------------------------------------------

/// Memory of stacks that ended threads leave to others.
class StackPool {
 public:
  StackPool() = default;
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;
  ~StackPool() {
    for (context::stack_context& stack : free_) context::fixedsize_stack(kStackBytes).deallocate(stack);
  }
  context::stack_context take() {
    if (free_.empty()) return context::fixedsize_stack(kStackBytes).allocate();
    const context::stack_context stack = free_.back();
    free_.pop_back();
    return stack;
  }
  void give_back(const context::stack_context& stack) { free_.push_back(stack); }

 private:
  std::vector<context::stack_context> free_;
};

StackPool& stacks() {
  static StackPool the;
  return the;
}

struct PooledStack {
  context::stack_context allocate() { return stacks().take(); }
  void deallocate(context::stack_context& stack) { stacks().give_back(stack); }
};

enum class State : std::int8_t { ready, waiting, ended };

struct Thread {
  context::fiber fiber;
  Place place;
  State state = State::ready;
  Meeting meeting = Meeting::none;
};

struct Warp {
  std::array<std::uint64_t, kLanes> brought{};
  std::array<std::uint64_t, kLanes> held{};  ///< what the last meeting brought
  unsigned waiting = 0;
};

/// The order in which threads that may run do so: it must not matter.
enum class Order : std::int8_t { oldest, newest, random };

class Block {
 public:
  Block(const Shape& shape, uint3 block, void* shared, const std::function<void()>& body, Order order,
        std::uint32_t seed)
      : threads_(shape.block.x), warps_(shape.block.x / kLanes), order_(order), random_(seed), shared_(shared) {
    if (shape.block.x % kLanes != 0 || shape.block.x > kMostThreads || shape.block.y != 1 || shape.block.z != 1) {
      fail("a shape of blocks that is not supported", {{}, block, shape.block, shape.grid});
    }
    for (unsigned t = 0; t < threads_.size(); ++t) {
      threads_[t].place = {{t, 0, 0}, block, shape.block, shape.grid};
      threads_[t].fiber =
          context::fiber(std::allocator_arg, PooledStack(), [this, t, &body](context::fiber&& scheduler) {
            scheduler_ = std::move(scheduler);
            body();
            threads_[t].state = State::ended;
            return std::move(scheduler_);
          });
      ready_.push_back(t);
    }
  }

  void run() {
    while (!ready_.empty()) {
      current_ = take_ready();
      Thread& thread = threads_[current_];
      thread.fiber = std::move(thread.fiber).resume();
      if (thread.state == State::ended) {
        ++ended_;
        release_block();  // those that wait for the others only
      }
    }
    if (ended_ == threads_.size()) return;
    for (const Thread& thread : threads_) {
      if (thread.state == State::waiting) fail("threads wait for others that never come", thread.place);
    }
  }

  [[nodiscard]] const Thread& current() const { return threads_[current_]; }
  [[nodiscard]] void* shared() const { return shared_; }

  const std::uint64_t* meet_warp(Meeting kind, unsigned mask, std::uint64_t mine) {
    const unsigned lane = current_ % kLanes;
    Warp& warp = warps_[current_ / kLanes];
    if (mask != ~0U) fail("a part of a warp is not supported", current().place);
    warp.brought[lane] = mine;
    threads_[current_].meeting = kind;
    if (++warp.waiting == kLanes) {
      warp.waiting = 0;
      warp.held = warp.brought;
      const unsigned first = current_ / kLanes * kLanes;
      for (unsigned t = first; t < first + kLanes; ++t) {
        if (threads_[t].meeting != kind) fail("lanes meet in different operations", threads_[t].place);
      }
      for (unsigned t = first; t < first + kLanes; ++t) {
        if (t != current_) release(t);
      }
      threads_[current_].meeting = Meeting::none;
      // others may go first
      ready_.push_back(current_);
    } else {
      threads_[current_].state = State::waiting;
    }
    const unsigned self = current_;
    yield();
    return warps_[self / kLanes].held.data();
  }

  bool meet_block(Meeting kind, bool mine) {
    votes_ |= mine;
    ++waiting_;
    threads_[current_].meeting = kind;
    threads_[current_].state = State::waiting;
    release_block();
    yield();
    return held_votes_;
  }

 private:
  void yield() { scheduler_ = std::move(scheduler_).resume(); }

  void release(unsigned thread) {
    threads_[thread].state = State::ready;
    threads_[thread].meeting = Meeting::none;
    ready_.push_back(thread);
  }

  /// A barrier is met when all that have not ended wait at it.
  void release_block() {
    if (waiting_ == 0 || waiting_ + ended_ < threads_.size()) return;
    held_votes_ = votes_;
    votes_ = false;
    waiting_ = 0;
    Meeting kind = Meeting::none;
    for (unsigned t = 0; t < threads_.size(); ++t) {
      if (threads_[t].state != State::waiting) continue;
      if (kind != Meeting::none && threads_[t].meeting != kind)
        fail("threads meet at different barriers", threads_[t].place);
      kind = threads_[t].meeting;
      release(t);
    }
  }

  unsigned take_ready() {
    if (order_ == Order::random) std::swap(ready_[random_() % ready_.size()], ready_.back());
    const unsigned thread = order_ == Order::oldest ? ready_.front() : ready_.back();
    if (order_ == Order::oldest) {
      ready_.pop_front();
    } else {
      ready_.pop_back();
    }
    return thread;
  }

  std::vector<Thread> threads_;
  std::vector<Warp> warps_;
  std::deque<unsigned> ready_;
  Order order_;
  std::minstd_rand random_;
  void* shared_;
  context::fiber scheduler_;
  unsigned current_ = 0;
  std::size_t ended_ = 0;
  std::size_t waiting_ = 0;
  bool votes_ = false;
  bool held_votes_ = false;
};

Block* running = nullptr;

// ---- streams ------------------------------------------------------------------------------------------------------

struct Queue {
  std::deque<std::function<void()>> work;
  std::int64_t done = 0;
  std::int64_t asked = 0;

  void finish(std::int64_t until) {
    while (done < until && !work.empty()) {
      const std::function<void()> next = std::move(work.front());
      work.pop_front();
      next();
      ++done;
    }
  }
};

struct Mark {
  Queue* queue = nullptr;
  std::int64_t place = 0;
};

std::vector<std::unique_ptr<Queue>>& queues() {
  static std::vector<std::unique_ptr<Queue>> the(1);
  if (the[0] == nullptr) the[0] = std::make_unique<Queue>();
  return the;
}

Queue& queue_of(cudaStream_t stream) {
  if (stream == nullptr) return *queues()[0];
  for (const auto& queue : queues()) {
    if (queue.get() == reinterpret_cast<Queue*>(stream)) return *queue;
  }
  return *queues()[0];  // a producer's that the emulation did not make
}

}  // namespace

const Place& here() { return running->current().place; }
void* dynamic_shared_memory() { return running->shared(); }
int lane() { return static_cast<int>(here().thread.x % kLanes); }
const std::uint64_t* meet_warp(Meeting kind, unsigned mask, std::uint64_t mine) {
  return running->meet_warp(kind, mask, mine);
}
bool meet_block(Meeting kind, bool mine) { return running->meet_block(kind, mine); }

void run_later(cudaStream_t stream, std::function<void()> work) {
  const std::scoped_lock lock(device_mutex());
  Queue& queue = queue_of(stream);
  ++queue.asked;
  queue.work.push_back([work = std::move(work)] {
    memory().show();
    work();
    memory().hide();
  });
}

void run_grid(const Shape& shape, const std::function<void()>& thread) {
  static std::uint32_t turn = 0;
  const bool backwards = turn % 2 != 0;
  const auto blocks = static_cast<std::uint64_t>(shape.grid.x) * shape.grid.y;
  const std::unique_ptr<void, decltype(&std::free)> shared(std::malloc(std::max<std::size_t>(shape.shared_bytes, 1)),
                                                           &std::free);
  for (std::uint64_t b = 0; b < blocks; ++b) {
    const std::uint64_t number = backwards ? blocks - 1 - b : b;
    const uint3 place{static_cast<unsigned>(number % shape.grid.x), static_cast<unsigned>(number / shape.grid.x), 0};
    std::memset(shared.get(), kGarbage, shape.shared_bytes);
    ++turn;
    Block block(shape, place, shared.get(), thread, static_cast<Order>(turn % 3), turn);
    running = &block;
    block.run();
  }
  running = nullptr;
}

}  // namespace emulation

// ---- the runtime's functions --------------------------------------------------------------------------------------

using namespace emulation;

namespace {

cudaError_t last_error = cudaSuccess;

cudaError_t answer(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

/// Memory of the host that a copy to the device reads is read at once, as from pageable memory; what a copy from the
/// device writes is written when the stream comes to it.
void copy_later(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch, std::size_t width,
                std::size_t height, cudaStream_t stream) {
  if (width == 0 || height == 0) return;
  std::shared_ptr<std::vector<std::byte>> staged;
  if (!memory().holds(from)) {
    staged = std::make_shared<std::vector<std::byte>>(width * height);
    for (std::size_t row = 0; row < height; ++row) {
      std::memcpy(staged->data() + row * width, static_cast<const std::byte*>(from) + row * from_pitch, width);
    }
    from = staged->data();
    from_pitch = width;
  }
  run_later(stream, [=] {
    for (std::size_t row = 0; row < height; ++row) {
      std::memcpy(static_cast<std::byte*>(to) + row * to_pitch, static_cast<const std::byte*>(from) + row * from_pitch,
                  width);
    }
    static_cast<void>(staged);
  });
}

}  // namespace

cudaError_t cudaGetLastError() {
  const cudaError_t error = last_error;
  last_error = cudaSuccess;
  return error;
}
const char* cudaGetErrorName(cudaError_t error) {
  return error == cudaErrorMemoryAllocation ? "cudaErrorMemoryAllocation" : "an emulated error";
}
const char* cudaGetErrorString(cudaError_t error) { return cudaGetErrorName(error); }
cudaError_t cudaDriverGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) { return answer(device == 0 ? cudaSuccess : cudaErrorInvalidDevice); }
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int /*device*/) {
  constexpr int kCacheBytes = 1 << 20;
  *value = attribute == cudaDevAttrL2CacheSize ? kCacheBytes : 2;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int /*device*/) {
  *properties = {};
  std::snprintf(properties->name, sizeof(properties->name), "an emulated device");
  properties->major = 9;
  properties->totalGlobalMem = std::size_t{1} << 30U;
  return cudaSuccess;
}
cudaError_t cudaDeviceSynchronize() {
  const std::scoped_lock lock(device_mutex());
  for (const auto& queue : queues()) queue->finish(queue->asked);
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned /*flags*/) {
  const std::scoped_lock lock(device_mutex());
  queues().push_back(std::make_unique<Queue>());
  *stream = reinterpret_cast<cudaStream_t>(queues().back().get());
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const std::scoped_lock lock(device_mutex());
  Queue& queue = queue_of(stream);
  queue.finish(queue.asked);
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const std::scoped_lock lock(device_mutex());
  Queue& queue = queue_of(stream);
  queue.finish(queue.asked);
  std::erase_if(queues(), [&](const auto& held) { return held.get() == &queue; });
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned /*flags*/) {
  const Mark mark = *reinterpret_cast<Mark*>(event);
  run_later(stream, [mark] { mark.queue->finish(mark.place); });
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned /*flags*/) {
  *event = reinterpret_cast<cudaEvent_t>(new Mark);
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const std::scoped_lock lock(device_mutex());
  Queue& queue = queue_of(stream);
  *reinterpret_cast<Mark*>(event) = {&queue, queue.asked};
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const std::scoped_lock lock(device_mutex());
  const Mark mark = *reinterpret_cast<Mark*>(event);
  if (mark.queue != nullptr) mark.queue->finish(mark.place);
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete reinterpret_cast<Mark*>(event);
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** data, std::size_t bytes) {
  const std::scoped_lock lock(device_mutex());
  *data = memory().allocate(bytes);
  return cudaSuccess;
}
cudaError_t cudaFree(void* data) {
  const std::scoped_lock lock(device_mutex());
  return answer(memory().release(data) ? cudaSuccess : cudaErrorInvalidValue);
}
cudaError_t cudaMallocAsync(void** data, std::size_t bytes, cudaStream_t /*stream*/) { return cudaMalloc(data, bytes); }
cudaError_t cudaFreeAsync(void* data, cudaStream_t stream) {
  run_later(stream, [data] { memory().release(data); });
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* data, int value, std::size_t bytes, cudaStream_t stream) {
  run_later(stream, [=] { std::memset(data, value, bytes); });
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind /*kind*/,
                            cudaStream_t stream) {
  copy_later(to, bytes, from, bytes, bytes, 1, stream);
  return cudaSuccess;
}
cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch,
                              std::size_t width, size_t height, cudaMemcpyKind /*kind*/, cudaStream_t stream) {
  if (width > to_pitch || width > from_pitch) return answer(cudaErrorInvalidValue);
  copy_later(to, to_pitch, from, from_pitch, width, height, stream);
  return cudaSuccess;
}
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  cudaMemcpyAsync(to, from, bytes, kind, nullptr);
  return cudaStreamSynchronize(nullptr);
}
