#include "formats/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/limits.h"

namespace millrace {
namespace {

using test::data_error_of;
using test::make_bytes;
using test::read_bytes;
using test::TempFolder;
using test::write_bytes;
using Names = std::vector<std::string>;

TEST(AtomicFile, AppearsWithCommit) {
  const TempFolder folder;
  AtomicFile file(folder / "a");
  file.write("one ");
  file.write(make_bytes("two"));
  EXPECT_EQ(file.size(), 7U);
  EXPECT_FALSE(std::filesystem::exists(folder / "a"));
  EXPECT_TRUE(std::filesystem::exists(file.temporary()));
  EXPECT_EQ(file.temporary().parent_path(), folder.path())
      << "a rename must not cross file systems";
  file.commit();
  EXPECT_EQ(folder.names(), Names{"a"});
  EXPECT_EQ(read_bytes(folder / "a"), make_bytes("one two"));
}

TEST(AtomicFile, ReplacesAnOlderFileOnlyWithCommit) {
  const TempFolder folder;
  write_bytes(folder / "a", make_bytes("old"));
  {
    AtomicFile dropped(folder / "a");
    dropped.write("new");
  }
  EXPECT_EQ(folder.names(), Names{"a"});
  EXPECT_EQ(read_bytes(folder / "a"), make_bytes("old"));
  AtomicFile file(folder / "a");
  file.write("new");
  file.commit();
  EXPECT_EQ(folder.names(), Names{"a"});
  EXPECT_EQ(read_bytes(folder / "a"), make_bytes("new"));
}

TEST(AtomicFile, MayBeEmpty) {
  const TempFolder folder;
  AtomicFile(folder / "a").commit();
  EXPECT_EQ(std::filesystem::file_size(folder / "a"), 0U);
}

TEST(AtomicFile, KeepsEveryByteOfPiecesOfAnySize) {
  const TempFolder folder;
  AtomicFile file(folder / "a");
  test::ByteVector expected;
  // Around the size of its buffer, where an off-by-one would be.
  const std::size_t buffer = std::size_t{64} << 10;
  int value = 0;
  for (const std::size_t size :
       {std::size_t{1}, buffer - 1, std::size_t{1}, buffer, std::size_t{0}, buffer + 1,
        std::size_t{3}, 5 * buffer + 7, buffer - 3, std::size_t{2}, std::size_t{2}}) {
    const test::ByteVector piece(size, static_cast<std::byte>(++value));
    file.write(piece);
    expected.insert(expected.end(), piece.begin(), piece.end());
    EXPECT_EQ(file.size(), expected.size());
  }
  file.commit();
  EXPECT_TRUE(read_bytes(folder / "a") == expected);
}

TEST(AtomicFile, WorksInTheCurrentFolder) {
  const TempFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  AtomicFile file("a");
  file.write("x");
  file.commit();
  std::filesystem::current_path(before);
  EXPECT_EQ(folder.names(), Names{"a"});
}

TEST(AtomicFile, KeepsThePermissionsOfTheOlderFile) {
  const TempFolder folder;
  write_bytes(folder / "a", {});
  ASSERT_EQ(::chmod((folder / "a").c_str(), 0640), 0);
  AtomicFile(folder / "a").commit();
  struct stat status {};
  ASSERT_EQ(::stat((folder / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0640U);
}

TEST(AtomicFile, GivesANewFileThePermissionsOfTheProcess) {
  const TempFolder folder;
  const auto mask = ::umask(0027);
  AtomicFile(folder / "a").commit();
  ::umask(mask);
  struct stat status {};
  ASSERT_EQ(::stat((folder / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0640U);
}

TEST(AtomicFile, ReplacesASymbolicLinkAndNotWhatItPointsTo) {
  const TempFolder folder;
  write_bytes(folder / "target", make_bytes("old"));
  std::filesystem::create_symlink("target", folder / "a");
  AtomicFile file(folder / "a");
  file.write("new");
  file.commit();
  EXPECT_FALSE(std::filesystem::is_symlink(folder / "a"));
  EXPECT_EQ(read_bytes(folder / "target"), make_bytes("old"));
}

TEST(AtomicFile, MoveHandsOver) {
  const TempFolder folder;
  AtomicFile first(folder / "a");
  first.write("a");
  AtomicFile second(std::move(first));
  second.write("b");
  second.commit();
  EXPECT_EQ(folder.names(), Names{"a"});
  EXPECT_EQ(read_bytes(folder / "a"), make_bytes("ab"));
  EXPECT_THROW(first.write("x"), std::logic_error);  // NOLINT(bugprone-use-after-move)
  EXPECT_THROW(second.commit(), std::logic_error);
}

TEST(AtomicFile, TwoWritersOfOnePathDoNotMix) {
  const TempFolder folder;
  AtomicFile one(folder / "a");
  AtomicFile two(folder / "a");
  one.write("one");
  two.write("two");
  one.commit();
  EXPECT_EQ(read_bytes(folder / "a"), make_bytes("one"));
  two.commit();
  EXPECT_EQ(read_bytes(folder / "a"), make_bytes("two"));
}

TEST(AtomicFile, ManyWritersAndRemoversAtOnceDoNotDisturbEachOther) {
  const TempFolder folder;
  std::vector<pid_t> writers;
  for (const char letter : {'a', 'b', 'c', 'd'}) {
    writers.push_back(::fork());
    if (writers.back() != 0) continue;
    try {
      for (int time = 0; time < 50; ++time) {
        AtomicFile file(folder / "file");
        file.write(std::string(1000, letter));
        file.commit();
        remove_stale_temporaries(folder.path());
      }
    } catch (const std::exception&) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  for (const pid_t writer : writers) {
    int status = -1;
    ASSERT_EQ(::waitpid(writer, &status, 0), writer);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(folder.names(), Names{"file"});
  const auto bytes = read_bytes(folder / "file");
  EXPECT_EQ(bytes, test::ByteVector(1000, bytes.at(0)));
}

TEST(AtomicFile, NamesAMissingFolder) {
  const TempFolder folder;
  EXPECT_EQ(data_error_of([&] { AtomicFile(folder / "b" / "a"); }),
            (folder / "b" / "a").string() + ": cannot create: open folder " +
                (folder / "b").string() + ": No such file or directory");
}

TEST(AtomicFile, RefusesAFolder) {
  const TempFolder folder;
  EXPECT_EQ(data_error_of([&] { AtomicFile(folder.path()); }),
            folder.path().string() + ": cannot create: Is a directory");
  EXPECT_EQ(data_error_of([&] { AtomicFile(folder / ""); }),
            (folder / "").string() + ": cannot create: Is a directory");
}

TEST(AtomicFile, RefusesADevice) {
  EXPECT_EQ(data_error_of([] { AtomicFile("/dev/full"); }),
            "/dev/full: cannot replace: not a regular file");
}

TEST(AtomicFile, RefusesALinkToADeviceOrFolder) {
  const TempFolder folder;
  const auto path = folder / "link";
  for (const auto& [target, why] : {std::pair{"/dev/null", "cannot replace: not a regular file"},
                                    std::pair{"/", "cannot create: Is a directory"}}) {
    std::filesystem::create_symlink(target, path);
    EXPECT_EQ(data_error_of([&] { AtomicFile{path}; }), path.string() + ": " + why);
    EXPECT_TRUE(std::filesystem::is_symlink(path));
    std::filesystem::remove(path);
  }
  std::filesystem::create_symlink("nowhere", path);
  AtomicFile(path).commit();
  EXPECT_FALSE(std::filesystem::is_symlink(path));
}

TEST(AtomicFile, NamesAFolderThatCannotBeWritten) {
  const TempFolder folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0555));
  const test::WithoutRoot nobody;
  EXPECT_EQ(data_error_of([&] { AtomicFile(folder / "a"); }),
            (folder / "a").string() + ": cannot create a temporary file in " +
                folder.path().string() + ": Permission denied");
}

TEST(AtomicFile, AFullDiskLeavesTheOlderFile) {
  const TempFolder folder;
  const auto old = make_bytes("old");
  write_bytes(folder / "a", old);
  const test::FileSizeLimit limit(100'000);
  {
    AtomicFile file(folder / "a");
    file.write(test::ByteVector(90'000));
    EXPECT_EQ(data_error_of([&] { file.write(test::ByteVector(90'000)); }),
              (folder / "a").string() +
                  ": cannot write 80000 bytes to its temporary file: File too large");
    EXPECT_THROW(file.write("x"), std::logic_error);
    EXPECT_THROW(file.commit(), std::logic_error) << "a file with a hole must not be committed";
  }
  EXPECT_EQ(folder.names(), Names{"a"});
  EXPECT_EQ(read_bytes(folder / "a"), old);
}

TEST(AtomicFile, AFullDiskIsSeenByCommitToo) {
  const TempFolder folder;
  const test::FileSizeLimit limit(10);
  {
    AtomicFile file(folder / "a");
    file.write("more than ten bytes");  // stays in the buffer
    EXPECT_EQ(
        data_error_of([&] { file.commit(); }),
        (folder / "a").string() + ": cannot write 9 bytes to its temporary file: File too large");
  }
  EXPECT_EQ(folder.names(), Names{});
}

TEST(AtomicFile, SyncWritesWhatIsGatheredUnderTheTemporaryName) {
  const TempFolder folder;
  AtomicFile file(folder / "a");
  file.write("x");
  file.sync();
  EXPECT_EQ(std::filesystem::file_size(file.temporary()), 1U);
  EXPECT_FALSE(std::filesystem::exists(folder / "a"));
  file.write("y");
  file.commit();
  EXPECT_EQ(std::filesystem::file_size(folder / "a"), 2U);
  const test::FileSizeLimit limit(10);
  AtomicFile full(folder / "b");
  full.write("more than ten bytes");
  EXPECT_NE(data_error_of([&] { full.sync(); }).find("File too large"), std::string::npos);
  EXPECT_THROW(full.commit(), std::logic_error);
}

TEST(AtomicFile, AFolderThatGoesAwayIsSeenByCommit) {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "b");
  AtomicFile file(folder / "b" / "a");
  file.write("x");
  std::filesystem::remove_all(folder / "b");
  EXPECT_EQ(data_error_of([&] { file.commit(); }),
            (folder / "b" / "a").string() +
                ": cannot rename its temporary file: No such file or directory");
}

/// Starts a process that begins to write `path` and then waits; returns when it has begun.
pid_t start_writer(const std::filesystem::path& path) {
  int ready[2] = {-1, -1};
  if (::pipe(ready) != 0) return -1;
  const pid_t child = ::fork();
  if (child == 0) {
    AtomicFile file(path);
    file.write(test::ByteVector(200'000));
    if (::write(ready[1], "x", 1) != 1) ::_exit(1);
    ::pause();
    ::_exit(0);
  }
  char byte = 0;
  const auto got = ::read(ready[0], &byte, 1);
  ::close(ready[0]);
  ::close(ready[1]);
  return got == 1 ? child : -1;
}

TEST(RemoveStaleTemporaries, TakesWhatAKilledProcessLeft) {
  const TempFolder folder;
  write_bytes(folder / "a", make_bytes("old"));
  write_bytes(folder / ".hidden", {});
  const pid_t writer = start_writer(folder / "a");
  ASSERT_GT(writer, 0);
  EXPECT_EQ(remove_stale_temporaries(folder.path()), 0U) << "the writer lives";
  EXPECT_EQ(folder.names().size(), 3U);
  ASSERT_EQ(::kill(writer, SIGKILL), 0);
  ASSERT_EQ(::waitpid(writer, nullptr, 0), writer);
  EXPECT_EQ(folder.names().size(), 3U) << "nobody was left to remove it";
  EXPECT_EQ(read_bytes(folder / "a"), make_bytes("old"));
  EXPECT_EQ(remove_stale_temporaries(folder.path()), 1U);
  EXPECT_EQ(folder.names(), (Names{".hidden", "a"}));
}

std::ptrdiff_t temporaries_of(const std::string& name, const TempFolder& folder) {
  return std::ranges::count_if(folder.names(), [&](const std::string& found) {
    return found.starts_with("." + name + ".");
  });
}

TEST(AtomicFile, RemovesWhatAKilledWriterOfTheSameFileLeft) {
  const TempFolder folder;
  for (const char* name : {"a", "b"}) {
    const pid_t writer = start_writer(folder / name);
    ASSERT_GT(writer, 0);
    {
      const AtomicFile other(folder / name);
      EXPECT_EQ(temporaries_of(name, folder), 2) << "the writer lives";
    }
    ASSERT_EQ(::kill(writer, SIGKILL), 0);
    ASSERT_EQ(::waitpid(writer, nullptr, 0), writer);
  }
  AtomicFile again(folder / "a");
  again.commit();
  EXPECT_EQ(temporaries_of("a", folder), 0);
  EXPECT_EQ(temporaries_of("b", folder), 1) << "another's file";
}

TEST(AtomicFile, WritersThatAreKilledAgainAndAgainLeaveOneTemporary) {
  const TempFolder folder;
  for (int time = 0; time < 3; ++time) {
    const pid_t writer = start_writer(folder / "a");
    ASSERT_GT(writer, 0);
    ASSERT_EQ(::kill(writer, SIGKILL), 0);
    ASSERT_EQ(::waitpid(writer, nullptr, 0), writer);
    EXPECT_EQ(folder.names().size(), 1U);
  }
}

TEST(AtomicFile, LeavesWhatHasTheNameOfItsTemporaryAsItIs) {
  const TempFolder folder;
  const auto name = AtomicFile(folder / "a").temporary();
  const auto link = AtomicFile(folder / "b").temporary();
  std::filesystem::create_directory(name);
  write_bytes(folder / "precious", make_bytes("content"));
  std::filesystem::create_hard_link(folder / "precious", link);
  AtomicFile a(folder / "a");
  AtomicFile b(folder / "b");
  EXPECT_NE(a.temporary(), name);
  b.write("new");
  a.commit();
  b.commit();
  EXPECT_EQ(folder.names(), (Names{name.filename(), "a", "b", "precious"}));
  EXPECT_EQ(read_bytes(folder / "precious"), make_bytes("content"));
}

TEST(AtomicFile, DoesNotTakeAnothersTemporaryForItsOwn) {
  const TempFolder folder;
  {
    AtomicFile one(folder / "a");
    std::filesystem::remove(one.temporary());
    AtomicFile two(folder / "a");
    EXPECT_EQ(one.temporary(), two.temporary());
    EXPECT_EQ(
        data_error_of([&] { one.commit(); }),
        (folder / "a").string() + ": cannot rename its temporary file: No such file or directory");
    { const AtomicFile dropped(std::move(one)); }
    EXPECT_EQ(remove_stale_temporaries(folder.path()), 0U) << "the other lives";
    two.write("two");
    two.commit();
  }
  EXPECT_EQ(read_bytes(folder / "a"), make_bytes("two"));
  EXPECT_EQ(folder.names(), Names{"a"});
}

TEST(AtomicFile, TakesTheLongestNamesThatThereAre) {
  const TempFolder folder;
  const std::string beginning(254, 'x');
  AtomicFile one(folder / (beginning + "1"));
  AtomicFile two(folder / (beginning + "2"));
  one.write("one");
  two.write("two");
  two.commit();
  one.commit();
  EXPECT_EQ(folder.names(), (Names{beginning + "1", beginning + "2"}));
  EXPECT_EQ(read_bytes(folder / (beginning + "1")), make_bytes("one"));
  EXPECT_NE(
      data_error_of([&] { AtomicFile(folder / (beginning + "12")); }).find("File name too long"),
      std::string::npos);
}

TEST(ReplaceByLink, GivesAFileASecondName) {
  const TempFolder folder;
  write_bytes(folder / "a", make_bytes("new"));
  write_bytes(folder / "b", make_bytes("old"));
  for (int time = 0; time < 2; ++time) {  // the second time they are one file already
    ASSERT_TRUE(replace_by_link(folder / "a", folder / "b"));
    EXPECT_EQ(read_bytes(folder / "b"), make_bytes("new"));
    EXPECT_TRUE(std::filesystem::equivalent(folder / "a", folder / "b"));
    EXPECT_EQ(folder.names(), (Names{"a", "b"}));
  }
  AtomicFile file(folder / "a");
  file.write("newer");
  file.commit();
  EXPECT_EQ(read_bytes(folder / "b"), make_bytes("new")) << "a replaced file leaves its other name";
}

TEST(ReplaceByLink, LeavesWhatWasThereWhenItCannot) {
  const TempFolder folder;
  write_bytes(folder / "b", make_bytes("old"));
  EXPECT_EQ(data_error_of([&] { replace_by_link(folder / "a", folder / "b"); }),
            (folder / "b").string() + ": cannot link to a: No such file or directory");
  EXPECT_EQ(read_bytes(folder / "b"), make_bytes("old"));
  EXPECT_EQ(folder.names(), Names{"b"});
}

TEST(ReplaceByLink, TakesTheNameOfOneThatAKilledProcessLeft) {
  const TempFolder folder;
  write_bytes(folder / "a", make_bytes("new"));
  write_bytes(folder / "other", make_bytes("other"));
  const auto left = folder / ".b.link.millrace-tmp";
  std::filesystem::create_hard_link(folder / "other", left);
  ASSERT_TRUE(replace_by_link(folder / "a", folder / "b"));
  EXPECT_EQ(folder.names(), (Names{"a", "b", "other"}));
  EXPECT_EQ(read_bytes(folder / "b"), make_bytes("new"));
  std::filesystem::create_directory(left);
  EXPECT_EQ(data_error_of([&] { replace_by_link(folder / "a", folder / "b"); }),
            (folder / "b").string() + ": cannot remove .b.link.millrace-tmp: Is a directory");
}

TEST(RemoveStaleTemporaries, LeavesThoseOfThisProcessAlone) {
  const TempFolder folder;
  AtomicFile file(folder / "a");
  file.write("x");
  EXPECT_EQ(remove_stale_temporaries(folder.path()), 0U);
  file.commit();
  EXPECT_EQ(folder.names(), Names{"a"});
}

TEST(RemoveStaleTemporaries, AMissingFolderIsClean) {
  EXPECT_EQ(remove_stale_temporaries("/nowhere/at/all"), 0U);
}

TEST(RemoveStaleTemporaries, NamesAFolderThatIsNone) {
  const TempFolder folder;
  write_bytes(folder / "a", {});
  EXPECT_EQ(data_error_of([&] { remove_stale_temporaries(folder / "a"); }),
            (folder / "a").string() + ": cannot list the folder: Not a directory");
}

TEST(SyncFolderOf, SyncsWhereThePathLiesAndNamesThePathWhereThatIsNone) {
  const TempFolder folder;
  sync_folder_of(folder / "gone");
  sync_folder_of("of the current folder");
  EXPECT_EQ(data_error_of([] { sync_folder_of("/nowhere/at/all"); }),
            "/nowhere/at/all: cannot sync its folder to disk: No such file or directory");
}

}  // namespace
}  // namespace millrace
