#include "formats/mapped_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "formats/regular_file.h"
#include "tests/support/files.h"

namespace millrace {
namespace {

using test::data_error_of;
using test::make_bytes;
using test::TempFolder;
using test::write_bytes;

TEST(MappedFile, ShowsTheBytes) {
  const TempFolder folder;
  const auto bytes = make_bytes("a mill");
  const MappedFile file(write_bytes(folder / "a", bytes));
  EXPECT_TRUE(std::ranges::equal(file.bytes(), bytes));
  file.expect_sequential();
}

TEST(MappedFile, AnEmptyFileIsEmpty) {
  const TempFolder folder;
  const MappedFile file(write_bytes(folder / "a", {}));
  EXPECT_TRUE(file.bytes().empty());
  file.expect_sequential();
}

TEST(MappedFile, KeepsTheBytesOfAFileThatIsReplacedOrRemoved) {
  const TempFolder folder;
  const auto bytes = make_bytes("old");
  const MappedFile file(write_bytes(folder / "a", bytes));
  write_bytes(folder / "b", make_bytes("new"));
  std::filesystem::rename(folder / "b", folder / "a");
  EXPECT_TRUE(std::ranges::equal(file.bytes(), bytes));
}

TEST(MappedFile, IsOfTheFileThatIsOpen) {
  const TempFolder folder;
  const auto bytes = make_bytes("old");
  const RegularFile open(write_bytes(folder / "a", bytes));
  write_bytes(folder / "b", make_bytes("new"));
  std::filesystem::rename(folder / "b", folder / "a");
  const MappedFile file(open);
  EXPECT_TRUE(std::ranges::equal(file.bytes(), bytes));
}

TEST(MappedFile, MoveHandsOver) {
  const TempFolder folder;
  const auto one = make_bytes("one");
  const auto two = make_bytes("two");
  MappedFile first(write_bytes(folder / "1", one));
  MappedFile second(std::move(first));
  EXPECT_TRUE(first.bytes().empty());  // NOLINT(bugprone-use-after-move): what is promised of it
  EXPECT_TRUE(std::ranges::equal(second.bytes(), one));
  second = MappedFile(write_bytes(folder / "2", two));
  EXPECT_TRUE(std::ranges::equal(second.bytes(), two));
}

TEST(MappedFile, NamesAMissingFile) {
  EXPECT_EQ(data_error_of([] { MappedFile("/nowhere/at/all"); }),
            "/nowhere/at/all: cannot open: No such file or directory");
}

TEST(MappedFile, RefusesAFolder) {
  const TempFolder folder;
  EXPECT_EQ(data_error_of([&] { MappedFile(folder.path()); }),
            folder.path().string() + ": expected a file, found a folder");
}

TEST(MappedFile, RefusesADevice) {
  EXPECT_EQ(data_error_of([] { MappedFile("/dev/zero"); }),
            "/dev/zero: expected a regular file, found a device, pipe or socket");
}

TEST(MappedFile, RefusesAPipeWithoutWaitingForItsWriter) {
  const TempFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(
      data_error_of([&] { MappedFile(folder / "pipe"); }),
      (folder / "pipe").string() + ": expected a regular file, found a device, pipe or socket");
}

TEST(MappedFile, ReadsAgainWhatItForgot) {
  const TempFolder folder;
  test::ByteVector content(100'000);
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<std::byte>(i % 251);
  test::write_bytes(folder / "file", content);
  const MappedFile file(folder / "file");
  for (const auto& [at, length] : {std::pair<std::size_t, std::size_t>{0, 100'000},
                                   {5000, 50'000},
                                   {99'999, std::numeric_limits<std::size_t>::max()},
                                   {100'000, 1},
                                   {7, 0}}) {
    file.forget(at, length);
    EXPECT_TRUE(std::ranges::equal(file.bytes(), content));
    file.expect(at, length);
    EXPECT_TRUE(std::ranges::equal(file.bytes(), content));
  }
  MappedFile().forget(0, 1);
  MappedFile().expect(0, 1);
  MappedFile().expect_sequential();
}

}  // namespace
}  // namespace millrace
