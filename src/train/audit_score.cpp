#include "train/audit_score.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <graft/detail/checked.hpp>
#include <graft/detail/parallel.hpp>

#include "data/random.hpp"

namespace graft::training {
namespace {

using detail::as_size;
using Vector = Eigen::VectorXd;
using Square = Eigen::MatrixXd;
using Row = Eigen::Map<const Eigen::VectorXf>;

constexpr std::int64_t kSetsPerGroup = 500;  ///< at the least, that a fit may stand on
constexpr std::int64_t kMostGroups = 4;
constexpr double kRidge = 1.0;  ///< of the logit, in units of a set's information: ends separation

/// A few sets of a table: what a fit reads.
struct Sample {
  const AuditTable& table;
  std::int64_t width;
  std::vector<std::int64_t> sets;

  [[nodiscard]] Row covariates(std::int64_t set, std::int64_t place) const {
    return {table.covariate.data() + (set * width + place) * table.covariates, table.covariates};
  }
  [[nodiscard]] double affinity(std::int64_t set, std::int64_t place) const {
    return table.affinity[as_size(set * width + place)];
  }
};

/// P(place) of a set, in `chances`; returns the logarithm of the first place's.
double choice(const Sample& sample, std::int64_t set, const Vector& beta, Vector& chances) {
  for (std::int64_t p = 0; p < sample.width; ++p) chances[p] = sample.covariates(set, p).cast<double>().dot(beta);
  const double most = chances.maxCoeff();
  const double first = chances[0] - most;
  chances = (chances.array() - most).exp();
  const double sum = chances.sum();
  chances /= sum;
  return first - std::log(sum);
}

double likelihood(const Sample& sample, const Vector& beta) {
  Vector chances(sample.width);
  double sum = -0.5 * kRidge * beta.squaredNorm();
  for (const std::int64_t set : sample.sets) sum += choice(sample, set, beta, chances);
  return sum;
}

/// Weighted covariance of the covariates within a set, added to `sum`, whose lower half is kept.
void add_covariance(const Sample& sample, std::int64_t set, const Vector& chances, Vector& mean, Square& centred,
                    Square& sum) {
  mean.setZero();
  for (std::int64_t p = 0; p < sample.width; ++p) mean += chances[p] * sample.covariates(set, p).cast<double>();
  for (std::int64_t p = 0; p < sample.width; ++p) {
    centred.col(p) = std::sqrt(chances[p]) * (sample.covariates(set, p).cast<double>() - mean);
  }
  sum.selfadjointView<Eigen::Lower>().rankUpdate(centred);
}

/// beta of the conditional logit with a ridge: Newton's method with halved steps.
Vector fit_choice(const Sample& sample, const Context& context) {
  constexpr int kMostSteps = 40;
  constexpr double kEnough = 1e-6;  // of the log-likelihood
  constexpr double kLeastStep = 1e-4;
  const std::int64_t size = sample.table.covariates;
  Vector beta = Vector::Zero(size);
  Vector chances(sample.width);
  Vector mean(size);
  Square centred(size, sample.width);
  double current = likelihood(sample, beta);
  for (int step = 0; step < kMostSteps; ++step) {
    detail::throw_if_cancelled(context.cancel, kAuditOperation);
    Vector gradient = -kRidge * beta;
    Square information = kRidge * Square::Identity(size, size);
    for (const std::int64_t set : sample.sets) {
      choice(sample, set, beta, chances);
      add_covariance(sample, set, chances, mean, centred, information);
      gradient += sample.covariates(set, 0).cast<double>() - mean;
    }
    const Vector direction = information.selfadjointView<Eigen::Lower>().ldlt().solve(gradient);
    double length = 1.0;
    double reached = likelihood(sample, beta + direction);
    while (!(reached >= current) && length > kLeastStep) {
      length /= 2;
      reached = likelihood(sample, beta + length * direction);
    }
    if (!(reached > current)) break;
    beta += length * direction;
    if (reached - current < kEnough) break;
    current = reached;
  }
  return beta;
}

/// What is fitted for a group of users.
struct Fit {
  Vector beta;   ///< of the choice
  Vector slope;  ///< of the affinity on the covariates, within sets
};

/// sum_j P(j) a(j)
double expected_affinity(const Sample& sample, std::int64_t set, const Vector& chances) {
  double sum = 0.0;
  for (std::int64_t p = 0; p < sample.width; ++p) sum += chances[p] * sample.affinity(set, p);
  return sum;
}

Fit fit(const Sample& sample, const Context& context) {
  constexpr double kLeast = 1e-6;  // of a set's variance: covariates may be copies of each other
  const std::int64_t size = sample.table.covariates;
  Fit result{.beta = fit_choice(sample, context), .slope = {}};
  Vector chances(sample.width);
  Vector mean(size);
  Square centred(size, sample.width);
  Square information = kLeast * static_cast<double>(sample.sets.size()) * Square::Identity(size, size);
  Vector product = Vector::Zero(size);
  for (const std::int64_t set : sample.sets) {
    choice(sample, set, result.beta, chances);
    add_covariance(sample, set, chances, mean, centred, information);
    const double expected = expected_affinity(sample, set, chances);
    for (std::int64_t p = 0; p < sample.width; ++p) {
      product += std::sqrt(chances[p]) * (sample.affinity(set, p) - expected) * centred.col(p);
    }
  }
  result.slope = information.selfadjointView<Eigen::Lower>().ldlt().solve(product);
  return result;
}

/// What is left of a set.
struct Remainder {
  double difference = 0.0;  ///< d: of the held-out item to what is expected
  double variance = 0.0;    ///< of e within the set
  double total = 0.0;       ///< of the affinity within the set
};

Remainder remainder(const Sample& sample, std::int64_t set, const Fit& fit) {
  Vector chances(sample.width);
  choice(sample, set, fit.beta, chances);
  Vector left(sample.width);
  Vector affinity(sample.width);
  for (std::int64_t p = 0; p < sample.width; ++p) {
    affinity[p] = sample.affinity(set, p);
    left[p] = affinity[p] - sample.covariates(set, p).cast<double>().dot(fit.slope);
  }
  left.array() -= chances.dot(left);
  affinity.array() -= chances.dot(affinity);
  return {.difference = left[0], .variance = chances.dot(left.cwiseAbs2()), .total = chances.dot(affinity.cwiseAbs2())};
}

/// Mean 0 and variance 1 over the held-out sets, for both tables alike.
void standardise(AuditTable& held, AuditTable& train) {
  const std::int64_t size = held.covariates;
  const std::int64_t rows = size == 0 ? 0 : static_cast<std::int64_t>(held.covariate.size()) / size;
  for (std::int64_t c = 0; c < size; ++c) {
    double mean = 0.0;
    double squares = 0.0;
    for (std::int64_t r = 0; r < rows; ++r) mean += static_cast<double>(held.covariate[as_size(r * size + c)]);
    mean /= static_cast<double>(rows);
    for (std::int64_t r = 0; r < rows; ++r) {
      const double offset = static_cast<double>(held.covariate[as_size(r * size + c)]) - mean;
      squares += offset * offset;
    }
    const double deviation = std::sqrt(squares / static_cast<double>(rows));
    constexpr double kConstant = 1e-9;
    const double scale = deviation > kConstant ? 1.0 / deviation : 0.0;
    for (std::vector<float>* values : {&held.covariate, &train.covariate}) {
      for (std::size_t v = as_size(c); v < values->size(); v += as_size(size)) {
        (*values)[v] = static_cast<float>((static_cast<double>((*values)[v]) - mean) * scale);
      }
    }
  }
}

/// Least training history of each group but the first: groups have about as many sets each.
std::vector<std::int64_t> group_bounds(const Dataset& data, const AuditSets& held) {
  std::vector<std::int64_t> lengths;
  for (const AuditQuery& query : held.queries) {
    const auto length = static_cast<std::int64_t>(data.train.history(query.user).size());
    lengths.insert(lengths.end(), as_size(query.end - query.begin), length);
  }
  std::sort(lengths.begin(), lengths.end());
  const std::int64_t sets = held.size();
  const std::int64_t groups = std::clamp<std::int64_t>(sets / kSetsPerGroup, 1, kMostGroups);
  std::vector<std::int64_t> bounds;
  for (std::int64_t g = 1; g < groups; ++g) {
    const std::int64_t bound = lengths[as_size(g * sets / groups)];
    if (bound > lengths.front() && (bounds.empty() || bound > bounds.back())) bounds.push_back(bound);
  }
  return bounds;
}

/// The sets of each group.
std::vector<Sample> grouped(const Dataset& data, const AuditSets& sets, const AuditTable& table,
                            const std::vector<std::int64_t>& bounds) {
  std::vector<Sample> groups(bounds.size() + 1, Sample{.table = table, .width = sets.width, .sets = {}});
  for (const AuditQuery& query : sets.queries) {
    const auto length = static_cast<std::int64_t>(data.train.history(query.user).size());
    const auto group =
        static_cast<std::size_t>(std::upper_bound(bounds.begin(), bounds.end(), length) - bounds.begin());
    for (std::int64_t set = query.begin; set < query.end; ++set) groups[group].sets.push_back(set);
  }
  return groups;
}

/// Sums of the differences by user.
std::vector<double> by_user(const AuditSets& sets, const std::vector<Remainder>& left) {
  std::vector<double> sums;
  for (const AuditQuery& query : sets.queries) {
    double sum = 0.0;
    for (std::int64_t set = query.begin; set < query.end; ++set) sum += left[as_size(set)].difference;
    sums.push_back(sum);
  }
  return sums;
}

/// Share of random signs that give a sum as large.
double flip_p_value(const std::vector<double>& sums, const AuditOptions& options, const Context& context) {
  const double observed = std::accumulate(sums.begin(), sums.end(), 0.0);
  std::vector<std::uint8_t> as_large(as_size(options.permutations));
  detail::Ticker ticker(context, kAuditOperation, options.permutations);
  detail::parallel_tasks(detail::worker_count(context), options.permutations, ticker, [&](std::int64_t flip, int) {
    constexpr std::size_t kBits = 64;
    data::RandomStream random(options.seed, audit_stream(AuditStream::flips, static_cast<std::uint64_t>(flip)));
    std::uint64_t bits = 0;
    double sum = 0.0;
    for (std::size_t u = 0; u < sums.size(); ++u) {
      if (u % kBits == 0) bits = random.next();
      sum += (bits >> (u % kBits) & 1U) != 0 ? sums[u] : -sums[u];
    }
    as_large[as_size(flip)] = sum >= observed ? 1 : 0;
  });
  const auto count = std::accumulate(as_large.begin(), as_large.end(), std::int64_t{0});
  return static_cast<double>(1 + count) / static_cast<double>(1 + options.permutations);
}

/// What a carried pair shows: the mean difference of training pairs, or `usual` where they show next to nothing of it.
double shown_by_carried(const std::vector<Remainder>& train, double usual) {
  constexpr double kSeen = 3.0;      // standard errors: less is no scale to measure with
  constexpr double kCarried = 0.25;  // of what is usual: less is what the covariates left over, not carried pairs
  const double count = std::max<double>(1.0, static_cast<double>(train.size()));
  double mean = 0.0;
  double squares = 0.0;
  for (const Remainder& left : train) mean += left.difference;
  mean /= count;
  for (const Remainder& left : train) squares += (left.difference - mean) * (left.difference - mean);
  const bool seen = mean > kSeen * std::sqrt(squares) / count;
  return seen && mean >= kCarried * usual ? mean : usual;
}

void set_share(double mean, double error, double shown, AuditTest& test) {
  constexpr double kNormal = 1.96;  // 95%
  const double scale = shown > 0.0 ? shown : std::numeric_limits<double>::quiet_NaN();
  test.share = mean / scale;
  test.share_low = (mean - kNormal * error) / scale;
  test.share_high = (mean + kNormal * error) / scale;
}

void summarise(const AuditSets& held, const std::vector<Remainder>& left, double shown, const AuditOptions& options,
               const Context& context, AuditTest& test) {
  std::vector<double> sums = by_user(held, left);
  double variance = 0.0;
  double total = 0.0;
  for (const Remainder& set : left) {
    variance += set.variance;
    total += set.total;
  }
  const double sum = std::accumulate(sums.begin(), sums.end(), 0.0);
  const double error = std::sqrt(std::inner_product(sums.begin(), sums.end(), sums.begin(), 0.0));
  const auto pairs = static_cast<double>(left.size());
  if (error > 0.0) test.z = sum / error;
  if (variance > 0.0) test.effect = sum / pairs / std::sqrt(variance / pairs);
  if (total > 0.0) test.explained = std::clamp(1.0 - variance / total, 0.0, 1.0);
  set_share(sum / pairs, error / pairs, shown, test);
  for (std::size_t q = 0; q < sums.size(); ++q) {
    const AuditQuery& query = held.queries[q];
    sums[q] -= options.tolerance * shown * static_cast<double>(query.end - query.begin);
  }
  if (error > 0.0) test.p_value = flip_p_value(sums, options, context);
  test.verdict = test.p_value < options.alpha ? AuditVerdict::leak : AuditVerdict::clean;
}

}  // namespace

AuditTest audit_score(const Dataset& data, const AuditSets& held, AuditTable held_table, const AuditSets& train,
                      AuditTable train_table, double usual_shown, const AuditOptions& options, const Context& context) {
  AuditTest test;
  test.pairs = held.size();
  test.users = static_cast<std::int64_t>(held.queries.size());
  test.train_pairs = train.size();
  if (test.users < kLeastAuditedUsers) {
    test.share = test.share_low = test.share_high = std::numeric_limits<double>::quiet_NaN();
    return test;
  }
  standardise(held_table, train_table);
  const std::vector<std::int64_t> bounds = group_bounds(data, held);
  const std::vector<Sample> groups = grouped(data, held, held_table, bounds);
  const std::vector<Sample> train_groups = grouped(data, train, train_table, bounds);
  std::vector<Remainder> left(as_size(held.size()));
  std::vector<Remainder> train_left(as_size(train.size()));
  const auto count = static_cast<std::int64_t>(groups.size());
  detail::Ticker ticker(context, kAuditOperation, count);
  detail::parallel_tasks(detail::worker_count(context), count, ticker, [&](std::int64_t g, int /*worker*/) {
    const Sample& group = groups[as_size(g)];
    const Sample& train_group = train_groups[as_size(g)];
    const Fit fitted = fit(group, context);
    for (const std::int64_t set : group.sets) left[as_size(set)] = remainder(group, set, fitted);
    for (const std::int64_t set : train_group.sets) train_left[as_size(set)] = remainder(train_group, set, fitted);
  });
  summarise(held, left, shown_by_carried(train_left, usual_shown), options, context, test);
  return test;
}

}  // namespace graft::training
