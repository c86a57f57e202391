// The rows of a table, split by split.
#pragma once

#include <cstdint>
#include <string>

#include <graft/core/interactions.hpp>
#include <graft/io/inter.hpp>

#include "train/dataset.hpp"

namespace graft::training {

/// The rows of a held-out split whose user has a training row; `dropped` counts the others.
HeldOut held_out_of(const InterTable& table, Split split, const Interactions& train, std::int64_t& dropped);

/// Rows that give a pair again that the same split has before.
std::int64_t repeated_rows(const HeldOut& held);

/// Rows whose pair is a training pair: they are masked and can only be misses.
std::int64_t trained_rows(const HeldOut& held, const Interactions& train);

/// Dataset::split_sha256.
std::string sha256_of(const InterTable& table);

}  // namespace graft::training
