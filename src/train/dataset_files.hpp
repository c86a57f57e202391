// Which files a dataset is read from.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "train/dataset.hpp"

namespace graft::training {

/// Begins the errors about datasets.
inline constexpr const char* kDatasetOperation = "dataset";

/// A feature matrix (.npy) or a similarity graph (.npz).
struct ModalityFile {
  std::string modality;
  std::filesystem::path path;
  bool graph = false;

  /// "features text", "similarity image"
  [[nodiscard]] std::string role() const { return (graph ? "similarity " : "features ") + modality; }
};

struct DatasetFiles {
  std::string name;  ///< of the .inter file
  std::filesystem::path interactions;
  std::vector<ModalityFile> modalities;  ///< the directory's own, then the given features, then the given graphs
};

/// Whether there is something to read that is no directory.
bool is_file(const std::filesystem::path& path);

/// @throws as load_dataset does for names and files that are missing
DatasetFiles find_dataset_files(const DatasetOptions& options);

}  // namespace graft::training
