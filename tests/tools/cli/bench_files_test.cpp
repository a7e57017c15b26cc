#include "tools/cli/bench_files.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <vector>

#include "tests/support/files.h"

namespace millrace {
namespace {

using test::ByteVector;
using test::TempFolder;
using test::write_bytes;

class BenchFiles : public testing::Test {
 protected:
  BenchFiles() {
    std::filesystem::create_directories(folder_ / "a/.hidden");
    write_bytes(folder_ / "b", ByteVector(3'000'000));
    write_bytes(folder_ / "a/c", ByteVector(10));
    write_bytes(folder_ / "a/empty", {});
    write_bytes(folder_ / "a/.hidden/d", ByteVector(5));
    write_bytes(folder_ / ".e", ByteVector(5));
    std::filesystem::create_directory_symlink(folder_.path(), folder_ / "a/loop");
    std::filesystem::create_symlink(folder_ / "nowhere", folder_ / "a/dangling");
  }
  const TempFolder folder_;
  std::atomic<bool> stop_{false};
};

TEST_F(BenchFiles, AreTheRegularOnesBelow) {
  EXPECT_EQ(files_at(folder_.path()), (std::vector<std::filesystem::path>{
                                          folder_ / "a/c", folder_ / "a/empty", folder_ / "b"}));
  EXPECT_EQ(files_at(folder_ / "b"), (std::vector<std::filesystem::path>{folder_ / "b"}));
}

TEST_F(BenchFiles, AreReadWholeByAnyThreads) {
  for (const std::uint32_t threads : {1U, 3U}) {
    const auto speed = read_cached(files_at(folder_.path()), threads, 0.0, stop_);
    ASSERT_TRUE(speed);
    EXPECT_EQ(speed->bytes, 3'000'010U);
    EXPECT_GT(speed->bytes_per_s(), 0.0);
  }
}

TEST_F(BenchFiles, FromTheDiskAreReadOnceOrNotAtAll) {
  const auto speed = read_uncached(files_at(folder_.path()), 2, 1000.0, stop_);
  // Folders in memory drop nothing.
  if (speed) {
    EXPECT_EQ(speed->bytes, 3'000'010U);
  }
}

TEST_F(BenchFiles, EndWhenStopped) {
  stop_ = true;
  EXPECT_FALSE(read_cached(files_at(folder_.path()), 1, 1000.0, stop_));
  EXPECT_FALSE(read_uncached(files_at(folder_.path()), 1, 1000.0, stop_));
}

TEST_F(BenchFiles, WithoutBytesAreNotMeasured) {
  EXPECT_FALSE(read_cached({folder_ / "a/empty"}, 1, 0.0, stop_));
  EXPECT_FALSE(read_uncached({folder_ / "a/empty"}, 1, 0.0, stop_));
}

}  // namespace
}  // namespace millrace
