#include "file_checks.hpp"

#include <system_error>

#include <fmt/format.h>

#include <graft/core/error.hpp>
#include <graft/detail/atomic_file.hpp>

namespace graft::cli {

namespace fs = std::filesystem;

void check_input(std::string_view option, const fs::path& path, std::string_view hint) {
  const auto refuse = [&](std::string_view why) {
    throw IoError(fmt::format("{} = {}: {}", option, path.string(), why));
  };
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) refuse(fmt::format("no such file{}", hint));
  if (error) refuse(error.message());
  if (fs::is_directory(status)) refuse("is a directory; must be a file");
  if (!fs::is_regular_file(status)) refuse("must be a regular file (no pipe, no device)");
}

void check_directory(std::string_view option, const fs::path& path) {
  const auto refuse = [&](std::string_view why) {
    throw IoError(fmt::format("{} = {}: {}", option, path.string(), why));
  };
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) refuse("no such directory");
  if (error) refuse(error.message());
  if (!fs::is_directory(status)) refuse("must be a directory");
}

void check_output(const char* option, const fs::path& path) {
  // permissions say too little (root, read-only mounts): only a file that was made proves that one can be made
  const detail::AtomicFile probe(option, path);
}

bool same_file(const fs::path& a, const fs::path& b) {
  std::error_code error;
  if (fs::equivalent(a, b, error)) return true;
  const fs::path whole_a = fs::weakly_canonical(fs::absolute(a), error);
  if (error) return false;
  const fs::path whole_b = fs::weakly_canonical(fs::absolute(b), error);
  return !error && whole_a == whole_b;
}

}  // namespace graft::cli
