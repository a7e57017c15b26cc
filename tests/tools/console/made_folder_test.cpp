#include "tools/console/made_folder.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/files.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;

TEST(MadeFolder, GoesAgainWhereNothingCame) {
  const test::TempFolder folder;
  {
    const MadeFolder made(folder / "new");
    EXPECT_TRUE(fs::is_directory(folder / "new"));
  }
  EXPECT_FALSE(fs::exists(folder / "new"));
  {
    const MadeFolder made(folder / "new");
    test::write_bytes(folder / "new/file", {});
  }
  EXPECT_TRUE(fs::exists(folder / "new/file"));
}

TEST(MadeFolder, StaysWhereItWasThere) {
  const test::TempFolder folder;
  fs::create_directory(folder / "old");
  { const MadeFolder made(folder / "old"); }
  EXPECT_TRUE(fs::is_directory(folder / "old"));
}

TEST(MadeFolder, SaysWhyItCannotBeMade) {
  const test::TempFolder folder;
  const auto file = test::write_bytes(folder / "file", {});
  EXPECT_EQ(test::data_error_of([&] { const MadeFolder made(file / "new"); }),
            (file / "new").string() + ": cannot create the folder: Not a directory");
}

}  // namespace
}  // namespace millrace
