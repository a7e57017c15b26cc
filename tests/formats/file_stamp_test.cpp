#include "formats/file_stamp.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>

#include "tests/support/files.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

FileStamp stamp_at(const fs::path& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return stamp_of(status);
}

TEST(FileStamp, IsAnotherForAnotherSizeOrTimeAndTheSameForACopyThatKeepsBoth) {
  const test::TempFolder folder;
  const auto path = test::write_bytes(folder / "a", test::make_bytes("12"));
  const auto first = stamp_at(path);
  EXPECT_EQ(first.size, 2);
  const auto time = fs::last_write_time(path);
  test::write_bytes(path, test::make_bytes("123"));
  fs::last_write_time(path, time);
  EXPECT_NE(stamp_at(path), first);
  test::write_bytes(path, test::make_bytes("21"));
  fs::last_write_time(path, time + std::chrono::nanoseconds(1));
  EXPECT_NE(stamp_at(path), first);
  fs::copy_file(path, folder / "b");
  fs::rename(folder / "b", path);
  fs::last_write_time(path, time);
  EXPECT_EQ(stamp_at(path), first);
}

TEST(ChangedFile, SaysWhatHasChanged) {
  const auto text = [](const std::optional<FileStamp>& found) {
    return std::string(ChangedFile("a.png", {12, 5, 0}, found).what());
  };
  const std::string expected =
      "a.png: expected the file of 12 bytes that was there as its folder was opened, found ";
  EXPECT_EQ(text(FileStamp{13, 5, 0}), expected + "one of 13 bytes");
  EXPECT_EQ(text(FileStamp{12, 5, 1}), expected + "one that was written to since");
  EXPECT_EQ(text(std::nullopt), expected + "none");
}

}  // namespace
}  // namespace millrace
