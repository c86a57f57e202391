#include "train/dataset_files.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include <graft/core/error.hpp>

namespace graft::training {

namespace fs = std::filesystem;

namespace {

constexpr const char* kDirectoryHint = "`graft prepare split` makes a dataset directory from files of interactions";

struct DefaultFeature {
  const char* modality;
  const char* file;
};
constexpr std::array<DefaultFeature, 3> kDefaultFeatures{
    {{"text", "text_feat.npy"}, {"image", "image_feat.npy"}, {"image_text", "image_text_feat.npy"}}};

/// What the directory is called, also where it is given as "." or with a slash at its end.
std::string base_name(const fs::path& directory) {
  const fs::path plain = fs::absolute(directory).lexically_normal();
  return (plain.has_filename() ? plain : plain.parent_path()).filename().string();
}

std::vector<fs::path> inter_files(const fs::path& directory) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".inter" && is_file(entry->path())) found.push_back(entry->path());
  }
  if (error) {
    throw IoError(detail::message(kDatasetOperation, directory.string(), "", "cannot be read: " + error.message()));
  }
  std::sort(found.begin(), found.end());
  return found;
}

fs::path find_interactions(const fs::path& directory) {
  std::error_code ignored;
  if (!fs::is_directory(directory, ignored)) {
    const char* const problem =
        fs::exists(directory, ignored) ? "must be a directory that holds NAME.inter, not a file" : "no such directory";
    throw IoError(detail::message(kDatasetOperation, directory.string(), "", problem));
  }
  const std::string expected = base_name(directory) + ".inter";
  if (is_file(directory / expected)) return directory / expected;
  const std::vector<fs::path> found = inter_files(directory);
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    throw IoError(detail::message(kDatasetOperation, directory.string(), "",
                                  fmt::format("holds no .inter file, {} by name; {}", expected, kDirectoryHint)));
  }
  std::string names;
  for (const fs::path& path : found) names += (names.empty() ? "" : ", ") + path.filename().string();
  throw InvalidArgument(detail::message(kDatasetOperation, directory.string(), "",
                                        fmt::format("holds several .inter files ({}), none of them {}: rename the one "
                                                    "that is meant",
                                                    names, expected)));
}

void check_name(const char* argument, const NamedPath& given, std::set<std::string>& taken) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  const std::string value = given.name + "=" + given.path.string();
  if (given.name.empty() || !std::all_of(given.name.begin(), given.name.end(), allowed)) {
    throw InvalidArgument(detail::message(kDatasetOperation, argument, value,
                                          "the name of a modality must be made of letters, digits and _"));
  }
  if (!taken.insert(given.name).second) {
    throw InvalidArgument(detail::message(
        kDatasetOperation, argument, value,
        fmt::format("{} is given twice; a modality has one file, features or a similarity graph", given.name)));
  }
  std::error_code ignored;
  if (!fs::exists(given.path, ignored)) {
    throw IoError(detail::message(kDatasetOperation, argument, value, "no such file"));
  }
}

}  // namespace

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored) && !fs::is_directory(path, ignored);
}

DatasetFiles find_dataset_files(const DatasetOptions& options) {
  DatasetFiles files;
  files.interactions = find_interactions(options.directory);
  files.name = files.interactions.stem().string();
  std::set<std::string> given;
  for (const NamedPath& feature : options.features) check_name("features", feature, given);
  for (const NamedPath& similarity : options.similarities) check_name("similarity", similarity, given);
  for (const auto& [modality, name] : kDefaultFeatures) {
    const fs::path path = options.directory / name;
    if (!options.default_features || given.contains(modality) || !is_file(path)) continue;
    files.modalities.push_back({.modality = modality, .path = path, .graph = false});
  }
  for (const NamedPath& feature : options.features) files.modalities.push_back({feature.name, feature.path, false});
  for (const NamedPath& graph : options.similarities) files.modalities.push_back({graph.name, graph.path, true});
  return files;
}

}  // namespace graft::training
