#include <graft/detail/atomic_file.hpp>

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>

#include "../support/files.hpp"

namespace fs = std::filesystem;
using graft::IoError;
using graft::detail::AtomicFile;
using graft::detail::write_file_atomically;
using graft::test::expect_error;
using graft::test::read_bytes;
using graft::test::TempDir;
using graft::test::write_bytes;

namespace atomic_file_test {
namespace {

mode_t mode_of(const fs::path& path) {
  struct stat status = {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & mode_t{0777};
}

/// Limits the size of files that this process writes, for a scope.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit limited = {.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limited) == 0);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_ = {};
};

}  // namespace

TEST_CASE("AtomicFile: the target appears complete with commit, and nothing else stays") {
  const TempDir dir;
  {
    AtomicFile file("test", dir / "new.txt");
    file.write("hello ");
    CHECK(file.position() == 6);
    file.write("world");
    file.write_at(0, std::as_bytes(std::span("J", 1)));
    CHECK_FALSE(fs::exists(dir / "new.txt"));
    file.commit();
  }
  CHECK(read_bytes(dir / "new.txt") == "Jello world");
  CHECK(dir.entries() == 1);
}

TEST_CASE("AtomicFile: without commit the old content stays and the temporary file vanishes") {
  const TempDir dir;
  write_bytes(dir / "kept.txt", "old");
  const auto interrupted = [&] {
    AtomicFile file("test", dir / "kept.txt");
    file.write("new");
    CHECK(dir.entries() == 2);
    throw std::runtime_error("stop");
  };
  CHECK_THROWS_AS(interrupted(), std::runtime_error);
  CHECK(read_bytes(dir / "kept.txt") == "old");
  CHECK(dir.entries() == 1);
}

TEST_CASE("AtomicFile: a reader that has the old file open keeps the old content") {
  const TempDir dir;
  write_bytes(dir / "f", "old");
  std::ifstream reader(dir / "f");
  write_file_atomically(dir / "f", "new");
  std::string seen;
  reader >> seen;
  CHECK(seen == "old");
  CHECK(read_bytes(dir / "f") == "new");
}

TEST_CASE("AtomicFile: two writers of one target do not disturb each other; the last commit wins") {
  const TempDir dir;
  AtomicFile first("test", dir / "f");
  AtomicFile second("test", dir / "f");
  first.write("first");
  second.write("second");
  second.commit();
  first.commit();
  CHECK(read_bytes(dir / "f") == "first");
  CHECK(dir.entries() == 1);
}

TEST_CASE("AtomicFile: a new file has the mode that the umask leaves, an existing one keeps its own") {
  const TempDir dir;
  const mode_t before = ::umask(027);
  write_file_atomically(dir / "new", "x");
  write_bytes(dir / "old", "x");
  REQUIRE(::chmod((dir / "old").c_str(), 0606) == 0);
  write_file_atomically(dir / "old", "y");
  ::umask(before);
  CHECK(mode_of(dir / "new") == 0640);
  CHECK(mode_of(dir / "old") == 0606);
  CHECK(read_bytes(dir / "old") == "y");
}

TEST_CASE("AtomicFile: symbolic links are written through") {
  const TempDir dir;
  fs::create_directory(dir / "sub");
  write_bytes(dir / "sub/real", "old");
  fs::create_symlink("sub/real", dir / "relative");
  fs::create_symlink(dir / "relative", dir / "chain");
  write_file_atomically(dir / "chain", "new");
  CHECK(fs::is_symlink(dir / "chain"));
  CHECK(fs::is_symlink(dir / "relative"));
  CHECK(read_bytes(dir / "sub/real") == "new");

  SUBCASE("a link to a file that does not exist yet creates it") {
    fs::create_symlink("sub/later", dir / "dangling");
    write_file_atomically(dir / "dangling", "made");
    CHECK(fs::is_symlink(dir / "dangling"));
    CHECK(read_bytes(dir / "sub/later") == "made");
  }
  SUBCASE("a circle of links is an error") {
    fs::create_symlink("b", dir / "a");
    fs::create_symlink("a", dir / "b");
    expect_error<IoError>([&] { write_file_atomically(dir / "a", "x"); }, {"/a", "symbolic link"});
  }
}

TEST_CASE("AtomicFile: what is no regular file is refused and never replaced") {
  const TempDir dir;
  expect_error<IoError>([] { write_file_atomically("/dev/null", "x"); }, {"write", "/dev/null", "no regular file"});
  CHECK(fs::is_character_file("/dev/null"));
  expect_error<IoError>([] { write_file_atomically("/dev/full", "x"); }, {"/dev/full", "no regular file"});
  REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
  expect_error<IoError>([&] { write_file_atomically(dir / "pipe", "x"); }, {"pipe", "no regular file"});
  CHECK(fs::is_fifo(dir / "pipe"));
  expect_error<IoError>([&] { write_file_atomically(dir.path(), "x"); }, {"Is a directory"});
  expect_error<IoError>([&] { write_file_atomically(dir / "new/", "x"); }, {"Is a directory"});
  CHECK(dir.entries() == 1);
}

TEST_CASE("AtomicFile: a directory that is absent, or is a file, is an error with path and reason") {
  const TempDir dir;
  write_bytes(dir / "file", "x");
  expect_error<IoError>([&] { write_file_atomically(dir / "absent/f", "x", "save_npz"); },
                        {"save_npz", "absent/f", "No such file or directory"});
  expect_error<IoError>([&] { write_file_atomically(dir / "file/f", "x"); }, {"file/f", "Not a directory"});
  expect_error<IoError>([] { write_file_atomically("", "x"); }, {"No such file or directory"});
  expect_error<IoError>([&] { write_file_atomically(dir / std::string(300, 'n'), "x"); }, {"File name too long"});
}

TEST_CASE("AtomicFile: a relative path without a directory is written in the working directory") {
  const TempDir dir;
  const fs::path before = fs::current_path();
  fs::current_path(dir.path());
  write_file_atomically("here", "x");
  fs::current_path(before);
  CHECK(read_bytes(dir / "here") == "x");
}

TEST_CASE("AtomicFile: the longest file name works") {
  const TempDir dir;
  const std::string name(255, 'n');
  write_file_atomically(dir / name, "x");
  CHECK(read_bytes(dir / name) == "x");
}

TEST_CASE("AtomicFile: a read-only file is not replaced") {
  const TempDir dir;
  if (::geteuid() == 0) {
    MESSAGE("skipped: the superuser may write everything");
    return;
  }
  write_bytes(dir / "fixed", "old");
  REQUIRE(::chmod((dir / "fixed").c_str(), 0444) == 0);
  expect_error<IoError>([&] { write_file_atomically(dir / "fixed", "x"); }, {"fixed", "Permission denied"});
  CHECK(read_bytes(dir / "fixed") == "old");
}

TEST_CASE("AtomicFile: a write over the file size limit is an IoError, not a signal, and leaves nothing behind") {
  const TempDir dir;
  write_bytes(dir / "kept", "old");
  {
    const FileSizeLimit limit(4096);
    expect_error<IoError>([&] { write_file_atomically(dir / "kept", std::string(10000, 'x')); },
                          {"kept", "cannot write", "File too large"});
  }
  CHECK(read_bytes(dir / "kept") == "old");
  CHECK(dir.entries() == 1);
  sigset_t pending = {};
  sigpending(&pending);
  CHECK(sigismember(&pending, SIGXFSZ) == 0);
}

}  // namespace atomic_file_test
