#include "tools/console/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <thread>

#include "formats/file_descriptor.h"

namespace millrace {
namespace {

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    read = FileDescriptor(ends[0]);
    write = FileDescriptor(ends[1]);
  }
  FileDescriptor read;
  FileDescriptor write;
};

TEST(Output, WritesWholeTextsThroughASmallPipe) {
  Pipe pipe;
  // A full pipe that does not block answers EAGAIN, which must cost no byte.
  ASSERT_EQ(::fcntl(pipe.write.get(), F_SETFL, O_NONBLOCK), 0);
  const std::string text(1U << 20U, 'x');
  std::string got;
  std::thread reader([&] {
    std::array<char, 4096> block{};
    for (ssize_t n = 0; (n = ::read(pipe.read.get(), block.data(), block.size())) > 0;) {
      got.append(block.data(), static_cast<std::size_t>(n));
    }
  });
  Output output(pipe.write.get());
  output.write(text);
  pipe.write.reset();
  reader.join();
  EXPECT_EQ(output.error(), 0);
  EXPECT_EQ(got, text);
}

TEST(Output, KeepsTheFirstErrorAndDropsTheRest) {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  Pipe pipe;
  pipe.read.reset();
  Output output(pipe.write.get());
  output.write("");
  EXPECT_EQ(output.error(), 0);
  output.write("x");
  EXPECT_EQ(output.error(), EPIPE);
  pipe.write.reset();  // another write would fail with EBADF
  output.write("y");
  EXPECT_EQ(output.error(), EPIPE);
  std::signal(SIGPIPE, before);
}

TEST(Output, TellsAFullDisk) {
  const FileDescriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  if (!full) GTEST_SKIP() << "no /dev/full here";
  Output output(full.get());
  output.write("x");
  EXPECT_EQ(output.error(), ENOSPC);
}

}  // namespace
}  // namespace millrace
