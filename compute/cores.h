#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace millrace {

/// The cores that this process can keep busy, at least one: those it may run on, or fewer where its
/// control group is given less time than theirs (containers: `docker run --cpus 2`), rounded up.
std::uint32_t available_cores();

/// How many cores' time the control groups of this process leave it; none: all. Of groups in each
/// other the least. `root`: what "/" is. Reads cpu.max of control groups version 2,
/// cpu.cfs_quota_us and cpu.cfs_period_us of version 1 (Documentation/admin-guide/cgroup-v2.rst and
/// scheduler/sched-bwc.rst of Linux); what cannot be read is no limit.
std::optional<double> core_quota(const std::filesystem::path& root = "/");

}  // namespace millrace
