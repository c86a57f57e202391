// Refuses bad inputs and outputs before the work, not after it.
#pragma once

#include <filesystem>
#include <string_view>

namespace graft::cli {

/// @throws IoError naming option and path unless the path leads to a regular file; `hint` follows "no such file"
void check_input(std::string_view option, const std::filesystem::path& path, std::string_view hint = "");

/// @throws IoError naming option and path unless the path leads to a directory
void check_directory(std::string_view option, const std::filesystem::path& path);

/// Makes sure that a file can be created where the output will be, and that what is there now may be replaced. Leaves
/// nothing behind. @throws IoError naming option and path
void check_output(const char* option, const std::filesystem::path& path);

/// Whether two paths lead, or will lead, to one file.
bool same_file(const std::filesystem::path& a, const std::filesystem::path& b);

}  // namespace graft::cli
