// A dataset directory in memory: training rows, held-out rows, features and ready similarity graphs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <graft/core/context.hpp>
#include <graft/core/graph.hpp>
#include <graft/core/interactions.hpp>
#include <graft/core/matrix_view.hpp>

#include "train/user_features.hpp"

namespace graft::training {

/// NAME=PATH of the command line.
struct NamedPath {
  std::string name;
  std::filesystem::path path;
};

struct DatasetOptions {
  std::filesystem::path directory;           ///< DIR with DIR/NAME.inter, NAME the directory's name (or its one .inter)
  std::vector<NamedPath> features = {};      ///< item features beside or in place of DIR/*_feat.npy
  std::vector<NamedPath> similarities = {};  ///< ready similarity graphs, .npz
  /// Whether to read the directory's own features, those that exist: text_feat.npy as "text", image_feat.npy as
  /// "image", image_text_feat.npy as "image_text". A feature or similarity given under such a name replaces the file.
  bool default_features = true;
  /// Number of items where neither features nor graphs say it; -1: the largest itemID + 1.
  std::int64_t items = -1;
  /// Early stopping needs validation rows. Without: any held-out row will do.
  bool validation_required = true;
  UserOptions users = {};  ///< vectors of users, for a model that reads some
};

/// The rows of one held-out split, by user.
struct HeldOut {
  std::vector<std::int32_t> users;          ///< distinct, in order of first appearance in the file
  std::vector<std::int64_t> offsets = {0};  ///< [users + 1]
  std::vector<std::int32_t> items;          ///< of user e: items[offsets[e]] ..., in the file's order, repeats kept

  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(items.size()); }
};

/// A file that was read, for the run's record.
struct InputFile {
  std::string role;  ///< "interactions", "features text", "similarity image", "user vectors"
  std::filesystem::path path;
  std::string sha256;     ///< of the file's bytes
  std::int64_t rows = 0;  ///< of the matrix or graph; interactions: of the table, all splits
  std::int64_t cols = 0;  ///< 0 for interactions
};

struct Dataset {
  std::string name;
  std::int64_t users = 0;
  std::int64_t items = 0;
  // Training rows in the file's order, repeats kept: one training example each.
  std::vector<std::int32_t> train_users;
  std::vector<std::int32_t> train_items;
  Interactions train;  ///< the same as a binary matrix, repeats merged: for graphs, masks and rejection
  HeldOut valid;
  HeldOut test;
  std::map<std::string, Matrix> features;     ///< by modality name
  std::map<std::string, Graph> similarities;  ///< by modality name
  UserFeatures user_features;
  std::vector<InputFile> files;
  /// SHA-256 of the number of rows as a little-endian 64-bit integer, then of all rows in the file's order: the userIDs
  /// as little-endian 32-bit integers, the itemIDs likewise, the labels (0, 1, 2) as bytes.
  std::string split_sha256;
  std::int64_t dropped_valid = 0;  ///< held-out rows of users without a training row
  std::int64_t dropped_test = 0;
  std::vector<std::string> notices;  ///< what a person should know: repeats, no labels, dropped rows
};

/// Reads and checks everything before any training. The number of items is that of the feature or graph rows where
/// there are any, the number of users the largest userID + 1. Held-out rows of users without a training row are
/// dropped. A test split without rows is allowed, with a notice.
/// @throws IoError (a directory or file that is missing or cannot be read; no .inter file), FormatError (a file that is
///         not what it should be, an itemID that is not below the number of items: with the line; a NaN or infinity in
///         features: with row and column; an empty training or validation split: names `graft prepare split`),
///         InvalidArgument (rows of features and graphs that differ; several .inter files of which none has the
///         directory's name; a modality named twice, or not by letters, digits and _; user vectors: as find_user_source
///         and check_user_history), Cancelled, OutOfMemory
Dataset load_dataset(const DatasetOptions& options, const Context& context = {});

}  // namespace graft::training
