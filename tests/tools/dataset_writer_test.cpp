#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <graft/detail/atomic_file.hpp>

#include "data/dataset_writer.hpp"
#include "support/files.hpp"

namespace graft::data {
namespace dataset_writer_test {
namespace {

namespace fs = std::filesystem;
using test::expect_error;
using test::read_bytes;
using test::TempDir;
using test::write_bytes;

TEST_CASE("DatasetWriter: the directory appears with its files on commit, and only then") {
  const TempDir folder;
  const fs::path out = folder / "shop";
  {
    DatasetWriter dataset("test", out);
    CHECK(dataset.name() == "shop");
    detail::write_file_atomically(dataset.path("b.txt"), "two");
    detail::write_file_atomically(dataset.path("a.txt"), "abc");
    CHECK_FALSE(fs::exists(out));
    const std::vector<FileFacts> files = dataset.files({});
    REQUIRE(files.size() == 2);
    CHECK(files[0].name == "a.txt");
    CHECK(files[0].bytes == 3);
    CHECK(files[0].sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(files[1].name == "b.txt");
    dataset.commit();
    CHECK(read_bytes(out / "b.txt") == "two");
  }
  CHECK(read_bytes(out / "a.txt") == "abc");
  CHECK(folder.entries() == 1);
}

TEST_CASE("DatasetWriter: without commit nothing is left") {
  const TempDir folder;
  {
    const DatasetWriter dataset("test", folder / "shop");
    detail::write_file_atomically(dataset.path("a.txt"), "abc");
    CHECK(folder.entries() == 1);
  }
  CHECK(folder.entries() == 0);
  check_dataset_directory("test", folder / "shop");
  CHECK(folder.entries() == 0);
}

TEST_CASE("DatasetWriter: an empty directory is filled and keeps its mode") {
  const TempDir folder;
  const fs::path out = folder / "shop";
  fs::create_directory(out);
  constexpr mode_t kMode = 0750;
  REQUIRE(::chmod(out.c_str(), kMode) == 0);
  DatasetWriter dataset("test", out.string() + "/");
  CHECK(dataset.name() == "shop");
  detail::write_file_atomically(dataset.path("a.txt"), "abc");
  dataset.commit();
  CHECK(read_bytes(out / "a.txt") == "abc");
  struct stat status = {};
  REQUIRE(::stat(out.c_str(), &status) == 0);
  CHECK((status.st_mode & mode_t{07777}) == kMode);
  CHECK(folder.entries() == 1);
}

TEST_CASE("DatasetWriter: a symbolic link is followed and stays; the name is the link's") {
  const TempDir folder;
  fs::create_directory(folder / "real");
  fs::create_directory_symlink("real", folder / "link");
  DatasetWriter dataset("test", folder / "link");
  CHECK(dataset.name() == "link");
  detail::write_file_atomically(dataset.path("a.txt"), "abc");
  dataset.commit();
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(read_bytes(folder / "real" / "a.txt") == "abc");
}

TEST_CASE("DatasetWriter: what exists is refused and stays as it is") {
  const TempDir folder;
  fs::create_directory(folder / "full");
  write_bytes(folder / "full" / "old", "old");
  write_bytes(folder / "file", "old");
  const std::string full = (folder / "full").string();
  expect_error<IoError>([&] { check_dataset_directory("test", full); },
                        {"test: ", full.c_str(), "exists and is not empty", "remove it or name a new directory"});
  const std::string file = (folder / "file").string();
  expect_error<IoError>([&] { check_dataset_directory("test", file); }, {file.c_str(), "exists and is no directory"});
  CHECK(read_bytes(folder / "full" / "old") == "old");
  CHECK(read_bytes(folder / "file") == "old");
  CHECK(folder.entries() == 2);
}

TEST_CASE("DatasetWriter: a directory that cannot be made is refused in words") {
  const TempDir folder;
  write_bytes(folder / "file", "old");
  const std::string nowhere = (folder / "none").string();
  expect_error<IoError>([&] { check_dataset_directory("test", nowhere + "/shop"); },
                        {nowhere.c_str(), "does not exist", "create it first"});
  expect_error<IoError>([&] { check_dataset_directory("test", (folder / "file").string() + "/shop"); },
                        {"no directory"});
  for (const char* last : {".", "..", "./", "sub/..", "/"}) {
    expect_error<IoError>([&] { check_dataset_directory("test", last); }, {"must end with the name"});
  }
  expect_error<IoError>([&] { check_dataset_directory("test", ""); }, {"cannot write"});
  expect_error<IoError>([&] { check_dataset_directory("test", "/proc/shop"); }, {"/proc"});
  CHECK(folder.entries() == 1);
}

TEST_CASE("DatasetWriter: what takes the place of the target meanwhile is not replaced") {
  const TempDir folder;
  const fs::path out = folder / "shop";
  {
    DatasetWriter dataset("test", out);
    detail::write_file_atomically(dataset.path("a.txt"), "abc");
    fs::create_directory(out);
    write_bytes(out / "other", "other");
    expect_error<IoError>([&] { dataset.commit(); }, {"shop", "cannot take the place"});
  }
  CHECK(read_bytes(out / "other") == "other");
  CHECK_FALSE(fs::exists(out / "a.txt"));
  CHECK(folder.entries() == 1);
}

TEST_CASE("DatasetWriter: hashing can be cancelled") {
  const TempDir folder;
  const DatasetWriter dataset("test", folder / "shop");
  detail::write_file_atomically(dataset.path("a.txt"), "abc");
  const CancelToken cancel;
  cancel.cancel();
  CHECK_THROWS_AS(static_cast<void>(dataset.files(cancel)), Cancelled);
}

TEST_CASE("TextFile: writes text and numbers in order, also beyond its buffer") {
  const TempDir folder;
  const fs::path path = folder / "rows.tsv";
  std::string expected;
  {
    TextFile file("test", path);
    for (std::int64_t row = 0; row < 300'000; ++row) {
      file.put(row);
      file.put("\t");
      file.put(-row);
      file.put("\n");
      expected += std::to_string(row) + "\t" + std::to_string(-row) + "\n";
    }
    file.put(std::numeric_limits<std::int64_t>::min());
    expected += "-9223372036854775808";
    CHECK_FALSE(fs::exists(path));
    file.commit();
  }
  CHECK(read_bytes(path) == expected);
  {
    TextFile(("test"), folder / "other.tsv").put("never committed");
  }
  CHECK(folder.entries() == 1);
}

}  // namespace
}  // namespace dataset_writer_test
}  // namespace graft::data
