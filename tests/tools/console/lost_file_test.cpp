#include "tools/console/lost_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "formats/mapped_file.h"
#include "tests/support/files.h"

namespace millrace {
namespace {

using test::TempFolder;
using test::write_bytes;

TEST(FileMappedAt, IsThatOfTheAddress) {
  constexpr std::string_view kLine =
      "7f0000001000-7f0000003000 r--p 00000000 fd:00 1311754                  /data/my images.idx";
  EXPECT_EQ(file_mapped_at(0x7f0000001000, kLine), "/data/my images.idx");
  EXPECT_EQ(file_mapped_at(0x7f0000002fff, kLine), "/data/my images.idx");
  EXPECT_EQ(file_mapped_at(0x7f0000000fff, kLine), "");
  EXPECT_EQ(file_mapped_at(0x7f0000003000, kLine), "");
}

TEST(FileMappedAt, IsNoneWhereTheLineNamesNone) {
  EXPECT_EQ(file_mapped_at(0x1000, "1000-2000 rw-p 00000000 00:00 0 "), "");
  EXPECT_EQ(file_mapped_at(0x1000, "1000-2000 rw-p 00000000 00:00 0      [heap]"), "");
  for (const char* text : {"", "1000", "1000-", "-2000", "x"}) {
    EXPECT_EQ(file_mapped_at(0x1000, text), "") << text;
  }
}

// Names what it was that got lost, of several that are mapped.
TEST(EndForLostFiles, NamesTheFile) {
  const TempFolder folder;
  const test::ByteVector content(100'000);
  write_bytes(folder / "whole", content);
  write_bytes(folder / "cut short", content);
  const auto read_behind_the_end = [&] {
    std::signal(SIGBUS, SIG_DFL);
    end_for_lost_files("program", 7);
    const MappedFile whole(folder / "whole");
    const MappedFile cut(folder / "cut short");
    if (::truncate((folder / "cut short").c_str(), 0) != 0) ::_exit(1);
    const volatile std::byte* last = &cut.bytes().back();
    ::_exit(static_cast<int>(*last) + static_cast<int>(whole.bytes().back()));
  };
  EXPECT_EXIT(
      read_behind_the_end(), testing::ExitedWithCode(7),
      "^program: /.*/cut short has become shorter, or its disk fails; what was saved before "
      "is whole\n$");
}

}  // namespace
}  // namespace millrace
