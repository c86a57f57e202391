// checkpoint.bin: all that training needs to go on with the same bits.
#pragma once

#include <filesystem>
#include <string>

#include "train/trainer.hpp"

namespace graft::training {

/// Writes the trainer's state, atomically.
///
/// Layout, little-endian: the letters "GRAFTRUN"; format version (uint32); length of the head (uint64); the head, JSON:
/// identity, position, log, length of the model's state, and of each parameter name, rows, cols, steps; then for each
/// parameter its values, first and second moments and, after the first evaluation, the values of the best epoch, as
/// float32; the model's state (Model::save_state), within an epoch; CRC-32 of all before (uint32).
/// @param identity  of the run: a checkpoint is read back by a run with the same alone   @throws IoError
/// Memory: blocks of a few MiB; no copy of a parameter.
void save_checkpoint(const std::filesystem::path& path, const std::string& identity, Trainer& trainer);

/// Puts the trainer where it was when the checkpoint was written.
/// @throws IoError; FormatError naming the file: no checkpoint, of another version, damaged, of another run, of a model
///         with other parameters; the trainer is then of no further use
void load_checkpoint(const std::filesystem::path& path, const std::string& identity, Trainer& trainer);

}  // namespace graft::training
