// Shuffled batches with sampled negatives (protocol, section 3).
#pragma once

#include <cstdint>
#include <vector>

#include "train/batch.hpp"
#include "train/dataset.hpp"

namespace graft::training {

/// What random numbers are drawn for: each purpose, in each epoch, has a stream of its own.
enum class Stream : std::uint64_t { shuffle = 1, negatives = 2, graph = 3, dropout = 4 };

/// The stream's number: a function of purpose, epoch and batch.
std::uint64_t stream_id(Stream purpose, std::int64_t epoch, std::int64_t batch = 0);

/// Every training row once an epoch, in random order, in batches of `batch_size` (the last may be smaller); for each a
/// negative drawn uniformly from the items that occur in training, redrawn while the user has it in training. A batch
/// is a function of (data, seed, epoch, number): the sampler can start anywhere.
class Sampler {
 public:
  /// `data` must outlive the sampler. @throws InvalidArgument if a user has every item of the pool in training (names
  /// the user), or batch_size < 1
  Sampler(const Dataset& data, std::int64_t batch_size, std::uint64_t seed);

  [[nodiscard]] std::int64_t batches() const;
  void start_epoch(std::int64_t epoch);
  [[nodiscard]] Batch batch(std::int64_t number) const;

 private:
  const Dataset& data_;
  std::int64_t batch_size_;
  std::uint64_t seed_;
  std::vector<std::int32_t> pool_;   ///< items that occur in training, ascending
  std::vector<std::int64_t> order_;  ///< of the training rows in this epoch
  std::int64_t epoch_ = -1;
};

}  // namespace graft::training
