#include "train/graph_bytes.hpp"

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>

namespace graft::training {
namespace {

constexpr std::size_t kHeadBytes = 2 * sizeof(std::uint64_t);

template <class T>
void append(detail::Bytes& bytes, std::span<const T> values) {
  const auto raw = std::as_bytes(values);
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

/// Takes `count` values off the front.
template <class T>
std::vector<T> take(std::span<const std::byte>& bytes, std::uint64_t count) {
  std::vector<T> values(count);
  if (count > 0) std::memcpy(values.data(), bytes.data(), count * sizeof(T));
  bytes = bytes.subspan(count * sizeof(T));
  return values;
}

}  // namespace

detail::Bytes graph_bytes(const GraphView& graph) {
  detail::Bytes bytes;
  bytes.reserve(kHeadBytes + graph.row_offsets.size_bytes() + graph.columns.size_bytes() + graph.weights.size_bytes());
  detail::append_little(bytes, static_cast<std::uint64_t>(graph.items));
  detail::append_little(bytes, static_cast<std::uint64_t>(graph.edges()));
  append(bytes, graph.row_offsets);
  append(bytes, graph.columns);
  append(bytes, graph.weights);
  return bytes;
}

Graph graph_of_bytes(std::span<const std::byte> bytes) {
  const auto refuse = [&] {
    throw InvalidArgument(detail::message("graph", "bytes", std::to_string(bytes.size()), "must be those of a graph"));
  };
  constexpr std::size_t kEdgeBytes = sizeof(std::int32_t) + sizeof(float);
  if (bytes.size() < kHeadBytes) refuse();
  const auto items = detail::load_little<std::uint64_t>(bytes.data());
  const auto edges = detail::load_little<std::uint64_t>(bytes.data() + sizeof(std::uint64_t));
  std::span<const std::byte> rest = bytes.subspan(kHeadBytes);
  // compared by division: a count that was made up may be anything
  if (items >= rest.size() / sizeof(std::int64_t)) refuse();
  const std::size_t offset_bytes = (items + 1) * sizeof(std::int64_t);
  if (edges != (rest.size() - offset_bytes) / kEdgeBytes || (rest.size() - offset_bytes) % kEdgeBytes != 0) refuse();
  auto offsets = take<std::int64_t>(rest, items + 1);
  auto columns = take<std::int32_t>(rest, edges);
  auto weights = take<float>(rest, edges);
  return {static_cast<std::int64_t>(items), std::move(offsets), std::move(columns), std::move(weights)};
}

}  // namespace graft::training
