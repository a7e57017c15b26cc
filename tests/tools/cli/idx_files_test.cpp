#include "tools/cli/idx_files.h"

#include <gtest/gtest.h>

#include "tests/support/files.h"

namespace millrace {
namespace {

using test::data_error_of;
using test::make_bytes;
using test::TempFolder;
using test::write_bytes;

TEST(IdxFiles, FindsAllOfAFolderOrOne) {
  const TempFolder folder;
  for (const char* name : {"train-images-idx3-ubyte", "emnist-letters-t10k-labels-idx1-ubyte.gz",
                           "train-labels-idx1-ubyte.zst", "notes.txt"}) {
    write_bytes(folder / name, make_bytes("x"));
  }
  const auto found = idx_files_at(folder.path());
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].filename(), "emnist-letters-t10k-labels-idx1-ubyte.gz");
  EXPECT_EQ(idx_files_at(found[1]), std::vector<std::filesystem::path>{found[1]});
  EXPECT_NE(data_error_of([&] { idx_files_at(folder / "notes.txt"); }).find("of another name"),
            std::string::npos);
  const TempFolder empty;
  EXPECT_NE(data_error_of([&] { idx_files_at(empty.path()); }).find("an empty folder"),
            std::string::npos);
}

TEST(IdxFiles, NamesTheTarget) {
  const TempFolder folder;
  EXPECT_EQ(plain_name("a/b.gz"), "b");
  EXPECT_EQ(plain_name("a/b-idx3"), "b-idx3");
  EXPECT_EQ(target_in(folder.path(), "x/b.gz", ".zst", false), folder / "b.zst");
  write_bytes(folder / "b.zst", make_bytes("x"));
  EXPECT_NE(data_error_of([&] {
              target_in(folder.path(), "x/b.gz", ".zst", false);
            }).find("is there already"),
            std::string::npos);
  EXPECT_EQ(target_in(folder.path(), "x/b.gz", ".zst", true), folder / "b.zst");
  EXPECT_NE(data_error_of([&] {
              target_in(folder.path(), "x/b.gz", "", true);
            }).find("holds what b would hold too"),
            std::string::npos);
  EXPECT_EQ(target_in(folder.path(), folder / "b.zst", "", false), folder / "b");
}

}  // namespace
}  // namespace millrace
