// Dataset directories that appear whole or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <graft/core/context.hpp>
#include <graft/detail/atomic_file.hpp>

namespace graft::data {

/// A text file that is written piece by piece; it takes its name on commit() and vanishes without it.
class TextFile {
 public:
  /// @throws IoError
  TextFile(const char* operation, const std::filesystem::path& path) : file_(operation, path) {}

  /// Appends. @throws IoError
  void put(std::string_view text) {
    buffer_.append(text);
    if (buffer_.size() >= kPiece) flush();
  }
  void put(std::int64_t number);

  /// Call it once, last. @throws IoError
  void commit() {
    flush();
    file_.commit();
  }

 private:
  void flush() {
    file_.write(buffer_);
    buffer_.clear();
  }

  static constexpr std::size_t kPiece = std::size_t{1} << 20U;
  detail::AtomicFile file_;
  std::string buffer_;
};

/// A file of a dataset, for its description.
struct FileFacts {
  std::string name;
  std::int64_t bytes = 0;
  std::string sha256;  ///< of the file's bytes
};

/// A dataset directory under construction: a temporary directory beside the target, which takes the target's place on
/// commit() and vanishes, with all that is in it, without it.
///
///     DatasetWriter dataset("prepare split", out);
///     write_npy(dataset.path("text_feat.npy"), features);
///     const std::vector<FileFacts> files = dataset.files(context.cancel);
///     detail::write_file_atomically(dataset.path("dataset.json"), description(files));
///     dataset.commit();
class DatasetWriter {
 public:
  /// @param operation  for messages; must outlive the writer
  /// @param directory  the target: must not exist, or be an empty directory, whose mode is kept. Symbolic links are
  ///                   followed. Its parent must exist.
  /// @throws IoError naming the directory and what to do
  DatasetWriter(const char* operation, const std::filesystem::path& directory);
  DatasetWriter(const DatasetWriter&) = delete;
  DatasetWriter& operator=(const DatasetWriter&) = delete;
  DatasetWriter(DatasetWriter&&) = delete;
  DatasetWriter& operator=(DatasetWriter&&) = delete;
  ~DatasetWriter();

  /// The base name of the target: by convention the name of the dataset.
  [[nodiscard]] const std::string& name() const { return name_; }

  /// Where a file of the dataset is to be written until commit().
  [[nodiscard]] std::filesystem::path path(std::string_view file) const { return temporary_ / file; }

  /// The files written so far, by name. @throws IoError, Cancelled
  [[nodiscard]] std::vector<FileFacts> files(const CancelToken& cancel) const;

  /// Makes the directory permanent and puts it in the target's place. Call it once, last, when every file is complete.
  /// @throws IoError, also if something else took the target's place meanwhile
  void commit();

 private:
  void check_target() const;
  void create_temporary();

  const char* operation_;
  std::filesystem::path directory_;  ///< as the caller named it, for messages
  std::filesystem::path target_;     ///< what will appear
  std::filesystem::path temporary_;  ///< empty once it is gone
  std::string name_;
};

/// Checks that a DatasetWriter can be made for this directory, and leaves nothing behind. @throws IoError
void check_dataset_directory(const char* operation, const std::filesystem::path& directory);

}  // namespace graft::data
