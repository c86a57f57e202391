#include "train/audit.hpp"

#include <cmath>
#include <deque>
#include <utility>

#include <fmt/format.h>

#include <graft/core/error.hpp>
#include <graft/detail/csr_build.hpp>
#include <graft/detail/parallel.hpp>
#include <graft/ops/binarize.hpp>
#include <graft/ops/drop_self_loops.hpp>
#include <graft/ops/symmetrize.hpp>

#include "data/sha256.hpp"
#include "train/audit_covariates.hpp"
#include "train/audit_score.hpp"
#include "train/audit_sets.hpp"
#include "train/audit_space.hpp"

namespace graft::training {
namespace {

void check(const AuditOptions& options) {
  const auto at_least_one = [](const char* argument, std::int64_t value) {
    if (value < 1)
      throw InvalidArgument(detail::message(kAuditOperation, argument, std::to_string(value), "must be >= 1"));
  };
  at_least_one("permutations", options.permutations);
  at_least_one("controls", options.controls);
  at_least_one("most_pairs", options.most_pairs);
  if (!(options.alpha > 0.0 && options.alpha < 1.0)) {
    throw InvalidArgument(
        detail::message(kAuditOperation, "alpha", fmt::format("{}", options.alpha), "must lie between 0 and 1"));
  }
  if (!(options.tolerance >= 0.0 && options.tolerance < 1.0)) {
    throw InvalidArgument(
        detail::message(kAuditOperation, "tolerance", fmt::format("{}", options.tolerance), "must lie in [0, 1)"));
  }
}

void check_rows(const char* argument, MatrixView<const float> matrix, std::int64_t least, bool exact,
                const char* what) {
  if (exact ? matrix.rows() == least : matrix.rows() >= least) return;
  throw InvalidArgument(
      detail::message(kAuditOperation, argument, fmt::format("{} x {}", matrix.rows(), matrix.cols()),
                      fmt::format("must have {} {} rows, one {}", exact ? "" : "at least", least, what)));
}

void check_finite(const char* argument, MatrixView<const float> matrix, const Context& context) {
  detail::FirstRow bad;
  detail::parallel_rows(context, kAuditOperation, matrix.rows(), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      for (std::int64_t c = 0; c < matrix.cols(); ++c) {
        if (!std::isfinite(matrix(r, c))) bad.report(r);
      }
    }
  });
  if (!bad.found()) return;
  throw InvalidArgument(
      detail::message(kAuditOperation, fmt::format("{}: row {}", argument, bad.row()), "", "must hold finite numbers"));
}

AuditTest run_audit(const Dataset& data, const AuditHistories& histories, const AuditColumns& columns,
                    double usual_shown, const AuditOptions& options, const Context& context) {
  const AuditSets held = held_out_sets(histories, options);
  const AuditSets train = training_sets(data, histories, options);
  AuditTable held_table = audit_table(data, held, columns, context);
  AuditTable train_table = audit_table(data, train, columns, context);
  AuditTest test =
      audit_score(data, held, std::move(held_table), train, std::move(train_table), usual_shown, options, context);
  test.skipped_pairs = histories.left_out() + static_cast<std::int64_t>(histories.held_items().size()) - held.size();
  return test;
}

}  // namespace

bool AuditEdges::made_of_held_out_rows() const {
  constexpr std::int64_t kEnough = 50;
  constexpr double kNearlyAll = 0.9;
  return beyond_train >= kEnough && static_cast<double>(held_out) >= kNearlyAll * static_cast<double>(beyond_train) &&
         2 * exchanged_held_out < exchanged;
}

const char* name(AuditVerdict verdict) {
  switch (verdict) {
    case AuditVerdict::clean:
      return "clean";
    case AuditVerdict::leak:
      return "leak";
    case AuditVerdict::cannot_tell:
      break;
  }
  return "cannot tell";
}

AuditTest audit_user_features(const Dataset& data, Features users, Features items, const AuditOptions& options,
                              const Context& context) {
  check(options);
  check_rows("user features", users, data.users, false, "a userID");
  check_rows("item features", items, data.items, true, "an itemID");
  if (users.cols() != items.cols()) {
    throw InvalidArgument(detail::message(
        kAuditOperation, "user features", fmt::format("{} columns", users.cols()),
        fmt::format("must have as many as the item features, {}: the audit compares a user's vector to item vectors of "
                    "the same space, e.g. of the same encoder, and can learn nothing from others",
                    items.cols())));
  }
  check_finite("user features", users, context);
  check_finite("item features", items, context);
  const AuditHistories histories(data, options.split);
  const AuditSpace space(items, data.train, options.seed, SpaceDetail::profiles, context);
  AuditColumns columns;
  add_training_columns(data, columns);
  add_space_columns(space, columns);
  columns.affinity = user_affinity(users, space);
  return run_audit(data, histories, columns, 0.0, options, context);
}

GraphAudit audit_graph(const Dataset& data, GraphInput graph, const AuditOptions& options, const Context& context) {
  check(options);
  if (graph.items != data.items) {
    throw InvalidArgument(detail::message(kAuditOperation, "graph", fmt::format("{} items", graph.items),
                                          fmt::format("must have as many as the data, {}", data.items)));
  }
  const AuditHistories histories(data, options.split);
  const Graph joined = symmetrize(binarize(drop_self_loops(graph)), Symmetrization::max);
  AuditColumns columns;
  add_training_columns(data, columns);
  columns.add(two_step_column(histories, joined));
  std::deque<AuditSpace> spaces;  // the columns refer to them
  for (const auto& [modality, features] : data.features) {
    check_finite(modality.c_str(), features, context);
    const AuditSpace& space = spaces.emplace_back(features, data.train, options.seed, SpaceDetail::edges, context);
    add_space_columns(space, columns);
    for (const Graph& part : space.nearest_parts()) columns.add(edge_affinity(data, part), false);
  }
  columns.affinity = edge_affinity(data, joined);
  constexpr double kOneEdge = 1.0;
  GraphAudit audit{.test = run_audit(data, histories, columns, kOneEdge, options, context),
                   .edges = count_edges(data, histories, joined, context)};
  AuditVerdict& verdict = audit.test.verdict;
  if (verdict == AuditVerdict::leak && data.features.empty()) verdict = AuditVerdict::cannot_tell;
  if (audit.edges.made_of_held_out_rows()) verdict = AuditVerdict::leak;
  return audit;
}

GraphRecord graph_record(const Provenance& provenance, const InterTable& table, std::int64_t items) {
  const auto stored = provenance.find("interactions_sha256");
  if (stored == provenance.end()) {
    return {.origin = GraphOrigin::unknown, .text = "the file does not say which interactions the graph is made of"};
  }
  const auto is_of = [&](Split split) {
    return data::sha256_of(interactions_of(table, {.split = split, .items = items})) == stored->second;
  };
  if (is_of(Split::train)) {
    return {.origin = GraphOrigin::train, .text = "the file says: made of exactly these training rows"};
  }
  const std::pair<Split, const char*> others[] = {{Split::all, "all rows, validation and test included"},
                                                  {Split::valid, "the validation rows"},
                                                  {Split::test, "the test rows"}};
  for (const auto& [split, words] : others) {
    if (is_of(split)) {
      return {.origin = GraphOrigin::held_out, .text = fmt::format("the file says: made of {}", words)};
    }
  }
  return {.origin = GraphOrigin::unknown,
          .text = "the file says: made of other interactions than these training rows (another split or data set)"};
}

}  // namespace graft::training
