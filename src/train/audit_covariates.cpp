#include "train/audit_covariates.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include <Eigen/Core>

#include <graft/detail/checked.hpp>
#include <graft/detail/parallel.hpp>

namespace graft::training {
namespace {

using detail::as_size;
using ConstVector = Eigen::Map<const Eigen::VectorXf>;
using Ids = std::span<const std::int32_t>;

/// Long lists are looked at in as many places, evenly: bounds the time that hubs take.
constexpr std::size_t kMostPlaces = 256;

/// Calls body(id) for all ids, or for kMostPlaces of them.
template <class Body>
void for_some(Ids ids, const Body& body) {
  if (ids.size() <= kMostPlaces) {
    for (const std::int32_t id : ids) body(id);
    return;
  }
  for (std::size_t place = 0; place < kMostPlaces; ++place) body(ids[place * ids.size() / kMostPlaces]);
}

ConstVector vector_of(const Matrix& matrix, std::int64_t row) { return {matrix.view().row(row), matrix.cols()}; }

float root(std::int64_t degree) { return 1.0F / std::sqrt(static_cast<float>(std::max<std::int64_t>(1, degree))); }

/// Gives each place the sum of its item.
void spread(Ids items, const AuditWorkspace& workspace, std::span<float> values) {
  for (std::size_t p = 0; p < items.size(); ++p) {
    values[p] = workspace.sum[static_cast<std::size_t>(workspace.slot[as_size(items[p])])];
  }
}

void collaborative_score(const Interactions& train, const AuditQuery& query, Ids items, AuditWorkspace& workspace,
                         std::span<float> values) {
  workspace.sum.assign(items.size(), 0.0F);
  for_some(workspace.history, [&](std::int32_t item) {
    const float step = root(train.degree(item));
    for_some(train.audience(item), [&](std::int32_t other) {
      if (other == query.user) return;
      const Ids history = train.history(other);
      const float weight = step / static_cast<float>(history.size());
      for (const std::int32_t reached : history) {
        const std::int32_t slot = workspace.slot[as_size(reached)];
        if (slot >= 0) workspace.sum[as_size(slot)] += weight;
      }
    });
  });
  spread(items, workspace, values);
  const float own = root(static_cast<std::int64_t>(workspace.history.size()));
  for (std::size_t p = 0; p < items.size(); ++p) values[p] *= own * root(train.degree(items[p]));
}

/// Whether two items have a training user in common, `user` left out.
bool share_user(const Interactions& train, std::int32_t a, std::int32_t b, std::int32_t user) {
  const Ids of_a = train.audience(a);
  const Ids of_b = train.audience(b);
  for (std::size_t i = 0, j = 0; i < of_a.size() && j < of_b.size();) {
    if (of_a[i] == of_b[j] && of_a[i] != user) return true;
    if (of_a[i] <= of_b[j]) {
      ++i;
    } else {
      ++j;
    }
  }
  return false;
}

void profile_cosine(const ReferenceProfile& reference, Ids items, AuditWorkspace& workspace, std::span<float> values) {
  workspace.profile.assign(as_size(reference.summed->cols()), 0.0F);
  Eigen::Map<Eigen::VectorXf> profile(workspace.profile.data(), reference.summed->cols());
  for (const std::int32_t item : workspace.history) {
    const float weight = reference.weights.empty() ? 1.0F : reference.weights[as_size(item)];
    profile += weight * vector_of(*reference.summed, item);
  }
  const float norm = profile.norm();
  const float scale = norm > 0.0F ? 1.0F / norm : 0.0F;
  for (std::size_t p = 0; p < items.size(); ++p) {
    values[p] = scale * profile.dot(vector_of(*reference.compared, items[p]));
  }
}

void greatest_cosine(const Matrix& unit, Ids items, const AuditWorkspace& workspace, std::span<float> values) {
  std::fill(values.begin(), values.end(), -1.0F);
  for_some(workspace.history, [&](std::int32_t item) {
    for (std::size_t p = 0; p < items.size(); ++p) {
      values[p] = std::max(values[p], vector_of(unit, item).dot(vector_of(unit, items[p])));
    }
  });
}

/// Puts the query's items in the workspace, and takes them out in the end.
class QueryItems {
 public:
  QueryItems(const Dataset& data, const AuditQuery& query, Ids items, AuditWorkspace& workspace)
      : items_(items), workspace_(workspace) {
    for (std::size_t p = 0; p < items.size(); ++p) {
      std::int32_t& slot = workspace.slot[as_size(items[p])];
      if (slot < 0) slot = static_cast<std::int32_t>(p);
    }
    workspace.history.clear();
    for (const std::int32_t item : data.train.history(query.user)) {
      if (item != query.left_out) workspace.history.push_back(item);
    }
  }
  QueryItems(const QueryItems&) = delete;
  QueryItems& operator=(const QueryItems&) = delete;
  QueryItems(QueryItems&&) = delete;
  QueryItems& operator=(QueryItems&&) = delete;
  ~QueryItems() {
    for (const std::int32_t item : items_) workspace_.slot[as_size(item)] = -1;
  }

 private:
  Ids items_;
  AuditWorkspace& workspace_;
};

std::int64_t covariate_count(const AuditColumns& columns) {
  const auto squares = std::count(columns.squared.begin(), columns.squared.end(), true);
  return static_cast<std::int64_t>(columns.plain.size() + columns.products.size()) + squares;
}

void fill_query(const AuditSets& sets, const AuditColumns& columns, const AuditQuery& query, AuditWorkspace& workspace,
                AuditTable& table) {
  const Ids items = sets.of(query);
  const std::size_t first = as_size(query.begin * sets.width);
  const std::size_t width = as_size(table.covariates);
  std::vector<float> values(items.size());
  std::size_t next = 0;
  const auto at = [&](std::size_t place, std::size_t column) -> float& {
    return table.covariate[(first + place) * width + column];
  };
  for (const AuditColumn& column : columns.plain) {
    column(query, items, workspace, values);
    for (std::size_t p = 0; p < items.size(); ++p) at(p, next) = values[p];
    ++next;
  }
  for (std::size_t c = 0; c < columns.plain.size(); ++c) {
    if (!columns.squared[c]) continue;
    for (std::size_t p = 0; p < items.size(); ++p) at(p, next) = at(p, c) * at(p, c);
    ++next;
  }
  for (const auto& [a, b] : columns.products) {
    for (std::size_t p = 0; p < items.size(); ++p) at(p, next) = at(p, a) * at(p, b);
    ++next;
  }
  columns.affinity(query, items, workspace, values);
  for (std::size_t p = 0; p < items.size(); ++p) table.affinity[first + p] = static_cast<double>(values[p]);
}

}  // namespace

void AuditColumns::add(AuditColumn column, bool square) {
  plain.push_back(std::move(column));
  squared.push_back(square);
}

void add_training_columns(const Dataset& data, AuditColumns& columns) {
  const Interactions& train = data.train;
  columns.add([&train](const AuditQuery& query, Ids items, AuditWorkspace& workspace, std::span<float> values) {
    constexpr float kLeast = 1e-3F;  // about the score of one path: zero is not far from it
    collaborative_score(train, query, items, workspace, values);
    for (float& value : values) value = std::log(value + kLeast);
  });
  columns.add(
      [](const AuditQuery&, Ids items, AuditWorkspace& workspace, std::span<float> values) {
        // the sums of the column before
        for (std::size_t p = 0; p < items.size(); ++p) {
          values[p] = workspace.sum[static_cast<std::size_t>(workspace.slot[as_size(items[p])])] > 0.0F ? 1.0F : 0.0F;
        }
      },
      false);
  columns.add([&train](const AuditQuery& query, Ids items, AuditWorkspace&, std::span<float> values) {
    for (std::size_t p = 0; p < items.size(); ++p) {
      const std::int64_t others = train.degree(items[p]) - (items[p] == query.left_out ? 1 : 0);
      values[p] = std::log1p(static_cast<float>(others));
    }
  });
}

void add_space_columns(const AuditSpace& space, AuditColumns& columns) {
  const std::size_t first = columns.plain.size();
  for (const ReferenceProfile& reference : space.references()) {
    columns.add([&reference](const AuditQuery&, Ids items, AuditWorkspace& workspace, std::span<float> values) {
      profile_cosine(reference, items, workspace, values);
    });
  }
  const Matrix& unit = space.unit();
  columns.add([&unit](const AuditQuery&, Ids items, AuditWorkspace& workspace, std::span<float> values) {
    greatest_cosine(unit, items, workspace, values);
  });
  if (first > 0) columns.products.emplace_back(0, first);
}

AuditColumn user_affinity(MatrixView<const float> users, const AuditSpace& space) {
  const Matrix& unit = space.unit();
  return [users, &unit](const AuditQuery& query, Ids items, AuditWorkspace& workspace, std::span<float> values) {
    const ConstVector given(users.row(query.user), users.cols());
    const double norm = given.cast<double>().norm();
    workspace.profile.assign(as_size(users.cols()), 0.0F);
    Eigen::Map<Eigen::VectorXf> vector(workspace.profile.data(), users.cols());
    if (norm > 0.0) vector = (given.cast<double>() / norm).cast<float>();
    for (std::size_t p = 0; p < items.size(); ++p) values[p] = vector.dot(vector_of(unit, items[p]));
  };
}

AuditColumn edge_affinity(const Dataset& data, const Graph& joined) {
  const Interactions& train = data.train;
  return [&train, &joined](const AuditQuery& query, Ids items, AuditWorkspace& workspace, std::span<float> values) {
    workspace.sum.assign(items.size(), 0.0F);
    for (const std::int32_t item : workspace.history) {
      for (const std::int32_t reached : joined.row_columns(item)) {
        const std::int32_t slot = workspace.slot[as_size(reached)];
        if (slot < 0 || share_user(train, item, reached, query.user)) continue;
        workspace.sum[as_size(slot)] += 1.0F;
      }
    }
    spread(items, workspace, values);
  };
}

AuditEdges count_edges(const Dataset& data, const AuditHistories& histories, const Graph& joined,
                       const Context& context) {
  constexpr std::int32_t kNobody = -1;
  const Interactions& audited = histories.audited();
  std::vector<std::vector<std::int32_t>> beyond(as_size(joined.items()));
  detail::parallel_rows(context, kAuditOperation, joined.items(), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t item = begin; item < end; ++item) {
      for (const std::int32_t other : joined.row_columns(item)) {
        if (other > item && !share_user(data.train, detail::as_id(item), other, kNobody)) {
          beyond[as_size(item)].push_back(other);
        }
      }
    }
  });
  std::vector<std::pair<std::int32_t, std::int32_t>> pairs;
  for (std::size_t item = 0; item < beyond.size(); ++item) {
    for (const std::int32_t other : beyond[item]) pairs.emplace_back(static_cast<std::int32_t>(item), other);
  }
  AuditEdges edges{.beyond_train = static_cast<std::int64_t>(pairs.size())};
  for (std::size_t e = 0; e < pairs.size(); ++e) {
    const auto [a, b] = pairs[e];
    edges.held_out += share_user(audited, a, b, kNobody) ? 1 : 0;
    const std::int32_t far = pairs[(e + pairs.size() / 2) % pairs.size()].second;
    if (far == a || share_user(data.train, a, far, kNobody)) continue;
    ++edges.exchanged;
    edges.exchanged_held_out += share_user(audited, a, far, kNobody) ? 1 : 0;
  }
  return edges;
}

AuditColumn two_step_column(const AuditHistories& histories, const Graph& joined) {
  return [&histories, &joined](const AuditQuery& query, Ids items, AuditWorkspace& workspace, std::span<float> values) {
    workspace.sum.assign(items.size(), 0.0F);
    for_some(workspace.history, [&](std::int32_t item) {
      for_some(joined.row_columns(item), [&](std::int32_t between) {
        if (histories.has(query.user, between)) return;
        for_some(joined.row_columns(between), [&](std::int32_t reached) {
          const std::int32_t slot = workspace.slot[as_size(reached)];
          if (slot >= 0) workspace.sum[as_size(slot)] += 1.0F;
        });
      });
    });
    spread(items, workspace, values);
    for (float& value : values) value = std::log1p(value);
  };
}

AuditTable audit_table(const Dataset& data, const AuditSets& sets, const AuditColumns& columns,
                       const Context& context) {
  const auto places = static_cast<std::int64_t>(sets.items.size());
  AuditTable table{.covariates = covariate_count(columns), .covariate = {}, .affinity = {}};
  table.covariate = detail::make_vector<float>(kAuditOperation, places * table.covariates);
  table.affinity = detail::make_vector<double>(kAuditOperation, places);
  constexpr std::int64_t kQueriesPerTask = 64;
  const auto queries = static_cast<std::int64_t>(sets.queries.size());
  const std::int64_t tasks = (queries + kQueriesPerTask - 1) / kQueriesPerTask;
  const int workers = detail::worker_count(context);
  std::vector<AuditWorkspace> workspaces(as_size(workers), AuditWorkspace(data.items));
  detail::Ticker ticker(context, kAuditOperation, tasks);
  detail::parallel_tasks(workers, tasks, ticker, [&](std::int64_t task, int worker) {
    AuditWorkspace& workspace = workspaces[as_size(worker)];
    for (std::int64_t q = task * kQueriesPerTask; q < std::min(queries, (task + 1) * kQueriesPerTask); ++q) {
      const AuditQuery& query = sets.queries[as_size(q)];
      const QueryItems placed(data, query, sets.of(query), workspace);
      fill_query(sets, columns, query, workspace, table);
    }
  });
  return table;
}

}  // namespace graft::training
