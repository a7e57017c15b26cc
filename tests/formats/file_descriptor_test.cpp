#include "formats/file_descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <utility>

namespace millrace {
namespace {

int open_null() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }
bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

TEST(FileDescriptor, OwnsNothingAtFirst) {
  const FileDescriptor none;
  EXPECT_FALSE(none);
  EXPECT_EQ(none.get(), -1);
}

TEST(FileDescriptor, ClosesWhatItOwns) {
  const int fd = open_null();
  ASSERT_GE(fd, 0);
  {
    const FileDescriptor owner(fd);
    EXPECT_TRUE(owner);
    EXPECT_EQ(owner.get(), fd);
    EXPECT_TRUE(is_open(fd));
  }
  EXPECT_FALSE(is_open(fd));
}

TEST(FileDescriptor, ResetClosesOnce) {
  FileDescriptor owner(open_null());
  const int fd = owner.get();
  owner.reset();
  EXPECT_FALSE(is_open(fd));
  const FileDescriptor next(open_null());  // takes the number that became free
  owner.reset();
  EXPECT_TRUE(is_open(next.get()));
}

TEST(FileDescriptor, MoveHandsOver) {
  FileDescriptor first(open_null());
  const int fd = first.get();
  FileDescriptor second(std::move(first));
  EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): what is promised of it
  EXPECT_EQ(second.get(), fd);

  FileDescriptor third(open_null());
  const int replaced = third.get();
  third = std::move(second);
  EXPECT_EQ(third.get(), fd);
  EXPECT_TRUE(is_open(fd));
  EXPECT_FALSE(is_open(replaced));
}

}  // namespace
}  // namespace millrace
