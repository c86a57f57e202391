#include "train/sampler.hpp"

#include <algorithm>
#include <numeric>
#include <span>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <graft/core/error.hpp>
#include <graft/detail/checked.hpp>

#include "data/random.hpp"

namespace graft::training {

using detail::as_size;

std::uint64_t stream_id(Stream purpose, std::int64_t epoch, std::int64_t batch) {
  constexpr unsigned kPurposeAt = 60;
  constexpr unsigned kEpochAt = 32;  // leaves 2^28 epochs of 2^32 batches
  return static_cast<std::uint64_t>(purpose) << kPurposeAt | static_cast<std::uint64_t>(epoch) << kEpochAt |
         static_cast<std::uint64_t>(batch);
}

Sampler::Sampler(const Dataset& data, std::int64_t batch_size, std::uint64_t seed)
    : data_(data), batch_size_(batch_size), seed_(seed), order_(data.train_users.size()) {
  if (batch_size < 1) {
    throw InvalidArgument(detail::message("train", "train_batch_size", std::to_string(batch_size), "must be >= 1"));
  }
  for (std::int64_t item = 0; item < data.train.items(); ++item) {
    if (data.train.degree(item) > 0) pool_.push_back(detail::as_id(item));
  }
  for (std::int64_t user = 0; user < data.train.users(); ++user) {
    if (pool_.empty() || data.train.history(user).size() < pool_.size()) continue;
    throw InvalidArgument(detail::message(
        "train", "user", std::to_string(user),
        fmt::format("has all {} items that occur in training, which leaves no negative to sample; leave this user out",
                    pool_.size())));
  }
}

std::int64_t Sampler::batches() const {
  return (static_cast<std::int64_t>(order_.size()) + batch_size_ - 1) / batch_size_;
}

void Sampler::start_epoch(std::int64_t epoch) {
  epoch_ = epoch;
  std::iota(order_.begin(), order_.end(), std::int64_t{0});  // from the file's order: an epoch knows of no other
  data::RandomStream random(seed_, stream_id(Stream::shuffle, epoch));
  random.shuffle(std::span(order_));
}

Batch Sampler::batch(std::int64_t number) const {
  const std::int64_t begin = number * batch_size_;
  const std::int64_t size = std::min(batch_size_, static_cast<std::int64_t>(order_.size()) - begin);
  std::vector<std::int32_t> users(as_size(size));
  std::vector<std::int32_t> items(as_size(2 * size));
  data::RandomStream random(seed_, stream_id(Stream::negatives, epoch_, number));
  for (std::int64_t b = 0; b < size; ++b) {
    const std::size_t row = as_size(order_[as_size(begin + b)]);
    const std::span<const std::int32_t> history = data_.train.history(data_.train_users[row]);
    std::int32_t negative = 0;
    do {
      negative = pool_[as_size(random.below(static_cast<std::int64_t>(pool_.size())))];
    } while (std::binary_search(history.begin(), history.end(), negative));
    users[as_size(b)] = data_.train_users[row];
    items[as_size(b)] = data_.train_items[row];
    items[as_size(size + b)] = negative;
  }
  return {.users = autodiff::IndexList::make(std::move(users), data_.users),
          .items = autodiff::IndexList::make(std::move(items), data_.items),
          .size = size};
}

}  // namespace graft::training
