#include "train/free_memory.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "tests/support/files.h"

namespace millrace {
namespace {

class FreeMemory : public testing::Test {
 protected:
  FreeMemory() {
    write("proc/meminfo",
          "MemTotal:  9000 kB\nMemFree:  10 kB\nMemAvailable:  5000 kB\nSwapFree:  300 kB\n");
    write("proc/self/cgroup", "0::/user/session\n");
  }
  void write(const std::string& name, const std::string& text) const {
    const auto path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  std::uint64_t found() const { return free_memory({folder_ / "proc", folder_ / "groups"}); }

  test::TempFolder folder_;
};

TEST_F(FreeMemory, IsWhatTheKernelCanHandOut) {
  EXPECT_EQ(found(), 5000U * 1024);
  EXPECT_EQ(memory_at_hand({folder_ / "proc", folder_ / "groups"}), 5300U * 1024);
}

TEST_F(FreeMemory, IsWhatEachGroupLeaves) {
  write("groups/user/session/memory.max", "max\n");
  write("groups/user/session/memory.current", "400000\n");
  EXPECT_EQ(found(), 5000U * 1024);
  write("groups/user/memory.max", "1000000\n");
  write("groups/user/memory.current", "700000\n");
  EXPECT_EQ(found(), 300'000U);
  // Pages of files can go.
  write("groups/user/memory.stat", "anon 1\nfile 5\ninactive_file 50000\nactive_file 20000\n");
  EXPECT_EQ(found(), 370'000U);
  write("groups/user/session/memory.max", "400000\n");
  EXPECT_EQ(found(), 0U);
  // A container's own group is the topmost that it sees.
  write("proc/self/cgroup", "0::/\n");
  EXPECT_EQ(found(), 5000U * 1024);
  write("groups/memory.max", "90000\n");
  write("groups/memory.current", "100000\n");
  EXPECT_EQ(found(), 0U);
}

TEST_F(FreeMemory, KnowsTheFirstVersionOfGroups) {
  write("proc/self/cgroup", "5:devices:/x\n4:memory:/box\n0::/\n");
  write("groups/memory/memory.limit_in_bytes", "9223372036854771712\n");
  write("groups/memory/memory.usage_in_bytes", "1\n");
  EXPECT_EQ(found(), 5000U * 1024);
  write("groups/memory/box/memory.limit_in_bytes", "2000000\n");
  write("groups/memory/box/memory.usage_in_bytes", "1500000\n");
  write("groups/memory/box/memory.stat", "inactive_file 7\ntotal_inactive_file 100000\n");
  EXPECT_EQ(found(), 600'000U);
}

TEST_F(FreeMemory, IsWhatTheProcessMayHave) {
  // In a process of its own; the limit is above what even a sanitized build has.
  const auto limited = [&] {
    constexpr std::uint64_t kLimit = std::uint64_t{1} << 47U;
    const rlimit limit{kLimit, RLIM_INFINITY};
    if (::setrlimit(RLIMIT_AS, &limit) != 0) std::_Exit(2);
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const auto with = [&](std::uint64_t pages) {
      write("proc/self/statm", std::to_string(pages) + " 1 1 1 0 1 0\n");
      return memory_at_hand({folder_ / "proc", folder_ / "groups"});
    };
    const bool right = with(1) == 5300 * 1024 && with(kLimit / page - 3) == 3 * page &&
                       with(kLimit / page + 1) == 0;
    std::_Exit(right ? 0 : 1);
  };
  EXPECT_EXIT(limited(), testing::ExitedWithCode(0), "");
  EXPECT_GT(free_memory(), 1U << 20U);
}

}  // namespace
}  // namespace millrace
