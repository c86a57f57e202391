// A plug-in that keeps the seam's contract on the processor, in the plainest way. It says nothing of kernels: it lets
// the host's side of the seam (what is asked for, what is made of the answers) run where there is no device.
#include <graft/detail/cuda_seam.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <graft/core/interactions.hpp>
#include <graft/detail/checked.hpp>
#include <graft/ops/jaccard.hpp>
#include <graft/ops/knn.hpp>
#include <graft/ops/top_k_scores.hpp>

namespace {

namespace seam = graft::detail::cuda;
using graft::detail::as_size;

struct Stopped : std::runtime_error {
  Stopped() : std::runtime_error("stopped") {}
};

template <class Body>
seam::Status guarded(const seam::Message& message, const Body& body) {
  try {
    body();
    return seam::Status::done;
  } catch (const Stopped&) {
    return seam::Status::stopped;
  } catch (const std::exception& error) {
    if (message.text != nullptr) {
      const std::size_t size =
          std::string(error.what()).copy(message.text, static_cast<std::size_t>(message.bytes - 1));
      message.text[size] = '\0';
    }
    return seam::Status::failed;
  }
}

void tick(const seam::Call* call) {
  if (call->tick(call->state, 0, 1) != 0) throw Stopped();
}

template <class T>
T* new_array(const std::vector<T>& values) {
  auto* const data = static_cast<T*>(std::malloc(std::max<std::size_t>(1, values.size()) * sizeof(T)));
  std::copy(values.begin(), values.end(), data);
  return data;
}

/// Rows of edges, columns ascending.
using Rows = std::vector<std::map<std::int32_t, float>>;

Rows rows_of(const seam::DeviceCsr& graph) {
  Rows rows(as_size(graph.items));
  for (std::int64_t row = 0; row < graph.items; ++row) {
    for (std::int64_t e = graph.row_offsets[row]; e < graph.row_offsets[row + 1]; ++e) {
      rows[as_size(row)][graph.columns[e]] = graph.weights[e];
    }
  }
  return rows;
}

template <class Task>
void hand_over(const Rows& rows, Task& task) {
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> columns;
  std::vector<float> weights;
  for (const auto& row : rows) {
    for (const auto& [column, weight] : row) {
      columns.push_back(column);
      weights.push_back(weight);
    }
    offsets.push_back(static_cast<std::int64_t>(columns.size()));
  }
  task.edges = offsets.back();
  task.row_offsets = new_array(offsets);
  task.columns = new_array(columns);
  task.weights = new_array(weights);
}

Rows transposed(const Rows& rows) {
  Rows result(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (const auto& [column, weight] : rows[row]) result[as_size(column)][static_cast<std::int32_t>(row)] = weight;
  }
  return result;
}

Rows top(const Rows& rows, std::int64_t k, bool self_first) {
  Rows result(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    std::vector<std::pair<std::int32_t, float>> edges(rows[row].begin(), rows[row].end());
    std::stable_sort(edges.begin(), edges.end(), [&](const auto& a, const auto& b) {
      const auto self = static_cast<std::int32_t>(row);
      if (self_first && (a.first == self || b.first == self)) return a.first == self && b.first != self;
      return a.second > b.second;
    });
    if (static_cast<std::int64_t>(edges.size()) > k) edges.resize(as_size(k));
    result[row].insert(edges.begin(), edges.end());
  }
  return result;
}

/// @param both  (weight, other weight) -> weight   @param one  the same where only one graph has the edge
template <class Both, class Left, class Right>
Rows united(const Rows& left, const Rows& right, const Both& both, const Left& only_left, const Right& only_right) {
  Rows result(left.size());
  for (std::size_t row = 0; row < left.size(); ++row) {
    for (const auto& [column, weight] : left[row]) {
      const auto other = right[row].find(column);
      result[row][column] = other == right[row].end() ? only_left(weight) : both(weight, other->second);
    }
    for (const auto& [column, weight] : right[row]) {
      if (left[row].count(column) == 0) result[row][column] = only_right(weight);
    }
  }
  return result;
}

Rows symmetric(const Rows& rows, seam::GraphStep step) {
  const bool mean = step == seam::GraphStep::symmetrize_mean;
  const auto one = [mean](float weight) { return mean ? weight * 0.5F : weight; };
  const auto both = [step](float a, float b) {
    if (step == seam::GraphStep::symmetrize_mean) return static_cast<float>((double{a} + double{b}) / 2.0);
    return step == seam::GraphStep::symmetrize_max ? std::fmax(a, b) : std::fmin(a, b);
  };
  const Rows other = transposed(rows);
  Rows result = united(rows, other, both, one, one);
  if (step != seam::GraphStep::symmetrize_min) return result;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    std::erase_if(result[row], [&](const auto& edge) {
      return rows[row].count(edge.first) == 0 || other[row].count(edge.first) == 0;
    });
  }
  return result;
}

Rows normalized(const Rows& rows, double epsilon, bool by_row) {
  std::vector<double> factors;
  for (const auto& row : rows) {
    double sum = 0.0;
    for (const auto& [column, weight] : row) sum += double{weight};
    const double degree = sum + epsilon;
    factors.push_back(sum > 0.0 ? (by_row ? 1.0 / degree : 1.0 / std::sqrt(degree)) : 0.0);
  }
  Rows result = rows;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (auto& [column, weight] : result[row]) {
      const double scaled = factors[row] * double{weight};
      weight = static_cast<float>(by_row ? scaled : scaled * factors[as_size(column)]);
    }
  }
  return result;
}

std::int64_t first_row_that_disagrees(const Rows& left, const Rows& right) {
  for (std::size_t row = 0; row < left.size(); ++row) {
    for (const auto& [column, weight] : left[row]) {
      const auto other = right[row].find(column);
      if (other != right[row].end() && other->second != weight) return static_cast<std::int64_t>(row);
    }
  }
  return -1;
}

std::int64_t first_row_not_finite(const Rows& rows) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (const auto& [column, weight] : rows[row]) {
      if (!std::isfinite(weight)) return static_cast<std::int64_t>(row);
    }
  }
  return -1;
}

template <class Drop>
Rows without(Rows rows, const Drop& drop) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    std::erase_if(rows[row], [&](const auto& edge) { return drop(row, edge.first, edge.second); });
  }
  return rows;
}

template <class Map>
Rows mapped(Rows rows, const Map& map) {
  for (auto& row : rows) {
    for (auto& [column, weight] : row) weight = map(weight);
  }
  return rows;
}

Rows step_result(const seam::GraphCall& task) {
  using Step = seam::GraphStep;
  const Rows rows = rows_of(task.left);
  const auto keep = [](float weight) { return weight; };
  switch (task.step) {
    case Step::threshold:
      return without(rows, [&](std::size_t, std::int32_t, float weight) { return weight < task.value; });
    case Step::drop_self_loops:
      return without(rows, [](std::size_t row, std::int32_t column, float) { return as_size(column) == row; });
    case Step::scale:
      return mapped(rows, [&](float weight) { return weight * task.value; });
    case Step::binarize:
      return mapped(rows, [](float) { return 1.0F; });
    case Step::normalize_symmetric:
      return normalized(rows, double{task.value}, false);
    case Step::normalize_row:
      return normalized(rows, double{task.value}, true);
    case Step::mix:
      return united(
          rows, rows_of(task.right), [&](float a, float b) { return task.value * a + task.right_value * b; },
          [&](float a) { return task.value * a; }, [&](float b) { return task.right_value * b; });
    case Step::join:
      return united(rows, rows_of(task.right), [](float a, float) { return a; }, keep, keep);
    case Step::top_k:
      return top(rows, task.k, false);
    case Step::top_k_self_first:
      return top(rows, task.k, true);
    case Step::transpose:
      return transposed(rows);
    case Step::symmetrize_max:
    case Step::symmetrize_mean:
    case Step::symmetrize_min:
      break;
  }
  return symmetric(rows, task.step);
}

void run_step(const seam::Call* call, seam::GraphCall& task) {
  tick(call);
  if (task.step == seam::GraphStep::join) {
    task.bad_row = first_row_that_disagrees(rows_of(task.left), rows_of(task.right));
    if (task.bad_row >= 0) return;
  }
  const Rows rows = step_result(task);
  task.bad_row = first_row_not_finite(rows);
  if (task.bad_row < 0) hand_over(rows, task);
}

void make_graph(seam::RowsCall& task) {
  Rows rows(as_size(task.items));
  for (std::int64_t r = 0; r < task.row_end - task.row_begin; ++r) {
    auto& row = rows[as_size(task.row_begin + r)];
    const std::int64_t first = task.row_capacity != nullptr ? task.row_capacity[r] : r * task.places;
    const bool gives = task.self_values != nullptr && r >= task.self_begin && r < task.self_end;
    const std::int64_t count = gives ? std::min<std::int64_t>(task.counts[r], task.places - 1) : task.counts[r];
    for (std::int64_t e = 0; e < count; ++e) row[task.ids[first + e]] = task.binary ? 1.0F : task.values[first + e];
    if (gives && !std::isnan(task.self_values[r])) {
      row[static_cast<std::int32_t>(task.row_begin + r)] = task.binary ? 1.0F : task.self_values[r];
    }
  }
  hand_over(rows, task);
}

graft::MatrixView<const float> view(const seam::Matrix& matrix) {
  return {matrix.data, matrix.rows, matrix.cols, matrix.stride};
}

void give_norms(const seam::Call* call, std::int32_t side, const seam::Matrix& matrix) {
  std::vector<double> norms(as_size(matrix.rows));
  for (std::int64_t row = 0; row < matrix.rows; ++row) {
    double sum = 0.0;
    for (std::int64_t c = 0; c < matrix.cols; ++c) sum += std::pow(double{matrix.data[row * matrix.stride + c]}, 2.0);
    norms[as_size(row)] = std::sqrt(sum);
  }
  if (call->norms(call->state, side, norms.data(), matrix.rows) != 0) throw Stopped();
}

/// Writes ids and values of a row by rank.
void write_row(const seam::PairwiseCall& task, std::int64_t place, std::vector<std::pair<std::int32_t, float>> edges) {
  std::stable_sort(edges.begin(), edges.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  task.counts[place] = static_cast<std::int32_t>(edges.size());
  for (std::size_t e = 0; e < edges.size(); ++e) {
    task.ids[place * task.places + static_cast<std::int64_t>(e)] = edges[e].first;
    task.values[place * task.places + static_cast<std::int64_t>(e)] = edges[e].second;
  }
}

graft::Context fused() {
  graft::Context context;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("fma") != 0) context.path = graft::NumericPath::avx2;
#endif
  return context;
}

void run_pairwise(const seam::Call* call, const seam::PairwiseCall& task) {
  tick(call);
  give_norms(call, 0, task.queries);
  if (!task.same) give_norms(call, 1, task.items);
  const std::int64_t rows = task.row_end - task.row_begin;
  if (task.places == 0) {
    std::fill_n(task.counts, rows, 0);
  } else if (task.same) {
    const graft::RowRange row_range{task.row_begin, task.row_end};
    const graft::RowRange column_range{task.column_begin, task.column_end};
    graft::KnnOptions options{.k = task.places,
                              .min_similarity = task.minimum,
                              .metric = task.metric,
                              .row_range = row_range,
                              .column_range = column_range};
    const graft::Graph graph = graft::knn_graph(view(task.queries), options, fused());
    for (std::int64_t r = 0; r < rows; ++r) {
      std::vector<std::pair<std::int32_t, float>> edges;
      const auto columns = graph.row_columns(task.row_begin + r);
      const auto weights = graph.row_weights(task.row_begin + r);
      for (std::size_t e = 0; e < columns.size(); ++e) edges.emplace_back(columns[e], weights[e]);
      write_row(task, r, std::move(edges));
    }
  } else {
    graft::TopKScoresOptions options{.k = task.places,
                                     .metric = task.metric,
                                     .min_score = task.minimum,
                                     .row_range = {task.row_begin, task.row_end}};
    if (task.excluded_offsets != nullptr) {
      options.exclude = {{task.excluded_offsets, as_size(task.queries.rows + 1)},
                         {task.excluded, as_size(task.excluded_offsets[task.queries.rows])}};
    }
    const graft::Ranking ranking = graft::top_k_scores(view(task.queries), view(task.items), options, fused());
    for (std::int64_t r = 0; r < rows; ++r) {
      const std::int64_t begin = ranking.row_offsets[as_size(task.row_begin + r)];
      const std::int64_t count = ranking.row_offsets[as_size(task.row_begin + r + 1)] - begin;
      task.counts[r] = static_cast<std::int32_t>(count);
      std::copy_n(ranking.ids.begin() + begin, count, task.ids + r * task.places);
      std::copy_n(ranking.scores.begin() + begin, count, task.values + r * task.places);
    }
  }
  if (task.self_scores == nullptr) return;
  for (std::int64_t r = 0; r < rows; ++r) {
    const float* const row = task.queries.data + (task.row_begin + r) * task.queries.stride;
    float sum = 0.0F;
    for (std::int64_t c = 0; c < task.queries.cols; ++c) sum = std::fma(row[c], row[c], sum);
    task.self_scores[r] = sum;
  }
}

void run_audience(const seam::Call* call, const seam::AudienceCall& task) {
  tick(call);
  std::vector<std::int32_t> users;
  std::vector<std::int32_t> items;
  for (std::int64_t user = 0; user < task.users; ++user) {
    for (std::int64_t e = task.user_offsets[user]; e < task.user_offsets[user + 1]; ++e) {
      users.push_back(static_cast<std::int32_t>(user));
      items.push_back(task.user_items[e]);
    }
  }
  const auto interactions = graft::Interactions::from_pairs(users, items, task.users, task.items);
  const graft::JaccardOptions options{.k = task.k,
                                      .min_support = task.min_support,
                                      .self = task.self,
                                      .identical = task.identical,
                                      .measure = task.measure,
                                      .row_range = {task.row_begin, task.row_end}};
  const graft::Graph graph = graft::jaccard_graph(interactions, options);
  for (std::int64_t r = 0; r < task.row_end - task.row_begin; ++r) {
    const auto columns = graph.row_columns(task.row_begin + r);
    const auto weights = graph.row_weights(task.row_begin + r);
    if (static_cast<std::int64_t>(columns.size()) > task.row_capacity[r + 1] - task.row_capacity[r]) {
      throw std::runtime_error("row " + std::to_string(r) + " has no room for its edges");
    }
    task.counts[r] = static_cast<std::int32_t>(columns.size());
    std::copy(columns.begin(), columns.end(), task.columns + task.row_capacity[r]);
    std::copy(weights.begin(), weights.end(), task.weights + task.row_capacity[r]);
  }
}

void run_propagate(const seam::Call* call, seam::PropagateCall& task) {
  tick(call);
  const std::int64_t rows = task.features.rows;
  const std::int64_t dims = task.features.cols;
  std::vector<float> own;
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* const values = task.features.data + row * task.features.stride;
    if (task.bad_row < 0 && !std::all_of(values, values + dims, [](float value) { return std::isfinite(value); })) {
      task.bad_row = row;
    }
    own.insert(own.end(), values, values + dims);
  }
  if (task.bad_row >= 0) return;
  std::vector<float> input = own;
  for (std::int64_t layer = 1; layer <= task.layers; ++layer) {
    std::vector<float> next(input.size());
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t c = 0; c < dims; ++c) {
        float sum = 0.0F;
        for (std::int64_t e = task.graph.row_offsets[row]; e < task.graph.row_offsets[row + 1]; ++e) {
          sum = std::fma(task.graph.weights[e], input[as_size(task.graph.columns[e] * dims + c)], sum);
        }
        next[as_size(row * dims + c)] = sum + own[as_size(row * dims + c)];
      }
    }
    input = std::move(next);
  }
  std::transform(input.begin(), input.end(), task.out, [&](float value) { return value * task.factor; });
}

seam::Status count_devices(std::int32_t* count, seam::Message) {
  *count = 1;
  return seam::Status::done;
}

seam::Status describe(std::int32_t, seam::Message text) {
  return guarded(text, [] { throw std::runtime_error("the processor, in a device's place"); }) == seam::Status::failed
             ? seam::Status::done
             : seam::Status::failed;
}

seam::Status allocate(const seam::Call*, std::int64_t bytes, void** out) {
  *out = bytes > 0 ? std::malloc(as_size(bytes)) : nullptr;
  return seam::Status::done;
}

void release(std::int32_t, void* data) { std::free(data); }

seam::Status copy(const seam::Call*, void* to, const void* from, std::int64_t bytes) {
  if (bytes > 0) std::memcpy(to, from, as_size(bytes));
  return seam::Status::done;
}

seam::Status floors(const seam::Call* call, seam::Floors*) {
  return guarded(call->message, [] { throw std::runtime_error("nothing to measure"); });
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const seam::Table* graft_cuda_table(std::int32_t version) {
  static const seam::Table table{
      .version = seam::kSeamVersion,
      .bytes = sizeof(seam::Table),
      .count_devices = &count_devices,
      .describe = &describe,
      .allocate = &allocate,
      .release = &release,
      .copy = &copy,
      .pairwise =
          [](const seam::Call* call, const seam::PairwiseCall* task) {
            return guarded(call->message, [&] { run_pairwise(call, *task); });
          },
      .audience =
          [](const seam::Call* call, const seam::AudienceCall* task) {
            return guarded(call->message, [&] { run_audience(call, *task); });
          },
      .graph = [](const seam::Call* call,
                  seam::GraphCall* task) { return guarded(call->message, [&] { run_step(call, *task); }); },
      .rows = [](const seam::Call* call,
                 seam::RowsCall* task) { return guarded(call->message, [&] { make_graph(*task); }); },
      .propagate =
          [](const seam::Call* call, seam::PropagateCall* task) {
            return guarded(call->message, [&] { run_propagate(call, *task); });
          },
      .floors = &floors};
  return version == seam::kSeamVersion ? &table : nullptr;
}
