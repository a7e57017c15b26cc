#include "compute/cores.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/files.h"

namespace millrace {
namespace {

class CoreQuota : public testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) const {
    const auto file = root_.path() / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  std::optional<double> quota() const { return core_quota(root_.path()); }
  test::TempFolder root_;
};

TEST_F(CoreQuota, IsNoneWithoutControlGroups) { EXPECT_EQ(quota(), std::nullopt); }

TEST_F(CoreQuota, OfAContainerIsThatOfItsOutermostGroup) {
  write("proc/self/cgroup", "0::/\n");
  write("sys/fs/cgroup/cpu.max", "max 100000\n");
  EXPECT_EQ(quota(), std::nullopt);
  write("sys/fs/cgroup/cpu.max", "150000 100000\n");
  EXPECT_EQ(quota(), 1.5);
  // Under the name that it has outside.
  write("proc/self/cgroup", "0::/system.slice/docker-0123.scope\n");
  EXPECT_EQ(quota(), 1.5);
}

TEST_F(CoreQuota, IsTheLeastOfGroupsInEachOther) {
  write("proc/self/cgroup", "0::/user.slice/job/step\n");
  write("sys/fs/cgroup/user.slice/cpu.max", "800000 100000\n");
  write("sys/fs/cgroup/user.slice/job/cpu.max", "300000 100000\n");
  write("sys/fs/cgroup/user.slice/job/step/cpu.max", "max 100000\n");
  write("sys/fs/cgroup/user.slice/other/cpu.max", "100000 100000\n");
  EXPECT_EQ(quota(), 3.0);
}

TEST_F(CoreQuota, OfVersionOneIsThatOfItsCpuController) {
  write("proc/self/cgroup",
        "11:memory:/docker/01\n4:cpu,cpuacct:/docker/01\n3:cpuset:/docker/01\n0::/docker/01\n");
  const std::string group = "sys/fs/cgroup/cpu,cpuacct/docker/01/";
  write(group + "cpu.cfs_quota_us", "-1\n");
  write(group + "cpu.cfs_period_us", "100000\n");
  write("sys/fs/cgroup/cpuset/docker/01/cpu.cfs_quota_us", "10000\n");
  write("sys/fs/cgroup/cpuset/docker/01/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quota(), std::nullopt);
  write(group + "cpu.cfs_quota_us", "250000\n");
  EXPECT_EQ(quota(), 2.5);
}

TEST_F(CoreQuota, WhatCannotBeReadIsNoLimit) {
  for (const char* text : {"", "many 100000", "100000", "100000 0", "-5 100000", "nan nan"}) {
    write("proc/self/cgroup", "a line\n0:\n0::/\n");
    write("sys/fs/cgroup/cpu.max", text);
    EXPECT_EQ(quota(), std::nullopt) << text;
  }
}

TEST(AvailableCores, AreAtLeastOne) { EXPECT_GE(available_cores(), 1U); }

}  // namespace
}  // namespace millrace
