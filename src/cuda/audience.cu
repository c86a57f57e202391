// The k items whose audiences overlap a row's most: counts of common users, exact order, one division a weight.
//
// The measures are those of the processor (audience_measures.hpp), compiled for the device: the same integers, the same
// comparisons of fractions, the same division. Counts are sums of ones, so the order of the increments is nobody's.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include <graft/detail/audience_measures.hpp>

#include "audience_plan.hpp"
#include "entry_points.hpp"
#include "group.cuh"
#include "running_top.cuh"
#include "runtime.hpp"

namespace graft::cuda {
namespace {

namespace measures = graft::detail;

constexpr int kSmallThreads = 64;
/// Columns counted at once by a block: 64 KiB of counters, so that any device of compute capability 8 holds one block.
constexpr int kCounterColumns = 16384;
/// Entries of a large row's list that lie in shared memory, beside the counters.
constexpr int kMostSharedEntries = 2048;

/// A column of a row; count 0 is none.
struct Entry {
  std::int32_t count;
  std::int32_t degree;
  std::int32_t column;
};
__device__ constexpr Entry no_entry() { return {0, 0, 0}; }

struct Arguments {
  std::int64_t users;
  std::int64_t items;
  const std::int64_t* user_offsets;
  const std::int32_t* user_items;
  const std::int64_t* item_offsets;
  const std::int32_t* item_users;
  std::int64_t k;
  std::int64_t min_support;
  Self self;
  Identical identical;
  std::int64_t first_item;         ///< of the chunk
  const std::int64_t* row_places;  ///< [rows of the chunk + 1]: where a row's edges go
  std::int32_t* columns;
  float* weights;
  std::int32_t* counts;

  [[nodiscard]] __device__ std::int32_t degree(std::int64_t item) const {
    return static_cast<std::int32_t>(item_offsets[item + 1] - item_offsets[item]);
  }
};

/// Whether a ranks strictly before b in a row of this degree.
template <class Measure>
struct RankBefore {
  std::int32_t degree;
  std::int64_t users;
  __device__ bool operator()(const Entry& a, const Entry& b) const {
    if (a.count == 0 || b.count == 0) return a.count > b.count;
    const auto key_a = Measure::key(a.count, degree, a.degree, users);
    const auto key_b = Measure::key(b.count, degree, b.degree, users);
    if (Measure::before(key_a, key_b)) return true;
    return !Measure::before(key_b, key_a) && a.column < b.column;
  }
};

struct ColumnBefore {
  __device__ bool operator()(const Entry& a, const Entry& b) const {
    if (a.count == 0 || b.count == 0) return a.count > b.count;
    return a.column < b.column;
  }
};

/// A row at work: what its threads all know.
template <class Measure>
struct Row {
  const Arguments& a;
  std::int64_t row;  ///< of the chunk
  std::int64_t item;
  std::int32_t degree;
  bool with_self;       // after degree, which decides it
  std::int64_t places;  ///< for other items

  __device__ Row(const Arguments& arguments, std::int64_t chunk_row)
      : a(arguments),
        row(chunk_row),
        item(arguments.first_item + chunk_row),
        degree(arguments.degree(item)),
        with_self(keeps_self()),
        places(min(a.k - (with_self ? 1 : 0), a.items)) {}

  [[nodiscard]] __device__ bool keeps_self() const {
    if (a.identical == Identical::reference) return degree == 1 && a.min_support == 1;
    return a.self == Self::keep && degree >= 1 && degree >= a.min_support &&
           Measure::score(degree, degree, degree, a.users) != measures::kNoEdge;
  }

  /// Whether a counted column may be an edge.
  [[nodiscard]] __device__ bool accepts(const Entry& entry) const {
    if (places == 0 || entry.column == item || entry.count < a.min_support) return false;
    const int twin = a.identical == Identical::reference ? 2 : 1;  // least audience of a dropped pair
    const bool same = entry.count == degree && entry.count == entry.degree;
    if (a.identical != Identical::keep && same && entry.count >= twin) return false;
    return Measure::score(entry.count, degree, entry.degree, a.users) >= 0.0F;
  }

  [[nodiscard]] __device__ float weight(const Entry& entry) const {
    if (a.identical == Identical::reference && degree == 1 && entry.degree == 1) return measures::kSingleUserJaccard;
    return Measure::weight(entry.count, degree, entry.degree, a.users);
  }

  [[nodiscard]] __device__ RankBefore<Measure> order() const { return {degree, a.users}; }

  /// Calls visit(column) for every item in [begin, end) of every user of the row's audience: a user a warp.
  template <class Visit>
  __device__ void walk(std::int64_t begin, std::int64_t end, const Visit& visit) const {
    const int warp = static_cast<int>(threadIdx.x) / kLanes;
    const int warps = static_cast<int>(blockDim.x) / kLanes;
    const std::int64_t first = a.item_offsets[item];
    const bool all = begin == 0 && end == a.items;
    for (int u = warp; u < degree; u += warps) {
      const std::int32_t user = a.item_users[first + u];
      std::int64_t from = a.user_offsets[user];
      const std::int64_t to = a.user_offsets[user + 1];
      if (!all) from = first_from(from, to, begin);
      for (std::int64_t e = from + WarpGroup::rank(); e < to; e += kLanes) {
        const std::int32_t column = a.user_items[e];
        if (column >= end) break;  // histories ascend
        visit(column);
      }
    }
  }

  /// Place of the first item of a history that is not below `least`.
  [[nodiscard]] __device__ std::int64_t first_from(std::int64_t low, std::int64_t high, std::int64_t least) const {
    while (low < high) {
      const std::int64_t middle = low + (high - low) / 2;
      if (a.user_items[middle] < least) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /// Ends the row: `count` entries, unsorted, with room for one more and up to the next power of two.
  template <class Group>
  __device__ void write(Entry* entries, int count) const {
    pad<Group>(entries, count);
    sort_entries<Group>(entries, power_of_two_from(count), order());
    if (count > places) count = static_cast<int>(places);
    Group::sync();
    if (with_self) {
      if (Group::rank() == 0) entries[count] = {degree, degree, static_cast<std::int32_t>(item)};
      ++count;
    }
    Group::sync();
    pad<Group>(entries, count);
    sort_entries<Group>(entries, power_of_two_from(count), ColumnBefore{});
    const std::int64_t place = a.row_places[row];
    for (int e = Group::rank(); e < count; e += Group::kThreads) {
      a.columns[place + e] = entries[e].column;
      a.weights[place + e] = weight(entries[e]);
    }
    if (Group::rank() == 0) a.counts[row] = count;
    Group::sync();  // the entries are read: the next row may come
  }

 private:
  template <class Group>
  static __device__ void pad(Entry* entries, int count) {
    const int size = power_of_two_from(count);
    for (int e = count + Group::rank(); e < size; e += Group::kThreads) entries[e] = no_entry();
  }
};

/// Rows of cost up to kTable / 2: at most half of the table is taken, so probing ends soon. A block a row.
template <class Measure, int kTable, int kBlockThreads>
__global__ void __launch_bounds__(kBlockThreads) hashed_kernel(Arguments a, const std::int32_t* rows) {
  using Group = BlockGroup<kBlockThreads>;
  static_assert((kTable & (kTable - 1)) == 0);
  constexpr std::int32_t kFree = -1;
  __shared__ std::int32_t keys[kTable];
  __shared__ std::int32_t counts[kTable];
  __shared__ Entry entries[kTable / 2];
  __shared__ int size;
  const Row<Measure> row(a, rows[blockIdx.x]);
  for (int slot = Group::rank(); slot < kTable; slot += kBlockThreads) {
    keys[slot] = kFree;
    counts[slot] = 0;
  }
  if (Group::rank() == 0) size = 0;
  Group::sync();
  row.walk(0, a.items, [&](std::int32_t column) {
    constexpr std::uint32_t kGolden = 2654435761U;
    std::uint32_t slot = (static_cast<std::uint32_t>(column) * kGolden >> 16U) & (kTable - 1);
    while (true) {
      const std::int32_t held = atomicCAS(&keys[slot], kFree, column);
      if (held == kFree || held == column) break;
      slot = (slot + 1) & (kTable - 1);
    }
    atomicAdd(&counts[slot], 1);
  });
  Group::sync();
  for (int slot = Group::rank(); slot < kTable; slot += kBlockThreads) {
    if (keys[slot] == kFree) continue;
    const Entry entry{counts[slot], a.degree(keys[slot]), keys[slot]};
    if (row.accepts(entry)) entries[atomicAdd(&size, 1)] = entry;
  }
  Group::sync();
  row.template write<Group>(entries, size);
}

/// Rows of any cost: a counter a column, kCounterColumns at once, and a running list of the best. A block takes one row
/// after the other.
/// @param lists  [blocks * capacity] where the list does not fit beside the counters, else null
template <class Measure>
__global__ void __launch_bounds__(kThreads)
    counted_kernel(Arguments a, const std::int32_t* rows, int row_count, Entry* lists, int capacity) {
  using Group = BlockGroup<kThreads>;
  extern __shared__ std::int32_t shared[];
  std::int32_t* const counters = shared;
  Entry* const entries = lists != nullptr ? lists + std::int64_t{blockIdx.x} * capacity
                                          : reinterpret_cast<Entry*>(shared + kCounterColumns);
  for (int c = Group::rank(); c < kCounterColumns; c += kThreads) counters[c] = 0;
  for (int r = static_cast<int>(blockIdx.x); r < row_count; r += static_cast<int>(gridDim.x)) {
    const Row<Measure> row(a, rows[r]);
    RunningTop<Group, Entry, RankBefore<Measure>> top{.entries = entries,
                                                      .scratch = entries,
                                                      .capacity = capacity,
                                                      .places = static_cast<int>(row.places),
                                                      .before = row.order(),
                                                      .empty = no_entry(),
                                                      .bar = no_entry()};
    for (std::int64_t begin = 0; begin < a.items; begin += kCounterColumns) {
      const std::int64_t end = begin + kCounterColumns < a.items ? begin + kCounterColumns : a.items;
      Group::sync();  // the counters are clear
      row.walk(begin, end, [&](std::int32_t column) { atomicAdd(&counters[column - begin], 1); });
      Group::sync();
      const int width = static_cast<int>(end - begin);
      for (int first = 0; first < width; first += kThreads) {
        const int c = first + Group::rank();
        Entry entry = no_entry();
        if (c < width && counters[c] != 0) {
          const std::int64_t column = begin + c;
          entry = {counters[c], a.degree(column), static_cast<std::int32_t>(column)};
          counters[c] = 0;
        }
        const bool take = entry.count != 0 && row.accepts(entry) && top.before(entry, top.bar);
        if (!Group::any(take)) continue;
        top.offer(take, entry);
      }
    }
    Group::sync();
    row.template write<Group>(entries, top.count);
  }
}

class AudienceRun {
 public:
  AudienceRun(const seam::Call& call, const seam::AudienceCall& task)
      : task_(task), ordinal_(call.ordinal), session_(call), rows_(task.row_end - task.row_begin) {}

  void run() {
    if (rows_ == 0) return;
    upload();
    // half of what is left is for the edges of a chunk, the rest for lists
    constexpr std::int64_t kEdgeBytes = 8;
    const std::int64_t most_edges = std::max<std::int64_t>(1, session_.memory().left() / 2 / kEdgeBytes);
    for (std::int64_t begin = 0; begin < rows_;) {
      const std::int64_t end = chunk_end(task_.row_cost, task_.row_capacity, begin, rows_, most_edges);
      run_chunk(begin, end);
      begin = end;
      session_.tick(begin, rows_);
    }
  }

 private:
  void upload() {
    const std::int64_t size = task_.item_offsets[task_.items];
    user_offsets_ = session_.buffer<std::int64_t>(task_.users + 1, "interactions");
    user_items_ = session_.buffer<std::int32_t>(size, "interactions");
    item_offsets_ = session_.buffer<std::int64_t>(task_.items + 1, "interactions");
    item_users_ = session_.buffer<std::int32_t>(size, "interactions");
    user_offsets_.upload(task_.user_offsets, task_.users + 1);
    user_items_.upload(task_.user_items, size);
    item_offsets_.upload(task_.item_offsets, task_.items + 1);
    item_users_.upload(task_.item_users, size);
  }

  /// Rows [begin, end) of the call.
  void run_chunk(std::int64_t begin, std::int64_t end) {
    const std::int64_t rows = end - begin;
    const std::int64_t first_edge = task_.row_capacity[begin];
    const std::int64_t edges = task_.row_capacity[end] - first_edge;
    std::vector<std::int64_t> places(task_.row_capacity + begin, task_.row_capacity + end + 1);
    for (std::int64_t& place : places) place -= first_edge;
    const auto row_places = session_.buffer<std::int64_t>(rows + 1, "places of edges");
    const auto columns = session_.buffer<std::int32_t>(edges, "edges");
    const auto weights = session_.buffer<float>(edges, "edges");
    const auto counts = session_.buffer<std::int32_t>(rows, "sizes of rows");
    row_places.upload(places.data(), rows + 1);
    // rows that cost nothing are in no bin; and what no row writes is copied back, too
    counts.fill_bytes(0);
    columns.fill_bytes(0);
    weights.fill_bytes(0);
    const Arguments arguments{.users = task_.users,
                              .items = task_.items,
                              .user_offsets = user_offsets_.data(),
                              .user_items = user_items_.data(),
                              .item_offsets = item_offsets_.data(),
                              .item_users = item_users_.data(),
                              .k = task_.k,
                              .min_support = task_.min_support,
                              .self = task_.self,
                              .identical = task_.identical,
                              .first_item = task_.row_begin + begin,
                              .row_places = row_places.data(),
                              .columns = columns.data(),
                              .weights = weights.data(),
                              .counts = counts.data()};
    launch(arguments, bin_rows(task_.row_cost + begin, rows));
    columns.download(task_.columns + first_edge, edges);
    weights.download(task_.weights + first_edge, edges);
    counts.download(task_.counts + begin, rows);
    session_.stream().wait();
  }

  void launch(const Arguments& arguments, const RowBins& bins) {
    switch (task_.measure) {
      case AudienceMeasure::jaccard:
        return launch_measure<measures::JaccardMeasure>(arguments, bins);
      case AudienceMeasure::cosine:
        return launch_measure<measures::CosineMeasure>(arguments, bins);
      case AudienceMeasure::overlap:
        return launch_measure<measures::OverlapMeasure>(arguments, bins);
      case AudienceMeasure::pmi:
        return launch_measure<measures::PmiMeasure>(arguments, bins);
      case AudienceMeasure::log_likelihood:
        return launch_measure<measures::LogLikelihoodMeasure>(arguments, bins);
    }
  }

  template <class Measure>
  void launch_measure(const Arguments& arguments, const RowBins& bins) {
    const cudaStream_t stream = session_.stream().get();
    const auto uploaded = [&](const std::vector<std::int32_t>& rows) {
      auto buffer = session_.buffer<std::int32_t>(static_cast<std::int64_t>(rows.size()), "rows by cost");
      buffer.upload(rows.data(), static_cast<std::int64_t>(rows.size()));
      return buffer;
    };
    const auto small = uploaded(bins.small);
    const auto medium = uploaded(bins.medium);
    const auto large = uploaded(bins.large);
    if (large.size() > 0) launch_counted<Measure>(arguments, large);  // the longest first
    if (medium.size() > 0) {
      hashed_kernel<Measure, 2 * kMediumRowCost, kThreads>
          <<<static_cast<unsigned>(medium.size()), kThreads, 0, stream>>>(arguments, medium.data());
      check_launch("hashed_kernel");
    }
    if (small.size() > 0) {
      hashed_kernel<Measure, 2 * kSmallRowCost, kSmallThreads>
          <<<static_cast<unsigned>(small.size()), kSmallThreads, 0, stream>>>(arguments, small.data());
      check_launch("hashed_kernel");
    }
  }

  template <class Measure>
  void launch_counted(const Arguments& arguments, const Buffer<std::int32_t>& rows) {
    const std::int64_t places = std::min(task_.k, task_.items);
    // a block offers its threads' entries beyond the places; and the item itself may come last
    std::int64_t capacity = 1;
    while (capacity < places + kThreads) capacity *= 2;
    if (capacity > std::int64_t{1} << 30) {
      throw Failure(seam::Status::out_of_memory, "k = " + std::to_string(task_.k) + ": a device sorts rows below 2^30");
    }
    const bool shared = capacity <= kMostSharedEntries;
    const int bytes = kCounterColumns * 4 + (shared ? static_cast<int>(capacity) * static_cast<int>(sizeof(Entry)) : 0);
    check(cudaFuncSetAttribute(counted_kernel<Measure>, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes),
          "asking for shared memory");
    constexpr std::int64_t kBlocksPerMultiprocessor = 2;
    std::int64_t blocks = std::min(rows.size(), kBlocksPerMultiprocessor * multiprocessors(ordinal_));
    const std::int64_t list_bytes = capacity * static_cast<std::int64_t>(sizeof(Entry));
    if (!shared) blocks = std::clamp<std::int64_t>(session_.memory().left() / list_bytes, 1, blocks);
    const auto lists = session_.buffer<Entry>(shared ? 0 : blocks * capacity, "lists of candidates");
    counted_kernel<Measure>
        <<<static_cast<unsigned>(blocks), kThreads, static_cast<std::size_t>(bytes), session_.stream().get()>>>(
            arguments, rows.data(), static_cast<int>(rows.size()), lists.data(), static_cast<int>(capacity));
    check_launch("counted_kernel");
  }

  const seam::AudienceCall& task_;
  int ordinal_;
  Session session_;
  std::int64_t rows_;
  Buffer<std::int64_t> user_offsets_;
  Buffer<std::int32_t> user_items_;
  Buffer<std::int64_t> item_offsets_;
  Buffer<std::int32_t> item_users_;
};

}  // namespace

void audience(const seam::Call& call, const seam::AudienceCall& task) { AudienceRun(call, task).run(); }

}  // namespace graft::cuda
