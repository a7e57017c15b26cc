#include "formats/regular_file.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/files.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using test::data_error_of;
using test::make_bytes;

// What is refused is tested with MappedFile.
TEST(RegularFile, IsReadWhole) {
  const test::TempFolder folder;
  const auto content = make_bytes("a mill");
  const auto path = test::write_bytes(folder / "a", content);
  const auto bytes = read_whole(path, stamp_of(RegularFile(path).status));
  EXPECT_TRUE(std::ranges::equal(bytes.view(), content));
  EXPECT_FALSE(bytes.mapped());
  EXPECT_EQ(read_whole(test::write_bytes(folder / "b", {})).size(), 0U);
}

TEST(RegularFile, IsMappedWhereItIsLarge) {
  const test::TempFolder folder;
  const auto path = test::write_bytes(folder / "a", make_bytes("x"));
  fs::resize_file(path, kMostRead + 1);
  EXPECT_TRUE(read_whole(path).mapped());
  fs::resize_file(path, kMostRead);
  EXPECT_FALSE(read_whole(path).mapped());
  EXPECT_TRUE(read_whole(path, std::nullopt, kMostRead - 1).mapped());
}

TEST(RegularFile, ThatIsCutShortWhileItIsReadIsNamed) {
  const test::TempFolder folder;
  const auto path = test::write_bytes(folder / "a", make_bytes("a mill"));
  const RegularFile file(path);
  fs::resize_file(path, 2);
  EXPECT_EQ(data_error_of([&] { (void)read_front(file, 6); }),
            path.string() + ": byte 2: expected 6 bytes, found the end of the file");
}

TEST(RegularFile, ThatIsAnotherIsNoBadSample) {
  const test::TempFolder folder;
  const auto path = test::write_bytes(folder / "a", make_bytes("a mill"));
  const auto known = stamp_of(RegularFile(path).status);
  fs::resize_file(path, 2);
  EXPECT_THROW((void)read_whole(path, known), ChangedFile);
  fs::remove(path);
  EXPECT_THROW((void)read_whole(path, known), ChangedFile);
}

}  // namespace
}  // namespace millrace
