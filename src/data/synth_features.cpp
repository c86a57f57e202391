// The features of a planted data set.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <graft/detail/checked.hpp>
#include <graft/detail/parallel.hpp>

#include "synth.hpp"
#include "synth_streams.hpp"

namespace graft::data {
namespace {

using detail::as_size;

constexpr std::int64_t kDecoys = 5;  ///< families that the features of a noisy item seem to be of

/// How a modality shows what is planted. The cosine of two items is the sum of the shares of what they have in common,
/// times the square root of the product of their clarities.
struct Signal {
  double shared;  ///< share of what all items have in common; these three sum to 1
  double cluster;
  double family;
  double least_clarity;  ///< share of the above in an item's vector; the rest is its own
  double most_clarity;
  SynthPurpose shared_stream;
  SynthPurpose cluster_stream;
  SynthPurpose family_stream;
  SynthPurpose item_stream;
};

constexpr Signal kText{.shared = 0.12,
                       .cluster = 0.43,
                       .family = 0.45,
                       .least_clarity = 0.6,
                       .most_clarity = 0.95,
                       .shared_stream = SynthPurpose::text_shared,
                       .cluster_stream = SynthPurpose::text_cluster,
                       .family_stream = SynthPurpose::text_family,
                       .item_stream = SynthPurpose::text_item};
constexpr Signal kImage{.shared = 0.2,
                        .cluster = 0.5,
                        .family = 0.3,
                        .least_clarity = 0.4,
                        .most_clarity = 0.7,
                        .shared_stream = SynthPurpose::image_shared,
                        .cluster_stream = SynthPurpose::image_cluster,
                        .family_stream = SynthPurpose::image_family,
                        .item_stream = SynthPurpose::image_item};

/// Of a noisy item's vector; a decoy's share falls on its cluster and family alike.
constexpr double kNoisyShared = 0.12;
constexpr double kNoisyDecoy = 0.09;

/// Scales to length 1.
void normalise(std::span<double> vector) {
  double squares = 0.0;
  for (const double value : vector) squares += value * value;
  if (squares == 0.0) return;
  const double scale = 1.0 / std::sqrt(squares);
  for (double& value : vector) value *= scale;
}

void draw_direction(RandomStream random, std::span<double> direction) {
  for (double& value : direction) value = random.normal();
  normalise(direction);
}

/// target += share's root * direction
void add_part(std::span<double> target, double share, std::span<const double> direction) {
  const double factor = std::sqrt(share);
  for (std::size_t d = 0; d < target.size(); ++d) target[d] += factor * direction[d];
}

/// Random unit vectors, one a row.
class Directions {
 public:
  Directions(const SynthOptions& options, SynthPurpose purpose, std::int64_t count, std::int64_t dims)
      : dims_(as_size(dims)), values_(as_size(count) * dims_) {
    for (std::int64_t row = 0; row < count; ++row) {
      draw_direction(synth_stream(options.seed, purpose, row), std::span(values_).subspan(as_size(row) * dims_, dims_));
    }
  }

  [[nodiscard]] std::span<const double> operator[](std::int64_t row) const {
    return std::span(values_).subspan(as_size(row) * dims_, dims_);
  }

 private:
  std::size_t dims_;
  std::vector<double> values_;
};

class FeatureMaker {
 public:
  FeatureMaker(const SynthItems& planted, const Signal& signal, const std::vector<std::uint8_t>& noisy,
               std::int64_t dims)
      : planted_(planted),
        signal_(signal),
        noisy_(noisy),
        shared_(planted.options, signal.shared_stream, 1, dims),
        clusters_(planted.options, signal.cluster_stream, planted.options.clusters, dims),
        families_(planted.options, signal.family_stream, planted.families(), dims),
        dims_(as_size(dims)) {}

  /// @param own, vector  workspace of as many numbers as dims
  void make(std::int64_t item, std::span<double> own, std::span<double> vector, float* row) const {
    RandomStream random = synth_stream(planted_.options.seed, signal_.item_stream, item);
    draw_direction(synth_stream(planted_.options.seed, signal_.item_stream, planted_.options.items + item), own);
    std::fill(vector.begin(), vector.end(), 0.0);
    if (noisy_[as_size(item)] != 0) {
      mislead(random, item, own, vector);
    } else {
      tell(random, item, own, vector);
    }
    normalise(vector);
    for (std::size_t d = 0; d < dims_; ++d) row[d] = static_cast<float>(vector[d]);
  }

 private:
  void tell(RandomStream& random, std::int64_t item, std::span<const double> own, std::span<double> vector) const {
    const double clarity = signal_.least_clarity + (signal_.most_clarity - signal_.least_clarity) * random.uniform();
    add_part(vector, clarity * signal_.shared, shared_[0]);
    add_part(vector, clarity * signal_.cluster, clusters_[planted_.cluster_of[as_size(item)]]);
    add_part(vector, clarity * signal_.family, families_[planted_.family_of[as_size(item)]]);
    add_part(vector, 1.0 - clarity, own);
  }

  void mislead(RandomStream& random, std::int64_t item, std::span<const double> own, std::span<double> vector) const {
    add_part(vector, kNoisyShared, shared_[0]);
    const double known = signal_.cluster + signal_.family;
    for (std::int64_t decoy = 0; decoy < kDecoys; ++decoy) {
      const std::int64_t family = other_family(random, item);
      add_part(vector, kNoisyDecoy * signal_.cluster / known, clusters_[planted_.cluster_of_family[as_size(family)]]);
      add_part(vector, kNoisyDecoy * signal_.family / known, families_[family]);
    }
    add_part(vector, 1.0 - kNoisyShared - static_cast<double>(kDecoys) * kNoisyDecoy, own);
  }

  /// A family of another cluster; any where there is no other cluster.
  std::int64_t other_family(RandomStream& random, std::int64_t item) const {
    const std::int32_t cluster = planted_.cluster_of[as_size(item)];
    std::int64_t family = random.below(planted_.families());
    while (planted_.options.clusters > 1 && planted_.cluster_of_family[as_size(family)] == cluster) {
      family = random.below(planted_.families());
    }
    return family;
  }

  const SynthItems& planted_;
  const Signal& signal_;
  const std::vector<std::uint8_t>& noisy_;
  Directions shared_;
  Directions clusters_;
  Directions families_;
  std::size_t dims_;
};

}  // namespace

Matrix synth_features(const SynthItems& planted, SynthModality modality, const Context& context) {
  const bool text = modality == SynthModality::text;
  const std::int64_t items = planted.options.items;
  const std::int64_t dims = text ? planted.options.text_dims : planted.options.image_dims;
  Matrix features(items, dims);
  const FeatureMaker maker(planted, text ? kText : kImage, text ? planted.noisy_text : planted.noisy_image, dims);
  MatrixView<float> rows = features.mutable_view();
  constexpr std::int64_t kItemsPerTask = 64;
  const std::int64_t tasks = (items + kItemsPerTask - 1) / kItemsPerTask;
  detail::Ticker ticker(context, text ? "synth text" : "synth image", tasks);
  detail::parallel_tasks(detail::worker_count(context), tasks, ticker, [&](std::int64_t task, int /*worker*/) {
    std::vector<double> own(as_size(dims));
    std::vector<double> vector(as_size(dims));
    for (std::int64_t item = task * kItemsPerTask; item < std::min(items, (task + 1) * kItemsPerTask); ++item) {
      maker.make(item, own, vector, rows.row(item));
    }
  });
  return features;
}

}  // namespace graft::data
