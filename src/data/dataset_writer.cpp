#include "dataset_writer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <system_error>

#include <fmt/format.h>

#include <graft/core/error.hpp>
#include <graft/detail/file_handle.hpp>

#include "sha256.hpp"

namespace graft::data {

namespace fs = std::filesystem;

namespace {

/// The directory without a slash at its end, absolute, so that it has a parent and a base name.
fs::path plain_path(const fs::path& directory) {
  fs::path plain = fs::absolute(directory).lexically_normal();
  if (!plain.has_filename()) plain = plain.parent_path();
  return plain;
}

void sync_directory(const char* operation, const fs::path& directory, const fs::path& named) {
  const detail::FileHandle handle(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!handle.open()) return;  // may be written but not read: cannot be asked
  while (::fsync(handle.get()) != 0) {
    if (errno == EINTR) continue;
    if (errno == EINVAL || errno == ENOTSUP) return;  // a file system that cannot
    throw detail::io_error(operation, named, "cannot be made permanent", errno);
  }
}

}  // namespace

void TextFile::put(std::int64_t number) {
  std::array<char, 24> digits{};
  const char* end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  put(std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data())));
}

DatasetWriter::DatasetWriter(const char* operation, const fs::path& directory)
    : operation_(operation), directory_(directory) {
  if (directory.empty()) throw detail::io_error(operation, directory, "cannot write", ENOENT);
  target_ = detail::resolve_links(operation, plain_path(directory));
  if (!target_.has_filename()) target_ = target_.parent_path();
  name_ = plain_path(directory).filename().string();
  check_target();
  create_temporary();
}

DatasetWriter::~DatasetWriter() {
  if (temporary_.empty()) return;
  std::error_code ignored;
  fs::remove_all(temporary_, ignored);
}

void DatasetWriter::check_target() const {
  const auto refuse = [this](const std::string& why) {
    throw IoError(fmt::format("{}: {}: {}", operation_, directory_.string(), why));
  };
  // a directory that somebody stands in must not be replaced under them
  const fs::path last = directory_.filename().empty() ? directory_.parent_path().filename() : directory_.filename();
  if (last.empty() || last == "." || last == "..") refuse("must end with the name of a new directory");
  std::error_code error;
  const fs::path parent = target_.parent_path();
  const fs::file_status status = fs::status(parent, error);
  if (!fs::exists(status)) refuse(fmt::format("{} does not exist; create it first", parent.string()));
  if (!fs::is_directory(status)) refuse(fmt::format("{} is no directory", parent.string()));
  struct stat target = {};
  if (::stat(target_.c_str(), &target) != 0) {
    if (errno == ENOENT) return;
    throw detail::io_error(operation_, directory_, "cannot write", errno);
  }
  if (!S_ISDIR(target.st_mode)) refuse("exists and is no directory; name a new one");
  const bool empty = fs::is_empty(target_, error);
  if (error) refuse(fmt::format("cannot be read: {}", error.message()));
  if (!empty) refuse("exists and is not empty; remove it or name a new directory");
  struct stat above = {};
  if (::stat(parent.c_str(), &above) == 0 && above.st_dev != target.st_dev) {
    refuse("is the root of another file system and cannot be replaced; name a new directory in it");
  }
}

void DatasetWriter::create_temporary() {
  const fs::path parent = target_.parent_path();
  for (int attempt = 0;; ++attempt) {
    temporary_ = parent / fmt::format(".graft-{}-{}.tmp", ::getpid(), attempt);
    if (::mkdir(temporary_.c_str(), mode_t{0777}) == 0) break;
    if (errno == EEXIST || errno == EINTR) continue;
    const int error = errno;
    temporary_.clear();
    throw detail::io_error(operation_, directory_, "cannot create a directory in " + parent.string(), error);
  }
  struct stat target = {};
  if (::stat(target_.c_str(), &target) != 0) return;
  if (::chmod(temporary_.c_str(), target.st_mode & mode_t{07777}) == 0) return;
  const int error = errno;
  ::rmdir(temporary_.c_str());  // called from the constructor: no destructor runs
  throw detail::io_error(operation_, directory_, "cannot keep the mode of the directory", error);
}

std::vector<FileFacts> DatasetWriter::files(const CancelToken& cancel) const {
  std::vector<FileFacts> facts;
  try {
    for (const fs::directory_entry& entry : fs::directory_iterator(temporary_)) {
      facts.push_back({entry.path().filename().string(), static_cast<std::int64_t>(entry.file_size()), ""});
    }
  } catch (const fs::filesystem_error& error) {
    throw IoError(fmt::format("{}: {}: cannot be read: {}", operation_, directory_.string(), error.code().message()));
  }
  std::sort(facts.begin(), facts.end(), [](const FileFacts& a, const FileFacts& b) { return a.name < b.name; });
  for (FileFacts& file : facts) file.sha256 = sha256_of_file(path(file.name), cancel);
  return facts;
}

void DatasetWriter::commit() {
  sync_directory(operation_, temporary_, directory_);
  // a rename replaces an empty directory and nothing else: what appeared meanwhile is safe
  if (std::rename(temporary_.c_str(), target_.c_str()) != 0) {
    throw detail::io_error(operation_, directory_, "cannot take the place of the directory", errno);
  }
  temporary_.clear();
  sync_directory(operation_, target_.parent_path(), directory_);
}

void check_dataset_directory(const char* operation, const fs::path& directory) {
  const DatasetWriter probe(operation, directory);
}

}  // namespace graft::data
